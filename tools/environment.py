# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, and the environment that every tool runs in.

Tools write state into the home folder (~/.ansible, ~/.cache, ~/.aws), and read what they find there and in the
environment. Here they get a home inside the clone and none of the caller's settings: a run changes nothing outside
the clone (but for the lab's control plane, see below, and pip's cache, which set-up shares with all clones), means the
same on every machine, and can never reach a real account.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
HOME = CACHE / "home"
VENV = ROOT / ".venv"
PROGRAMS = VENV / "bin"
PYTHON = PROGRAMS / "python"

_FOREIGN_SETTINGS = (
    "ANSIBLE_",
    "AWS_",
    "BOTO_",
    "COVERAGE_",
    "DIGITALOCEAN_",
    "GIT_",
    "LAB_",
    "MOLECULE_",
    "MYPY",
    "PYTEST_",
    "PYTHON",
    "RANCHER_",
    "XDG_",
)
_GIVEN_PROGRAMS = "LAB_KUBERNETES_PROGRAMS"
"""A folder with a control plane, of whoever has one: it is not built then."""
_LOOPBACK = "127.0.0.1,localhost"
_PIP_CONFIGS = (Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf")


def tool_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without its settings for our tools, and with a home inside the clone."""
    HOME.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_SETTINGS)}
    environment |= {
        "HOME": str(HOME),
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(VENV),
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTHONUNBUFFERED": "1",
        # The package index may be behind a proxy; the lab never is.
        "no_proxy": _LOOPBACK,
        "NO_PROXY": _LOOPBACK,
        # A quarter of an hour's work, for all clones of this user: kept outside.
        "LAB_CACHE": os.environ.get("LAB_CACHE") or str(Path.home() / ".cache"),
        "ANSIBLE_CONFIG": str(ROOT / "tools" / "ansible.cfg"),
        "ANSIBLE_HOME": str(HOME / ".ansible"),
        "ANSIBLE_REMOTE_TEMP": str(HOME / ".ansible" / "tmp"),  # modules look up the user's real home otherwise
    }
    if given := os.environ.get(_GIVEN_PROGRAMS):
        environment[_GIVEN_PROGRAMS] = str(Path(given).absolute())
    config = next((path for path in _PIP_CONFIGS if path.is_file()), None)
    if config:
        environment.setdefault("PIP_CONFIG_FILE", str(config))
    return environment | dict(extra or {})
