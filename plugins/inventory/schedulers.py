# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines that this collection has made, as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: schedulers
short_description: The instances and droplets that carry the mark of this collection
version_added: "1.0.0"
description:
  - Lists the EC2 instances and the droplets that the modules and roles of this collection have made, and no others.
  - The file of the inventory has to be called C(schedulers.yml) or C(schedulers.yaml), or its name has to end so.
  - An instance is called by its id, a droplet by its name; several of one name by name and id.
  - A machine is in the groups of its provider (C(aws)), its scheduler (C(ecs)), its owner (C(ecs_default)) and, if its
    mark says which, its part (C(ecs_default_instance)). What the name of a group must not have becomes an underscore.
  - Machines that are switched off are listed, those that are being ended are not.
  - It only looks. A provider that does not answer is a failure, and never an empty list.
  - What is in the cache is used as long as the options that say where to look, for what and as whom are the same, with
    their templates resolved, and with them the variables of AWS in the environment.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.digitalocean
  - constructed
  - inventory_cache
author:
  - the container.schedulers authors (@container-schedulers)
options:
  plugin:
    description: Says that the file is one of this plugin.
    type: str
    required: true
    choices: [container.schedulers.schedulers]
  providers:
    description: Where to look.
    type: list
    elements: str
    required: true
    choices: [aws, digitalocean]
  regions:
    description: The AWS regions to look in. If not given, the one of O(region).
    type: list
    elements: str
    default: []
  owners:
    description: Only machines of these owners, such as V(ecs/default) or V(digitalocean/workers). If empty, of all.
    type: list
    elements: str
    default: []
  address:
    description: Which address C(ansible_host) is. The other one for a machine that lacks it.
    type: str
    choices: [public, private]
    default: public
  api_token:
    env:
      - name: DIGITALOCEAN_ACCESS_TOKEN
      - name: DIGITALOCEAN_TOKEN
      - name: DO_API_TOKEN
      - name: DO_API_KEY
  api_url:
    env:
      - name: DIGITALOCEAN_API_URL
notes:
  - Options may be templates, so that a secret can be looked up. It need not stand in the file.
  - AWS needs the permission C(ec2:DescribeInstances), DigitalOcean a token with the scopes C(droplet:read),
    C(tag:read), and those that the former requires, C(actions:read), C(regions:read), C(sizes:read), C(image:read).
  - This collection opens no way to log in to instances of AWS. Where C(key_name) and source ranges were given, or the
    image runs an agent of AWS Systems Manager that may, O(compose) sets what the connection needs.
  - Droplets that a machine driver of Rancher has made carry the mark once
    M(container.schedulers.digitalocean_droplets) has adopted them. The role P(container.schedulers.rancher_hosts#role)
    does that.
seealso:
  - module: container.schedulers.ecs_cluster_info
  - module: container.schedulers.k8s_aws_cluster_info
  - module: container.schedulers.digitalocean_droplets_info
"""

EXAMPLES = r"""
# schedulers.yml: what we have on AWS, in two regions
plugin: container.schedulers.schedulers
providers: [aws]
regions: [eu-west-1, us-east-1]
---
# rancher.schedulers.yml: the hosts of Rancher, with the user to log in as, from the environment's token
plugin: container.schedulers.schedulers
providers: [digitalocean]
compose:
  ansible_user: "'root'"
keyed_groups:
  - key: scheduler_region
    prefix: region
---
# nodes.schedulers.yml: one cluster of Kubernetes, spoken to through AWS Systems Manager, kept for ten minutes
plugin: container.schedulers.schedulers
providers: [aws]
region: eu-west-1
owners: [kubernetes/web]
compose:
  ansible_connection: "'amazon.aws.aws_ssm'"
  ansible_aws_ssm_instance_id: scheduler_id
groups:
  running: scheduler_state == 'running'
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/schedulers
cache_timeout: 600
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.container.schedulers.plugins.module_utils._argspec import Library, missing_library
from ansible_collections.container.schedulers.plugins.module_utils._aws import api as aws_api
from ansible_collections.container.schedulers.plugins.module_utils._aws import machines as aws_machines
from ansible_collections.container.schedulers.plugins.module_utils._aws import options as aws_options
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import api as do_api
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import machines as do_machines
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import options as do_options
from ansible_collections.container.schedulers.plugins.module_utils._errors import as_ours
from ansible_collections.container.schedulers.plugins.module_utils._inventory import Machine, named
from ansible_collections.container.schedulers.plugins.module_utils._proxy import secrets_in
from ansible_collections.container.schedulers.plugins.module_utils._redact import Redactor

CONNECTIONS = {"aws": aws_options.CONNECTION, "digitalocean": do_options.connection()}
DECIDING = ("providers", "regions", "owners", "address")
# where boto3 looks, and as whom, if no option says so; those of DigitalOcean are options
ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
)
LIBRARIES: Mapping[str, Sequence[Library]] = {"aws": aws_options.LIBRARIES, "digitalocean": do_options.LIBRARIES}


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The plugin."""

    NAME = "container.schedulers.schedulers"

    def verify_file(self, path: str) -> bool:
        """Whether the file may be one of this plugin, by its name."""
        return bool(super().verify_file(path)) and path.endswith(("schedulers.yml", "schedulers.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        given = self._read_config_data(path)
        known = {name for option, how in self.option_definitions.items() for name in (option, *how.get("aliases", ()))}
        unknown = sorted({*given} - known)
        if unknown:
            raise AnsibleParserError(f"{path}: there is no option {unknown[0]}.")
        if not self.get_option("providers"):
            raise AnsibleParserError(f"{path}: providers is empty. Name one, or several.")
        for name, variables in self._hosts(path, cache).items():
            self._add(name, variables)

    def _hosts(self, path: str, may_be_old: bool) -> Mapping[str, Any]:
        """Groups and variables by name, out of the cache as far as that is wanted."""
        key = f"{self.get_cache_key(path)}_{self._digest()}" if self.get_option("cache") else ""
        if key and may_be_old and key in self._cache:
            return dict(self._cache[key])
        found = {name: self._described(machine) for name, machine in named(self._look()).items()}
        if key:
            self._cache[key] = found
        return found

    def _digest(self) -> str:
        """What tells apart what this file finds with other options, or for somebody else."""
        asked: dict[str, Any] = {name: self.get_option(name) for name in DECIDING}
        for provider in asked["providers"]:
            asked |= self._resolved(CONNECTIONS[provider].options)
        if "aws" in asked["providers"]:
            asked |= {name: os.environ.get(name) for name in ENVIRONMENT}
        return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def _described(self, machine: Machine) -> dict[str, Any]:
        return {"groups": machine.groups(), "variables": machine.variables(self.get_option("address"))}

    def _look(self) -> list[Machine]:
        providers, owners = dict.fromkeys(self.get_option("providers")), self.get_option("owners")
        missing = missing_library(library for provider in providers for library in LIBRARIES[provider])
        if missing:
            raise AnsibleParserError(missing)
        try:
            found = [machine for provider in providers for machine in getattr(self, f"_look_at_{provider}")()]
        except Exception as error:
            secrets = self._resolved(("api_token", "secret_key", "session_token"))
            hidden = Redactor([*secrets.values(), *secrets_in(os.environ)])
            raise AnsibleParserError(hidden.text(as_ours(error).sentence())) from None
        return [one for one in found if not owners or one.owner in owners]

    def _look_at_aws(self) -> Iterator[Machine]:
        options = self._resolved(aws_options.CONNECTION.options)
        for region in dict.fromkeys(self.get_option("regions") or [options["region"]]):
            connection = aws_api.Connection.from_params({**options, "region": region})
            yield from aws_machines.list_machines(aws_api.Aws(connection))

    def _look_at_digitalocean(self) -> Iterator[Machine]:
        options = self._resolved(do_options.connection().options)
        yield from do_machines.list_machines(do_api.DigitalOcean(do_api.Connection.from_params(options)))

    def _resolved(self, names: Iterable[str]) -> dict[str, Any]:
        """Options by name, templates resolved."""
        return {name: self.templar.template(self.get_option(name)) for name in names}

    def _add(self, name: str, host: Mapping[str, Any]) -> None:
        self.inventory.add_host(name)
        for group in host["groups"]:
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), name)
        for variable, value in host["variables"].items():
            self.inventory.set_variable(name, variable, value)
        variables, strict = host["variables"], self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
