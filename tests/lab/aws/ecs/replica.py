# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads that lag behind writes, if that is switched on: a service is shown as it was before its last change.

So ECS answers now and then, also with "there is none" and, of a name that was deleted before, with INACTIVE:
https://github.com/hashicorp/terraform-provider-aws/pull/3387, https://github.com/reproio/ecs_deploy/issues/60
"""

from __future__ import annotations

from copy import copy, deepcopy

from lab.aws.ecs.resources import Service
from lab.world import World


class Replica:
    """Services as they are read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._before: dict[str, Service | None] = {}

    def clear(self) -> None:
        self._before.clear()

    def changes(self, arn: str, service: Service | None) -> None:
        """The service is about to be changed; None: to be made."""
        if self._world.settings.consistency_seconds > 0:
            self._before[arn] = _as_it_is(service) if service else None
            self._world.born(arn)

    def shown(self, arn: str, service: Service | None) -> Service | None:
        """The service as reads show it; None: they know of none."""
        return self._before[arn] if self._world.is_new(arn) else service


def _as_it_is(service: Service) -> Service:
    frozen = copy(service)
    frozen.deployments = [copy(one) for one in service.deployments]
    frozen.events = copy(service.events)
    frozen.tags = deepcopy(service.tags)
    return frozen
