#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an environment of Rancher 1.x: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_hosts
short_description: Hosts of an environment of Rancher 1.x
version_added: "1.0.0"
description:
  - Has the Rancher server make hosts at a cloud with one of its machine drivers, and waits until containers can run on
    them. Or gives the command with which a machine that exists already joins.
  - A host is identified by its name. It is looked for among hosts and machines before it is made.
  - A machine that was lost and made anew joins as a new host, and the old one of its name stays, with an agent that
    does not answer. Then the new one is meant, and the old one is named in a warning. See O(remove_failed).
  - With O(state=absent), hosts are evacuated, deactivated, and deleted. The driver then deletes the machine at the
    cloud. Both are looked at until they are gone.
  - To evacuate a host, Rancher stops what runs there, and services start new containers on other hosts. Older servers
    do not offer that, and a host that is cut off cannot do it. What runs there then ends with the host, as does what
    has not left it after five minutes.
  - Hosts carry a mark as labels. What does not have it is neither changed nor deleted.
  - The server needs the cloud's token, and keeps it. So secure the server first, with
    M(container.schedulers.rancher_access_control).
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.rancher.environment
  - container.schedulers.rancher.waiting
  - container.schedulers.attributes
  - container.schedulers.attributes.rancher
author:
  - the container.schedulers authors (@container-schedulers)
options:
  names:
    description: The names of the hosts, of small letters, digits and hyphens.
    type: list
    elements: str
  count:
    description:
      - How many hosts there should be, instead of O(names). They are numbered from 1.
      - Those of O(pattern) with a higher number stay, and are named in a warning. See O(purge).
    type: int
  pattern:
    description: The names of O(count) hosts, with V({n}) for the number.
    type: str
    default: node{n}
  state:
    description:
      - V(present) makes what is missing, and sets the labels and O(active).
      - V(absent) removes the hosts that are named, and with O(purge) all that were made by this module.
    type: str
    choices: [present, absent]
    default: present
  driver:
    description:
      - The machine driver, like V(digitalocean) or V(amazonec2). It has to be active on the server.
      - With V(custom), no host is made. Without O(names), the module returns the command to run on machines. With them,
        it waits for them to have joined.
      - Such machines need Docker 24 or older, as the agents of Rancher 1.x do not work with newer ones.
    type: str
    default: digitalocean
  driver_config:
    description:
      - The settings of the driver, like C(region), C(size) and C(image), by Rancher's names or with underscores.
      - They are checked by what the server says of its driver. They cannot be changed later.
    type: dict
  driver_secrets:
    description:
      - More settings, like C(accessToken). Their values are never shown, and not compared.
      - What the driver needs can be left out where no host is to be made.
    type: dict
  labels:
    description:
      - Labels that the hosts have. Further ones, which others gave them, stay.
      - Values are text or numbers; quote true and false, and end their templates with C(| string | lower).
    type: dict
  active:
    description:
      - Whether new containers may be put on the hosts. With V(false), those that run there go on, and later ones go to
        other hosts.
      - V(false) is only for hosts that exist. If not given, new hosts are active, and others are left as they are.
    type: bool
  engine_install_url:
    description:
      - The script that installs Docker on new hosts that a driver makes.
      - The drivers of Rancher 1.x cannot set up Docker 20.10 or newer, so it has to install an older one, and the image
        has to be one for which there is an older one. If it is empty, the driver installs the newest.
    type: str
    default: https://releases.rancher.com/install-docker/19.03.sh
  engine_storage_driver:
    description:
      - How Docker stores images and containers on new hosts that a driver makes.
      - If it is empty, the driver chooses C(aufs), with which Docker does not start on the images of clouds.
    type: str
    default: overlay2
  registration_url:
    description:
      - The address at which agents reach the server, which is its setting C(api.host).
      - If not given, and the server has none yet, it is O(url).
      - Only the API key of an administrator may set it. With another key, hosts are made once it has been set. Older
        servers do not even show it to such a key, and there is a warning instead.
    type: str
  purge:
    description:
      - Whether to remove hosts that carry our mark and are not named, whatever their pattern or driver.
      - With O(driver=custom), O(names) or O(count) is needed. The machines of such hosts stay.
    type: bool
    default: false
  remove_failed:
    description:
      - Whether to remove what is left of hosts that could not be made, and to make them again. Otherwise the task fails
        and names them with the reason.
      - A host of a driver that is V(disconnected) counts as one of them, unless O(active=false). From 1.2 on, Rancher
        says so once an agent has not answered for minutes, also that of a machine that is only off.
      - Also whether to remove a host whose agent does not answer while another of its name is there.
    type: bool
    default: false
  adopt:
    description: Whether to take over hosts of these names that do not carry our mark.
    type: bool
    default: false
  wait_timeout:
    description: Seconds for everything together.
    type: int
    default: 1200
notes:
  - Descriptions of hosts are not managed. Use O(labels), by which containers can be put on them too.
  - That the machine of a host is gone is what Rancher says. The cloud itself is not asked. At DigitalOcean, the role
    C(container.schedulers.rancher_hosts) does so. At another cloud, look there for machines of these names.
seealso:
  - module: container.schedulers.rancher_hosts_info
  - module: container.schedulers.rancher_access_control
  - module: container.schedulers.digitalocean_droplets_info
"""

EXAMPLES = r"""
- name: Three hosts at DigitalOcean
  container.schedulers.rancher_hosts:
    count: 3
    driver_config:
      region: lon1
      size: s-1vcpu-1gb
      image: "123456789"  # of one's own, of Ubuntu 20.04, as DigitalOcean has retired its own
    driver_secrets:
      access_token: "{{ lookup('ansible.builtin.env', 'DIGITALOCEAN_ACCESS_TOKEN') }}"

- name: The command for machines that exist already
  container.schedulers.rancher_hosts:
    driver: custom
    wait: false
  register: joining
  no_log: true  # whoever has the command can join

- name: Wait until they have joined
  container.schedulers.rancher_hosts:
    driver: custom
    names: [db1, db2]
    labels:
      storage: "true"

- name: No new containers on a host that needs a rest
  container.schedulers.rancher_hosts:
    names: [node2]
    active: false

- name: Remove all that this module has made
  container.schedulers.rancher_hosts:
    purge: true
    state: absent
"""

RETURN = r"""
hosts:
  description: The hosts. Empty with O(state=absent), in check mode too.
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
registration:
  description: How a machine joins. Whoever has it, can. Null if there is none yet, in check mode.
  returned: with O(driver=custom) and O(state=present), without O(names)
  type: dict
  contains:
    command:
      description: The command to run on the machine.
      type: str
    image:
      description: The image of the agent.
      type: str
    url:
      description: The address that the agent registers at.
      type: str
failed_hosts:
  description: The hosts that could not be made, as in RV(hosts).
  returned: when there are some, and O(remove_failed=false)
  type: list
  elements: dict
last_events:
  description: What Rancher said about the hosts, when waiting failed.
  returned: failure while waiting
  type: list
  elements: str
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
  sample: node2 is provisioning (Installing Docker)
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: [update setting api.host (value), create host node1]
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
  sample: NotUnique
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_options import HOSTS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.hosts_module import ensure
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION, ENVIRONMENT


def main() -> None:
    """The module."""
    run_module(HOSTS.merge(STATE, wait_options(1200, sleep=1), ENVIRONMENT, CONNECTION), ensure)


if __name__ == "__main__":
    main()
