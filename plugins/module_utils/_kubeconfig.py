# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a kubeconfig: one cluster's entries are put into a file, or taken out of it, and all others stay.

The file is written in one go and only its owner may read it, at no time anybody else. PRIVATE.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ._errors import InputError
from ._locks import alone_in

Document = dict[str, Any]
SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}
MODE = 0o600


EXTENSION = "container.schedulers"  # what a context says of where its cluster is
AUTHORITY = "certificate-authority-data"
CERTIFICATE = ("client-certificate-data", "client-key-data")


def entries(document: Mapping[str, Any], name: str, server: str, region: str) -> Document:
    """What a kubeconfig of kubeadm says, under another name and for another address of the server. Pure.

    Whoever is root on the control plane writes it. So nothing is taken over but certificates: a kubeconfig can also
    name programs that its reader runs, files that it sends, and a proxy that listens in.

    Args:
        region: where the cluster is: clusters of two regions can have one name.

    Raises:
        InputError: it is not a kubeconfig, or not one as kubeadm makes it.
    """
    try:
        cluster = document["clusters"][0]["cluster"]
        user = document["users"][0]["user"]
    except (KeyError, IndexError, TypeError) as error:
        raise InputError("what the control plane has published is no kubeconfig") from error
    trusted, shown = _certificates(cluster, (AUTHORITY,), {"server"}), _certificates(user, CERTIFICATE)
    told = {"name": EXTENSION, "extension": {"region": region}}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, **trusted}}],
        "users": [{"name": name, "user": shown}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "extensions": [told]}}],
        "current-context": name,
    }


def _certificates(section: Any, keys: Collection[str], ignored: Collection[str] = ()) -> dict[str, str]:
    """These keys of a section, all of which it has to have, and no other.

    Raises:
        InputError: it has others, or not all.
    """
    found = {key: value for key, value in section.items() if key not in ignored} if isinstance(section, dict) else {}
    if set(found) != set(keys) or not all(isinstance(value, str) and value for value in found.values()):
        named = ", ".join(sorted(map(str, found))) or "nothing"
        raise InputError(
            f"what the control plane has published is not what kubeadm writes: {named} instead of {', '.join(keys)}",
            hint="Somebody has changed it. Look at the control plane before you use the cluster again.",
        )
    return found


def region_of(document: Mapping[str, Any], name: str) -> str:
    """Where the cluster of a context is, empty if it does not say. Pure."""
    context = _named(document, "contexts", name)
    for one in context.get("extensions") or () if isinstance(context, dict) else ():
        if isinstance(one, dict) and one.get("name") == EXTENSION:
            return str((one.get("extension") or {}).get("region") or "")
    return ""


def fingerprint(document: Mapping[str, Any], name: str) -> str:
    """Tells two states of a name's entries apart and gives away nothing of them; empty if there are none. Pure."""
    found = {section: _named(document, section, name) for section in SECTIONS}
    if not any(found.values()):
        return ""
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()[:16]


def merged(document: Mapping[str, Any], addition: Mapping[str, Any]) -> Document:
    """A kubeconfig with the entries of another; those of the same names are replaced. Pure."""
    names = {one["name"] for section in SECTIONS for one in addition[section]}
    kept = without(document, *names)
    return {
        **kept,
        "apiVersion": "v1",
        "kind": "Config",
        **{section: [*kept.get(section, []), *addition[section]] for section in SECTIONS},
        "current-context": addition["current-context"],
    }


def without(document: Mapping[str, Any], *names: str) -> Document:
    """A kubeconfig without the entries of these names. Pure."""
    kept = {**document}
    for section in SECTIONS:
        kept[section] = [one for one in document.get(section) or () if one.get("name") not in names]
    if document.get("current-context") in names:
        kept["current-context"] = ""
    return kept


def load(path: Path) -> Document:
    """The content of a file, nothing if there is none.

    Raises:
        InputError: it cannot be read, or is not a kubeconfig.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"kubeconfig: {path} cannot be read ({error})") from error
    return parse(text, f"kubeconfig: {path}")


def parse(text: str, label: str) -> Document:
    """The kubeconfig in a text.

    Raises:
        InputError: it is none.
    """
    import yaml  # noqa: PLC0415

    try:
        document = yaml.safe_load(text) or {}
    except (yaml.YAMLError, ValueError) as error:  # a date that there is not is a ValueError
        raise InputError(f"{label} is not YAML") from error
    sections = [document.get(section) or [] for section in SECTIONS] if isinstance(document, dict) else [None]
    if not all(isinstance(one, list) and all(isinstance(item, dict) for item in one) for one in sections):
        raise InputError(f"{label} is not a kubeconfig")
    return dict(document)


def change(path: Path, how: Callable[[Document], Document]) -> None:
    """Change a file. Of two runs that do so at once, one waits: it would write over what the other has put in."""
    with alone_in(path.resolve().parent):
        save(path, how(load(path)))


def save(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file in one go; a file that is left without any entry is removed."""
    import yaml  # noqa: PLC0415

    target = path.resolve()  # what a link points to is written or removed, not the link
    if not any(document.get(section) for section in SECTIONS):
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, MODE)
            yaml.safe_dump(dict(document), file, sort_keys=False)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _named(document: Mapping[str, Any], section: str, name: str) -> Any:
    return next((one.get(SECTIONS[section]) for one in document.get(section) or () if one.get("name") == name), None)
