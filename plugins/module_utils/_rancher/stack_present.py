# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One stack as its options say: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._errors import ConflictError, InputError
from .._module import Context, Outcome
from .._plan import Handler, Live, Plan, Wanted, apply, decide, dismantle
from .._wait import wait_until
from .api import Object
from .environments import Run
from .exports import export_plan, require_folder
from .launch_config import unnamed_volumes
from .links import refuse_for_v1, refuse_for_v2, with_protocols
from .marks import require_marked, tags_of
from .patience import Patience
from .ports import Claim, refuse_taken
from .ready import describe_stack, is_going, service_ready, stack_ready
from .services import (
    SERVICE_RULES,
    ServiceLinks,
    Services,
    links_of,
    live_links,
    live_service,
    maps_of,
    refuse_early_upgrades,
    refuse_two_with_one_address,
    rules_of,
    service_key,
)
from .stack_content import Content
from .stack_options import StackOptions
from .stack_read import World, content_in, read_world, refuse_missing
from .stack_result import stack_result
from .stack_wanted import STACK_GRAPH, claims, manages, unwanted_services, wanted_services, wanted_stack
from .stacks import CONTENT_FIELDS, STACK, STACK_RULE, Stacks, find_stacks, live_stack, stack_id_of
from .upgrades import UPGRADED
from .veil import Veil

NETWORKS = ("managed", "host", "bridge", "none")
NEWER_NETWORKS = (*NETWORKS, "default")  # the bridge of Docker itself, too
STACK_RULES = {STACK: STACK_RULE, **SERVICE_RULES}


def ensure(context: Context) -> Outcome:
    """What the module does."""
    return ensure_present(context) if context.params["state"] == "present" else ensure_absent(context)


@dataclass(frozen=True)
class Look:
    """A stack and its services at one moment."""

    stack: Object | None
    services: tuple[Object, ...] = ()


def ensure_present(context: Context) -> Outcome:
    """The stack as its options say, active and healthy."""
    veil = Veil()
    options = StackOptions.from_params(context.params, veil)
    if context.params["export_to"]:
        require_folder(context.params["export_to"])
    run = Run.of(context)
    refuse_for(options, v1=run.rancher.is_v1)
    _refuse_restart_policy(run, options)
    world = read_world(run, options, foreseen=context.check_mode)
    refuse_missing(world, options)
    content = content_in(world, options)
    _refuse_networks(context, run, options, content)
    case = StackCase(run, options, world, content, veil)
    live = case.live()
    plan = case.plan(live)
    refuse_early_upgrades(plan)
    refuse_two_with_one_address(plan, options.policy)
    refuse_taken(case.new_claims(plan), world.hosts)
    left = case.left_behind(plan)
    if left:
        context.warn(
            f"Services {', '.join(left)} of stack {options.name} are not in what it is made from now. "
            "Rancher keeps them with their containers; delete those that are not needed any more."
        )
    look = case.first_look()
    if context.check_mode:
        return _outcome(context, run, look, plan)
    applied = apply(plan, case.handlers(), live)
    with applied.then(f"wait for stack {options.name}"):
        if plan.changed:
            look = _look(run, options.name)
        if context.params["wait"]:
            look = _settled(run, options, look)
        return _outcome(context, run, look, plan)


def refuse_for(options: StackOptions, *, v1: bool) -> None:
    """Refuse what the server cannot do.

    Raises:
        InputError: something of it is asked for.
    """
    if options.system and v1:
        raise InputError("system: stacks of Rancher's own kind need Rancher 1.2 or newer")
    for service in options.services or ():
        refuse = refuse_for_v1 if v1 else refuse_for_v2
        refuse(service.rules or (), f"services: {service.name}: load_balancer")
        mode = service.spec.get("network_mode")
        if v1 and mode and mode not in NETWORKS:
            raise InputError(
                f"services: {service.name}: network_mode {mode!r} is none of {', '.join(NETWORKS)}, "
                "which Rancher 1.0 and 1.1 know"
            )


def _refuse_networks(context: Context, run: Run, options: StackOptions, content: Content | None) -> None:
    """Refuse networks that are not there: Rancher 1.2 and newer take any name, and then make containers in vain.

    In check mode, an earlier task of the play may be about to make them. Files of the catalog are not judged.

    Raises:
        InputError: there is no such network.
    """
    known = NETWORKS if run.rancher.is_v1 else NEWER_NETWORKS
    asked = {f"services: {one.name}: network_mode": one.spec.get("network_mode") for one in options.services or ()}
    if options.compose and content:
        asked |= options.compose.networks(content.answers)
    named = {where: mode for where, mode in asked.items() if mode and mode not in known}
    if not named:
        return
    listed = run.rancher.list(run.path("networks"), doing=f"look for the networks of stack {options.name}")
    there = {str(one.get("name")) for one in listed if not is_going(one)}
    for where, mode in named.items():
        told = f"{where} {mode!r} is no network of environment {run.environment.name}"
        if mode not in there and not context.check_mode:
            raise InputError(f"{told}; there are: {', '.join((*known, *sorted(there)))}")
        if mode not in there:
            context.warn(f"{told}, and is refused unless that is made before.")


def _refuse_restart_policy(run: Run, options: StackOptions) -> None:
    """Refuse what many servers leave out of a service in silence; their schema says so.

    Raises:
        InputError: a service is to have another policy than that of every service.
    """
    for service in options.services or ():
        policy = service.spec.get("restart_policy", "always")
        schema = run.rancher.schema("launchConfig", project=run.environment.id) if policy != "always" else None
        if schema and "restartPolicy" not in (schema.get("resourceFields") or {}):
            raise InputError(
                f"services: {service.name}: restart_policy {policy} is not for this Rancher, "
                f"which always starts the containers of services again",
                hint="Leave it out. A container that is to end has the label io.rancher.container.start_once: true.",
            )


def ensure_absent(context: Context) -> Outcome:
    """The stack is gone, with its services and their containers."""
    veil = Veil()
    options = StackOptions.from_params(context.params, veil)
    run = Run.of(context)
    found = find_stacks(run, options.name, doing=f"look for stack {options.name}")
    for stack in found:
        require_marked(run.mark(options.name), stack, f"stack {options.name}", adopt=options.adopt)
        if is_going(stack):
            continue
        services = _services_of(run, stack)
        if not options.adopt:
            _refuse_strangers(run, stack, services)
        if not context.params["delete_data"]:
            _refuse_loss(run, stack, services)
    live = {one.key: one for one in (live_stack(stack, veil, None) for stack in found)}
    plan = dismantle(live.values(), STACK_GRAPH)
    if not context.check_mode:
        apply(plan, {STACK: Stacks(run, options.policy, veil, None)}, live)
    return Outcome(stack_result(None, ()), plan)


def _services_of(run: Run, stack: Object) -> list[Object]:
    doing = f"look what is in stack {stack['name']}"
    listed = run.rancher.list(run.path("services"), doing=doing)
    return [one for one in listed if stack_id_of(one) == stack["id"] and not is_going(one)]


def _refuse_strangers(run: Run, stack: Object, services: Sequence[Object]) -> None:
    """Refuse to remove services that somebody else has put into a stack of ours.

    Those that Rancher itself makes, from files or a template, carry no mark: such a stack is taken as a whole.

    Raises:
        ConflictError: there are some.
    """
    mark = run.mark(str(stack["name"]))
    strangers = [str(one["name"]) for one in services if not mark.owns(tags_of(one.get("description")))]
    if strangers and not (stack.get("dockerCompose") or stack.get("externalId")):
        raise ConflictError(
            f"stack {stack['name']} has services that rancher_stack did not make: {', '.join(sorted(strangers))}",
            hint="Delete them first, or set adopt: true to have them deleted with it.",
        )


def _refuse_loss(run: Run, stack: Object, services: Sequence[Object]) -> None:
    """Refuse to remove data that nobody has said may go.

    Raises:
        InputError: there are volumes that would go with the stack, or with the containers of its services.
    """
    launches = [
        (launch.get("name") or service["name"], launch)
        for service in services
        for launch in (service.get("launchConfig") or {}, *(service.get("secondaryLaunchConfigs") or ()))
    ]
    lost = [f"{path} of {name}" for name, launch in launches for path in unnamed_volumes(launch)]
    if not run.rancher.is_v1:  # volumes of the stack itself, which came with 1.2
        doing = f"look for the data of stack {stack['name']}"
        volumes = run.rancher.list(run.path("volumes"), {"stackId": stack["id"]}, doing=doing)
        lost += sorted(str(one["name"]) for one in volumes if not is_going(one))
    if lost:
        raise InputError(
            f"stack {stack['name']} has volumes that would go with it: {', '.join(lost)}",
            hint="Set delete_data: true to delete them.",
        )


@dataclass(frozen=True)
class StackCase:
    """What is asked for, and where."""

    run: Run
    options: StackOptions
    world: World
    content: Content | None
    veil: Veil

    @property
    def stack(self) -> Object | None:
        """The stack that is there."""
        return self.world.stack(self.options.name)

    def live(self) -> dict[str, Live]:
        """The resources of the stack by key."""
        if self.stack is None:
            return {}
        finish = self.options.policy.finish
        found = [live_stack(self.stack, self.veil, self.content, finish=finish)]
        specs = {one.key: one.spec for one in self._wanted_services()}
        for raw in self.world.services_of(self.stack) if self.options.services is not None else ():
            wanted = specs.get(service_key(raw["name"]), {})
            rules = rules_of(raw, self.world.maps, v1=self.world.v1)
            if self.world.v1:
                rules = with_protocols(rules, wanted.get("rules") or ())
            found.append(live_service(raw, wanted, self.veil, rules, finish=finish))
            found.append(live_links(raw["name"], raw["id"], links_of(maps_of(raw, self.world.maps))))
        return {one.key: one for one in found}

    def _wanted_services(self) -> list[Wanted]:
        return wanted_services(self.options, self.world, self.run.mark(self.options.name))

    def plan(self, live: Mapping[str, Live]) -> Plan:
        """What has to be done."""
        mark = self.run.mark(self.options.name)
        if self.stack and not manages(self.options, self.content):
            return Plan()
        wanted = [
            wanted_stack(self.options, self.content, self.stack, mark, self.veil),
            *self._wanted_services(),
        ]
        plan = decide(wanted, live, STACK_GRAPH, STACK_RULES)
        return plan + dismantle(unwanted_services(self.options, live, mark), STACK_GRAPH)

    def handlers(self) -> dict[str, Handler]:
        """What carries the plan out."""
        services = Services(self.run, self.options.policy, self.veil)
        return {
            STACK: Stacks(self.run, self.options.policy, self.veil, self.content),
            "service": services,
            "load_balancer": services,
            "service_links": ServiceLinks(self.run),
        }

    def new_claims(self, plan: Plan) -> list[Claim]:
        """The ports that have to be free: those of what is about to start, or to publish other ones."""
        starting = {step.name for step in plan.steps if step.kind in ("service", "load_balancer")}
        everything = self.content is not None and any(step.kind == STACK for step in plan.steps)
        found = claims(self.options, self.content, self.world)
        return [one for one in found if everything or one.service in starting]

    def left_behind(self, plan: Plan) -> list[str]:
        """Services that new files do not have, and that nobody makes but those: Rancher deletes none of them."""
        named = self.content.compose.services if self.content else {}
        fields = {one.field for step in plan.steps if step.kind == STACK for one in step.differences}
        if not named or not fields & CONTENT_FIELDS:
            return []
        mark = self.run.mark(self.options.name)
        there = [one for one in self.world.services_of(self.stack) if not mark.owns(tags_of(one.get("description")))]
        return sorted({str(one["name"]) for one in there} - named.keys())

    def first_look(self) -> Look:
        """The stack as it was read."""
        return Look(self.stack, tuple(self.world.services_of(self.stack)))


def _look(run: Run, name: str) -> Look:
    doing = f"look at stack {name}"
    for stack in find_stacks(run, name, doing=doing):
        return Look(stack, tuple(run.rancher.list(stack["links"]["services"], doing=doing)))
    return Look(None)


def _settled(run: Run, options: StackOptions, first: Look) -> Look:
    """The stack once all of it that is managed is ready."""
    states = ("active",) if options.policy.finish else ("active", UPGRADED)
    names = None if options.services is None else {one.name for one in options.services}
    looks, patience = iter([first]), Patience(run.deadline.clock)

    def managed(look: Look) -> list[Object]:
        return [one for one in look.services if names is None or one["name"] in names]

    def ready(look: Look) -> bool:
        there = managed(look)
        complete = names is None or len(there) == len(names)
        return look.stack is not None and complete and stack_ready(look.stack, there, states)

    return wait_until(
        lambda: next(looks, None) or _look(run, options.name),
        ready=ready,
        failed=lambda look: (
            patience.why_never_ready(look.stack, *managed(look)) if look.stack else "the stack was removed"
        ),
        describe=lambda look: describe_stack(look.stack, managed(look)) if look.stack else "gone",
        events=lambda look: [str(one["transitioningMessage"]) for one in look.services if _speaks(one)],
        deadline=run.deadline,
        doing=f"wait for stack {options.name}",
        hint="container.schedulers.rancher_stack_info shows the containers and what Rancher says of them.",
        pace=run.pace,
    )


def _speaks(service: Object) -> bool:
    return bool(service.get("transitioningMessage")) and not service_ready(service)


def _outcome(context: Context, run: Run, look: Look, plan: Plan) -> Outcome:
    result = stack_result(look.stack, look.services)
    folder = context.params["export_to"]
    if folder:
        exported, files = export_plan(run, look.stack, folder, certain=not plan.changed, write=not context.check_mode)
        return Outcome({**result, "exported": files}, plan + exported)
    return Outcome(result, plan)
