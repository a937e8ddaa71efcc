# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS as one thing: instances, hosts, tasks, services and load balancers wired together and moved by steps."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from lab.aws.ecs.agenda import Agenda
from lab.aws.ecs.agent import Instances
from lab.aws.ecs.hosts import Hosts
from lab.aws.ecs.replica import Replica
from lab.aws.ecs.services import Services
from lab.aws.ecs.targets import Balancing, Health
from lab.aws.ecs.tasks import Tasks
from lab.world import World


class Simulation:
    """What lives beside moto's own state. One per world; forgets everything when the world is reset."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agenda = Agenda(world.clock)
        self.tasks = Tasks(world, self.agenda)
        self.health = Health(world, self.tasks.listening)
        self.services = Services(world, self.agenda, self.tasks, Balancing(world, self.health))
        self.tasks.drain = self.services.drain
        self.hosts = Hosts(world, self.tasks, self.services)
        self.instances = Instances(world, self.agenda, self.hosts)
        self.replica = Replica(world)
        world.on_step(self.step)
        world.on_reset(self.clear)
        world.on_stop(self.instances.clear)
        _simulations[world] = self

    def step(self) -> None:
        self.agenda.run_due()
        self.instances.step()
        self.services.step()

    def clear(self) -> None:
        self.agenda.clear()
        self.instances.clear()
        self.services.clear()
        self.tasks.clear()
        self.health.clear()
        self.replica.clear()


_simulations: WeakKeyDictionary[World, Simulation] = WeakKeyDictionary()


def simulation_of(world: World) -> Simulation:
    """For the other parts of the lab that look at containers (the proxy)."""
    return _simulations[world]
