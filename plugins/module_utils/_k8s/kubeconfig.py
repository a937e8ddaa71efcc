# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a kubeconfig: which cluster, which user, which namespace. PRIVATE."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import InputError
from .._proxy import secrets_of

DEFAULT = "~/.kube/config"
SECTIONS = ("clusters", "users", "contexts")
# of a user: words that stand elsewhere, too ("default"), and whose hiding would make results unreadable
PUBLIC = frozenset({"name", "username", "apiVersion", "command", "interactiveMode"})
SECRET_NAME = re.compile("secret|token|password|key", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One context of a kubeconfig.

    Attributes:
        document: the whole, with files merged.
        folder: relative paths in it start from here.
    """

    source: str
    context: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    namespace: str
    document: Mapping[str, Any]
    folder: Path

    def beside(self, path: Any) -> Path:
        """A path that the kubeconfig names."""
        return self.folder / Path(str(path)).expanduser()


def read_kubeconfig(given: Any, context: str | None, environment: Mapping[str, str]) -> Entry | None:
    """The context of the kubeconfig to use; None if no kubeconfig is given and there is none.

    Args:
        given: a path, or the content as a mapping; None: what KUBECONFIG names, or the usual file.
        context: its name; None: the current one.

    Raises:
        InputError: it is missing, malformed, or lacks the context.
    """
    if isinstance(given, Mapping):
        return _entry(given, context, "kubeconfig", Path.cwd())
    paths = _paths(given, environment)
    found = [path for path in paths if path.is_file()]
    if not found:
        if given:
            raise InputError(f"kubeconfig {given} does not exist", hint="Give the path of a kubeconfig.")
        return None
    documents = [_load(path) for path in found]
    return _entry(_merged(documents), context, f"kubeconfig {found[0]}", found[0].parent)


def _paths(given: Any, environment: Mapping[str, str]) -> list[Path]:
    named = str(given) if given else environment.get("KUBECONFIG") or DEFAULT
    return [Path(one).expanduser() for one in named.split(os.pathsep) if one]


def _load(path: Path) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(path.read_text(), Loader=loader)  # noqa: S506 - both are safe loaders
    except OSError as error:
        raise InputError(f"kubeconfig {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:  # text that is no UTF-8, or a date that there is not
        raise InputError(f"kubeconfig {path} is not YAML") from error
    if not isinstance(document, Mapping):
        raise InputError(f"kubeconfig {path} is not a kubeconfig: it has no clusters")
    return document


def _merged(documents: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Several files as one: of each name, and of the current context, the first one counts, as for kubectl."""
    merged: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            if key in SECTIONS:
                merged.setdefault(key, []).extend(value or ())
            elif value and not merged.get(key):
                merged[key] = value
    return merged


def _entry(document: Mapping[str, Any], context: str | None, source: str, folder: Path) -> Entry:
    name = context or document.get("current-context")
    if not name:
        raise InputError(f"{source} has no current context", hint="Set context.")
    chosen = _named(document, "contexts", "context", str(name), source)
    cluster = _named(document, "clusters", "cluster", str(chosen.get("cluster")), source)
    user = _named(document, "users", "user", str(chosen["user"]), source) if chosen.get("user") else {}
    if not cluster.get("server"):
        raise InputError(f"cluster {chosen.get('cluster')} in {source} has no server")
    return Entry(source, str(name), cluster, user, str(chosen.get("namespace") or ""), document, folder)


def _named(document: Mapping[str, Any], section: str, key: str, name: str, source: str) -> Mapping[str, Any]:
    entries = [one for one in document.get(section) or () if isinstance(one, Mapping)]
    for one in entries:
        if one.get("name") == name and isinstance(one.get(key) or {}, Mapping):
            return one.get(key) or {}
    names = ", ".join(str(one.get("name")) for one in entries) or "none"
    raise InputError(f"{source} has no {key} {name}", hint=f"It has: {names}.")


def secrets_in_kubeconfig(given: Any) -> Iterator[str]:
    """The secrets in an option that takes a kubeconfig: its path, or its content. Pure."""
    if isinstance(given, Mapping):
        yield from _leaves(given.get("users"))
        for one in given.get("clusters") or ():
            yield from secrets_of(((isinstance(one, Mapping) and one.get("cluster")) or {}).get("proxy-url"))
    elif isinstance(given, str) and ("\n" in given or "{" in given):
        yield given  # the content as text: it is refused as the path that it is taken for


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name == "exec" and isinstance(one, Mapping):
                yield from _secrets_of_program(one)
            elif name not in PUBLIC:
                yield from _leaves(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _secrets_of_program(login: Mapping[str, Any]) -> Iterator[str]:
    """Those that a program for the login gets. Its other arguments, such as a region, stand elsewhere, too."""
    args, env = (one if isinstance(one, list) else [] for one in (login.get("args"), login.get("env")))
    given = [str(one) for one in args]
    for before, argument in zip(["", *given], given, strict=False):
        name, _equals, value = argument.partition("=")
        if value and SECRET_NAME.search(name):
            yield value
        elif before.startswith("-") and "=" not in before and SECRET_NAME.search(before):
            yield argument
    for one in env:
        if isinstance(one, Mapping) and SECRET_NAME.search(str(one.get("name"))) and one.get("value"):
            yield str(one["value"])
