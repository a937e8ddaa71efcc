# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances: everything is checked first, then every instance gets its profile, groups, volumes and tags."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import moto.ec2.models.iam_instance_profile
import moto.ec2.responses.instances
from moto.core.exceptions import ServiceException
from moto.ec2.models.amis import Ami
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.amis import AmisResponse
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends

from lab.aws import launch_templates
from lab.aws.patching import aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_METADATA_KEY = re.compile(r"[0-9a-zA-Z\-_+=,.@:]{1,255}")


def install(world: World) -> None:
    _run(world)
    _describe()
    _images()
    _profiles(world)
    _terminate()


def _run(world: World) -> None:
    @replaces(InstanceBackend, "run_instances")
    def _run_instances(
        original: Original,
        backend: Any,
        image_id: Any,
        count: int,
        user_data: Any,
        security_group_names: Any,
        **options: Any,
    ) -> Any:
        if world.call is not None and world.call.name == "ec2.RunInstances":
            count = int(world.call.params.get("MaxCount", count))
        image_id, user_data, profile = launch_templates.merged(backend, image_id, user_data, options)
        _check(backend, image_id, options)
        _check_metadata(options, shown=world.settings.ec2_metadata_tags)
        if profile:
            _profile(backend, profile.get("Name"), profile.get("Arn"))
        wanted_nics = copy.deepcopy(options.get("nics") or [])
        mappings = _mappings(backend, image_id, options.get("block_device_mappings") or [])
        options["block_device_mappings"] = mappings
        before = set(backend.reservations)
        try:
            reservation = original(backend, image_id, count, user_data, security_group_names, **options)
        except Exception:
            for reservation_id in set(backend.reservations) - before:
                del backend.reservations[reservation_id]
            raise
        for instance in reservation.instances:
            _finish(backend, instance, wanted_nics, mappings)
        _associate(backend, reservation.instances, profile, options)
        return reservation


def _describe() -> None:
    @replaces(InstanceBackend, "get_reservations_by_instance_ids")
    def _get_reservations(original: Original, backend: Any, instance_ids: Any, filters: Any = None) -> Any:
        """moto stumbles over an id that is given twice."""
        return original(backend, list(dict.fromkeys(instance_ids)), filters)


def _images() -> None:
    """An image has the volumes that it was registered with; moto knows one, of 15 GiB."""

    @replaces(AmisResponse, "register_image")
    def _register_image(original: Original, response: Any) -> Any:
        disks = [one for one in response._get_param("BlockDeviceMappings", []) if one.get("Ebs")]
        root = response._get_param("RootDeviceName") or "/dev/sda1"
        if not any(one["DeviceName"] == root and one["Ebs"].get("SnapshotId") for one in disks):
            raise aws_error("ec2", "InvalidBlockDeviceMapping", "No root snapshot specified in device mapping.")
        snapshots = {one.id: one.volume for one in response.ec2_backend.snapshots.values()}
        for one in disks:
            snapshot = snapshots.get(one["Ebs"].get("SnapshotId"))
            one["Ebs"].setdefault("VolumeSize", snapshot.size if snapshot else None)
            one["Ebs"].setdefault("DeleteOnTermination", one["DeviceName"] == root)
        answer = original(response)
        image = response.ec2_backend.amis[answer._result["ImageId"]]
        image.lab_disks, image.root_device_name, image.root_device_type = disks, root, "ebs"
        image.architecture = response._get_param("Architecture") or "i386"
        return answer

    @replaces(Ami, "block_device_mappings")
    def _block_device_mappings(original: Original, image: Any) -> Any:
        return getattr(image, "lab_disks", None) or original(image)


def _check(backend: Any, image_id: str | None, options: dict[str, Any]) -> None:
    key = options.get("key_name")
    if key and key not in backend.key_pairs:
        raise aws_error("ec2", "InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    if not image_id:
        raise aws_error("ec2", "MissingParameter", "The request must contain the parameter ImageId")
    instance_type = options.get("instance_type", "")
    if not options.get("is_instance_type_default") and instance_type not in INSTANCE_TYPES:
        message = f"Invalid value '{instance_type}' for InstanceType."
        raise aws_error("ec2", "InvalidParameterValue", message)
    image = backend.amis.get(image_id)
    facts = INSTANCE_TYPES.get(instance_type)
    if image and facts and not options.get("is_instance_type_default"):
        supported = facts.get("ProcessorInfo", {}).get("SupportedArchitectures", [])
        if supported and image.architecture not in supported:
            message = (
                f"The architecture '{','.join(supported)}' of the specified instance type does not match "
                f"the architecture '{image.architecture}' of the specified AMI. Specify an instance type and an AMI "
                "that have matching architectures, and try again."
            )
            raise aws_error("ec2", "InvalidParameterValue", message)
    _check_network(backend, options)


def _check_metadata(options: dict[str, Any], *, shown: bool) -> None:
    """What an instance may read in its metadata has keys that fit into a path."""
    given = (options.get("metadata_options") or {}).get("InstanceMetadataTags")
    keys = (options.get("tags") or {}).get("instance", {}) if given == "enabled" or (shown and not given) else {}
    for key in keys:
        if not _METADATA_KEY.fullmatch(key):
            message = f"'{key}' is not a valid tag key. Tag keys must match pattern ({_METADATA_KEY.pattern})"
            raise aws_error("ec2", "InvalidParameterValue", f"{message}, and must not be a reserved name")


def _check_network(backend: Any, options: dict[str, Any]) -> None:
    """Groups must belong to the VPC of the subnet."""
    nics = options.get("nics") or []
    primary = nics[0] if nics else {}
    subnet_id = options.get("subnet_id") or primary.get("SubnetId")
    if not subnet_id:
        return
    subnet = backend.get_subnet(subnet_id)
    for group_id in [*(options.get("security_group_ids") or []), *(primary.get("Groups") or [])]:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise aws_error("ec2", "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        if group.vpc_id != subnet.vpc_id:
            message = f"Security group {group_id} and subnet {subnet_id} belong to different networks."
            raise aws_error("ec2", "InvalidParameter", message)


def _mappings(backend: Any, image_id: str | None, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The image's volumes, changed by what was asked, and the volumes asked for beside them."""
    image = backend.amis.get(image_id)
    root = (image.root_device_name if image else None) or "/dev/xvda"
    size = 30 if image and "ecs" in (image.name or "") else 8
    by_device: dict[str, dict[str, Any]] = {
        root: {"DeviceName": root, "Ebs": {"VolumeSize": size, "DeleteOnTermination": True}}
    }
    for mapping in copy.deepcopy(getattr(image, "lab_disks", ())):
        by_device.setdefault(mapping["DeviceName"], mapping)["Ebs"].update(mapping["Ebs"])
    for mapping in copy.deepcopy(given):
        device = mapping["DeviceName"]
        disk = {name: value for name, value in (mapping.get("Ebs") or {}).items() if value is not None}
        if device in by_device:
            by_device[device]["Ebs"].update(disk)
        elif mapping.get("Ebs"):
            if not {"VolumeSize", "SnapshotId"} & {*disk}:
                message = "The request must contain the parameter size or snapshotId"
                raise aws_error("ec2", "MissingParameter", message)
            by_device[device] = {"DeviceName": device, "Ebs": disk}
    return list(by_device.values())


def _finish(backend: Any, instance: Any, wanted_nics: list[dict[str, Any]], mappings: list[dict[str, Any]]) -> None:
    """What moto leaves out of a new instance."""
    kept = {int(nic.get("DeviceIndex", 0)) for nic in wanted_nics if nic.get("DeleteOnTermination") is False}
    given = {int(nic.get("DeviceIndex", 0)) for nic in wanted_nics if nic.get("NetworkInterfaceId")}
    for index, nic in instance.nics.items():
        nic.delete_on_termination = index not in kept | given
    if not instance.security_groups and instance.nics:
        instance.security_groups = list(instance.nics[0].group_set)
    disks = {mapping["DeviceName"]: mapping["Ebs"] for mapping in mappings}
    for device, attached in instance.get_block_device_mapping:
        volume = backend.volumes[attached.volume_id]
        for attribute, field in (("iops", "Iops"), ("throughput", "Throughput")):
            if disks.get(device, {}).get(field):
                setattr(volume, attribute, int(disks[device][field]))


def _associate(backend: Any, instances: list[Any], profile: dict[str, str] | None, options: dict[str, Any]) -> None:
    """moto gives a profile only to the first instance, and none that comes from a template."""
    name, arn = options.get("iam_instance_profile_name"), options.get("iam_instance_profile_arn")
    if profile:
        name, arn = profile.get("Name"), profile.get("Arn")
    missing = instances if profile else instances[1:]
    for instance in missing if name or arn else []:
        backend.associate_iam_instance_profile(
            instance.id, iam_instance_profile_name=name, iam_instance_profile_arn=arn
        )


def _profile(backend: Any, name: str | None, arn: str | None) -> Any:
    return moto.ec2.responses.instances.filter_iam_instance_profiles(
        backend.account_id, partition=backend.partition, iam_instance_profile_arn=arn, iam_instance_profile_name=name
    )


def _profiles(world: World) -> None:
    """EC2 knows an instance profile some time after IAM does, and speaks of it in its own words."""

    def found(
        original: Original,
        account_id: str,
        partition: str,
        iam_instance_profile_arn: Any,
        iam_instance_profile_name: Any,
    ) -> Any:
        try:
            profile = original(account_id, partition, iam_instance_profile_arn, iam_instance_profile_name)
        except ServiceException:
            profile = None
        if profile is None or world.is_new(f"instance-profile/{profile.name}"):
            kind, what = ("name", "name") if iam_instance_profile_name else ("arn", "ARN")
            value = iam_instance_profile_name or iam_instance_profile_arn
            start = f"Value ({value}) for parameter iamInstanceProfile.{kind} is invalid."
            raise aws_error("ec2", "InvalidParameterValue", f"{start} Invalid IAM Instance Profile {what}")
        if not profile.roles:
            message = f'IAM Instance Profile "{profile.arn}" has no associated IAM Roles'
            raise aws_error("ec2", "InvalidParameterValue", message)
        return profile

    for module in (moto.ec2.responses.instances, moto.ec2.models.iam_instance_profile):
        replaces(module, "filter_iam_instance_profiles")(found)


def _terminate() -> None:
    @replaces(Instance, "terminate")
    def _terminate_2(original: Original, instance: Any) -> Any:
        if instance.state == "terminated":
            return copy.copy(instance._state)
        backend = instance.ec2_backend
        instance.lab_terminating = True
        for address in backend.addresses:
            if address.instance is instance or (address.eni is not None and address.eni.instance is instance):
                backend.disassociate_address(address=address.public_ip)
        previous = original(instance)
        _leave_balancers(backend, instance.id)
        for nic in instance.nics.values():
            if nic.id in backend.enis:  # kept: as if it had been detached
                nic.instance, nic.attachment_id, nic.status = None, None, "available"
        return previous


def _leave_balancers(backend: Any, instance_id: str) -> None:
    for group in elbv2_backends[backend.account_id][backend.region_name].target_groups.values():
        group.deregister_terminated_instances([instance_id])
    for balancer in elb_backends[backend.account_id][backend.region_name].load_balancers.values():
        for registered in (balancer.instance_sparse_ids, balancer.instance_autoscaling_ids):
            if instance_id in registered:
                registered.remove(instance_id)
