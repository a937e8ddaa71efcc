# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod refers to: Secrets and ConfigMaps in its environment and its volumes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.kubernetes.client import Client, Object

KINDS = {"Secret": "secrets", "ConfigMap": "configmaps"}


class MissingError(Exception):
    """Something that the pod refers to is not there: the kubelet's sentence."""


class References:
    """Looks things up for pods; nothing is kept, so that what changes is seen."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def environment(self, pod: Object, container: Object) -> dict[str, str]:
        """The container's variables; MissingError says what is not there."""
        namespace = pod["metadata"]["namespace"]
        found: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            found.update(self._all_of(namespace, source))
        for entry in container.get("env") or ():
            value = self._value(pod, entry)
            if value is not None:
                found[entry["name"]] = _expanded(value, found)
        return found

    def files(self, pod: Object, volume: Object) -> dict[str, bytes] | None:
        """The files of a volume that is made of Secrets and the like; None for any other volume."""
        namespace = pod["metadata"]["namespace"]
        if "secret" in volume:
            source = volume["secret"]
            return self._files(namespace, "Secret", source["secretName"], source)
        if "configMap" in volume:
            return self._files(namespace, "ConfigMap", volume["configMap"]["name"], volume["configMap"])
        if "projected" in volume:
            return self._projected(namespace, volume["projected"].get("sources") or ())
        if "downwardAPI" in volume:
            items = volume["downwardAPI"].get("items") or ()
            return {item["path"]: _field(pod, item.get("fieldRef")).encode() for item in items}
        return None

    def _projected(self, namespace: str, sources: Any) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for source in sources:
            for key, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                if key in source:
                    found.update(self._files(namespace, kind, source[key]["name"], source[key]))
        return found

    def _files(self, namespace: str, kind: str, name: str, source: Object) -> dict[str, bytes]:
        document = self._find(namespace, kind, name)
        if document is None:
            if source.get("optional"):
                return {}
            raise MissingError(f'{kind.lower()} "{name}" not found')
        content = _content(document)
        items = source.get("items")
        if not items:
            return content
        absent = [item["key"] for item in items if item["key"] not in content]
        if absent and not source.get("optional"):
            raise MissingError(f"references non-existent {kind.lower()} key: {absent[0]}")
        return {item["path"]: content[item["key"]] for item in items if item["key"] in content}

    def _all_of(self, namespace: str, source: Object) -> Iterator[tuple[str, str]]:
        kind, reference = (
            ("Secret", source["secretRef"]) if "secretRef" in source else ("ConfigMap", source["configMapRef"])
        )
        document = self._find(namespace, kind, reference["name"])
        if document is None:
            if reference.get("optional"):
                return
            raise MissingError(f'{kind.lower()} "{reference["name"]}" not found')
        for key, value in _content(document).items():
            yield source.get("prefix", "") + key, value.decode(errors="replace")

    def _value(self, pod: Object, entry: Object) -> str | None:
        source = entry.get("valueFrom")
        if not source:
            return str(entry.get("value") or "")
        if "fieldRef" in source:
            return _field(pod, source["fieldRef"])
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            if field in source:
                return self._key(pod["metadata"]["namespace"], kind, source[field])
        return ""

    def _key(self, namespace: str, kind: str, reference: Object) -> str | None:
        document = self._find(namespace, kind, reference["name"])
        content = _content(document) if document is not None else {}
        if reference["key"] in content:
            return content[reference["key"]].decode(errors="replace")
        if reference.get("optional"):
            return None
        if document is None:
            raise MissingError(f'{kind.lower()} "{reference["name"]}" not found')
        raise MissingError(f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}")

    def _find(self, namespace: str, kind: str, name: str) -> Object | None:
        return self._client.find(f"/api/v1/namespaces/{namespace}/{KINDS[kind]}/{name}")


def write(folder: Path, files: dict[str, bytes]) -> None:
    """A volume's files, as a tmpfs would hold them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)


def _content(document: Object) -> dict[str, bytes]:
    plain = document.get("kind") == "ConfigMap"
    encoded = document.get("binaryData") if plain else document.get("data")
    found = {key: base64.b64decode(value or "") for key, value in (encoded or {}).items()}
    if plain:
        found.update({key: value.encode() for key, value in (document.get("data") or {}).items()})
    return found


def _field(pod: Object, reference: Object | None) -> str:
    """metadata.name, status.podIP, metadata.labels['x'] and the like."""
    path = (reference or {}).get("fieldPath", "")
    found: Any = pod
    for dotted, quoted in re.findall(r"([A-Za-z]+)|\['([^']+)'\]", path):
        found = (found or {}).get(dotted or quoted)
    return str(found or "")


def _expanded(text: str, known: dict[str, str]) -> str:
    """$(NAME) is replaced by what is known already; $$(NAME) is not."""
    return re.sub(
        r"\$\$|\$\(([A-Za-z_.-][\w.-]*)\)",
        lambda found: "$" if found[0] == "$$" else known.get(found[1], found[0]),
        text,
    )
