# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request of a cluster's administrator, out of the API server's own audit log.

The controllers and kubelets, which ask all the time, are other users, and are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class Journal:
    """What came since it was cleared.

    Args:
        log: where the API server writes, a line for every request before it is answered.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self.clear()

    def clear(self) -> None:
        self._from = self._log.stat().st_size if self._log.exists() else 0

    def entries(self) -> list[dict[str, Any]]:
        """The requests in the order in which they came."""
        return [_entry(number, event) for number, event in enumerate(self._events(), start=1)]

    def _events(self) -> Iterator[dict[str, Any]]:
        if not self._log.exists():
            return
        with self._log.open("rb") as file:
            file.seek(self._from)
            for line in file:
                if line.endswith(b"\n"):  # else it is still being written
                    yield json.loads(line)


def _entry(number: int, event: Mapping[str, Any]) -> dict[str, Any]:
    """As the lab's other journals have it. Pure."""
    dry = any(name == "dryRun" for name, _value in parse_qsl(urlsplit(event["requestURI"]).query))
    return {
        "number": number,
        "service": "kubernetes",
        "action": f"{'DryRun' if dry else ''}{_action(event)}",
        "attempt": 1,
        "write": event["verb"] in WRITES and not dry,
        "agent": event.get("userAgent", ""),
    }


def _action(event: Mapping[str, Any]) -> str:
    """`ListPods`, `PatchDeployments`, `CreatePodsExec`; of what is no object, `GetOpenapi` and the like. Pure."""
    verb, about = event["verb"].capitalize(), event.get("objectRef")
    if about is None:
        first = urlsplit(event["requestURI"]).path.strip("/").partition("/")[0]
        return f"{verb}{first.capitalize()}"
    return f"{verb}{about['resource'].capitalize()}{about.get('subresource', '').capitalize()}"
