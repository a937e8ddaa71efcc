# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Droplets as they are: read, and seen as the plan and the user see them. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._errors import NotFoundError
from .._plan import Live
from .api import Answer, DigitalOcean

KIND = "droplet"
DOING = "look for droplets"


@dataclass(frozen=True)
class Droplet:
    """A droplet as the API shows it.

    Attributes:
        image: its slug, or its id where it has none.
        addresses: by kind, such as "public".
    """

    id: int
    name: str
    status: str
    region: str
    size: str
    image: str
    tags: tuple[str, ...]
    features: tuple[str, ...]
    addresses: Mapping[str, str]
    vpc_uuid: str | None
    created_at: str
    price_monthly: float | None
    volume_ids: tuple[str, ...] = ()
    snapshot_ids: tuple[str, ...] = ()
    image_id: str = ""

    @classmethod
    def of(cls, answer: Answer) -> Droplet:
        """The droplet in an answer. Without tag:read its tags are empty. Pure."""
        image, size = answer.get("image") or {}, answer.get("size") or {}
        networks = answer.get("networks") or {}
        # the first of a type is the droplet's own; a reserved one that is assigned to it comes after that
        addresses = {str(one["type"]): str(one["ip_address"]) for one in reversed(networks.get("v4") or ())}
        addresses |= {f"{one['type']}_ipv6": str(one["ip_address"]) for one in reversed(networks.get("v6") or ())}
        price = size.get("price_monthly")
        return cls(
            id=int(answer["id"]),
            name=str(answer["name"]),
            status=str(answer["status"]),
            region=str((answer.get("region") or {}).get("slug") or ""),
            size=str(answer.get("size_slug") or ""),
            image=str(image.get("slug") or image.get("id") or ""),
            tags=tuple(answer.get("tags") or ()),
            features=tuple(answer.get("features") or ()),
            addresses=addresses,
            vpc_uuid=answer.get("vpc_uuid"),
            created_at=str(answer.get("created_at") or ""),
            price_monthly=None if price is None else float(price),
            volume_ids=tuple(map(str, answer.get("volume_ids") or ())),
            snapshot_ids=tuple(map(str, answer.get("snapshot_ids") or ())),
            image_id=str(image.get("id") or ""),
        )

    @property
    def key(self) -> str:
        """Its identity in a plan: its name."""
        return f"{KIND} {self.name}"

    def is_usable(self) -> bool:
        """Powered on, with an address. Not yet booted, for that there is a port to look at."""
        return self.status == "active" and "public" in self.addresses

    def to_live(self, key: str = "") -> Live:
        """The droplet as the plan compares it. New means on its way to active."""
        spec = {
            "region": self.region,
            "size": self.size,
            "image": self.image,
            "vpc_uuid": self.vpc_uuid,
            "monitoring": "monitoring" in self.features,
            "ipv6": "ipv6" in self.features,
            "status": "active" if self.status == "new" else self.status,
            "tags": dict.fromkeys(self.tags, True),
        }
        return Live(key or self.key, KIND, self.name, str(self.id), spec, {"droplet": self})

    def to_result(self) -> dict[str, Any]:
        """The droplet as modules return it."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "region": self.region,
            "size": self.size,
            "image": self.image,
            "public_ip": self.addresses.get("public"),
            "private_ip": self.addresses.get("private"),
            "public_ipv6": self.addresses.get("public_ipv6"),
            "vpc_uuid": self.vpc_uuid,
            "tags": sorted(self.tags),
            "features": sorted(self.features),
            "volume_ids": sorted(self.volume_ids),
            "snapshot_ids": sorted(self.snapshot_ids),
            "created_at": self.created_at,
            "monthly_cost": self.price_monthly,
        }


def list_droplets(api: DigitalOcean, tag: str = "") -> list[Droplet]:
    """All droplets, or those that carry a tag. By name nothing is asked: that filter has been ignored before."""
    query = {"tag_name": tag} if tag else None
    return [Droplet.of(one) for one in api.pages("droplets", "droplets", doing=DOING, query=query)]


def read_droplet(api: DigitalOcean, number: int) -> Droplet:
    """One droplet.

    Raises:
        NotFoundError: DigitalOcean itself says that there is none of this id.
    """
    return Droplet.of(api.get(f"droplets/{number}", doing=f"look at droplet {number}")["droplet"])


def gone_by(number: int, name: str, error: NotFoundError) -> dict[str, Any]:
    """How it is known that a droplet is gone, as the module returns it."""
    return {
        "id": number,
        "name": name,
        "http_status": 404,
        "error": error.code,
        "request_id": error.details.get("request_id"),
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def monthly_cost(droplets: Iterable[Droplet]) -> float:
    """US dollars a month, in whatever state they are: a droplet that is off costs the same."""
    return round(sum((one.price_monthly or 0.0 for one in droplets), 0.0), 2)
