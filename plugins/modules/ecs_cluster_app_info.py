#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at the apps of an ECS cluster: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster_app_info
short_description: What runs on an Amazon ECS cluster
version_added: "1.0.0"
description:
  - Lists the services of an ECS cluster with their tasks, their address, and what ECS said last about them, whoever
    made them.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.attributes.info
  - container.schedulers.attributes.aws
author:
  - the container.schedulers authors (@container-schedulers)
options:
  cluster:
    description: The name of the cluster.
    type: str
    required: true
  name:
    description: The name of one app. If not given, all are listed.
    type: str
notes:
  - "IAM permissions needed: ecs:ListServices, DescribeServices, ListTasks, DescribeTasks;
    elasticloadbalancing:Describe*."
seealso:
  - module: container.schedulers.ecs_cluster_app
"""

EXAMPLES = r"""
- name: Look at all apps of the cluster
  container.schedulers.ecs_cluster_app_info:
    cluster: default
    region: eu-west-1
  register: cluster

- name: Say where they answer
  ansible.builtin.debug:
    msg: "{{ cluster.apps | items2dict(key_name='name', value_name='url') }}"

- name: Look at one of them
  container.schedulers.ecs_cluster_app_info:
    cluster: default
    name: sample-webapp
"""

RETURN = r"""
apps:
  description: The apps, by name. Empty if there are none, or no such cluster.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the app and of its service.
      type: str
    service:
      description: The service of the app.
      type: dict
      contains:
        name:
          description: Its name.
          type: str
        cluster:
          description: The cluster.
          type: str
        arn:
          description: Its ARN.
          type: str
        status:
          description: Its status.
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
      description: The revision of the task definition that the service uses.
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
      description: The latest deployment.
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
      description: Where the app answers. Null without a load balancer, or if it is not clear which listener is the
        app's.
      type: str
      sample: http://first-run-1234567890.eu-west-1.elb.amazonaws.com/
    load_balancer:
      description: The load balancer before the app, null without one. A record set of type A can be an alias of it.
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
      description: The tasks that run.
      type: list
      elements: dict
      contains:
        arn:
          description: The ARN of the task.
          type: str
        container_instance_arn:
          description: The instance that it runs on, as ECS calls it, null on Fargate.
          type: str
        status:
          description: Its status.
          type: str
          sample: RUNNING
        health:
          description: What the container's own health check says, null if ECS does not tell.
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
      type: list
      elements: str
      sample: ["has reached a steady state."]
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: AccessDenied
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_app_info import look
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec({"cluster": {"type": "str", "required": True}, "name": {"type": "str"}})


def main() -> None:
    """The module."""
    run_module(SPEC.merge(CONNECTION), look, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
