# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When things of Rancher are usable, and when they never will be: state, health and transition, taken together.

``state`` says what the server does, ``transitioning`` whether it is still at it or gave up, ``healthState`` what the
health checks find. A service can be active while its containers still start, and goes through ``updating-active`` for a
moment whenever a host joins or a container is replaced; so no single one of them is believed alone. Pure. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

Thing = Mapping[str, Any]

HEALTHY = frozenset({None, "", "healthy", "updating-healthy", "started-once"})
FAILED_STATES = frozenset({"error", "erroring"})
GOING_STATES = frozenset({"removing", "removed", "purging", "purged"})
NO_IMAGE = re.compile(r"failed to pull: .*(repository does not exist|manifest unknown|invalid reference format)", re.S)
GLOBAL = "io.rancher.scheduler.global"


def is_settled(thing: Thing, states: Collection[str] = ("active",)) -> bool:
    """Whether it is in one of the states and the server has finished with it."""
    return thing.get("state") in states and thing.get("transitioning") in (None, "no")


def is_healthy(thing: Thing) -> bool:
    """Whether the health checks find nothing wrong; no check, nothing wrong."""
    return thing.get("healthState") in HEALTHY


def failure_of(thing: Thing) -> str | None:
    """Why the server gave up, or None."""
    if thing.get("transitioning") == "error" or thing.get("state") in FAILED_STATES:
        return f"{label_of(thing)} failed: {thing.get('transitioningMessage') or 'Rancher does not say why'}"
    return None


def is_retried(thing: Thing) -> bool:
    """Whether Rancher goes on with it by itself after a failure: what is said of it, may be over at the next look.

    A service has no state for errors. A container that fails once makes it say ``error`` in whatever state it is, until
    the next pass goes well. That an image is not there at all, a registry has said for good.
    """
    is_service = str(thing.get("type") or "").lower().endswith("service")
    final = thing.get("state") in FAILED_STATES or NO_IMAGE.search(str(thing.get("transitioningMessage") or ""))
    return is_service and not final


def is_going(thing: Thing) -> bool:
    """Whether it is being removed, or is gone and only still shown."""
    return thing.get("state") in GOING_STATES


def why_never_ready(thing: Thing) -> str | None:
    """Why it can never become ready: because it failed, or is being removed by somebody else."""
    return removal_of(thing) or failure_of(thing)


def removal_of(thing: Thing) -> str | None:
    """That it is being removed by somebody else, or None."""
    return f"{label_of(thing)} is being removed" if is_going(thing) else None


def describe(thing: Thing) -> str:
    """The state of one thing in a few words."""
    words = [f"{label_of(thing)} is {thing.get('state')}"]
    if thing.get("healthState"):
        words.append(f"health {thing['healthState']}")
    if thing.get("transitioning") in ("yes", "error") and thing.get("transitioningMessage"):
        words.append(str(thing["transitioningMessage"]))
    return ", ".join(words)


def label_of(thing: Thing) -> str:
    """What to call a thing in a message."""
    kind = str(thing.get("type") or "thing")
    words = {
        "loadBalancerService": "load balancer",
        "machine": "host",
        "environment": "stack",
        "project": "environment",
    }
    return f"{words.get(kind, kind)} {thing.get('name') or thing.get('hostname') or thing.get('id')}"


def is_global(service: Thing) -> bool:
    """Whether a service runs on every host."""
    labels = (service.get("launchConfig") or {}).get("labels") or {}
    return str(labels.get(GLOBAL, "")).lower() == "true"


def service_ready(service: Thing, states: Collection[str] = ("active",)) -> bool:
    """Whether a service runs as often as it should, and is healthy.

    One that is upgraded is: Rancher upgrades no further before the new containers are healthy, and afterwards counts
    the old ones, which it keeps stopped, as if they were ill.
    """
    if not is_settled(service, states):
        return False
    return service["state"] == "upgraded" or (is_healthy(service) and _has_scale(service))


def stack_ready(stack: Thing, services: Iterable[Thing], states: Collection[str] = ("active",)) -> bool:
    """Whether a stack and all of its services are ready."""
    return is_settled(stack, states) and all(service_ready(one, states) or _is_off(one) for one in services)


def describe_stack(stack: Thing, services: Iterable[Thing]) -> str:
    """The state of a stack, and of those of its services that are not ready."""
    waiting = [describe(one) for one in services if not service_ready(one)]
    return "; ".join([describe(stack), *waiting])


def _has_scale(service: Thing) -> bool:
    wanted, there = service.get("scale"), service.get("currentScale")
    if is_global(service) or service.get("scalePolicy") or wanted is None or there is None:
        return True
    return int(there) >= int(wanted) or service.get("healthState") == "started-once"


def _is_off(service: Thing) -> bool:
    """Services without containers of their own, and those that were switched off by hand."""
    return service.get("state") == "inactive" and not service.get("startOnCreate", True)
