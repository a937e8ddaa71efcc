#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any manifests on a Kubernetes cluster: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_apply
short_description: Any manifests on a Kubernetes cluster, applied as one set
version_added: "1.0.0"
description:
  - Applies any number of manifests by server-side apply, in the order in which they need one another, and waits until
    they can be used.
  - Before the first change, the API server says what would become of each object. A manifest that it refuses stops the
    task while nothing is half done. Check mode and diff come from the same answers, without the fields that the server
    itself writes, and without the values of Secrets.
  - All objects carry a label with their owner in the call that makes them. What has another owner, or none, is neither
    changed nor deleted. With O(prune=true), objects of the owner that are no longer among the manifests are deleted,
    but for those that somebody has copied together with the label, as the server notes who has written an object.
  - Waits follow what happens by watches. They survive a restart of the API server and a token that expires, and when
    pods cannot run they say why.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.kubernetes
author:
  - the container.schedulers authors (@container-schedulers)
options:
  owner:
    description:
      - The name of the set, up to 50 lower case letters, digits and hyphens. It becomes part of a label of every
        object.
      - Use another one for every set, as pruning deletes what has the same owner and is not in the set.
    type: str
    required: true
  state:
    description:
      - V(present) applies the manifests.
      - V(absent) deletes the objects that they describe. Without O(definition) and O(src), everything that the owner
        has on the cluster.
      - It also waits until the volumes are gone that go with their claims, as they are paid for until then.
    type: str
    choices: [present, absent]
    default: present
  definition:
    description:
      - The manifests. One, a list of them, or YAML text with any number of documents. Values of Secrets are not shown.
      - One of O(definition) and O(src) is needed with O(state=present).
    type: raw
    aliases: [resource_definition]
  src:
    description: A file with manifests on the machine that runs the module.
    type: path
  namespace:
    description:
      - The namespace of objects whose manifest names none. Those that name another one go there. Kinds that live in no
        namespace, as cluster roles, have none, whatever their manifest says.
      - If not set, the one of the kubeconfig's context, or V(default).
    type: str
  prune:
    description:
      - Whether to delete objects of the owner that are not among the manifests, of whatever kind they are.
      - Looks at all kinds that the cluster knows and the user may list.
    type: bool
    default: false
  prune_namespaces:
    description:
      - Where to look for objects to prune or, without manifests, to delete. If not set, in all namespaces.
      - Set it for a user who has rights in some namespaces only.
    type: list
    elements: str
  force_conflicts:
    description:
      - Whether to take over fields that other field managers own and that have another value.
      - If not, the task fails and names the fields and their managers.
    type: bool
    default: false
  adopt:
    description: Whether to take over objects that exist and have no owner.
    type: bool
    default: false
  wait_timeout:
    description: After how many seconds to give up waiting, for all objects together.
    type: int
    default: 300
notes:
  - Needs Kubernetes 1.22 or newer, for its server-side apply.
  - Ready are, by kind, Deployments, StatefulSets, DaemonSets, ReplicaSets and ReplicationControllers with all replicas
    of the latest version available, Jobs that are complete, Pods that are ready, Services with the address of their
    load balancer, claims that are bound, definitions that are established, and custom resources whose condition Ready
    or Available is true. A claim of a storage class that waits for the first consumer is ready when it exists.
  - Deletion of an object takes what it controls with it, and the task waits until all of it is gone.
seealso:
  - module: container.schedulers.k8s_cluster_app
  - module: container.schedulers.k8s_diagnosis_info
"""

EXAMPLES = r"""
- name: Apply a file of manifests, and delete what an earlier version of it had
  container.schedulers.k8s_apply:
    owner: monitoring
    namespace: monitoring
    src: files/monitoring.yaml
    prune: true

- name: Apply what a template makes
  container.schedulers.k8s_apply:
    owner: settings
    definition: "{{ lookup('ansible.builtin.template', 'settings.yaml.j2') }}"

- name: Apply a namespace and what is in it
  container.schedulers.k8s_apply:
    owner: shop
    definition:
      - apiVersion: v1
        kind: Namespace
        metadata:
          name: shop
      - apiVersion: v1
        kind: ConfigMap
        metadata:
          name: colours
          namespace: shop
        data:
          sky: blue

- name: Remove everything that has this owner
  container.schedulers.k8s_apply:
    owner: shop
    state: absent
"""

RETURN = r"""
objects:
  description: The objects of the set, in the order of the manifests, and after them those that were deleted.
  returned: success
  type: list
  elements: dict
  contains:
    api_version:
      description: The API group and version.
      type: str
      sample: apps/v1
    kind:
      description: The kind.
      type: str
      sample: Deployment
    namespace:
      description: The namespace, empty for objects that live in none.
      type: str
    name:
      description: The name.
      type: str
    uid:
      description: What tells it from another one that had the name before. Null for one not made yet, in check mode.
      type: str
    action:
      description: What was done with it, or would be done in check mode.
      type: str
      choices: [created, updated, deleted, unchanged]
conflicts:
  description: Fields that other managers own.
  returned: failure because of them
  type: list
  elements: dict
  contains:
    field:
      description: The field.
      type: str
      sample: spec.replicas
    manager:
      description: Who owns it.
      type: str
      sample: kubectl-edit
diagnosis:
  description: Why pods do not run, as M(container.schedulers.k8s_diagnosis_info) returns it.
  returned: failure while waiting
  type: list
  elements: dict
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
  sample: "Deployment shop/web: 1 of 3 replicas are available"
last_events:
  description: What the cluster said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: ["create ConfigMap shop/colours", "update Deployment shop/web (spec.replicas)"]
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
  sample: Forbidden
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._k8s.apply_set import APPLY, ensure
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(APPLY.merge(STATE, wait_options(300), CONNECTION), ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
