# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VPC of new droplets, looked at before anything is made: the API refuses it only with the droplets. PRIVATE."""

from __future__ import annotations

import re

from .._errors import InputError
from .api import Answer, DigitalOcean

IDENTITY = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def check_vpc(api: DigitalOcean, wanted: str, region: str) -> None:
    """Whether droplets of the region can be in the VPC.

    Raises:
        AuthError: the token may not look; nor may it name a VPC when it makes droplets, or see which one they are in.
        InputError: it is none of the account, or in another region.
    """
    found = _find(api, wanted)
    if found is None:
        raise InputError(
            f"vpc_uuid: {wanted!r} is no VPC of this account", hint="Give the id of one, which its page shows."
        )
    if found["region"] != region:
        raise InputError(f"vpc_uuid: {wanted} is in {found['region']}, but region is {region}")


def _find(api: DigitalOcean, wanted: str) -> Answer | None:
    if not IDENTITY.fullmatch(wanted):
        return None
    return api.find(f"vpcs/{wanted}", "vpc", doing=f"look for VPC {wanted}")
