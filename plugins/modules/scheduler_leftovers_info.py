#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of schedulers, and what it costs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduler_leftovers_info
short_description: What is left of clusters and apps, and what it costs per month
version_added: "1.0.0"
description:
  - Lists everything that carries the mark of this collection, whatever made it and whether that still exists.
  - At AWS that is the tag C(container.schedulers/owner), in one region and in IAM. At DigitalOcean it is a tag that
    begins with C(container-schedulers:), a firewall or load balancer for such a tag, or a key of such a name, anywhere.
    At a Rancher server it is a description that ends in the mark, or the labels of a host. What is there costs
    nothing by itself, but it is in the way; the droplets under it are told by DigitalOcean.
  - After a teardown the list is empty. What is in it before is not necessarily left over, it may be in use.
  - Every list is read to its last page. What an API refuses to tell is named in RV(could_not_look), so that an empty
    list is never mistaken for a look that was not possible. The module fails only if it could not look anywhere.
  - Terminated instances and deleted gateways, which AWS still shows for an hour, are not listed.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.digitalocean
  - container.schedulers.attributes.info
attributes:
  action_group:
    description:
      - Use C(group/container.schedulers.aws), C(group/container.schedulers.digitalocean) or
        C(group/container.schedulers.all) in C(module_defaults).
    support: full
    membership:
      - container.schedulers.all
      - container.schedulers.aws
      - container.schedulers.digitalocean
author:
  - the container.schedulers authors (@container-schedulers)
options:
  owner:
    description:
      - Only what belongs to this owner, as in the tag, that is the scheduler and the name of the cluster (V(ecs/web)).
        Of roles in IAM, which has no regions, only those of the cluster in this region.
        Things in an environment of Rancher belong to its id (V(rancher/1a5)).
      - If not given, what belongs to any.
    type: str
  providers:
    description:
      - Where to look.
      - If not given, at DigitalOcean if there is an O(api_token), at a Rancher server if there is a O(rancher_url), and
        at AWS, unless there is one of these and nothing says which AWS region is meant.
    type: list
    elements: str
    choices: [aws, digitalocean, rancher]
  rancher_url:
    description:
      - The address of a Rancher 1.x server. The option is called differently than in the modules for Rancher, as are
        the keys for it, because those of AWS are called the same.
      - If not set, E(RANCHER_URL) decides.
    type: str
  rancher_access_key:
    description:
      - The access key for it. One of an administrator sees all environments, any other those of its owner.
      - If not set, E(RANCHER_ACCESS_KEY) decides.
    type: str
  rancher_secret_key:
    description: The secret half of it. If not set, E(RANCHER_SECRET_KEY) decides.
    type: str
  rancher_ca:
    description:
      - A file of CA certificates to trust in place of those of the system.
      - If not set, E(RANCHER_CA) decides.
    type: path
requirements:
  - boto3 and jmespath only to look at AWS, python-digitalocean only to look at DigitalOcean
notes:
  - At DigitalOcean it needs the scopes C(droplet:read), C(tag:read), C(firewall:read), C(ssh_key:read),
    C(block_storage:read), C(block_storage_snapshot:read), C(snapshot:read) and C(load_balancer:read), and those that
    they require, C(actions:read), C(regions:read), C(sizes:read) and C(image:read).
  - At AWS it needs permission for C(tag:GetResources), C(ec2:Describe*), C(autoscaling:Describe*),
    C(elasticloadbalancing:Describe*), C(ecs:List*), C(ecs:Describe*), C(iam:ListRoles), C(iam:GetRole),
    C(iam:ListInstanceProfiles), C(iam:GetInstanceProfile), C(logs:DescribeLogGroups), C(ssm:DescribeParameters) and
    C(application-autoscaling:DescribeScalableTargets).
seealso:
  - module: container.schedulers.ecs_cluster
  - module: container.schedulers.digitalocean_droplets
  - module: container.schedulers.rancher_stack
"""

EXAMPLES = r"""
- name: What is there, and what does it cost
  container.schedulers.scheduler_leftovers_info:
    region: eu-west-1
  register: left

- name: What is there at DigitalOcean
  container.schedulers.scheduler_leftovers_info:
    providers: [digitalocean]
    api_token: "{{ digitalocean_token }}"
  register: left

- name: What is there at a Rancher server
  container.schedulers.scheduler_leftovers_info:
    providers: [rancher]
    rancher_url: http://203.0.113.10:8080
    rancher_access_key: "{{ rancher_key.access_key }}"
    rancher_secret_key: "{{ rancher_key.secret_key }}"
  register: left

- name: Nothing is left of the cluster, and everything could be looked at
  container.schedulers.scheduler_leftovers_info:
    owner: ecs/web
  register: left
  failed_when: left is failed or left.count > 0 or left.could_not_look | length > 0
"""

RETURN = r"""
leftovers:
  description: What carries the mark, the dearest first.
  returned: success
  type: list
  elements: dict
  contains:
    provider:
      description: The provider that it is at.
      type: str
      sample: aws
    kind:
      description: What it is.
      type: str
      sample: volume
    id:
      description: The provider's id.
      type: str
      sample: vol-0123456789abcdef0
    name:
      description: Its name, or its id if it has none.
      type: str
      sample: ecs-web
    owner:
      description: The scheduler and cluster that it belongs to.
      type: str
      sample: ecs/web
    app:
      description: The app that it belongs to, empty for what belongs to the cluster itself.
      type: str
      sample: shop
    part:
      description: The part that it plays.
      type: str
      sample: instances
    region:
      description: The region or environment that it is in, C(global) for what has none.
      type: str
      sample: eu-west-1
    state:
      description: The state that the provider gives.
      type: str
      sample: available
    why:
      description: What to know of it, in a few words.
      type: str
      sample: 20 GiB of gp3, attached to nothing
    monthly_cost:
      description: US dollars a month, null if the price is not known.
      type: float
      sample: 1.76
count:
  description: The number of RV(leftovers).
  returned: success
  type: int
  sample: 1
monthly_cost:
  description: US dollars a month for all whose price is known.
  returned: success
  type: float
  sample: 1.76
unpriced:
  description: The number of those whose price is not known.
  returned: success
  type: int
  sample: 0
prices:
  description:
    - Where the prices are from, for each provider that was looked at. They are list prices, and not looked up.
    - Rancher has none.
  returned: success
  type: dict
  contains:
    currency:
      description: The currency.
      type: str
      sample: USD
    aws:
      description: Those of AWS.
      type: dict
      contains: &dated
        date:
          description: The day of the prices.
          type: str
          sample: "2025-06-01"
        region:
          description: Their region, null if they are the same in all.
          type: str
          sample: eu-west-1
        source:
          description: Whose prices they are.
          type: str
    digitalocean:
      description: Those of DigitalOcean.
      type: dict
      contains: *dated
looked_at:
  description: The kinds that were looked for.
  returned: success
  type: list
  elements: str
  sample: [instance, volume, vpc]
could_not_look:
  description: What could not be looked for.
  returned: success
  type: list
  elements: dict
  contains:
    kinds:
      description: The kinds.
      type: list
      elements: str
      sample: [role]
    why:
      description: What the API said.
      type: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: AccessDenied
request_id:
  description: DigitalOcean's id of the request that it refused.
  returned: failure, if it gave one
  type: str
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec, Library
from ansible_collections.container.schedulers.plugins.module_utils._aws import api as aws_api
from ansible_collections.container.schedulers.plugins.module_utils._aws import leftovers as aws_leftovers
from ansible_collections.container.schedulers.plugins.module_utils._aws import options as aws_options
from ansible_collections.container.schedulers.plugins.module_utils._aws import prices as aws_prices
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import api as do_api
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import leftovers as do_leftovers
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import options as do_options
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import prices as do_prices
from ansible_collections.container.schedulers.plugins.module_utils._leftovers import Place, look
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome, run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher import api as rancher_api
from ansible_collections.container.schedulers.plugins.module_utils._rancher import leftovers as rancher_leftovers
from ansible_collections.container.schedulers.plugins.module_utils._rancher import options as rancher_options

SPEC = ArgumentSpec(
    {
        "owner": {"type": "str"},
        "providers": {"type": "list", "elements": "str", "choices": ["aws", "digitalocean", "rancher"]},
    }
)
LIBRARIES: Mapping[str, Sequence[Library]] = {
    "aws": aws_options.LIBRARIES,
    "digitalocean": do_options.LIBRARIES,
    "rancher": (),
}
ADDRESSES = {"digitalocean": "api_token", "rancher": "rancher_url"}  # what is given leads there
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE")


def providers(params: Mapping[str, Any]) -> Sequence[str]:
    """Where to look: as given, or wherever the options lead."""
    if params["providers"]:
        return list(dict.fromkeys(params["providers"]))
    led = [provider for provider, option in ADDRESSES.items() if params[option]]
    regions = (params["region"], params["profile"], *map(os.environ.get, REGION_VARIABLES))
    return ["aws", *led] if any(regions) or not led else led


def libraries(params: Mapping[str, Any]) -> Sequence[Library]:
    """What is needed to look there."""
    return [library for provider in providers(params) for library in LIBRARIES[provider]]


def find(context: Context) -> Outcome:
    """Look at every provider. A further one is a further ``places``."""
    owner, chosen = context.params["owner"] or "", providers(context.params)
    places: dict[str, Place] = {}
    dated: dict[str, Any] = {"currency": "USD"}
    if "aws" in chosen:
        aws = aws_api.Aws(aws_api.Connection.from_params(context.params))
        places |= aws_leftovers.places(aws, owner)
        dated["aws"] = {"date": aws_prices.DATE, "region": aws_prices.REGION, "source": aws_prices.SOURCE}
    if "digitalocean" in chosen:
        team = do_api.DigitalOcean(do_api.Connection.from_params(context.params))
        places |= do_leftovers.places(team, owner)
        dated["digitalocean"] = {"date": do_prices.DATE, "region": None, "source": do_prices.SOURCE}
    if "rancher" in chosen:
        server = rancher_api.Rancher(rancher_api.Connection.from_shared(context.params))
        places |= rancher_leftovers.places(server, owner)
    return Outcome({**look(places).to_result(), "prices": dated})


def main() -> None:
    """The module."""
    spec = SPEC.merge(aws_options.CONNECTION, do_options.connection(shared=True), rancher_options.SHARED)
    run_module(spec, find, libraries=libraries)


if __name__ == "__main__":
    main()
