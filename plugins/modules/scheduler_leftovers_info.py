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
  - Lists everything that carries the mark of this collection, the tag C(container.schedulers/owner), in one region and
    in IAM, whatever made it and whether that still exists.
  - After a teardown the list is empty. What is in it before is not necessarily left over, it may be in use.
  - Every list is read to its last page. What an API refuses to tell is named in RV(could_not_look), so that an empty
    list is never mistaken for a look that was not possible. The module fails only if it could not look anywhere.
  - Terminated instances and deleted gateways, which AWS still shows for an hour, are not listed.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.attributes.info
  - container.schedulers.attributes.aws
author:
  - the container.schedulers authors (@container-schedulers)
options:
  owner:
    description:
      - Only what belongs to this owner, as in the tag, that is the scheduler and the name of the cluster (V(ecs/web)).
      - If not given, what belongs to any.
    type: str
notes:
  - It needs permission for C(tag:GetResources), C(ec2:Describe*), C(autoscaling:Describe*),
    C(elasticloadbalancing:Describe*), C(ecs:List*), C(ecs:Describe*), C(iam:ListRoles), C(iam:GetRole),
    C(iam:ListInstanceProfiles), C(iam:GetInstanceProfile), C(logs:DescribeLogGroups) and
    C(application-autoscaling:DescribeScalableTargets).
seealso:
  - module: container.schedulers.ecs_cluster
"""

EXAMPLES = r"""
- name: What is there, and what does it cost
  container.schedulers.scheduler_leftovers_info:
    region: eu-west-1
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
      description: The region that it is in, C(global) for IAM.
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
  description: Where the prices are from. They are list prices of one region, and not looked up.
  returned: success
  type: dict
  contains:
    currency:
      description: The currency.
      type: str
      sample: USD
    date:
      description: The day of the prices.
      type: str
      sample: "2025-06-01"
    region:
      description: Their region.
      type: str
      sample: eu-west-1
    source:
      description: Whose prices they are.
      type: str
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
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._aws import leftovers, prices
from ansible_collections.container.schedulers.plugins.module_utils._aws.api import Aws, Connection
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._leftovers import look
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome, run_module

SPEC = ArgumentSpec({"owner": {"type": "str"}})


def find(context: Context) -> Outcome:
    """Look at every provider. A further one is a further ``places``."""
    aws = Aws(Connection.from_params(context.params))
    found = look(leftovers.places(aws, context.params["owner"] or ""))
    dated = {"currency": "USD", "date": prices.DATE, "region": prices.REGION, "source": prices.SOURCE}
    return Outcome({**found.to_result(), "prices": dated})


def main() -> None:
    """The module."""
    run_module(SPEC.merge(CONNECTION), find, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
