#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ECS cluster with registered instances, and all that it needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster
short_description: An Amazon ECS cluster with EC2 instances that are ready for tasks
version_added: "1.0.0"
description:
  - Makes an ECS cluster with a number of registered container instances, and all that they need. That is an IAM role
    and instance profile, a network of their own unless subnets are given, a security group, a launch template, and an
    auto scaling group.
  - The cluster is ready when as many instances as wanted are registered, active, and have a connected agent.
  - With O(state=absent), all of it is removed again, and the apps that M(container.schedulers.ecs_cluster_app) put on
    it too.
  - Everything is tagged as belonging to the cluster in the call that makes it. What does not carry these tags is
    neither changed nor deleted.
  - Instances require IMDSv2, their volumes are encrypted, and nothing from outside reaches them unless
    O(allowed_cidrs) says so. The load balancers of apps get access by M(container.schedulers.ecs_cluster_app).
  - An option that is not given is not managed. What an existing cluster has in its place, stays.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.aws
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the cluster, up to 251 letters, digits, hyphens and underscores.
    type: str
    required: true
  state:
    description:
      - V(present) makes the cluster, or changes it to what the options say.
      - V(absent) removes it, with its apps, its instances and its network. Nothing is left that costs money. It always
        waits until all is gone. Instances of others in its network are an error, as it cannot go before them.
    type: str
    choices: [present, absent]
    default: present
  desired_count:
    description:
      - How many instances there should be.
      - If not given, a new cluster gets O(min_size), or one. On an existing one the number is left to whoever changes
        it, such as an autoscaler.
    type: int
  min_size:
    description: How many instances there should be at least. If not given, a new cluster gets O(desired_count).
    type: int
  max_size:
    description:
      - How many instances there should be at most. If not given, a new cluster gets O(desired_count).
      - If there are more, AWS ends some of them.
    type: int
  instance_type:
    description:
      - The type of the instances.
      - A new cluster gets V(t3.small) if none is given, or V(t4g.small) with O(architecture=arm64).
    type: str
  architecture:
    description: The architecture of the instances. If O(instance_type) is given too, the two have to fit together.
    type: str
    choices: [x86_64, arm64]
  ami:
    description:
      - The image of the instances.
      - If not given, a new cluster gets the ECS-optimised Amazon Linux 2023 image of the day, and keeps it.
      - V(latest) takes the image of the day at every run.
    type: str
  replace_outdated:
    description:
      - Whether to replace instances that were started from an older launch template, one by one. Each is drained, so
        that its tasks move to the others first.
      - If V(false), they are only named in RV(outdated_instances).
    type: bool
    default: false
  key_name:
    description: The key pair for logging in with SSH. Without one, nobody can.
    type: str
  volume_size:
    description: The size of the root volume in GiB. If not given, a new cluster gets what its image says.
    type: int
  volume_kms_key:
    description:
      - The KMS key to encrypt volumes with, by its ARN, its id, or an alias such as V(alias/x). They are always
        encrypted, by default with AWS's key for EBS.
      - Auto Scaling has to be allowed to use the key.
    type: str
  subnets:
    description:
      - The ids of existing subnets, all of one VPC, for the instances. They need a way to the internet or to the VPC
        endpoints of ECS. Whether instances get public addresses, the subnets decide.
      - If not given, a new cluster gets a VPC of its own, with public subnets.
    type: list
    elements: str
  cidr:
    description:
      - The address range of the own VPC, V(10.0.0.0/16) for a new cluster. It cannot be changed later.
      - From /16 to /23, as each subnet gets a sixteenth of it, and a load balancer needs subnets of /27 at least.
    type: str
  zones:
    description:
      - The availability zones of the own VPC's subnets.
      - If not given, a new cluster gets the first two that have the instance type.
    type: list
    elements: str
  allowed_cidrs:
    description: The address ranges from which O(instance_ports) of the instances can be reached directly.
    type: list
    elements: str
  instance_ports:
    description: The TCP ports, or ranges of ports such as V(32768-60999), that O(allowed_cidrs) may reach.
    type: list
    elements: str
    default: ["80"]
  instance_policies:
    description:
      - ARNs of further managed policies for the role of the instances. What an ECS agent needs, it always has.
      - V(arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore) allows sessions without SSH, for example.
    type: list
    elements: str
  container_insights:
    description:
      - Whether CloudWatch collects metrics of the containers. It costs extra.
      - CloudWatch makes a log group for that by itself, C(/aws/ecs/containerinsights/NAME/performance). It has no mark,
        so it outlives the cluster, and M(container.schedulers.scheduler_leftovers_info) does not list it.
    type: str
    choices: [disabled, enabled, enhanced]
  tags:
    description:
      - Tags for everything that is made. Other tags that are there stay.
      - Instances that run get new ones in place. As their launch template changes, they count as outdated all the
        same, and O(replace_outdated=true) replaces them.
      - At most 40, of what all services take, which is letters, numbers, spaces and C(_.:/=+-@).
    type: dict
  adopt:
    description:
      - Whether to take over a cluster of this name that carries no mark of anyone, and the like for its role, launch
        template and auto scaling group. Once taken over, O(state=absent) deletes them.
    type: bool
    default: false
  force:
    description:
      - Whether O(state=absent) also deletes services that M(container.schedulers.ecs_cluster_app) did not make, and
        load balancers behind which others have put target groups, deregisters instances that this module did not make,
        and lets tasks that no service has started end with their instances. Otherwise it refuses, and changes nothing.
    type: bool
    default: false
  wait_timeout:
    description: The most seconds that the whole task may wait.
    type: int
    default: 900
notes:
  - The IAM permissions that are needed are listed in the README of the role P(container.schedulers.ecs_cluster#role).
seealso:
  - module: container.schedulers.ecs_cluster_app
  - module: container.schedulers.ecs_cluster_info
"""

EXAMPLES = r"""
- name: A cluster of three instances in a network of its own
  container.schedulers.ecs_cluster:
    name: default
    desired_count: 3
    region: eu-west-1

- name: Let an autoscaler choose between two and ten Graviton instances in existing subnets
  container.schedulers.ecs_cluster:
    name: web
    min_size: 2
    max_size: 10
    instance_type: m7g.large
    subnets: [subnet-0a1b2c3d4e5f60718, subnet-0f1e2d3c4b5a69788]
    container_insights: enabled
    tags:
      cost-centre: "4711"

- name: Move to the newest image, one instance after the other
  container.schedulers.ecs_cluster:
    name: web
    ami: latest
    replace_outdated: true
    wait_timeout: 3600

- name: Remove the cluster and everything on it
  container.schedulers.ecs_cluster:
    name: default
    state: absent
"""

RETURN = r"""
cluster:
  description: The cluster. With O(state=absent) as if it were gone, in check mode too.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: default
    arn:
      description: Its ARN, null if there is no such cluster.
      type: str
      sample: arn:aws:ecs:eu-west-1:123456789012:cluster/default
    status:
      description: Its status, null if there is no such cluster.
      type: str
      sample: ACTIVE
    desired_count:
      description: How many instances it should have.
      type: int
    registered_count:
      description: How many of them are registered, active, and have a connected agent.
      type: int
instances:
  description: The instances of the cluster.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id:
      description: The id of the EC2 instance.
      type: str
    instance_type:
      description: Its type.
      type: str
    zone:
      description: Its availability zone.
      type: str
    outdated:
      description: Whether it was started from an older version of the launch template.
      type: bool
    container_instance_arn:
      description: What ECS calls it, null as long as it is not registered.
      type: str
    status:
      description: Its status in ECS, null as long as it is not registered.
      type: str
    agent_connected:
      description: Whether its ECS agent is connected.
      type: bool
    running_tasks:
      description: How many tasks run on it.
      type: int
outdated_instances:
  description: The ids of instances that O(replace_outdated=true) would replace.
  returned: success
  type: list
  elements: str
network:
  description: Where the instances are. Its ids are null if there is no such cluster.
  returned: success
  type: dict
  contains:
    vpc_id:
      description: The VPC.
      type: str
    subnet_ids:
      description: The subnets.
      type: list
      elements: str
    security_group_id:
      description: The security group of the instances.
      type: str
auto_scaling_group:
  description: What keeps the number of instances. Its values are null if there is none.
  returned: success
  type: dict
  contains:
    name:
      description: The name of the auto scaling group.
      type: str
    min_size:
      description: The least number of instances.
      type: int
    max_size:
      description: The greatest number of instances.
      type: int
launch_template:
  description: What instances are started from. Its values are null if there is none.
  returned: success
  type: dict
  contains:
    id:
      description: The id of the launch template.
      type: str
    version:
      description: The version that instances are started from.
      type: str
    image_id:
      description: The image.
      type: str
    instance_type:
      description: The instance type.
      type: str
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
last_events:
  description: What AWS said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: ["create role ecs-default-eu-west-1-instances", "create vpc ecs-default"]
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

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, ArgumentSpec, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster import ensure
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "desired_count": {"type": "int"},
        "min_size": {"type": "int"},
        "max_size": {"type": "int"},
        "instance_type": {"type": "str"},
        "architecture": {"type": "str", "choices": ["x86_64", "arm64"]},
        "ami": {"type": "str"},
        "replace_outdated": {"type": "bool", "default": False},
        "key_name": {"type": "str", "no_log": False},
        "volume_size": {"type": "int"},
        "volume_kms_key": {"type": "str", "no_log": False},
        "subnets": {"type": "list", "elements": "str"},
        "cidr": {"type": "str"},
        "zones": {"type": "list", "elements": "str"},
        "allowed_cidrs": {"type": "list", "elements": "str"},
        "instance_ports": {"type": "list", "elements": "str", "default": ["80"]},
        "instance_policies": {"type": "list", "elements": "str"},
        "container_insights": {"type": "str", "choices": ["disabled", "enabled", "enhanced"]},
        "tags": {"type": "dict"},
        "adopt": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
    },
    mutually_exclusive=(("subnets", "cidr"), ("subnets", "zones")),
)


def main() -> None:
    """The module."""
    run_module(SPEC.merge(STATE, wait_options(900), CONNECTION), ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
