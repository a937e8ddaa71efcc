# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab start|run|stop|status|exports`, `python -m lab kubernetes ...`: reads the arguments, calls cli.py."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from lab import cli
from lab.kubernetes import cli as kubernetes
from lab.world import Settings

_KINDS = {"float": float, "int": int, "str": str}
_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_DEFAULT_STATE = _CACHE / "lab"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab", description="A simulation of AWS and DigitalOcean, for tests and the demo."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in (
        ("start", "start it in the background and wait until it answers"),
        ("run", "the same in the foreground, until interrupted"),
        ("stop", "stop it"),
        ("status", "what listens where, and what this machine cannot simulate"),
        ("exports", "shell lines that point clients at it"),
    ):
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("--state", type=Path, default=_DEFAULT_STATE, metavar="DIR", help="default: %(default)s")
        if name in ("start", "run"):
            command.add_argument("--port", type=int, default=0, help="0 = any free one (default)")
            _add_settings(command)
    summary = "a cluster of its own, beside the lab's AWS"
    kubernetes.add_commands(commands.add_parser("kubernetes", help=summary, description=summary), _CACHE / "kubernetes")
    return parser


def _add_settings(command: argparse.ArgumentParser) -> None:
    for setting in dataclasses.fields(Settings):
        kind = _KINDS.get(str(setting.type))
        if kind is not None:
            option = "--" + setting.name.replace("_", "-")
            command.add_argument(option, type=kind, metavar="N", default=setting.default, help="default: %(default)s")


def main(arguments: list[str]) -> int:
    parsed = _parser().parse_args(arguments)
    if parsed.command == "kubernetes":
        return kubernetes.main(parsed)
    options = vars(parsed)
    command, state = options.pop("command"), options.pop("state").resolve()
    try:
        if command in ("start", "run"):
            port = options.pop("port")
            settings = Settings(scratch=state / "scratch", **options)
            return cli.start(state, port, settings) if command == "start" else cli.run(state, port, settings)
        return {"stop": cli.stop, "status": cli.status, "exports": cli.exports}[command](state)
    except cli.LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
