# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WordPress and its databases in Rancher's containers: the site is in the database that its environment or its wizard
names, through a load balancer too; the servers of a Galera cluster have one and the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from lab import containers
from lab.containers import Page
from lab.kubernetes.kubelet import database, wordpress
from lab.kubernetes.kubelet.database import Database, Session
from lab.rancher.images import image_of
from lab.rancher.runtime import Running, Visit, host_name
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource
from lab.shell.run import Call, Program

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
        self._configured: dict[str, dict[str, str]] = {}
        """By instance, what its wizard was told."""
        self._folder = server.world.settings.scratch / "rancher" / server.name / "databases"

    def clear(self) -> None:
        self._configured.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def equip(self, instance: Resource, running: Running) -> None:
        name = containers.bare_name(image_of(instance.fields))
        if name == "wordpress":
            running.responders[80] = lambda visit: self._answer(instance, visit)
        elif self._is_server(instance):
            self._database(instance).initialise(_settings(instance))

    def _answer(self, instance: Resource, visit: Visit) -> Page:
        if visit.path.startswith("/wp-content/"):
            return self._file(instance, visit.path)
        settings = self._wordpress_settings(instance)
        if not settings:
            return wordpress.wizard(
                lambda form: self._configure(instance, form), host_name(instance), visit.path, visit.headers, visit.body
            )
        site = wordpress.Site(settings, Path("/nonexistent"), lambda: self._connect(instance, settings))
        return wordpress.page(site, host_name(instance), visit.method, visit.path, visit.headers, visit.body)

    def _file(self, instance: Resource, path: str) -> Page:
        """From the volume that is mounted there."""
        place = wordpress.FILES + path.partition("?")[0]
        for mount, files in self._server.parts["volumes"].mounted(instance):
            if place.removeprefix(mount) in files and place.startswith(mount):
                return Page(200, files[place.removeprefix(mount)], "application/octet-stream")
        return Page(404, "<h1>Not Found</h1>\n")

    # Databases

    def _wordpress_settings(self, instance: Resource) -> dict[str, str]:
        """Without any, today's image makes no wp-config.php: it takes nothing from links."""
        given = {name: value for name, value in _environment(instance).items() if name.startswith("WORDPRESS_")}
        return given or self._configured.get(instance.id, {})

    def _configure(self, instance: Resource, form: Mapping[str, str]) -> None:
        fields = {"NAME": "dbname", "USER": "uname", "PASSWORD": "pwd", "HOST": "dbhost"}
        told = {f"WORDPRESS_DB_{name}": form.get(field, "") for name, field in fields.items()}
        self._connect(instance, told)
        self._configured[instance.id] = {**told, "WORDPRESS_TABLE_PREFIX": form["prefix"]}

    def _connect(self, instance: Resource, settings: Mapping[str, str]) -> Session:
        """What is not said is as in the image's wp-config-docker.php."""
        return self._session(
            instance,
            settings.get("WORDPRESS_DB_HOST", "mysql"),
            settings.get("WORDPRESS_DB_USER", "example username"),
            settings.get("WORDPRESS_DB_PASSWORD", "example password"),
            settings.get("WORDPRESS_DB_NAME", "wordpress"),
        )

    def _session(self, instance: Resource, host: str, user: str, password: str, name: str | None) -> Session:
        """A session of a program in the container."""
        host = host.partition(":")[0]
        if host in ("", "localhost", "127.0.0.1") and self._is_server(instance):
            return self._database(instance).connect(user, password, name, "localhost")
        service = self._server.parts["instances"].network.named(instance, host.lower())
        server = next(iter(self._servers(service)), None) if service else None
        if server is None:
            raise ConnectionRefusedError(f"Can't connect to server on '{host}' (115)")
        return self._database(server).connect(user, password, name, str(instance["primaryIpAddress"]))

    def programs(self, instance: Resource) -> dict[str, Program]:
        """The client in a server's container. MariaDB's has no other name any more."""
        if not self._is_server(instance):
            return {}

        def client(call: Call) -> int:
            output, error, code = database.client(
                call.words[0], call.words[1:], call.input, call.shell.variables,
                lambda host, _port, *login: self._session(instance, host, *login),
            )  # fmt: skip
            call.output.extend(filter(None, [output]))
            call.errors.extend(filter(None, [error]))
            return code

        return {"mariadb" if containers.bare_name(image_of(instance.fields)) == "mariadb" else "mysql": client}

    @staticmethod
    def _is_server(instance: Resource) -> bool:
        return containers.bare_name(image_of(instance.fields)) in _SERVERS and not instance["command"]

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
            if self._is_server(one) and alive(one)
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
