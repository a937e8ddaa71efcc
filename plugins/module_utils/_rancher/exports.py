# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack as files: docker-compose.yml and rancher-compose.yml, written for their owner only. PRIVATE."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from .._checks import writable
from .._compare import Difference
from .._errors import InputError
from .._plan import Plan, Step
from .._retry import Effect
from .api import Object
from .environments import Run

FILES = {"dockerComposeConfig": "docker-compose.yml", "rancherComposeConfig": "rancher-compose.yml"}


def export(run: Run, stack: Object) -> dict[str, str]:
    """The two files of a stack: name -> text."""
    doing = f"export stack {stack['name']}"
    # an action that changes nothing: as good as a read
    answer = run.rancher.act(stack, "exportconfig", {}, doing=doing, effect=Effect.READ)
    return {name: str(answer.get(field) or "") for field, name in FILES.items()}


def export_plan(run: Run, stack: Object | None, folder: str, *, certain: bool, write: bool) -> tuple[Plan, list[str]]:
    """Export a stack; what had to be written, and all of the files' paths.

    Args:
        certain: the stack stays as it is; else, in check mode, what it will be exported as cannot be known.
        write: False in check mode.
    """
    paths = {name: Path(folder) / name for name in FILES.values()}
    texts = export(run, stack) if stack and (certain or write) else {}
    stale = [name for name, path in paths.items() if name not in texts or not _has(path, texts[name])]
    if write:
        for name in stale:
            write_private(paths[name], texts[name], option="export_to")
    return Plan(tuple(_step(paths[name]) for name in stale)), [str(path) for path in paths.values()]


def _step(path: Path) -> Step:
    # the text stays out of the diff: an exported environment may hold passwords
    change = Difference("content", "other than the stack's" if path.exists() else "missing", "the stack's")
    return Step("update" if path.exists() else "create", f"file/{path}", "file", str(path), differences=(change,))


def _has(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def require_folder(folder: str) -> None:
    """Look whether a stack could be exported to a folder.

    Raises:
        InputError: it could not.
    """
    for name in FILES.values():
        writable("export_to", Path(folder) / name)


def write_private(path: Path, text: str, *, option: str) -> None:
    """Write a file that only its owner may read: at no moment is it wider, or half there.

    Raises:
        InputError: it cannot be written.
    """
    temporary: Any = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with 0600
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise InputError(f"{option}: {path} cannot be written: {error.strerror or error}") from error
