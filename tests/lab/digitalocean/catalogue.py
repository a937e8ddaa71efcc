# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DigitalOcean sells: regions, sizes with their prices, images. A part of it, as of 2026."""

from __future__ import annotations

from typing import Any

REGIONS = {
    "ams3": "Amsterdam 3",
    "blr1": "Bangalore 1",
    "fra1": "Frankfurt 1",
    "lon1": "London 1",
    "nyc1": "New York 1",
    "nyc3": "New York 3",
    "sfo3": "San Francisco 3",
    "sgp1": "Singapore 1",
    "syd1": "Sydney 1",
    "tor1": "Toronto 1",
}
CLOSED_REGIONS = {"nyc2": "New York 2"}  # no new droplets
HOURS = 672  # in a month, as DigitalOcean counted until 2026

# slug: (memory in MiB, vcpus, disk in GiB, transfer in TB, US dollars a month, words)
_SIZES: dict[str, tuple[int, int, int, float, float, str]] = {
    "s-1vcpu-512mb-10gb": (512, 1, 10, 0.5, 4.0, "Basic"),
    "s-1vcpu-1gb": (1024, 1, 25, 1.0, 6.0, "Basic"),
    "s-1vcpu-2gb": (2048, 1, 50, 2.0, 12.0, "Basic"),
    "s-2vcpu-2gb": (2048, 2, 60, 3.0, 18.0, "Basic"),
    "s-2vcpu-4gb": (4096, 2, 80, 4.0, 24.0, "Basic"),
    "s-4vcpu-8gb": (8192, 4, 160, 5.0, 48.0, "Basic"),
    "s-8vcpu-16gb": (16384, 8, 320, 6.0, 96.0, "Basic"),
    "c-2": (4096, 2, 25, 4.0, 42.0, "CPU-Optimized"),
    "g-2vcpu-8gb": (8192, 2, 25, 4.0, 63.0, "General Purpose"),
    "gpu-h100x1-80gb": (245760, 20, 720, 15.0, 2522.16, "H100 GPU - 1X"),
}
_GPUS = {"gpu-h100x1-80gb": {"count": 1, "model": "nvidia_h100", "vram": {"amount": 80, "unit": "gib"}}}
ONLY_IN = {
    "s-1vcpu-512mb-10gb": ("ams3", "fra1", "nyc1", "sfo3", "sgp1", "syd1"),
    "gpu-h100x1-80gb": ("tor1",),
}

# slug: (id, distribution, name, type, least disk in GiB)
_IMAGES: dict[str, tuple[int, str, str, str, int]] = {
    "ubuntu-22-04-x64": (129211873, "Ubuntu", "22.04 (LTS) x64", "base", 7),
    "ubuntu-24-04-x64": (155133621, "Ubuntu", "24.04 (LTS) x64", "base", 7),
    "debian-12-x64": (136168652, "Debian", "12 x64", "base", 7),
    "debian-13-x64": (197219443, "Debian", "13 x64", "base", 7),
    "fedora-42-x64": (186322153, "Fedora", "42 x64", "base", 10),
    "almalinux-9-x64": (156404301, "AlmaLinux", "AlmaLinux 9", "base", 10),
    "rockylinux-9-x64": (119383149, "Rocky Linux", "9 x64", "base", 10),
    "docker-20-04": (108286196, "Ubuntu", "Docker on Ubuntu 22.04", "snapshot", 25),
}


def regions() -> list[dict[str, Any]]:
    """Closed ones too, which are not available."""
    return [region(slug) for slug in sorted({**REGIONS, **CLOSED_REGIONS})]


def region(slug: str) -> dict[str, Any]:
    there = slug in REGIONS
    sizes = [size for size in _SIZES if slug in _regions_of(size)]
    name = REGIONS.get(slug) or CLOSED_REGIONS[slug]
    features = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"] if there else ["backups"]
    return {"name": name, "slug": slug, "features": features, "available": there, "sizes": sizes}


def sizes() -> list[dict[str, Any]]:
    return [size(slug) for slug in _SIZES]


def size(slug: str) -> dict[str, Any]:
    memory, vcpus, disk, transfer, price, words = _SIZES[slug]
    return {
        "slug": slug,
        "memory": memory,
        "vcpus": vcpus,
        "disk": disk,
        "transfer": transfer,
        "price_monthly": price,
        "price_hourly": round(price / HOURS, 5),
        "regions": list(_regions_of(slug)),
        "available": True,
        "description": words,
        **({"gpu_info": _GPUS[slug]} if slug in _GPUS else {}),
    }


def has_size(slug: object) -> bool:
    return slug in _SIZES


def images() -> list[dict[str, Any]]:
    return [_image(slug) for slug in _IMAGES]


def find_image(wanted: object) -> dict[str, Any] | None:
    """By slug or by id."""
    return next((one for one in images() if wanted in (one["slug"], one["id"], str(one["id"]))), None)


def _regions_of(size_slug: str) -> tuple[str, ...]:
    return ONLY_IN.get(size_slug, tuple(REGIONS))


def _image(slug: str) -> dict[str, Any]:
    number, distribution, name, kind, disk = _IMAGES[slug]
    return {
        "id": number,
        "name": name,
        "distribution": distribution,
        "slug": slug,
        "public": True,
        "regions": list(REGIONS),
        "created_at": "2026-03-01T08:00:00Z",
        "type": kind,
        "min_disk_size": disk,
        "size_gigabytes": 0.6,
        "description": f"{distribution} {name}",
        "tags": [],
        "status": "available",
        "error_message": "",
    }
