# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until droplets can be used: powered on, with an address, and with a port that answers. PRIVATE."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from .._parallel import gather
from .._texts import several
from .._wait import Pace, wait_until
from .droplet_look import find_droplet
from .droplets import Droplet, list_droplets
from .run import Run

FEW = 3  # that many stragglers are asked one by one what became of them
PATIENCE_SECONDS = 60.0  # after which a few are asked anyway, and one that is not known has disappeared
CONNECT_SECONDS = 2.0
KNOCKERS = 32


@dataclass(frozen=True)
class BootPace(Pace):
    """Seconds between two looks at droplets that boot.

    A boot takes some 30 seconds: at first there is no use in looking often, and then each second counts. What takes
    longer than usual is in no hurry. One list shows all droplets, so even the quickest of this is far below what the
    API allows (250 requests a minute, 5,000 an hour).
    """

    def pause(self, look: int) -> float:
        return min(self.cap, 10.0 if look <= 2 else 2.0 if look <= 22 else 5.0)


@dataclass
class Readiness:
    """The state of one wait.

    Attributes:
        ids: the droplets to wait for, with their names.
        port: a TCP port that has to accept connections, None if none has to.
    """

    run: Run
    ids: Mapping[int, str]
    port: int | None
    seen: dict[int, Droplet] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    looks: int = 0

    def await_ready(self) -> list[Droplet]:
        """The droplets once all can be used.

        Raises:
            StateFailedError: one never will be.
            WaitTimeoutError: not all were in time.
        """
        if self.ids:
            wait_until(
                self._look,
                ready=lambda waiting: not waiting,
                failed=lambda _waiting: "; ".join(self.broken.values()) or None,
                deadline=self.run.deadline,
                doing=f"wait for {len(self.ids)} droplets",
                describe=self._describe,
                hint=self._hint(),
                pace=BootPace(cap=self.run.pace.cap),
            )
        return [self.seen[one] for one in self.ids]

    def _look(self) -> dict[int, str]:
        """Those that cannot be used yet, with their names."""
        self.looks += 1
        listed = {one.id: one for one in list_droplets(self.run.api, self.run.tag)}
        self.seen.update({one: listed[one] for one in self.ids if one in listed})
        unlisted = [one for one in self.ids if one not in listed]
        if self.looks > 1:  # a new droplet may be missing from lists at first, and from then on it is not new
            self._ask(unlisted)
        idle = [one for one in self.ids if not self._is_usable(one)]
        if len(idle) <= FEW or self.run.deadline.waited() > PATIENCE_SECONDS:
            self._ask_for_actions(idle[:FEW])
        if self.port is not None:
            self._knock(self.port)
        return {one: name for one, name in self.ids.items() if not self._is_usable(one) or not self._is_open(one)}

    def _ask(self, unlisted: list[int]) -> None:
        found = gather({str(one): partial(find_droplet, self.run.api, one) for one in unlisted})
        for number, droplet in found.items():
            name = self.ids[int(number)]
            if droplet is not None:
                self.seen[droplet.id] = droplet
            # one that was made a moment ago may not be known by its id either
            elif int(number) in self.seen or self.run.deadline.waited() > PATIENCE_SECONDS:
                self.broken[number] = f"droplet {name} ({number}) has disappeared"

    def _ask_for_actions(self, ids: list[int]) -> None:
        """Whether one is new for ever, because its creation has failed."""
        new = [one for one in ids if one in self.seen and self.seen[one].status == "new"]
        for number in new if self.looks > 1 else ():
            doing = f"look at what became of droplet {self.ids[number]}"
            for action in self.run.api.pages(f"droplets/{number}/actions", "actions", doing=doing):
                if action["type"] == "create" and action["status"] == "errored":
                    self.broken[str(number)] = f"DigitalOcean could not create droplet {self.ids[number]} ({number})"

    def _knock(self, port: int) -> None:
        shut = [one for one in self.ids if self._is_usable(one) and one not in self.open]
        answers = gather(
            {str(one): partial(answers_at, self.seen[one].addresses["public"], port) for one in shut},
            workers=KNOCKERS,
        )
        self.open.update(int(one) for one, answered in answers.items() if answered)

    def _is_usable(self, number: int) -> bool:
        return number in self.seen and self.seen[number].is_usable()

    def _is_open(self, number: int) -> bool:
        return self.port is None or number in self.open

    def _describe(self, waiting: Mapping[int, str]) -> str:
        states = Counter(self.seen[one].status if one in self.seen else "not listed" for one in self.ids)
        counted = ", ".join(f"{count} {status}" for status, count in sorted(states.items()))
        shut = [name for one, name in waiting.items() if self._is_usable(one)]
        knocked = f"; no answer on port {self.port}: {several(shut)}" if shut else ""
        return f"{counted}{knocked}"

    def _hint(self) -> str:
        text = "Run the same task again to go on waiting."
        return f"Does the firewall let this machine reach port {self.port}? {text}" if self.port else text


def answers_at(host: str, port: int) -> bool:
    """Whether something accepts a connection there, and does not hang up at once."""
    try:
        with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection:
            connection.settimeout(CONNECT_SECONDS)
            return _stays(connection)
    except OSError:
        return False


def _stays(connection: socket.socket) -> bool:
    """A service greets, or waits for the client to speak; what hangs up is a proxy or firewall in between."""
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
