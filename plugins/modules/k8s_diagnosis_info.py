#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why pods do not run: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_diagnosis_info
short_description: Why pods on a Kubernetes cluster do not run, in sentences
version_added: "1.0.0"
description:
  - Looks at pods, what runs them, their volumes, services, nodes and events, and says in sentences why pods are not
    ready and what to do about it.
  - For a pod that fits on no node it says how much of what is missing where, and which apps to remove or scale down to
    make room, apps of this collection first.
  - For a container that crashes it says the exit code and the last lines of its log.
  - The other Kubernetes modules say the same when they wait in vain.
  - What the user may not list is named in RV(could_not_look), so that "nothing is wrong" and "could not ask" are never
    mistaken for each other.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.attributes.info
  - container.schedulers.attributes.kubernetes
author:
  - the container.schedulers authors (@container-schedulers)
options:
  namespace:
    description: The namespace to look at. If not set, all of them.
    type: str
  name:
    description:
      - Only the app of this name, be it a controller, a pod, or a service with the pods behind it. Needs O(namespace).
      - It is an error if there is none.
    type: str
  labels:
    description: Only pods with these labels, what makes such pods, and the services that may be for them.
    type: dict
notes:
  - Rights needed are to list pods, events, claims, services and controllers, and to get logs. Without the right to list
    nodes, volumes, classes of storage and the pods of other namespaces, and to get the namespace, less is said.
seealso:
  - module: container.schedulers.k8s_apply
  - module: container.schedulers.k8s_cluster_app
"""

EXAMPLES = r"""
- name: Ask why MySQL does not start
  container.schedulers.k8s_diagnosis_info:
    namespace: default
    name: mysql
  register: why

- name: Say it
  ansible.builtin.debug:
    var: why.summary
"""

RETURN = r"""
healthy:
  description:
    - Whether nothing is wrong, and everything in the namespace could be looked at.
    - What has not failed, but is not ready yet, is told in RV(pods).
  returned: success
  type: bool
summary:
  description: Every reason with what to do about it, as text.
  returned: success
  type: list
  elements: str
  sample:
    - "Pod default/mysql cannot be scheduled: it asks for 300m CPU, and node ip-172-20-0-20 has 100m CPU free, 200m CPU
      too little (0/2 nodes are available: 2 Insufficient cpu). Remove ReplicationController default/nginxcluster (5
      pods of 300m CPU, 3 of them on node ip-172-20-0-20), or scale it down by at least 1, to make room."
diagnosis:
  description: The reasons, the most telling first. Pods of one app that fail for the same reason are one.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: What kind of reason.
      type: str
      choices:
        - being_deleted
        - claim_unbound
        - config_missing
        - container_failed
        - crash_loop
        - image_invalid
        - image_pull
        - initializing
        - load_balancer
        - load_balancer_pending
        - no_endpoints
        - node_not_ready
        - not_created
        - not_scheduled
        - probe_failing
        - readiness_gate
        - rollout_stuck
        - sandbox
        - unschedulable
        - volume_attached_elsewhere
        - volume_mount
        - volume_zone
    object:
      description: What it is about.
      type: str
      sample: Pod default/mysql
    message:
      description: The reason.
      type: str
    suggestion:
      description: What to do about it. May be empty.
      type: str
    evidence:
      description: What the cluster or the container said, literally.
      type: list
      elements: str
could_not_look:
  description: What could not be looked at.
  returned: success
  type: list
  elements: dict
  contains:
    kinds:
      description: The kinds.
      type: list
      elements: str
      sample: [Event]
    why:
      description: What the API server said.
      type: str
pods:
  description: The pods that were looked at.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: Its namespace.
      type: str
    name:
      description: Its name.
      type: str
    phase:
      description: Its phase.
      type: str
      sample: Running
    ready:
      description: Whether it is ready, or has ended well.
      type: bool
    node:
      description: The node that it is on. Null if it has none yet.
      type: str
    restarts:
      description: How often its containers were restarted.
      type: int
    container_ids:
      description: What the container runtime calls its containers. Null for one that was not made yet.
      type: list
      elements: str
nodes:
  description: The nodes.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    ready:
      description: Whether it is ready.
      type: bool
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: Forbidden
"""

from ansible_collections.container.schedulers.plugins.module_utils._k8s.diagnosis_info import DIAGNOSIS, look
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(DIAGNOSIS.merge(CONNECTION), look, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
