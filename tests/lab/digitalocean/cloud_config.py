# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of #cloud-config that scripts are made of, as a script: bootcmd, write_files, packages, runcmd.

Other keys are named in the console and left out.
"""

from __future__ import annotations

import base64
import gzip
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

KNOWN = ("bootcmd", "write_files", "packages", "package_update", "package_upgrade", "runcmd")


def script_of(user_data: bytes) -> bytes:
    """User data as the boot can run it; what is no #cloud-config is returned as it is."""
    if not user_data.startswith(b"#cloud-config"):
        return user_data
    try:
        document = yaml.safe_load(user_data)
    except yaml.YAMLError as error:
        return _script(f"echo {shlex.quote(f'cloud-init: [WARNING]: failed to parse user data: {error}')}")
    if not isinstance(document, Mapping):
        return _script("echo 'cloud-init: [WARNING]: the cloud-config is no mapping'")
    return _script("\n".join(_lines(document)))


def _script(text: str) -> bytes:
    return f"#!/bin/sh\n{text}\n".encode()


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    others = sorted({*map(str, document)} - {*KNOWN})
    if others:
        yield f"echo 'lab: not simulated in #cloud-config: {' '.join(others)}'"
    yield from (_command(one) for one in document.get("bootcmd") or ())
    for file in document.get("write_files") or ():
        yield from _file(file)
    packages = [one if isinstance(one, str) else str(one[0]) for one in document.get("packages") or ()]
    if packages:
        yield f"apt-get install --yes {shlex.join(packages)}"
    # cloud-init writes runcmd into one script, so that a cd or an exit is felt by what follows
    yield from (_command(one) for one in document.get("runcmd") or ())


def _command(command: object) -> str:
    return shlex.join(map(str, command)) if isinstance(command, list) else str(command)


def _file(file: Mapping[str, Any]) -> Iterator[str]:
    path = shlex.quote(str(file["path"]))
    content = base64.b64encode(_content(file)).decode()
    yield f"mkdir -p $(dirname {path})"
    yield f"echo {content} | base64 -d {'>>' if file.get('append') else '>'} {path}"
    yield f"chmod {file.get('permissions') or '0644'} {path}"


def _content(file: Mapping[str, Any]) -> bytes:
    encoding, content = str(file.get("encoding") or ""), str(file.get("content") or "").encode()
    if "b64" in encoding or "base64" in encoding:
        content = base64.b64decode(content)
    return gzip.decompress(content) if encoding.startswith(("gz", "gzip")) else content
