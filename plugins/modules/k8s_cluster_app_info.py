#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at the apps of a Kubernetes cluster: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_cluster_app_info
short_description: What runs on a Kubernetes cluster
version_added: "1.0.0"
description:
  - Lists the Deployments and ReplicationControllers of a namespace with their pods, the service before them, their
    address, and what the cluster said last about them, whoever made them.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.attributes.info
  - container.schedulers.attributes.kubernetes
author:
  - the container.schedulers authors (@container-schedulers)
options:
  namespace:
    description: The namespace. If not given, all of them.
    type: str
  name:
    description: The name of one app. If not given, all are listed.
    type: str
seealso:
  - module: container.schedulers.k8s_cluster_app
"""

EXAMPLES = r"""
- name: Look at all apps of a namespace
  container.schedulers.k8s_cluster_app_info:
    namespace: default
  register: cluster

- name: Say where they answer
  ansible.builtin.debug:
    msg: "{{ cluster.apps | items2dict(key_name='name', value_name='url') }}"
"""

RETURN = r"""
apps:
  description: The apps, by namespace and name. Empty if there are none.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the app, its controller and its service.
      type: str
    namespace:
      description: The namespace.
      type: str
    controller:
      description: What runs the pods.
      type: str
      sample: ReplicationController
    images:
      description: The images of its containers.
      type: list
      elements: str
    replicas:
      description: How many pods it should have.
      type: int
    ready_replicas:
      description: How many pods are ready.
      type: int
    available_replicas:
      description: How many pods are available.
      type: int
    ready:
      description: Whether all pods are available and the load balancer has an address.
      type: bool
    service:
      description: The service. Null if there is none.
      type: dict
      contains:
        type:
          description: Its type.
          type: str
        cluster_ip:
          description: Its address within the cluster. Null as long as it has none.
          type: str
        port:
          description: Its port.
          type: int
        node_port:
          description: The port of every node that leads to it. Null if there is none.
          type: int
        load_balancer:
          description: The name or address of its load balancer. Null while there is none.
          type: str
        source_ranges:
          description: From where the load balancer may be reached. Empty for everywhere.
          type: list
          elements: str
    url:
      description: Where the load balancer answers. Null without one.
      type: str
      sample: http://af92913bcf98a11e5841c0a7f321c3b2-1182773033.eu-west-1.elb.amazonaws.com/
    pods:
      description: Its pods.
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
        node:
          description: The node that it is on. Null if it has none yet.
          type: str
        ip:
          description: Its address. Null if it has none yet.
          type: str
        phase:
          description: Its phase.
          type: str
        ready:
          description: Whether it is ready.
          type: bool
        container_ids:
          description: What the container runtime calls its containers. Another one for every new pod. Null for one that
            was not made yet.
          type: list
          elements: str
        restarts:
          description: How often its containers were restarted.
          type: int
    events:
      description: What the cluster said last about it and its pods, the latest first.
      type: list
      elements: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: Forbidden
"""

from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_info import APP_INFO, look
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(APP_INFO.merge(CONNECTION), look, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
