# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's simulated account as the benchmark uses it: emptied before each side's turn, and its count of calls."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from lab_session import running_lab

OWN_AGENT = "(lab)"  # what the lab's programs, such as docker-machine's driver, have in their User-Agent
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def running(state: Path) -> Iterator[Account]:
    """The account of a lab of one's own."""
    with running_lab(state) as lab:
        yield Account(lab.exports)


@dataclass(frozen=True)
class Account:
    """One lab, and the environment that points a program at it."""

    exports: Mapping[str, str]

    def reset(self, settings: Mapping[str, float]) -> None:
        """An empty account. The first calls after a reset load the lab's catalogues; that is nobody's time."""
        self.control("POST", "/reset")
        self.control("POST", "/settings", settings)
        self.client("ssm").get_parameter(Name="/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id")
        self.client("ec2").describe_images(Owners=["amazon"], MaxResults=5)
        self.client("iam").list_policies(MaxItems=1)

    def control(self, method: str, path: str, document: object = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.exports["LAB_CONTROL"] + path, data=body, method=method)
        with _DIRECT.open(request, timeout=60) as answer:
            return json.load(answer)

    def client(self, service: str) -> Any:
        return boto3.session.Session(
            aws_access_key_id=self.exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.exports["AWS_SECRET_ACCESS_KEY"],
            region_name=self.exports["AWS_DEFAULT_REGION"],
        ).client(service, endpoint_url=self.exports["AWS_ENDPOINT_URL"])

    def droplets(self) -> list[dict[str, Any]]:
        """All droplets."""
        url = f"{self.exports['DIGITALOCEAN_API_URL']}/v2/droplets?per_page=200"
        return list(_look(url, Authorization=f"Bearer {self.exports['DIGITALOCEAN_ACCESS_TOKEN']}")["droplets"])

    def rancher(self, collection: str) -> list[dict[str, Any]]:
        """All things of a kind in Rancher's first environment."""
        return list(_look(f"{self.exports['RANCHER_URL']}/v2-beta/projects/1a5/{collection}")["data"])

    def answers(self, url: str) -> bool:
        """Whether there is a page."""
        try:
            with _DIRECT.open(url, timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def forget_calls(self) -> None:
        self.control("DELETE", "/journal")

    def calls(self) -> list[dict[str, Any]]:
        """The requests since the journal was cleared, without those of the lab's own programs and of this benchmark."""
        return [entry for entry in self.control("GET", "/journal")["entries"] if OWN_AGENT not in entry["agent"]]


def _look(url: str, **headers: str) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": f"bench {OWN_AGENT}", **headers})
    with _DIRECT.open(request, timeout=60) as answer:
        return json.load(answer)


def complaint(check: Callable[[], str], patience: float = 5.0) -> str:
    """What is wrong with the end state, if it still is after some seconds; no side is charged for them."""
    deadline = time.monotonic() + patience
    while wrong := check():
        if time.monotonic() > deadline:
            return wrong
        time.sleep(0.2)
    return ""
