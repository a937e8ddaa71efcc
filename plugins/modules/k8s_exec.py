#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in a container of a pod: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_exec
short_description: Run a command in a container on a Kubernetes cluster
version_added: "1.0.0"
description:
  - Runs a command in a container of a pod, to its end, and returns its exit code and its output.
  - The task fails if the exit code is not zero, as with M(ansible.builtin.command). No shell is involved.
  - A command is never repeated by itself, as nobody knows what it would do the second time.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.attributes.kubernetes
requirements:
  - websocket-client >= 1.6.0
author:
  - the container.schedulers authors (@container-schedulers)
options:
  namespace:
    description: The namespace of the pod.
    type: str
    default: default
  pod:
    description: The name of the pod. One of O(pod), O(app) and O(labels) is needed.
    type: str
  app:
    description: The name of an app, the value of its pods' label C(app). One of its pods that is ready is used.
    type: str
  labels:
    description: Labels of the pod. One that is ready is used.
    type: dict
  container:
    description: The name of the container. The first one, if not given.
    type: str
  command:
    description: The command with its arguments, split as a shell would. One of O(command) and O(argv) is needed.
    type: str
  argv:
    description: The command and its arguments as a list.
    type: raw
  stdin:
    description:
      - What the command reads from its standard input. This is the way to give it a secret, as arguments can be seen in
        the container.
      - Needs an API server of Kubernetes 1.30 or newer.
    type: str
  creates:
    description: A path in the container. If it is there, the command is not run.
    type: str
  timeout:
    description: After how many seconds to give up. The command goes on in the container. From 1 to 604800.
    type: int
    default: 60
attributes:
  check_mode:
    description: Says that the command would be run, and does not run it. O(creates) is looked for.
    support: full
  diff_mode:
    description: Nobody knows what a command changes.
    support: none
  idempotent:
    description: With O(creates), a second run changes nothing.
    support: partial
  platform:
    description: Where the module itself runs.
    support: full
    platforms: posix
notes:
  - Since Kubernetes 1.35, the right to create pods/exec is needed.
seealso:
  - module: container.schedulers.k8s_cluster_app
"""

EXAMPLES = r"""
- name: List the plugins of WordPress
  container.schedulers.k8s_exec:
    app: wordpress
    container: wp-cli
    command: wp plugin list --format=json
  register: plugins
  changed_when: false

- name: Load a dump
  container.schedulers.k8s_exec:
    pod: mysql-0
    argv: [mariadb, shop]
    stdin: "{{ lookup('ansible.builtin.file', 'shop.sql') }}"
    timeout: 600
"""

RETURN = r"""
pod:
  description: The pod that was used.
  returned: success, and failure once the container is known
  type: str
container:
  description: The container that was used.
  returned: success, and failure once the container is known
  type: str
rc:
  description: The exit code. Null if the command was not run to its end, 0 in check mode.
  returned: success, and failure once the container is known
  type: int
stdout:
  description: What it wrote to its standard output.
  returned: success, and failure once the container is known
  type: str
stdout_lines:
  description: The same as lines.
  returned: success, and failure once the container is known
  type: list
  elements: str
stderr:
  description: What it wrote to its standard error.
  returned: success, and failure once the container is known
  type: str
stderr_lines:
  description: The same as lines.
  returned: success, and failure once the container is known
  type: list
  elements: str
steps_done:
  description: That the command was run. In check mode RV(steps_planned) instead.
  returned: success, not in check mode
  type: list
  elements: str
  sample: [update pod default/wordpress-6c9d7c9b9f-4x7lq (command)]
steps_planned:
  description: That the command would be run.
  returned: in check mode
  type: list
  elements: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: Forbidden
"""

from ansible_collections.container.schedulers.plugins.module_utils._k8s.exec_module import EXEC, run_command
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, EXEC_LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(EXEC.merge(CONNECTION), run_command, libraries=EXEC_LIBRARIES)


if __name__ == "__main__":
    main()
