# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean for unit tests: as a script of answers, or as the lab's own, called in-process on a clock that jumps.

With the script a call too many or too few fails the test. With the lab whole flows run, faults included, and a wait of
ten minutes takes no time: what the modules sleep is what passes in the lab.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import api as api_module
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.api import Connection, DigitalOcean
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_argspec import SPEC
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from lab.account import DIGITALOCEAN_TOKEN
from lab.clock import Clock as LabClock
from lab.digitalocean import backend
from lab.digitalocean.teams import Teams
from lab.faults import Rule
from lab.messages import ConnectionCutError, Request
from lab.pipeline import Pipeline
from lab.world import Settings, World
from unit.clock import FakeClock
from unit.returned import as_documented

URL = "http://digitalocean.lab.invalid"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYi1ub3QtYS1rZXktbGFiLW5vdC1hLWtleS0w somebody"
Body = Mapping[str, Any] | str | None


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP."""

    status: int = 200
    body: Body = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status_code(self) -> int:
        return self.status

    def json(self) -> Any:
        if self.body is None or isinstance(self.body, str):
            raise requests.exceptions.JSONDecodeError("no JSON", self.body or "", 0)
        return json.loads(json.dumps(self.body))


@dataclass(frozen=True)
class Call:
    """One expected request, with its answer, or the exception that requests raises."""

    method: str
    path: str
    answer: Reply | Exception
    query: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None


def refusal(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """An error answer of DigitalOcean."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"id": code, "message": message or code, "request_id": "r-1"}, names)


class ScriptedSession:
    """Stands for the library's session."""

    def __init__(self, calls: tuple[Call, ...]) -> None:
        self._script = list(calls)
        self.sent: list[dict[str, Any]] = []

    def request(self, method: str, url: str, **sent: Any) -> Reply:
        path = urlsplit(url).path.removeprefix("/v2/")
        self.sent.append({"method": method, "url": url, **sent})
        assert self._script, f"unexpected call {method} {path}"
        call = self._script.pop(0)
        assert (call.method, call.path) == (method, path)
        for expected, given in ((call.query, sent["params"]), (call.body, sent["json"])):
            assert expected is None or expected == given
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer


@dataclass
class Script:
    """A scripted DigitalOcean, what was sent to it, and how long was waited."""

    api: DigitalOcean
    session: ScriptedSession
    clock: FakeClock


@contextmanager
def scripted(*calls: Call) -> Iterator[Script]:
    """DigitalOcean for one test, which checks at its end that all calls came."""
    session, clock = ScriptedSession(calls), FakeClock()
    script = Script(DigitalOcean(Connection("t", URL), clock), session, clock)
    script.api._library._session = session
    yield script
    assert not session._script, f"expected calls that were not made: {session._script}"


class LabSession:
    """Stands for the library's session: gives each request to the lab's DigitalOcean, without a network between."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def request(self, method: str, url: str, *, headers: Mapping[str, str], **sent: Any) -> Reply:
        parts = urlsplit(url)
        query = urlencode({name: value for name, value in (sent["params"] or {}).items() if value is not None})
        body = b"" if sent["json"] is None else json.dumps(sent["json"]).encode()
        names = {name.lower(): value for name, value in headers.items()} | {"host": parts.netloc}
        world = self._ground.world
        try:
            answer = self._ground.pipeline.answer(
                world.backends[backend.SERVICE], Request(method, parts.path, query, names, body)
            )
        except ConnectionCutError as error:
            raise requests.exceptions.ConnectionError("Connection aborted.", error) from error
        self._ground.called(method, parts.path.removeprefix("/v2/"))
        return Reply(answer.status, json.loads(answer.body) if answer.body else None, answer.headers)


class Ground:
    """An account in the lab, and the module with its options."""

    def __init__(self, folder: Path, monkeypatch: Any) -> None:
        self.clock = FakeClock()
        settings = Settings(scratch=folder / "scratch", digitalocean_minute_limit=0, droplet_limit=200)
        self.world = World(settings, LabClock(monotonic=self.clock.now))
        backend.install(self.world)
        self.pipeline = Pipeline(self.world)
        self.ledger = folder / "ledger.json"
        self.key_file = folder / "key.pub"
        self.key_file.write_text(f"{PUBLIC_KEY}\n")
        self.warnings: list[str] = []
        self.after: Callable[[str, str], None] = lambda _method, _path: None
        self.token = DIGITALOCEAN_TOKEN
        monkeypatch.setattr(api_module, "_library", self._library)

    @property
    def teams(self) -> Teams:
        """The lab's own teams and tokens."""
        found = self.world.backends[backend.SERVICE]
        assert isinstance(found, backend.DigitalOcean)
        return found.teams

    def _library(self, connection: Connection) -> Any:
        end_point = f"{connection.api_url}/v2/"
        return SimpleNamespace(_session=LabSession(self), end_point=end_point, token=connection.api_token)

    def called(self, method: str, path: str) -> None:
        self.after(method, path)

    def run(
        self, function: Callable[[Context], Outcome], *, check_mode: bool = False, spec: Any = SPEC, **given: Any
    ) -> Outcome:
        """The function of a module with the defaults of its options, and what is given."""
        params = {name: option.get("default") for name, option in spec.options.items()}
        params |= {"api_token": self.token, "api_url": URL, "ledger": str(self.ledger)}
        params = {name: value for name, value in {**params, **given}.items() if name in spec.options}
        outcome = function(Context(params, check_mode, self.warnings.append, self.clock))
        return as_documented(function, outcome)

    def settings(self, **values: object) -> None:
        self.world.settings = self.world.settings.changed(values)

    def faults(self, *rules: Mapping[str, Any]) -> None:
        self.pipeline.faults.replace([Rule.parse({"service": backend.SERVICE, **rule}) for rule in rules])

    def ask(self, method: str, path: str, body: object = None, token: str = DIGITALOCEAN_TOKEN) -> Any:
        """A request that is not the module's."""
        headers = {"authorization": f"Bearer {token}"}
        content = b"" if body is None else json.dumps(body).encode()
        address, _mark, query = f"/v2/{path}".partition("?")
        request = Request(method, address, query, headers, content)
        answer = self.pipeline.answer(self.world.backends[backend.SERVICE], request)
        return json.loads(answer.body) if answer.body else None

    def things(self, kind: str = "droplet") -> list[str]:
        """Names of what is there, counted by the lab itself."""
        return [item.name for item in self.world.inventory() if item.kind == kind]

    def calls(self) -> dict[str, int]:
        """What was asked for so far, by the lab's names of calls."""
        found: dict[str, int] = {}
        for entry in self.pipeline.journal.entries():
            found[entry["action"]] = found.get(entry["action"], 0) + 1
        return found

    def stop(self) -> None:
        self.world.reset()
        self.world.stop()
