# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an EC2 instance, and the ECS agent on it.

An instance is pending, then running; its user data is run for real (boot.py); then the agent, if the image has one,
reads the /etc/ecs/ecs.config which the script left behind and registers with the cluster named there, if it can reach
ECS and its role allows it. Why it does not is written to the instance's console, as on AWS.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from typing import Any

from moto.ec2.models.instances import InstanceState, StateReason
from moto.ecs.models import ecs_backends

from lab.aws.ecs import access
from lab.aws.ecs.agenda import Agenda
from lab.aws.ecs.hosts import AGENT_VERSION, Hosts
from lab.aws.ecs.resources import ContainerInstance
from lab.boot import Boot, Result
from lab.world import World

RETRY_SECONDS = 5.0
"""The agent tries to register again after this long."""
BOOTS_AT_ONCE = max(8, 2 * (os.cpu_count() or 1))
"""More than there are processors: scripts also wait for one another."""
PENDING, RUNNING = 0, 16


@dataclass(eq=False)
class Life:
    """One instance, from its launch until it is terminated."""

    instance: Any
    ready_at: float
    """On the lab's clock: the boot does not end earlier."""
    boot: Boot | None = None
    equipped: bool = False
    """It is no instance for ECS: another part of the lab says what it has."""
    result: Result | None = None
    lines: list[str] = field(default_factory=list)
    """What the agent wrote to the console."""
    complaint: str = ""
    """The last reason why it did not register."""
    host: ContainerInstance | None = None

    @property
    def alive(self) -> bool:
        return bool(self.instance.state == "running")

    @property
    def console(self) -> str:
        boot = self.result.console if self.result else ""
        start = f"[    0.000000] Linux version 6.1.0 on {self.instance.instance_type}\n"
        return start + boot + "".join(f"{line}\n" for line in self.lines)


class Instances:
    """All instances of the account, and their agents."""

    def __init__(self, world: World, agenda: Agenda, hosts: Hosts) -> None:
        self._world = world
        self._agenda = agenda
        self._hosts = hosts
        self._lives: dict[str, Life] = {}
        self._queue: list[Life] = []
        """Running instances whose boot has not begun."""
        self._booting: list[Life] = []

    def clear(self) -> None:
        for life in self._lives.values():
            _throw_away(life)
        self._lives.clear()
        self._queue.clear()
        self._booting.clear()

    def launch(self, instance: Any) -> None:
        seconds = self._world.settings.boot_seconds
        instance._state = InstanceState("pending", PENDING)
        life = Life(instance, ready_at=self._world.clock.now() + seconds)
        self._lives[instance.id] = life
        self._agenda.after(seconds / 2, lambda: self._power_on(life))

    def adopt(self, instance: Any, host: ContainerInstance) -> None:
        """Somebody else registered the instance: it is still lost with it."""
        life = self._lives.get(instance.id)
        if life is not None:
            life.host = host

    def console(self, instance_id: str) -> str:
        life = self._lives.get(instance_id)
        return life.console if life else ""

    def started(self, instance: Any) -> None:
        """StartInstances: user data runs on the first boot only, the agent comes back."""
        life = self._lives.get(instance.id)
        if life is not None:
            if life.result is None and life not in self._booting:
                self._queue.append(life)
            self._agenda.after(0, lambda: self._join(life))
            self._tell(life, "started")

    def stopped(self, instance: Any) -> None:
        life = self._lives.get(instance.id)
        if life is not None and life.result is None:
            _throw_away(life)  # switched off while it booted: the script runs again at the next start
            life.boot = None
        if life is not None and life.host is not None:
            self._hosts.disconnect(life.host, f"Host EC2 (instance {instance.id}) stopped.")
        if life is not None:
            self._tell(life, "stopped")

    def terminated(self, instance: Any) -> None:
        life = self._lives.get(instance.id)
        if life is None:
            return
        if life.host is not None:
            self._hosts.remove(life.host, f"Host EC2 (instance {instance.id}) terminated.")
            life.host = None
        self._tell(life, "terminated")
        _throw_away(life)

    def _tell(self, life: Life, what: str) -> None:
        for watcher in self._world.watchers:
            watcher(life.instance, what)

    def step(self) -> None:
        for life in [life for life in self._booting if self._boot_is_over(life)]:
            self._booting.remove(life)
        while self._queue and len(self._booting) < BOOTS_AT_ONCE:
            life = self._queue.pop(0)
            if life.alive and self._begin_boot(life):
                self._booting.append(life)

    def _power_on(self, life: Life) -> None:
        if life.instance.state == "pending":
            life.instance._state = InstanceState("running", RUNNING)
            self._queue.append(life)

    def _begin_boot(self, life: Life) -> bool:
        """Start the user data; False if there was nothing to run."""
        given = life.instance.user_data
        user_data = base64.b64decode(str(given)) if given else b""
        folder = self._world.settings.scratch / "instances" / life.instance.id
        found = (equip(life.instance, user_data, folder) for equip in self._world.equippers)
        equipment = next((one for one in found if one is not None), None)
        life.equipped = equipment is not None
        life.boot = Boot(folder, user_data, life.instance.private_dns_name, equipment=equipment)
        return not self._boot_is_over(life)

    def _boot_is_over(self, life: Life) -> bool:
        life.result = life.boot.poll() if life.boot else None
        if life.result is None:
            return not life.alive
        if life.result.obstacle:
            life.lines.append(life.result.obstacle)
            life.instance.state_reason = StateReason(life.result.obstacle, "Client.LabCannotBoot")
        elif not life.equipped:
            wait = max(0.0, life.ready_at - self._world.clock.now())
            self._agenda.after(wait, lambda: self._join(life))
        return True

    def _join(self, life: Life) -> None:
        if not life.alive or life.equipped or life.result is None or life.result.obstacle:
            return
        config = agent_config(life.result.agent_config)
        obstacle = self._no_agent(life) or self._no_connection(life) or self._register(life, config)
        if obstacle is None:
            life.complaint = ""
            return
        if obstacle != life.complaint:
            life.complaint = obstacle
            life.lines.append(f'level=error msg="{obstacle}"')
        self._agenda.after(RETRY_SECONDS, lambda: self._join(life))

    def _no_agent(self, life: Life) -> str | None:
        state = life.result.agent_state if life.result else None
        image = life.instance.ec2_backend.amis.get(life.instance.image_id)
        if state == "off":
            return "the ECS agent was stopped or disabled by the user data"
        if state != "on" and "-ecs-" not in (getattr(image, "name", None) or ""):
            return f"there is no ECS agent in the image {life.instance.image_id}"
        return None

    def _no_connection(self, life: Life) -> str | None:
        why = access.no_way_out(life.instance.ec2_backend, life.instance)
        region = life.instance.region_name
        if why:
            return f"Unable to reach https://ecs.{region}.amazonaws.com: dial tcp: i/o timeout ({why})"
        if life.instance.metadata_options.http_endpoint == "disabled":
            return "NoCredentialProviders: no valid providers in chain (the instance metadata service is disabled)"
        return None

    def _register(self, life: Life, config: dict[str, str]) -> str | None:
        """Register with the cluster; the reason if ECS refuses."""
        instance = life.instance
        backend = ecs_backends[self._world.account][instance.region_name]
        role = access.role_of_instance(instance.ec2_backend, instance)
        if role is None:
            return (
                "NoCredentialProviders: no valid providers in chain (the instance has no profile with a role for EC2)"
            )
        name = config.get("ECS_CLUSTER") or "default"
        arn = f"arn:aws:ecs:{instance.region_name}:{self._world.account}:cluster/{name}"
        cluster = backend.clusters.get(name)
        missing = cluster is None or cluster.status != "ACTIVE"
        if missing and "ECS_CLUSTER" not in config and access.allows(role, "ecs:CreateCluster", "*"):
            cluster, missing = backend.create_cluster(name), False
        for action, resource in (
            ("ecs:DiscoverPollEndpoint", "*"),
            ("ecs:RegisterContainerInstance", arn),
            ("ecs:Poll", arn.replace(":cluster/", ":container-instance/") + "/0"),
        ):
            if not access.allows(role, action, resource):
                who = f"arn:aws:sts::{self._world.account}:assumed-role/{role.name}/{instance.id}"
                return (
                    f"AccessDeniedException: User: {who} is not authorized to perform: {action} on resource: {resource}"
                )
        if missing:
            return f"ClusterNotFoundException: Cluster not found. (ECS_CLUSTER={name})"
        life.host = self._hosts.register(backend, cluster, instance, config)
        version = AGENT_VERSION["agentVersion"]
        life.lines.append(
            f'level=info msg="Registered container instance with cluster!" cluster="{name}" agent="{version}"'
        )
        return None


def agent_config(text: str) -> dict[str, str]:
    """/etc/ecs/ecs.config: NAME=value lines, taken as they stand; the last one wins."""
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, _unused, value in pairs}


def _throw_away(life: Life) -> None:
    if life.boot is not None:
        life.boot.remove()
