# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules a user would take today, in a virtual environment of their own, made when first needed.

They come out of PyPI's `ansible` package, of which only these collections are unpacked. ansible-core, boto3 and
kubernetes are of the versions that our own side runs with, so that the difference is the modules' alone.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

from environment import CACHE, tool_environment

from bench.measure import RunError

ANSIBLE = "12.3.0"
COLLECTIONS = ("amazon/aws", "community/aws", "community/digitalocean", "kubernetes/core")
VENV = CACHE / "bench" / "venv"
PROGRAMS = VENV / "bin"
_WHEELS = CACHE / "bench" / "wheels"
_SHARED = ("ansible-core", "boto3", "botocore", "kubernetes")


def install() -> None:
    """Make the environment, unless it is there already."""
    versions = [f"{name}=={metadata.version(name)}" for name in _SHARED]
    stamp, content = VENV / "ready", "\n".join([f"ansible {ANSIBLE}", *COLLECTIONS, str(VENV), *versions])
    if stamp.is_file() and stamp.read_text() == content:
        return
    print(f"Making {VENV.relative_to(CACHE.parent)} for today's modules (once, some 20 seconds)", flush=True)
    _run(sys.executable, "-m", "venv", "--clear", str(VENV))
    print(f"  {', '.join(versions)}", flush=True)
    _pip("install", *versions)
    print(f"  {' and '.join(COLLECTIONS)} out of ansible {ANSIBLE} (54 MB)", flush=True)
    _pip("download", "--no-deps", "--dest", str(_WHEELS), f"ansible=={ANSIBLE}")
    _unpack(next(_WHEELS.glob(f"ansible-{ANSIBLE}-*.whl")))
    stamp.write_text(content)


def _unpack(wheel: Path) -> None:
    folders = tuple(f"ansible_collections/{name}/" for name in COLLECTIONS)
    site_packages = next((VENV / "lib").glob("python3*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages, [name for name in archive.namelist() if name.startswith(folders)])


def _pip(*arguments: str) -> None:
    _run(str(PROGRAMS / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments)


def _run(*command: str) -> None:
    environment = tool_environment({"VIRTUAL_ENV": str(VENV)})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
