#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""N named droplets, surely there or surely gone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: digitalocean_droplets
short_description: A set of named DigitalOcean droplets that are surely there, or surely gone
version_added: "1.0.0"
description:
  - Makes a set of droplets, with a firewall and SSH keys, and waits until all can be used. Up to ten droplets are made
    by one request, and a request whose answer was lost is not repeated before it is clear what became of it.
  - With O(state=absent), the droplets are removed, and proven to be gone. Each is looked at by its id until
    DigitalOcean does not find it, and then the lists of the account have to show none of the set several times. Powered
    off is not gone, as it costs the same.
  - Everything that is made carries a tag, C(container-schedulers:digitalocean:NAME), from the request on that makes it.
    What does not carry it is neither changed nor removed.
  - A droplet is identified by its name within the set. Its region, size, image, VPC, monitoring and IPv6 cannot be
    changed later.
  - An option that is not given is not managed. What an existing droplet has in its place, stays.
extends_documentation_fragment:
  - container.schedulers.digitalocean
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.digitalocean
author:
  - the container.schedulers authors (@container-schedulers)
options:
  api_token:
    required: true
  name:
    description:
      - The name of the set, up to 100 small letters, digits, hyphens and underscores.
      - If neither O(names) nor O(count) is given, it is the name of the one droplet of the set too.
    type: str
    required: true
  state:
    description:
      - V(present) makes what is missing, and changes what is not as the options say.
      - V(absent) removes the droplets that are named with O(names), or with O(count) and O(pattern). If none is named,
        it removes the whole set, with its firewall, its tag, and the keys that were uploaded for it. Volumes,
        snapshots and reserved IP addresses stay, and are warned about.
    type: str
    choices: [present, absent]
    default: present
  names:
    description: The names of the droplets.
    type: list
    elements: str
  count:
    description: How many droplets there should be, instead of O(names). They are numbered from 1.
    type: int
  pattern:
    description:
      - The names of O(count) droplets, with V({n}) for the number.
      - If not given, it is O(name), a hyphen and the number.
    type: str
  region:
    description: The slug of the region, such as V(lon1). Needed to make droplets.
    type: str
  size:
    description:
      - The slug of the size, such as V(s-1vcpu-1gb). Needed to make droplets.
      - The slugs from V(512mb) to V(16gb), which DigitalOcean has retired, are replaced by those of today, with a
        warning.
      - Sizes with GPUs (V(gpu-...)) are refused, as DigitalOcean's lists leave their droplets out.
    type: str
  image:
    description:
      - The slug of the image, such as V(ubuntu-24-04-x64), or the id of an image or snapshot. Needed to make droplets.
      - Slugs of LTS releases of Ubuntu that DigitalOcean has retired, such as V(ubuntu-14-04-x64), are replaced by one
        of today, with a warning.
    type: str
  ssh_keys:
    description:
      - SSH keys of the account that get access to new droplets, by fingerprint (MD5) or id.
      - One of O(ssh_keys) and O(ssh_public_key_files) is needed to make droplets.
    type: list
    elements: str
  ssh_public_key_files:
    description:
      - Files with public keys that get access to new droplets. A key that the account does not have yet is uploaded.
      - They are read where the module runs.
    type: list
    elements: path
  tags:
    description:
      - Tags that the droplets have besides that of the set. Further ones stay, whoever gave them.
      - DigitalOcean keeps a tag in the case in which it was first written, and tells no other one from it by case.
    type: list
    elements: str
  vpc_uuid:
    description: The VPC of the droplets. If not given, new ones get the default VPC of their region.
    type: str
  monitoring:
    description: Whether DigitalOcean's agent collects metrics.
    type: bool
  ipv6:
    description: Whether the droplets get a public IPv6 address too.
    type: bool
  user_data:
    description:
      - What cloud-init does at the first boot of new droplets, up to 64 KiB.
      - It is no place for secrets, every process on the droplet can read it.
    type: str
  firewall:
    description:
      - Whether a firewall protects the set. A new one lets nothing in but what O(allow) says, and everything out.
      - With V(false), the firewall of the set is removed, and everything is open unless there are firewalls of others.
    type: bool
    default: true
  allow:
    description:
      - What the firewall lets in. All other rules are removed from it.
      - If this is not given, an existing firewall keeps the rules that it has.
    type: list
    elements: dict
    suboptions:
      protocol:
        description: The protocol.
        type: str
        choices: [tcp, udp, icmp]
        default: tcp
      ports:
        description: A port, a range such as V(8000-9000), or V(all). If not given, all. ICMP has none.
        type: str
      sources:
        description: The address ranges that may use it, such as V(203.0.113.0/24). There is no default.
        type: list
        elements: str
        required: true
  allow_among:
    description:
      - Whether the droplets of the set reach each other on all ports.
      - If neither this nor O(allow) is given, an existing firewall stays as it is.
    type: bool
  wait:
    description:
      - Whether to wait until all droplets are active and have an address, and O(wait_for_port) answers.
      - That droplets are gone is always waited for.
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 600
  wait_for_port:
    description:
      - A TCP port that has to accept connections at the public address before a droplet counts as usable, such as
        V(22) for SSH.
      - Active means powered on, not booted. Let O(user_data) open a port at its end to wait for that too.
    type: int
  purge:
    description:
      - Whether droplets of the set that are not named are removed. If V(false), they are warned about.
      - Their volumes, snapshots and reserved IP addresses stay, and are warned about.
    type: bool
    default: false
  adopt:
    description: Whether droplets of the given names that belong to nobody become part of the set.
    type: bool
    default: false
  verify_only:
    description:
      - With O(state=absent), removes nothing, but looks whether everything is gone, and fails if it is not.
      - The lists are asked once, and every droplet that O(ledger) knows is asked for by its id, also what has gone in
        earlier runs.
    type: bool
    default: false
  settle_seconds:
    description:
      - For how long DigitalOcean's lists may be behind. Droplets have to be missing from them for that long before they
        count as gone, and after an answer that was lost, what it made is looked for twice as long. From 0 to 3600.
    type: int
    default: 30
  ledger:
    description:
      - A file in which the ids of the droplets and their account are kept, so that it can be proven that they are gone.
        It has no secrets, and is made before the first droplet.
      - The ids of droplets that are gone stay in it for O(verify_only=true), of earlier runs the latest 100. If the set
        is made in another account then, they are forgotten.
      - With a directory, one that is there or a path that ends in a slash, each set has a file of its own in it. A file
        is for one set only.
      - If not given, it is in the directory C(~/.ansible/container.schedulers), where the module runs.
    type: path
notes:
  - The token needs the scopes C(account:read), C(droplet:create), C(droplet:read), C(droplet:update),
    C(droplet:delete), C(tag:create), C(tag:read), C(tag:delete), C(firewall:create), C(firewall:read),
    C(firewall:update), C(firewall:delete), C(ssh_key:create), C(ssh_key:read), C(ssh_key:delete), C(actions:read),
    C(regions:read), C(sizes:read) and C(image:read), and with O(vpc_uuid) also C(vpc:read). Where other resources are
    in rules of the firewall, it has to be able to read those, too.
  - Runs that work on the same set at the same time are kept apart by O(ledger), if they run on the same machine. Do not
    start two on different machines, as DigitalOcean does not keep their droplets apart.
  - To be told of reserved IP addresses of droplets that go, the token also needs the scope C(reserved_ip:read).
  - Volumes, snapshots and databases that carry the tag are only seen with the scopes C(block_storage:read),
    C(block_storage_snapshot:read) and C(database:read). Without these, O(state=absent) takes the tag from them, too.
  - Which keys and user data an existing droplet was made with, DigitalOcean does not tell. They are not compared.
seealso:
  - module: container.schedulers.digitalocean_droplets_info
  - module: container.schedulers.scheduler_leftovers_info
"""

EXAMPLES = r"""
- name: A machine for a server, reached from the office only
  container.schedulers.digitalocean_droplets:
    name: rancher
    region: lon1
    size: s-2vcpu-4gb
    image: ubuntu-24-04-x64
    ssh_public_key_files: [~/.ssh/id_ed25519.pub]
    user_data: "{{ lookup('ansible.builtin.file', 'docker.sh') }}"
    allow:
      - ports: "22"
        sources: [203.0.113.0/24]
      - ports: "8080"
        sources: [203.0.113.0/24]
    wait_for_port: 22
  register: made

- name: Go on there
  ansible.builtin.add_host:
    name: "{{ made.droplets[0].public_ip }}"
    groups: rancher

- name: Three of a kind
  container.schedulers.digitalocean_droplets:
    name: workers
    count: 3
    pattern: worker-{n}.example.com
    region: lon1
    size: s-1vcpu-2gb
    image: ubuntu-24-04-x64
    ssh_keys: ["3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa"]
    allow_among: true

- name: All of them gone, for sure
  container.schedulers.digitalocean_droplets:
    name: workers
    state: absent
  register: gone

- name: Show the proof
  ansible.builtin.debug:
    var: gone.proof

- name: Still gone the next day
  container.schedulers.digitalocean_droplets:
    name: workers
    state: absent
    verify_only: true
"""

RETURN = r"""
droplets:
  description:
    - The droplets in the order in which they were asked for. In check mode those that exist.
    - With O(state=absent), those that are still there, which is none but in check mode.
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
      description: All tags, that of the set included.
      type: list
      elements: str
      sample: ["container-schedulers:digitalocean:workers"]
    features:
      description: What is switched on.
      type: list
      elements: str
      sample: [droplet_agent, monitoring]
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
  description: US dollars a month for all of RV(droplets), or of RV(survivors) that O(verify_only=true) found.
  returned: success, and failure if O(verify_only=true) found some
  type: float
  sample: 18.0
firewall:
  description: The firewall of the set, null if it has none.
  returned: success and O(state=present)
  type: dict
  contains:
    id:
      description: The id.
      type: str
    name:
      description: The name.
      type: str
      sample: container-schedulers-digitalocean-workers
    inbound:
      description: Who gets in, by protocol and ports, such as V(tcp 22) or V(udp all).
      type: dict
      sample: {"tcp 22": ["203.0.113.0/24"]}
gone:
  description: Whether none of the droplets is left.
  returned: with O(state=absent), on success, and on failure if O(verify_only=true) found some
  type: bool
proof:
  description:
    - For each droplet that this run has seen go, or that O(ledger) knew, how DigitalOcean said that it is gone.
    - What has gone in earlier runs is asked for with O(verify_only=true) only.
  returned: success and O(state=absent)
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: int
    name:
      description: The name.
      type: str
    http_status:
      description: The status of the answer.
      type: int
      sample: 404
    error:
      description: DigitalOcean's word for the error.
      type: str
      sample: not_found
    request_id:
      description: DigitalOcean's id of the request.
      type: str
    at:
      description: When that was.
      type: str
      sample: "2026-11-25T08:30:00Z"
kept:
  description: How many things with the tag of the set stay, by kind. The tag stays with them.
  returned: success and O(state=absent)
  type: dict
  sample: {"volumes": 1}
survivors:
  description: The droplets that are still there.
  returned: failure, if droplets could not be removed, or O(verify_only=true) found some
  type: list
  elements: dict
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
last_events:
  description: What DigitalOcean said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was changed, in words and in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: ["create tag container-schedulers:digitalocean:workers", "create droplets worker-1, worker-2, worker-3"]
steps_planned:
  description: What would be changed.
  returned: in check mode
  type: list
  elements: str
step_failed:
  description: What could not be done.
  returned: failure once a step was begun
  type: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: unprocessable_entity
request_id:
  description: DigitalOcean's id of the request that it refused.
  returned: failure, if it gave one
  type: str
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_argspec import SPEC
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_module import ensure
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.options import LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(SPEC, ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
