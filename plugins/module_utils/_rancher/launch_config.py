# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container is started from: the options of a service on one side, Rancher's launchConfig on the other.

Rancher cannot change a launchConfig: a service gets another one by an upgrade, which takes it as a whole. So what the
options do not speak of is carried over from the one that is there. Pure. PRIVATE.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from .._checks import HIGHEST_PORT, at_least, between
from .._errors import InputError
from .ready import GLOBAL

Spec = Mapping[str, Any]
Launch = Mapping[str, Any]

PULL = "io.rancher.container.pull_image"
HASH = "io.rancher.service.hash"
IMAGE_PREFIX = "docker:"
ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound here
# label of Rancher's own -> what sets it
LABEL_SETTERS = {GLOBAL: "global: true", PULL: "pull_always: true", HASH: "Rancher itself"}
OWN_LABELS = frozenset(LABEL_SETTERS)
PORT = re.compile(
    r"(?:(?P<address>\d{1,3}(?:\.\d{1,3}){3}):(?=\d*:))?"  # with a port of the host, or with none: 127.0.0.1::80
    r"(?:(?P<host>\d+):|(?<=:):)?(?P<private>\d+)(?:/(?P<protocol>tcp|udp))?"
)
HEALTH_FIELDS = {
    "port": "port",
    "request_line": "requestLine",
    "interval": "interval",
    "response_timeout": "responseTimeout",
    "initializing_timeout": "initializingTimeout",
    "reinitializing_timeout": "reinitializingTimeout",
    "healthy_threshold": "healthyThreshold",
    "unhealthy_threshold": "unhealthyThreshold",
    "strategy": "strategy",
}
# what the web pages of Rancher propose
HEALTH_DEFAULTS: Mapping[str, Any] = {
    "request_line": "",
    "interval": 2000,
    "response_timeout": 2000,
    "initializing_timeout": 60000,
    "reinitializing_timeout": 60000,
    "healthy_threshold": 2,
    "unhealthy_threshold": 3,
    "strategy": "recreate",
}
HEALTH_LEAST = {
    "interval": 1,
    "response_timeout": 1,
    "initializing_timeout": 0,
    "reinitializing_timeout": 0,
    "healthy_threshold": 1,
    "unhealthy_threshold": 1,
    "quorum": 1,
}
NO_HEALTH_CHECK: Mapping[str, Any] = {}


def canonical_image(image: str) -> str:
    """An image with its tag."""
    name = image.removeprefix(IMAGE_PREFIX)
    return name if "@" in name or ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def canonical_port(port: str) -> str:
    """A port as Rancher writes it.

    Raises:
        InputError: it is none.
    """
    found = PORT.fullmatch(str(port))
    numbers = [int(one) for one in (found["host"], found["private"]) if one] if found else []
    if not found or not all(1 <= one <= 65535 for one in numbers) or not _is_address(found["address"] or ANYWHERE):
        raise InputError(
            f"ports: {port!r} is no port",
            hint="Ports are like 80, 8080:80, 127.0.0.1:8080:80 or 53:53/udp, from 1 to 65535.",
        )
    return _written(found, found["host"])


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _written(found: re.Match[str], host: str | None) -> str:
    """A port with this port of the host; without one, Rancher picks it."""
    said = str(int(host)) if host else ""  # 080 is 80
    address = found["address"] if found["address"] != ANYWHERE else None
    where = f"{address}:{said}:" if address else f"{said}:" if said else ""
    return f"{where}{int(found['private'])}/{found['protocol'] or 'tcp'}"


def live_port(port: str) -> str:
    """A port of the API. What cannot be read was taken by Rancher, and is left to it."""
    try:
        return canonical_port(port)
    except InputError:
        return port


def canonical_volumes(volumes: Iterable[str]) -> list[str]:
    """Volumes in one order, as theirs means nothing, and without what is so anyway."""
    return sorted({str(one).removesuffix(":rw") for one in volumes})


def host_port(port: str) -> tuple[int, str] | None:
    """The port of all addresses of a host and the protocol that a port takes.

    None if Rancher chooses one, or if it is bound to an address: Rancher compares it with that address only.
    """
    found = PORT.fullmatch(port)
    anywhere = found and found["address"] in (None, ANYWHERE)
    if not found or not found["host"] or not anywhere:
        return None
    return int(found["host"]), found["protocol"] or "tcp"


def as_asked(ports: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Ports with those of the hosts left out again, where the wanted ones leave them to Rancher.

    Rancher writes the port of the hosts that it picks into the launchConfig, as if it had been asked for. In an upgrade
    it picks the one that the service has, also where that was asked for.
    """

    def asked(port: str) -> str:
        found = PORT.fullmatch(port)
        if port in wanted or not found or not found["host"]:
            return port
        bare = _written(found, None)
        return bare if bare in wanted else port

    return sorted(map(asked, ports))


def refuse_less(options: Mapping[str, Any], least: Mapping[str, int], where: str = "") -> None:
    """Refuse numbers that are too small.

    Raises:
        InputError: one is.
    """
    for option, number in least.items():
        if options.get(option) is not None:
            at_least(f"{where}{option}", options[option], number)


def health_check(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """A health check as it is compared: complete, or none.

    Raises:
        InputError: something is missing or too much.
    """
    if not options.get("enabled", True):
        return NO_HEALTH_CHECK
    if not options.get("port"):
        raise InputError("health_check: port is needed")
    between("health_check: port", options["port"], 1, HIGHEST_PORT)
    refuse_less(options, HEALTH_LEAST, "health_check: ")
    if options.get("path") and options.get("request_line"):
        raise InputError("health_check: path and request_line exclude one another")
    given = {name: options[name] for name in HEALTH_FIELDS if options.get(name) is not None}
    if options.get("path"):
        if not options["path"].startswith("/"):
            raise InputError(f"health_check: path {options['path']!r} has to start with a slash")
        given["request_line"] = f'GET "{options["path"]}" "HTTP/1.0"'
    quorum = {"quorum": options["quorum"]} if options.get("quorum") else {}
    return {**HEALTH_DEFAULTS, **given, **quorum}


def _live_health_check(check: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not check:
        return NO_HEALTH_CHECK
    there = {name: check[field] for name, field in HEALTH_FIELDS.items() if check.get(field) is not None}
    quorum = (check.get("recreateOnQuorumStrategyConfig") or {}).get("quorum")
    return {**HEALTH_DEFAULTS, **there, **({"quorum": quorum} if quorum else {})}


def _rendered_health_check(check: Mapping[str, Any]) -> dict[str, Any] | None:
    if not check:
        return None
    rendered = {field: check[name] for name, field in HEALTH_FIELDS.items()}
    if check.get("quorum"):
        rendered["recreateOnQuorumStrategyConfig"] = {"quorum": check["quorum"]}
    return {"type": "instanceHealthCheck", **rendered}


def _same(value: Any) -> Any:
    return value


def _list(value: Any) -> list[Any]:
    return list(value or ())


def _mapping(value: Any) -> dict[str, str]:
    return {str(name): str(one) for name, one in (value or {}).items()}


def _boolean(value: Any) -> bool:
    return bool(value)


def _restart(value: Any) -> str:
    return str((value or {}).get("name") or "always")


# option -> the field of a launchConfig, how it is read, and how it is said
Reader = Callable[[Any], Any]
FIELDS: Mapping[str, tuple[str, Reader, Reader]] = {
    "image": ("imageUuid", lambda value: canonical_image(value or ""), lambda value: f"{IMAGE_PREFIX}{value}"),
    "command": ("command", _list, _same),
    "entrypoint": ("entryPoint", _list, _same),
    "environment": ("environment", _mapping, _same),
    "ports": ("ports", lambda value: sorted(map(live_port, value or ())), _same),
    "expose": ("expose", lambda value: sorted(map(live_port, value or ())), _same),
    "volumes": ("dataVolumes", lambda value: canonical_volumes(value or ()), _same),
    "volume_driver": ("volumeDriver", lambda value: value or "", lambda value: value or None),
    "health_check": ("healthCheck", _live_health_check, _rendered_health_check),
    "network_mode": ("networkMode", lambda value: value or "managed", _same),
    "hostname": ("hostname", lambda value: value or "", lambda value: value or None),
    "user": ("user", lambda value: value or "", lambda value: value or None),
    "working_dir": ("workingDir", lambda value: value or "", lambda value: value or None),
    "memory": ("memory", lambda value: value or 0, lambda value: value or None),
    "cpu_shares": ("cpuShares", lambda value: value or 0, lambda value: value or None),
    "privileged": ("privileged", _boolean, _same),
    "read_only": ("readOnly", _boolean, _same),
    "tty": ("tty", _boolean, _same),
    "stdin_open": ("stdinOpen", _boolean, _same),
    "restart_policy": ("restartPolicy", _restart, lambda value: {"name": value}),
}
LAUNCH_FIELDS = frozenset({*FIELDS, "global", "pull_always", "labels"})


def live_launch(launch: Launch) -> dict[str, Any]:
    """A launchConfig as a spec."""
    labels = _mapping(launch.get("labels"))
    return {
        **{option: read(launch.get(field)) for option, (field, read, _say) in FIELDS.items()},
        "global": labels.get(GLOBAL, "").lower() == "true",
        "pull_always": labels.get(PULL) == "always",
        "labels": {name: value for name, value in labels.items() if name not in OWN_LABELS},
    }


def unnamed_volumes(launch: Launch) -> list[str]:
    """The paths of volumes that have neither a name nor a folder of the host. They go with their container."""
    return [str(volume) for volume in launch.get("dataVolumes") or () if ":" not in str(volume)]


def rendered_launch(spec: Spec, fields: Collection[str], current: Launch | None = None) -> dict[str, Any]:
    """A whole launchConfig: the current one, or a new one, with these fields of a spec."""
    launch: dict[str, Any] = dict(current or {"type": "launchConfig", "kind": "container"})
    for option, (field, _read, say) in FIELDS.items():
        if option in fields and spec.get(option) is not None:
            launch[field] = say(spec[option])
    if {"global", "pull_always", "labels"} & {*fields}:
        launch["labels"] = _labels(spec, _mapping(launch.get("labels")))
    return launch


def _labels(spec: Spec, current: Mapping[str, str]) -> dict[str, str]:
    """All labels: the user's in place of the user's, Rancher's own as the options say."""
    own = {name: value for name, value in current.items() if name in OWN_LABELS and name != HASH}
    users = spec.get("labels")
    if users is None:
        users = {name: value for name, value in current.items() if name not in OWN_LABELS}
    labels = {**users, **own}
    for option, name, value in (("global", GLOBAL, "true"), ("pull_always", PULL, "always")):
        if spec.get(option) is not None:
            labels.pop(name, None)
            labels |= {name: value} if spec[option] else {}
    return labels
