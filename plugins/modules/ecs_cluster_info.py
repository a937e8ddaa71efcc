#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS clusters and their instances, as they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster_info
short_description: Amazon ECS clusters and their instances
version_added: "1.0.0"
description:
  - Lists ECS clusters with their instances, whoever made them.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.attributes.info
  - container.schedulers.attributes.aws
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The names of the clusters. If not given, all clusters of the region. What does not exist is not listed.
    type: list
    elements: str
notes:
  - "IAM permissions needed: ecs:ListClusters, DescribeClusters, ListContainerInstances, DescribeContainerInstances;
    ec2:DescribeInstances."
seealso:
  - module: container.schedulers.ecs_cluster
  - module: container.schedulers.ecs_cluster_app_info
"""

EXAMPLES = r"""
- name: All clusters of a region
  container.schedulers.ecs_cluster_info:
    region: eu-west-1
  register: found

- name: The public addresses of the instances of one
  container.schedulers.ecs_cluster_info:
    name: [default]
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ found.clusters | map(attribute='instances') | flatten | map(attribute='public_ip') }}"
"""

RETURN = r"""
clusters:
  description: The clusters, by name. An empty list if there is none.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the cluster.
      type: str
    arn:
      description: Its ARN.
      type: str
    status:
      description: Its status.
      type: str
      sample: ACTIVE
    owner:
      description: Whose it is by its mark, null if this collection did not make it.
      type: str
      sample: ecs/default
    tags:
      description: Its tags.
      type: dict
    container_insights:
      description: Whether CloudWatch collects metrics of the containers, null if ECS does not say.
      type: str
      sample: disabled
    services_count:
      description: How many services are active.
      type: int
    running_tasks:
      description: How many tasks run.
      type: int
    pending_tasks:
      description: How many tasks are about to run.
      type: int
    instances:
      description: The registered instances.
      type: list
      elements: dict
      contains:
        instance_id:
          description: The id of the EC2 instance.
          type: str
        container_instance_arn:
          description: What ECS calls it.
          type: str
        status:
          description: Its status in ECS.
          type: str
          sample: ACTIVE
        agent_connected:
          description: Whether its ECS agent is connected.
          type: bool
        running_tasks:
          description: How many tasks run on it.
          type: int
        instance_type:
          description: Its type, null if the instance is gone.
          type: str
        image_id:
          description: Its image, null if the instance is gone.
          type: str
        zone:
          description: Its availability zone, null if the instance is gone.
          type: str
        private_ip:
          description: Its address in the VPC, null if the instance is gone.
          type: str
        public_ip:
          description: Its public address, null if it has none.
          type: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: AccessDenied
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_info import cluster_info
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec({"name": {"type": "list", "elements": "str"}})


def main() -> None:
    """The module."""
    run_module(SPEC.merge(CONNECTION), cluster_info, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
