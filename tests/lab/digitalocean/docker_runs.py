# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the docker stand-in was asked: the `docker run` lines of a user data, understood. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

FLAGS = {"-d", "--detach", "-i", "--interactive", "-t", "--tty", "--init", "--privileged", "--rm", "--read-only"}
SHORT_FLAGS = set("ditP")


@dataclass(frozen=True)
class Run:
    """One `docker run`."""

    image: str
    name: str
    ports: dict[int, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    restarts: bool = False


def asked(record: bytes) -> list[list[str]]:
    """The stand-in's record as argument lists."""
    commands: list[list[str]] = []
    words: list[str] = []
    for field_ in record.decode(errors="replace").split("\0"):
        if field_ == "e":
            commands.append(words)
            words = []
        elif field_:
            words.append(field_[1:])
    return commands


def running(commands: Sequence[Sequence[str]], before: Sequence[Run] = ()) -> list[Run]:
    """The containers that run after these commands, in order."""
    runs = {run.name: run for run in before}
    for number, command in enumerate(commands, start=1):
        if command[:1] == ["run"]:
            run = parse_run(command[1:], f"container-{number}")
            if run is not None:
                runs[run.name] = run
        elif command[:1] in (["rm"], ["stop"], ["kill"]):
            for name in command[1:]:
                runs.pop(name, None)
    return list(runs.values())


def parse_run(words: Sequence[str], name: str) -> Run | None:
    """The arguments after `docker run`; None if there is no image among them."""
    options: dict[str, list[str]] = {}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option, value = _option(rest)
        options.setdefault(option, []).append(value)
    if not rest:
        return None
    restart = [*options.get("--restart", ["no"])][-1]
    return Run(
        image=rest[0],
        name=[*options.get("--name", [name])][-1],
        ports=dict(_ports([*options.get("-p", ()), *options.get("--publish", ())])),
        environment=dict(_pairs([*options.get("-e", ()), *options.get("--env", ())])),
        command=tuple(rest[1:]),
        restarts=restart.startswith(("always", "unless-stopped")),
    )


def _option(rest: list[str]) -> tuple[str, str]:
    """Take one option and its value off the front."""
    word = rest.pop(0)
    if word in FLAGS or (not word.startswith("--") and set(word[1:]) <= SHORT_FLAGS):
        return word, ""
    if word.startswith("--"):
        option, equals, value = word.partition("=")
        return option, value if equals else _value(rest)
    letters = word[1:]
    for index, letter in enumerate(letters):
        if letter not in SHORT_FLAGS:  # as in -dp 80:80
            return f"-{letter}", letters[index + 1 :].removeprefix("=") or _value(rest)
    return word, ""


def _value(rest: list[str]) -> str:
    return rest.pop(0) if rest else ""


def _ports(values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """8080, 80:8080, 127.0.0.1:80:8080, 80:8080/tcp. What is published on the machine's own loopback is not seen."""
    for value in values:
        number, _unused, protocol = value.partition("/")
        parts = number.split(":")
        if protocol in ("", "tcp") and all(part.isdigit() for part in parts[-2:]) and parts[:-2] != ["127.0.0.1"]:
            yield int(parts[-2] if len(parts) > 1 else parts[-1]), int(parts[-1])


def _pairs(values: Sequence[str]) -> Iterator[tuple[str, str]]:
    for value in values:
        name, equals, content = value.partition("=")
        if equals:
            yield name, content
