# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment as its options say: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .._checks import writable
from .._errors import ConflictError, InputError
from .._module import Context, Outcome
from .._plan import Handler, Live, Rule, Wanted, apply, decide, dismantle
from .._wait import wait_until
from .access_api import AccessApi
from .activation import OFF_STATES
from .api import Object
from .environment_case import ENVIRONMENT, EnvironmentCase, orchestration_of, result_of
from .environment_handlers import Environments
from .environment_options import ORCHESTRATIONS
from .kubeconfig import OPTION
from .kubeconfig_keys import (
    FILE,
    KEY,
    STALE_KEY,
    KubeconfigKeys,
    keys_to_remove,
    kubeconfig_to_remove,
    live_kubeconfig,
    wait_for_kubernetes,
    wanted_kubeconfig,
)
from .marks import managed_description, require_marked
from .ready import describe, is_settled, why_never_ready

GRAPH: Mapping[str, tuple[str, ...]] = {ENVIRONMENT: (), KEY: (ENVIRONMENT,), STALE_KEY: (), FILE: (KEY,)}
RULES = {ENVIRONMENT: Rule(immutable=frozenset({"orchestration", "template"}), subset=frozenset())}


def ensure(context: Context) -> Outcome:
    """What the module does."""
    case = EnvironmentCase.of(context)
    return _present(context, case) if context.params["state"] == "present" else _absent(context, case)


def _present(context: Context, case: EnvironmentCase) -> Outcome:
    if case.options.template and case.rancher.is_v1:
        raise InputError("template: templates of environments need Rancher 1.2 or newer")
    raw = case.find()
    live = {ENVIRONMENT: _live(case, raw)} if raw else {}
    wanted = [_wanted(case, raw)] if raw is None or case.options.manages or raw.get("state") in OFF_STATES else []
    stale: list[Live] = []
    if case.options.kubeconfig:
        wanted += wanted_kubeconfig(case, raw)
        usable, stale = live_kubeconfig(case, raw)
        live |= {one.key: one for one in usable}
    plan = decide(wanted, live, GRAPH, RULES) + dismantle(stale, GRAPH)
    if any(step.kind == FILE for step in plan.steps):
        writable(OPTION, Path(str(case.options.kubeconfig)))
    if context.check_mode:
        return Outcome({"environment": result_of(raw, v1=case.rancher.is_v1)}, plan)
    applied = apply(plan, _handlers(case), live)
    with applied.then(f"wait for environment {case.options.name}"):
        now: Object = applied.live[ENVIRONMENT].attributes["raw"]
        if context.params["wait"]:
            now = _settled(case, now)
        return Outcome({"environment": result_of(now, v1=case.rancher.is_v1)}, plan)


def _absent(context: Context, case: EnvironmentCase) -> Outcome:
    named, name = case.all_named(), case.options.name
    raw = case.meant(named)
    file = kubeconfig_to_remove(case, raw, context.warn)
    if raw is None:
        if not named and not _sees_all(case):
            context.warn(f"Environment {name} is not there, or the account of this API key is none of its members.")
        for one in () if context.check_mode else case.going(named):
            Environments(case).see_off(one, doing=f"see environment {name} gone")
        return _dismantled(context, case, file)
    require_marked(case.mark, raw, f"environment {name}", adopt=case.options.adopt)
    hosts = case.hosts(raw["id"])
    if hosts and not case.options.force:
        raise ConflictError(
            f"it has {len(hosts)} hosts",
            doing=f"delete environment {name}",
            hint="Remove them with container.schedulers.rancher_hosts, or set force: true. Machines that joined by "
            "themselves would stay.",
        )
    return _dismantled(context, case, [_live(case, raw), *keys_to_remove(case, raw), *file])


def _sees_all(case: EnvironmentCase) -> bool:
    """Whether the API key is an administrator's, who alone sees all environments: only they may set settings."""
    return "PUT" in ((case.rancher.schema("setting") or {}).get("resourceMethods") or ())


def _dismantled(context: Context, case: EnvironmentCase, doomed: list[Live]) -> Outcome:
    """The keys go before the environment, by which they are found."""
    plan = dismantle(doomed, GRAPH)
    if not context.check_mode:
        apply(plan, _handlers(case), {one.key: one for one in doomed})
    return Outcome({"environment": None}, plan)


def _handlers(case: EnvironmentCase) -> dict[str, Handler]:
    keys = KubeconfigKeys(case)
    return {ENVIRONMENT: Environments(case), KEY: keys, STALE_KEY: keys, FILE: keys}


def _live(case: EnvironmentCase, raw: Object) -> Live:
    spec = {
        "active": raw.get("state") not in OFF_STATES,
        "description": raw.get("description") or "",
        "orchestration": orchestration_of(raw, v1=case.rancher.is_v1),
        "template": case.template_of(raw),
        "members": {} if case.options.members is None else _members(case, raw),
    }
    return Live(ENVIRONMENT, ENVIRONMENT, str(raw.get("name")), raw["id"], spec, {"raw": raw})


def _members(case: EnvironmentCase, raw: Object) -> dict[str, str]:
    path = case.rancher.path("projects", raw["id"], "projectmembers")
    listed = case.rancher.list(path, doing=f"list the members of environment {case.options.name}")
    return {f"{one['externalIdType']}:{one['externalId']}": str(one.get("role")) for one in listed}


def _wanted(case: EnvironmentCase, raw: Object | None) -> Wanted:
    options = case.options
    if raw:
        require_marked(case.mark, raw, f"environment {options.name}", adopt=options.adopt)
    default = None if raw or options.template else ORCHESTRATIONS[0]  # a template says it by itself
    spec = {
        "active": True if raw else None,
        "description": managed_description(options.description, raw, case.mark, ENVIRONMENT),
        "orchestration": options.orchestration or default,
        "template": options.template,
        "members": options.members if raw or options.members else _owner(case),
    }
    return Wanted(ENVIRONMENT, ENVIRONMENT, options.name, spec)


def _owner(case: EnvironmentCase) -> dict[str, str] | None:
    """With access control on, somebody has to own a new environment: whoever makes it, if nobody else is named."""
    api = AccessApi(case.rancher)
    return {api.caller(): "owner"} if api.status().get("security") else None


def _settled(case: EnvironmentCase, raw: Object) -> Object:
    """The environment once it is active; with a kubeconfig, once Kubernetes runs and is healthy."""
    doing, path = f"wait for environment {case.options.name}", case.rancher.path("projects", raw["id"])
    now = wait_until(
        lambda: case.rancher.get(path, doing=doing),
        ready=is_settled,
        failed=why_never_ready,
        describe=describe,
        deadline=case.deadline,
        doing=doing,
        hint="One that failed can be removed with state: absent.",
        pace=case.pace,
    )
    if case.options.kubeconfig:
        wait_for_kubernetes(case, raw["id"])
    return now
