#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at the hosts of an environment of Rancher 1.x: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_hosts_info
short_description: The hosts of an environment of Rancher 1.x, with their containers and addresses
version_added: "1.0.0"
description:
  - Tells which hosts an environment has, and which containers run on each of them at which address.
  - It takes a handful of API requests, however many hosts and containers there are.
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.rancher.environment
  - container.schedulers.attributes.info
  - container.schedulers.attributes.rancher
author:
  - the container.schedulers authors (@container-schedulers)
options:
  names:
    description: The names of the hosts to look at. All, if not given.
    type: list
    elements: str
seealso:
  - module: container.schedulers.rancher_hosts
"""

EXAMPLES = r"""
- name: Look at all hosts
  container.schedulers.rancher_hosts_info:
  register: found

- name: The addresses of the containers of MyClusterApp
  ansible.builtin.debug:
    msg: "{{ found.hosts | map(attribute='containers') | flatten | selectattr('service', 'eq', 'MyClusterApp')
      | map(attribute='address') }}"
"""

RETURN = r"""
environment:
  description: The environment that was looked at.
  returned: success
  type: dict
  contains:
    id:
      description: Its id.
      type: str
    name:
      description: Its name.
      type: str
access_control:
  description:
    - Whether the server's access control is on, by whatever provider.
    - Whoever reaches an open server is its administrator.
  returned: success
  type: bool
hosts:
  description: The hosts, by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the host; of its machine, as long as it is none yet.
      type: str
      sample: 1h3
    name:
      description: Its name.
      type: str
    state:
      description: What Rancher's pages show.
      type: str
      sample: active
    message:
      description: What Rancher or the machine driver says about it. Empty if nothing.
      type: str
    address:
      description: Its address. Null as long as it is not known.
      type: str
    driver:
      description: The machine driver that made it. Null if it came by itself.
      type: str
    labels:
      description: Its labels, without our mark.
      type: dict
    docker_version:
      description: The version of Docker on it. Null as long as it is not known.
      type: str
    operating_system:
      description: Its operating system. Null as long as it is not known.
      type: str
    ports:
      description: The ports that services have published on it.
      type: list
      elements: int
    containers:
      description: The containers on it, by name.
      type: list
      elements: dict
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
        host:
          description: The name of the host. Null as long as it has none.
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
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: NotUnique
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.info import look_at_hosts
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION, ENVIRONMENT

SPEC = ArgumentSpec({"names": {"type": "list", "elements": "str"}})


def main() -> None:
    """The module."""
    run_module(SPEC.merge(ENVIRONMENT, CONNECTION), look_at_hosts)


if __name__ == "__main__":
    main()
