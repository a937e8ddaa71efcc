# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_apply``: a set of manifests of one owner, present or absent. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._argspec import ArgumentSpec
from .._errors import InputError
from .._module import Context, Outcome
from .._plan import Plan
from .carrying_out import CarriedOut, carry_out
from .claimed_volumes import claims_of, wait_until_deleted
from .discovery import all_places
from .manifests import LABEL_NAME, Manifest, checked_namespace, read_manifests, secrets_in_definition
from .object_set import Item, Place, Survey, decide, deletions, items_of
from .objects import key_of, name_of, namespace_of, secrets_in
from .run import Owner, Run
from .surveying import survey, survey_removal
from .waiting import wait_ready

OWNER_LENGTH = 50  # a label has 63 characters, and the name of the module stands before it

APPLY = ArgumentSpec(
    {
        "owner": {"type": "str", "required": True},
        "definition": {"type": "raw", "aliases": ["resource_definition"]},
        "src": {"type": "path"},
        "namespace": {"type": "str"},
        "prune": {"type": "bool", "default": False},
        "prune_namespaces": {"type": "list", "elements": "str"},
        "force_conflicts": {"type": "bool", "default": False},
        "adopt": {"type": "bool", "default": False},
    },
    mutually_exclusive=(("definition", "src"),),
    required_if=(("state", "present", ("definition", "src"), True),),
    finders={"definition": secrets_in_definition},
)


def ensure(context: Context) -> Outcome:
    """Apply the manifests, or remove what they describe."""
    params = context.params
    owner = Owner("apply", checked_owner(params["owner"]))
    manifests = _manifests(params)
    context.hide(secrets_in(manifests))
    run = Run.of(context, owner)
    if params["state"] == "absent":
        return _absent(run, params, manifests)
    if not manifests:
        raise InputError("there is no manifest in definition or src", hint="To remove everything, set state: absent.")
    return _present(run, params, manifests)


def checked_owner(name: str) -> str:
    """The name of an owner.

    Raises:
        InputError: it cannot be part of a label.
    """
    if not LABEL_NAME.fullmatch(name) or len(name) > OWNER_LENGTH:
        raise InputError(
            f"owner is {name!r}, but has to be up to {OWNER_LENGTH} lower case letters, digits and hyphens, "
            f"a letter or digit at both ends"
        )
    return name


def _manifests(params: Mapping[str, Any]) -> list[Manifest]:
    if params["definition"] is None and params["src"] is None:
        return []
    return read_manifests(params["definition"], params["src"])


def _namespace(run: Run, params: Mapping[str, Any]) -> str:
    if params["namespace"]:
        return checked_namespace("namespace", params["namespace"])
    return run.api.transport.login.namespace or "default"


def _others(run: Run, params: Mapping[str, Any], *, wanted: bool) -> list[Place]:
    places = [checked_namespace("prune_namespaces", one) for one in params["prune_namespaces"] or ()]
    return all_places(run.api, places or ("",)) if wanted else []


def _present(run: Run, params: Mapping[str, Any], manifests: list[Manifest]) -> Outcome:
    force = params["force_conflicts"]
    items = items_of(run, manifests, _namespace(run, params))
    others = _others(run, params, wanted=params["prune"])
    found = survey(run, items, adopt=params["adopt"], force=force, prune=others)
    if not params["prune"]:  # what else the owner has is its own affair
        found = replace(found, extra=())
    plan = decide(found)
    objects: Mapping[str, Any] = found.live
    if not run.check_mode:
        done = carry_out(run, found, plan, force=force)
        objects = done.objects
        if params["wait"]:
            _wait_for_volumes(run, done, found)
            with done.applied.then("wait for the objects"):
                wait_ready(run, [(item.kind, objects[item.key]) for item in items])
    return Outcome({"objects": _told(items, objects, found, plan)}, plan)


def _absent(run: Run, params: Mapping[str, Any], manifests: list[Manifest]) -> Outcome:
    items = items_of(run, manifests, _namespace(run, params), known_only=True)
    others = _others(run, params, wanted=params["prune"] or not manifests)
    found = survey_removal(run, items, others)
    plan = Plan(tuple(deletions(found.extra)))
    if not run.check_mode:
        done = carry_out(run, found, plan, wait=params["wait"])
        if params["wait"]:  # an earlier run may have been killed once the claims were gone
            _wait_for_volumes(run, done, found, *(item.manifest for item in items))
    return Outcome({"objects": _told((), {}, found, plan)}, plan)


def _wait_for_volumes(run: Run, done: CarriedOut, found: Survey, *more: Mapping[str, Any]) -> None:
    now = claims_of(found.extra)
    with done.applied.then("wait until the volumes are deleted"):
        wait_until_deleted(run, now | claims_of(more), just_now=bool(now))


def _told(items: Iterable[Item], objects: Mapping[str, Any], found: Survey, plan: Plan) -> list[dict[str, Any]]:
    """Every object of the set in a few words, and what was deleted."""
    actions = {step.key: f"{step.action}d" for step in plan.steps}

    def told(key: str, thing: Mapping[str, Any], api_version: str, kind: str) -> dict[str, Any]:
        return {
            "api_version": api_version,
            "kind": kind,
            "namespace": namespace_of(thing),
            "name": name_of(thing),
            "uid": thing["metadata"].get("uid"),
            "action": actions.get(key, "unchanged"),
        }

    there = [told(one.key, objects.get(one.key, one.manifest), one.kind.api_version, one.kind.kind) for one in items]
    return [*there, *(told(key_of(one), one, one["apiVersion"], one["kind"]) for one in found.extra)]
