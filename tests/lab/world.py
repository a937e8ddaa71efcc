# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry that ties the lab together: settings, clock, lock, and what each part wants to be told.

A part of the lab (`install(world)`) never imports another one: it registers callbacks here.
"""

from __future__ import annotations

import dataclasses
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lab.account import ACCOUNT
from lab.clock import Clock
from lab.machines import Machines
from lab.messages import Answer, Backend, Call, Request


@dataclass(frozen=True)
class Settings:
    """How long things take, in simulated seconds, and where scratch files go. Changed by POST /_lab/settings."""

    scratch: Path
    speed: float = 1.0
    boot_seconds: float = 0.0
    """From RunInstances until the user data has run; the instance is `running` after half of it."""
    task_seconds: float = 0.0
    """From a task's placement until its containers run."""
    deregistration_seconds: float = 0.0
    """A load balancer's target stays `draining` this long."""
    health_seconds: float = 0.0
    """Until a load balancer's health checks have made up their mind about a target."""
    asg_seconds: float = 0.0
    """Until an auto scaling group notices a lost instance and replaces it."""
    consistency_seconds: float = 0.0
    """New EC2, IAM and ECS objects are not found for this long; IAM instance profiles are refused by EC2; an ECS
    service is described as it was before its last change."""
    tagging_seconds: float = 0.0
    """The tagging API does not know what is new for this long, and knows what is gone this much longer."""
    ec2_metadata_tags: bool = False
    """The account's default is that an instance's metadata has its tags: then EC2 refuses keys that cannot be there."""
    eni_release_seconds: float = 0.0
    """A deleted load balancer's network interfaces hold subnets and security groups this long."""
    dns_seconds: float = 0.0
    """A Route 53 change is PENDING this long."""
    dns_one_change_at_a_time: bool = False
    """Route 53 refuses a change (PriorRequestNotComplete) while the zone's last one is PENDING."""
    droplet_boot_seconds: float = 0.0
    """From a droplet's create until it is active; then its user data runs."""
    droplet_action_seconds: float = 0.0
    """Until an action on a droplet (power off, ...) is completed."""
    droplet_delete_seconds: float = 0.0
    """A deleted droplet can still be seen for this long."""
    droplet_list_seconds: float = 0.0
    """A new droplet is missing from lists for this long; by its id it is found at once."""
    droplet_new_delete_ignored: bool = False
    """A delete of a droplet that is still new is answered with 204, and nothing happens; else it is refused (422)."""
    droplet_name_filter_ignored: bool = False
    """Lists by name return everything."""
    droplet_limit: int = 25
    """How many droplets a team may have."""
    digitalocean_minute_limit: int = 250
    """Requests per token and minute; 0 = any number."""
    digitalocean_hour_limit: int = 5000
    """Requests per token and hour; 0 = any number."""

    rancher_kubernetes: bool = True
    """An environment with Kubernetes has a real control plane, if its programs are there; else none answers."""
    rancher_kubernetes_1_12: bool = False
    """Through the server, that control plane answers as Kubernetes 1.12 does, which Rancher 1.6 brings."""
    rancher_version: str = "v1.6.30"
    """Of servers that are started without a tag. Before v1.2 there is /v1 only."""
    rancher_catalog_today: bool = False
    """GlusterFS and Convoy-Gluster, which were deleted in August 2016, are not in the catalog."""
    rancher_start_seconds: float = 0.0
    """From the start of a rancher/server container until it answers."""
    rancher_driver_seconds: float = 0.0
    """Then, until it knows the types of its machine drivers."""
    rancher_process_seconds: float = 0.0
    """How long a state lasts that something passes through (registering, activating, stopping, ...). With 0, new
    containers do not wait for the intervals of health checks and upgrades either."""
    rancher_pull_seconds: float = 0.0
    """An image's first time on a host."""
    rancher_install_seconds: float = 0.0
    """Docker and the agent are installed on a droplet that the server has made."""

    def changed(self, values: Mapping[str, object]) -> Settings:
        """A copy with `values` put in, each converted to the setting's own type."""
        converted: dict[str, object] = {}
        kinds = {name.name: type(getattr(self, name.name)) for name in dataclasses.fields(self)}
        for name, value in values.items():
            if name not in kinds or name in ("scratch", "speed"):
                raise ValueError(f"no such setting: {name} (there are: {', '.join(sorted(kinds))})")
            kind = kinds[name]
            if kind is bool and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false, not {value!r}")
            converted[name] = kind(value)
        return dataclasses.replace(self, **converted)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Item:
    """One thing that exists, as GET /_lab/inventory shows it."""

    kind: str
    id: str
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class Server(Protocol):
    """Something that listens on ports of instances."""

    def listens(self, instance_id: str, port: int) -> bool:
        """Does it accept connections there?"""

    def answer(self, instance_id: str, port: int, request: Request) -> Answer | None:
        """The answer to an HTTP request; None if the connection is refused."""


Callback = Callable[[], None]
Equipper = Callable[[Any, bytes, Path], Any]
"""(instance, user data, its folder) -> boot.Equipment, or None."""
Watcher = Callable[[Any, str], None]
"""(instance, `started` | `stopped` | `terminated`)"""
Check = Callable[[Call], Answer | None]
Control = Callable[[Request], object]


class World:
    """One simulated account at each provider."""

    account = ACCOUNT

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.initial_settings = settings
        self.settings = settings
        self.clock = clock or Clock(settings.speed)
        self.lock = threading.RLock()
        self.addresses: dict[str, str] = {}
        """What listens where, by name (`aws`, `proxy`); written to lab.json and printed by `exports`."""
        self.backends: dict[str, Backend] = {}
        """Providers besides AWS, by name; each listens on a port of its own."""
        self.warnings: list[str] = []
        """Plain sentences on what this machine cannot simulate, shown by `start` and `status`."""
        self.answer: Callable[[Backend, Request], Answer]
        """Answers a request to a backend, with journal and faults; there once the lab is put together."""
        self.tls: dict[str, ssl.SSLContext] = {}
        """Backends that take TLS too, on the same port."""
        self.machines = Machines(self.warnings)
        """Machines with an address of their own, and what is started on them."""
        self.call: Call | None = None
        """The request being worked on (under the lock)."""
        self.fault = ""
        """The kind of the fault rule that hit it, for faults which only its provider can show."""
        self.checks: list[Check] = []
        self.controls: dict[tuple[str, str], Control] = {}
        self.equippers: list[Equipper] = []
        """Each is asked what an instance that boots has beside what all have."""
        self.servers: list[Server] = []
        """What listens on instances, beside the containers of ECS."""
        self.watchers: list[Watcher] = []
        """Each hears when an instance was started, stopped or terminated."""
        self._births: dict[str, float] = {}
        self._steps: list[Callback] = []
        self._resets: list[Callback] = []
        self._stops: list[Callback] = []
        self._inventories: list[Callable[[], Iterable[Item]]] = []

    def on_call(self, check: Check) -> None:
        """`check` sees each AWS request before moto: it answers it, refuses it (an AwsError), or returns None."""
        self.checks.append(check)

    def on_control(self, method: str, name: str, control: Control) -> None:
        """`control` answers requests of that method to /_lab/NAME and to everything below it."""
        self.controls[method, name] = control

    def on_step(self, step: Callback) -> None:
        """`step` is called under the lock before and after each request and every 0.2 s: cheap when idle."""
        self._steps.append(step)

    def on_reset(self, forget: Callback) -> None:
        self._resets.append(forget)

    def on_stop(self, clean_up: Callback) -> None:
        self._stops.append(clean_up)

    def on_inventory(self, items: Callable[[], Iterable[Item]]) -> None:
        self._inventories.append(items)

    def born(self, key: str) -> None:
        """Something was made just now; while is_new(key), readers may not see it yet."""
        self._births[key] = self.clock.now()

    def is_new(self, key: str) -> bool:
        born = self._births.get(key)
        return born is not None and self.clock.now() - born < self.settings.consistency_seconds

    def step(self) -> None:
        """Let everything that is due happen."""
        with self.lock:
            for step in self._steps:
                step()

    def reset(self) -> None:
        """Back to an empty account, with the settings the lab was started with."""
        with self.lock:
            self.settings = self.initial_settings
            self._births.clear()
            for forget in self._resets:
                forget()
            self.machines.clear()

    def stop(self) -> None:
        with self.lock:
            for clean_up in self._stops:
                clean_up()
            self.machines.stop()

    def inventory(self) -> list[Item]:
        with self.lock:
            return [item for items in self._inventories for item in items()]
