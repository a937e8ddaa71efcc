# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_cluster_app``: an app as it should be, or gone. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._compare import Difference
from .._errors import PartialError
from .._module import Context, Outcome
from .._parallel import gather
from .._plan import Plan, Step, done_before
from .answering import wait_until_answers
from .api import Api, Object
from .app_result import address, result
from .app_wanted import APP_LABEL, TEMPLATE, checked, controller_manifest, service_manifest
from .carrying_out import CarriedOut, carry_out
from .errors import MOVED
from .kinds import DEPLOYMENT, POD, REPLICATION_CONTROLLER, SERVICE, Kind
from .object_set import Survey, decide, deletions, items_of
from .objects import key_of, place_of, runs
from .replacing import outdated, replace_pods
from .run import Owner, Run
from .surveying import require_ours, survey
from .waiting import explaining, wait_ready

ATTEMPTS = 3  # to change the app between two changes of others
KINDS = (DEPLOYMENT, REPLICATION_CONTROLLER, SERVICE)


@dataclass(frozen=True)
class There:
    """What of an app is there."""

    objects: list[tuple[Kind, Object]]
    pods: list[Object]

    def of(self, *kinds: Kind) -> Object | None:
        """The object of one of these kinds."""
        return next((thing for kind, thing in self.objects if kind in kinds), None)


def ensure(context: Context) -> Outcome:
    """Make the app, change it, or remove it."""
    params = context.params
    checked(params)
    run = Run.of(context, Owner("app", params["name"]))
    there = read(run, params)
    if params["state"] == "absent":
        return _absent(run, params, there)
    return _present(run, params, there)


def read(run: Run, params: Mapping[str, Any]) -> There:
    """Look at everything that an app can consist of.

    Raises:
        NotOursError: something of its name is somebody else's.
    """
    name, namespace = params["name"], params["namespace"]
    reads: dict[str, Callable[[], Any]] = {kind.kind: partial(run.api.get, kind, name, namespace) for kind in KINDS} | {
        "pods": partial(pods_of_app, run.api, name, namespace)
    }
    found = gather(reads)
    objects = [(kind, found[kind.kind]) for kind in KINDS if found[kind.kind]]
    for _kind, thing in objects:
        require_ours(run, thing, adopt=params["adopt"] and params["state"] == "present")
    return There(objects, own_pods([thing for _kind, thing in objects], found["pods"]))


def pods_of_app(api: Api, name: str, namespace: str) -> list[Object]:
    """The pods that have an app's label, whoever made them."""
    return api.list(POD, namespace, labels=f"{APP_LABEL}={name}").items


def own_pods(things: Iterable[Object], pods: Iterable[Object]) -> list[Object]:
    """Those of the pods that the app's controller has made. Pure."""
    controllers = [one for one in things if one["kind"] != SERVICE.kind]
    return [pod for pod in pods if any(runs(one, pod) for one in controllers)]


def _present(run: Run, params: Mapping[str, Any], there: There, attempts: int = ATTEMPTS) -> Outcome:
    before = there.of(DEPLOYMENT, REPLICATION_CONTROLLER)
    controller = controller_manifest(params, before)
    service = service_manifest(params, there.of(SERVICE), controller, before)
    items = items_of(run, [one for one in (controller, service) if one], params["namespace"])
    found = survey(run, items, force=True, adopt=params["adopt"], known=there.objects)
    rollout = _rollout(controller, there)
    plan = Plan((*decide(found).steps, *rollout))
    if run.check_mode:
        return Outcome(result(found.merged, there.pods), plan)
    try:
        chosen = Plan(tuple(step for step in plan.steps if step not in rollout))
        done = carry_out(run, found, chosen, force=True, guarded=True)
    except PartialError as error:
        if error.cause.code != MOVED or attempts == 1:
            raise
        return _once_more(run, params, plan, error, attempts - 1)
    return Outcome(_made_usable(run, params, found, done), plan)


def _once_more(run: Run, params: Mapping[str, Any], plan: Plan, moved: PartialError, attempts: int) -> Outcome:
    """Another run has changed the app since it was looked at: what is left out means the app as it is now."""
    done, before = done_before(plan, moved)
    with before.then("look what another run has changed"):
        again = _present(run, params, read(run, params), attempts)
    return Outcome(again.result, done + (again.plan or Plan()))


def _rollout(controller: Mapping[str, Any], there: There) -> list[Step]:
    """A ReplicationController leaves old pods as they are: replacing them is a step of its own."""
    if controller["kind"] != REPLICATION_CONTROLLER.kind:
        return []
    version = controller["spec"]["template"]["metadata"]["annotations"][TEMPLATE]
    old = outdated(there.pods, version) if there.of(REPLICATION_CONTROLLER) else []
    if not old:
        return []
    difference = Difference("pods_of_older_versions", len(old), 0)
    return [Step("update", "rollout", "pods_of", place_of(controller), differences=(difference,))]


def _made_usable(run: Run, params: Mapping[str, Any], found: Survey, done: CarriedOut) -> dict[str, Any]:
    things = {item.kind.kind: (item.kind, done.objects[item.key]) for item in found.items}
    controller = next(things[kind.kind] for kind in KINDS if kind.kind in things)
    latest: dict[str, Object] = {}
    with done.applied.then(f"make app {params['name']} usable"):
        if controller[0] == REPLICATION_CONTROLLER:
            replace_pods(run, controller[1])
        if params["wait"]:
            latest = wait_ready(run, list(things.values()))
    objects = {key: latest.get(thing["metadata"]["uid"], thing) for key, thing in done.objects.items()}
    with done.applied.then(f"look at the pods of app {params['name']}"):
        pods = own_pods(objects.values(), pods_of_app(run.api, params["name"], params["namespace"]))
    told = result(objects, pods)
    verify = params["verify"] or {"http": True, "path": "/", "http_proxy": None}
    url = address(objects.values())
    if params["wait"] and verify["http"] and url and _replicas(controller[1]):
        with done.applied.then(f"wait until {url} answers"), explaining(run, objects.values()):
            wait_until_answers(run, url.rstrip("/") + "/" + verify["path"].lstrip("/"), verify["http_proxy"])
    return told


def _replicas(controller: Object) -> int:
    return int((controller.get("spec") or {}).get("replicas", 1))


def _absent(run: Run, params: Mapping[str, Any], there: There) -> Outcome:
    things = [thing for _kind, thing in there.objects]
    found = Survey((), extra=things, kinds={key_of(thing): kind for kind, thing in there.objects})
    plan = Plan(tuple(deletions(things)))
    if not run.check_mode:
        carry_out(run, found, plan, wait=params["wait"])
    return Outcome({"app": None}, plan)
