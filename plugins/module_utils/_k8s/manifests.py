# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests as the user gives them, checked and put in order before the first request. PRIVATE."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .._errors import InputError
from .objects import group_of, label_of, secrets_in

Manifest = dict[str, Any]

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
PATH_SEGMENT = re.compile(r"[^/%]+")
# roles and bindings may be called "system:node", bundles "example.com:signer:v1", requests and users whatever they like
FREELY_NAMED = frozenset({"rbac.authorization.k8s.io", "certificates.k8s.io", "user.openshift.io"})
LABEL_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

# what others are made of comes first; what reacts to others comes last
_STRATA: tuple[frozenset[str], ...] = (
    frozenset({"Namespace", "CustomResourceDefinition"}),
    frozenset(
        {
            "PriorityClass",
            "StorageClass",
            "CSIDriver",
            "IngressClass",
            "PersistentVolume",
            "LimitRange",
            "ResourceQuota",
        }
    ),
    frozenset({"ServiceAccount", "Secret", "ConfigMap", "Role", "ClusterRole", "PersistentVolumeClaim"}),
    frozenset({"RoleBinding", "ClusterRoleBinding", "Service", "NetworkPolicy"}),
    frozenset(
        {"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Pod", "Job", "CronJob"}
    ),
)
LAST = len(_STRATA)


def stratum(kind: str) -> int:
    """When an object of a kind is applied, from 0; objects of one stratum do not need one another."""
    return next((number for number, kinds in enumerate(_STRATA) if kind in kinds), LAST)


def read_manifests(definition: Any, src: str | None) -> list[Manifest]:
    """The manifests that two options give.

    Args:
        definition: a manifest, a list of them, or YAML text with any number of documents.
        src: a file of such text.

    Raises:
        InputError: a file cannot be read, or something is no manifest.
    """
    if src is not None:
        try:
            definition, option = Path(src).expanduser().read_text(), f"src {src}"
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"src {src} cannot be read: {getattr(error, 'strerror', None) or 'not text'}") from error
    else:
        option = "definition"
    documents = list(_documents(definition, option))
    return [_checked(one, f"{option}, document {number}") for number, one in enumerate(documents, 1)]


def secrets_in_definition(value: Any) -> Iterator[str]:
    """The secrets in manifests as the user gives them, be they manifests or not."""
    if isinstance(value, str):
        yield from _secrets_in_text(value)
    elif isinstance(value, list):
        for one in value:
            yield from secrets_in_definition(one)
    elif isinstance(value, Mapping) and isinstance(value.get("items"), list):
        yield from secrets_in_definition(value["items"])
    elif isinstance(value, Mapping):
        yield from secrets_in([value])


def _secrets_in_text(text: str) -> list[str]:
    """A text with secrets is one itself: quotation marks and folded lines make them look another way in it."""
    try:
        documents = [one for one in _parsed(text, "definition") if not isinstance(one, str)]
        found = list(secrets_in_definition(documents))
    except Exception:  # whatever is wrong with it is told later; until then nobody knows what is in it
        return [text]
    return [text, *found] if found else []


def _documents(value: Any, option: str) -> Iterable[Any]:
    parsed = _parsed(value, option) if isinstance(value, str) else value
    for one in parsed if isinstance(parsed, list) else [parsed]:
        if isinstance(one, str) and isinstance(value, list):  # a list may have texts in it, a text may not
            yield from _documents(one, option)
        elif (
            isinstance(one, Mapping)
            and str(one.get("kind", "")).endswith("List")
            and isinstance(one.get("items"), list)
        ):
            yield from one["items"]
        elif one is not None:
            yield one


def _parsed(text: str, option: str) -> list[Any]:
    import yaml  # noqa: PLC0415

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return [one for one in yaml.load_all(text, Loader=loader) if one is not None]
    except (yaml.YAMLError, ValueError) as error:  # a date that there is not is a ValueError
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise InputError(f"{option} is not YAML{where}: {getattr(error, 'problem', None) or error}") from error


def _checked(document: Any, where: str) -> Manifest:
    if not isinstance(document, Mapping):
        raise InputError(f"{where} is not a manifest but {type(document).__name__}")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise InputError(f"{where} has no {field}", hint="A manifest needs apiVersion, kind and metadata.name.")
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not name:
        generated = isinstance(metadata, Mapping) and metadata.get("generateName")
        hint = "generateName would make another object with every run." if generated else ""
        raise InputError(f"{where} ({document['kind']}) has no metadata.name", hint=hint)
    freely = group_of(document) in FREELY_NAMED or document["kind"] == "IPAddress"  # its name is the address
    pattern = PATH_SEGMENT if freely else NAME
    if not pattern.fullmatch(name):
        raise InputError(
            f"{where}: {name!r} is no name for a {document['kind']}",
            hint="Names are lower case letters, digits, hyphens and dots.",
        )
    namespace = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    if namespace is not None and namespace != "":
        checked_namespace(f"{where} ({document['kind']}): metadata.namespace", namespace)
    return {**document, "metadata": dict(metadata or {})}


def checked_namespace(option: str, name: Any) -> str:
    """The name of a namespace, if it can be one.

    Raises:
        InputError: it cannot.
    """
    if not isinstance(name, str) or not LABEL_NAME.fullmatch(name):
        raise InputError(
            f"{option}: {name!r} is no name for a namespace",
            hint="Names are up to 63 lower case letters, digits and hyphens, with no hyphen at an end.",
        )
    return name


def prepared(manifest: Manifest, *, namespaced: bool, namespace: str, labels: Mapping[str, str]) -> Manifest:
    """A manifest in its namespace and with our labels; without what only a server may say. Pure."""
    metadata = {
        name: value
        for name, value in manifest["metadata"].items()
        if name not in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")
        and value is not None
    }
    if namespaced:
        metadata["namespace"] = metadata.get("namespace") or namespace
    else:
        metadata.pop("namespace", None)
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    plain = {name: value for name, value in manifest.items() if name != "status"}
    return _encoded({**plain, "metadata": metadata})


def _encoded(manifest: Manifest) -> Manifest:
    """A Secret with plain texts, as the server keeps it: a key that is taken out of them later has to go."""
    texts = manifest.get("stringData")
    if manifest["kind"] != "Secret" or not isinstance(texts, Mapping):
        return manifest
    encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in texts.items()}
    rest = {name: value for name, value in manifest.items() if name != "stringData"}
    return {**rest, "data": {**(manifest.get("data") or {}), **encoded}}


def refuse_twice(manifests: Iterable[tuple[str, Manifest]]) -> None:
    """Refuse a set in which one object is described twice.

    Raises:
        InputError: one of the two would silently win.
    """
    seen: set[str] = set()
    for key, manifest in manifests:
        if key in seen:
            raise InputError(f"{label_of(manifest)} is described twice")
        seen.add(key)
