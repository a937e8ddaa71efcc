#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment of a Rancher 1.x server: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_environment
short_description: An environment of a Rancher 1.x server
version_added: "1.0.0"
description:
  - Makes an environment, of Rancher's own Cattle, of Kubernetes, of Swarm or of Mesos, and waits until it is active.
  - For Kubernetes it writes a kubeconfig, once the environment has hosts and Kubernetes runs on them.
  - An API key goes into the kubeconfig. It is made once. As long as the file holds a key that works, it is left alone.
  - Environments carry a mark in their description. What does not have it is neither changed nor deleted.
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.rancher.waiting
  - container.schedulers.attributes
  - container.schedulers.attributes.rancher
requirements:
  - PyYAML >= 6.0
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the environment.
    type: str
    required: true
  state:
    description:
      - V(present) makes it, or changes it to what the options say, and activates it if it is not active. If nothing but
        its name is given, an active one is left as it is.
      - V(absent) removes it with all that is in it, and before that the API keys that were made for its kubeconfig.
        With O(kubeconfig), that file goes too, also if the environment has gone already.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: A text for those who look at it.
    type: str
  orchestration:
    description:
      - What runs the containers. V(cattle) for a new environment without O(template), if not given.
      - Hosts for V(kubernetes) have to boot with version 1 of control groups, as the role
        C(container.schedulers.rancher_hosts) has them do. With version 2, its kubelet does not start.
      - It cannot be changed later.
    type: str
    choices: [cattle, kubernetes, swarm, mesos]
  template:
    description:
      - The environment template to make it from. If not given, the one that is called like O(orchestration).
      - Needs Rancher 1.2 or newer.
      - It cannot be changed later.
    type: str
  members:
    description:
      - Who may use it. All other members are removed.
      - If not given, and access control is on, a new environment belongs to the account that O(access_key) is of.
    type: list
    elements: dict
    suboptions:
      identity:
        description: Who, like V(github_user:583231), V(github_org:9919) or V(rancher_id:1a7).
        type: str
        required: true
      role:
        description: What they may do. One has to be the owner.
        type: str
        choices: [owner, member, restricted, readonly]
        default: member
  kubeconfig:
    description:
      - The file to write the kubeconfig of a Kubernetes environment to, readable for its owner only. The module then
        waits until Kubernetes is healthy.
      - A file of another cluster, or of several, is refused. One of an environment of the same name is replaced.
      - With O(state=absent), the file to remove. It stays, with a warning, if it is not this environment's.
      - The API server is reached through Rancher, at the address in O(url). If that begins with V(http://), the
        kubeconfig has V(https://) instead, as kubectl sends no key otherwise. A Rancher server takes TLS on the same
        port. Its certificate, which it has made itself, is not verified then.
      - From Rancher 1.2 on, the API key in it is one of the administrator's account, which may do everything, and only
        an administrator can make it. With Rancher 1.0 and 1.1, it is one of the environment.
    type: path
  api_key_name:
    description:
      - The name of the API key in O(kubeconfig). There is one of each name that this module has made for the
        environment.
      - One whose secret is not in O(kubeconfig) counts as lost and is replaced, unless it is O(access_key). So every
        machine that runs this module, and every other file, needs a name of its own.
      - With O(state=absent), the keys of all names go.
    type: str
    default: kubectl
  force:
    description: Whether to remove an environment that still has hosts.
    type: bool
    default: false
  adopt:
    description: Whether to take over an environment of this name that does not carry our mark.
    type: bool
    default: false
  wait_timeout:
    description: Seconds for everything together.
    type: int
    default: 1200
seealso:
  - module: container.schedulers.rancher_hosts
"""

EXAMPLES = r"""
- name: An environment for Kubernetes
  container.schedulers.rancher_environment:
    name: k8s
    orchestration: kubernetes

- name: Three hosts for it
  container.schedulers.rancher_hosts:
    environment: k8s
    count: 3
    pattern: k8s{n}
    driver_config: {region: lon1, size: s-2vcpu-4gb, image: "123456789"}  # of one's own, with Docker on it
    driver_secrets: {access_token: "{{ vault_digitalocean_token }}"}

- name: Its kubeconfig, once it works
  container.schedulers.rancher_environment:
    name: k8s
    kubeconfig: ~/.kube/rancher-k8s

- name: Remove it
  container.schedulers.rancher_environment:
    name: k8s
    state: absent
"""

RETURN = r"""
environment:
  description: The environment. Null if there is none, and with O(state=absent), in check mode too.
  returned: success
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: 1a7
    name:
      description: Its name.
      type: str
    state:
      description: What Rancher does with it.
      type: str
      sample: active
    health:
      description: What the health checks of its stacks find. Null at Rancher 1.0 and 1.1, which do not tell.
      type: str
      sample: healthy
    description:
      description: Its description, without our mark.
      type: str
    orchestration:
      description: What runs its containers.
      type: str
      sample: kubernetes
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
last_events:
  description: What Rancher said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: [create environment k8s]
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
  sample: NotUnique
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_module import ensure
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_options import ENVIRONMENT_SPEC
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION, YAML


def main() -> None:
    """The module."""
    run_module(ENVIRONMENT_SPEC.merge(STATE, wait_options(1200, sleep=1), CONNECTION), ensure, libraries=YAML)


if __name__ == "__main__":
    main()
