# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the cluster, kept up to date by watches: one thread for each kind, one queue for all that changes."""

from __future__ import annotations

import http.client
import logging
import queue
import threading
from collections.abc import Iterator
from typing import NamedTuple

from lab.kubernetes.client import ApiError, Client, Object

log = logging.getLogger("lab")
RETRY_SECONDS = 0.3
KINDS = {
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/pods",
    "services": "/api/v1/services",
    "persistentvolumeclaims": "/api/v1/persistentvolumeclaims",
    "persistentvolumes": "/api/v1/persistentvolumes",
    "endpointslices": "/apis/discovery.k8s.io/v1/endpointslices",
    "storageclasses": "/apis/storage.k8s.io/v1/storageclasses",
    "volumeattachments": "/apis/storage.k8s.io/v1/volumeattachments",
}


class Change(NamedTuple):
    """Something is new, different or gone; `before` is what was known of it."""

    kind: str
    key: str
    now: Object | None
    before: Object | None


def key_of(document: Object) -> str:
    """`namespace/name`, or `name` of what is in no namespace."""
    metadata = document["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


class Informer:
    """Caches of the kinds above. Read them freely; changes are put into `changes` in the order they came."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._caches: dict[str, dict[str, Object]] = {kind: {} for kind in KINDS}
        self._stopping = threading.Event()
        self.changes: queue.Queue[Change | None] = queue.Queue()

    def start(self) -> None:
        for kind, path in KINDS.items():
            threading.Thread(target=self._keep, args=(kind, path), name=f"lab-watch-{kind}", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self.changes.put(None)

    def get(self, kind: str, key: str) -> Object | None:
        return self._caches[kind].get(key)

    def all(self, kind: str) -> list[Object]:
        return list(self._caches[kind].values())

    def _keep(self, kind: str, path: str) -> None:
        while not self._stopping.is_set():
            try:
                version = self._list(kind, path)
                for event, document in self._follow(path, version):
                    self._take(kind, event, document)
            except (OSError, http.client.HTTPException, ApiError, ValueError) as error:
                log.debug("watch of %s ended: %s", kind, error)
            self._stopping.wait(RETRY_SECONDS)

    def _follow(self, path: str, version: str) -> Iterator[tuple[str, Object]]:
        """Watch on and on; a watch that ran out is taken up where it ended."""
        while not self._stopping.is_set():
            for event, document in self._client.watch(path, version):
                version = document["metadata"]["resourceVersion"]
                yield event, document

    def _list(self, kind: str, path: str) -> str:
        answer = self._client.get(path)
        found = {key_of(document): document for document in answer["items"]}
        for key in [key for key in self._caches[kind] if key not in found]:
            self._put(kind, key, None)
        for key, document in found.items():
            known = self._caches[kind].get(key)
            if known is None or known["metadata"]["resourceVersion"] != document["metadata"]["resourceVersion"]:
                self._put(kind, key, document)
        version: str = answer["metadata"]["resourceVersion"]
        return version

    def _take(self, kind: str, event: str, document: Object) -> None:
        if event == "BOOKMARK":
            return
        self._put(kind, key_of(document), None if event == "DELETED" else document)

    def _put(self, kind: str, key: str, document: Object | None) -> None:
        before = self._caches[kind].get(key)
        if document is None:
            self._caches[kind].pop(key, None)
        else:
            self._caches[kind][key] = document
        self.changes.put(Change(kind, key, document, before))
