# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker-compose and rancher-compose files, as far as they are judged before they are handed to Rancher.

Rancher 1.x reads the formats 1 and 2 and silently leaves out what it does not know. What it would leave out is refused
here, by name, since an app without it is not the app that somebody wrote down. Pure. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import InputError
from .launch_config import canonical_port
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
NUMBER = re.compile(r"[0-9]+")
# $$ is a dollar sign
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<bare>\w+))")
# keys that name services of the same files, and of other stacks: how a sentence of them goes on
NEAR = {"depends_on": "depends on", "volumes_from": "takes the volumes of"}
FAR = {"links": "links to", "external_links": "links to"}
# keys without whose values a service cannot be made
NEEDED_KEYS = ("image", "scale", "ports", "net", "network_mode", *NEAR, *FAR)
NETWORK = re.compile(r"(?P<kind>container|service):(?P<name>.+)")
SIDEKICKS = "io.rancher.sidekicks"


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
            given = (filled(str(port), answers) for port in _items(service.get("ports")))
            return [port for port in given if ":" in port and "$" not in port and not port.startswith(":")]

        return {name: ports(service) for name, service in self.services.items()}

    def networks(self, answers: Mapping[str, str]) -> dict[str, str]:
        """Where a network is named -> its name. Nothing for files that make networks, as there is no telling theirs."""
        if any("network_driver" in service for service in self.services.values()):
            return {}
        named = {
            f"docker_compose: service {name}: {'network_mode' if service.get('network_mode') else 'net'}": _network(
                service, answers
            )
            for name, service in self.services.items()
        }
        return {where: one for where, one in named.items() if one and "$" not in one and not NETWORK.fullmatch(one)}


@dataclass(frozen=True)
class Reference:
    """Where a service of the files names another one.

    Attributes:
        verb: how a sentence of it goes on.
        is_near: whether only services of the same files can be named.
    """

    option: str
    verb: str
    target: str
    is_near: bool = False


def filled(text: str, answers: Mapping[str, str]) -> str:
    """A text with the answers to its variables, as far as they are known."""

    def answer(found: re.Match[str]) -> str:
        unknown = found[0] if found["default"] is None else found["default"]
        return answers.get(found["braced"] or found["bare"], unknown)

    return VARIABLE.sub(answer, text)


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
    return Compose(services)


def refuse_unusable(
    compose: Compose, stack: str, answers: Mapping[str, str], has_service: Callable[[str], bool]
) -> None:
    """Refuse what Rancher would leave out in silence, or find out when the stack is half made.

    Args:
        has_service: whether there is the service stack/service.

    Raises:
        InputError: a service is named that does not exist, a service cannot start, or a port is none.
    """
    for name, service in compose.services.items():
        _check_answers(name, service, answers)
        _check_start(name, service, answers)
        for one in _references(service, answers):
            inside = one.target.removeprefix(f"{stack}/")
            if "$" in one.target or inside in compose.services:
                continue
            if one.is_near or not has_service(inside if "/" in inside else f"{stack}/{inside}"):
                raise InputError(f"{one.option}: service {name} {one.verb} {one.target}, which does not exist")
        _check_shared_network(name, compose, answers)
        for port in _items(service.get("ports")):
            _check_port(name, port, answers)


def _check_answers(name: str, service: Yaml, answers: Mapping[str, str]) -> None:
    """Rancher fills in nothing for what it has no answer to: an image without a name, a link to nowhere.

    Elsewhere nothing may be what is meant; and what looks like a variable in an environment may be part of a password.
    """
    for found in (
        found for key in NEEDED_KEYS for text in _texts(service.get(key)) for found in VARIABLE.finditer(text)
    ):
        variable = found["braced"] or found["bare"]
        if variable and found["default"] is None and variable not in answers:
            raise InputError(
                f"answers: service {name} has the variable {found[0]}, but there is no answer to {variable}",
                hint="It may be an empty text. What shall stay a dollar sign is written as two.",
            )


def _texts(value: Any) -> Iterator[str]:
    """All texts in which variables are filled in: names of keys are not among them."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, Mapping) else _items(value):
        yield from _texts(one)


def _check_start(name: str, service: Yaml, answers: Mapping[str, str]) -> None:
    """A stack of which a service cannot be made is in error, and takes no correction any more."""
    if not filled(str(service.get("image") or ""), answers).strip():
        raise InputError(f"docker_compose has no image for service {name}")
    scale = filled(str(1 if service.get("scale") is None else service["scale"]), answers)
    if not NUMBER.fullmatch(scale):
        raise InputError(f"service {name}: scale {scale!r} is no number")


def _references(service: Yaml, answers: Mapping[str, str]) -> Iterator[Reference]:
    for key, verb in (FAR | NEAR).items():
        for item in _items(service.get(key)):
            target = filled(str(item), answers).split(":", 1)[0].strip()
            yield Reference("docker_compose", verb, target, key in NEAR)
    network = NETWORK.fullmatch(_network(service, answers))
    if network:
        yield Reference("docker_compose", "shares the network of", network["name"], is_near=True)
    balancer = service.get("lb_config")
    for rule in _items(balancer.get("port_rules")) if isinstance(balancer, Mapping) else ():
        if isinstance(rule, Mapping) and rule.get("service"):
            yield Reference("rancher_compose", "leads to", filled(str(rule["service"]), answers))


def _network(service: Yaml, answers: Mapping[str, str]) -> str:
    """The network of a service; empty for that of Rancher."""
    return filled(str(service.get("network_mode") or service.get("net") or ""), answers)


def _check_shared_network(name: str, compose: Compose, answers: Mapping[str, str]) -> None:
    """Rancher knows no service: of Docker's, and refuses the container of another service while it makes the stack."""
    network = NETWORK.fullmatch(_network(compose.services[name], answers))
    if not network or "$" in network["name"]:
        return
    other = network["name"]
    if network["kind"] == "service":
        raise InputError(
            f"docker_compose: service {name} has the network {network[0]}, which Rancher does not know",
            hint=f"It knows container:{other}, if one of the two is a sidekick of the other ({SIDEKICKS}).",
        )
    groups = ({one, *_sidekicks(service, answers)} for one, service in compose.services.items())
    if not any({name, other} <= group for group in groups):
        raise InputError(
            f"docker_compose: service {name} shares the network of {other}, but the two are no sidekicks",
            hint=f"Name the one in the label {SIDEKICKS} of the other.",
        )


def _sidekicks(service: Yaml, answers: Mapping[str, str]) -> set[str]:
    """The services whose containers go with those of this one."""
    labels = service.get("labels")
    if not isinstance(labels, Mapping):
        labels = dict(str(one).partition("=")[::2] for one in _items(labels))
    return {one.strip() for one in filled(str(labels.get(SIDEKICKS) or ""), answers).split(",")}


def _check_port(name: str, port: Any, answers: Mapping[str, str]) -> None:
    text = filled(port, answers) if isinstance(port, str) else "$"  # 22:22 is a number in YAML, and a port for Rancher
    if "$" in text or text.startswith("["):  # nor is it known what becomes of addresses of IPv6
        return
    try:
        canonical_port(text)
    except InputError as error:
        error.message = f"docker_compose: service {name}: {error.message}"
        raise


def _items(value: Any) -> Collection[Any]:
    """What a list holds, or the names of a mapping; nothing for what is neither."""
    return value if isinstance(value, (list, tuple, Mapping)) else ()


def load(option: str, text: str) -> dict[str, Any]:
    """The text of a compose file as YAML.

    Raises:
        InputError: it is none.
    """
    import yaml  # noqa: PLC0415 - only those who have compose files pay for the library

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # a date that there is not is a ValueError
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
