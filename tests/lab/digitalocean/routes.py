# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the API: method and path, the name of the call, the scope that a token needs, who answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from lab.digitalocean import domains, firewalls, keys, other_things, tags, volumes, vpcs
from lab.digitalocean.ask import Handler
from lab.digitalocean.droplets import Droplets

_PLACE = "([^/]+)"


@dataclass(frozen=True)
class Route:
    """One line of the table."""

    method: str
    path: re.Pattern[str]
    action: str
    scope: str
    handler: Handler


class Routes:
    """Finds the line for a request."""

    def __init__(self, droplets: Droplets) -> None:
        self._routes = [
            Route(method, re.compile(path.replace("*", _PLACE)), action, scope, handler)
            for method, path, action, scope, handler in _table(droplets)
        ]

    def find(self, method: str, path: str) -> tuple[Route | None, tuple[str, ...]]:
        """The route, and what stands in the places of the path. A slash at its end means nothing."""
        bare = path.removeprefix("/v2/").rstrip("/") if path.startswith("/v2/") else ""
        for route in self._routes:
            found = route.path.fullmatch(bare)
            if route.method == method and found:
                return route, tuple(map(unquote, found.groups()))
        return None, ()


def _table(droplets: Droplets) -> list[tuple[str, str, str, str, Handler]]:
    other = other_things
    return [
        ("GET", "account", "GetAccount", "account:read", other.account),
        ("GET", "account/keys", "ListSshKeys", "ssh_key:read", keys.list_all),
        ("POST", "account/keys", "CreateSshKey", "ssh_key:create", keys.create),
        ("GET", "account/keys/*", "GetSshKey", "ssh_key:read", keys.show),
        ("PUT", "account/keys/*", "UpdateSshKey", "ssh_key:update", keys.rename),
        ("DELETE", "account/keys/*", "DeleteSshKey", "ssh_key:delete", keys.delete),
        ("GET", "actions", "ListActions", "actions:read", other.actions),
        ("GET", "actions/*", "GetAction", "actions:read", other.action),
        ("GET", "regions", "ListRegions", "regions:read", other.regions),
        ("GET", "sizes", "ListSizes", "sizes:read", other.sizes),
        ("GET", "images", "ListImages", "image:read", other.images),
        ("GET", "images/*", "GetImage", "image:read", other.image),
        ("GET", "droplets", "ListDroplets", "droplet:read", droplets.list),
        ("POST", "droplets", "CreateDroplets", "droplet:create", droplets.create),
        ("DELETE", "droplets", "DeleteDropletsByTag", "droplet:delete", droplets.destroy_by_tag),
        ("GET", "droplets/*", "GetDroplet", "droplet:read", droplets.show),
        ("DELETE", "droplets/*", "DeleteDroplet", "droplet:delete", droplets.destroy),
        ("GET", "droplets/*/actions", "ListDropletActions", "droplet:read", droplets.actions),
        ("POST", "droplets/*/actions", "CreateDropletAction", "droplet:update", droplets.act),
        ("GET", "droplets/*/actions/*", "GetDropletAction", "droplet:read", droplets.show_action),
        (
            "GET",
            "droplets/*/destroy_with_associated_resources",
            "ListAssociatedResources",
            "droplet:delete",
            droplets.associated,
        ),
        ("GET", "tags", "ListTags", "tag:read", tags.list_all),
        ("POST", "tags", "CreateTag", "tag:create", tags.create),
        ("GET", "tags/*", "GetTag", "tag:read", tags.show),
        ("DELETE", "tags/*", "DeleteTag", "tag:delete", tags.delete),
        ("POST", "tags/*/resources", "TagResources", "tag:create", tags.tag),
        ("DELETE", "tags/*/resources", "UntagResources", "tag:delete", tags.untag),
        ("GET", "firewalls", "ListFirewalls", "firewall:read", firewalls.list_all),
        ("POST", "firewalls", "CreateFirewall", "firewall:create", firewalls.create),
        ("GET", "firewalls/*", "GetFirewall", "firewall:read", firewalls.show),
        ("PUT", "firewalls/*", "UpdateFirewall", "firewall:update", firewalls.replace),
        ("DELETE", "firewalls/*", "DeleteFirewall", "firewall:delete", firewalls.delete),
        ("POST", "firewalls/*/(?:droplets|tags|rules)", "AddToFirewall", "firewall:update", firewalls.add),
        ("DELETE", "firewalls/*/(?:droplets|tags|rules)", "RemoveFromFirewall", "firewall:update", firewalls.remove),
        ("GET", "volumes", "ListVolumes", "block_storage:read", volumes.list_all),
        ("POST", "volumes", "CreateVolume", "block_storage:create", volumes.create),
        ("GET", "volumes/*", "GetVolume", "block_storage:read", volumes.show),
        ("DELETE", "volumes/*", "DeleteVolume", "block_storage:delete", volumes.delete),
        ("POST", "volumes/*/actions", "CreateVolumeAction", "block_storage_action:create", volumes.act),
        ("POST", "volumes/*/snapshots", "CreateVolumeSnapshot", "block_storage_snapshot:create", volumes.snapshot),
        ("GET", "snapshots", "ListSnapshots", "snapshot:read", volumes.list_snapshots),
        ("GET", "snapshots/*", "GetSnapshot", "snapshot:read", volumes.show_snapshot),
        ("DELETE", "snapshots/*", "DeleteSnapshot", "snapshot:delete", volumes.delete_snapshot),
        ("GET", "domains", "ListDomains", "domain:read", domains.list_all),
        ("POST", "domains", "CreateDomain", "domain:create", domains.create),
        ("GET", "domains/*", "GetDomain", "domain:read", domains.show),
        ("DELETE", "domains/*", "DeleteDomain", "domain:delete", domains.delete),
        ("GET", "domains/*/records", "ListDomainRecords", "domain:read", domains.list_records),
        ("POST", "domains/*/records", "CreateDomainRecord", "domain:create", domains.create_record),
        ("GET", "domains/*/records/*", "GetDomainRecord", "domain:read", domains.show_record),
        ("PUT", "domains/*/records/*", "UpdateDomainRecord", "domain:update", domains.change_record),
        ("PATCH", "domains/*/records/*", "PatchDomainRecord", "domain:update", domains.change_record),
        ("DELETE", "domains/*/records/*", "DeleteDomainRecord", "domain:delete", domains.delete_record),
        ("GET", "projects", "ListProjects", "project:read", other.list_projects),
        ("POST", "projects", "CreateProject", "project:create", other.create_project),
        ("GET", "projects/*", "GetProject", "project:read", other.show_project),
        ("DELETE", "projects/*", "DeleteProject", "project:delete", other.delete_project),
        ("GET", "projects/*/resources", "ListProjectResources", "project:read", other.project_resources),
        ("POST", "projects/*/resources", "AssignProjectResources", "project:update", other.assign),
        ("GET", "vpcs", "ListVpcs", "vpc:read", vpcs.list_all),
        ("POST", "vpcs", "CreateVpc", "vpc:create", vpcs.create),
        ("GET", "vpcs/*", "GetVpc", "vpc:read", vpcs.show),
        ("DELETE", "vpcs/*", "DeleteVpc", "vpc:delete", vpcs.delete),
        ("GET", "load_balancers", "ListLoadBalancers", "load_balancer:read", other.list_balancers),
        ("POST", "load_balancers", "CreateLoadBalancer", "load_balancer:create", other.create_balancer),
        ("GET", "load_balancers/*", "GetLoadBalancer", "load_balancer:read", other.show_balancer),
        ("DELETE", "load_balancers/*", "DeleteLoadBalancer", "load_balancer:delete", other.delete_balancer),
        ("GET", "reserved_ips", "ListReservedIps", "reserved_ip:read", other.list_reserved),
        ("POST", "reserved_ips", "CreateReservedIp", "reserved_ip:create", other.reserve),
        ("DELETE", "reserved_ips/*", "DeleteReservedIp", "reserved_ip:delete", other.release),
    ]
