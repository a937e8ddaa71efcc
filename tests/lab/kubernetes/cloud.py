# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud under a cluster, as its volumes see it: none (a stand-alone cluster), or the lab's AWS (aws_cloud.py)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class CloudError(Exception):
    """The cloud refuses: the operation, its error code and its sentence."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"operation error EC2: {operation}, api error {code}: {message}")
        self.code = code


class Cloud(Protocol):
    """What a CSI driver asks of EC2."""

    def create_volume(self, zone: str, gibibytes: int, parameters: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """The id of a new volume; the same Name tag gives the same volume."""

    def delete_volume(self, volume: str) -> None:
        """Gone already is as good."""

    def grow_volume(self, volume: str, gibibytes: int) -> None:
        """Make it larger."""

    def attach_volume(self, volume: str, instance: str) -> None:
        """Attached to this instance already is as good."""

    def detach_volume(self, volume: str, instance: str) -> None:
        """Not attached is as good."""


@dataclass
class _Volume:
    zone: str
    gibibytes: int
    name: str = ""
    instance: str | None = None


class NoCloud:
    """Volumes of a stand-alone cluster: EC2's rules, without EC2.

    A volume of which nothing is known exists in the zone where it is first wanted, so that any id can be used.
    """

    def __init__(self, zones: Mapping[str, str] | None = None) -> None:
        self._zones = dict(zones or {})
        self._volumes: dict[str, _Volume] = {}

    def know_instance(self, instance: str, zone: str) -> None:
        self._zones[instance] = zone

    def know_volume(self, volume: str, zone: str, gibibytes: int = 10, instance: str | None = None) -> None:
        """A volume made by hand, perhaps attached to an instance outside the cluster."""
        self._volumes[volume] = _Volume(zone, gibibytes, instance=instance)

    def create_volume(self, zone: str, gibibytes: int, parameters: Mapping[str, str], tags: Mapping[str, str]) -> str:
        name = tags.get("Name", "")
        for volume, known in self._volumes.items():
            if name and known.name == name:
                return volume
        volume = "vol-" + secrets.token_hex(9)[:17]
        self._volumes[volume] = _Volume(zone, gibibytes, name)
        return volume

    def delete_volume(self, volume: str) -> None:
        known = self._volumes.get(volume)
        if known is not None and known.instance:
            raise CloudError(
                "DeleteVolume", "VolumeInUse", f"Volume {volume} is currently attached to {known.instance}"
            )
        self._volumes.pop(volume, None)

    def grow_volume(self, volume: str, gibibytes: int) -> None:
        self._volumes[volume].gibibytes = max(gibibytes, self._volumes[volume].gibibytes)

    def attach_volume(self, volume: str, instance: str) -> None:
        zone = self._zones.get(instance, "")
        known = self._volumes.setdefault(volume, _Volume(zone, 10))
        if known.instance == instance:
            return
        if known.instance is not None:
            raise CloudError("AttachVolume", "VolumeInUse", f"{volume} is already attached to an instance")
        if known.zone != zone:
            message = f"The volume '{volume}' is not in the same availability zone as instance '{instance}'"
            raise CloudError("AttachVolume", "InvalidVolume.ZoneMismatch", message)
        known.instance = instance

    def detach_volume(self, volume: str, instance: str) -> None:
        known = self._volumes.get(volume)
        if known is not None and known.instance == instance:
            known.instance = None
