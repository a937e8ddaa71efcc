# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud firewall of a set of droplets. It applies to whatever carries the set's tag, new droplets included.

Nothing gets in but what is allowed, from where it is allowed; everything gets out. The API keeps all ports as "0" and
sorts nothing, so both sides are brought into one form before they are compared. PRIVATE.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._errors import InputError, NotOursError, SchedulersError
from .._ownership import Mark, only_one
from .._plan import Live, Spec, Step, Wanted
from .._retry import create_once
from .api import Answer, DigitalOcean
from .marks import owner_tag

KIND = "firewall"
KEY = "firewall"
EVERYWHERE = ("0.0.0.0/0", "::/0")
ALL_PORTS = "all"
API_ALL_PORTS = "0"  # as it answers; it is reported to refuse that in a request
AMONG = tuple(f"{protocol} {ALL_PORTS}" for protocol in ("tcp", "udp", "icmp"))
PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
ADDRESSES = "addresses"
# what may stand for addresses: the API's word -> ours
SOURCE_KINDS = {
    "tags": "tag",
    "droplet_ids": "droplet",
    "load_balancer_uids": "load_balancer",
    "kubernetes_ids": "kubernetes",
}

Rules = Mapping[str, Sequence[str]]  # "tcp 22" -> ["203.0.113.0/24"]


def firewall_name(mark: Mark) -> str:
    """What the firewall of a set is called: its tag, without what names of firewalls cannot have."""
    return owner_tag(mark.owner).replace(":", "-").replace("_", ".")


def allowed_rules(allow: Iterable[Mapping[str, Any]], mark: Mark, *, among: bool) -> Rules:
    """The option as inbound rules in normal form. Pure.

    Args:
        among: whether droplets of the set may reach each other on every port.

    Raises:
        InputError: a rule cannot work.
    """
    rules: dict[str, set[str]] = {}
    for rule in allow:
        words = f"{rule['protocol']} {_ports(rule)}"
        if not rule["sources"]:
            raise InputError(
                f"allow: rule {words} has no sources", hint="Name the address ranges that may use it, or leave it out."
            )
        rules.setdefault(words, set()).update(_address(source) for source in rule["sources"])
    if among:
        for words in AMONG:
            rules.setdefault(words, set()).add(f"tag:{owner_tag(mark.owner)}")
    return {words: sorted(sources) for words, sources in rules.items()}


def _ports(rule: Mapping[str, Any]) -> str:
    """The ports of a rule. Only what says so means all: an empty text is more often a variable that nobody has set."""
    ports = rule["ports"]
    if ports in (None, ALL_PORTS):
        return ALL_PORTS
    if rule["protocol"] == "icmp":
        raise InputError(f"allow: icmp has no ports, but ports is {ports!r}", hint="Leave ports out.")
    found = PORTS.fullmatch(ports)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise InputError(
            f"allow: {ports!r} is neither a port nor a range of ports", hint="Give 22, 8000-9000 or all, for example."
        )
    return str(first) if first == last else f"{first}-{last}"


def _address(source: str) -> str:
    """An address range in the form in which it is compared."""
    try:
        network = ipaddress.ip_network(source, strict=False)
    except ValueError as error:
        raise InputError(f"allow: {source!r} is no address range", hint="Give 203.0.113.0/24, for example.") from error
    return str(network)


def normal_form(rules: Iterable[Mapping[str, Any]]) -> Rules:
    """Inbound rules of the API in normal form. Pure."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        words = f"{rule['protocol']} {_api_ports(rule.get('ports'))}"
        for kind, values in (rule.get("sources") or {}).items():
            for value in values or ():
                found.setdefault(words, set()).add(_source(kind, str(value)))
    return {words: sorted(sources) for words, sources in found.items()}


def _api_ports(ports: Any) -> str:
    return ALL_PORTS if ports in (None, "", ALL_PORTS, API_ALL_PORTS, 0) else str(ports)


def _source(kind: str, value: str) -> str:
    if kind != ADDRESSES:
        return f"{SOURCE_KINDS.get(kind, kind)}:{value}"
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        return value


def to_api(rules: Rules) -> list[dict[str, Any]]:
    """Inbound rules as the API takes them. Pure."""
    made = []
    for words, sources in rules.items():
        protocol, ports = words.split()
        parts: dict[str, list[str | int]] = {}
        for source in sources:
            # an IPv6 address has colons too, so only known words are taken for kinds
            kind, _colon, value = source.partition(":")
            named = next((one for one, short in SOURCE_KINDS.items() if short == kind), None)
            said = value if named else source
            parts.setdefault(named or ADDRESSES, []).append(int(said) if named == "droplet_ids" else said)
        made.append({**_opening(protocol, ports), "sources": parts})
    return made


def _opening(protocol: str, ports: str) -> dict[str, str]:
    """ICMP has no ports."""
    return {"protocol": protocol} if protocol == "icmp" else {"protocol": protocol, "ports": ports}


def _sent_back(rule: Answer) -> Answer:
    """A rule that was read, as the API takes it. Pure."""
    others = {name: value for name, value in rule.items() if name != "ports"}
    return {**others, **_opening(rule["protocol"], _api_ports(rule.get("ports")))}


def outbound() -> list[dict[str, Any]]:
    """Everything: without rules nothing would get out."""
    there = {ADDRESSES: list(EVERYWHERE)}
    return [{**_opening(one, ALL_PORTS), "destinations": there} for one in ("tcp", "udp", "icmp")]


def wanted_firewall(mark: Mark, rules: Rules, live: Live | None, *, keep: bool, apart: bool = False) -> Wanted:
    """The firewall as it should be.

    Args:
        keep: whether an existing one keeps the rules that it has, and the others come to them.
        apart: whether it loses those by which droplets of the set reach each other.
    """
    kept = live.spec["inbound"] if live and keep else {}
    inbound = _merged(_without_each_other(kept, mark) if apart else kept, rules)
    return Wanted(KEY, KIND, firewall_name(mark), {"inbound": inbound, "applied": True})


def _without_each_other(rules: Rules, mark: Mark) -> Rules:
    own = f"tag:{owner_tag(mark.owner)}"
    found = {words: [one for one in sources if one != own] for words, sources in rules.items() if words in AMONG}
    return {words: sources for words, sources in {**rules, **found}.items() if sources}


def _merged(rules: Rules, others: Rules) -> Rules:
    both = {**rules, **others}
    return {words: sorted({*rules.get(words, ()), *others.get(words, ())}) for words in both}


def read_firewall(api: DigitalOcean, mark: Mark) -> Live | None:
    """The firewall of a set.

    Raises:
        NotOursError: one of its name is not applied to the set's tag, so it is somebody else's.
        ConflictError: there are several.
    """
    name, tag = firewall_name(mark), owner_tag(mark.owner)
    named = [one for one in api.pages("firewalls", "firewalls", doing="look for firewalls") if one["name"] == name]
    foreign = [one for one in named if tag not in (one.get("tags") or ())]
    if foreign:
        raise NotOursError(
            f"firewall {name} exists and is not applied to tag {tag}", hint="Rename it, or choose another name."
        )
    by_id = {str(one["id"]): one for one in named}
    number = only_one(by_id, f"firewall {name}")
    return live_firewall(by_id[number]) if number else None


def live_firewall(answer: Answer) -> Live:
    """A firewall as the plan sees it. What others attached to it is kept by an update."""
    kept = {"droplet_ids": answer.get("droplet_ids") or [], "tags": answer.get("tags") or []}
    spec = {"inbound": normal_form(answer.get("inbound_rules") or ()), "applied": answer.get("status") != "failed"}
    attributes = {**kept, "outbound_rules": [*map(_sent_back, answer.get("outbound_rules") or ())] or outbound()}
    return Live(KEY, KIND, str(answer["name"]), str(answer["id"]), spec, attributes)


class FirewallHandler:
    """Makes, replaces and removes the firewall."""

    def __init__(self, api: DigitalOcean, mark: Mark) -> None:
        self._api = api
        self._mark = mark

    def create(self, step: Step, spec: Spec) -> Live:
        body = self._body(spec, {"tags": [owner_tag(self._mark.owner)], "outbound_rules": outbound()})
        doing = f"make {step.label}"
        return create_once(
            lambda: live_firewall(_checked(self._api.call("POST", "firewalls", body=body, doing=doing), doing)),
            lambda: read_firewall(self._api, self._mark),
            self._api.policy,
        )

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        doing = f"change {step.label}"
        body = self._body({**live.spec, **spec}, live.attributes)
        return live_firewall(_checked(self._api.call("PUT", f"firewalls/{live.id}", body=body, doing=doing), doing))

    def delete(self, step: Step, live: Live) -> None:
        self._api.remove(f"firewalls/{live.id}", doing=f"remove {step.label}")

    def _body(self, spec: Spec, others: Mapping[str, Any]) -> dict[str, Any]:
        return {"name": firewall_name(self._mark), "inbound_rules": to_api(spec["inbound"]), **others}


def _checked(answer: Answer, doing: str) -> Answer:
    firewall: Answer = answer["firewall"]
    if firewall.get("status") == "failed":
        raise SchedulersError("DigitalOcean could not apply it", doing=doing, hint="Look at it in the control panel.")
    return firewall
