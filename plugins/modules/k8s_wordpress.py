#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WordPress and its database on a Kubernetes cluster: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_wordpress
short_description: WordPress with its database on a Kubernetes cluster, installed
version_added: "1.0.0"
description:
  - Runs WordPress and MariaDB as one release, on volumes that outlive their pods, behind a load balancer, with the site
    really installed. The pod of a site that is not installed yet gets no visitors, so no stranger can finish the
    installer.
  - Passwords and keys are made up once and kept in Secrets. No run changes them, also not one whose answer was lost.
    They are never part of a result. A site whose Secrets are gone is not touched, as new passwords would not open its
    database.
  - An option that is not given stays as an earlier run was given it.
  - The volume of the site holds what it adds to WordPress, which is C(wp-content). WordPress itself comes from its
    image, so another image is another version of WordPress, and the database is brought up to it.
extends_documentation_fragment:
  - container.schedulers.k8s
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.kubernetes
requirements:
  - websocket-client >= 1.6.0
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the release, up to 40 lower case letters, digits and hyphens that begin with a letter.
    type: str
    default: wordpress
  namespace:
    description: The namespace. It has to exist.
    type: str
    default: default
  state:
    description:
      - V(present) makes the site, or changes it to what the options say.
      - V(absent) removes what runs. Claims, volumes and Secrets stay, so that a later run finds the same site, unless
        O(delete_data) is set.
    type: str
    choices: [present, absent]
    default: present
  site:
    description: The site itself.
    type: dict
    suboptions:
      title:
        description: The title. A new site needs it.
        type: str
      url:
        description:
          - Where visitors find it. If a new site has none, or if it is empty, it is the address of the load balancer.
          - Where it changes, links and pictures in the content follow.
        type: str
      admin_user:
        description: The administrator. For a new site V(admin). It cannot be changed, as WordPress renames nobody.
        type: str
      admin_password:
        description:
          - The password of the administrator. If not given for a new site, one is made up.
          - It is kept in the Secret and set in the site, also where that comes installed with its volumes.
        type: str
      admin_email:
        description: The e-mail address of the administrator. A new site needs it.
        type: str
      language:
        description: The language of a new site, such as V(de_DE). English, if not given.
        type: str
  image:
    description: The image of WordPress. For a new site V(wordpress:7.1.3-php8.3-apache).
    type: str
  cli_image:
    description: The image of wp-cli, which runs beside WordPress. For a new site V(wordpress:cli-2.12.0-php8.3).
    type: str
  database_image:
    description: The image of the database. For a new site V(mariadb:11.8.9).
    type: str
  database_password:
    description:
      - The password of WordPress for the database of a new site, if its volume has a database already.
      - If not given, one is made up. It never changes later.
    type: str
  resources:
    description:
      - What WordPress needs and may not exceed, each as a whole.
      - For a new site 100m CPU and 128Mi of memory, at most 512Mi. The image's Apache starts a process of some 25Mi for
        each request that it serves at a time, up to 150, and all of them end when they exceed the limit.
    type: dict
    suboptions:
      requests:
        description: What it needs.
        type: dict
        suboptions:
          cpu:
            description: CPUs, such as V(100m).
            type: str
          memory:
            description: Memory, such as V(128Mi).
            type: str
      limits:
        description: What it may not exceed.
        type: dict
        suboptions:
          cpu:
            description: CPUs.
            type: str
          memory:
            description: Memory.
            type: str
  database_resources:
    description:
      - What the database needs and may not exceed, each as a whole.
      - For a new site 100m CPU and 256Mi of memory, at most 512Mi.
    type: dict
    suboptions:
      requests:
        description: What it needs.
        type: dict
        suboptions:
          cpu:
            description: CPUs, such as V(100m).
            type: str
          memory:
            description: Memory, such as V(128Mi).
            type: str
      limits:
        description: What it may not exceed.
        type: dict
        suboptions:
          cpu:
            description: CPUs.
            type: str
          memory:
            description: Memory.
            type: str
  storage:
    description: Where the data is. It cannot be changed for a site that exists.
    type: dict
    suboptions:
      mode:
        description:
          - V(dynamic), as for a new site if not given, has volumes made by a storage class.
          - V(existing) uses two EBS volumes that are there.
          - V(inline) names two EBS volumes in the pods, as the first versions of Kubernetes did.
          - Volumes that something else in the cluster uses are refused for a new site. What only AWS knows is not
            looked at, which is whether they exist, in which zone they are, and whether an instance outside of the
            cluster has them attached. The pods then wait for them in vain, and the task says why.
        type: str
        choices: [dynamic, existing, inline]
      size:
        description:
          - The size of each volume. For a new site V(10Gi).
          - Volumes of V(dynamic) can grow, if their storage class allows it.
        type: str
      storage_class:
        description: The storage class. The cluster's default one, if not given.
        type: str
      site_volume:
        description: The id of the EBS volume of the site.
        type: str
      database_volume:
        description:
          - The id of the EBS volume of the database.
          - It has to be empty, or to come from this module, which keeps the data in its directory C(mysql). Those of a
            server that had the volume for itself are not found.
        type: str
      zone:
        description:
          - The availability zone of the EBS volumes, so that the pods get nodes there. Without it, the scheduler does
            not know it.
          - For a new site, one without nodes is refused, unless the cluster has an autoscaler that may bring some.
        type: str
  service:
    description: The service before the site.
    type: dict
    suboptions:
      type:
        description: Its type. For a new site V(LoadBalancer).
        type: str
        choices: [LoadBalancer, ClusterIP, NodePort, none]
      port:
        description: Its port. For a new site V(80).
        type: int
      load_balancer:
        description:
          - On AWS, a classic load balancer or a network load balancer. For a new site V(classic).
          - It cannot be changed later.
        type: str
        choices: [classic, nlb]
      internal:
        description: On AWS, whether the load balancer has an address within the VPC only. It cannot be changed later.
        type: bool
      source_ranges:
        description: From which addresses the load balancer may be reached. From everywhere, if a new site has none.
        type: list
        elements: str
      annotations:
        description:
          - More annotations of the service.
          - Values are text or numbers; quote true and false, and end their templates with C(| string | lower).
        type: dict
  verify:
    description: How to find out whether the load balancer answers.
    type: dict
    suboptions:
      http:
        description: Whether to ask by HTTP. If not, an address is enough.
        type: bool
        default: true
      path:
        description: The path to ask for. Any answer below 500 counts.
        type: str
        default: /
      http_proxy:
        description: An HTTP proxy to ask through. If not set, the environment decides (E(http_proxy), E(no_proxy)).
        type: str
  delete_data:
    description:
      - With O(state=absent), whether to delete claims, volumes and Secrets, too.
      - EBS volumes of the modes V(existing) and V(inline) stay in any case.
        M(container.schedulers.ebs_volume) deletes them.
    type: bool
    default: false
  adopt:
    description: Whether to take over objects of these names that exist and were not made by this collection.
    type: bool
    default: false
  wait_timeout:
    description: After how many seconds to give up waiting, for everything together.
    type: int
    default: 900
notes:
  - Needs Kubernetes 1.22 or newer, for its server-side apply.
  - The password of the administrator is in the Secret RV(site.credentials_secret), key C(admin-password).
  - A new site is installed also with O(wait=false).
  - Containers run as unprivileged users, without capabilities and with the runtime's seccomp profile. A network policy
    lets only the site reach the database.
seealso:
  - module: container.schedulers.k8s_exec
  - module: container.schedulers.k8s_diagnosis_info
"""

EXAMPLES = r"""
- name: WordPress on volumes that the cluster makes
  container.schedulers.k8s_wordpress:
    site:
      title: Containers
      admin_email: admin@example.com
  register: wordpress

- name: Say where it answers
  ansible.builtin.debug:
    var: wordpress.site.url

- name: WordPress on two EBS volumes
  container.schedulers.k8s_wordpress:
    site:
      title: Containers
      admin_email: admin@example.com
      admin_password: "{{ vault_wordpress_password }}"
    storage:
      mode: existing
      site_volume: vol-0123456789abcdef0
      database_volume: vol-0fedcba9876543210
      zone: eu-west-1c

- name: Another version
  container.schedulers.k8s_wordpress:
    image: wordpress:7.1.3-php8.4-apache

- name: Remove it, and its data
  container.schedulers.k8s_wordpress:
    state: absent
    delete_data: true
"""

RETURN = r"""
site:
  description: The site. Null with O(state=absent), in check mode too.
  returned: success
  type: dict
  contains:
    name:
      description: The name of the release.
      type: str
    namespace:
      description: The namespace.
      type: str
    url:
      description: Where visitors find it. Null while the load balancer has no address.
      type: str
    title:
      description: The title.
      type: str
    admin_user:
      description: The administrator.
      type: str
    admin_email:
      description: The e-mail address of the administrator.
      type: str
    credentials_secret:
      description: The Secret with the passwords.
      type: str
    images:
      description: The images, by option.
      type: dict
    storage:
      description: Where the data is, as O(storage).
      type: dict
    claims:
      description: The claims of the volumes.
      type: list
      elements: str
    service:
      description: The service. Null if there is none.
      type: dict
      contains:
        type:
          description: Its type.
          type: str
        cluster_ip:
          description: Its address within the cluster. Null as long as it has none.
          type: str
        port:
          description: Its port.
          type: int
        node_port:
          description: The port of every node that leads to it. Null if there is none.
          type: int
        load_balancer:
          description: The name or address of its load balancer. Null while there is none.
          type: str
        source_ranges:
          description: From where the load balancer may be reached. Empty for everywhere.
          type: list
          elements: str
    pods:
      description: Its pods.
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
        node:
          description: The node that it is on. Null if it has none yet.
          type: str
        ip:
          description: Its address. Null if it has none yet.
          type: str
        phase:
          description: Its phase.
          type: str
        ready:
          description: Whether it is ready.
          type: bool
        container_ids:
          description: What the container runtime calls its containers. Another one for every new pod. Null for one that
            was not made yet.
          type: list
          elements: str
        restarts:
          description: How often its containers were restarted.
          type: int
kept:
  description: What holds data and was kept.
  returned: with O(state=absent)
  type: list
  elements: str
  sample: [PersistentVolumeClaim default/wordpress-database, Secret default/wordpress-credentials]
diagnosis:
  description: Why pods do not run, as M(container.schedulers.k8s_diagnosis_info) returns it.
  returned: failure while waiting
  type: list
  elements: dict
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
last_events:
  description: What the cluster said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: ["create Deployment default/wordpress", "create site default/wordpress"]
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
  sample: Forbidden
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION, EXEC_LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress import ensure
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress_options import WORDPRESS
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module


def main() -> None:
    """The module."""
    run_module(WORDPRESS.merge(STATE, wait_options(900), CONNECTION), ensure, libraries=EXEC_LIBRARIES)


if __name__ == "__main__":
    main()
