#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at the stacks of an environment of Rancher 1.x: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_stack_info
short_description: The stacks of an environment of Rancher 1.x, with services, endpoints and health
version_added: "1.0.0"
description:
  - Tells which stacks an environment has, with their services and containers, where these answer, and how they are.
  - It takes a handful of API requests, however many stacks there are.
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.rancher.environment
  - container.schedulers.attributes.info
  - container.schedulers.attributes.rancher
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the stack to look at. All, if not given.
    type: str
seealso:
  - module: container.schedulers.rancher_stack
"""

EXAMPLES = r"""
- name: Look at one stack
  container.schedulers.rancher_stack_info:
    name: Default
  register: found

- name: Where it answers
  ansible.builtin.debug:
    msg: "{{ found.stacks[0].endpoints }}"
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
    services_port_range:
      description: The ports of hosts that Rancher picks from for a service that names none.
      type: dict
      contains:
        start_port:
          description: The first of them.
          type: int
          sample: 49153
        end_port:
          description: The last of them.
          type: int
          sample: 65535
stacks:
  description: The stacks, by name. Empty if there is none of O(name).
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: 1st5
    name:
      description: Its name.
      type: str
    state:
      description: What Rancher does with it.
      type: str
      sample: active
    health:
      description: What the health checks of its services find.
      type: str
      sample: healthy
    description:
      description: Its description, without our mark.
      type: str
    external_id:
      description: The template that it is made from. Null without one.
      type: str
      sample: catalog://community:galera:0
    system:
      description: Whether it is one of Rancher's own services.
      type: bool
    services:
      description: Its services, by name.
      type: list
      elements: dict
      contains:
        id:
          description: The id of the service.
          type: str
          sample: 1s7
        name:
          description: Its name.
          type: str
        type:
          description: What kind of service it is.
          type: str
          sample: loadBalancerService
        state:
          description: What Rancher does with it.
          type: str
          sample: active
        health:
          description: What its health check finds.
          type: str
          sample: healthy
        message:
          description: What Rancher says about it while it changes. Null if nothing.
          type: str
        description:
          description: Its description, without our mark.
          type: str
        image:
          description: The image of its containers. Null for a service without containers of its own.
          type: str
        global:
          description: Whether it runs on every host.
          type: bool
        scale:
          description: How many containers it should have. Null if it is global.
          type: int
        current_scale:
          description: How many it has.
          type: int
        fqdn:
          description: Its name in the DNS, once a DNS service has made one. Null before.
          type: str
        endpoints:
          description: Where it answers from outside.
          type: list
          elements: dict
          contains:
            address:
              description: The address of the host.
              type: str
            port:
              description: The port.
              type: int
            host_id:
              description: The id of the host.
              type: str
        containers:
          description: Its containers, by name. During an upgrade the old ones are among them.
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
    endpoints:
      description: Where the whole stack answers, by service.
      type: list
      elements: dict
      contains:
        service:
          description: The name of the service.
          type: str
        address:
          description: The address of the host.
          type: str
        port:
          description: The port.
          type: int
        host_id:
          description: The id of the host.
          type: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: NotUnique
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.info import look_at_stacks
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION, ENVIRONMENT

SPEC = ArgumentSpec({"name": {"type": "str"}})


def main() -> None:
    """The module."""
    run_module(SPEC.merge(ENVIRONMENT, CONNECTION), look_at_stacks)


if __name__ == "__main__":
    main()
