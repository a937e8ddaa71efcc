# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WordPress and its databases in Rancher's containers: the site is in the database that its environment and links lead
to, through a load balancer too; the servers of a Galera cluster have one and the same.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import containers
from lab.containers import Page
from lab.kubernetes.kubelet import database, wordpress
from lab.kubernetes.kubelet.database import Database, Session
from lab.rancher.images import image_of
from lab.rancher.runtime import Running, Visit, host_name
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_SERVERS = ("mariadb", "mysql", "rancher/galera")
_CLUSTERED = "rancher/galera"
_PREFIXES = ("MARIADB_", "MYSQL_")


def install(server: RancherServer) -> Sites:
    sites = Sites(server)
    server.on_stop(sites.clear)
    return sites


class Sites:
    """All sites and databases of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._folder = server.world.settings.scratch / "rancher" / server.name / "databases"

    def clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def equip(self, instance: Resource, running: Running) -> None:
        name = containers.bare_name(image_of(instance.fields))
        if name == "wordpress":
            running.responders[80] = lambda visit: self._answer(instance, visit)
        elif name in _SERVERS and not instance["command"]:
            self._database(instance).initialise(_settings(instance))

    def _answer(self, instance: Resource, visit: Visit) -> Page:
        if visit.path.startswith("/wp-content/"):
            return self._file(instance, visit.path)
        site = wordpress.Site(_environment(instance), Path("/nonexistent"), lambda: self._connect(instance))
        return wordpress.page(site, host_name(instance), visit.method, visit.path, visit.headers, visit.body)

    def _file(self, instance: Resource, path: str) -> Page:
        """From the volume that is mounted there."""
        place = wordpress.FILES + path.partition("?")[0]
        for mount, files in self._server.parts["volumes"].mounted(instance):
            if place.removeprefix(mount) in files and place.startswith(mount):
                return Page(200, files[place.removeprefix(mount)], "application/octet-stream")
        return Page(404, "<h1>Not Found</h1>\n")

    # Databases

    def _connect(self, instance: Resource) -> Session:
        """As the image does it: what is not said is taken from the link, and root makes the database."""
        environment = _environment(instance)
        host = environment.get("WORDPRESS_DB_HOST", "mysql").partition(":")[0]
        service = self._server.parts["instances"].network.named(instance, host.lower())
        server = next(iter(self._servers(service)), None) if service else None
        if server is None:
            raise ConnectionRefusedError(f"Can't connect to server on '{host}' (115)")
        user = environment.get("WORDPRESS_DB_USER", "root")
        password = environment.get("WORDPRESS_DB_PASSWORD", _settings(server).get("ROOT_PASSWORD", ""))
        name, found = environment.get("WORDPRESS_DB_NAME", "wordpress"), self._database(server)
        if user == "root":
            found.connect(user, password, None, "%").execute(f"create database if not exists {name}")
        return found.connect(user, password, name, str(instance["primaryIpAddress"]))

    def _servers(self, service: Resource) -> list[Resource]:
        """The database servers behind a service."""
        if service.kind in ("loadBalancerService", "dnsService"):
            links = self._server.parts["services"].links_of(service)
            targets = [self._server.store.need("service", link["consumedServiceId"]) for link in links]
            return [server for target in targets for server in self._servers(target)]
        alive = self._server.parts["instances"].network.alive
        return [
            one
            for one in self._server.store.live("instance", serviceId=service.id, managed=True, state="running")
            if containers.bare_name(image_of(one.fields)) in _SERVERS and not one["command"] and alive(one)
        ]

    def _database(self, server: Resource) -> Database:
        """In the volume of its data, if that has one; a cluster's servers have the same data."""
        key = server.id
        if containers.bare_name(image_of(server.fields)) == _CLUSTERED:
            key = str(server["serviceId"])
        for mount in self._server.store.live("mount", instanceId=server.id, path=database.DATA):
            key = str(mount["volumeId"])
        return Database(self._folder / key)


def _environment(instance: Resource) -> dict[str, str]:
    return {str(name): str(value) for name, value in (instance["environment"] or {}).items()}


def _settings(instance: Resource) -> dict[str, str]:
    """MARIADB_X and MYSQL_X as X."""
    found: dict[str, str] = {}
    for name, value in _environment(instance).items():
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                found.setdefault(name.removeprefix(prefix), value)
    return found
