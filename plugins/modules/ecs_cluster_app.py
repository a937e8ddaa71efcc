#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One app on an ECS cluster: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster_app
short_description: One app on an Amazon ECS cluster, behind a load balancer
version_added: "1.0.0"
description:
  - Runs a container a number of times on the instances of an ECS cluster, with all that it needs. That is a task
    definition, a service, a load balancer with a security group of its own, a log group, and automatic scaling, as
    far as the options ask for them.
  - The app is ready when its deployment is completed, nothing of the one before is left, and the load balancer finds
    all tasks healthy. A deployment that can never succeed fails at once, with the reason and what ECS said last.
  - With O(state=absent), the app is scaled down and removed, with its task definition, its parts of the load balancer
    and its log group, and nothing else.
  - A new revision of the task definition is registered only when something that matters differs. The difference is
    named.
  - An option that is not given is not managed. What an existing app has in its place, stays, also in a new revision.
  - What the container has is taken away by an empty text, list or mapping, as an empty O(user) or O(environment).
  - Everything is tagged as belonging to the app in the call that makes it. What does not carry these tags is neither
    changed nor deleted.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.aws
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the app and of its service, up to 255 letters, digits, hyphens and underscores.
    type: str
    required: true
  cluster:
    description: The name of the cluster. M(container.schedulers.ecs_cluster) makes one.
    type: str
    required: true
  state:
    description:
      - V(present) makes the app, or changes it to what the options say.
      - V(absent) removes it, and always waits until it is gone. It is no error if the cluster does not exist any more.
      - It refuses, and changes nothing, if somebody else has put target groups behind the app's own load balancer. So
        does V(present), if that would go, as with O(load_balancer.type=none).
    type: str
    choices: [present, absent]
    default: present
  image:
    description: The image of the container. A new app needs it.
    type: str
  container_name:
    description: The name of the container in the task definition. For a new app the same as O(name), if not given.
    type: str
  family:
    description:
      - The name of the task definition. For a new app made of O(cluster) and O(name), if not given.
      - Task definitions of all clusters of a region are in one list, so two apps cannot have the same.
    type: str
  memory:
    description:
      - The hard limit of memory in MiB, at least 6. A container that takes more is killed.
      - A new app needs this or O(memory_reservation).
    type: int
  memory_reservation:
    description: The soft limit of memory in MiB, which is what ECS reserves on an instance. V(0) takes it away.
    type: int
  cpu:
    description: CPU units to reserve. An instance has 1024 for each virtual CPU.
    type: int
  ports:
    description: The ports of the container.
    type: list
    elements: dict
    suboptions:
      container_port:
        description: The port in the container.
        type: int
        required: true
      host_port:
        description:
          - The port of the instance that leads to it. With V(0), ECS picks a free one for each task.
          - With a fixed one, an instance can run one task of the app at a time.
        type: int
        default: 0
      protocol:
        description: The protocol.
        type: str
        choices: [tcp, udp]
        default: tcp
  environment:
    description:
      - Environment variables, by name. Not for secrets, as everyone who may read the task definition can see them.
      - Values are text or numbers; quote true and false, and end their templates with C(| string | lower).
    type: dict
  secrets:
    description:
      - Secrets to put into environment variables, by name. Values are ARNs of SSM parameters or Secrets Manager
        secrets. The name of a parameter alone is not taken, as it could be the secret itself.
      - A name cannot be in O(environment) too.
      - Needs O(execution_role), which has to be allowed to read them.
    type: dict
  command:
    description: The command to run, in place of the image's, as a list, or as a line that is taken apart.
    type: raw
  entry_point:
    description: The entry point to use, in place of the image's, as a list, or as a line that is taken apart.
    type: raw
  user:
    description: The user to run as, in place of the image's.
    type: str
  working_directory:
    description: The directory to run in, in place of the image's.
    type: str
  health_check:
    description:
      - How Docker finds out whether the container is healthy. A task that is not is replaced.
      - ECS has none of this for an app behind a classic load balancer.
    type: dict
    suboptions:
      command:
        description: The command, which begins with V(CMD), V(CMD-SHELL) or V(NONE), as a list, or as a line that is
          taken apart. After V(CMD-SHELL), such a line has the line for the shell in quotes.
        type: raw
        required: true
      interval:
        description: Seconds between two checks.
        type: int
        default: 30
      timeout:
        description: Seconds after which a check has failed.
        type: int
        default: 5
      retries:
        description: After how many failures the container is unhealthy.
        type: int
        default: 3
      start_period:
        description: Seconds after the start in which failures do not count.
        type: int
        default: 0
  log:
    description:
      - Where the output of the container goes. A log group of CloudWatch is made for it, which belongs to the app and
        goes with it.
    type: dict
    suboptions:
      group:
        description: The name of the log group. V(/ecs/), the cluster and the app, if not given.
        type: str
      retention_days:
        description: After how many days CloudWatch forgets.
        type: int
        choices:
          [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
        default: 30
      stream_prefix:
        description:
          - How the names of the log streams begin, without colons and asterisks. The name of the app, if not given.
        type: str
  task_role:
    description: The ARN of the IAM role that the container may use. An empty text takes it away.
    type: str
  execution_role:
    description:
      - The ARN of the IAM role that ECS uses to start the container, to read O(secrets) for example.
      - An empty text takes it away.
    type: str
  desired_count:
    description:
      - How many tasks to run. V(0) stops all and keeps the app.
      - If not given, a new app gets one. On an existing one the number is left to whoever changes it, such as an
        autoscaler.
      - While the app scales by itself, a number outside of the limits of O(scaling) is refused.
    type: int
  minimum_healthy_percent:
    description: How many percent of the tasks have to stay up during a deployment. AWS's default for a new app is 100.
    type: int
  maximum_percent:
    description: How many percent of the tasks there may be during a deployment. AWS's default for a new app is 200.
    type: int
  circuit_breaker:
    description:
      - Whether ECS gives up a deployment whose tasks keep failing. If not given, it does for a new app, and rolls
        back.
      - ECS has no circuit breaker for an app behind a classic load balancer. The module itself fails there, too, when
        tasks keep failing, but nothing is rolled back.
    type: dict
    suboptions:
      enable:
        description: Whether to give up.
        type: bool
        default: true
      rollback:
        description: Whether to go back to the last deployment that worked.
        type: bool
        default: true
  placement_constraints:
    description: On which instances tasks may run.
    type: list
    elements: dict
    suboptions:
      type:
        description: V(distinctInstance) for one task on each instance, V(memberOf) for instances that an expression
          selects.
        type: str
        choices: [distinctInstance, memberOf]
        required: true
      expression:
        description: The expression for V(memberOf), in ECS's cluster query language.
        type: str
  placement_strategy:
    description: Which instance to prefer.
    type: list
    elements: dict
    suboptions:
      type:
        description: How to choose.
        type: str
        choices: [random, spread, binpack]
        required: true
      field:
        description: What to choose by, for example V(attribute:ecs.availability-zone), V(instanceId) or V(memory).
        type: str
  capacity_provider_strategy:
    description:
      - The capacity providers to run on, in place of all registered instances.
      - A change starts a new deployment.
    type: list
    elements: dict
    suboptions:
      capacity_provider:
        description: The name of the capacity provider, one of the cluster's.
        type: str
        required: true
      weight:
        description: Its share of the tasks, up to 1000.
        type: int
        default: 1
      base:
        description: How many tasks to run on it before shares count.
        type: int
        default: 0
  load_balancer:
    description: The load balancer before the app. It is made if it does not exist.
    type: dict
    suboptions:
      type:
        description:
          - The type. V(classic) needs a fixed O(ports[].host_port). V(none) takes away what the app has.
          - ECS cannot take a service from behind a classic load balancer, nor put it behind one. That needs
            O(state=absent) first, and so does a change between V(application) and V(network).
        type: str
        choices: [classic, application, network, none]
        required: true
      name:
        description:
          - Its name, up to 32 letters, digits and hyphens. Made of the cluster and the app, if not given, of the
            cluster alone if it is shared.
          - An app stays behind the load balancer that it has. Another one needs O(state=absent) first.
        type: str
      shared:
        description:
          - Whether apps of the cluster share it. It then belongs to the cluster. It stays when an app goes, and goes
            with the cluster.
          - Each app needs a O(load_balancer.listener_port) of its own. That of a classic one at which another app is
            reached is refused. The health check and the
            O(load_balancer.deregistration_delay) of a shared classic load balancer are those of one app at a time, the
            one whose port it looks at. That app has to run on every instance, as ECS stops tasks of all of them on
            instances that do not answer.
        type: bool
        default: false
      scheme:
        description: Whether it is reached from the internet, or from its VPC only. Cannot be changed later.
        type: str
        choices: [internet-facing, internal]
        default: internet-facing
      listener_port:
        description:
          - The port on which it listens, for HTTP, or for TCP if it is of type V(network).
          - It cannot be changed later, but for one of type V(classic).
          - A shared classic load balancer goes on listening on an earlier port too, until the app is deleted.
        type: int
        default: 80
      container_port:
        description: Which of O(ports) it leads to. May be left out if there is only one.
        type: int
      health_check_path:
        description: What it asks the tasks for. Of no meaning for type V(network), which only connects.
        type: str
        default: /
      healthy_threshold:
        description: After how many good answers a task is healthy.
        type: int
        default: 2
      unhealthy_threshold:
        description: After how many failures a task is unhealthy.
        type: int
        default: 3
      interval:
        description: Seconds between two health checks.
        type: int
        default: 10
      timeout:
        description: Seconds after which a health check has failed.
        type: int
        default: 5
      deregistration_delay:
        description: Seconds for which a task that is stopped may finish what it has begun to answer.
        type: int
        default: 30
      allowed_cidrs:
        description:
          - Who may reach the listener. The default is everyone, as an app behind a load balancer usually is for the
            public.
          - The load balancer gets a security group of its own for it, and only that may reach the instances.
          - What somebody else has opened at other ports of the load balancer stays open, and listeners there stay.
        type: list
        elements: str
        default: ["0.0.0.0/0"]
      subnets:
        description:
          - The subnets that it is in, one of each zone of the instances, as it does not reach tasks in other zones.
          - Those of the cluster's instances for a new one, if not given.
          - One of type network, and a classic one that is in a single zone, has to leave a zone in a run of its own
            before it can be in another subnet of it.
        type: list
        elements: str
      grace_period:
        description: Seconds after the start of a task in which ECS ignores that the load balancer finds it unhealthy.
        type: int
  scaling:
    description:
      - Keeps the average CPU of the app near a percentage of what it has reserved, by the number of tasks.
      - A new app starts with the minimum. To stop the app, set both limits to 0.
    type: dict
    suboptions:
      min:
        description: The least number of tasks.
        type: int
        required: true
      max:
        description: The greatest number of tasks.
        type: int
        required: true
      cpu_percent:
        description: The percentage.
        type: int
        default: 60
  keep_revisions:
    description:
      - How many of the latest revisions of the task definition to keep when a new one is registered.
      - While no deployment of the app is completed, and ECS would go back to an earlier one because of
        O(circuit_breaker.rollback), the others go once the app is ready, and not without O(wait).
    type: int
    default: 5
  tags:
    description:
      - Tags for everything that is made. Other tags that are there stay.
      - At most 40, of what all services take, which is letters, numbers, spaces and C(_.:/=+-@).
      - A shared load balancer gets those of the app that makes it.
    type: dict
  adopt:
    description:
      - Whether to take over a service, task definition, log group or load balancer of the wanted name that carries no
        mark of anyone. Once taken over, O(state=absent) deletes it.
    type: bool
    default: false
  wait_timeout:
    description: The most seconds that the whole task may wait.
    type: int
    default: 600
notes:
  - The IAM permissions that are needed are listed in the README of the role P(container.schedulers.ecs_app#role).
seealso:
  - module: container.schedulers.ecs_cluster
  - module: container.schedulers.ecs_cluster_app_info
"""

EXAMPLES = r"""
- name: Three tasks behind a load balancer
  container.schedulers.ecs_cluster_app:
    name: sample-webapp
    cluster: default
    image: public.ecr.aws/docker/library/httpd:2.4
    memory: 300
    ports:
      - container_port: 80
    desired_count: 3
    load_balancer:
      type: application
    log:
      retention_days: 14
    region: eu-west-1

- name: One task on each instance, behind a classic load balancer that other apps may use as well
  container.schedulers.ecs_cluster_app:
    name: Our-Awesome-Cluster
    cluster: default
    family: our-awesome-cluster
    container_name: cluster
    image: russmckendrick/cluster
    memory: 32
    ports:
      - container_port: 80
        host_port: 80
    desired_count: 3
    minimum_healthy_percent: 50
    maximum_percent: 200
    load_balancer:
      type: classic
      name: first-run
      shared: true

- name: Deploy another version, and leave everything else as it is
  container.schedulers.ecs_cluster_app:
    name: sample-webapp
    cluster: default
    image: public.ecr.aws/docker/library/httpd:2.4.62

- name: Stop all tasks
  container.schedulers.ecs_cluster_app:
    name: sample-webapp
    cluster: default
    desired_count: 0

- name: Remove the app and all that is its own
  container.schedulers.ecs_cluster_app:
    name: sample-webapp
    cluster: default
    state: absent
"""

RETURN = r"""
service:
  description: The service of the app. With O(state=absent) as if it were gone, in check mode too.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    cluster:
      description: The cluster.
      type: str
    arn:
      description: Its ARN, null if there is no such app.
      type: str
    status:
      description: Its status, null if there is no such app.
      type: str
      sample: ACTIVE
    desired_count:
      description: How many tasks it should have.
      type: int
    running_count:
      description: How many tasks run.
      type: int
    pending_count:
      description: How many tasks are about to run.
      type: int
    tags:
      description: Its tags.
      type: dict
task_definition:
  description: The revision of the task definition that the service uses. Its values are null if there is no such app.
  returned: success
  type: dict
  contains:
    arn:
      description: Its ARN.
      type: str
    family:
      description: Its name.
      type: str
    revision:
      description: Its number.
      type: int
deployment:
  description: The latest deployment. Its id and its state are null if there is no such app.
  returned: success
  type: dict
  contains:
    id:
      description: Its id.
      type: str
    rollout_state:
      description: Its state. ECS does not tell it of an app behind a classic load balancer. It is null then.
      type: str
      sample: COMPLETED
    rollout_state_reason:
      description: What ECS says about the state, null if nothing.
      type: str
    failed_tasks:
      description: How many of its tasks could not be started.
      type: int
url:
  description: Where the app answers, null without a load balancer.
  returned: success
  type: str
  sample: http://first-run-1234567890.eu-west-1.elb.amazonaws.com/
load_balancer:
  description: The load balancer before the app, null without one. A record set of type A can be an alias of it.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    dns_name:
      description: Its DNS name.
      type: str
      sample: first-run-1234567890.eu-west-1.elb.amazonaws.com
    zone_id:
      description: The hosted zone of its DNS name.
      type: str
      sample: Z32O12XQLNTSW2
tasks:
  description:
    - The tasks that run. Null when nothing had to be done, to save the calls.
      M(container.schedulers.ecs_cluster_app_info) always has them.
  returned: success
  type: list
  elements: dict
  contains:
    arn:
      description: The ARN of the task.
      type: str
    container_instance_arn:
      description: The instance that it runs on, as ECS calls it.
      type: str
    status:
      description: Its status.
      type: str
      sample: RUNNING
    health:
      description: What the container's own health check says.
      type: str
      sample: HEALTHY
    revision:
      description: The revision of the task definition that it runs.
      type: int
    images:
      description: The images of its containers.
      type: list
      elements: str
    host_ports:
      description: The ports of the instance that lead to it.
      type: list
      elements: int
events:
  description: What ECS said last about the service, the latest first.
  returned: success
  type: list
  elements: str
  sample: ["has reached a steady state."]
last_events:
  description: The same, when waiting for the app failed.
  returned: failure while waiting
  type: list
  elements: str
last_state:
  description: What was last seen, when waiting for the app failed.
  returned: failure while waiting
  type: str
  sample: 1 of 3 tasks run, 0 are pending
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample:
    - update task definition default-web (containers[web].environment.COLOUR)
    - update service web (task_definition)
steps_planned:
  description: What would be done.
  returned: in check mode
  type: list
  elements: str
step_failed:
  description: What was being done when the task failed.
  returned: failure once a step was begun
  type: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: AccessDenied
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws.app_argspec import APP
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_app_present import ensure
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(APP.merge(STATE, wait_options(600), CONNECTION), ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
