# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make .venv with the pinned requirements, and the links by which every tool finds the collection under its name.

Started by setup.sh before anything is installed, so it uses the standard library only. Running it again costs
nothing: a stamp in .venv says what was installed, and for which folder.

usage: tools/setup.sh demo|test
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from environment import CACHE, PROGRAMS, PYTHON, ROOT, VENV

# What each purpose needs. The test set holds the demo's, so it comes first: it makes both ready.
REQUIREMENTS: Final = {"test": "requirements-test.txt", "demo": "requirements.txt"}
LOG: Final = CACHE / "setup.log"
_NETWORK_SIGNS: Final = (
    "Failed to establish a new connection",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Connection refused",
    "Network is unreachable",
    "Cannot connect to proxy",
    "Max retries exceeded",
    "timed out",
    "from versions: none",
)


class SetupError(Exception):
    """Why the set-up cannot be done, in one sentence for the person who runs it."""


def main(purpose: str) -> None:
    """Bring .venv to what the purpose needs, unless it is there already."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once: the second one waits, and finds it done
        if not _is_ready(purpose):
            _make_venv()
            _install(ROOT / "tools" / REQUIREMENTS[purpose])
            _link_collection()
            _stamp(purpose).write_text(_digest(purpose))


def _is_ready(purpose: str) -> bool:
    enough = list(REQUIREMENTS)[: list(REQUIREMENTS).index(purpose) + 1]
    return any(_stamp(name).is_file() and _stamp(name).read_text() == _digest(name) for name in enough)


def _stamp(purpose: str) -> Path:
    return VENV / f"ready-for-{purpose}"


def _digest(purpose: str) -> str:
    """What was installed and where: programs in .venv know their folder, so a moved clone needs them anew."""
    content = (ROOT / "tools" / REQUIREMENTS[purpose]).read_bytes() + str(ROOT).encode()
    return hashlib.sha256(content).hexdigest()


def _make_venv() -> None:
    if _belongs_here():
        return
    if not (importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv")):
        raise SetupError(
            f"{sys.executable} cannot make virtual environments: install its venv module "
            f"(on Debian and Ubuntu: apt install python{sys.version_info.major}.{sys.version_info.minor}-venv)."
        )
    print(f"Making .venv with Python {platform.python_version()} ({sys.executable})", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{' '.join(command)} failed: {(done.stdout + done.stderr).strip()}")


def _belongs_here() -> bool:
    """Whether .venv is whole, runs, and was made for this folder."""
    pip = PROGRAMS / "pip"
    if not (PYTHON.exists() and pip.is_file() and str(PROGRAMS) in pip.read_text()):
        return False
    return subprocess.run([str(PYTHON), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _install(requirements: Path) -> None:
    total = sum("==" in line for line in requirements.read_text().splitlines())
    print(f"Installing {requirements.relative_to(ROOT)}: up to {total} packages, details in {LOG.relative_to(ROOT)}")
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "-r",
        str(requirements),
    ]
    started = time.monotonic()
    with (
        LOG.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        seen = 0
        for line in pip.stdout or ():
            log.write(line)
            seen += line.startswith(("Collecting", "Requirement already satisfied"))
            _show_progress(line, seen, total)
    if pip.returncode:
        raise SetupError(_why_pip_failed())
    print(f"Installed in {time.monotonic() - started:.0f} s", flush=True)


def _show_progress(line: str, seen: int, total: int) -> None:
    if line.startswith("Collecting") and (seen % 10 == 0 or sys.stdout.isatty()):
        name = line.split()[1].split("=", maxsplit=1)[0]
        text = f"  {min(seen, total)} of {total}: {name}"
        print(f"\r{text:<60}" if sys.stdout.isatty() else text, end="" if sys.stdout.isatty() else "\n", flush=True)
    if line.startswith("Installing collected packages"):
        print(f"{chr(10) if sys.stdout.isatty() else ''}  all there, unpacking", flush=True)


def _why_pip_failed() -> str:
    text = LOG.read_text()
    if any(sign in text for sign in _NETWORK_SIGNS):
        return (
            "The Python package index cannot be reached: check the network, or set PIP_INDEX_URL or HTTPS_PROXY "
            f"(details: {LOG})."
        )
    last = next((line for line in reversed(text.splitlines()) if line.startswith("ERROR")), "no reason given")
    return f"pip could not install the requirements: {last} (details: {LOG})."


def _link_collection() -> None:
    """One link for what imports it as Python (in site-packages), one for ANSIBLE_COLLECTIONS_PATH and mypy."""
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site_packages = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    for parent in (Path(site_packages), CACHE / "collections"):
        link = parent / "ansible_collections" / "container" / "schedulers"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not (link.is_symlink() and link.readlink() == ROOT):
            link.unlink(missing_ok=True)
            link.symlink_to(ROOT)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in REQUIREMENTS:
        sys.exit(f"usage: tools/setup.sh {'|'.join(REQUIREMENTS)}")
    try:
        main(sys.argv[1])
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: run it again, it goes on from here.")
