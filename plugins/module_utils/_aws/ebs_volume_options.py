# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``ebs_volume`` as one checked value: what cannot work is refused before the first call. PRIVATE.

Limits: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._checks import between
from .._errors import InputError
from .._ownership import Mark
from .ecs_cluster_options import checked_tags
from .kubernetes_names import checked_cluster_name, cluster_tags, kubernetes_mark

DEFAULT_TYPE = "gp3"
GIBIBYTES = {
    "gp2": (1, 16384),
    "gp3": (1, 65536),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "sc1": (125, 16384),
    "st1": (125, 16384),
    "standard": (1, 1024),
}
IOPS = {"gp3": (3000, 80000), "io1": (100, 64000), "io2": (100, 256000)}
IOPS_PER_GIBIBYTE = {"gp3": 500, "io1": 50, "io2": 500}  # of an io2 at least
THROUGHPUT = {"gp3": (125, 2000)}
NEEDS_IOPS = frozenset({"io1", "io2"})
# without * and ?, which are wildcards where volumes are looked for
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# an id or alias would do for making a volume, but EC2 says the ARN only of the one that is there
KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/\S+")
SNAPSHOT_ID = re.compile(r"snap-[0-9a-f]+")
CSI_TAG = {"ebs.csi.aws.com/cluster": "true"}


@dataclass(frozen=True)
class VolumeOptions:
    """What the user wants. None: not managed."""

    name: str
    cluster: str | None
    zone: str | None
    size: int | None
    type: str | None
    iops: int | None
    throughput: int | None
    encrypted: bool | None
    kms_key: str | None
    snapshot_id: str | None
    tags: Mapping[str, str]

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> VolumeOptions:
        """The checked options.

        Raises:
            InputError: one of them cannot work.
        """
        if not NAME.fullmatch(params["name"]):
            raise InputError(f"name: {params['name']!r} must be 1 to 128 letters, digits, dots, hyphens, underscores")
        if params["cluster"] is not None:
            checked_cluster_name("cluster", params["cluster"])
        if params["kms_key"] and params["encrypted"] is False:
            raise InputError("kms_key: a volume with encrypted: false has no key")
        if params["kms_key"] and not KEY_ARN.fullmatch(params["kms_key"]):
            raise InputError(
                f"kms_key: {params['kms_key']!r} must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>)"
            )
        if params["snapshot_id"] and not SNAPSHOT_ID.fullmatch(params["snapshot_id"]):
            raise InputError(f"snapshot_id: {params['snapshot_id']!r} must look like snap-0123456789abcdef0")
        if "Name" in (params["tags"] or {}):
            raise InputError("tags: Name is the volume's own name, by which it is found")
        names = {*cls.__dataclass_fields__} - {"tags"}
        plain: dict[str, Any] = {name: None if params[name] == "" else params[name] for name in names}
        options = cls(
            **plain,
            tags=checked_tags(params["tags"] or {}),
        )
        if options.type:
            options.check_limits(options.type)
        return options

    @property
    def mark(self) -> Mark:
        """Whose the volume is: its cluster's, or its own."""
        return kubernetes_mark(self.cluster) if self.cluster else Mark(f"ebs/{self.name}")

    def volume_tags(self) -> dict[str, str]:
        """What the CSI driver's policy and the cluster's teardown look for, under the user's own tags."""
        return {**CSI_TAG, **(cluster_tags(self.cluster) if self.cluster else {}), **self.tags}

    def check_limits(self, kind: str) -> None:
        """Refuse what this type of volume does not have.

        Raises:
            InputError: a number is out of its bounds.
        """
        for option, value, limits, unit in (
            ("size", self.size, GIBIBYTES, "GiB"),
            ("iops", self.iops, IOPS, "operations a second"),
            ("throughput", self.throughput, THROUGHPUT, "MiB/s"),
        ):
            if value is None:
                continue
            if kind not in limits:
                raise InputError(f"{option}: a volume of type {kind} has no {option} of its own to set")
            between(option, value, *limits[kind], f"{unit} for a volume of type {kind}")
