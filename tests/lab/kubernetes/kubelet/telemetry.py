# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus and Loki, as far as they show whether anything reaches them: which targets answer, and whose lines came.

They go by their configuration and by what there is in the cluster: a target that is nowhere is down, and a Fluent Bit
that sends elsewhere brings nothing. What they answer has the form that the documentation of their HTTP APIs gives.
"""

from __future__ import annotations

import fnmatch
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs

import yaml

from lab.containers import Page

KUBELET_PORT = 10250
_QUERY = re.compile(r'up(?:\{job="(?P<job>[^"]*)"\})?(?:\s*==\s*(?P<value>[01]))?')
_VALUES = re.compile(r"/loki/api/v1/label/(?P<name>[^/]+)/values")
_FIELD = re.compile(r"\$kubernetes\['(?P<name>[a-z_]+)'\]")
Accepts = Callable[[str, int], bool]
"""(host, port) -> whether a connection would be accepted."""


@dataclass(frozen=True)
class Node:
    """A node, with its kubelet."""

    name: str
    address: str
    ready: bool = True


@dataclass(frozen=True)
class Log:
    """The log of a container that runs, on its node."""

    node: str
    namespace: str
    pod: str
    container: str

    @property
    def file(self) -> str:
        return f"/var/log/containers/{self.pod}_{self.namespace}_{self.container}-0.log"


@dataclass(frozen=True)
class Shipper:
    """A Fluent Bit that runs: what it is told to do, and where it is."""

    config: str
    node: str
    sees_logs: bool
    reaches: Accepts
    """Whether it would reach the one who asks."""


class Sight(Protocol):
    """What can be seen of the cluster."""

    def nodes(self) -> list[Node]: ...

    def logs(self) -> list[Log]: ...

    def accepts(self, host: str, port: int, namespace: str) -> bool: ...


# Prometheus


def prometheus(config: str, path: str, query: str, nodes: Sequence[Node], accepts: Accepts) -> Page:
    """The answer to GET path?query."""
    if path in ("/-/ready", "/-/healthy"):
        return Page(200, f"Prometheus Server is {'Ready' if path == '/-/ready' else 'Healthy'}.\n", "text/plain")
    if path != "/api/v1/query":
        return Page(404, "404 page not found\n", "text/plain")
    asked = _QUERY.fullmatch(parse_qs(query).get("query", [""])[0].strip())
    if asked is None:
        problem = {"status": "error", "errorType": "execution", "error": "the lab knows up, of a job perhaps, and == 1"}
        return Page(422, json.dumps(problem), "application/json")
    found: list[dict[str, Any]] = []
    for labels, is_up in _samples(config, nodes, accepts):
        value = str(int(is_up))
        if asked["job"] in (None, labels["job"]) and asked["value"] in (None, value):
            found.append({"metric": {"__name__": "up"} | labels, "value": [round(time.time(), 3), value]})
    return _success({"resultType": "vector", "result": found})


def _samples(config: str, nodes: Sequence[Node], accepts: Accepts) -> Iterator[tuple[dict[str, str], bool]]:
    """Every target with its labels, and whether it answers."""
    kubelets = {node.address: node.ready for node in nodes}
    for job in (yaml.safe_load(config) or {}).get("scrape_configs") or ():
        for found in _discovered(job, nodes):
            labels: dict[str, str] = {"job": str(job["job_name"]), **found}
            for rule in job.get("relabel_configs") or ():
                _relabel(labels, rule)
            address = labels["__address__"]
            host, _colon, port = address.rpartition(":")
            if host in kubelets and int(port) == KUBELET_PORT:
                is_up = kubelets[host] and _may_ask_a_kubelet(job)
            else:
                is_up = accepts(host, int(port))
            shown = {name: value for name, value in labels.items() if not name.startswith("__")}
            yield {"instance": address, **shown}, is_up


def _discovered(job: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[dict[str, str]]:
    for static in job.get("static_configs") or ():
        yield from ({"__address__": str(target), **(static.get("labels") or {})} for target in static["targets"])
    if any(one.get("role") == "node" for one in job.get("kubernetes_sd_configs") or ()):
        for node in nodes:
            yield {"__address__": f"{node.address}:{KUBELET_PORT}", "__meta_kubernetes_node_name": node.name}


def _relabel(labels: dict[str, str], rule: Mapping[str, Any]) -> None:
    """The action `replace`, which is the default."""
    value = ";".join(labels.get(name, "") for name in rule.get("source_labels") or ())
    match = re.fullmatch(rule.get("regex", "(.*)"), value)
    if match and rule.get("action", "replace") == "replace":
        labels[rule["target_label"]] = match.expand(re.sub(r"\$(\d+)", r"\\\1", rule.get("replacement", "$1")))


def _may_ask_a_kubelet(job: Mapping[str, Any]) -> bool:
    """Its certificate is signed by nobody, and it wants to know who asks."""
    unchecked = (job.get("tls_config") or {}).get("insecure_skip_verify")
    return job.get("scheme") == "https" and bool(unchecked and (job.get("authorization") or {}).get("credentials_file"))


# Loki


def loki(path: str, shippers: Iterable[Shipper], logs: Sequence[Log]) -> Page:
    """The answer to GET path."""
    if path == "/ready":
        return Page(200, "ready\n", "text/plain")
    asked = _VALUES.fullmatch(path)
    if asked is None and path != "/loki/api/v1/labels":
        return Page(404, "404 page not found\n", "text/plain")
    streams = [stream for one in shippers for stream in _streams(one, logs)]
    if asked is None:
        found = sorted({name for stream in streams for name in stream})
    else:
        found = sorted({stream[asked["name"]] for stream in streams if asked["name"] in stream})
    return _success(found) if found else _success(None)


def _streams(shipper: Shipper, logs: Sequence[Log]) -> Iterator[dict[str, str]]:
    pipeline = (yaml.safe_load(shipper.config) or {}).get("pipeline") or {}
    enriched = any(one["name"] == "kubernetes" for one in pipeline.get("filters") or ())
    for output in pipeline.get("outputs") or ():
        if output["name"] != "loki" or not shipper.reaches(str(output["host"]), int(output.get("port", 3100))):
            continue
        for log in logs:
            if log.node == shipper.node and shipper.sees_logs and _is_read(pipeline, log):
                yield _labels(str(output.get("labels", "job=fluent-bit")), log if enriched else None)


def _is_read(pipeline: Mapping[str, Any], log: Log) -> bool:
    tails = [one for one in pipeline.get("inputs") or () if one["name"] == "tail"]
    return any(
        fnmatch.fnmatch(log.file, one["path"]) and not fnmatch.fnmatch(log.file, one.get("exclude_path", ""))
        for one in tails
    )


def _labels(text: str, log: Log | None) -> dict[str, str]:
    fields = {
        "namespace_name": log.namespace, "pod_name": log.pod, "container_name": log.container, "host": log.node
    } if log else {}  # fmt: skip
    found = {}
    for pair in text.split(","):
        name, _equals, value = pair.strip().partition("=")
        field = _FIELD.fullmatch(value)
        value = fields.get(field["name"], "") if field else value
        if value:
            found[name] = value
    return found


def _success(data: Any) -> Page:
    """What there is nothing of, Loki leaves out."""
    document = {"status": "success", **({} if data is None else {"data": data})}
    return Page(200, json.dumps(document), "application/json")
