#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean droplets, as they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: digitalocean_droplets_info
short_description: DigitalOcean droplets, and what they cost
version_added: "1.0.0"
description:
  - Lists the droplets of an account, whoever made them. The list is read to its last page, and counted.
  - A list that could not be read is a failure, and never an empty list.
extends_documentation_fragment:
  - container.schedulers.digitalocean
  - container.schedulers.attributes.info
  - container.schedulers.attributes.digitalocean
author:
  - the container.schedulers authors (@container-schedulers)
options:
  api_token:
    required: true
  name:
    description: Only the droplets of this set, as M(container.schedulers.digitalocean_droplets) made it.
    type: str
  tag:
    description: Only droplets with this tag.
    type: str
  names:
    description: Only droplets of these names. A name may be that of several.
    type: list
    elements: str
  quote:
    description:
      - Asks whether DigitalOcean would make those of O(names) that do not exist, and what they would cost.
      - For droplets that something else makes, such as a machine driver of Rancher, which would find out too late.
      - The task fails if there is no such size, image or region, if they do not go together, or if the account may not
        have so many droplets. It needs O(names).
    type: dict
    suboptions:
      region:
        description: The region.
        type: str
        required: true
      size:
        description: The size. For a retired one its successor is returned.
        type: str
        required: true
      image:
        description: The slug or the id of the image. For a retired one its successor is returned.
        type: str
        required: true
notes:
  - The token needs the scopes C(droplet:read), C(tag:read), C(actions:read), C(regions:read), C(sizes:read) and
    C(image:read), and for O(quote) also C(account:read).
seealso:
  - module: container.schedulers.digitalocean_droplets
"""

EXAMPLES = r"""
- name: The droplets of a set
  container.schedulers.digitalocean_droplets_info:
    name: workers
  register: found

- name: Their addresses
  ansible.builtin.debug:
    msg: "{{ found.droplets | map(attribute='public_ip') }}"

- name: What two more would cost
  container.schedulers.digitalocean_droplets_info:
    names: [worker-4, worker-5]
    quote: {region: lon1, size: s-2vcpu-4gb, image: ubuntu-24-04-x64}
"""

RETURN = r"""
droplets:
  description: The droplets, by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: int
      sample: 3164444
    name:
      description: The name.
      type: str
      sample: worker-1
    owner:
      description: Whose it is by its mark, null if this collection did not make it.
      type: str
      sample: digitalocean/workers
    status:
      description: The status.
      type: str
      sample: active
    public_ip:
      description: The public IPv4 address, null if it has none yet.
      type: str
      sample: 203.0.113.10
    private_ip:
      description: The address in the VPC, null if it has none yet.
      type: str
      sample: 10.106.0.2
    public_ipv6:
      description: The public IPv6 address, null if it has none.
      type: str
    region:
      description: The region.
      type: str
      sample: lon1
    size:
      description: The size.
      type: str
      sample: s-1vcpu-1gb
    image:
      description: The slug of the image, or its id if it has none.
      type: str
      sample: ubuntu-24-04-x64
    vpc_uuid:
      description: The VPC.
      type: str
    tags:
      description: All tags.
      type: list
      elements: str
    features:
      description: What is switched on.
      type: list
      elements: str
    volume_ids:
      description: Volumes that are attached.
      type: list
      elements: str
    snapshot_ids:
      description: Snapshots that were made of it.
      type: list
      elements: str
    created_at:
      description: When it was made.
      type: str
      sample: "2026-11-25T08:00:00Z"
    monthly_cost:
      description: US dollars a month, null if DigitalOcean does not say.
      type: float
      sample: 6.0
monthly_cost:
  description: US dollars a month for all of RV(droplets), whatever their status.
  returned: success
  type: float
  sample: 18.0
quote:
  description: What DigitalOcean would make.
  returned: with O(quote)
  type: dict
  contains:
    names:
      description: Those of O(names) that do not exist.
      type: list
      elements: str
    size:
      description: The size as DigitalOcean calls it today.
      type: str
      sample: s-1vcpu-1gb
    image:
      description: The image as DigitalOcean calls it today.
      type: str
      sample: ubuntu-24-04-x64
    monthly_cost:
      description: US dollars a month for those that do not exist, null if DigitalOcean does not say.
      type: float
      sample: 12.0
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: unprocessable_entity
request_id:
  description: DigitalOcean's id of the request that it refused.
  returned: failure, if it gave one
  type: str
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_module import droplet_info
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.options import LIBRARIES, connection
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

QUOTE = {option: {"type": "str", "required": True} for option in ("region", "size", "image")}
SPEC = ArgumentSpec(
    {
        "name": {"type": "str"},
        "tag": {"type": "str"},
        "names": {"type": "list", "elements": "str"},
        "quote": {"type": "dict", "options": QUOTE},
    },
    mutually_exclusive=(("name", "tag"),),
    required_by={"quote": ("names",)},
)


def main() -> None:
    """The module."""
    run_module(SPEC.merge(connection()), droplet_info, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
