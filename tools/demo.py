# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: every part of the collection from bring-up to teardown on a lab of its own, and a report.

What a part's lab needs to have built is built while the parts before it run.

usage: demo.py [PART ...]    by default all parts
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from environment import CACHE, PROGRAMS, PYTHON, ROOT, tool_environment
from lab_session import Lab, LabError, running_lab

STATE: Final = CACHE / "demo"
LOG: Final = STATE / "ansible.log"
STEPS: Final = STATE / "steps.json"


@dataclass(frozen=True)
class Part:
    """One scheduler: the playbook that shows it, and what the report calls it."""

    title: str
    playbook: str
    build: tuple[str, ...] = ()
    """The lab's command that builds what this part needs; nothing is to be done if that is there."""
    zone: str = ""
    """A hosted zone that is there before, and has to be empty afterwards."""
    shows: tuple[str, ...] = ()
    """What its report has to have, of that which its playbook goes on without."""
    hosts: int = 0
    """How many have to have answered."""


PARTS: Final = {
    "ecs": Part("Amazon ECS", "playbooks/ecs.yml", shows=("url", "failure"), hosts=3),
    "kubernetes": Part(
        "Kubernetes on AWS", "playbooks/kubernetes.yml", build=("kubernetes", "build"), shows=("Pending, because",)
    ),
    "rancher": Part(
        "Rancher on DigitalOcean", "playbooks/rancher.yml", build=("kubernetes", "build"), zone="example.com"
    ),
}


@dataclass(frozen=True)
class Outcome:
    """What one playbook did, by its own account and by the lab's."""

    part: Part
    exit_code: int
    steps: list[dict[str, Any]]
    failures: list[dict[str, str]]
    published: dict[str, Any]
    left_in_lab: list[dict[str, Any]]

    @property
    def good(self) -> bool:
        """The playbook ended well and has shown what it has to, and neither it nor the lab knows of anything left."""
        told = {**self.published, **self.published.get("more", {})}
        hosts = told.get("hosts_answered", [])
        shown = all(told.get(name) for name in self.part.shows) and len(hosts) >= self.part.hosts
        return self.exit_code == 0 and shown and not self.published.get("leftovers") and not self.left_in_lab


def main(names: list[str]) -> int:
    """Run the parts one after the other, each on a fresh lab; the exit status says whether all went well."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"There is no part {' or '.join(unknown)}: ONLY is one of {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    shutil.rmtree(STATE, ignore_errors=True)
    STATE.mkdir(parents=True)
    parts = [PARTS[name] for name in names or PARTS]
    check_machine(STATE / "lab")
    with ExitStack() as stack:
        builds = {part: stack.enter_context(_building(part.build)) for part in parts if part.build}
        outcomes = [_run(part, builds.get(part)) for part in parts]
    for outcome in outcomes:
        print(_report(outcome), flush=True)
    return 0 if all(outcome.good for outcome in outcomes) else 1


def check_machine(state: Path) -> None:
    """Every part boots machines: where none gets past its boot, a playbook would wait for it to the end of its time.

    Raises:
        LabError: the lab says that it cannot.
    """
    with running_lab(state) as lab:
        if lab.warnings:
            needed = "Linux with util-linux is needed, and user namespaces for everybody, or root with CAP_SYS_ADMIN."
            raise LabError(" ".join((*lab.warnings, needed)))


@dataclass(frozen=True)
class Build:
    """A build that goes on in the background, and what it says meanwhile."""

    process: subprocess.Popen[bytes]
    log: Path

    def await_end(self) -> None:
        """Show what it says until it is done; a build that failed leaves no lab to be had."""
        with self.log.open(encoding="utf-8", errors="replace") as text:
            ended = False
            while not ended:
                ended = self.process.poll() is not None
                for line in text:
                    print(line.rstrip(), flush=True)
                if not ended:
                    time.sleep(0.5)
        if self.process.returncode:
            raise LabError(f"What the lab needs could not be built; see {self.log.relative_to(ROOT)}.")


@contextmanager
def _building(command: Iterable[str]) -> Iterator[Build]:
    """Start to build; a build that nobody waits for any more is stopped, and goes on the next time."""
    log = STATE / "build.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "lab", *command],
            cwd=ROOT,
            env=tool_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Build(process, log)
    finally:
        process.terminate()
        process.wait()


def _run(part: Part, build: Build | None) -> Outcome:
    if build:
        build.await_end()
    print(f"{part.title}: starting the lab, embedded clouds on this machine. No account is used.", flush=True)
    STEPS.unlink(missing_ok=True)
    try:
        with running_lab(STATE / "lab") as lab:
            with _hosted_zone(part, lab) if part.zone else nullcontext():
                exit_code = _play(part, lab)
            left = lab.inventory()
    finally:
        print("The lab is stopped.", flush=True)
    document = json.loads(STEPS.read_text()) if STEPS.exists() else {"steps": [], "failures": [], "published": {}}
    published = document["published"].get("schedulers_report", {})
    return Outcome(part, exit_code, document["steps"], document["failures"], published, left)


@contextmanager
def _hosted_zone(part: Part, lab: Lab) -> Iterator[None]:
    """A zone is nobody's of the collection. One in which records are left cannot be deleted, and the lab counts it."""
    import boto3  # noqa: PLC0415  (half a second, and not every part wants it)
    from botocore.exceptions import ClientError  # noqa: PLC0415

    keys = {"aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY"}
    settings = {option: lab.exports[name] for option, name in keys.items()}
    route53 = boto3.client("route53", region_name="eu-west-1", endpoint_url=lab.exports["AWS_ENDPOINT_URL"], **settings)
    made = route53.create_hosted_zone(Name=part.zone, CallerReference=part.title)["HostedZone"]["Id"]
    yield
    with suppress(ClientError):
        route53.delete_hosted_zone(Id=made)


def _play(part: Part, lab: Lab) -> int:
    settings = {
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tools" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "steps",
        "ANSIBLE_LOG_PATH": str(LOG),
        "SCHEDULERS_STEPS_FILE": str(STEPS),
    }
    command = [str(PROGRAMS / "ansible-playbook"), part.playbook, "-i", "inventories/lab"]
    print(f"{part.title}: ansible-playbook {' '.join(command[1:])}", flush=True)
    with subprocess.Popen(command, cwd=ROOT, env=tool_environment(lab.exports | settings)) as play:
        try:
            return play.wait()
        except BaseException:
            _end(play)
            raise


def _end(play: subprocess.Popen[bytes]) -> None:
    """Modules may still end what is under way, before the lab goes away under them; then the playbook has to go too."""
    play.send_signal(signal.SIGINT)
    try:
        play.wait(timeout=30)
    except subprocess.TimeoutExpired:
        play.kill()


def _report(outcome: Outcome) -> str:
    published = outcome.published
    seconds = [(step["name"].replace("_", " "), step["seconds"]) for step in outcome.steps]
    seconds.append(("together", sum(step["seconds"] for step in outcome.steps)))
    lines = ["", f"{outcome.part.title}: {'done' if outcome.good else 'FAILED'}"]
    lines += _section("Steps", [f"{name:<44}{took:>8.1f} s" for name, took in seconds])
    lines += _section("Made", published.get("made"))
    lines += _section("URL", published.get("url"))
    lines += _section("Answered by", published.get("hosts_answered"))
    lines += _section("Failure survived", published.get("failure"))
    for title, content in published.get("more", {}).items():
        lines += _section(title, content)
    lines += _section("Leftovers", _leftovers(outcome))
    if not outcome.good:
        failures = [f"{failure['task']}: {failure['message']}" for failure in outcome.failures]
        lines += _section("What failed", [*failures, f"everything that was printed is in {LOG.relative_to(ROOT)}"])
    return "\n".join(lines) + "\n"


def _leftovers(outcome: Outcome) -> str | list[str]:
    if outcome.left_in_lab:
        return [f"{item['kind']} {item['id']} (counted by the lab)" for item in outcome.left_in_lab]
    if "leftovers" not in outcome.published:
        return "none in the lab; the playbook did not come to look"
    return [str(leftover) for leftover in outcome.published["leftovers"]] or "none, and the lab's own count agrees"


def _section(title: str, content: str | list[str] | None) -> list[str]:
    entries = [content] if isinstance(content, str) else content
    return ["", f"  {title}", *(f"    {entry}" for entry in entries or ["not reported"])]


def _interrupt(signal_number: int, _frame: object) -> NoReturn:
    """A terminal that is closed, or a plain `kill`, must not leave a lab behind either."""
    sys.exit(128 + signal_number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
