# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container as a folder: its log, and a program that enters it. The streaming kubelet looks at nothing else.

Entering makes a throw-away root of its own, as boot.py does for instances: the machine's own programs read-only, the
pod's volumes at their mount paths, no network, the pod's host name. What is written outside a volume lives as long as
the container. `wp`, `mariadb` and the like are answered by the lab through a socket.
"""

from __future__ import annotations

import datetime
import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.boot import DEVICES, PATH, SYSTEM

ANSWERED = ("wp", "mariadb", "mysql", "mariadb-admin", "mysqladmin", "mariadb-dump", "mysqldump", "healthcheck.sh",
            "curl", "wget", "nc", "nslookup")  # fmt: skip
"""Programs of containers which the lab answers, because they would need a server or the network."""
DIRECTORIES = "dev etc home media mnt opt proc root run/lab/local/bin srv sys tmp var/cache var/lib var/log var/tmp"

ENTER = """#!/bin/sh
# Enters a container of the lab. Everything below happens in namespaces of its own and ends with the command.
folder={folder}
if [ ! -d "$folder/root" ]; then
    mkdir -p "$folder/new" && cd "$folder/new" || exit 126
    mkdir -p {directories} {mount_points} && chmod 1777 tmp var/tmp
    for device in {devices}; do : >"dev/$device"; done
    for name in {answered}; do ln -s /run/lab/program "run/lab/local/bin/$name"; done
    ln -s /proc/self/fd dev/fd
    : >run/lab/program; : >run/lab/lab.sock
    echo {host_name} >etc/hostname
    printf '127.0.0.1 localhost\\n%s %s\\n' {address} {host_name} >etc/hosts
    printf 'root:x:0:0:root:/root:/bin/sh\\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\\n' >etc/passwd
    printf 'root:x:0:\\nwww-data:x:33:\\n' >etc/group
    for path in {system}; do
        if [ -L "/$path" ]; then cp -P "/$path" "$path"; elif [ -d "/$path" ]; then mkdir -p "$path"
        elif [ -e "/$path" ]; then mkdir -p "${{path%/*}}"; : >"$path"; fi
    done
    mv "$folder/new" "$folder/root" 2>/dev/null || :
fi
exec unshare {namespaces} --mount --pid --fork --kill-child --net --uts --ipc /bin/sh -c '
set -eu
root=$1; shift
mount --rbind "$root" "$root"; cd "$root"
for path in {system} {device_paths}; do
    [ -L "$path" ] || [ ! -e "/$path" ] || mount --bind -o ro "/$path" "$root/$path" 2>/dev/null ||
        mount --rbind "/$path" "$root/$path"
done
mount --bind "$root/run/lab/local" "$root/usr/local"
{mounts}
mount --bind {program} "$root/run/lab/program"; mount --bind {socket} "$root/run/lab/lab.sock"
mount -t proc proc proc 2>/dev/null || mount --rbind /proc proc
hostname {host_name} 2>/dev/null || :
pivot_root . .; umount -l .; cd {work_dir} 2>/dev/null || cd /
exec env -i {environment} setpriv --inh-caps=-all \\
    --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+net_bind_service \\
    "$@"' enter "$folder/root" "$@"
"""


@dataclass(frozen=True)
class Place:
    """What is needed to enter a container."""

    folder: Path
    container: str
    """`namespace/pod/container`, by which the lab knows who asks."""
    host_name: str
    address: str
    environment: Mapping[str, str]
    mounts: Mapping[str, Path]
    """Path in the container -> folder (or file) on this machine."""
    program: Path
    socket: Path
    work_dir: str = "/"


def create(place: Place) -> None:
    """Make the folder of a container that starts; the log of the one before becomes the previous log."""
    place.folder.mkdir(parents=True, exist_ok=True)
    log = place.folder / "log"
    if log.exists():
        log.replace(place.folder / "previous.log")
    remove_root(place.folder)
    log.touch()
    enter = place.folder / "enter"
    enter.write_text(script(place))
    enter.chmod(0o700)
    (place.folder / "running").touch()


def close(folder: Path) -> None:
    """The container has ended: its log stays, nobody can enter it any more."""
    (folder / "running").unlink(missing_ok=True)
    if (folder / "log").exists():
        os.utime(folder / "log")


def remove_root(folder: Path) -> None:
    for name in ("root", "own"):
        shutil.rmtree(folder / name, ignore_errors=True)


def write_log(folder: Path, line: str, stream: str = "stdout") -> None:
    """One line, in the format of container runtimes."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    with (folder / "log").open("a", encoding="utf-8") as log:
        log.write(f"{stamp} {stream} F {line}\n")


def script(place: Place) -> str:
    """The program that enters."""
    environment = {
        "PATH": PATH,
        "HOSTNAME": place.host_name,
        "HOME": "/root",
        **place.environment,
        "LAB_CONTAINER": place.container,
    }
    mounts = sorted(place.mounts.items())
    return ENTER.format(
        folder=shlex.quote(str(place.folder)),
        directories=DIRECTORIES,
        mount_points=_words(path.lstrip("/") for path, source in mounts if not source.is_file()),
        devices=" ".join(DEVICES),
        device_paths=" ".join(f"dev/{device}" for device in DEVICES),
        answered=" ".join(ANSWERED),
        host_name=shlex.quote(place.host_name),
        address=place.address,
        system=" ".join(SYSTEM),
        namespaces="" if os.geteuid() == 0 else "--user --map-root-user",
        mounts=_inner("\n".join(_mount(path, source) for path, source in mounts)),
        program=_inner(shlex.quote(str(place.program))),
        socket=_inner(shlex.quote(str(place.socket))),
        work_dir=_inner(shlex.quote(place.work_dir)),
        environment=_inner(_words(f"{name}={value}" for name, value in environment.items())),
    )


def _mount(path: str, source: Path) -> str:
    target = '"$root"/' + shlex.quote(path.lstrip("/"))
    make = f"mkdir -p {target}"
    if source.is_file():
        make = f"mkdir -p $(dirname {target}); [ -e {target} ] || : >{target}"
    return f"{make}; mount --bind {shlex.quote(str(source))} {target}"


def _words(values: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, values))


def _inner(text: str) -> str:
    """Text inside the single quotes of the inner script."""
    return text.replace("'", "'\\''")
