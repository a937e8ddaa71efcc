# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as the options of rancher_hosts say: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._errors import AuthError, InputError, StateFailedError
from .._module import Context, Outcome
from .._ownership import only_one, require_ours
from .._plan import Handler, Live, Plan, Wanted, apply, decide, dismantle
from .._wait import wait_until
from .driver_schema import checked_config
from .drivers import driver_schema
from .environments import Run
from .host_options import HostOptions
from .host_result import host_result
from .host_view import HostView, meant, read_hosts, replaced_hosts
from .hosts import (
    API_HOST,
    HOST,
    HOST_GRAPH,
    HOST_RULES,
    SETTING,
    Hosts,
    Settings,
    host_key,
    host_mark,
    live_host,
    live_setting,
)
from .names import number_of
from .registration import TOKEN, RegistrationTokens, read_token, registration, wanted_token
from .veil import is_secret

PART = "host"
TWO_HINT = "Delete those that are not in use. One whose machine is gone is told apart once Rancher has noticed that."


def ensure(context: Context) -> Outcome:
    """What the module does."""
    options = HostOptions.from_params(context.params)
    run = Run.of(context)
    if context.params["state"] == "absent":
        return _absent(context, run, options)
    return _custom(context, run, options) if options.is_custom else _present(context, run, options)


def _present(context: Context, run: Run, options: HostOptions) -> Outcome:
    views = read_hosts(run)
    named = _named(run, options, views, adopt=options.adopt)
    failed = _failed(options, named)
    left = {one.id for one in failed}
    live = {one.key: one for one in (live_host(view, options.driver) for view in named.values() if view.id not in left)}
    making = any(host_key(name) not in live for name in options.names)
    config = _driver_config(run, options, complete=making)
    setting = _setting(context, run, options, making=making)
    live |= {one.key: one for one in setting[1]}
    wanted = [*setting[0], *_wanted(run, options, live, config)]
    plan = dismantle(failed, HOST_GRAPH) + decide(wanted, live, HOST_GRAPH, HOST_RULES)
    plan = _in_order(plan, failed) + _surplus(run, options, views)
    _warn(context, run, options, views)
    if context.check_mode:
        return Outcome({"hosts": [host_result(view) for view in named.values()]}, plan)
    applied = apply(plan, _handlers(run, options, config), live)
    with applied.then("wait for the hosts"):
        return Outcome({"hosts": [host_result(view) for view in _after(context, run, options)]}, plan)


def _absent(context: Context, run: Run, options: HostOptions) -> Outcome:
    views = read_hosts(run)
    doomed = []
    for view in views:
        if view.name in options.names:
            require_ours(host_mark(run), view.labels, f"host {view.name}", adopt=options.adopt)
            doomed.append(view)
        elif options.purge and _is_ours(run, view):
            doomed.append(view)
    live = [_keyed(view, options.driver) for view in doomed]
    plan = dismantle(live, HOST_GRAPH)
    if not context.check_mode:
        apply(plan, _handlers(run, options, {}), {one.key: one for one in live})
    return Outcome({"hosts": []}, plan)


def _custom(context: Context, run: Run, options: HostOptions) -> Outcome:
    """Hosts that somebody else makes: the command to run on them, and labels once they have joined."""
    wanted, there = _setting(context, run, options, making=False)
    token = read_token(run)
    live = {one.key: one for one in (*there, token) if one}
    views = read_hosts(run)
    joined, hosts = _joined(run, options, views)
    plan = decide([*wanted, wanted_token(run)], live, HOST_GRAPH, HOST_RULES) + joined
    if context.check_mode:
        _warn(context, run, options, views)
        found = [host_result(view) for view in meant(views, options.names)]
        return Outcome({"hosts": found, **_joining(options, token)}, plan)
    handlers = _handlers(run, options, {})
    applied = apply(plan, handlers, live | hosts)
    with applied.then("wait for the hosts"):
        _after(context, run, options)
        views = read_hosts(run)
        late, hosts = _joined(run, options, views)
        apply(late, handlers, hosts)
        _warn(context, run, options, views)
        found = [host_result(view) for view in meant(read_hosts(run) if late.changed else views, options.names)]
        return Outcome({"hosts": found, **_joining(options, applied.live[TOKEN])}, plan + late)


def _joined(run: Run, options: HostOptions, views: Sequence[HostView]) -> tuple[Plan, dict[str, Live]]:
    """What is to be done about the hosts that have joined so far, and these as they are."""
    named = _named(run, options, views, adopt=True)
    live = {one.key: one for one in (live_host(view, options.driver) for view in named.values())}
    wanted = [one for one in _wanted(run, options, live, {}) if one.key in live]
    return decide(wanted, live, HOST_GRAPH, HOST_RULES) + _surplus(run, options, views), live


def _joining(options: HostOptions, token: Live | None) -> dict[str, Any]:
    """How to join: a secret, and so only for who asks for nothing else, and can keep all that is said of the task."""
    return {} if options.names else {"registration": registration(token)}


def _after(context: Context, run: Run, options: HostOptions) -> list[HostView]:
    """The hosts once all is done."""
    return _settled(run, options) if context.params["wait"] else meant(read_hosts(run), options.names)


def _driver_config(run: Run, options: HostOptions, *, complete: bool) -> dict[str, Any]:
    """The driver's settings, checked by the server's own schema.

    Args:
        complete: whether a host is to be made with them.

    Raises:
        InputError: there is no such driver, or it does not take these settings.
    """
    fields = driver_schema(run, options.driver)["resourceFields"]
    return checked_config(options.driver, fields, options.config, options.secrets, complete=complete)


def _named(run: Run, options: HostOptions, views: Sequence[HostView], *, adopt: bool) -> dict[str, HostView]:
    """The hosts that the options name: of two of one name the one whose agent is there, of lost ones the newest.

    Raises:
        ConflictError: there are two of one name.
        NotOursError: one is somebody else's.
    """
    named = {}
    for name in options.names:
        all_of_it = sorted(meant(views, (name,)), key=lambda view: number_of(view.id))
        found = {view.id: view for view in all_of_it if not view.is_lost} or {view.id: view for view in all_of_it[-1:]}
        identifier = only_one(found, f"host {name}", hint=TWO_HINT)
        if identifier:
            require_ours(host_mark(run), found[identifier].labels, f"host {name}", adopt=adopt)
            named[name] = found[identifier]
    return named


def _failed(options: HostOptions, named: Mapping[str, HostView]) -> list[Live]:
    """What is left of hosts that could not be made, and of those that the server has given up.

    One that is to rest may be off meanwhile.

    Raises:
        StateFailedError: there is something, and it shall not be removed.
    """
    failed = [view for view in named.values() if view.failure or (view.loss and options.active is not False)]
    if failed and not options.remove_failed:
        raise StateFailedError(
            "; ".join(str(view.failure or view.loss) for view in failed),
            doing="make the hosts",
            hint="Set remove_failed: true to remove what is left of them and to try again.",
            details={"failed_hosts": [host_result(view) for view in failed]},
        )
    return [Live(f"failed/{view.name}", "failed_host", view.name, view.id, {}, {"view": view}) for view in failed]


def _in_order(plan: Plan, failed: Sequence[Live]) -> Plan:
    """What failed goes before its name is used again."""
    first = {one.name: one.key for one in failed}
    return Plan(
        tuple(
            replace(step, needs=step.needs | {first[step.name]}) if step.kind == HOST and step.name in first else step
            for step in plan.steps
        )
    )


def _wanted(run: Run, options: HostOptions, live: Mapping[str, Live], config: Mapping[str, Any]) -> list[Wanted]:
    """The hosts as they should be.

    Raises:
        InputError: one that is to be inactive does not exist.
    """
    labels = {**(options.labels or {}), **host_mark(run).tags(PART)}
    shown = {name: value for name, value in config.items() if not is_secret(name)}
    wanted = []
    for name in options.names:
        there = live.get(host_key(name))
        if there is None and options.active is False:
            raise InputError(f"active: false is only for hosts that exist, and {name} does not")
        told = there.spec["config"] if there else {}
        spec = {
            "driver": None if options.is_custom else options.driver,
            "labels": labels,
            "active": options.active if there else None,
            # a server that does not tell what a host was made with leaves nothing to compare
            "config": {field: value for field, value in shown.items() if there is None or field in told} or None,
        }
        wanted.append(Wanted(host_key(name), HOST, name, spec))
    return wanted


def _setting(context: Context, run: Run, options: HostOptions, *, making: bool) -> tuple[list[Wanted], list[Live]]:
    """The address that agents register at: the one given; else the server's, if it has none yet.

    Args:
        making: whether hosts are to be made, which cannot join without it.

    Raises:
        AuthError: it has to be set, and only an administrator may do that.
    """
    there = run.rancher.setting(API_HOST, doing="read the address that hosts register at")
    url = options.registration_url or there or run.rancher.connection.server
    if url == there:
        return [], []
    if _may_set(run):
        return [Wanted(f"setting/{API_HOST}", SETTING, API_HOST, {"value": url})], [live_setting(API_HOST, there or "")]
    if options.registration_url:
        raise AuthError(f"registration_url: only an administrator may set {API_HOST} of the server")
    if making and there is None:
        context.warn(f"An administrator has to set {API_HOST} of the server if nobody has: else no host can join.")
    elif making:
        raise AuthError(
            f"an administrator has to set {API_HOST} of the server first, which nobody has: no host can join"
        )
    return [], []


def _may_set(run: Run) -> bool:
    """Whether the API key is one of an administrator: nobody else may change settings."""
    schema = run.rancher.schema(SETTING) or {}
    return "PUT" in (schema.get("resourceMethods") or ())


def _handlers(run: Run, options: HostOptions, config: Mapping[str, Any]) -> dict[str, Handler]:
    hosts = Hosts(run, options, config)
    return {HOST: hosts, "failed_host": hosts, SETTING: Settings(run), TOKEN: RegistrationTokens(run)}


def _is_ours(run: Run, view: HostView) -> bool:
    """Also one that an earlier run has deleted: as long as it can be seen, it is not gone."""
    return host_mark(run).owns(view.labels)


def _keyed(view: HostView, driver: str) -> Live:
    """A host by its id: of what goes, there may be two of one name."""
    live = live_host(view, driver)
    return Live(f"{live.key}/{view.id}", live.kind, live.name, live.id, live.spec, live.attributes)


def _surplus(run: Run, options: HostOptions, views: Sequence[HostView]) -> Plan:
    """Removes, of ours, what is not named with purge, and with remove_failed those whose place has been taken."""
    replaced = [view for view in replaced_hosts(views) if options.remove_failed and view.name in options.names]
    others = [view for view in views if options.purge and view.name not in options.names]
    doomed = [view for view in (*replaced, *others) if _is_ours(run, view)]
    return dismantle([_keyed(view, options.driver) for view in doomed], HOST_GRAPH)


def _warn(context: Context, run: Run, options: HostOptions, views: Sequence[HostView]) -> None:
    """Name the hosts that stay although nothing asks for them."""
    for view in replaced_hosts(views):
        if view.name in options.names and not (options.remove_failed and _is_ours(run, view)):
            context.warn(
                f"Host {view.name} ({view.id}) is lost, and another of its name has taken its place. It stays. "
                "With remove_failed: true it is removed, if it carries our mark."
            )
    above = [view.name for view in views if options.is_above(view.name) and _is_ours(run, view) and not view.is_going]
    if above and not options.purge:
        context.warn(
            f"count is {options.count}, and these hosts stay: {', '.join(above)}. They are removed by state: absent "
            "with their names, or with purge: true, which removes all of ours that are not named."
        )


def _settled(run: Run, options: HostOptions) -> list[HostView]:
    """The hosts once containers can run on all of them."""

    def is_settled(view: HostView) -> bool:
        return view.state == "inactive" if options.active is False else view.is_ready

    def failed(views: list[HostView]) -> str | None:
        reasons = [view.failure for view in views if view.failure]
        return "; ".join(reasons) or None

    return wait_until(
        lambda: meant(read_hosts(run), options.names),
        ready=lambda views: {view.name for view in views if is_settled(view)} >= {*options.names},
        failed=failed,
        describe=lambda views: _missing(views, options.names),
        events=lambda views: [f"{view.name}: {view.message}" for view in views if view.message],
        deadline=run.deadline,
        doing="wait for the hosts",
        hint="remove_failed: true makes a failed one again, active: true an inactive one active; one whose machine is "
        "gone is removed by state: absent; one that never joins may not reach the server at its setting api.host.",
        pace=run.pace,
    )


def _missing(views: Sequence[HostView], names: Sequence[str]) -> str:
    there = {view.name: view for view in views}
    said = [there[name].describe() if name in there else f"{name} is missing" for name in names]
    waiting = [one for name, one in zip(names, said, strict=True) if name not in there or not there[name].is_ready]
    return "; ".join(waiting) or "all are active"
