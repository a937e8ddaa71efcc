# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be bought: sizes and images, asked for only when something is about to be made. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._errors import InputError
from .._parallel import gather
from . import slugs
from .api import Answer, DigitalOcean

DOING = "look up what DigitalOcean offers"
GPU = "gpu-"  # what the slug of a size with GPUs begins with
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # ids of images as well; all of it safe in a path


@dataclass(frozen=True)
class Choice:
    """What a droplet is made of, as the API names it today.

    Attributes:
        price_monthly: US dollars for each, None if the API does not say.
    """

    size: str
    image: str
    price_monthly: float | None = None


def choose(api: DigitalOcean, size: str, image: str, region: str, warn: Callable[[str], None]) -> Choice:
    """The size and image to use.

    Raises:
        InputError: they do not exist, do not fit together, or not in this region; or the size has GPUs.
    """
    if size.startswith(GPU):
        raise InputError(
            f"size: {size!r} has GPUs, and DigitalOcean's lists leave such droplets out",
            hint="What no list shows is never surely there, nor surely gone. Give a size without GPUs.",
        )
    found: dict[str, Any] = gather(
        {
            "sizes": lambda: api.pages("sizes", "sizes", doing=DOING),
            "image": lambda: _image(api, image),
        }
    )
    offered = {one["slug"]: one for one in found["sizes"] if one.get("available", True)}
    _check_region(region, found["sizes"])
    used = slugs.resolved("size", size, offered, slugs.OLD_SIZES)
    slugs.warn_if_old("size", size, used, warn)
    slugs.warn_if_old("image", image, _name(found["image"], image), warn)
    slugs.check_fit(offered[used], found["image"], region)
    price = offered[used].get("price_monthly")
    return Choice(used, _name(found["image"], image), None if price is None else float(price))


def _check_region(region: str, sizes: list[Answer]) -> None:
    """A region that no size is sold in is no region."""
    known = {one for size in sizes for one in size.get("regions") or ()}
    slugs.resolved("region", region, known, {})


def _image(api: DigitalOcean, wanted: str) -> Answer:
    """The image by slug or id, or by the slug that took its place."""
    asked = dict.fromkeys((wanted, slugs.OLD_IMAGES.get(wanted, wanted)))
    for slug in filter(SLUG.fullmatch, asked):
        image = api.find(f"images/{slug}", "image", doing=DOING)
        if image is not None:
            return image
    if wanted.isdigit():
        raise InputError(f"image: {wanted} does not exist in this account", hint="Give a slug, or the id of an image.")
    offered = [one["slug"] for one in api.pages("images", "images", doing=DOING, query={"type": "distribution"})]
    slugs.resolved("image", wanted, [one for one in offered if one], slugs.OLD_IMAGES)
    raise InputError(f"image: {wanted!r} cannot be used")


def _name(image: Answer, wanted: str) -> str:
    return wanted if wanted.isdigit() else str(image.get("slug") or image["id"])
