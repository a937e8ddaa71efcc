# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a Rancher server knows: resources by type and id.

Names and ids are those of /v1, where a stack is an `environment` with an id like 1e4; /v2-beta calls it `stack` 1st4,
which is put right where requests come in and answers go out (`context.py`).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

BASES = {
    "project": "account",
    "apiKey": "credential",
    "registrationToken": "credential",
    "password": "credential",
    "container": "instance",
    "machine": "physicalHost",
    "loadBalancerService": "service",
    "dnsService": "service",
    "externalService": "service",
    "kubernetesService": "service",
}
"""Types that share the numbers, and the lists, of another one."""


def base_of(kind: str) -> str:
    return BASES.get(kind, kind)


def id_prefix(kind: str) -> str:
    """1a5 is an account or project, 1s7 a service, 1ph3 a physical host: the first letter and the capitals."""
    base = base_of(kind)
    return "1" + base[0] + re.sub(r"[^A-Z]", "", base).lower()


class Resource:
    """One thing. `process` is what is being done with it, `error` why that failed."""

    def __init__(self, kind: str, resource_id: str, fields: dict[str, Any]) -> None:
        self.kind = kind
        self.id = resource_id
        self.fields = fields
        self.process: str | None = None
        self.message: str | None = None
        self.error: str | None = None

    @property
    def base(self) -> str:
        return base_of(self.kind)

    @property
    def name(self) -> str:
        return str(self.fields.get("name") or "")

    @property
    def state(self) -> str:
        return str(self.fields["state"])

    @state.setter
    def state(self, state: str) -> None:
        self.fields["state"] = state

    @property
    def gone(self) -> bool:
        """Removed, or being removed: it does not count any more."""
        return self.fields.get("removed") is not None or self.state in ("removing", "removed", "purging", "purged")

    @property
    def project(self) -> str | None:
        """The id of the project (or account) that it belongs to."""
        owner = self.fields.get("accountId")
        return None if owner is None else str(owner)

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.fields[name] = value

    def __repr__(self) -> str:
        return f"<{self.kind} {self.id} {self.name} {self.state}>"


class Store:
    """Resources in the order in which they were made."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._by_base: dict[str, dict[str, Resource]] = {}
        self._numbers: dict[str, int] = {}

    def create(self, kind: str, /, resource_id: str = "", **fields: Any) -> Resource:
        """The next number, unless the thing has an id of its own."""
        base = base_of(kind)
        if not resource_id:
            number = self._numbers[base] = self._numbers.get(base, 0) + 1
            resource_id = f"{id_prefix(kind)}{number}"
        resource = Resource(kind, resource_id, {})
        resource.fields.update({"uuid": str(uuid.uuid4()), "kind": kind, "state": "requested", "removed": None})
        resource.fields.update(self.stamp("created"))
        resource.fields.update(fields)
        self._by_base.setdefault(base, {})[resource.id] = resource
        return resource

    def get(self, kind: str, resource_id: object) -> Resource | None:
        """By id; a subtype is found under its base type, and not under another subtype."""
        found = self._by_base.get(base_of(kind), {}).get(str(resource_id))
        return found if found is not None and kind in (found.kind, found.base) else None

    def need(self, kind: str, resource_id: object) -> Resource:
        found = self.get(kind, resource_id)
        if found is None:
            raise LookupError(f"there is no {kind} {resource_id}")
        return found

    def all(self, kind: str) -> list[Resource]:
        """Also what is removed: it stays known by its id."""
        found = list(self._by_base.get(base_of(kind), {}).values())
        return found if kind == base_of(kind) else [one for one in found if one.kind == kind]

    def live(self, kind: str, **wanted: Any) -> list[Resource]:
        """What is not removed (or being removed), with these fields."""
        return [one for one in self.all(kind) if not one.gone and all(one[name] == v for name, v in wanted.items())]

    def stamp(self, name: str) -> dict[str, Any]:
        """A date as the API shows it, in both of its forms."""
        now = self._now()
        return {
            name: now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            f"{name}TS": int(now.timestamp()) * 1000,
        }

    def __iter__(self) -> Iterator[Resource]:
        return (one for things in self._by_base.values() for one in list(things.values()))
