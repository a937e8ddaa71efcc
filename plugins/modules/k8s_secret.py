#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Secret with values that are made up once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_secret
short_description: A Kubernetes Secret with passwords that are made up once
version_added: "1.0.0"
description:
  - Makes a Secret whose values nobody has to think of, write down or pass through a playbook.
  - A value that is there stays, whoever put it there. Running the task again never changes a password.
  - In several namespaces the Secret has the same values, also when one of them is added later.
  - To change a value, delete the Secret, run the task again, and restart the pods that use it.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.attributes
  - container.schedulers.attributes.kubernetes
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the Secret.
    type: str
    required: true
  state:
    description:
      - V(present) makes the Secret where it is missing, and adds keys that it lacks.
      - V(absent) deletes it, unless somebody else made it.
    type: str
    choices: [present, absent]
    default: present
  namespaces:
    description: The namespaces to have it in, at least one. Outside of check mode they have to exist.
    type: list
    elements: str
    required: true
  generate:
    description:
      - The keys whose values are made up, of letters and digits.
      - With O(state=present), this or O(data) has to name a key.
    type: list
    elements: str
  length:
    description: The number of characters of a value that is made up, from 12 to 1024.
    type: int
    default: 32
  data:
    description: Values that are given, by key, as text. They are not secret on the way here, as a user's name is not.
    type: dict
seealso:
  - module: container.schedulers.k8s_apply
"""

EXAMPLES = r"""
- name: The administrator of Grafana
  container.schedulers.k8s_secret:
    name: grafana-admin
    namespaces: [monitoring]
    data: {username: admin}
    generate: [password]

- name: One password in two namespaces
  container.schedulers.k8s_secret:
    name: queue
    namespaces: [shop, billing]
    generate: [password]
"""

RETURN = r"""
secrets:
  description: The Secrets that are there, without their values.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    namespace:
      description: Its namespace.
      type: str
    key_names:
      description: The keys that it has.
      type: list
      elements: str
    ours:
      description: Whether this module made it.
      type: bool
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: ["create Secret monitoring/grafana-admin"]
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
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._k8s.made_secret import ensure
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "namespaces": {"type": "list", "elements": "str", "required": True},
        "generate": {"type": "list", "elements": "str", "no_log": False},
        "length": {"type": "int", "default": 32},
        "data": {"type": "dict"},
    }
)


def main() -> None:
    """The module."""
    run_module(SPEC.merge(STATE, CONNECTION), ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
