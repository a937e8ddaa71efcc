# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of sizes, images and regions: old ones translated, unknown ones refused with what is nearest. Pure. PRIVATE."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .._errors import InputError

# retired names -> what DigitalOcean sells in their place
OLD_SIZES = {
    "512mb": "s-1vcpu-512mb-10gb",
    "1gb": "s-1vcpu-1gb",
    "2gb": "s-1vcpu-2gb",
    "4gb": "s-2vcpu-4gb",
    "8gb": "s-4vcpu-8gb",
    "16gb": "s-8vcpu-16gb",
}
TODAYS_UBUNTU = "ubuntu-24-04-x64"
OLD_IMAGES = {f"ubuntu-{year}-04-x64": TODAYS_UBUNTU for year in (12, 14, 16, 18, 20)}


def resolved(option: str, wanted: str, offered: Collection[str], old: Mapping[str, str]) -> str:
    """The slug to use for the one that was given.

    Args:
        offered: the slugs that can be used.
        old: retired slugs and what took their place.

    Raises:
        InputError: there is no such slug, nor was there one that has a successor.
    """
    if wanted in offered:
        return wanted
    if old.get(wanted) in offered:
        return old[wanted]
    close = difflib.get_close_matches(old.get(wanted, wanted), sorted(offered), n=1, cutoff=0.0)
    raise InputError(
        f"{option}: {wanted!r} is not offered by DigitalOcean",
        hint=f"The nearest that is: {close[0]}." if close else "",
    )


def as_made(wanted: str, made: Collection[str], old: Mapping[str, str]) -> str:
    """The slug that a given one stands for, told without the catalogue.

    Args:
        made: the slugs of droplets that are there.
        old: retired slugs and what took their place.
    """
    return wanted if wanted in made else old.get(wanted, wanted)


def warn_if_old(option: str, wanted: str, used: str, warn: Callable[[str], None]) -> None:
    """Say that something else than the given slug is used."""
    if wanted != used:
        warn(f"{option}: {wanted!r} is no longer offered by DigitalOcean, {used!r} is used in its place.")


def check_fit(size: Mapping[str, Any], image: Mapping[str, Any], region: str) -> None:
    """Whether size and image can be had in the region, and fit together.

    Raises:
        InputError: they cannot, or do not.
    """
    regions = size.get("regions") or ()
    if region not in regions:
        close = difflib.get_close_matches(region, sorted(regions), n=1, cutoff=0.0)
        raise InputError(
            f"region: {region!r} has no droplets of size {size['slug']}",
            hint=f"The nearest that has: {close[0]}." if close else "",
        )
    name = image.get("slug") or image.get("id")
    if image.get("regions") and region not in image["regions"]:
        raise InputError(f"image: {name} is not available in {region}", hint="Transfer it, or choose another region.")
    if int(image.get("min_disk_size") or 0) > int(size.get("disk") or 0):
        raise InputError(
            f"image: {name} needs a disk of {image['min_disk_size']} GB, but size {size['slug']} has {size['disk']} GB"
        )
