# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's simulated account as the benchmark uses it: emptied before each side's turn, and its count of calls."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3


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
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
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
        headers = {"Authorization": f"Bearer {self.exports['DIGITALOCEAN_ACCESS_TOKEN']}"}
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return list(json.load(answer)["droplets"])


def complaint(check: Callable[[], str], patience: float = 5.0) -> str:
    """What is wrong with the end state, if it still is after some seconds; no side is charged for them."""
    deadline = time.monotonic() + patience
    while wrong := check():
        if time.monotonic() > deadline:
            return wrong
        time.sleep(0.2)
    return ""
