# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 instances with our mark, as an inventory shows them. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._inventory import Machine
from .._ownership import OWNER, PART
from .api import Aws, from_tags
from .ec2 import NOT_ENDING, describe_instances


def list_machines(aws: Aws) -> list[Machine]:
    """All instances of a region with a mark that are not terminated."""
    marked = {"Name": "tag-key", "Values": [OWNER]}
    found = describe_instances(aws, [marked, NOT_ENDING], "look for instances")
    return [_machine(one, aws.region) for one in found]


def _machine(instance: Mapping[str, Any], region: str) -> Machine:
    tags = from_tags(instance["Tags"])
    return Machine(
        provider="aws",
        id=instance["InstanceId"],
        name=instance["InstanceId"],  # instances of an auto scaling group have one name together
        owner=tags[OWNER],
        part=tags.get(PART, ""),
        state=instance["State"]["Name"],
        region=region,
        type=instance["InstanceType"],
        image=instance["ImageId"],
        zone=instance["Placement"]["AvailabilityZone"],
        public_ip=instance.get("PublicIpAddress"),
        private_ip=instance.get("PrivateIpAddress"),
        private_dns_name=instance.get("PrivateDnsName") or None,
        tags=tags,
    )
