# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker-compose and rancher-compose files, as far as they are judged before they are handed to Rancher.

Rancher 1.x reads the formats 1 and 2 and silently leaves out what it does not know. What it would leave out is refused
here, by name, since an app without it is not the app that somebody wrote down. Pure. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import InputError
from .names import checked_name
from .veil import Veil, is_secret

Yaml = Mapping[str, Any]

COMMON_KEYS = """
blkio_weight blkio_weight_device build cap_add cap_drop certs cgroup_parent command container_name cpu_period
cpu_quota cpu_shares cpuset default_cert device_read_bps device_read_iops device_write_bps device_write_iops devices
disks dns dns_opt dns_search domainname entrypoint env_file environment expose extends external_ips external_links
extra_hosts group_add health_check hostname image ipc isolation labels lb_config links load_balancer_config
mac_address mem_limit mem_reservation mem_swappiness memory memswap_limit metadata network_driver oom_kill_disable
oom_score_adj pid ports privileged read_only restart retain_ip scale scale_policy security_opt shm_size
start_on_create stdin_open stop_signal storage_driver tty type ulimits update_strategy upgrade_strategy user
userdata uts vcpu volume_driver volumes volumes_from working_dir
"""
COMMON = frozenset(COMMON_KEYS.split())
SERVICE_KEYS = {
    1: COMMON | frozenset({"dockerfile", "log_driver", "log_opt", "net"}),
    2: COMMON | frozenset({"depends_on", "logging", "network_mode", "networks", "tmpfs"}),
}
# templates say of themselves what they are, in format 2 without the dot
TOP_KEYS = frozenset({"version", "services", "volumes", "networks", "secrets", "binding", "catalog", ".catalog"})
# names of files on the machine where a compose tool would run: Rancher's server does not have them
FILE_KEYS = {"env_file": "environment", "build": "image", "extends": "the whole service"}
VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass(frozen=True)
class Compose:
    """What a pair of files says.

    Attributes:
        services: name -> what docker-compose and rancher-compose together say of it.
    """

    services: Mapping[str, Yaml] = field(default_factory=dict)

    def host_ports(self, answers: Mapping[str, str]) -> dict[str, list[str]]:
        """Service -> the ports of hosts that it takes, as far as the answers to its variables say."""

        def ports(service: Yaml) -> list[str]:
            texts = (str(port) for port in service.get("ports") or ())
            given = [VARIABLE.sub(lambda one: answers.get(one[1], one[0]), text) for text in texts]
            return [port for port in given if ":" in port and "$" not in port and not port.startswith(":")]

        return {name: ports(service) for name, service in self.services.items()}


def read_compose(docker: str, rancher: str | None) -> Compose:
    """The services of a pair of compose files.

    Raises:
        InputError: they cannot be read, or have what Rancher does not know.
    """
    services: dict[str, dict[str, Any]] = {}
    for option, text in (("docker_compose", docker), ("rancher_compose", rancher)):
        if not text:
            continue
        version, found = _services(option, load(option, text))
        for name, service in found.items():
            _check_service(option, name, service, SERVICE_KEYS[version])
            services.setdefault(name, {}).update(service)
    for name, service in services.items():
        _check_links(name, service, services)
    return Compose(services)


def load(option: str, text: str) -> dict[str, Any]:
    """The text of a compose file as YAML.

    Raises:
        InputError: it is none.
    """
    import yaml  # noqa: PLC0415 - only those who have compose files pay for the library

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise InputError(f"{option} is no YAML: {getattr(error, 'problem', None) or error}{where}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"{option} is no compose file: it has no services at its top")
    return {str(name): value for name, value in found.items()}


def _services(option: str, content: Yaml) -> tuple[int, dict[str, Any]]:
    """The format and the services of a file."""
    version = str(content.get("version", "1")) if not isinstance(content.get("version"), Mapping) else "1"
    if version.partition(".")[0] not in ("1", "2"):
        raise InputError(f"{option} has the format {version}, but Rancher 1.x takes 1 and 2")
    if version.startswith("2"):
        unknown = sorted({*content} - TOP_KEYS)
        if unknown:
            raise InputError(f"{option} has what Rancher does not take: {', '.join(unknown)}")
        services = content.get("services", {})
        if not isinstance(services, Mapping):
            raise InputError(f"{option}: services is not a mapping")
        return 2, {str(name): one for name, one in services.items()}
    return 1, {name: one for name, one in content.items() if name not in ("version", ".catalog")}


def _check_service(option: str, name: str, service: Any, known: Collection[str]) -> None:
    checked_name(option, name)
    if not isinstance(service, Mapping):
        raise InputError(f"{option}: service {name} is not a mapping")
    unknown = sorted(str(key) for key in service if key not in known)
    if unknown:
        raise InputError(f"{option}: service {name} has keys that Rancher does not take: {', '.join(unknown)}")
    for key, instead in FILE_KEYS.items():
        if key in service and option == "docker_compose":
            raise InputError(
                f"{option}: service {name} has {key}, which names files that the server does not have",
                hint=f"Give {instead} itself.",
            )


def _check_links(name: str, service: Yaml, services: Collection[str]) -> None:
    links = service.get("links") or ()
    for link in links if isinstance(links, (list, tuple)) else ():
        target = str(link).split(":", 1)[0]
        if target not in services and "/" not in target:
            raise InputError(f"docker_compose: service {name} links to {target}, which does not exist")


def comparable(option: str, text: str | None, veil: Veil, hidden: Collection[str] = ()) -> Yaml:
    """A compose file as it is compared: by what it says, and with its secrets hidden. What cannot be read is empty."""
    try:
        content = load(option, text or "")
    except InputError:
        return {}
    veiled: Yaml = _veiled(content, veil, hidden)
    return veiled


def _veiled(value: Any, veil: Veil, hidden: Collection[str], name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {str(key): _veiled(one, veil, hidden, str(key)) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_veiled_item(one, veil, hidden) for one in value]
    if isinstance(value, str) and name and is_secret(name, hidden) and not value.startswith("$"):
        return veil.hide(value)
    return value


def _veiled_item(item: Any, veil: Veil, hidden: Collection[str]) -> Any:
    """A list may hold NAME=value."""
    if isinstance(item, str) and "=" in item:
        name, value = item.split("=", 1)
        return f"{name}={_veiled(value, veil, hidden, name)}"
    return _veiled(item, veil, hidden)
