# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an instance's user data for real, in a throw-away root, because what counts is what a script does.

The root has the machine's own programs (read-only binds of /usr and the like), its own /etc, /var, /tmp and so on, no
network, and its own processes: nothing that the script writes lands outside, nothing that it starts outlives it. An
ordinary user gets this from a user namespace; root does without one. What a script cannot do here (packages, units,
docker) is answered by stand-ins in the root's /usr/local/bin.

What runs is what cloud-init would run: user data that starts with `#!`, boothooks, the shell parts of a MIME message.
"""

from __future__ import annotations

import contextlib
import email
import gzip
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lab.world import World

TIME_LIMIT = 60.0
"""Seconds of real time which a script may take."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc/alternatives", "etc/ld.so.cache")
VOLATILE = ("run/lab/started", "run/lab/finished", "run/lab/reboot", "run/lab/docker")
"""Files that a boot leaves, and the next one must not find."""
DEVICES = ("null", "zero", "urandom")
DIRECTORIES = (
    *("boot", "dev", "home/ec2-user", "media", "mnt", "opt", "proc", "root", "run/lab/local/bin", "srv", "sys", "tmp"),
    *("etc/ecs", "etc/docker", "etc/sysconfig", "etc/profile.d", "etc/systemd/system", "etc/yum.repos.d"),
    *("var/cache", "var/lib/cloud/instance/scripts", "var/lib/ecs", "var/log/ecs", "var/run", "var/spool", "var/tmp"),
)
FILES = {
    "etc/os-release": 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n',
    "etc/system-release": "Amazon Linux release 2023 (Amazon Linux)\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nec2-user:x:1000:1000::/home/ec2-user:/bin/bash\n",
    "etc/group": "root:x:0:\ndocker:x:990:ec2-user\nec2-user:x:1000:\n",
    "etc/ecs/ecs.config": "",
    "etc/sysconfig/docker": "",
    "dev/console": "",
}
STAND_INS = (
    *("amazon-linux-extras", "chkconfig", "cloud-init-per", "dnf", "docker", "hostnamectl", "initctl", "journalctl"),
    *("poweroff", "reboot", "restart", "rpm", "service", "shutdown", "start", "status", "stop", "sysctl", "systemctl"),
    *("timedatectl", "yum"),
)
STAND_IN = """#!/bin/sh
# The lab's stand-in for a program that has nothing to act on in a throw-away root.
name=${0##*/}
[ "$name" != cloud-init-per ] || { shift 2; exec "$@"; }
echo "lab: $name $* (a stand-in, nothing done)" >&2
for word in "$name" "$@"; do
    case $word in
        stop | disable | mask) state=off ;;
        start | restart | enable | unmask | install) state=on ;;
        is-active) echo active ;;
        ecs | ecs.service | ecs-init | amazon-ecs-init) unit=ecs ;;
    esac
done
[ -z "${unit-}" ] || [ -z "${state-}" ] || echo "$state" >/run/lab/agent
"""

# Makes the root inside fresh namespaces and moves into it. Arguments: root, host name, the files to bind.
ENTER = """set -eu
root=$1 name=$2
shift 2
mount --rbind "$root" "$root"
cd "$root"
for path; do
    mount --bind -o ro "/$path" "$root/$path" 2>/dev/null || mount --rbind "/$path" "$root/$path"
done
mount --bind "$root/run/lab/local" "$root/usr/local"
printf '%s\n' "$LAB_BINDS" | while read -r source target; do
    [ -z "$source" ] || mount --rbind "$source" "$root/$target"
done
[ -z "$LAB_ADDRESSES" ] || ip link set lo up
for address in $LAB_ADDRESSES; do ip address add "$address/32" dev lo; done
mount -t proc -o ro,nosuid,nodev,noexec proc proc 2>/dev/null || mount --rbind /proc proc
hostname "$name" 2>/dev/null || :
pivot_root . .
umount -l .
unset LAB_BINDS LAB_ADDRESSES
exec setpriv --inh-caps=-all \
    --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+net_bind_service \
    /bin/sh /run/lab/init
"""

INIT = """: >/run/lab/started
cd /
for part in /var/lib/cloud/instance/scripts/*; do
    [ -x "$part" ] || continue
    echo "cloud-init: running $part"
    "$part" </dev/null
    code=$?
    [ ! -e /run/lab/reboot ] || break
    [ $code -eq 0 ] || echo "cloud-init: [WARNING]: Failed running $part [$code]"
done
cat /etc/ecs/ecs.config >/run/lab/ecs.config 2>/dev/null
: >/run/lab/finished
"""


@dataclass(frozen=True)
class System:
    """What a throw-away root looks like from inside, besides this machine's own programs."""

    files: Mapping[str, str]
    """By path in the root."""
    stand_ins: tuple[str, ...]
    """Programs that do nothing, and say so."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Further stand-ins that do something: name and text."""


AMAZON_LINUX = System(FILES, STAND_INS)


@dataclass(frozen=True)
class Script:
    """What cloud-init makes of user data: the parts it runs, in order, and what it says about the rest."""

    parts: tuple[bytes, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Equipment:
    """What an instance has beside what every instance has."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Path in the root -> text."""
    directories: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict)
    """Name in /usr/local/bin -> script, or a path that begins with a slash: a link to it."""
    binds: Mapping[str, Path] = field(default_factory=dict)
    """Path in the root -> file or folder of this machine."""
    environment: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    """Of its loopback interface: where something listens inside."""
    prelude: str = ""
    """Shell that runs before the user data."""
    time_limit: float = TIME_LIMIT


@dataclass(frozen=True)
class Result:
    """What a boot left behind, as far as the ECS agent and the console are concerned."""

    console: str
    agent_config: str = ""
    agent_state: str | None = None
    """`on` or `off` if the script installed, started or stopped the agent, else None."""
    obstacle: str | None = None
    """Why this machine could not run the user data at all: one sentence."""


def script_of(user_data: bytes) -> Script:
    """Sort user data as cloud-init does: by its first line, not by its looks."""
    if user_data.startswith(b"\x1f\x8b"):
        user_data = gzip.decompress(user_data)
    if not user_data.strip():
        return Script()
    head = user_data[:4096].lstrip().lower()
    if head.startswith((b"mime-version:", b"content-type:")):
        return _multipart(user_data)
    return _single(user_data)


def _single(content: bytes) -> Script:
    if content.startswith(b"#!"):
        return Script(parts=(content,))
    if content.startswith(b"#cloud-boothook"):
        body = content.split(b"\n", 1)[1] if b"\n" in content else b""
        return Script(parts=(body if body.startswith(b"#!") else b"#!/bin/sh\n" + body,))
    first = content.splitlines()[0][:60].decode(errors="replace")
    if content.startswith(b"#cloud-config"):
        return Script(remarks=("lab: #cloud-config is not simulated, nothing of it was done",))
    remark = f"cloud-init: [WARNING]: Unhandled non-multipart (text/x-not-multipart) userdata: '{first}...'"
    return Script(remarks=(remark,))


def _multipart(content: bytes) -> Script:
    boothooks: list[bytes] = []
    scripts: list[bytes] = []
    remarks: list[str] = []
    for part in email.message_from_bytes(content).walk():
        body = part.get_payload(decode=True)
        if part.is_multipart() or not isinstance(body, bytes):
            continue
        kind = part.get_content_type()
        if kind == "text/cloud-boothook":
            boothooks.extend(_single(b"#cloud-boothook\n" + body).parts)
        elif kind in ("text/x-shellscript", "text/plain", "text/x-not-multipart"):
            found = _single(body)
            scripts.extend(found.parts)
            remarks.extend(found.remarks)
        else:
            remarks.append(f"lab: a part of type {kind} is not simulated, nothing of it was done")
    return Script(parts=(*boothooks, *scripts), remarks=tuple(remarks))


class Boot:
    """One run of user data in `directory`/root. Ask poll() until it answers; remove() throws the root away."""

    def __init__(
        self,
        directory: Path,
        user_data: bytes,
        host_name: str,
        time_limit: float | None = None,
        system: System = AMAZON_LINUX,
        equipment: Equipment | None = None,
    ) -> None:
        self._directory = directory
        self._system = system
        self._root = directory / "root"
        self._equipment = equipment or Equipment()
        time_limit = time_limit or self._equipment.time_limit
        self._script = script_of(user_data)
        self._deadline = time.monotonic() + time_limit
        self._time_limit = time_limit
        self._host_name = host_name
        self._process: subprocess.Popen[bytes] | None = None
        self._result: Result | None = None
        if self._script.parts:
            self._make_root()
            self._binds = [*_system_paths(self._root), *(f"dev/{device}" for device in DEVICES)]
            self._start(self._script.remarks)
        else:
            self._result = Result(console="".join(f"{line}\n" for line in self._script.remarks))

    def poll(self) -> Result | None:
        """The result, or None while the script runs."""
        if self._result is None and self._process is not None:
            late = time.monotonic() > self._deadline
            if self._process.poll() is None and not late:
                return None
            self._kill()
            self._result = self._read(late)
        return self._result

    def file(self, path: str) -> bytes:
        """What is in a file of the root once the boot is over, b"" if it is not there."""
        found = self._root / path
        return found.read_bytes() if found.is_file() and not found.is_symlink() else b""

    def again(self, init: str) -> None:
        """Boot the same root once more, with another script. Of what was in /run or on the console, nothing is left."""
        for name in VOLATILE:
            (self._root / name).unlink(missing_ok=True)
        (self._root / "dev/console").write_text("", encoding="utf-8")
        (self._root / "run/lab/init").write_text(init, encoding="utf-8")
        self._deadline = time.monotonic() + self._time_limit
        self._result = None
        self._start()

    def remove(self) -> None:
        self._kill()
        self._result = self._result or Result(console="")  # nothing is left that poll() could read
        shutil.rmtree(self._directory, ignore_errors=True)
        if self._directory.exists():
            for folder, _unused, _unused in os.walk(self._directory):
                Path(folder).chmod(0o700)
            shutil.rmtree(self._directory, ignore_errors=True)

    def _make_root(self) -> None:
        root = self._root
        equipment = self._equipment
        for name in (*DIRECTORIES, *equipment.directories):
            (root / name).mkdir(parents=True, exist_ok=True)
        own = {"etc/hostname": f"{self._host_name}\n", "run/lab/init": equipment.prelude + INIT}
        for name, text in {**self._system.files, **own, **equipment.files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            (root / "dev" / name).symlink_to(f"/proc/self/{target}")
        for number, part in enumerate(self._script.parts, start=1):
            _write_program(root / f"var/lib/cloud/instance/scripts/part-{number:03}", part)
        _write_program(root / "run/lab/local/bin/lab-stand-in", STAND_IN.encode())
        for name in self._system.stand_ins:
            (root / "run/lab/local/bin" / name).symlink_to("lab-stand-in")
        for name, program in self._system.programs.items():
            _write_program(root / "run/lab/local/bin" / name, program.encode())
        self._equip()

    def _equip(self) -> None:
        programs = self._root / "run/lab/local/bin"
        for name, content in self._equipment.programs.items():
            (programs / name).unlink(missing_ok=True)
            if content.startswith("#!"):
                _write_program(programs / name, content.encode())
            else:
                (programs / name).symlink_to(content)
        for name, source in self._equipment.binds.items():
            place = self._root / name
            if source.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()

    def _start(self, remarks: Sequence[str] = ()) -> None:
        for device in DEVICES:
            (self._root / "dev" / device).touch()
        namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc"]
        if os.geteuid() != 0:
            namespaces = ["--user", "--map-root-user", *namespaces]
        enter = ["/bin/sh", "-c", ENTER, "enter", str(self._root), self._host_name]
        command = ["unshare", *namespaces, *enter, *self._binds]
        with self._log("wb") as log:
            for remark in remarks:
                log.write(f"{remark}\n".encode())
            log.flush()
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={
                        **self._equipment.environment,
                        "PATH": PATH,
                        "LAB_BINDS": "\n".join(f"{path} {name}" for name, path in self._equipment.binds.items()),
                        "LAB_ADDRESSES": " ".join(self._equipment.addresses),
                    },
                    start_new_session=True,
                )
            except OSError as error:
                self._result = Result(console="", obstacle=_obstacle(str(error)))

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _read(self, late: bool) -> Result:
        with self._log("rb") as log:
            console = log.read().decode(errors="replace")
        if not (self._root / "run/lab/started").exists():
            lines = console.strip().splitlines() or ["no reason given"]
            return Result(console="", obstacle=_obstacle(lines[-1]))
        console += _text(self._root / "dev/console")
        if late:
            console += f"lab: the user data was killed after {self._time_limit:g} seconds\n"
        return Result(
            console=console,
            agent_config=_text(self._root / "run/lab/ecs.config"),
            agent_state=_text(self._root / "run/lab/agent").strip() or None,
        )

    def _log(self, mode: str) -> IO[bytes]:
        self._directory.mkdir(parents=True, exist_ok=True)
        file: IO[bytes] = (self._directory / "console.log").open(mode)
        return file


def install(world: World) -> None:
    """Say at the start if this machine can boot nothing."""
    world.settings.scratch.mkdir(parents=True, exist_ok=True)
    problem = obstacle(world.settings.scratch)
    if problem is not None:
        world.warnings.append(problem)


def obstacle(scratch: Path) -> str | None:
    """Why user data cannot be run on this machine (one sentence), or None: tried with an empty script."""
    boot = Boot(Path(tempfile.mkdtemp(dir=scratch)), b"#!/bin/sh\n", "probe", time_limit=10)
    try:
        while (result := boot.poll()) is None:
            time.sleep(0.005)
        return result.obstacle
    finally:
        boot.remove()


def _obstacle(reason: str) -> str:
    return f"This machine cannot run user data in a throw-away root, so no instance gets past its boot: {reason}."


def _system_paths(root: Path) -> list[str]:
    """What to bind from this machine; its symbolic links (/bin -> usr/bin) are repeated instead."""
    binds = []
    for name in SYSTEM:
        here, there = Path("/") / name, root / name
        if here.is_symlink():
            there.symlink_to(here.readlink())
        elif here.is_dir():
            there.mkdir(parents=True)
            binds.append(name)
        elif here.exists():
            there.touch()
            binds.append(name)
    return binds


def _write_program(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
