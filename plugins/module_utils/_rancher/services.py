# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services and load balancers: compared in full, changed where that is possible, upgraded where it is not. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._errors import BusyError, ConflictError, NotFoundError
from .._ownership import require_ours
from .._plan import Live, Plan, Rule, Spec, Step
from .._retry import Effect
from .._wait import wait_for
from .activation import OFF_STATES, activate
from .api import Object
from .dialect import DIALECTS
from .environments import Run
from .launch_config import IMAGE_PREFIX, LAUNCH_FIELDS, as_asked, live_launch, rendered_launch
from .links import rules_of_v1, rules_of_v2, v1_links, v1_ports, v2_ports, v2_rules
from .marks import tags_of
from .names import number_of
from .ready import FAILED_STATES, is_going
from .ready import describe as described_state
from .removal import remove
from .stacks import CONTENT_FIELDS, STACK
from .upgrades import UPGRADE_STATES, UPGRADED, UpgradePolicy, refuse_taken_back, resume_upgrade, settlement, upgrade
from .veil import Veil

SERVICE_RULES = {
    "service": Rule(immutable=frozenset({"global"}), subset=frozenset()),
    "load_balancer": Rule(immutable=frozenset({"global"}), subset=frozenset()),
}
BALANCER_TYPE = "loadBalancerService"
BALANCER_IMAGE = "lb.instance.image"  # the setting that names the image of load balancers (1.2 and newer)
PUT_FIELDS = {"scale": "scale", "description": "description", "metadata": "metadata", "retain_ip": "retainIp"}
COMING_STATES = frozenset({"requested", "registering", "activating"})
PART = "service"


def service_key(name: str) -> str:
    """The key of a service in a plan."""
    return f"service/{name}"


def kind_of(service: Mapping[str, Any]) -> str:
    """The kind of a service in a plan."""
    return "load_balancer" if service.get("type") == BALANCER_TYPE else "service"


def live_service(
    service: Object,
    wanted: Spec,
    veil: Veil,
    rules: list[dict[str, Any]] | None = None,
    *,
    finish: bool = True,
) -> Live:
    """A service of the API.

    Args:
        wanted: the spec it is compared with; it decides how an upgrade of an earlier run is to end.
        rules: those of a load balancer.
        finish: whether an upgrade that has succeeded is to be finished.
    """

    end = settlement(service, lambda launch: _has_launch(launch, wanted, veil))
    left = end.goal and (finish or service["state"] != UPGRADED or end.goal != "finish")
    spec = {
        **_launch_spec(end.launch, wanted, veil),
        "stack": str(service.get("stackId") or service.get("environmentId") or ""),
        "scale": service.get("scale"),
        "metadata": service.get("metadata") or {},
        "retain_ip": bool(service.get("retainIp")),
        "description": service.get("description") or "",
        "started": service.get("state") not in OFF_STATES,
        "upgrade": str(service["state"]) if left else "none",
        "rules": rules or [],
    }
    attributes = {"raw": service, "settlement": end, "tags": tags_of(service.get("description"))}
    return Live(service_key(service["name"]), kind_of(service), service["name"], service["id"], spec, attributes)


def _launch_spec(launch: Mapping[str, Any], wanted: Spec, veil: Veil) -> dict[str, Any]:
    spec = live_launch(launch)
    return {
        **spec,
        "environment": veil.hide_some(spec["environment"], _hidden(wanted)),
        "ports": as_asked(spec["ports"], wanted.get("ports") or ()),
    }


def _has_launch(launch: Mapping[str, Any], wanted: Spec, veil: Veil) -> bool:
    """Whether containers are started from what is wanted."""
    there = _launch_spec(launch, wanted, veil)
    return all(there[name] == value for name, value in wanted.items() if name in LAUNCH_FIELDS)


def _hidden(wanted: Spec) -> set[str]:
    return {name for name, value in (wanted.get("environment") or {}).items() if value.startswith("(secret ")}


def rules_of(service: Object, maps: Sequence[Object], *, v1: bool) -> list[dict[str, Any]]:
    """The rules of a load balancer. Pure.

    Args:
        maps: the service consume maps of the environment, for /v1.
    """
    if not v1:
        return rules_of_v2((service.get("lbConfig") or {}).get("portRules"))
    launch = service.get("launchConfig") or {}
    return rules_of_v1([*(launch.get("ports") or ()), *(launch.get("expose") or ())], maps_of(service, maps))


def maps_of(service: Object, maps: Sequence[Object]) -> list[Object]:
    """The service consume maps of one service, in the order in which they were made. Pure."""
    theirs = [one for one in maps if one["serviceId"] == service["id"] and not is_going(one)]
    return sorted(theirs, key=lambda one: number_of(one["id"]))


def refuse_early_upgrades(plan: Plan) -> None:
    """Refuse to upgrade what has never come up: Rancher 1.0 and 1.1 do not offer it, and none does for a stack.

    Raises:
        ConflictError: there is such a service, or the stack is so.
    """
    for step, thing in _upgrades(plan):
        if thing.get("state") in COMING_STATES | FAILED_STATES and "upgrade" not in (thing.get("actions") or {}):
            kind = "stack" if step.kind == STACK else "service"
            raise ConflictError(
                described_state(thing),
                doing=step.sentence,
                hint=f"This Rancher upgrades a {kind} only once it is active: see what it waits for, or delete it.",
            )


def refuse_two_with_one_address(plan: Plan, policy: UpgradePolicy) -> None:
    """Refuse to start a new container first where it is to have the address that the old one still has.

    Raises:
        ConflictError: there is such a service.
    """
    for step, service in _upgrades(plan):
        if policy.start_first and service.get("retainIp"):
            raise ConflictError(
                "start_first cannot be used for a service that retains its addresses",
                doing=step.sentence,
                hint="Set upgrade without start_first. With retain_ip: false it can be used from the next upgrade on.",
            )


def _upgrades(plan: Plan) -> Iterator[tuple[Step, Object]]:
    for step in plan.steps:
        if step.live is not None and _is_upgrade(step):
            yield step, step.live.attributes["raw"]


def _is_upgrade(step: Step) -> bool:
    fields = CONTENT_FIELDS if step.kind == STACK else LAUNCH_FIELDS if step.kind in SERVICE_RULES else ()
    return step.action == "update" and any(one.field in fields for one in step.differences)


class Services:
    """Services of one stack; load balancers are such."""

    def __init__(self, run: Run, policy: UpgradePolicy, veil: Veil) -> None:
        self._run = run
        self._policy = policy
        self._veil = veil

    def create(self, step: Step, spec: Spec) -> Live:
        """A name is taken until the service before it is gone, so this may have to wait."""
        run, doing = self._run, step.sentence
        collection = "loadbalancerservices" if step.kind == "load_balancer" else "services"
        body = self._body(step, spec)

        def attempt() -> Object | None:
            try:
                return run.rancher.create(run.path(collection), body, lambda: self._named(step, spec), doing=doing)
            except BusyError:
                return None

        made = wait_for(
            attempt,
            missing="the service of this name that was deleted is still being removed",
            deadline=run.deadline,
            doing=doing,
            pace=run.pace,
        )
        if step.kind == "load_balancer":
            self._lead(made, spec["rules"], doing)
        return self._live(made, spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        """In the order that a service needs: out of an old upgrade, into a new one, then what can simply be set."""
        run, doing = self._run, step.sentence
        changed = {one.field for one in step.differences}
        service: Object = live.attributes["raw"]
        upgrades = bool(changed & {*LAUNCH_FIELDS} - {"global"}) or self._needs_listeners(step, spec, changed)
        if upgrades or "upgrade" in changed:
            service = self._at_rest(service, live, doing)
        if "started" in changed:
            service = activate(run.rancher, service, doing=doing, deadline=run.deadline, pace=run.pace)
        if upgrades:
            launch = self._launch(step, spec, changed, service["launchConfig"])
            body = self._policy.strategy(launch, service.get("secondaryLaunchConfigs"))
            service = upgrade(run, service, body, self._policy, doing=doing)
        if upgrades or "upgrade" in changed:
            self._require_launch(service, spec, doing)
        fields = {field: spec[name] for name, field in PUT_FIELDS.items() if name in changed}
        if fields:
            service = run.rancher.update(service, fields, doing=doing)
        if "rules" in changed:
            self._lead(service, spec["rules"], doing)
            service = run.rancher.get(service["links"]["self"], doing=doing)
        return self._live(service, spec)

    def delete(self, step: Step, live: Live) -> None:
        """Its containers go with it; named volumes stay."""
        run = self._run
        remove(run.rancher, [live.attributes["raw"]], doing=step.sentence, deadline=run.deadline, pace=run.pace)

    def _live(self, service: Object, spec: Spec) -> Live:
        return live_service(service, spec, self._veil, spec.get("rules"))

    def _at_rest(self, service: Object, live: Live, doing: str) -> Object:
        goal = live.attributes["settlement"].goal
        if service["state"] in UPGRADE_STATES:
            return resume_upgrade(self._run, service, goal or "finish", self._policy, doing=doing)
        return service

    def _require_launch(self, service: Object, spec: Spec, doing: str) -> None:
        """Another run may have ended the upgrade in its own way meanwhile."""
        if not _has_launch(service["launchConfig"], spec, self._veil):
            refuse_taken_back(service, doing=doing)

    def _named(self, step: Step, spec: Spec) -> Object | None:
        """The service of this name that we made, after an answer was lost or the name found taken.

        Raises:
            BusyError: there is one which is being removed.
            NotOursError: it is somebody else's.
        """
        run = self._run
        stack_id = DIALECTS[run.rancher.version].stack_id
        query = {"name": step.name, stack_id: spec["stack"]}
        for one in run.rancher.list(run.path("services"), query, doing=step.sentence):
            if is_going(one):
                raise BusyError("it is being removed")
            require_ours(run.mark(_app_of(spec)), tags_of(one.get("description")), f"{step.label} of the stack")
            return one
        return None

    def _body(self, step: Step, spec: Spec) -> dict[str, Any]:
        balancer = step.kind == "load_balancer"
        body: dict[str, Any] = {
            "type": BALANCER_TYPE if balancer else "service",
            DIALECTS[self._run.rancher.version].stack_id: spec["stack"],
            "name": step.name,
            "startOnCreate": True,
            "scale": 1,
            "launchConfig": self._launch(step, spec, {*spec}, None),
            **{field: spec[name] for name, field in PUT_FIELDS.items() if spec.get(name) is not None},
        }
        if balancer:
            body |= self._balancing(spec["rules"])
        else:
            body["secondaryLaunchConfigs"] = []
        return body

    def _balancing(self, rules: Any) -> dict[str, Any]:
        if self._run.rancher.is_v1:
            return {"loadBalancerConfig": {"type": "loadBalancerConfig"}}
        return {"lbConfig": {"type": "lbConfig", "portRules": v2_rules(rules)}}

    def _launch(self, step: Step, spec: Spec, fields: set[str], current: Mapping[str, Any] | None) -> dict[str, Any]:
        """The whole of what its containers are started from, with these fields as the spec has them."""
        said = dict(spec)
        if "environment" in said:
            said["environment"] = self._veil.reveal(said["environment"])
        launch = rendered_launch(said, fields, FRESH if current is None else current)
        if step.kind == "load_balancer":
            self._publish(launch, spec.get("rules"), new=current is None)
        return launch

    def _publish(self, launch: dict[str, Any], rules: Any, *, new: bool) -> None:
        v1 = self._run.rancher.is_v1
        if rules is not None:
            launch["ports"] = v1_ports(rules) if v1 else v2_ports(rules)
        if new and not v1:
            image = self._run.rancher.setting(BALANCER_IMAGE, doing="find the image of load balancers")
            if not image:
                raise NotFoundError(f"the setting {BALANCER_IMAGE} of the Rancher server has no value")
            launch["imageUuid"] = f"{IMAGE_PREFIX}{image.removeprefix(IMAGE_PREFIX)}"

    def _needs_listeners(self, step: Step, spec: Spec, changed: set[str]) -> bool:
        """Whether a load balancer of /v1 has to publish other ports, which are not compared by themselves there."""
        if not self._run.rancher.is_v1 or "rules" not in changed or step.live is None:
            return False
        return v1_ports(spec["rules"]) != v1_ports(step.live.spec["rules"])

    def _lead(self, service: Object, rules: Any, doing: str) -> None:
        """Make a load balancer lead where its rules say."""
        run = self._run
        if run.rancher.is_v1:
            links = {"serviceLinks": v1_links(rules)}
            run.rancher.act(service, "setservicelinks", links, doing=doing, effect=Effect.IDEMPOTENT)
        elif rules_of_v2((service.get("lbConfig") or {}).get("portRules")) != rules:
            config = {**(service.get("lbConfig") or {}), "portRules": v2_rules(rules)}
            run.rancher.update(service, {"lbConfig": config}, doing=doing)


FRESH = {
    "type": "launchConfig",
    "kind": "container",
    "networkMode": "managed",
    "restartPolicy": {"name": "always"},
}


def _app_of(spec: Spec) -> str:
    """The stack that the mark of a service names."""
    return next((value for name, value in tags_of(spec["description"]).items() if name.endswith("/app")), "")


class ServiceLinks:
    """The links of one service, set as a whole."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        """A service has links, if only none; so they are never made, only set."""
        return self._set(step, spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        return self._set(step, {**live.spec, **spec})

    def delete(self, step: Step, live: Live) -> None:
        self._set(step, {**live.spec, "links": {}, "service": live.id})

    def _set(self, step: Step, spec: Spec) -> Live:
        run, doing = self._run, step.sentence
        service = run.rancher.get(run.path("services", spec["service"]), doing=doing)
        links = [{"serviceId": target, "name": alias} for alias, target in spec["links"].items()]
        run.rancher.act(service, "setservicelinks", {"serviceLinks": links}, doing=doing, effect=Effect.IDEMPOTENT)
        return live_links(step.name, spec["service"], spec["links"])


def links_key(name: str) -> str:
    """The key of a service's links in a plan."""
    return f"links/{name}"


def live_links(name: str, service: str, links: Mapping[str, str]) -> Live:
    """The links of a service: alias -> id of the service."""
    return Live(links_key(name), "service_links", name, service, {"service": service, "links": dict(links)})


def links_of(maps: list[Object]) -> dict[str, str]:
    """Links as Rancher keeps them: alias -> id of the service. Pure."""
    return {str(one.get("name") or one["consumedServiceId"]): one["consumedServiceId"] for one in maps}
