#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes clusters on EC2, as they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_aws_cluster_info
short_description: Kubernetes clusters on Amazon EC2 and their instances
version_added: "1.0.0"
description:
  - Lists the clusters that M(container.schedulers.k8s_aws_cluster) made, with their instances. AWS is asked, not the
    API servers.
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
  - "IAM permissions needed: ec2:DescribeInstances; ssm:GetParameter."
seealso:
  - module: container.schedulers.k8s_aws_cluster
"""

EXAMPLES = r"""
- name: All clusters of a region
  container.schedulers.k8s_aws_cluster_info:
    region: eu-west-1
  register: found

- name: Their API servers
  ansible.builtin.debug:
    msg: "{{ found.clusters | map(attribute='endpoint') }}"
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
    version:
      description: The version of Kubernetes that it was made with, null without a control plane.
      type: str
    zone:
      description: Its availability zone, null without a control plane.
      type: str
    pod_network:
      description: How its pods reach one another, null without a control plane.
      type: str
    endpoint:
      description: The address of its API server, null without a control plane.
      type: str
      sample: https://203.0.113.9:6443
    owner:
      description: Whose its resources are, by their mark.
      type: str
      sample: kubernetes/kubernetes
    vpc_id:
      description: The VPC.
      type: str
    boot:
      description: How far the control plane has come with its boot.
      type: dict
      contains:
        state:
          description: V(pending), V(running), V(done) or V(failed).
          type: str
        step:
          description: What it does, has done, or failed at, null before the first one.
          type: str
    control_plane:
      description: The instance of the control plane, null if there is none.
      type: dict
      contains:
        instance_id:
          description: The id of the EC2 instance.
          type: str
        instance_type:
          description: Its type.
          type: str
        state:
          description: Its state.
          type: str
          sample: running
        private_ip:
          description: Its private address, null if it has none.
          type: str
        public_ip:
          description: Its public address, null if it has none.
          type: str
    nodes:
      description: The other instances.
      type: list
      elements: dict
      contains:
        instance_id:
          description: The id of the EC2 instance.
          type: str
        instance_type:
          description: Its type.
          type: str
        state:
          description: Its state.
          type: str
          sample: running
        private_ip:
          description: Its private address, null if it has none.
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
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_info import cluster_info
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec({"name": {"type": "list", "elements": "str"}})


def main() -> None:
    """The module."""
    run_module(SPEC.merge(CONNECTION), cluster_info, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
