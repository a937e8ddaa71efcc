# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job of ansible-runner with everything switched on that makes Ansible talk, and where it may leave a secret.

Two of them have all secrets, and neither is ours:
- env/envvars, where the caller of ansible-runner puts them;
- artifacts/*/command, where ansible-runner itself writes down the whole environment (mode 0600: keep it so).
"""

from __future__ import annotations

import json
import stat
import subprocess
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from environment import PROGRAMS
from package.surroundings import Command, bare_environment

SECONDS = 600
ALLOWED = ("env/envvars", "artifacts/canary/command")


@dataclass(frozen=True)
class Job:
    """What a job has left: its output, the arguments of its programs, and files in its folder."""

    folder: Path
    output: bytes
    arguments: Collection[bytes]

    @property
    def events(self) -> int:
        return len(list((self.folder / "artifacts" / "canary" / "job_events").iterdir()))

    def holding(self, secrets: Collection[bytes]) -> list[Path]:
        """The files, around the job, too, in which a secret stands."""
        files = [path for path in self.folder.parent.rglob("*") if path.is_file()]
        return [path for path in files if any(secret in path.read_bytes() for secret in secrets)]

    def told(self, secrets: Collection[bytes]) -> list[bytes]:
        """The secrets that stand in its output, or among arguments."""
        return [one for one in secrets if one in self.output or any(one in words for words in self.arguments)]


def is_public(path: Path) -> bool:
    """Whether others than its owner may do something with a file."""
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def run_job(above: Path, plays: Mapping[str, str], variables: Mapping[str, str], *, keeps_modules: bool = False) -> Job:
    """Run canary.yml, as AWX does; all of it has to go well.

    Args:
        above: an empty folder, which gets all that the job leaves.
        plays: playbooks by their file names.
        variables: of the environment.
        keeps_modules: whether Ansible is told to keep the modules, which it packs then.
    """
    folder = above / "job"
    (folder / "project").mkdir(parents=True)
    (folder / "env").mkdir()
    for name, text in plays.items():
        (folder / "project" / name).write_text(text)
    (folder / "env" / "cmdline").write_text("-vvv --diff")
    talkative = {
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "true",
        "ANSIBLE_DISPLAY_TRACEBACK": "always",
        "ANSIBLE_KEEP_REMOTE_FILES": str(keeps_modules),
        "ANSIBLE_LOCAL_TEMP": str(above / "local"),
        "ANSIBLE_LOG_PATH": str(above / "ansible.log"),
    }
    (folder / "env" / "envvars").touch(mode=0o600)
    (folder / "env" / "envvars").write_text(json.dumps({**talkative, **variables}))
    command: Command = [PROGRAMS / "ansible-runner", "run", folder, "-p", "canary.yml", "--ident", "canary"]
    environment = bare_environment(PROGRAMS, above / "home") | {"TMPDIR": str(above)}
    with _arguments_watched(str(above).encode()) as seen:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return Job(folder, (done.stdout + done.stderr).encode(), seen)


@contextmanager
def _arguments_watched(sign: bytes) -> Iterator[set[bytes]]:
    """The arguments of the programs of this run, which are known by a sign in their environment.

    Other tests run at the same time on this machine, on labs with the same keys.
    """
    seen: set[bytes] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    arguments, environment = path.read_bytes(), path.with_name("environ").read_bytes()
                except OSError:
                    continue  # it has ended
                if sign in environment:
                    seen.add(arguments)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
