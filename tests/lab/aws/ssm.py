# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public parameters: the recommended ECS image as JSON, and Ubuntu's and Debian's images, which moto lacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import moto.ssm.models
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ssm.models import Parameter, ParameterDict

from lab.aws.patching import replaces
from lab.world import World

Original = Callable[..., Any]


class Distribution(NamedTuple):
    """A distribution whose images are found by a public parameter."""

    owner: str
    parameter: str
    name: str
    root: str


_DISTRIBUTIONS = (
    *(
        Distribution(
            "099720109477",
            f"/aws/service/canonical/ubuntu/server/{release}/stable/current/{{architecture}}/hvm/ebs-{disk}/ami-id",
            f"ubuntu/images/hvm-ssd{suffix}/ubuntu-{code}-{release}-{{architecture}}-server-20260901",
            "/dev/sda1",
        )
        for release, code, disk, suffix in (("22.04", "jammy", "gp2", ""), ("24.04", "noble", "gp3", "-gp3"))
    ),
    *(
        Distribution(
            "136693071363", f"/aws/service/debian/release/{release}/latest/{{architecture}}",
            f"debian-{release}-{{architecture}}-20260901-2200", "/dev/xvda",
        )
        for release in ("12", "13")
    ),
)  # fmt: skip


def install(world: World) -> None:
    @replaces(moto.ssm.models, "convert_to_params")
    def _convert_to_params(original: Original, tree: dict[str, Any]) -> Any:
        """moto shows `.../recommended` as Python writes a dictionary."""
        found = original(tree)
        for parameter in found:
            if isinstance(parameter["Value"], dict):
                parameter["Value"] = json.dumps(parameter["Value"], separators=(",", ":"))
        return found

    @replaces(AmiBackend, "_load_amis")
    def _load_amis(original: Original, backend: Any) -> None:
        original(backend)
        for image_id, distribution, architecture in _images(backend.region_name):
            backend.amis[image_id] = Ami(
                backend,
                image_id,
                name=distribution.name.format(architecture=architecture),
                owner_id=distribution.owner,
                architecture="x86_64" if architecture == "amd64" else "arm64",
                public=True,
                root_device_name=distribution.root,
                root_device_type="ebs",
                virtualization_type="hvm",
            )

    @replaces(ParameterDict, "_check_loading_status")
    def _check_loading_status(original: Original, parameters: Any, key: str) -> None:
        original(parameters, key)
        if str(key).startswith(("/aws/service/canonical", "/aws/service/debian")):
            _load_distributions(parameters)


def _images(region: str) -> Iterator[tuple[str, Distribution, str]]:
    for distribution in _DISTRIBUTIONS:
        for architecture in ("amd64", "arm64"):
            digest = hashlib.sha256(f"{region} {distribution.name} {architecture}".encode()).hexdigest()
            yield f"ami-{digest[:17]}", distribution, architecture


def _load_distributions(parameters: Any) -> None:
    for image_id, distribution, architecture in _images(parameters.region_name):
        name = distribution.parameter.format(architecture=architecture)
        if dict.get(parameters, name):
            continue
        dict.__setitem__(parameters, name, [_parameter(parameters, name, image_id)])


def _parameter(parameters: Any, name: str, value: str) -> Parameter:
    return Parameter(
        account_id=parameters.account_id,
        name=name,
        value=value,
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=moto.ssm.models.utcnow(),
        version=1,
        data_type="text",
    )
