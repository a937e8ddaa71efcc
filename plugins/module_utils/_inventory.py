# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines that carry our mark, as an inventory shows them: names, groups and variables. Pure. PRIVATE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

PREFIX = "scheduler_"


@dataclass(frozen=True)
class Machine:
    """An instance or a droplet with our mark.

    Attributes:
        provider: whose it is ("aws").
        name: what it is called in an inventory, unless another one is called so too.
        owner: scheduler and name, as in the mark ("ecs/web").
        part: what it is for its owner ("control_plane"), empty if its mark does not say.
        state: the provider's word.
    """

    provider: str
    id: str
    name: str
    owner: str
    state: str
    region: str
    part: str = ""
    type: str = ""
    image: str = ""
    zone: str = ""
    public_ip: str | None = None
    private_ip: str | None = None
    private_dns_name: str | None = None
    tags: Mapping[str, str] | Sequence[str] = field(default_factory=dict)

    def groups(self) -> list[str]:
        """The groups that it is in, from the widest on. Not yet in the characters that Ansible allows."""
        scheduler = self.owner.partition("/")[0]
        parts = [f"{self.owner}/{self.part}"] if self.part else []
        return list(dict.fromkeys([self.provider, scheduler, self.owner, *parts]))

    def variables(self, address: str) -> dict[str, Any]:
        """Its variables.

        Args:
            address: ``public`` or ``private``: which of its addresses to speak to. If it lacks that one, the other.
        """
        reached = {"public": self.public_ip or self.private_ip, "private": self.private_ip or self.public_ip}[address]
        own = {f"{PREFIX}{name}": value for name, value in asdict(self).items()}
        return {**own, "ansible_host": reached} if reached else own


def named(machines: Iterable[Machine]) -> dict[str, Machine]:
    """Machines by the names that they have in an inventory.

    Two droplets may have one name, and an inventory would take them for one: all of that name get their ids, too.
    """
    listed = sorted(machines, key=lambda one: (one.name, one.id))
    often = Counter(one.name for one in listed)
    return {one.name if often[one.name] == 1 else f"{one.name}-{one.id}": one for one in listed}
