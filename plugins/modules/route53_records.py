#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets of a Route 53 zone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_records
short_description: Record sets of an Amazon Route 53 zone
version_added: "1.0.0"
description:
  - Makes, changes and deletes any number of record sets of a hosted zone in one task.
  - The zone is read once, and what differs is sent in batches as large as the API allows. A batch is carried out as a
    whole or not at all.
  - A record set is identified by its name, its type and, where several share those, its O(records[].set_identifier).
    Its values are its content. They are replaced as a whole, and their order means nothing.
  - The hosted zone itself has to be there. Record sets cannot carry tags, so this module cannot know whose they are. It
    changes those that are named, and no others unless O(purge) is set.
  - It needs permission for C(route53:ListHostedZonesByName), C(route53:GetHostedZone),
    C(route53:ListResourceRecordSets), C(route53:ChangeResourceRecordSets) and C(route53:GetChange).
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.aws
author:
  - the container.schedulers authors (@container-schedulers)
options:
  zone:
    description: The name of the hosted zone. One of O(zone) and O(zone_id) is needed.
    type: str
  zone_id:
    description: The id of the hosted zone.
    type: str
  private_zone:
    description: Whether the zone is a private one. Needed only if there are a public and a private zone of one name.
    type: bool
  vpc_id:
    description: A VPC that the private zone belongs to. Needed only if there are several private zones of one name.
    type: str
  state:
    description:
      - V(present) makes the record sets, or changes them to what is given.
      - V(absent) deletes them, whatever their values are. Only name and type are looked at, and the identifier where
        there is one.
    type: str
    choices: [present, absent]
    default: present
  records:
    description: The record sets.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name, relative to the zone (V(www)) or in full (V(www.example.com)). V(@) is the zone itself.
          - A name that does not end in the name of the zone is taken as relative, unless it ends in a dot.
        type: str
        required: true
      type:
        description: The type.
        type: str
        required: true
        choices: [A, AAAA, CAA, CNAME, DS, HTTPS, MX, NAPTR, NS, PTR, SOA, SPF, SRV, SSHFP, SVCB, TLSA, TXT]
      ttl:
        description:
          - Seconds for which an answer may be kept.
          - If not given, a new record set gets 300, and an existing one keeps what it has.
        type: int
      values:
        description:
          - All values of the record set, as a list. A text is one value. If there is a comma in it, it has to be in a
            list too, unless O(records[].type) is V(TXT) or V(SPF).
          - Text (V(TXT), V(SPF)) may be given plain, of any length, or already quoted.
          - Host names in values are always full names, with or without a dot at their end.
        type: raw
      alias:
        description: The AWS resource that the name stands for, instead of O(records[].values).
        type: dict
        suboptions:
          dns_name:
            description: The DNS name of the resource, such as that of a load balancer.
            type: str
            required: true
          zone_id:
            description: The id of the hosted zone of the resource, such as the canonical one of a load balancer.
            type: str
            required: true
          evaluate_target_health:
            description: Whether the alias is answered only while the resource is healthy.
            type: bool
            default: false
      set_identifier:
        description: Tells record sets of the same name and type apart. A new one needs O(records[].weight) too.
        type: str
      weight:
        description: The share of the answers, 0 to 255, in proportion to the others of the same name and type.
        type: int
  purge:
    description:
      - Whether to delete all record sets of the zone that are not listed, but for the NS and SOA of the zone itself.
      - The NS record sets of delegated subdomains are deleted too if they are not listed.
    type: bool
    default: false
  purge_confirm:
    description: Has to be the name of the zone if O(purge=true).
    type: str
  wait:
    description: Whether to wait until all name servers of Route 53 know the changes.
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 300
seealso:
  - module: container.schedulers.ecs_cluster_app
"""

EXAMPLES = r"""
- name: The app answers under its own name
  container.schedulers.route53_records:
    zone: example.com
    records:
      - name: shop
        type: A
        alias:
          dns_name: "{{ app.load_balancer.dns_name }}"
          zone_id: "{{ app.load_balancer.zone_id }}"

- name: Mail, its proof, and a wildcard
  container.schedulers.route53_records:
    zone: example.com
    records:
      - {name: "@", type: MX, ttl: 3600, values: [10 mail.example.com, 20 backup.example.com]}
      - {name: "@", type: TXT, values: ["v=spf1 mx -all"]}
      - {name: "*.apps", type: CNAME, values: [web.example.com]}

- name: One answer in ten goes to the new version
  container.schedulers.route53_records:
    zone: example.com
    records:
      - {name: api, type: CNAME, set_identifier: old, weight: 90, values: [old.example.com]}
      - {name: api, type: CNAME, set_identifier: new, weight: 10, values: [new.example.com]}

- name: Gone, whatever they were
  container.schedulers.route53_records:
    zone: example.com
    state: absent
    records:
      - {name: shop, type: A}
      - {name: "*.apps", type: CNAME}

- name: The zone holds what is listed, and nothing else
  container.schedulers.route53_records:
    zone: lab.example.com
    records: "{{ all_records }}"
    purge: true
    purge_confirm: lab.example.com
"""

RETURN = r"""
zone:
  description: The name of the hosted zone.
  returned: success
  type: str
  sample: example.com
zone_id:
  description: Its id, empty if there is no such zone.
  returned: success
  type: str
  sample: Z0123456789ABCDEFGHIJ
records:
  description: The record sets of O(records) as they are now. In check mode, those that are there already; with
    O(state=absent) none.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The full name, without a dot at its end.
      type: str
      sample: www.example.com
    type:
      description: The type.
      type: str
      sample: A
    set_identifier:
      description: The identifier, null if there is none.
      type: str
    ttl:
      description: Seconds for which an answer may be kept, null for an alias.
      type: int
      sample: 300
    values:
      description: The values in order, null for an alias.
      type: list
      elements: str
      sample: [192.0.2.1]
    alias:
      description: What the name stands for, null if it has values.
      type: dict
      contains:
        dns_name:
          description: The DNS name of the resource.
          type: str
        zone_id:
          description: The id of the hosted zone of the resource.
          type: str
        evaluate_target_health:
          description: Whether the alias is answered only while the resource is healthy.
          type: bool
    weight:
      description: The share of the answers, null if there is none.
      type: int
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
last_events:
  description: What AWS said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: ["update record set www.example.com A (ttl)"]
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
  sample: AccessDenied
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, ArgumentSpec, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws.dns import ensure
from ansible_collections.container.schedulers.plugins.module_utils._aws.dns_values import TYPES
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

ALIAS = {
    "dns_name": {"type": "str", "required": True},
    "zone_id": {"type": "str", "required": True},
    "evaluate_target_health": {"type": "bool", "default": False},
}
RECORD = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "required": True, "choices": list(TYPES)},
    "ttl": {"type": "int"},
    "values": {"type": "raw"},
    "alias": {"type": "dict", "options": ALIAS},
    "set_identifier": {"type": "str"},
    "weight": {"type": "int"},
}
SPEC = ArgumentSpec(
    {
        "zone": {"type": "str"},
        "zone_id": {"type": "str"},
        "private_zone": {"type": "bool"},
        "vpc_id": {"type": "str"},
        "records": {"type": "list", "elements": "dict", "required": True, "options": RECORD},
        "purge": {"type": "bool", "default": False},
        "purge_confirm": {"type": "str"},
    },
    mutually_exclusive=(("zone", "zone_id"), ("zone_id", "private_zone"), ("zone_id", "vpc_id")),
    required_one_of=(("zone", "zone_id"),),
    required_if=(("purge", True, ("purge_confirm",)),),
)


def main() -> None:
    """The module."""
    run_module(SPEC.merge(STATE, wait_options(300), CONNECTION), ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
