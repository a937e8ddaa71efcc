# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rancher: access control, hosts that its machine driver makes, environments, stacks in all their ways to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faults.flow import Flow, module
from faults.programs import Task

_PACE = {"wait_sleep": 1, "wait_timeout": 300}


def _task(program: str, **options: Any) -> Task:
    return module(f"rancher_{program}", **{**_PACE, **options})


def _access(**options: Any) -> Task:
    return _task("access_control", api_key_file="$FAULTS_FILES/key.json", **options)


_ACCOUNTS = {"provider": "local", "username": "admin", "password": "lab-not-a-secret"}
_LOCAL_ON, _LOCAL_OFF = _access(**_ACCOUNTS), _access(**_ACCOUNTS, state="absent")
_GITHUB_ON = _access(client_id="lab", client_secret="lab-not-a-secret", allowed_users=["583231"])
_GITHUB_OFF = _access(state="absent")

# the server keeps a configuration that is switched off, so that all cases but the first find one
_LOCAL_KNOWN, _GITHUB_KNOWN = (_LOCAL_ON, _LOCAL_OFF), (_GITHUB_ON, _GITHUB_OFF)


def _hosts(**options: Any) -> Task:
    machine = {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
    secrets = {"access_token": "lab-not-a-secret-000002"}
    return _task("hosts", pattern="faults{n}", driver_config=machine, driver_secrets=secrets, **options)


_TWO_HOSTS, _ONE_HOST = _hosts(count=2), _hosts(count=1, purge=True)
_NO_HOSTS = _task("hosts", state="absent", purge=True)


def _of_hosts(
    act: Task, *before: Task, undo: tuple[Task, ...] = (), injections: tuple[str, ...] = (), **settings: float | str
) -> Flow:
    """A flow of hosts, at a server that knows already where its agents will find it."""
    knowing, unlimited = _hosts(count=0, purge=True), {"digitalocean_minute_limit": 0}
    return Flow(act, (knowing,), before, (*undo, _NO_HOSTS), settings={**unlimited, **settings}, injections=injections)


_ENVIRONMENT = _task("environment", name="faults", description="For the crash matrix")
_NO_ENVIRONMENT = _task("environment", name="faults", state="absent")

_CHECK = {"port": 80, "path": "/", "interval": 500, "healthy_threshold": 1}


def _stack(image: str, scale: int = 2, **options: Any) -> Task:
    web = {"name": "web", "image": image, "scale": scale, "health_check": _CHECK}
    balancer = {"name": "front", "load_balancer": [{"source_port": 80, "service": "web"}]}
    return _task("stack", name="faults", services=[web, balancer], upgrade={"interval_seconds": 0.1}, **options)


_OLD, _NEW, _BROKEN = "nginx:1.27", "nginx:1.28", "does-not-exist:1"
_UP, _DOWN = _stack(_OLD), _task("stack", name="faults", state="absent")
_DOWN_WITH_DATA = _task("stack", name="faults", state="absent", delete_data=True)
_UPGRADE, _SCALED = _stack(_NEW), _stack(_OLD, scale=3)


def _failing(task: Task, told: str) -> Task:
    return Task("faults.failing", {"module": task.program, "told": told, **task.options})


_ROLLED_BACK = _failing(_stack(_BROKEN, wait_timeout=1), "was rolled back")
_STUCK = _failing(_stack(_BROKEN, wait_timeout=1, on_failed_upgrade="leave"), "service web failed: Image")
_CATALOG = _task(
    "stack",
    name="faults",
    template="community:galera",
    answers={"mysql_database": "blog", "mysql_user": "blog"},
    secret_answers={"mysql_root_password": "lab-not-a-secret", "mysql_password": "lab-not-a-secret"},
)


_ZONE = "rancher.faults.example.com"
_MAKE_ZONE = Task(
    "faults.aws_call",
    {"service": "route53", "operation": "create_hosted_zone", "request": {"Name": _ZONE, "CallerReference": _ZONE}},
)
_DNS = _task(
    "stack",
    name="faults-dns",
    template="library:infra*route53",
    answers={"AWS_ACCESS_KEY": "LABNOTASECRET0000001", "ROOT_DOMAIN": _ZONE},
    secret_answers={"AWS_SECRET_KEY": "lab-not-a-secret-000001"},
)
_NO_DNS = _task("stack", name="faults-dns", state="absent")


def _lab_host(name: str) -> Task:
    return Task("faults.lab_call", {"path": "rancher/hosts", "document": {"name": name}})


_JOINED = _task("hosts", driver="custom", names=["one"], labels={"tier": "front"})
_JOINABLE = frozenset({"create registration token Default", "update setting api.host (value)"})
"""What stays of an environment's first hosts."""
_THREE = (_lab_host("one"), _lab_host("two"), _lab_host("three"))


def _of_stack(act: Task, *before: Task, undo: Task = _DOWN, **more: Any) -> Flow:
    """A flow of a stack, on hosts that are shared by the cases of a batch."""
    return Flow(act, base=_THREE, before=before, undo=(undo,), **more)


_SLOW = {"rancher_process_seconds": 0.1}
"""Each state of an upgrade lasts long enough for a run to be killed in it."""
_REST = frozenset({"update service web (upgrade)"})
"""What a run still does that finds an upgrade under way."""
_AGAIN = frozenset({"update service web (image)"})
"""What a run does that finds one that was just taken back."""
_KILLS = ("kill-before", "kill-after", "abandon", "cut-after")

_OLD_SERVER: dict[str, Any] = {"rancher_version": "v1.1.4"}
"""Has /v1 only: machines become hosts, stacks are environments, an upgrade is cancelled before it is rolled back."""

_WHILE_MADE = ("kill-after", "abandon", "cut-after", "overtaken", "together")
"""A droplet boots meanwhile, and Rancher does not know it yet."""

FLOWS: Mapping[str, Flow] = {
    "rancher-access-local": Flow(_LOCAL_ON, base=_LOCAL_KNOWN, undo=(_LOCAL_OFF,)),
    "rancher-access-github": Flow(_GITHUB_ON, base=_GITHUB_KNOWN, undo=(_GITHUB_OFF,)),
    "rancher-access-off": Flow(_LOCAL_OFF, base=_LOCAL_KNOWN, before=(_LOCAL_ON,), undo=(_LOCAL_OFF,)),
    "rancher-hosts-up": _of_hosts(_TWO_HOSTS),
    "rancher-hosts-up-slow": _of_hosts(_TWO_HOSTS, droplet_boot_seconds=1, injections=_WHILE_MADE),
    "rancher-hosts-up-v1": _of_hosts(_TWO_HOSTS, injections=_KILLS, **_OLD_SERVER),
    "rancher-hosts-fewer": _of_hosts(_ONE_HOST, _TWO_HOSTS),
    "rancher-hosts-down": _of_hosts(_NO_HOSTS, _TWO_HOSTS, _UP, undo=(_DOWN,)),
    "rancher-hosts-join": Flow(_JOINED, before=(_lab_host("one"),), undo=(_NO_HOSTS,), optional=_JOINABLE),
    "rancher-environment-up": Flow(_ENVIRONMENT, undo=(_NO_ENVIRONMENT,)),
    "rancher-environment-down": Flow(_NO_ENVIRONMENT, before=(_ENVIRONMENT,), undo=(_NO_ENVIRONMENT,)),
    "rancher-stack-up": _of_stack(_UP),
    "rancher-stack-upgrade": _of_stack(_UPGRADE, _UP, optional=_REST),
    "rancher-stack-upgrade-slow": _of_stack(_UPGRADE, _UP, settings=_SLOW, injections=_KILLS),
    "rancher-stack-upgrade-fails": _of_stack(_ROLLED_BACK, _UP),
    "rancher-stack-upgrade-stuck": _of_stack(_UPGRADE, _UP, _STUCK, optional=_REST | _AGAIN),
    "rancher-stack-upgrade-v1": _of_stack(
        _UPGRADE, _UP, optional=_REST, settings={**_OLD_SERVER, **_SLOW}, injections=_KILLS
    ),
    "rancher-stack-upgrade-stuck-v1": _of_stack(
        _UPGRADE, _UP, _STUCK, optional=_REST | _AGAIN, settings=_OLD_SERVER, injections=_KILLS
    ),
    "rancher-stack-scale": _of_stack(_SCALED, _UP),
    "rancher-stack-catalog": _of_stack(_CATALOG, undo=_DOWN_WITH_DATA),
    "rancher-stack-down": _of_stack(_DOWN, _UP),
    "rancher-dns-up": Flow(_DNS, base=(*_THREE, _MAKE_ZONE), undo=(_NO_DNS,)),
    "rancher-dns-down": Flow(_NO_DNS, base=(*_THREE, _MAKE_ZONE), before=(_DNS,), undo=(_NO_DNS,)),
}
