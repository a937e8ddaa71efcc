# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a shell in a container sees: the image's and its own, and those of volumes mounted over them."""

from __future__ import annotations

import posixpath

_DIRECTORIES = ("/", "/bin", "/dev", "/etc", "/home", "/root", "/tmp", "/usr", "/usr/bin", "/var")
_PROGRAMS = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/")


class ContainerFiles:
    """By path. A volume's files are named from the volume's root."""

    def __init__(self, own: dict[str, str], mounts: list[tuple[str, dict[str, str]]], programs: set[str]) -> None:
        self._own = own
        self._mounts = mounts
        self._programs = programs

    def read(self, path: str) -> str | None:
        path = _clean(path)
        if path in ("/dev/null", "/dev/stdin"):
            return ""
        if path.startswith(_PROGRAMS) and posixpath.basename(path) in self._programs:
            return "#!lab\n"
        files, name = self._place(path)
        return files.get(name)

    def write(self, path: str, text: str, append: bool) -> str | None:
        """None, or what is wrong."""
        path = _clean(path)
        if path.startswith("/dev/"):
            return None
        if self.names(path):
            return f"can't create {path}: Is a directory"
        files, name = self._place(path)
        files[name] = (files.get(name, "") if append else "") + text
        return None

    def remove(self, path: str) -> bool:
        files, name = self._place(_clean(path))
        below = [one for one in files if one == name or one.startswith(name.rstrip("/") + "/")]
        for one in below:
            del files[one]
        return bool(below)

    def names(self, directory: str) -> list[str]:
        """What is in a directory, without the directories above."""
        directory = _clean(directory).rstrip("/")
        paths = [*self._own, *_DIRECTORIES, *(mount for mount, _files in self._mounts)]
        paths += [mount + name for mount, files in self._mounts for name in files]
        below = [path[len(directory) + 1 :] for path in paths if path.startswith(directory + "/")]
        return sorted({path.partition("/")[0] for path in below if path})

    def _place(self, path: str) -> tuple[dict[str, str], str]:
        for mount, files in self._mounts:
            if path.startswith(mount + "/"):
                return files, path[len(mount) :]
        return self._own, path


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))
