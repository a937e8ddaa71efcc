# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads docker-compose and rancher-compose files (of version 1 and 2): which services they mean. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

SIDEKICKS = "io.rancher.sidekicks"
_TARGET_LABEL = "io.rancher.loadbalancer.target."
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<name>\w+))")
_TOP_LEVEL = ("version", "volumes", "networks", "services", ".catalog", "secrets")
_SAME = {
    "expose": "expose", "tty": "tty", "stdin_open": "stdinOpen", "privileged": "privileged", "user": "user",
    "working_dir": "workingDir", "hostname": "hostname", "cap_add": "capAdd", "cap_drop": "capDrop", "dns": "dns",
    "dns_search": "dnsSearch", "devices": "devices", "read_only": "readOnly", "extra_hosts": "extraHosts",
    "security_opt": "securityOpt", "volume_driver": "volumeDriver", "volumes": "dataVolumes", "mem_limit": "memory",
    "memswap_limit": "memorySwap", "cpu_shares": "cpuShares", "cpuset": "cpuSet", "pid": "pidMode", "ports": "ports",
}  # fmt: skip
"""docker-compose key -> field of a launch configuration."""
_LISTS = (
    "expose",
    "ports",
    "dataVolumes",
    "capAdd",
    "capDrop",
    "dns",
    "dnsSearch",
    "devices",
    "extraHosts",
    "securityOpt",
)
_SERVICE_KEYS = {"scale": "scale", "metadata": "metadata", "retain_ip": "retainIp", "description": "description"}


class _Loader(yaml.SafeLoader):
    """As Go reads YAML: 22:22 is a text there, and not a number to the base of sixty."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag not in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?\d+$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+\.\d*$"), list("-+0123456789"))


class ComposeError(Exception):
    """The files cannot be understood; the message is what the stack shows."""


@dataclass
class Service:
    """One service that the files ask for."""

    kind: str
    name: str
    fields: dict[str, Any]
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """To a service of the same files, or of another stack (`stack/service`)."""

    service: str
    name: str | None = None
    ports: tuple[str, ...] | None = None


def read(docker: str | None, rancher: str | None, answers: Mapping[str, Any]) -> list[Service]:
    """The services in the order of the file, sidekicks inside their service."""
    described = _services(_filled(_load(docker or "", "docker-compose.yml"), answers))
    further = _services(_filled(_load(rancher or "", "rancher-compose.yml"), answers))
    for name in further:
        described.setdefault(name, {})
    found: list[Service] = []
    sidekicks = {name for one in described.values() for name in _sidekicks(one)}
    for name, one in described.items():
        if name in sidekicks:
            continue
        found.append(_service(name, one, further.get(name) or {}, described, further))
    return found


def volumes_of_stack(docker: str | None) -> frozenset[str]:
    """The volumes that a file of format 2 declares, and that are made for its stack alone."""
    declared = _load(docker or "", "docker-compose.yml").get("volumes")
    named = declared if isinstance(declared, dict) else {}
    return frozenset(name for name, one in named.items() if not (one or {}).get("external"))


def _filled(document: Any, answers: Mapping[str, Any]) -> Any:
    """`${NAME}` in a text is an answer, `$$` a dollar. What an answer says is a text: it is not read as YAML."""
    if isinstance(document, dict):
        return {key: value if key == ".catalog" else _filled(value, answers) for key, value in document.items()}
    if isinstance(document, list):
        return [_filled(one, answers) for one in document]
    return _VARIABLE.sub(lambda found: _answer(found, answers), document) if isinstance(document, str) else document


def _answer(found: re.Match[str], answers: Mapping[str, Any]) -> str:
    if found["dollar"]:
        return "$"
    given = answers.get(found["braced"] or found["name"])
    return str(given) if given not in (None, "") else (found["default"] or "")


def _load(text: str, file: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise ComposeError(f"{file}: yaml:{line} {getattr(error, 'problem', None) or 'not readable'}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ComposeError(f"{file}: not a map of services")
    return document


def _services(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    inner = document.get("services") if "version" in document else None
    found = inner if isinstance(inner, dict) else {k: v for k, v in document.items() if k not in _TOP_LEVEL}
    for name, one in found.items():
        if one is not None and not isinstance(one, dict):
            raise ComposeError(f"Service '{name}' doesn't have any configuration options")
    return {str(name): dict(one or {}) for name, one in found.items()}


def _sidekicks(one: Mapping[str, Any]) -> list[str]:
    value = str(_map(one.get("labels")).get(SIDEKICKS, ""))
    return [name.strip() for name in value.split(",") if name.strip()]


def _service(
    name: str,
    docker: Mapping[str, Any],
    rancher: Mapping[str, Any],
    described: Mapping[str, Mapping[str, Any]],
    further: Mapping[str, Mapping[str, Any]],
) -> Service:
    image = str(docker.get("image") or "")
    fields = {ours: rancher[theirs] for theirs, ours in _SERVICE_KEYS.items() if rancher.get(theirs) is not None}
    if "scale" in fields:
        fields["scale"] = _number(name, "scale", fields["scale"])
    if rancher.get("scale_policy"):
        fields["scalePolicy"] = {key: _number(name, key, value) for key, value in rancher["scale_policy"].items()}
    links = [*_links(docker.get("links")), *_links(docker.get("external_links"))]
    if image == "rancher/external-service":
        addresses = rancher.get("external_ips") or docker.get("external_ips")
        external = {"externalIpAddresses": addresses, "hostname": rancher.get("hostname")}
        return Service("externalService", name, {**fields, **{k: v for k, v in external.items() if v}})
    if image == "rancher/dns-service":
        return Service("dnsService", name, fields, links)
    fields["launchConfig"] = _config(name, docker, rancher)
    aides = _sidekicks(docker)
    for aide in aides:
        if aide not in described:
            raise ComposeError(f"Failed to find sidekick {aide} of service {name}")
        config = _config(aide, described[aide], further.get(aide) or {})
        fields.setdefault("secondaryLaunchConfigs", []).append({**config, "name": aide})
        links += [link for link in _links(described[aide].get("links")) if link.service not in (*aides, name)]
    links = [link for link in links if link.service not in aides]
    if image.startswith(("rancher/load-balancer-service", "rancher/lb-service-haproxy")) or "lb_config" in rancher:
        return _balancer(name, docker, rancher, fields, links)
    return Service("service", name, fields, links)


def _balancer(
    name: str, docker: Mapping[str, Any], rancher: Mapping[str, Any], fields: dict[str, Any], links: list[Link]
) -> Service:
    labels = _map(docker.get("labels"))
    targets = {
        key.removeprefix(_TARGET_LABEL): tuple(part.strip() for part in str(value).split(","))
        for key, value in labels.items()
        if key.startswith(_TARGET_LABEL)
    }
    links = [Link(link.service, None, targets.get(link.service, ())) for link in links]
    if "lb_config" in rancher:
        config = rancher["lb_config"] or {}
        fields["lbConfig"] = {"portRules": [_port_rule(rule) for rule in config.get("port_rules") or ()]}
    elif rancher.get("load_balancer_config") is not None:
        haproxy = (rancher["load_balancer_config"] or {}).get("haproxy_config")
        fields["loadBalancerConfig"] = {"type": "loadBalancerConfig", **({"haproxyConfig": haproxy} if haproxy else {})}
    return Service("loadBalancerService", name, fields, links)


def _port_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """`service` is still a name here."""
    return {
        "type": "portRule",
        "service": rule.get("service"),
        "sourcePort": int(rule.get("source_port") or 0),
        "targetPort": int(rule.get("target_port") or rule.get("source_port") or 0),
        "protocol": rule.get("protocol") or "http",
        "hostname": rule.get("hostname") or "",
        "path": rule.get("path") or "",
        "priority": rule.get("priority"),
    }


def _config(name: str, docker: Mapping[str, Any], rancher: Mapping[str, Any]) -> dict[str, Any]:
    if not docker.get("image"):
        raise ComposeError(f"Service '{name}' has neither an image nor a build context specified. One must be provided")
    found: dict[str, Any] = {"type": "launchConfig", "imageUuid": f"docker:{docker['image']}", "kind": "container"}
    for theirs, ours in _SAME.items():
        if docker.get(theirs) is not None:
            value = docker[theirs]
            found[ours] = [str(each) for each in _list(value)] if ours in _LISTS else value
    found["labels"] = {key: _text(value) for key, value in _map(docker.get("labels")).items()}
    found["environment"] = {key: _text(value) for key, value in _map(docker.get("environment")).items()}
    for theirs, ours in (("command", "command"), ("entrypoint", "entryPoint")):
        if docker.get(theirs) is not None:
            value = docker[theirs]
            found[ours] = [str(word) for word in (value if isinstance(value, list) else shlex.split(str(value)))]
    if docker.get("volumes_from"):
        found["dataVolumesFromLaunchConfigs"] = [str(each) for each in docker["volumes_from"]]
    if docker.get("restart"):
        found["restartPolicy"] = {"name": str(docker["restart"])}
    if docker.get("log_driver"):
        found["logConfig"] = {
            "type": "logConfig",
            "driver": docker["log_driver"],
            "config": docker.get("log_opt") or {},
        }
    found.update(_network(str(docker.get("network_mode") or docker.get("net") or "")))
    if rancher.get("health_check"):
        found["healthCheck"] = _health_check(name, rancher["health_check"])
    return found


def _network(mode: str) -> dict[str, Any]:
    if mode.startswith("container:"):
        return {"networkMode": "container", "networkLaunchConfig": mode.removeprefix("container:")}
    return {"networkMode": mode} if mode else {}


def _health_check(name: str, check: Mapping[str, Any]) -> dict[str, Any]:
    if not check.get("port"):
        raise ComposeError(f"Service '{name}': health_check needs a port")
    found: dict[str, Any] = {"type": "instanceHealthCheck", "strategy": "recreate"}
    for key, value in check.items():
        found[camel(str(key))] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    """Numbers may come as answers, which are texts."""
    if isinstance(value, dict):
        return {camel(str(key)): _plain(each) for key, each in value.items()}
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _number(name: str, key: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ComposeError(f"Service '{name}': {key} is no number: {value}") from None


def camel(text: str) -> str:
    """health_check -> healthCheck."""
    head, *rest = text.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _links(value: Any) -> list[Link]:
    found: list[Link] = []
    for each in _list(value or []):
        service, _unused, name = str(each).partition(":")
        found.append(Link(service, name or None))
    return found


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _map(value: Any) -> dict[str, Any]:
    """A map, or a list of `name=value` (in compose also `name: value`)."""
    if isinstance(value, Mapping):
        return {str(key): each for key, each in value.items()}
    return dict(_pairs(value or ()))


def _pairs(values: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for each in values:
        name, _unused, value = str(each).partition("=")
        yield name, value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
