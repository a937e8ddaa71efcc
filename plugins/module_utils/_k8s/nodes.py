# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's health, and nodes: are they there, can they be used, and how to empty one. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from .._errors import BusyError, NotFoundError, SchedulersError
from .._parallel import gather
from .._retry import Effect
from .._wait import Pace, wait_until
from .api import Api, Object
from .kinds import NODE, POD
from .node_state import describe_node, is_control_plane, is_ready
from .objects import controller_of, name_of, namespace_of, place_of
from .run import Run
from .waiting import wait_gone
from .watching import LOOK, Feed, Scene

MIRROR = "kubernetes.io/config.mirror"
FINISHED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class Health:
    """What /readyz says: nothing amiss, the checks that fail, or why there is no answer."""

    ready: bool
    text: str


def health(api: Api) -> Health:
    """One look at the API server, without repeating it."""
    try:
        answer = api.transport.request("GET", "/readyz?verbose", {"Accept": "*/*"})
    except SchedulersError as error:
        return Health(ready=False, text=error.message)
    text = answer.body.decode(errors="replace")
    failing = [line.removeprefix("[-]") for line in text.splitlines() if line.startswith("[-]")]
    return Health(answer.status == 200, "ok" if answer.status == 200 else "; ".join(failing) or f"HTTP {answer.status}")


def wait_api_ready(run: Run) -> None:
    """Wait until the API server answers and calls itself ready.

    Raises:
        WaitTimeoutError: it did not; says what it answered last.
    """
    wait_until(
        partial(health, run.api),
        ready=lambda found: found.ready,
        describe=lambda found: found.text,
        deadline=run.deadline,
        doing=f"wait for the API server {run.api.transport.server}",
        pace=Pace(first=0.5, cap=5.0),
    )


def wait_nodes_ready(run: Run, *, workers: int, control_plane: int = 0) -> list[Object]:
    """Wait until at least so many nodes take pods; all nodes, as they are then.

    Raises:
        WaitTimeoutError: they did not; says what each of the others lacks.
    """
    with Scene(run.api, [Feed(NODE)]) as scene:

        def look() -> tuple[bool, list[Object]]:
            return scene.look(), scene.objects(NODE)

        def enough(found: tuple[bool, list[Object]]) -> bool:
            good = [one for one in found[1] if is_ready(one)]
            masters = sum(is_control_plane(one) for one in good)
            return found[0] and masters >= control_plane and len(good) - masters >= workers

        def describe(found: tuple[bool, list[Object]]) -> str:
            bad = [describe_node(one) for one in found[1] if not is_ready(one)]
            good = len(found[1]) - len(bad)
            return "; ".join(part for part in (f"{good} nodes are ready", *bad, scene.trouble()) if part)

        return wait_until(
            look,
            ready=enough,
            describe=describe,
            deadline=scene.deadline(run.deadline),
            doing=f"wait for {workers + control_plane} nodes",
            pace=LOOK,
        ).value[1]


def cordon(api: Api, name: str, *, schedulable: bool = False) -> None:
    """Keep new pods away from a node, or let them come again."""
    api.patch(NODE, name, {"spec": {"unschedulable": None if schedulable else True}})


def drain(run: Run, name: str) -> list[str]:
    """Empty a node: no new pods, and those that it has are evicted, as their disruption budgets allow.

    Pods of DaemonSets and of the kubelet itself stay: they belong to the node. Returns the pods that had to go.

    Raises:
        WaitTimeoutError: budgets did not allow it, or pods did not end, within the time.
        NotFoundError: there is no such node.
    """
    cordon(run.api, name)
    pods = [one for one in pods_on(run.api, name) if has_to_go(one)]
    gather({place_of(one): partial(evict, run, one) for one in pods})
    wait_gone(run, [(POD, one) for one in pods])
    return sorted(place_of(one) for one in pods)


def pods_on(api: Api, node: str) -> list[Object]:
    """The pods of a node."""
    return api.list(POD, fields=f"spec.nodeName={node}").items


def has_to_go(pod: Object) -> bool:
    """Whether a pod keeps a node from being empty. Pure."""
    metadata = pod["metadata"]
    if MIRROR in (metadata.get("annotations") or {}) or (pod.get("status") or {}).get("phase") in FINISHED:
        return False
    controller = controller_of(pod)
    return not (controller and controller.get("kind") == "DaemonSet")


def evict(run: Run, pod: Object) -> None:
    """Ask for an eviction until the budget allows it, or the pod is gone anyway."""
    name, namespace = name_of(pod), namespace_of(pod)
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": pod["metadata"]["uid"]}},
    }
    doing = f"evict pod {namespace}/{name}"

    def attempt() -> str:
        try:
            run.api.call(
                "POST", POD.path(namespace, name, "eviction"), body=body, effect=Effect.IDEMPOTENT, doing=doing
            )
        except NotFoundError:
            return ""
        except BusyError as error:
            return error.message
        return ""

    wait_until(
        attempt,
        ready=lambda refused: not refused,
        describe=str,
        deadline=run.deadline,
        doing=doing,
        hint="A PodDisruptionBudget keeps the pod: scale its app up, or loosen the budget.",
        pace=Pace(first=0.5, cap=5.0),
    )


def remove_node(api: Api, name: str) -> bool:
    """Take a node out of the cluster's list. Says whether it was there."""
    return api.delete(NODE, name)


def by_instance(nodes: Iterable[Object], instances: Collection[str]) -> Mapping[str, Object]:
    """Nodes by the id of their cloud instance (the end of the provider id). Pure."""
    found = {str((one.get("spec") or {}).get("providerID") or "").rpartition("/")[2]: one for one in nodes}
    return {instance: found[instance] for instance in instances if instance in found}
