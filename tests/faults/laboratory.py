# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as the matrix uses it: started and stopped, told which fault to have, asked what exists.

What exists is the lab's own account, never our modules': a module that forgets a thing would forget to list it too.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

Inventory = Counter[str]
"""How often what exists, each thing in words without what is random in it."""

_RANDOM = re.compile(
    r"\b(?=[0-9a-f-]*\d)[0-9a-f-]{8,}\b"  # ids
    r"|\b\d{1,3}(\.\d{1,3}){3}\b"  # addresses
    r"|\blab-\d+\b"  # whose files they are
    r"|(?<=:)\d+$"  # revisions, which are never used again
)
_MARK = "container.schedulers/"
AGENT = "container.schedulers"
"""Part of the User-Agent of what is tested. The controllers of a cluster ask too, whenever they like."""
_IRREPLACEABLE = ("volume", "kubernetes-secrets", "kubernetes-persistentvolumeclaims", "kubernetes-persistentvolumes")
"""Kinds of what holds data: a second one of the same name is not the same."""
FILES = "FAULTS_FILES"
"""The variable that tells tasks where their files belong."""
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LaboratoryError(Exception):
    """Why there is no lab, in one sentence."""


@dataclass(frozen=True)
class Call:
    """The nth time that a run makes this API call: found again in another run, in whatever order threads go."""

    name: str
    nth: int
    is_write: bool

    def __str__(self) -> str:
        return f"{self.name}:{self.nth}"


@dataclass(frozen=True)
class Laboratory:
    """One running lab.

    Attributes:
        exports: what tasks need to know of it, as environment variables.
    """

    exports: Mapping[str, str]

    @property
    def files(self) -> Path:
        """Where tasks keep what they write down."""
        return Path(self.exports[FILES])

    def inventory(self) -> Inventory:
        """Everything in the account that would be billed or be in the way, and what tasks have written down."""
        things = Counter(_in_words(item) for item in self._ask("GET", "inventory")["items"])
        return things + Counter(f"file {without_random(path.name)}" for path in self.files.iterdir())

    def data(self) -> Mapping[str, frozenset[str]]:
        """What holds data and must not be replaced: in words, and which ones they are."""
        found: dict[str, set[str]] = {}
        for item in self._ask("GET", "inventory")["items"]:
            if item["kind"] in _IRREPLACEABLE:
                which = f"{item['id']} {item['tags'].get('lab.invalid/digest', '')}"
                found.setdefault(_in_words(item), set()).add(which)
        return {words: frozenset(ids) for words, ids in found.items()}

    def calls(self) -> list[Call]:
        """What runs asked since the journal was cleared, but for writes that were refused: others follow them."""
        seen: Counter[str] = Counter()
        calls = []
        for entry in self._journal():
            name = f"{entry['service']}.{entry['action']}"
            seen[name] += 1
            if not (entry["write"] and entry["error"]):
                calls.append(Call(name, seen[name], entry["write"]))
        return calls

    def forget_calls(self) -> None:
        """Clear the journal."""
        self._ask("DELETE", "journal")

    def break_at(self, call: Call, fault: Mapping[str, Any]) -> None:
        """Have this fault at this call, once."""
        self._ask("POST", "faults", [rule_at(call, fault)])

    def mend(self) -> None:
        """No more faults."""
        self._ask("POST", "faults", [])

    def was_hit(self) -> bool:
        """Whether the fault came about."""
        return any(entry["fault"] for entry in self._journal())

    def holds(self) -> bool:
        """Whether a request is held."""
        return bool(self._ask("GET", "faults")["held"])

    def release(self) -> None:
        """Let held requests go on."""
        self._ask("POST", "faults/release")

    def reset(self, settings: Mapping[str, float | str]) -> None:
        """Back to an empty account, with these settings besides those that the lab was started with."""
        self._ask("POST", "reset")
        shutil.rmtree(self.files)
        self.files.mkdir()
        self._ask("POST", "settings", settings)

    def _journal(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._ask("GET", f"journal?agent={AGENT}")["entries"]
        return entries

    def _ask(self, method: str, path: str, document: Any = None) -> dict[str, Any]:
        body = json.dumps(document).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self.exports['LAB_CONTROL']}/{path}", body, method=method)
        with _direct.open(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


def rule_at(call: Call, fault: Mapping[str, Any]) -> dict[str, Any]:
    """The fault, once, at this call of what is tested. Pure."""
    service, _unused, action = call.name.partition(".")
    aim = {
        "service": re.escape(service),
        "action": re.escape(action),
        "agent": AGENT,
        "skip": call.nth - 1,
        "times": 1,
    }
    return {**aim, **fault}


@contextmanager
def running_laboratories(count: int, folder: Path) -> Iterator[list[Laboratory]]:
    """So many labs with everything at its fastest, stopped at the end whatever happens in between."""
    states = [folder / f"lab-{number}" for number in range(count)]
    with ThreadPoolExecutor(count) as threads:
        try:
            list(threads.map(partial(_lab, "start"), states))
            yield [_laboratory(state) for state in states]
        finally:
            list(threads.map(partial(_lab, "stop"), states))


def _laboratory(state: Path) -> Laboratory:
    files = state / "files"
    files.mkdir()
    own = {FILES: str(files), "KUBECONFIG": str(state / "kubeconfig")}
    return Laboratory({**_parse_exports(_lab("exports", state)), **own})


def _lab(command: str, state: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lab", command, "--state", str(state)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise LaboratoryError(f"lab {command} failed: {done.stdout.strip() or 'it gave no reason.'}")
    return done.stdout


def _parse_exports(text: str) -> dict[str, str]:
    words = (word for line in text.splitlines() if line.startswith("export ") for word in shlex.split(line)[1:])
    return dict(word.split("=", 1) for word in words)


def without_random(text: str) -> str:
    """The text with ids, addresses and the like struck out."""
    return _RANDOM.sub("*", text)


def _in_words(item: Mapping[str, Any]) -> str:
    tags = sorted(item["tags"].items())
    marks = [f"{key.removeprefix(_MARK)}={without_random(value)}" for key, value in tags if _MARK in key]
    return " ".join([item["kind"], without_random(item["name"]), *marks]).strip()
