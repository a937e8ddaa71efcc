#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One stack in an environment of Rancher 1.x: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_stack
short_description: One stack in an environment of Rancher 1.x
version_added: "1.0.0"
description:
  - Makes a stack of services and load balancers, from a list of them, from compose files, or from a template of the
    catalog with the answers to its questions.
  - The stack is ready when it and its services are active, run as often as they should, and are healthy.
  - Rancher cannot change what a container is started from. A change of the image, the environment, the health check
    and the like becomes an in-service upgrade. It is waited for until the new containers are healthy, and is then
    finished. An upgrade that fails is rolled back.
  - An upgrade that an earlier run has left half-way is dealt with first. One that leads to what is wanted is taken to
    its end. One that does not is rolled back if it still runs, and finished if it has succeeded.
  - Rancher's own rollback of a stack waits, for ever if need be, for services that still upgrade. So the services of a
    stack that is rolled back are rolled back one by one.
  - With O(state=absent), the stack is removed with its services and their containers. Named volumes stay.
  - An option that is not given is not managed. What an existing service has in its place, stays, also in an upgrade.
  - Stacks and services carry a mark in their description. What does not have it is neither changed nor deleted.
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.rancher.environment
  - container.schedulers.rancher.waiting
  - container.schedulers.attributes
  - container.schedulers.attributes.rancher
requirements:
  - PyYAML >= 6.0
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the stack, up to 63 letters, digits and hyphens.
    type: str
    required: true
  state:
    description:
      - V(present) makes the stack, or changes it to what the options say. With no services, files or template, it
        makes an empty one, and leaves an existing one as it is.
      - V(absent) removes it, with its services and their containers, but no volumes with data; see O(delete_data). It
        refuses if somebody else has put services into it, unless it was made from files or a template, which bring
        services without our mark; see O(adopt).
    type: str
    choices: [present, absent]
    default: present
  description:
    description: A text for those who look at the stack.
    type: str
  services:
    description: The services and load balancers of the stack.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the service, up to 63 letters, digits and hyphens.
        type: str
        required: true
      image:
        description: The image of its containers. A new service needs it, a load balancer must not have it.
        type: str
      description:
        description: A text for those who look at the service.
        type: str
      scale:
        description: How many containers. A new service has one, if not given.
        type: int
      global:
        description: Whether to run one container on every host, also on those to come. Cannot be changed later.
        type: bool
      pull_always:
        description: Whether to pull the image before each start of a container.
        type: bool
      ports:
        description:
          - Ports to publish, like V(8080:80), V(127.0.0.1:8080:80) or V(53:53/udp).
          - With the port of the container alone, like V(80), Rancher picks a port of the hosts. One that the service
            has for it stays.
        type: list
        elements: str
      expose:
        description: Ports that only other containers reach.
        type: list
        elements: str
      environment:
        description:
          - Environment variables, by name.
          - Values are text or numbers; quote true and false, and end their templates with C(| string | lower).
        type: dict
      secret_environment:
        description:
          - More environment variables, in the same way. Their values are never shown.
          - Rancher does not keep both apart. Where one of them is given, variables that neither names go.
        type: dict
      labels:
        description:
          - Labels of the containers. They decide on which hosts these run, among other things. Values are text or
            numbers, as in O(services[].environment).
          - Those that O(services[].global) and O(services[].pull_always) set cannot be given here.
        type: dict
      command:
        description: The command to run in place of the image's, as a list, or as a line that is taken apart.
        type: raw
      entrypoint:
        description: The entry point to use in place of the image's, in the same way.
        type: raw
      volumes:
        description: Volumes, like V(data:/var/lib/data). What has a name outlives the containers.
        type: list
        elements: str
      volume_driver:
        description: The driver that makes the named volumes, like V(convoy-gluster).
        type: str
      health_check:
        description:
          - How Rancher finds out whether a container is healthy. One that is not is replaced.
          - Times are in milliseconds, as everywhere in Rancher. What is not given is what Rancher's pages propose.
        type: dict
        suboptions:
          enabled:
            description: With V(false), there is no health check.
            type: bool
            default: true
          port:
            description: The port of the container. Needed unless O(services[].health_check.enabled) is V(false).
            type: int
          path:
            description: What to ask for with HTTP, like V(/index.html). Without it, a connection is enough.
            type: str
          request_line:
            description: The whole first line of the request, in place of O(services[].health_check.path).
            type: str
          interval:
            description: The time between two checks. V(2000) if not given.
            type: int
          response_timeout:
            description: The time after which a check has failed. V(2000) if not given.
            type: int
          initializing_timeout:
            description: The time that a new container has to become healthy. V(60000) if not given.
            type: int
          reinitializing_timeout:
            description: The same for a container that comes back. V(60000) if not given.
            type: int
          healthy_threshold:
            description: After how many good answers a container is healthy. V(2) if not given.
            type: int
          unhealthy_threshold:
            description: After how many failures a container is unhealthy. V(3) if not given.
            type: int
          strategy:
            description: What happens to an unhealthy container. V(recreate) if not given.
            type: str
            choices: [none, recreate, recreateOnQuorum]
          quorum:
            description: How many healthy containers V(recreateOnQuorum) asks for.
            type: int
      links:
        description: Services that the containers reach by a name. An empty list takes all links away.
        type: list
        elements: dict
        suboptions:
          service:
            description: The service, of the same stack, or of another one as C(stack/service).
            type: str
            required: true
          alias:
            description: The name that they know it by. The service's own, if not given.
            type: str
      load_balancer:
        description:
          - Makes the service a load balancer with these rules. The first one that fits decides.
          - It cannot have an image, ports, links, a command or volumes of its own.
        type: list
        elements: dict
        suboptions:
          source_port:
            description: The port of the hosts on which it listens. Rancher 1.2 and newer keep 42 for themselves.
            type: int
            required: true
          service:
            description: The service that it leads to, of the same stack, or of another one as C(stack/service).
            type: str
            required: true
          target_port:
            description: The port of the service's containers. The same as the source port, if not given.
            type: int
          protocol:
            description:
              - The protocol. Rancher 1.0 and 1.1 know V(http) and V(tcp) only.
              - They do not tell V(http) from V(tcp), so a change from one to the other is not seen there.
            type: str
            choices: [http, https, tcp, tls, sni, udp]
            default: http
          hostname:
            description: The host name that a request has to be for.
            type: str
          path:
            description: What the path of a request has to start with.
            type: str
      metadata:
        description: Data that the containers can read from Rancher's metadata service.
        type: dict
      retain_ip:
        description: Whether a container that is replaced keeps its address.
        type: bool
      network_mode:
        description:
          - The network, V(managed), V(host), V(bridge) or V(none). With Rancher 1.2 and newer, also V(default), which
            is Docker's bridge, or the name of a network of the environment. Check mode only warns if there is none,
            as an earlier task may be about to make it.
        type: str
      hostname:
        description: The host name of the containers.
        type: str
      user:
        description: The user to run as, in place of the image's.
        type: str
      working_dir:
        description: The directory to run in, in place of the image's.
        type: str
      memory_mib:
        description: The limit of memory in MiB. V(0) takes it away.
        type: int
      cpu_shares:
        description: The share of CPU, of which 1024 is usual. V(0) takes it away.
        type: int
      privileged:
        description: Whether the containers may do everything on their host.
        type: bool
      read_only:
        description: Whether their file system can be read only.
        type: bool
      tty:
        description: Whether they have a terminal.
        type: bool
      stdin_open:
        description: Whether their standard input is kept open.
        type: bool
      restart_policy:
        description:
          - When Docker starts a container again. V(always) for a new service, if not given.
          - Servers that know no other policy for services refuse them.
        type: str
        choices: [always, on-failure, unless-stopped, "no"]
  purge_services:
    description:
      - Whether to delete services of this stack that were made by this module and are not in O(services).
      - Not for compose files and templates. Services that new ones do not have any more, Rancher keeps, with their
        containers; when that happens, a warning names them. So it does with all services of files and templates when
        the stack goes on with O(services), as they carry no mark.
    type: bool
    default: false
  delete_data:
    description:
      - Whether O(state=absent) may remove a stack with volumes that go with it. These are volumes without a name, such
        as V(/var/lib/mysql) of a database, and those that a compose file of format 2 declares for the stack.
      - Volumes that only an image declares are not seen, and go. Other named volumes stay.
    type: bool
    default: false
  docker_compose:
    description:
      - The text of a docker-compose file, in format 1 or 2.
      - As every option, it is part of what C(-vvv) and AWX show of the task. Passwords in it are not with
        O(docker_compose_file).
      - Keys that Rancher would leave out in silence are refused, and so are names of services that do not exist.
      - So are networks that are not there, as with O(services[].network_mode). Rancher does not know C(service:name),
        and C(container:name) only among a service and its sidekicks.
      - Of an image, a scale, ports, links and networks, so are variables that have neither a default nor an answer.
        Elsewhere Rancher puts nothing in their place.
    type: str
  docker_compose_file:
    description: The path of such a file, on the machine that runs the module.
    type: path
  rancher_compose:
    description:
      - The text of the rancher-compose file that goes with it.
      - Both count as one. Where the stack has such a file and none is given, it goes.
    type: str
  rancher_compose_file:
    description: The path of such a file, on the machine that runs the module.
    type: path
  template:
    description:
      - A template of the catalog, like V(community:wordpress), or with the number of a version,
        V(community:wordpress:0). With Rancher 1.6, also one of the environment's own catalogs.
    type: str
  template_version:
    description:
      - The name or number of the version. For a new stack the template's default, if not given. An existing stack
        then keeps what it has.
      - Versions that need a newer Rancher than the server are left out, as on Rancher's own pages. The one that an
        existing stack has may be named nonetheless.
    type: str
  answers:
    description:
      - The answers to the questions of O(template), or the values of the variables of the compose files.
      - What is not given is what an existing stack has, or the template's default.
      - Values are text, numbers, or true and false, which are written in small letters.
    type: dict
  secret_answers:
    description:
      - More answers. Their values are never shown.
      - Rancher itself shows them to whoever may read the stack, and to everybody who reaches a server whose access
        control is off.
    type: dict
  system:
    description:
      - Whether the stack is one of Rancher's own services. Cannot be changed later. Needs Rancher 1.2 or newer.
      - For a new stack from a template, the template decides, if not given.
    type: bool
  upgrade:
    description:
      - How to upgrade.
      - O(upgrade.batch_size), O(upgrade.interval_seconds) and O(upgrade.start_first) are for O(services). Rancher
        upgrades stacks of compose files and templates by values of its own, which are the defaults here.
    type: dict
    suboptions:
      batch_size:
        description: How many containers to replace at a time.
        type: int
        default: 1
      interval_seconds:
        description: The seconds between two batches.
        type: float
        default: 2.0
      start_first:
        description:
          - Whether to start the new containers before the old ones are stopped.
          - A service with O(services[].retain_ip) cannot be upgraded in this way.
        type: bool
        default: false
      finish:
        description:
          - Whether to finish an upgrade that has succeeded, which deletes the old containers.
          - With V(false), both are kept until a later run with V(true).
        type: bool
        default: true
  on_failed_upgrade:
    description:
      - What to do with an upgrade that fails, or is not done in time. The task fails in any case.
      - V(rollback) takes up to five minutes more than O(wait_timeout).
    type: str
    choices: [rollback, leave]
    default: rollback
  export_to:
    description:
      - A directory on the machine that runs the module, to write C(docker-compose.yml) and C(rancher-compose.yml) of
        the stack to. They are readable for their owner only, as they may hold secrets.
    type: path
  adopt:
    description:
      - Whether to take over a stack and services of these names that do not carry our mark.
      - With O(state=absent), whether also those go that do not.
    type: bool
    default: false
  wait_timeout:
    description: Seconds for everything together.
    type: int
    default: 600
seealso:
  - module: container.schedulers.rancher_stack_info
  - module: container.schedulers.rancher_catalog_info
"""

EXAMPLES = r"""
- name: NGINX on every host, behind a load balancer
  container.schedulers.rancher_stack:
    name: Default
    services:
      - name: MyClusterApp
        image: nginx:1.27
        global: true
        pull_always: true
        ports: ["80"]
      - name: ClusterLoadBalancer
        load_balancer:
          - source_port: 80
            service: MyClusterApp

- name: The same with a health check, which is an upgrade
  container.schedulers.rancher_stack:
    name: Default
    services:
      - name: MyClusterApp
        health_check:
          port: 80
          path: /index.html
    upgrade:
      batch_size: 1

- name: Galera from the catalog
  container.schedulers.rancher_stack:
    name: galera
    template: community:galera
    answers:
      mysql_database: wordpress
      mysql_user: wordpress
    secret_answers:
      mysql_root_password: "{{ vault_mysql_root_password }}"
      mysql_password: "{{ vault_mysql_password }}"

- name: WordPress on it, with its content on shared storage
  container.schedulers.rancher_stack:
    name: blog
    services:
      - name: wordpress
        image: wordpress:6
        scale: 2
        volumes: ["wpcontent:/var/www/html/wp-content"]
        volume_driver: convoy-gluster
        links:
          - service: galera/galera-lb
            alias: mysql

- name: A stack as files
  container.schedulers.rancher_stack:
    name: Default
    export_to: /srv/backup/default

- name: The same stack under another name
  container.schedulers.rancher_stack:
    name: Copy
    docker_compose_file: /srv/backup/default/docker-compose.yml
    rancher_compose_file: /srv/backup/default/rancher-compose.yml

- name: Remove it
  container.schedulers.rancher_stack:
    name: Copy
    state: absent
"""

RETURN = r"""
stack:
  description: The stack. Null if there is none, and with O(state=absent), in check mode too.
  returned: success
  type: dict
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
  returned: success
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
endpoints:
  description: Where the whole stack answers, by service.
  returned: success
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
exported:
  description: The paths of the files.
  returned: with O(export_to)
  type: list
  elements: str
rolled_back:
  description: Whether a failed upgrade was rolled back.
  returned: when an upgrade failed and was rolled back
  type: bool
last_events:
  description: What Rancher said of the services that are not ready, when waiting failed.
  returned: failure while waiting
  type: list
  elements: str
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
  sample: stack Default is active, health degraded; service MyClusterApp is updating-active
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: [create stack Default, create service MyClusterApp]
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
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION, ENVIRONMENT, YAML
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import STACK
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_present import ensure


def main() -> None:
    """The module."""
    run_module(STACK.merge(STATE, wait_options(600, sleep=1), ENVIRONMENT, CONNECTION), ensure, libraries=YAML)


if __name__ == "__main__":
    main()
