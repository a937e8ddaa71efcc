# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon Route 53: the address records of a zone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from environment import CACHE

from bench import checks
from bench.account import Account
from bench.job import SIDES, Job, Phase, by_peers, floor, ours
from bench.targets import NONE, Promise, Target, at_most, times_peers

_ZONE = "bench.example"


def _job(count: int, sides: Sequence[str], **options: Any) -> Job[Account]:
    """All sides read the same file: the zone's name, and its record sets as a user would list them."""
    records = [
        {"name": f"host-{number}", "type": "A", "ttl": 60, "values": [f"192.0.2.{number % 250 + 1}"]}
        for number in range(count)
    ]
    file = CACHE / "bench" / f"records-{count}.json"
    commands = {"ours": ours("dns", f"@{file}"), "peers": by_peers("dns", f"@{file}"), "floor": floor("dns", str(file))}

    def prepare(account: Account) -> None:
        file.write_text(json.dumps({"zone": _ZONE, "records": records}))
        account.client("route53").create_hosted_zone(Name=_ZONE, CallerReference=_ZONE)

    def check(account: Account) -> str:
        return checks.records_are_there(account, _ZONE, records)

    phases = [Phase(name, {side: commands[side] for side in sides}, check) for name in ("first run", "second run")]
    return Job("dns", f"{count:,} records", phases, prepare=prepare, **options)


JOBS = (_job(300, SIDES, once=frozenset({"peers"})), _job(1000, ("ours", "floor")))
TARGETS: Mapping[Promise, tuple[Target, ...]] = {
    ("300 records", "first run", "wall"): (times_peers(0.02),),
    ("300 records", "first run", "calls"): (at_most(8),),
    ("300 records", "second run", "wall"): (times_peers(0.02),),
    ("300 records", "second run", "calls"): (at_most(8),),
    ("300 records", "second run", "writes"): (NONE,),
    ("1,000 records", "first run", "writes"): (Target("as few batches as the floor", above_floor=0),),
}
