# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job is, and the commands of its sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from environment import PROGRAMS

from bench import peers
from bench.ground import Ground

HERE = Path(__file__).resolve().parent
SIDES = ("ours", "peers", "floor")
NAME = "bench"
"""What everything that is made here is called."""

Command = Sequence[str]
G = TypeVar("G", bound=Ground)


@dataclass(frozen=True)
class Phase(Generic[G]):
    """A step that every side does, one after the other on the same ground.

    Attributes:
        name: as the report calls it.
        commands: what each side runs.
        check: what is wrong with the ground afterwards.
        ready: whether what this step makes is ready, if it is to be measured how late each side knows.
    """

    name: str
    commands: Mapping[str, Command]
    check: Callable[[G], str] = lambda _ground: ""
    ready: Callable[[G], bool] | None = None


@dataclass(frozen=True)
class Job(Generic[G]):
    """Phases from nothing on.

    Attributes:
        part: what --only selects it by.
        title: as the report calls it.
        phases: in order.
        settings: of the lab.
        prepare: what has to be there before, at nobody's expense.
        once: sides measured in the first round only, because they take minutes.
        single: the whole job in the first round only.
        ground: where it is done.
    """

    part: str
    title: str
    phases: Sequence[Phase[G]]
    settings: Mapping[str, float] = field(default_factory=dict)
    prepare: Callable[[G], None] = lambda _ground: None
    once: frozenset[str] = frozenset()
    single: bool = False
    ground: str = "account"


def ours(name: str, *variables: str) -> Command:
    return _playbook(PROGRAMS, f"ours_{name}", variables)


def by_peers(name: str, *variables: str) -> Command:
    return _playbook(peers.PROGRAMS, f"peers_{name}", variables)


def _playbook(programs: Path, name: str, variables: Sequence[str]) -> Command:
    inventory, playbook = (HERE / "playbooks" / f"{file}.yml" for file in ("inventory", name))
    extra = [word for variable in variables for word in ("-e", variable)]
    return [str(programs / "ansible-playbook"), "-i", str(inventory), *extra, str(playbook)]


EMPTY = _playbook(PROGRAMS, "empty", ())


def floor(name: str, *arguments: str) -> Command:
    return [str(PROGRAMS / "python"), str(HERE / "floor" / f"{name}.py"), *arguments]
