# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Port specifications of launch configurations: `80`, `80/tcp`, `8080:80`, `127.0.0.1:8080:80/tcp`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lab.rancher.errors import invalid

_SPEC = re.compile(r"(?:(?:(?P<ip>\d+\.\d+\.\d+\.\d+):)?(?P<public>\d*):)?(?P<private>\d+)(?:/(?P<protocol>\w+))?")


@dataclass(frozen=True)
class Port:
    """A port of a container; `public` 0 means that the server picks one."""

    public: int
    private: int
    protocol: str = "tcp"
    address: str | None = None

    def __str__(self) -> str:
        address = f"{self.address}:" if self.address else ""
        public = f"{self.public}:" if self.public else ""
        return f"{address}{public}{self.private}/{self.protocol}"


def parse(spec: str) -> Port:
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        raise invalid("PortWrongFormat", "ports", f"{spec} is not a port")
    protocol = (found["protocol"] or "tcp").lower()
    if protocol not in ("tcp", "udp"):
        raise invalid("PortInvalidProtocol", "ports", f"{protocol} is not a protocol")
    public, private = int(found["public"] or 0), int(found["private"])
    if not 1 <= private <= 65535 or public > 65535:
        raise invalid("PortWrongFormat", "ports", f"{spec} is out of range")
    return Port(public, private, protocol, found["ip"])


def parse_all(specs: Iterable[str] | None) -> list[Port]:
    return [parse(spec) for spec in specs or ()]
