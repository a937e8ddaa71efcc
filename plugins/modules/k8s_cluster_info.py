#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster as it is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_cluster_info
short_description: A Kubernetes cluster, its nodes, and the services that answer through its API server
version_added: "1.0.0"
description:
  - Says what C(kubectl get nodes) and C(kubectl cluster-info) say, and whether the services are well.
  - The services are those with the label C(kubernetes.io/cluster-service=true), as for C(kubectl cluster-info), which
    looks at one namespace only.
  - A service's address leads through the API server, so whoever may use that needs no other way to it.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.attributes.info
  - container.schedulers.attributes.kubernetes
author:
  - the container.schedulers authors (@container-schedulers)
options:
  namespace:
    description: Only services of this namespace. If not given, those of all.
    type: str
  ask:
    description:
      - Whether to ask each service for an answer.
      - It is asked at the path in its annotation C(container.schedulers/asked-at), by default V(/). That needs
        the permission to C(get) the subresource C(services/proxy).
      - Then at each path in its annotation C(container.schedulers/data-at), one a line. There it has to have data, as
        the HTTP APIs of Prometheus and Loki answer a query that finds something. So it is seen that metrics and logs
        arrive.
    type: bool
    default: false
  ask_timeout:
    description: Seconds that a service has to answer.
    type: int
    default: 10
notes:
  - Rights needed are to list nodes, and to list services and C(endpointslices) of C(discovery.k8s.io), or C(endpoints)
    where Kubernetes is older than 1.21.
seealso:
  - module: container.schedulers.k8s_diagnosis_info
"""

EXAMPLES = r"""
- name: What there is
  container.schedulers.k8s_cluster_info:
    context: aws_kubernetes
  register: cluster

- name: Which nodes are not ready
  ansible.builtin.debug:
    msg: "{{ cluster.nodes | rejectattr('ready') | map(attribute='name') }}"

- name: Wait until everything answers
  container.schedulers.k8s_cluster_info:
    ask: true
  register: cluster
  until: cluster.services | rejectattr('answers') | length == 0
  retries: 20
  delay: 5
"""

RETURN = r"""
server:
  description: The address of the API server.
  returned: success
  type: str
  sample: https://52.16.133.59:6443
version:
  description: Its version.
  returned: success
  type: str
  sample: v1.36.4
nodes:
  description: The nodes.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the node.
      type: str
      sample: ip-172-20-0-9.eu-west-1.compute.internal
    ready:
      description: Whether it is ready.
      type: bool
    schedulable:
      description: Whether new pods may be put on it.
      type: bool
    roles:
      description: What it is for.
      type: list
      elements: str
      sample: [control-plane]
    version:
      description: The version of its kubelet, null as long as it does not say.
      type: str
    zone:
      description: Its availability zone, null if it does not say.
      type: str
    instance_type:
      description: Its instance type, null if it does not say.
      type: str
    provider_id:
      description: What the cloud calls it, null if it does not say.
      type: str
    private_ip:
      description: Its address in the cluster's network, null as long as it does not say.
      type: str
    public_ip:
      description: Its public address, null if it has none.
      type: str
services:
  description: The services.
  returned: success
  type: list
  elements: dict
  contains:
    title:
      description: What it is called, by its label C(kubernetes.io/name), or its name.
      type: str
      sample: Grafana
    name:
      description: The name of the service.
      type: str
    namespace:
      description: Its namespace.
      type: str
    place:
      description: Both in one.
      type: str
      sample: monitoring/grafana
    path:
      description: The path that leads to it at the API server, and at C(kubectl proxy).
      type: str
      sample: /api/v1/namespaces/monitoring/services/http:grafana:http/proxy
    url:
      description: The whole address.
      type: str
    ready_endpoints:
      description: How many pods that are ready are behind it.
      type: int
    answers:
      description:
        - Whether it answered, and has the data that it is asked for. To ask who is asking counts as an answer.
      type: bool
      returned: O(ask) is true
    status:
      description: The HTTP status of the last answer, null if none came.
      type: int
      returned: O(ask) is true
    error:
      description: Why that is no good answer, null if it is one.
      type: str
      returned: O(ask) is true
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: Forbidden
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._k8s.cluster_info import cluster_info
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec(
    {
        "namespace": {"type": "str"},
        "ask": {"type": "bool", "default": False},
        "ask_timeout": {"type": "int", "default": 10},
    }
)


def main() -> None:
    """The module."""
    run_module(SPEC.merge(CONNECTION), cluster_info, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
