#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in a container of Rancher 1.x: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_exec
short_description: Run a command in a container of Rancher 1.x
version_added: "1.0.0"
description:
  - Runs a command in a running container, and brings back what it wrote and its exit code.
  - Rancher's API gives no exit code. So the command is run by C(/bin/sh) of the container, which writes the code behind
    the output. A container without a shell cannot be used.
  - Standard output and standard error come as one, as in a terminal. Standard input is empty.
  - What the command leaves running in the background is not waited for.
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.rancher.environment
  - container.schedulers.attributes.rancher
requirements:
  - websocket-client >= 1.6.0
author:
  - the container.schedulers authors (@container-schedulers)
attributes:
  check_mode:
    description: A command that changes something is not run, with O(changes=false) it is.
    support: partial
    details:
      - What the command would do cannot be known.
  diff_mode:
    description: Shows the command.
    support: full
  idempotent:
    description: It is up to the command whether a second run changes anything.
    support: N/A
  platform:
    description: Where the module itself runs.
    support: full
    platforms: posix
options:
  command:
    description: The command, as a line for the shell of the container, or as a list of words without any shell.
    type: raw
    required: true
  container:
    description:
      - The container, by its id, the id that Docker has for it, or its name.
      - Of several of a name, as an upgrade that is not finished leaves them, it is the one that runs.
    type: str
  stack:
    description: The stack of O(service).
    type: str
  service:
    description: The service to run it in, in one of its running containers.
    type: str
  index:
    description:
      - In which of them, counted by their names.
      - Of two that run under one name, as an upgrade that starts new containers first has for a while, it is the one of
        what the service is made from now.
    type: int
    default: 1
  changes:
    description: Whether the command changes anything. The task is reported as changed accordingly.
    type: bool
    default: true
  success_codes:
    description: The exit codes that are no failure.
    type: list
    elements: int
    default: [0]
  ends_container:
    description: Whether the command may end the container, and with it the connection, before there is an exit code.
    type: bool
    default: false
  timeout:
    description: Seconds that the command may take. What is not done then may still run on in the
      container. From 1 to 604800.
    type: int
    default: 60
seealso:
  - module: container.schedulers.rancher_hosts_info
"""

EXAMPLES = r"""
- name: Which processes run?
  container.schedulers.rancher_exec:
    stack: Default
    service: MyClusterApp
    command: ps aux
    changes: false

- name: Does the network reach the container on another host?
  container.schedulers.rancher_exec:
    container: Default-MyClusterApp-1
    command: [ping, -c, "3", 10.42.12.7]
    changes: false

- name: Kill NGINX
  container.schedulers.rancher_exec:
    container: Default-MyClusterApp-1
    command: killall -9 nginx
    ends_container: true
"""

RETURN = r"""
stdout:
  description: What the command wrote, at most its last 4 MiB. Also when it failed or was not done in time.
  returned: success, and failure once the container is known
  type: str
stdout_lines:
  description: The same in lines.
  returned: success, and failure once the container is known
  type: list
  elements: str
rc:
  description: The exit code. Null if the command was not run, or ended its container.
  returned: success, and failure once the container is known
  type: int
container:
  description: The container that it ran in.
  returned: success, and failure once the container is known
  type: dict
  contains:
    id:
      description: The id of the container.
      type: str
      sample: 1i12
    name:
      description: Its name.
      type: str
      sample: Default-MyClusterApp-1
    state:
      description: What Rancher does with it.
      type: str
      sample: running
    health:
      description: What its health check finds. Null without one.
      type: str
      sample: healthy
    image:
      description: Its image. Null if Rancher does not say.
      type: str
    address:
      description: Its address in the network of the environment. Null as long as it has none.
      type: str
      sample: 10.42.0.12
    host_id:
      description: The id of the host that it is on. Null as long as it has none.
      type: str
    stack:
      description: The stack that it belongs to. Null for one that was started by hand.
      type: str
    service:
      description: The service that it belongs to. Null for one that was started by hand.
      type: str
    docker_id:
      description: What Docker calls it. Null as long as it has not been made.
      type: str
    start_count:
      description: How often it was started.
      type: int
    ports:
      description: The ports that it publishes.
      type: list
      elements: str
steps_done:
  description: The command, if it changes something. In check mode RV(steps_planned) instead.
  returned: success, not in check mode
  type: list
  elements: str
steps_planned:
  description: What would be run.
  returned: in check mode
  type: list
  elements: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: NotUnique
"""

from ansible_collections.container.schedulers.plugins.module_utils._module import run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.execute import EXECUTE, execute
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import (
    CONNECTION,
    ENVIRONMENT,
    WEBSOCKET,
)


def main() -> None:
    """The module."""
    run_module(EXECUTE.merge(ENVIRONMENT, CONNECTION), execute, libraries=WEBSOCKET)


if __name__ == "__main__":
    main()
