#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One app on a Kubernetes cluster: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_cluster_app
short_description: One app on a Kubernetes cluster, behind a load balancer
version_added: "1.0.0"
description:
  - Runs a container a number of times on a Kubernetes cluster, by a Deployment or a ReplicationController, with a
    service before it.
  - The app is ready when all pods of the latest version are available and the load balancer has an address and answers.
    An app that can never become ready fails as soon as that is clear, and says why in the words of
    M(container.schedulers.k8s_diagnosis_info).
  - A change of the pods is a rollout, also for a ReplicationController, which Kubernetes itself leaves as it is. Its
    pods are then replaced a quarter at a time, as disruption budgets allow.
  - An option that is not given is not managed. What an existing app has in its place, stays. One that is given counts
    as a whole, so a variable, a label or an amount that it does not name goes.
  - Objects carry a label with the app they belong to in the call that makes them. What does not carry it is neither
    changed nor deleted.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.kubernetes
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description:
      - The name of the app, its controller, its container and its service, up to 50 lower case letters, digits and
        hyphens that begin with a letter.
    type: str
    required: true
  namespace:
    description: The namespace. It has to exist.
    type: str
    default: default
  state:
    description:
      - V(present) makes the app, or changes it to what the options say.
      - V(absent) removes it and waits until its pods and its load balancer are gone.
    type: str
    choices: [present, absent]
    default: present
  controller:
    description:
      - What runs the pods. V(Deployment) for a new app, if not given.
      - An app that changes from one to the other gets the new one before the old one is removed.
    type: str
    choices: [Deployment, ReplicationController]
  image:
    description: The image of the container. A new app needs it.
    type: str
  replicas:
    description: How many pods. V(1) for a new app, if not given.
    type: int
  port:
    description:
      - The port of the container.
      - Without a O(readiness_probe), pods count as ready when this port accepts connections.
      - Where it changes, what an existing app has of probes and a service for this port follows.
    type: int
  command:
    description: The command to run, in place of the image's, as a list, or as a line that is taken apart.
    type: raw
  args:
    description: The arguments of the command, in place of the image's, as a list, or as a line that is taken apart.
    type: raw
  environment:
    description:
      - Environment variables, by name. Not for secrets, as everyone who may read the controller can see them.
      - Values are text or numbers; quote true and false, and end their templates with C(| string | lower).
    type: dict
  secrets:
    description: Environment variables from Secrets, by name. Values are a Secret and its key, such as V(db/password).
    type: dict
  requests:
    description: What a pod needs. The scheduler reserves it on a node.
    type: dict
    suboptions:
      cpu:
        description: CPUs, such as V(100m) or V(2).
        type: str
      memory:
        description: Memory, such as V(64Mi), at least V(1Mi).
        type: str
  limits:
    description: What a pod may not exceed.
    type: dict
    suboptions:
      cpu:
        description: CPUs. A pod that wants more is slowed down.
        type: str
      memory:
        description: Memory. A container that takes more is killed.
        type: str
  readiness_probe:
    description: How to find out whether a pod can be sent requests.
    type: dict
    suboptions:
      enabled:
        description: With V(false), there is none, and pods count as ready as soon as they run.
        type: bool
        default: true
      path:
        description: Ask for this path by HTTP. Without it and O(readiness_probe.command), a connection is enough.
        type: str
      port:
        description: The port. O(port), if not given.
        type: int
      command:
        description: Run this command in the container instead, as a list, or as a line that is taken apart.
        type: raw
      initial_delay:
        description: Seconds after the start in which nothing is asked.
        type: int
        default: 0
      period:
        description: Seconds between two questions.
        type: int
        default: 5
      timeout:
        description: Seconds after which a question has failed.
        type: int
        default: 3
      failure_threshold:
        description: After how many failures in a row it counts.
        type: int
        default: 3
  liveness_probe:
    description: How to find out whether a container has to be restarted.
    type: dict
    suboptions:
      enabled:
        description: With V(false), there is none, and an app loses the one that it has.
        type: bool
        default: true
      path:
        description: Ask for this path by HTTP. Without it and O(liveness_probe.command), a connection is enough.
        type: str
      port:
        description: The port. O(port), if not given.
        type: int
      command:
        description: Run this command in the container instead, as a list, or as a line that is taken apart.
        type: raw
      initial_delay:
        description: Seconds after the start in which nothing is asked.
        type: int
        default: 0
      period:
        description: Seconds between two questions.
        type: int
        default: 5
      timeout:
        description: Seconds after which a question has failed.
        type: int
        default: 3
      failure_threshold:
        description: After how many failures in a row it counts.
        type: int
        default: 3
  startup_probe:
    description: How to find out whether a container has started. The other probes wait for it.
    type: dict
    suboptions:
      enabled:
        description: With V(false), there is none, and an app loses the one that it has.
        type: bool
        default: true
      path:
        description: Ask for this path by HTTP. Without it and O(startup_probe.command), a connection is enough.
        type: str
      port:
        description: The port. O(port), if not given.
        type: int
      command:
        description: Run this command in the container instead, as a list, or as a line that is taken apart.
        type: raw
      initial_delay:
        description: Seconds after the start in which nothing is asked.
        type: int
        default: 0
      period:
        description: Seconds between two questions.
        type: int
        default: 5
      timeout:
        description: Seconds after which a question has failed.
        type: int
        default: 3
      failure_threshold:
        description: After how many failures in a row it counts.
        type: int
        default: 3
  pod_labels:
    description: More labels of the pods. Values are text or numbers, as in O(environment).
    type: dict
  pod_annotations:
    description: Annotations of the pods. Values are text or numbers, as in O(environment).
    type: dict
  node_selector:
    description: Labels of the nodes that may run the pods. Values are text or numbers, as in O(environment).
    type: dict
  service_account:
    description: The ServiceAccount of the pods. Without it, pods get no token for the API server.
    type: str
  image_pull_secrets:
    description: Secrets with the credentials of registries.
    type: list
    elements: str
  service:
    description: The service before the pods. A new app without it has none.
    type: dict
    suboptions:
      type:
        description: Its type. V(none) removes it.
        type: str
        choices: [LoadBalancer, ClusterIP, NodePort, none]
        default: ClusterIP
      port:
        description: Its port. That of the container, if not given.
        type: int
      load_balancer:
        description: On AWS, a classic load balancer or a network load balancer. It cannot be changed later.
        type: str
        choices: [classic, nlb]
        default: classic
      internal:
        description: On AWS, whether the load balancer has an address within the VPC only. It cannot be changed later.
        type: bool
        default: false
      source_ranges:
        description: From which addresses the load balancer may be reached. From everywhere, if a new one has none.
        type: list
        elements: str
      annotations:
        description: More annotations of the service. Those that it has, if not given. Values are text or numbers, as in
          O(environment).
        type: dict
  verify:
    description: How to find out whether the load balancer answers.
    type: dict
    suboptions:
      http:
        description: Whether to ask by HTTP. If not, an address is enough.
        type: bool
        default: true
      path:
        description: The path to ask for. Any answer below 500 counts.
        type: str
        default: /
      http_proxy:
        description: An HTTP proxy to ask through. If not set, the environment decides (E(http_proxy), E(no_proxy)).
        type: str
  adopt:
    description: Whether to take over objects of this name that exist and were not made by this collection.
    type: bool
    default: false
  wait_timeout:
    description: After how many seconds to give up waiting, for everything together.
    type: int
    default: 600
notes:
  - Needs Kubernetes 1.22 or newer, for its server-side apply.
  - Containers run without privilege escalation and with the runtime's seccomp profile.
  - The rollout of a ReplicationController waits for the new pods also with O(wait=false), as it is the module that does
    it.
seealso:
  - module: container.schedulers.k8s_cluster_app_info
  - module: container.schedulers.k8s_diagnosis_info
"""

EXAMPLES = r"""
- name: Run five pods behind a load balancer
  container.schedulers.k8s_cluster_app:
    name: nginxcluster
    controller: ReplicationController
    image: russmckendrick/cluster
    replicas: 5
    port: 80
    requests:
      cpu: 100m
      memory: 64Mi
    service:
      type: LoadBalancer
      source_ranges: [203.0.113.0/24]
  register: cluster

- name: Say where it answers
  ansible.builtin.debug:
    var: cluster.app.url

- name: Scale it
  container.schedulers.k8s_cluster_app:
    name: nginxcluster
    replicas: 2

- name: Remove it
  container.schedulers.k8s_cluster_app:
    name: nginxcluster
    state: absent
"""

RETURN = r"""
app:
  description: The app. Null with O(state=absent), in check mode too.
  returned: success
  type: dict
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
diagnosis:
  description: Why pods do not run, as M(container.schedulers.k8s_diagnosis_info) returns it.
  returned: failure while waiting
  type: list
  elements: dict
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
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
  sample: ["update Deployment default/web (spec.replicas)"]
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
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_argspec import APP
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_present import ensure
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(APP.merge(STATE, wait_options(600), CONNECTION), ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
