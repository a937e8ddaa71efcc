# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From which state which process may start, what the state is meanwhile, and what it is afterwards.

A table's line is `process: from[=meanwhile] ... -> meanwhile=afterwards ...`. A state before without a state meanwhile
means the first one behind the arrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Process:
    """One way of a resource from state to state."""

    name: str
    starts: dict[str, str]
    """State before -> state meanwhile."""
    ends: dict[str, str]
    """State meanwhile -> state afterwards."""


_USUAL = """
create: requested -> registering=inactive
activate: inactive registering -> activating=active
deactivate: requested registering active activating updating-active updating-inactive -> deactivating=inactive
remove: requested inactive registering activating deactivating updating-active updating-inactive -> removing=removed
restore: removed -> restoring=inactive
purge: removed -> purging=purged
update: active=updating-active inactive=updating-inactive -> updating-active=active updating-inactive=inactive
"""

_INSTANCE = """
create: requested -> creating=stopped
start: stopped creating -> starting=running
stop: creating running starting restarting updating-running updating-stopped -> stopping=stopped
restart: running -> restarting=running
migrate: running -> migrating=running
remove: requested creating updating-running updating-stopped stopped erroring error -> removing=removed
restore: removed -> restoring=stopped
purge: removed -> purging=purged
error: creating stopped -> erroring=error
update: running=updating-running stopped=updating-stopped -> updating-running=running updating-stopped=stopped
"""

_SIMPLE = """
create: requested -> activating=active
update: active -> updating-active=active
remove: requested active activating updating-active -> removing=removed
"""

_MACHINE = """
create: requested -> creating=created
bootstrap: created creating -> bootstrapping=active
update: active -> updating=active
error: creating bootstrapping updating -> erroring=error
remove: active requested bootstrapping creating updating error erroring -> removing=removed
"""

_STACK = {
    "1.1": """
create: requested -> activating=active
update: active -> updating-active=active
remove: requested active activating updating-active error erroring upgrading canceling-upgrade canceling-rollback
 rolling-back finishing-upgrade upgraded canceled-upgrade -> removing=removed
error: activating -> erroring=error
upgrade: active -> upgrading=upgraded
cancelupgrade: upgrading finishing-upgrade -> canceling-upgrade=canceled-upgrade
rollback: upgraded canceled-upgrade -> rolling-back=active
cancelrollback: rolling-back -> canceling-rollback=canceled-upgrade
finishupgrade: upgraded canceled-upgrade -> finishing-upgrade=active
""",
    "1.6": """
create: requested -> activating=active
update: active -> updating-active=active
remove: requested active activating updating-active error erroring upgrading canceling-upgrade
 rolling-back finishing-upgrade upgraded canceled-upgrade -> removing=removed
error: activating -> erroring=error
upgrade: active canceled-upgrade -> upgrading=upgraded
cancelupgrade: upgrading finishing-upgrade -> canceling-upgrade=canceled-upgrade
rollback: upgrading upgraded canceled-upgrade -> rolling-back=active
finishupgrade: upgraded -> finishing-upgrade=active
""",
}

_SERVICE = {
    "1.1": """
create: requested -> registering=inactive
activate: inactive restarting -> activating=active
update: inactive=updating-inactive active=updating-active updating-active=updating-active
 -> updating-inactive=inactive updating-active=active
deactivate: restarting active activating updating-inactive updating-active -> deactivating=inactive
remove: inactive registering active activating updating-inactive updating-active upgrading canceling-upgrade
 rolling-back deactivating requested canceled-upgrade canceling-rollback canceled-rollback upgraded
 finishing-upgrade restarting -> removing=removed
upgrade: active inactive -> upgrading=upgraded
cancelupgrade: upgrading finishing-upgrade -> canceling-upgrade=canceled-upgrade
rollback: canceled-upgrade upgraded -> rolling-back=active
cancelrollback: rolling-back -> canceling-rollback=canceled-rollback
finishupgrade: upgraded canceled-upgrade canceled-rollback -> finishing-upgrade=active
restart: active -> restarting=active
""",
    "1.6": """
create: requested -> registering=inactive
activate: inactive restarting -> activating=active
update: inactive=updating-inactive active=updating-active updating-active=updating-active
 -> updating-inactive=inactive updating-active=active
deactivate: restarting active activating updating-inactive updating-active -> deactivating=inactive
remove: inactive registering active activating updating-inactive updating-active upgrading canceling-upgrade
 rolling-back deactivating requested canceled-upgrade upgraded finishing-upgrade restarting -> removing=removed
upgrade: active activating inactive updating-active -> upgrading=upgraded
continueupgrade: canceled-upgrade -> upgrading=upgraded
cancelupgrade: upgrading finishing-upgrade -> canceling-upgrade=canceled-upgrade
rollback: upgrading upgraded canceled-upgrade -> rolling-back=active
finishupgrade: upgraded -> finishing-upgrade=active
restart: active -> restarting=active
""",
}

_HOST = {
    "1.1": _USUAL,
    "1.6": _USUAL.replace("activate: inactive registering ->", "activate: inactive registering provisioned ->").replace(
        "remove: requested inactive", "remove: erroring error provisioning requested inactive"
    )
    + """
provision: inactive -> provisioning=provisioned
error: provisioning -> erroring=error
""",
}


@cache
def processes_of(base: str, era: str) -> dict[str, Process]:
    """By name. `era` is 1.1 or 1.6."""
    table = {
        "environment": _STACK[era],
        "service": _SERVICE[era],
        "host": _HOST[era],
        "instance": _INSTANCE,
        "physicalHost": _MACHINE,
        "serviceConsumeMap": _SIMPLE,
        "serviceExposeMap": _SIMPLE,
        "projectTemplate": _SIMPLE,
    }.get(base, _USUAL)
    lines = [line for line in table.replace("\n ", " ").splitlines() if line]
    return {process.name: process for process in [_process(line) for line in lines]}


def _process(line: str) -> Process:
    name, _unused, rest = line.partition(": ")
    before, _unused, after = rest.partition(" -> ")
    ends = dict(pair.split("=") for pair in after.split())
    only = next(iter(ends))
    pairs = [word.partition("=") for word in before.split()]
    starts = {state: meanwhile or only for state, _unused, meanwhile in pairs}
    return Process(name, starts, ends)
