# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EBS volumes: an attachment needs the same zone, a free device and a free volume; a type has its sizes and speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

from lab.aws.patching import aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_GIBIBYTES = {
    "gp2": (1, 16384),
    "gp3": (1, 65536),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "st1": (125, 16384),
    "sc1": (125, 16384),
    "standard": (1, 1024),
}
_IOPS_PER_GIBIBYTE = {"gp3": 500, "io1": 50, "io2": 1000}  # EBS user guide, "Provisioned IOPS SSD", "General Purpose"
_DEFAULT_IOPS, _DEFAULT_THROUGHPUT = 3000, 125  # EC2 API reference, ModifyVolume


def install(world: World) -> None:
    _describe()
    _create()
    _modify()
    _attach()


def _describe() -> None:
    @replaces(EBSBackend, "describe_volumes")
    def _describe_volumes(original: Original, backend: Any, volume_ids: Any = None, filters: Any = None) -> Any:
        for volume_id in volume_ids or ():
            if volume_id not in backend.volumes:
                raise aws_error("ec2", "InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
        return original(backend, volume_ids=volume_ids, filters=filters)


def _create() -> None:
    @replaces(ElasticBlockStore, "create_volume")
    def _create_volume(original: Original, response: Any) -> Any:
        zone = response._get_param("AvailabilityZone")
        if response.ec2_backend.get_zone_by_name(zone) is None:
            raise aws_error("ec2", "InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
        return original(response)

    @replaces(EBSBackend, "create_volume")
    def _create_volume_2(original: Original, backend: Any, size: Any, *arguments: Any, **options: Any) -> Any:
        kind = options.get("volume_type") or "gp2"
        least, most = _GIBIBYTES.get(kind, (1, 65536))
        if size is not None and not least <= int(size) <= most:
            message = f"Volume of {size}GiB is invalid for volume type '{kind}': from {least} to {most} GiB."
            raise aws_error("ec2", "InvalidParameterValue", message)
        if size is not None:
            _check_ratio(kind, options.get("iops"), int(size))
        volume = original(backend, size, *arguments, **options)
        _at_speed(volume)
        return volume


def _modify() -> None:
    @replaces(EBSBackend, "modify_volume")
    def _modify_volume(
        original: Original, backend: Any, volume_id: str, size: Any, kind: Any, iops: Any, throughput: Any, *rest: Any
    ) -> Any:
        volume = backend.get_volume(volume_id)
        before = volume.volume_type
        stays = kind in (None, before)
        provisioned = iops or (None if stays else _DEFAULT_IOPS)
        _check_ratio(kind or before, provisioned, int(size or volume.size))
        changed = original(backend, volume_id, size, kind, iops, throughput, *rest)
        if stays:
            return changed
        # of what was provisioned for the type before, nothing is kept
        volume.iops, volume.throughput = iops, throughput
        _at_speed(volume)
        return changed


def _check_ratio(kind: str, iops: Any, size: int) -> None:
    """A volume can have so many a GiB; the 3000 that a gp3 comes with, any can."""
    most = _IOPS_PER_GIBIBYTE.get(kind)
    if most is None or not iops or (kind == "gp3" and int(iops) <= _DEFAULT_IOPS) or int(iops) <= most * size:
        return
    message = f"Iops to volume size ratio of {int(iops) / size:.6f} is too high; maximum is {most}"
    raise aws_error("ec2", "InvalidParameterValue", message)


def _at_speed(volume: Any) -> None:
    """What a volume is given where nothing is asked for."""
    kind = volume.volume_type
    if kind == "gp2":
        volume.iops = max(100, min(16000, 3 * int(volume.size)))
    if kind in ("gp3", "io1", "io2"):
        volume.iops = volume.iops or _DEFAULT_IOPS
    if kind == "gp3":
        volume.throughput = volume.throughput or _DEFAULT_THROUGHPUT


def _attach() -> None:
    @replaces(EBSBackend, "attach_volume")
    def _attach_volume(
        original: Original, backend: Any, volume_id: str, instance_id: str, device_path: str, *rest: Any
    ) -> Any:
        volume, instance = backend.get_volume(volume_id), backend.get_instance(instance_id)
        if volume.attachment:
            message = f"{volume_id} is already attached to an instance"
            raise aws_error("ec2", "VolumeInUse", message)
        if volume.zone.name != instance.placement.zone:
            message = f"The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'"
            raise aws_error("ec2", "InvalidVolume.ZoneMismatch", message)
        if instance.state not in ("pending", "running", "stopped", "stopping"):
            message = f"Instance '{instance_id}' is not 'running'."
            raise aws_error("ec2", "IncorrectState", message)
        if device_path in instance.block_device_mapping:
            message = f"Invalid value '{device_path}' for unixDevice. Attachment point {device_path} is already in use"
            raise aws_error("ec2", "InvalidParameterValue", message)
        return original(backend, volume_id, instance_id, device_path, *rest)

    @replaces(EBSBackend, "detach_volume")
    def _detach_volume(original: Original, backend: Any, volume_id: str, instance_id: Any, device_path: Any) -> Any:
        attachment = backend.get_volume(volume_id).attachment
        if attachment is None:
            raise aws_error("ec2", "IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
        return original(backend, volume_id, instance_id or attachment.instance.id, device_path or attachment.device)
