# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a stack's services as docker-compose and rancher-compose files: version 1 before /v2-beta, version 2 after."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from lab.rancher.compose_in import SIDEKICKS
from lab.rancher.images import image_of
from lab.rancher.placement import is_global
from lab.rancher.store import Resource

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

_DOCKER_KEYS = {
    "expose": "expose", "tty": "tty", "stdinOpen": "stdin_open", "privileged": "privileged", "user": "user",
    "workingDir": "working_dir", "hostname": "hostname", "capAdd": "cap_add", "capDrop": "cap_drop", "dns": "dns",
    "dnsSearch": "dns_search", "devices": "devices", "readOnly": "read_only", "extraHosts": "extra_hosts",
    "securityOpt": "security_opt", "volumeDriver": "volume_driver", "dataVolumes": "volumes", "memory": "mem_limit",
    "memorySwap": "memswap_limit", "cpuShares": "cpu_shares", "cpuSet": "cpuset", "pidMode": "pid", "ports": "ports",
    "command": "command", "entryPoint": "entrypoint", "environment": "environment",
    "dataVolumesFromLaunchConfigs": "volumes_from",
}  # fmt: skip
_NOT_EXPORTED = ("io.rancher.service.hash",)


def write(server: RancherServer, services: Sequence[Resource]) -> tuple[str, str]:
    """docker-compose.yml and rancher-compose.yml."""
    docker: dict[str, Any] = {}
    rancher: dict[str, Any] = {}
    for service in services:
        writer = _Writer(server, service)
        docker |= writer.docker()
        rancher |= writer.rancher()
    if server.era == "1.6":
        return _text({"version": "2", "services": docker}), _text({"version": "2", "services": rancher})
    return _text(docker), _text(rancher)


class _Writer:
    def __init__(self, server: RancherServer, service: Resource) -> None:
        self._server = server
        self._service = service
        self._main = service["launchConfig"] or {}
        self._aides = service["secondaryLaunchConfigs"] or []

    def docker(self) -> dict[str, Any]:
        if self._service.kind in ("dnsService", "externalService"):
            image = "rancher/dns-service" if self._service.kind == "dnsService" else "rancher/external-service"
            return {self._service.name: {"image": image, **self._links()}}
        names = [aide["name"] for aide in self._aides]
        labels = {SIDEKICKS: ",".join(names)} if names else {}
        found = {self._service.name: {**self._config(self._main, labels), **self._links()}}
        return found | {aide["name"]: self._config(aide, {}) for aide in self._aides}

    def _config(self, config: Mapping[str, Any], more_labels: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {"image": image_of(config)}
        for ours, theirs in _DOCKER_KEYS.items():
            if config.get(ours) not in (None, [], {}, False, ""):
                found[theirs] = config[ours]
        mode = config.get("networkMode")
        if mode == "container":
            found[self._net] = f"container:{config.get('networkLaunchConfig')}"
        elif mode not in (None, "managed"):
            found[self._net] = mode
        if config.get("restartPolicy"):
            found["restart"] = config["restartPolicy"]["name"]
        if (config.get("logConfig") or {}).get("driver"):
            found["log_driver"], found["log_opt"] = config["logConfig"]["driver"], config["logConfig"]["config"]
        labels = {name: value for name, value in (config.get("labels") or {}).items() if name not in _NOT_EXPORTED}
        labels.update(more_labels)
        if labels:
            found["labels"] = labels
        return found

    @property
    def _net(self) -> str:
        return "network_mode" if self._server.era == "1.6" else "net"

    def _links(self) -> dict[str, Any]:
        here: list[str] = []
        elsewhere: list[str] = []
        for link in self._server.parts["services"].links_of(self._service):
            target = self._server.store.need("service", link["consumedServiceId"])
            name = link["name"] or target.name
            if target["environmentId"] == self._service["environmentId"]:
                here.append(f"{target.name}:{name}")
            else:
                stack = self._server.store.need("environment", target["environmentId"])
                elsewhere.append(f"{stack.name}/{target.name}:{name}")
        return {**({"links": here} if here else {}), **({"external_links": elsewhere} if elsewhere else {})}

    def rancher(self) -> dict[str, Any]:
        service = self._service
        found: dict[str, Any] = {}
        if service.kind == "externalService":
            found = {"external_ips": service["externalIpAddresses"], "hostname": service["hostname"]}
            return {service.name: {key: value for key, value in found.items() if value}}
        if service.kind == "dnsService":
            return {service.name: {}}
        if service["scalePolicy"]:
            found["scale_policy"] = {k: v for k, v in service["scalePolicy"].items() if k != "type"}
        elif not is_global(self._main):
            found["scale"] = service["scale"] if service["scale"] is not None else 1
        for ours, theirs in (("retainIp", "retain_ip"), ("metadata", "metadata")):
            if service[ours]:
                found[theirs] = service[ours]
        found.update(self._balancer())
        if self._main.get("healthCheck"):
            found["health_check"] = _health_check(self._main["healthCheck"])
        checked = {
            aide["name"]: {"health_check": _health_check(aide["healthCheck"])}
            for aide in self._aides
            if aide.get("healthCheck")
        }
        return {service.name: found, **checked}

    def _balancer(self) -> dict[str, Any]:
        if self._service.kind != "loadBalancerService":
            return {}
        rules = (self._service["lbConfig"] or {}).get("portRules")
        if rules is None:
            haproxy = (self._service["loadBalancerConfig"] or {}).get("haproxyConfig") or {}
            return {"load_balancer_config": {"haproxy_config": haproxy}}
        return {"lb_config": {"port_rules": [self._rule(rule) for rule in rules]}}

    def _rule(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        target = self._server.store.get("service", rule.get("serviceId"))
        shown = {
            _snake(name): value
            for name, value in rule.items()
            if name not in ("type", "serviceId", "service") and value
        }
        if target is not None:
            same = target["environmentId"] == self._service["environmentId"]
            stack = self._server.store.need("environment", target["environmentId"])
            shown["service"] = target.name if same else f"{stack.name}/{target.name}"
        return shown


def _health_check(check: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in sorted(check.items()):
        if name in ("type", "name") or value in (None, ""):
            continue
        inner = (
            {_snake(key): each for key, each in value.items() if key != "type"} if isinstance(value, dict) else value
        )
        found[_snake(name)] = inner
    return found


def _snake(text: str) -> str:
    return re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), text)


def _text(document: Mapping[str, Any]) -> str:
    """A dollar is written twice, as it would be an answer's place otherwise."""
    return str(yaml.safe_dump(dict(document), default_flow_style=False, sort_keys=False)).replace("$", "$$")
