# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: named ones outlive the containers that mount them; those of a shared driver are the same on all hosts."""

from __future__ import annotations

from typing import Any

from lab.rancher.compose_in import volumes_of_stack
from lab.rancher.context import Context
from lab.rancher.errors import RancherError
from lab.rancher.processes import ProcessFailedError
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_LOCAL = "local"


def install(server: RancherServer) -> Volumes:
    volumes = Volumes(server)
    server.on_create("volume", volumes.create)
    server.on_delete("volume", volumes.delete)
    server.on_show("volume", volumes.show)
    server.on_link("volume", "mounts", lambda _c, one: server.store.live("mount", volumeId=one.id))
    server.on_link("volume", "storagePools", volumes.pools_of)
    server.on_link("storagePool", "volumes", lambda _c, one: server.store.live("volume", storagePoolId=one.id))
    server.on_link("storagePool", "hosts", volumes.hosts_of)
    server.on_link("instance", "volumes", volumes.of_instance)
    server.on_link("instance", "mounts", lambda _c, one: server.store.live("mount", instanceId=one.id))
    server.on_link("mount", "volume", lambda _c, one: [server.store.need("volume", one["volumeId"])])
    server.on_link("mount", "instance", lambda _c, one: [server.store.need("instance", one["instanceId"])])
    server.processes.on_work("volume", "remove", volumes.forget)
    return volumes


class Volumes:
    """The volumes of one server, and the files in them."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._files: dict[str, dict[str, str]] = {}

    # Through the API

    def create(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        chosen = {name: value for name, value in fields.items() if value is not None}
        volume = self._server.store.create(kind, **{"driver": _LOCAL, **chosen, "accountId": context.owner().id})
        self._server.processes.start(volume, "create")
        return volume

    def delete(self, _context: Context, volume: Resource, _body: dict[str, Any]) -> None:
        """Not while a container has it."""
        if self._server.store.live("mount", volumeId=volume.id) or not self._server.processes.find(volume, "remove"):
            raise RancherError(405)
        self._server.processes.start(volume, "remove")

    def forget(self, volume: Resource) -> None:
        self._files.pop(volume.id, None)

    def show(self, _context: Context, volume: Resource) -> dict[str, Any]:
        mounts = self._server.store.live("mount", volumeId=volume.id)
        found = [
            {"type": "mountEntry", "instanceId": one["instanceId"], "path": one["path"], "volumeId": volume.id}
            for one in mounts
        ]
        return {"mounts": found or None, "isHostPath": bool(volume["isHostPath"])}

    def pools_of(self, _context: Context, volume: Resource) -> list[Resource]:
        found = self._server.store.get("storagePool", volume["storagePoolId"])
        return [found] if found else []

    def hosts_of(self, _context: Context, pool: Resource) -> list[Resource]:
        return [one for one in self._server.parts["hosts"].usable(str(pool.project)) if pool["driverName"]]

    def of_instance(self, _context: Context, instance: Resource) -> list[Resource]:
        mounts = self._server.store.live("mount", instanceId=instance.id)
        return [self._server.store.need("volume", mount["volumeId"]) for mount in mounts]

    # With a container

    def attach(self, instance: Resource, host: Resource) -> None:
        """Every `name:/path` and every bare path of the container gets its volume."""
        for spec in instance["dataVolumes"] or ():
            source, path = _split(spec)
            volume = self._find(instance, host, source)
            self._server.store.create(
                "mount",
                accountId=instance.project,
                instanceId=instance.id,
                volumeId=volume.id,
                path=path,
                permissions="ro" if spec.endswith(":ro") else "rw",
                state="active",
            )
            volume.state = "active"

    def _find(self, instance: Resource, host: Resource, source: str) -> Resource:
        store, driver = self._server.store, instance["volumeDriver"] or _LOCAL
        host_path = source.startswith("/")
        if source and not host_path and driver != _LOCAL:
            pool = self.pool(str(instance.project), driver)
            if pool is None:
                raise ProcessFailedError(f"Could not find storage pool for volume driver: {driver}")
            for volume in store.live("volume", accountId=instance.project, name=source, driver=driver):
                return volume
            return self._make(instance, source, driver, f"{driver}://{source}", storagePoolId=pool.id)
        stack = self._stack_of(instance)
        if stack and source in volumes_of_stack(stack["dockerCompose"]):
            name = f"{stack.name}_{source}_{stack.id}"
            for volume in store.live("volume", name=name, hostId=host.id):
                return volume
            more = {"hostId": host.id, "environmentId": stack.id}
            return self._make(instance, name, _LOCAL, f"{_LOCAL}://{name}", **more)
        if source:
            uri = f"file://{source}" if host_path else f"{_LOCAL}://{source}"
            for volume in store.live("volume", accountId=instance.project, uri=uri, hostId=host.id):
                return volume
            return self._make(instance, source, _LOCAL, uri, hostId=host.id, isHostPath=host_path)
        return self._make(instance, instance["uuid"], _LOCAL, "", hostId=host.id, anonymous=True)

    def _stack_of(self, instance: Resource) -> Resource | None:
        """The stack whose volumes a container may have; servers before 1.2 know none."""
        service = self._server.store.get("service", instance["serviceId"]) if self._server.era != "1.1" else None
        return self._server.store.get("environment", service["environmentId"]) if service else None

    def remove_those_of(self, stack: Resource) -> None:
        """Its own go with a stack."""
        for volume in self._server.store.live("volume", environmentId=stack.id):
            if self._server.processes.find(volume, "remove"):
                self._server.processes.start(volume, "remove")

    def _make(self, instance: Resource, name: str, driver: str, uri: str, **more: Any) -> Resource:
        return self._server.store.create(
            "volume", accountId=instance.project, name=name, driver=driver, uri=uri, state="active", **more
        )

    def detach(self, instance: Resource) -> None:
        """Mounts go with the container, and volumes that nobody has named."""
        for mount in self._server.store.live("mount", instanceId=instance.id):
            self._server.parts["cleaner"].remove(mount)
            volume = self._server.store.need("volume", mount["volumeId"])
            if self._server.store.live("mount", volumeId=volume.id):
                continue
            volume.state = "inactive"
            if volume["anonymous"]:
                self._server.processes.start(volume, "remove")

    def mounted(self, instance: Resource) -> list[tuple[str, dict[str, str]]]:
        """Where what is mounted in a container: paths, longest first, and the files below them."""
        store = self._server.store
        mounts = store.live("mount", instanceId=instance.id)
        for name in instance["volumesFromUnits"] or ():
            for other in store.live("instance", deploymentUnitUuid=instance["deploymentUnitUuid"], unit=name):
                mounts += store.live("mount", instanceId=other.id)
        found = [(str(mount["path"]).rstrip("/"), self._files.setdefault(mount["volumeId"], {})) for mount in mounts]
        return sorted(found, key=lambda one: -len(one[0]))

    # Drivers

    def pool(self, project_id: str, driver: str) -> Resource | None:
        """The storage pool that a volume driver's service has announced."""
        return next(iter(self._server.store.live("storagePool", accountId=project_id, driverName=driver)), None)

    def announce(self, project_id: str, driver: str, stack_id: str) -> None:
        """A volume driver has come up on the project's hosts."""
        if self.pool(project_id, driver) is None:
            self._server.store.create(
                "storagePool",
                accountId=project_id,
                name=driver,
                kind="storagePool",
                driverName=driver,
                externalId=driver,
                convoyStack=stack_id,
                volumeAccessMode="multiHostRW",
                state="active",
            )


def _split(spec: str) -> tuple[str, str]:
    """`name:/path[:ro]`, `/host:/path`, `/path` -> what it comes from ("" = a new one), and where it is put."""
    parts = spec.split(":")
    return (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
