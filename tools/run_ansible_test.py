# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test from a clone in a folder of any name.

It has five habits that this works around:

- It wants the real path ``.../ansible_collections/container/schedulers``: it gets a copy of the files that git would
  take, one copy per command, so that two commands can run at once.
- In a copy inside an ignored folder it finds no files at all, and passes: the copy has a ``.git`` of its own, and a
  run in which nothing ran is a failure here.
- It makes virtual environments without pip, and fetches pip from a host of its own: it finds pip in its cache, as the
  wheel that the package index has.
- It writes interpreter lines, in which a path with a space is two words: it gets one without.
- It tries every Python on the PATH and dies at the first one that does not run: it is told which one to use.

Integration targets do not see the caller's environment. What `make lab` exports (or a lab that the tests start) reaches
them as variables of the same names in lower case, unless the clone has an integration_config.yml of its own.

usage: run_ansible_test.py sanity|units|integration [ARGUMENT ...]
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import ansible_test
from clone_files import copy_files, git_environment
from environment import CACHE, HOME, PROGRAMS, PYTHON, ROOT, VENV, tool_environment

_INTEGRATION_CONFIG: Final = Path("tests", "integration", "integration_config.yml")
_COPIES: Final = CACHE / "ansible-test"
_RAN: Final = re.compile(r'Running sanity test "|Running \S+ integration test|\d+ passed')
_GET_PIP: Final = '''"""Stand-in for get-pip: run pip {version} from its wheel beside this file."""
import os
import runpy
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "pip-{version}-py3-none-any.whl"))
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv = ["pip", "install", "--no-index", "--find-links", here, *wanted]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def main(arguments: list[str]) -> int:
    """ansible-test's exit status, or 1 if it ran nothing."""
    copy = copy_of_clone(arguments[0])
    _write_integration_config(copy / _INTEGRATION_CONFIG)
    _seed_pip()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with _programs_without_space() as programs:
        command = [str(programs / "python"), str(programs / "ansible-test"), *arguments, "--local", "--python", version]
        environment = tool_environment() | {"PATH": f"{programs}:{os.environ['PATH']}"}
        exit_code, ran = _run([*command, "--color", "no"], copy, environment)
    if not ran:
        print(f"ansible-test {arguments[0]} ran no test at all, which is counted as a failure.")
    return exit_code or (0 if ran else 1)


def _run(command: list[str], copy: Path, environment: dict[str, str]) -> tuple[int, bool]:
    """The exit status, and whether any test ran; the output goes on to whoever reads ours."""
    ran = False
    with subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            ran = ran or bool(_RAN.search(line))
            print(line, end="", flush=True)
    return process.returncode, ran


@contextmanager
def _programs_without_space() -> Iterator[Path]:
    if " " not in str(PROGRAMS):
        yield PROGRAMS
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "venv")
        link.symlink_to(VENV)
        yield link / PROGRAMS.name


def copy_of_clone(name: str) -> Path:
    """The files that git would take, where ansible-test wants them; what it made in its copy before stays."""
    copy = _COPIES / name / "ansible_collections" / "container" / "schedulers"
    kept = (copy / ".git", copy / "tests", copy / "tests" / "output")
    for folder in (copy, copy / "tests"):
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry not in kept:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    copy_files(copy)
    if not (copy / ".git").is_dir():
        subprocess.run(["git", "init", "--quiet", str(copy)], env=git_environment(), check=True)
    return copy


def _write_integration_config(target: Path) -> None:
    """The variables of the integration targets: the clone's own (git ignores that file), or the lab's exports."""
    own = ROOT / _INTEGRATION_CONFIG
    ours = ("AWS_", "DIGITALOCEAN_", "LAB_", "RANCHER_")
    exports = {name.lower(): value for name, value in os.environ.items() if name.startswith(ours)}
    if own.is_file():
        shutil.copy2(own, target)
    elif "lab_control" in exports:
        target.write_text(json.dumps(exports, indent=2))


def _seed_pip() -> None:
    """Put pip where ansible-test would put what it downloads."""
    source = Path(*ansible_test.__path__, "_internal", "python_requirements.py")
    match = re.search(r"pip='([^']+)'", source.read_text())
    if match is None:
        raise RuntimeError(f"{source} does not say which pip it wants: ansible-test has changed.")
    version = match.group(1)
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / f"pip-{version}-py3-none-any.whl").is_file():
        command = [
            str(PYTHON),
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(cache),
            f"pip=={version}",
        ]
        subprocess.run(command, env=tool_environment(), check=True)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(_GET_PIP.format(version=version))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: run_ansible_test.py sanity|units|integration [ARGUMENT ...]")
    sys.exit(main(sys.argv[1:]))
