# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a droplet: new, active with an address, its user data run, its containers started; off; gone."""

from __future__ import annotations

import ipaddress
import shutil
from dataclasses import dataclass, field
from typing import Any

from lab.boot import Boot
from lab.digitalocean import cloud_config, docker_runs, firewalls, ubuntu
from lab.digitalocean.teams import Team, Teams, Thing
from lab.machines import Container, Machine
from lab.world import World

BOOTS_AT_ONCE = 4
NEVER = float("inf")
ENDINGS = {"power_off": "off", "shutdown": "off", "power_on": "active", "reboot": "active", "power_cycle": "active"}


@dataclass
class Life:
    """What only the lab knows of a droplet."""

    team: Team
    droplet: Thing
    user_data: bytes
    born_at: float
    gone_at: float = NEVER
    machine: Machine | None = None
    boot: Boot | None = None
    booted: bool = False
    runs: list[docker_runs.Run] = field(default_factory=list)
    console: list[str] = field(default_factory=list)


class Lives:
    """All droplets of all teams."""

    def __init__(self, world: World, teams: Teams) -> None:
        self._world = world
        self._teams = teams
        self._lives: dict[int, Life] = {}
        self._due: list[tuple[float, Team, Thing, str]] = []  # when, whose, the action, how it ends
        self._queue: list[Life] = []
        self._booting: list[Life] = []

    def begin(self, team: Team, droplet: Thing, user_data: str) -> None:
        self._lives[droplet["id"]] = Life(team, droplet, user_data.encode(), self._world.clock.now())

    def act(self, team: Team, droplet: Thing, kind: str, seconds: float) -> Thing:
        """Start an action on a droplet; it ends by itself."""
        action: Thing = {
            "id": team.number(),
            "status": "in-progress",
            "type": kind,
            "started_at": self._date(),
            "completed_at": None,
            "resource_id": droplet["id"],
            "resource_type": "droplet",
            "region": droplet["region"],
            "region_slug": droplet["region"]["slug"],
        }
        team.actions[action["id"]] = action
        ends = "errored" if self._world.fault == "fail_later" else "completed"
        self._due.append((self._world.clock.now() + seconds, team, action, ends))
        return dict(action)

    def pending(self, team: Team, droplet_id: int) -> bool:
        return any(
            due[1] is team and due[2]["resource_id"] == droplet_id and due[2]["resource_type"] == "droplet"
            for due in self._due
        )

    def is_listed(self, droplet_id: int) -> bool:
        """Lists are behind."""
        return self._world.clock.now() - self._lives[droplet_id].born_at >= self._world.settings.droplet_list_seconds

    def doom(self, droplet_id: int) -> None:
        """Accepted to be destroyed; that takes a moment."""
        life = self._lives[droplet_id]
        life.gone_at = min(life.gone_at, self._world.clock.now() + self._world.settings.droplet_delete_seconds)

    def console(self, droplet_id: int) -> str:
        """What the user data wrote, for a look from outside the API."""
        return "".join(self._lives[droplet_id].console)

    def machine(self, droplet_id: int) -> Machine | None:
        """What a droplet is made of; None before it is powered on."""
        return self._lives[droplet_id].machine

    def step(self) -> None:
        now = self._world.clock.now()
        for due in [due for due in self._due if due[0] <= now]:
            self._due.remove(due)
            self._finish(*due[1:])
        for life in [life for life in self._lives.values() if life.gone_at <= now]:
            self._end(life)
        self._boot()

    def reset(self) -> None:
        for life in self._lives.values():
            if life.boot is not None:
                life.boot.remove()
        self._lives.clear()
        self._due.clear()
        self._queue.clear()
        self._booting.clear()
        shutil.rmtree(self._world.settings.scratch / "droplets", ignore_errors=True)

    def _finish(self, team: Team, action: Thing, ends: str) -> None:
        action.update(status=ends, completed_at=self._date())
        life = self._lives.get(action["resource_id"])
        if life is None or ends == "errored" or action["resource_type"] != "droplet":
            return
        if action["type"] == "create":
            self._activate(life)
        elif action["type"] in ENDINGS and not (action["type"] == "power_on" and life.droplet["status"] == "active"):
            self._switch(life, ENDINGS[action["type"]])

    def _activate(self, life: Life) -> None:
        droplet = life.droplet
        life.machine = self._world.machines.plug_in(
            droplet["name"], lambda port: firewalls.admits(life.team, droplet, port)
        )
        gateway = life.machine.address.rpartition(".")[0] + ".1"
        droplet["networks"]["v4"] = [
            {"ip_address": _private(life), "netmask": "255.255.240.0", "gateway": "", "type": "private"},
            {"ip_address": life.machine.address, "netmask": "255.255.0.0", "gateway": gateway, "type": "public"},
        ]
        droplet["status"] = "active"
        life.machine.cgroups, life.machine.iptables = 2, "nft"  # so do all images of today
        life.machine.switch_on()
        self._queue.append(life)

    def _switch(self, life: Life, status: str) -> None:
        life.droplet["status"] = status
        if life.machine is None:
            return
        life.machine.switch_off()
        if status == "active":
            life.machine.switch_on()
            self._start(life, [run for run in life.runs if run.restarts])

    def _end(self, life: Life) -> None:
        del self._lives[life.droplet["id"]]
        life.team.droplets.pop(life.droplet["id"], None)
        for volume in life.team.volumes.values():
            volume["droplet_ids"] = [one for one in volume["droplet_ids"] if one != life.droplet["id"]]
        for firewall in life.team.firewalls.values():
            firewall["droplet_ids"] = [one for one in firewall["droplet_ids"] if one != life.droplet["id"]]
        if life.machine is not None:
            self._world.machines.unplug(life.machine)
        if life.boot is not None:
            life.boot.remove()
        for waiting in (self._queue, self._booting):
            if life in waiting:
                waiting.remove(life)

    def _boot(self) -> None:
        for life in [life for life in self._booting if self._boot_is_over(life)]:
            self._booting.remove(life)
        while self._queue and len(self._booting) < BOOTS_AT_ONCE:
            life = self._queue.pop(0)
            directory = self._world.settings.scratch / "droplets" / str(life.droplet["id"])
            system = ubuntu.system(with_docker="docker" in (life.droplet["image"]["slug"] or ""))
            life.boot = Boot(directory, cloud_config.script_of(life.user_data), life.droplet["name"], system=system)
            if not self._boot_is_over(life):
                self._booting.append(life)

    def _boot_is_over(self, life: Life) -> bool:
        result = life.boot.poll() if life.boot is not None else None
        if life.boot is None or result is None:
            return False
        life.console.append(result.obstacle or result.console)
        life.runs = docker_runs.running(docker_runs.asked(life.boot.file(ubuntu.RECORD)), life.runs)
        if life.boot.file(ubuntu.REBOOT):
            life.runs = [run for run in life.runs if run.restarts]
            life.boot.again(ubuntu.NEXT_BOOT)
            return False
        if life.machine is not None and life.boot.file(ubuntu.CGROUPS_1):
            life.machine.cgroups = 1
        if life.machine is not None and life.boot.file(ubuntu.IPTABLES_LEGACY):
            life.machine.iptables = "legacy"
        life.boot.remove()
        life.booted = True
        if life.droplet["status"] == "active":
            self._start(life, life.runs)
        return True

    def _start(self, life: Life, runs: list[docker_runs.Run]) -> None:
        for run in runs:
            if life.machine is not None:
                life.machine.run(Container(life.machine, run.image, run.name, run.ports, run.environment, run.command))

    def _date(self) -> str:
        return self._world.clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")


def _private(life: Life) -> str:
    """An address in the droplet's VPC."""
    vpc: dict[str, Any] = life.team.vpcs[life.droplet["vpc_uuid"]]
    network = ipaddress.ip_network(vpc["ip_range"])
    taken = {one["ip_address"] for droplet in life.team.droplets.values() for one in droplet["networks"]["v4"]}
    return next(str(address) for address in list(network.hosts())[1:] if str(address) not in taken)
