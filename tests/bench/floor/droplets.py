# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of the droplets job: plain requests, ten droplets in a call, one list a second until all are active.

usage: droplets.py up|down SET COUNT
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import requests

URL = f"{os.environ['DIGITALOCEAN_API_URL']}/v2/droplets"
TEMPLATE = {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}

session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['DIGITALOCEAN_ACCESS_TOKEN']}"


def droplets(tag: str) -> list[dict[str, Any]]:
    answer = session.get(URL, params={"tag_name": tag, "per_page": "200"}, timeout=30)
    answer.raise_for_status()
    return list(answer.json()["droplets"])


def up(tag: str, count: int) -> None:
    there = {one["name"] for one in droplets(tag)}
    names = [name for number in range(1, count + 1) if (name := f"{tag}-{number}") not in there]
    for start in range(0, len(names), 10):
        body = {"names": names[start : start + 10], "tags": [tag], **TEMPLATE}
        session.post(URL, json=body, timeout=30).raise_for_status()
    while any(one["status"] != "active" for one in droplets(tag)):
        time.sleep(1)


def down(tag: str, _count: int) -> None:
    session.delete(URL, params={"tag_name": tag}, timeout=30).raise_for_status()
    while droplets(tag):
        time.sleep(1)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
