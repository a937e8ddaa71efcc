# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which host a unit of containers goes: labels that hosts or other containers must, should or must not have, and
ports that nobody else has published there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lab.rancher.ports import Port, parse_all
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

GLOBAL = "io.rancher.scheduler.global"
_AFFINITY = "io.rancher.scheduler.affinity:"
Labels = Mapping[str, str]


class PlacementError(Exception):
    """No host will do; the message is the one that the container shows."""


def is_global(config: Mapping[str, Any]) -> bool:
    return str((config.get("labels") or {}).get(GLOBAL, "")).lower() == "true"


class Placement:
    """Looks at the hosts and at what is on them."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def fitting(self, project_id: str, labels: Labels) -> list[Resource]:
        """The usable hosts with the labels that a service asks for: a global service has a unit on each."""
        return [host for host in self._server.parts["hosts"].usable(project_id) if _host_fits(host, labels)]

    def choose(self, project_id: str, configs: Sequence[Mapping[str, Any]], only: Resource | None = None) -> Resource:
        """The host for one unit; `only` is the one that a global service wants it on."""
        labels = {name: value for config in configs for name, value in (config.get("labels") or {}).items()}
        wanted = [port for config in configs for port in parse_all(config.get("ports")) if port.public]
        hosts: list[Resource] = self._server.parts["hosts"].usable(project_id)
        if only is not None:
            hosts = [host for host in hosts if host is only]
        if not hosts:
            raise PlacementError(self._sentence("No healthy hosts with sufficient resources available"))
        tests: tuple[tuple[str, Callable[[Resource], bool]], ...] = (
            ("labels", lambda host: _host_fits(host, labels)),
            ("containers", lambda host: _neighbours_fit(self._neighbours(host), labels)),
            ("ports", lambda host: not self._taken(host, wanted)),
        )
        for what, test in tests:
            hosts = [host for host in hosts if test(host)]
            if not hosts:
                raise PlacementError(self._refusal(what, labels, wanted))
        return min(hosts, key=lambda host: (self._soft(host, labels), len(self._neighbours(host))))

    def _neighbours(self, host: Resource) -> list[Resource]:
        return [
            one for one in self._server.store.live("instance", hostId=host.id) if one.state not in ("error", "stopped")
        ]

    def _taken(self, host: Resource, wanted: Iterable[Port]) -> bool:
        published = {
            (port.public, port.address, port.protocol)
            for one in self._neighbours(host)
            for port in parse_all(one["publishedPorts"])
            if port.public
        }
        return any((port.public, port.address, port.protocol) in published for port in wanted)

    def _soft(self, host: Resource, labels: Labels) -> int:
        """How many wishes this host would not fulfil."""
        missed = 0
        for rule, value in _rules(labels):
            if "_soft" not in rule:
                continue
            plain = rule.replace("_soft", "")
            fits = (
                _host_fits(host, {_AFFINITY + plain: value})
                if plain.startswith("host_label")
                else _neighbours_fit(self._neighbours(host), {_AFFINITY + plain: value})
            )
            missed += not fits
        return missed

    def _refusal(self, what: str, labels: Labels, wanted: Sequence[Port]) -> str:
        if what == "ports":
            specs = ", ".join(str(port) for port in wanted)
            if self._server.era == "1.6":
                return (
                    f"Allocation failed: No healthy hosts meet the resource constraints: [ports: [{specs}], "
                    "ResourceType: instanceReservation, Amount: 1]"
                )
            numbers = ", ".join(f"{port.public}/{port.protocol}" for port in wanted)
            return f"Scheduling failed: host needs ports {numbers} available"
        kind = "host" if what == "labels" else "container"
        rules = [value for rule, value in _rules(labels) if rule.startswith(kind) and "_soft" not in rule]
        return self._sentence(f"host needs {kind} label {', '.join(rules)}")

    def _sentence(self, text: str) -> str:
        return f"{'Allocation' if self._server.era == '1.6' else 'Scheduling'} failed: {text}"


def _rules(labels: Labels) -> list[tuple[str, str]]:
    return [(name.removeprefix(_AFFINITY), value) for name, value in labels.items() if name.startswith(_AFFINITY)]


def _pairs(value: str) -> list[tuple[str, str]]:
    """`a=b,c=d`, all of which count."""
    return [(name.strip(), wanted.strip()) for name, _eq, wanted in (part.partition("=") for part in value.split(","))]


def _host_fits(host: Resource, labels: Labels) -> bool:
    own = host["labels"] or {}
    for rule, value in _rules(labels):
        for name, wanted in _pairs(value):
            has = str(own.get(name, "")) == wanted and name in own
            if (rule == "host_label" and not has) or (rule == "host_label_ne" and has):
                return False
    return True


def _neighbours_fit(neighbours: Iterable[Resource], labels: Labels) -> bool:
    owned = [(one.name, {key: str(value) for key, value in (one["labels"] or {}).items()}) for one in neighbours]
    for rule, value in _rules(labels):
        if rule in ("container", "container_ne"):
            has = any(name == value for name, _labels in owned)
        elif rule in ("container_label", "container_label_ne"):
            has = any(all(each.get(name) == wanted for name, wanted in _pairs(value)) for _name, each in owned)
        else:
            continue
        if has == rule.endswith("_ne"):
            return False
    return True
