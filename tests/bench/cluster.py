# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster of the lab's as the benchmark uses it: a real API server, whose nodes and pods are simulated."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from lab.kubernetes.client import Client
from lab_session import running_kubernetes

from bench.distance import distant
from bench.job import NAME

SPEED = 10
"""Kubelet seconds in a real one, such as the pauses between probes."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_CORE, _APPS = f"/api/v1/namespaces/{NAME}", f"/apis/apps/v1/namespaces/{NAME}"
_KINDS = {
    "deployments": _APPS,
    "services": _CORE,
    "pods": _CORE,
    "secrets": _CORE,
    "configmaps": _CORE,
    "persistentvolumeclaims": _CORE,
}
_OF_EVERY_NAMESPACE = frozenset({"kube-root-ca.crt"})


@contextmanager
def running(state: Path) -> Iterator[Cluster]:
    """A cluster with room for everything."""
    with running_kubernetes(state, "--nodes=3", "--cpu=4", f"--speed={SPEED}") as exports, ExitStack() as networks:
        yield Cluster(exports, networks)


class Cluster:
    """One cluster, and the environment that points a program at it.

    Args:
        exports: the environment for a program beside it.
        networks: what is opened between it and programs, and closed when it ends or the distance changes.
    """

    def __init__(self, exports: Mapping[str, str], networks: ExitStack) -> None:
        self.exports = self._beside = exports
        self._networks = networks

    def reset(self, settings: Mapping[str, float]) -> None:
        """An empty namespace: who was here before has left nothing. What pods need in it is there."""
        self._networks.close()
        seconds = settings.get("round_trip_seconds", 0)
        self.exports = self._networks.enter_context(self._away(seconds)) if seconds else self._beside
        self._control("POST", "/settings", {"ready_seconds": SPEED * settings.get("ready_seconds", 0)})
        self._client.create("/api/v1/namespaces", {"metadata": {"name": NAME}})
        while self._client.find(f"{_CORE}/serviceaccounts/default") is None:
            time.sleep(0.05)

    def forget_calls(self) -> None:
        self._control("DELETE", "/journal")

    def calls(self) -> list[dict[str, Any]]:
        return list(self._control("GET", "/journal")["entries"])

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """What there is of a kind in the namespace."""
        found = self._client.get(f"{_KINDS[kind]}/{kind}")["items"]
        return [one for one in found if one["metadata"]["name"] not in _OF_EVERY_NAMESPACE]

    def everything(self) -> list[str]:
        """All that somebody has made there."""
        return [f"{kind} {one['metadata']['name']}" for kind in _KINDS for one in self.objects(kind)]

    @contextmanager
    def _away(self, seconds: float) -> Iterator[Mapping[str, str]]:
        beside = Path(self._beside["LAB_KUBECONFIG"])
        document = yaml.safe_load(beside.read_text())
        (known,) = document["clusters"]
        with distant(known["cluster"]["server"], seconds) as known["cluster"]["server"]:
            away = beside.with_name("away.kubeconfig")
            away.touch(mode=0o600)
            away.write_text(yaml.safe_dump(document))
            yield {**self._beside, "KUBECONFIG": str(away)}

    @cached_property
    def _client(self) -> Client:
        """Not the administrator, whose requests are counted."""
        return Client(Path(self._beside["LAB_KUBECONFIG"]).with_name("lab.kubeconfig"))

    def _control(self, method: str, path: str, document: object = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self._beside["LAB_KUBERNETES_CONTROL"] + path, data=body, method=method)
        with _DIRECT.open(request, timeout=60) as answer:
            return json.load(answer)
