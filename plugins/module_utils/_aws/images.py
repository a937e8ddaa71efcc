# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance is started from: which image fits which type, and in which zones there is that type. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import InputError, NotFoundError, SchedulersError
from .api import Aws

RECOMMENDED = {
    "x86_64": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
    "arm64": "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
}
DEBIAN = {
    "x86_64": "/aws/service/debian/release/13/latest/amd64",
    "arm64": "/aws/service/debian/release/13/latest/arm64",
}
RECOMMENDED_ROOT_DEVICE = "/dev/xvda"  # of both
DEBIAN_VOLUME_SIZE = 8  # GiB
RECOMMENDED_VOLUME_SIZE = 30  # GiB
# "c7gn.medium", but also "u7i-12tb.224xlarge", "u-6tb1.metal" and "p6e-gb200.36xlarge": which ones there are, EC2 knows
TYPE = re.compile(
    r"(?=[a-z-]*\d)(?P<family>[a-z]+)(?P<generation>\d*)(?P<attributes>[a-z]*)(-(?P<variant>[a-z0-9]+))?\.[a-z0-9-]+"
)


@dataclass(frozen=True)
class Image:
    """An image to start instances from, with the device and the least GiB of its root volume.

    Attributes:
        more_volumes: GiB of its other volumes, by device.
    """

    id: str
    architecture: str
    root_device: str
    volume_size: int
    more_volumes: Mapping[str, int] = field(default_factory=dict)


def architecture_of(instance_type: str) -> str:
    """The architecture of an instance type, by its name: a "g" behind the generation is Graviton, "gb" behind a hyphen
    Grace. Pure.

    https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html

    Raises:
        InputError: it does not look like an instance type.
    """
    match = TYPE.fullmatch(instance_type)
    if not match:
        raise InputError(f"instance_type: {instance_type!r} is no instance type; t3.small is one, for example")
    first_graviton = match["family"] + match["generation"] == "a1"
    grace = (match["variant"] or "").startswith("gb")
    return "arm64" if first_graviton or grace or "g" in match["attributes"] else "x86_64"


def recommended_image(aws: Aws, architecture: str) -> Image:
    """The ECS-optimised Amazon Linux 2023 image of today."""
    request = {"Name": RECOMMENDED[architecture]}
    doing = f"look up the ECS-optimised image for {architecture} in {aws.region}"
    parameter = aws.call("ssm", "GetParameter", request, doing=doing)["Parameter"]
    return Image(parameter["Value"], architecture, RECOMMENDED_ROOT_DEVICE, RECOMMENDED_VOLUME_SIZE)


def debian_image(aws: Aws, architecture: str) -> Image:
    """The image of Debian 13 of today, which Debian itself publishes."""
    doing = f"look up the image of Debian 13 for {architecture} in {aws.region}"
    parameter = aws.call("ssm", "GetParameter", {"Name": DEBIAN[architecture]}, doing=doing)["Parameter"]
    return Image(parameter["Value"], architecture, RECOMMENDED_ROOT_DEVICE, DEBIAN_VOLUME_SIZE)


def given_image(aws: Aws, image_id: str, architecture: str) -> Image:
    """An image that the user names.

    Raises:
        InputError: there is none of this id in the region, or it is for another architecture.
    """
    try:
        found = aws.call("ec2", "DescribeImages", {"ImageIds": [image_id]}, doing=f"look up image {image_id}")["Images"]
    except SchedulersError as error:
        if not (isinstance(error, NotFoundError) or error.code.startswith("InvalidAMIID")):
            raise
        found = []
    if not found:
        raise InputError(f"ami: there is no image {image_id} in {aws.region} that this account may use")
    root = found[0]["RootDeviceName"]
    disks = {one["DeviceName"]: one["Ebs"] for one in found[0]["BlockDeviceMappings"] if one.get("Ebs")}
    sizes = {device: int(disk.get("VolumeSize", 1)) for device, disk in disks.items()}
    image = Image(image_id, found[0]["Architecture"], root, sizes.pop(root, 1), sizes)
    if image.architecture != architecture:
        raise InputError(f"ami: {image_id} is for {image.architecture}, the instance type needs one for {architecture}")
    return image


def check_volume_of_template(aws: Aws, size: int | None, template: Mapping[str, Any]) -> None:
    """Refuse another root volume for instances that keep their image, if that has no room in it.

    Raises:
        InputError: it is too small, or the image is gone.
    """
    image_id = template["image_id"]
    try:
        image = given_image(aws, image_id, architecture_of(template["instance_type"]))
    except InputError as error:
        raise InputError(
            f"volume_size: {image_id}, the image of the cluster, is gone", hint="Give ami, too."
        ) from error
    check_volume(size, image)


def check_volume(size: int | None, image: Image) -> None:
    """Refuse a root volume that the image has no room in. Pure.

    Raises:
        InputError: it is too small.
    """
    if size and size < image.volume_size:
        raise InputError(f"volume_size: {size} GiB is less than the {image.volume_size} of {image.id}")


def offered_zones(aws: Aws, instance_type: str) -> list[str]:
    """The zones of the region (without local zones) that have this instance type.

    Raises:
        InputError: none has it.
    """
    offers = aws.pages(
        "ec2",
        "DescribeInstanceTypeOfferings",
        "InstanceTypeOfferings",
        {"LocationType": "availability-zone", "Filters": [{"Name": "instance-type", "Values": [instance_type]}]},
        doing=f"look up the zones that have {instance_type}",
    )
    zones = sorted(one["Location"] for one in offers if re.fullmatch(rf"{aws.region}[a-z]", one["Location"]))
    if not zones:
        raise InputError(f"instance_type: there is no {instance_type!r} in {aws.region}")
    return zones
