# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leads from one service to another: links, and the rules of load balancers.

``/v2-beta`` keeps the rules of a load balancer in its ``lbConfig``. In ``/v1`` a load balancer has listeners (the
``ports`` of its launchConfig) and links to its targets, each with the ports it serves in a small language of its own:
``[host name][:source port][/path][=target port]``. Both are compared as the same rules. Pure. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._checks import HIGHEST_PORT, between
from .._errors import InputError

PROTOCOLS = ("http", "https", "tcp", "tls", "sni", "udp")
CHECK_PORT = 42
V1_PROTOCOLS = ("http", "tcp")
NEW_FORM = re.compile(r"(?P<host>[^:/=]*)(?::(?P<source>\d+))?(?P<path>/[^=]*)?(?:=(?P<target>\d+))?")
OLD_FORM = re.compile(r"(?P<target>\d+):(?P<host>[^/]*)(?P<path>/.*)?")
LISTENER = re.compile(r"(?:(?P<source>\d+):)?(?P<target>\d+)(?:/(?P<protocol>\w+))?")


@dataclass(frozen=True)
class Target:
    """A service that is named by the user: in the same stack, or as stack/service in another."""

    stack: str
    service: str

    @classmethod
    def parse(cls, option: str, text: str, own: str) -> Target:
        """The target that a text names.

        Raises:
            InputError: it names none.
        """
        stack, slash, service = text.rpartition("/")
        if not service or (slash and not stack) or "/" in stack:
            raise InputError(f"{option}: {text!r} is no service", hint="Give a service, or stack/service.")
        return cls(stack or own, service)

    def __str__(self) -> str:
        return f"{self.stack}/{self.service}"


def v2_rules(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rules as /v2-beta takes them. The order is the priority."""
    return [
        {
            "sourcePort": rule["source_port"],
            "protocol": rule["protocol"],
            "serviceId": rule["service"],
            "targetPort": rule["target_port"],
            "hostname": rule["hostname"],
            "path": rule["path"],
            "priority": priority,
        }
        for priority, rule in enumerate(rules, 1)
    ]


def rules_of_v2(port_rules: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Rules as /v2-beta gives them, by priority."""
    ordered = sorted(port_rules or (), key=lambda rule: rule.get("priority") or 0)
    return [
        {
            "source_port": rule["sourcePort"],
            "protocol": rule.get("protocol") or "http",
            "service": rule.get("serviceId") or rule.get("selector"),
            "target_port": rule.get("targetPort") or rule["sourcePort"],
            "hostname": rule.get("hostname") or "",
            "path": rule.get("path") or "",
        }
        for rule in ordered
    ]


def v2_ports(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a load balancer of /v2-beta publishes."""
    pairs = {(rule["source_port"], "udp" if rule["protocol"] == "udp" else "tcp") for rule in rules}
    return [f"{port}:{port}/{protocol}" for port, protocol in sorted(pairs)]


def in_v1_order(rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rules without an order of their own: /v1 has none, so both sides are put into one to be compared."""
    return sorted(
        map(dict, rules), key=lambda rule: (rule["source_port"], rule["hostname"], rule["path"], str(rule["service"]))
    )


def v1_ports(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """The listeners of a load balancer of /v1: source, the target that is usual, and tcp if it is not HTTP."""
    listeners: dict[int, str] = {}
    for rule in rules:
        tcp = "/tcp" if rule["protocol"] == "tcp" else ""
        listeners.setdefault(rule["source_port"], f"{rule['source_port']}:{rule['target_port']}{tcp}")
    return [listener for _port, listener in sorted(listeners.items())]


def v1_links(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The links of a load balancer of /v1."""
    single = len({rule["source_port"] for rule in rules}) == 1
    usual = {rule["source_port"]: rule["target_port"] for rule in reversed(rules)}
    links: dict[str, list[str]] = {}
    for rule in rules:
        ports = links.setdefault(rule["service"], [])
        plain = not rule["hostname"] and not rule["path"] and rule["target_port"] == usual[rule["source_port"]]
        if not (plain and single):
            ports.append(f"{rule['hostname']}:{rule['source_port']}{rule['path']}={rule['target_port']}")
    return [{"serviceId": service, "ports": ports} for service, ports in links.items()]


def rules_of_v1(ports: Iterable[str], links: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rules as the listeners and links of /v1 say them.

    Args:
        ports: the ports of the launchConfig.
        links: the service consume maps of the load balancer.
    """
    listeners = [found for found in (LISTENER.fullmatch(port) for port in ports) if found]
    usual = {int(one["source"] or one["target"]): one for one in listeners}
    return in_v1_order(
        rule
        for link in links
        for port in (link.get("ports") or [""])
        for rule in _rules_of_port(port, link["consumedServiceId"], usual)
    )


def with_protocols(rules: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rules of /v1 with the protocols that are wanted, where they cannot be told.

    Rancher writes ``80:80`` back as ``80:80/tcp``, which is also how a listener for TCP is asked for.
    """
    protocols = {rule["source_port"]: rule["protocol"] for rule in wanted}

    def protocol(rule: Mapping[str, Any]) -> Any:
        return protocols.get(rule["source_port"], "tcp") if rule["protocol"] == "tcp" else rule["protocol"]

    return [{**rule, "protocol": protocol(rule)} for rule in rules]


def _rules_of_port(port: str, service: str, usual: Mapping[int, re.Match[str]]) -> Iterable[dict[str, Any]]:
    if port.isdigit():
        port = f"={port}"
    found = OLD_FORM.fullmatch(port) or NEW_FORM.fullmatch(port)
    said = found.groupdict() if found else {}
    sources = [int(said["source"])] if said.get("source") else sorted(usual)
    for source in sources:
        listener = usual.get(source)
        target = said.get("target") or (listener["target"] if listener else source)
        yield {
            "source_port": source,
            "protocol": (listener["protocol"] if listener else None) or "http",
            "service": service,
            "target_port": int(target),
            "hostname": said.get("host") or "",
            "path": said.get("path") or "",
        }


def parsed_rule(rule: Mapping[str, Any], own: str, where: str) -> dict[str, Any]:
    """A rule of the module's options, complete; its service is still a name.

    Raises:
        InputError: it cannot be.
    """
    for option in ("source_port", "target_port"):
        port = rule.get(option)
        if port is not None:
            between(f"{where}: {option}", port, 1, HIGHEST_PORT)
    path = rule.get("path") or ""
    if path and not path.startswith("/"):
        raise InputError(f"{where}: path {path!r} has to start with a slash")
    return {
        "source_port": rule["source_port"],
        "protocol": rule.get("protocol") or "http",
        "service": Target.parse(where, rule["service"], own),
        "target_port": rule.get("target_port") or rule["source_port"],
        "hostname": rule.get("hostname") or "",
        "path": path,
    }


def parsed_rules(rules: Iterable[Mapping[str, Any]], own: str, where: str) -> tuple[dict[str, Any], ...]:
    """The rules of the module's options.

    Raises:
        InputError: one cannot be, or is there twice.
    """
    found: list[dict[str, Any]] = []
    for rule in rules:
        parsed = parsed_rule(rule, own, where)
        if parsed in found:
            raise InputError(f"{where}: the rule of port {parsed['source_port']} to {rule['service']} is there twice")
        found.append(parsed)
    return tuple(found)


def refuse_for_v2(rules: Iterable[Mapping[str, Any]], where: str) -> None:
    """Refuse what Rancher 1.2 and newer keep for themselves.

    Raises:
        InputError: the port that they check load balancers at.
    """
    if any(rule["source_port"] == CHECK_PORT for rule in rules):
        raise InputError(f"{where}: source_port {CHECK_PORT} is where Rancher 1.2 and newer check load balancers")


def refuse_for_v1(rules: Iterable[Mapping[str, Any]], where: str) -> None:
    """Refuse what Rancher 1.0 and 1.1 cannot do.

    Raises:
        InputError: a protocol that they do not know.
    """
    for rule in rules:
        if rule["protocol"] not in V1_PROTOCOLS:
            raise InputError(
                f"{where}: protocol {rule['protocol']} needs Rancher 1.2 or newer; this server takes "
                f"{' and '.join(V1_PROTOCOLS)}"
            )
