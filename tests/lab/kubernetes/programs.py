# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the programs of the control plane come from: given by the user, found on PATH, or built once from Go modules.

What is built lies outside the tree, in a folder named by the hash of its sources, so that it outlives `make clean` and
is shared by clones. Two builds at once are one: the second waits for the lock and finds the work done.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.kubernetes import toolchain

SOURCES = Path(__file__).resolve().parent / "tools"
GIVEN = "LAB_KUBERNETES_PROGRAMS"
"""Environment variable: a folder with the programs, to be used instead of any other."""
CACHE = "LAB_CACHE"
"""Environment variable: where to keep what is built, for callers whose home is not the user's."""
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
CLOUD = "aws-cloud-controller-manager"
KUBELET = "lab-kubelet"
PACKAGES = 2950
"""About as many packages are compiled from nothing; for the progress line only."""


class ProgramsError(Exception):
    """Why there are no programs, and what to do: one sentence."""


@dataclass(frozen=True)
class Programs:
    """The programs by name."""

    paths: dict[str, Path]

    def __getitem__(self, name: str) -> str:
        return str(self.paths[name])

    def __contains__(self, name: str) -> bool:
        return name in self.paths


def cache() -> Path:
    """The folder of what is built from these sources."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*")):
        if path.name in ("go.mod", "go.sum") or path.suffix == ".go":
            digest.update(f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes() + b"\0")
    home = Path(os.environ.get(CACHE) or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "container.schedulers" / f"kubernetes-{digest.hexdigest()[:16]}"


def find() -> Programs | None:
    """The programs if they are there: given, built, or on PATH."""
    given = os.environ.get(GIVEN)
    built = _in(cache(), (*CONTROL_PLANE, CLOUD, KUBELET))
    if given:
        found = _in(Path(given), (*CONTROL_PLANE, CLOUD, KUBELET))
        missing = [name for name in CONTROL_PLANE if name not in found]
        if missing:
            raise ProgramsError(f"{GIVEN} is {given}, but {', '.join(missing)} is not in it.")
    elif all(name in built for name in (*CONTROL_PLANE, KUBELET)):
        found = built
    else:
        found = {name: Path(path) for name in (*CONTROL_PLANE, CLOUD, KUBELET) if (path := shutil.which(name))}
    paths = {**{name: path for name, path in built.items() if name in (KUBELET, CLOUD)}, **found}
    return Programs(paths) if all(name in paths for name in (*CONTROL_PLANE, KUBELET)) else None


def need() -> Programs:
    """The programs, or the sentence that says how to get them."""
    programs = find()
    if programs is None:
        raise ProgramsError("The programs of the control plane are not built: run `python -m lab kubernetes build`.")
    return programs


def build(say: Callable[[str], None] = print) -> Programs:
    """Build what is missing; takes a quarter of an hour on two cores, once."""
    if (programs := find()) is not None:
        return programs
    target = cache()
    target.mkdir(parents=True, exist_ok=True)
    with _lock(target / "lock", say):
        if (programs := find()) is not None:
            return programs
        go = _compiler(target.parent, say)
        begun = time.monotonic()
        _compile(go, "./kubelet", target / KUBELET, say)
        if find() is None:  # all but that small one may be given
            say(f"building the control plane from Go modules into {target}: a quarter of an hour on two cores, once")
            _compile(go, ".", target / "kubernetes", say)
            for name in (*CONTROL_PLANE, CLOUD):
                _link(target / name, "kubernetes")
        say(f"built in {time.monotonic() - begun:.0f} s")
    return need()


def version() -> str:
    """The version of Kubernetes that is built, as go.mod pins it."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)$", (SOURCES / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise ProgramsError(f"{SOURCES / 'go.mod'} pins no k8s.io/kubernetes.")
    return found[1]


def _in(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    return {name: folder / name for name in names if os.access(folder / name, os.X_OK)}


def _compiler(home: Path, say: Callable[[str], None]) -> str:
    try:
        return toolchain.go(home, say)
    except toolchain.ToolchainError as error:
        raise ProgramsError(f"{error} (Or have the programs on PATH, or in the folder that {GIVEN} names.)") from error


def _compile(go: str, package: str, target: Path, say: Callable[[str], None]) -> None:
    """One binary, put in place when it is whole."""
    pinned = version()
    _unused, minor, _unused = pinned.removeprefix("v").split(".")
    stamps = {"gitVersion": pinned, "gitMajor": "1", "gitMinor": minor, "gitTreeState": "clean"}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items())
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    command = [go, "build", "-v", "-trimpath", "-mod=readonly", "-ldflags", f"-s -w {flags}", "-o", str(unfinished)]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    process = subprocess.Popen(
        [*command, package], cwd=SOURCES, env=environment, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        lines = _follow(process, target.name, say)
        if process.wait():
            raise ProgramsError("The build of the control plane failed: " + " ".join(lines[-5:]))
        unfinished.replace(target)
    finally:
        if process.poll() is None:
            process.kill()
        unfinished.unlink(missing_ok=True)


def _follow(process: subprocess.Popen[str], name: str, say: Callable[[str], None]) -> list[str]:
    """Read what the compiler says, and say every ten seconds how far it is."""
    lines: list[str] = []
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(10):
            downloads = sum(1 for line in lines if line.startswith("go: downloading"))
            packages = len(lines) - downloads
            say(f"{name}: {downloads} modules fetched, {packages} of at most {PACKAGES} packages compiled")

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    while process.stderr and (line := process.stderr.readline()):
        lines.append(line.strip())
    ended.set()
    reporter.join()
    return lines


def _link(path: Path, target: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.symlink_to(target)
    temporary.replace(path)


@contextmanager
def _lock(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is under way: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """`python -m lab kubernetes build`."""
    try:
        programs = build(lambda line: print(f"lab: {line}", flush=True))
    except ProgramsError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    print(f"lab: {programs['kube-apiserver']} and the others are ready")
    return 0
