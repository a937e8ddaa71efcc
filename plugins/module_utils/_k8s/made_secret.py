# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Secret whose values nobody has to know: made once, kept, and the same in every namespace. PRIVATE."""

from __future__ import annotations

import base64
import re
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._checks import between
from .._errors import AnswerLostError, ConflictError, InputError, NotFoundError, NotOursError, PartialError
from .._module import Context, Outcome
from .._parallel import gather
from .._plan import Applied, Live, Plan, Spec, Step, apply, done_before
from .._texts import texts
from .api import Api, Object
from .kinds import SECRET
from .manifests import NAME, checked_namespace
from .object_set import as_live
from .objects import changes, key_of, label_of, labels_of
from .run import Owner

ALPHABET = string.ascii_letters + string.digits
"""Nothing that a shell, a URL or a configuration file would take for something else."""
SHORTEST, LONGEST = 12, 1024
KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@dataclass(frozen=True)
class Wanted:
    """The Secret as it should be.

    Attributes:
        name: its name, the same in every namespace.
        namespaces: where it is needed.
        data: values that are given.
        generate: keys whose values are made up.
        length: of a value that is made up.
    """

    name: str
    namespaces: Sequence[str]
    data: Mapping[str, str]
    generate: Sequence[str]
    length: int

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Wanted:
        """What the options say.

        Raises:
            InputError: they cannot be.
        """
        present = params["state"] == "present"
        given, made_up = (params["data"] or {}, params["generate"] or []) if present else ({}, [])
        if present and not given and not made_up:
            raise InputError("generate or data is needed, and names at least one key")
        twice = sorted({*given} & {*made_up})
        if twice:
            raise InputError(f"generate and data both name {', '.join(twice)}")
        if present:
            between("length", params["length"], SHORTEST, LONGEST)
        if present and not params["namespaces"]:
            raise InputError("namespaces is empty", hint="Name at least one.")
        if not NAME.fullmatch(params["name"]):
            raise InputError(
                f"name: {params['name']!r} is no name for a Secret",
                hint="Names are lower case letters, digits, hyphens and dots.",
            )
        namespaces = [checked_namespace("namespaces", one) for one in dict.fromkeys(params["namespaces"])]
        for option, keys in (("generate", made_up), ("data", given)):
            _check_keys(option, keys)
        return cls(params["name"], namespaces, texts("data", given), made_up, params["length"])

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return Owner("secret", self.name)


def _check_keys(option: str, keys: Iterable[str]) -> None:
    for key in keys:
        if not KEY.fullmatch(str(key)):
            raise InputError(f"{option}: {key!r} must have 1 to 253 letters, digits, hyphens, dots and underscores")


def ensure(context: Context) -> Outcome:
    """Make the Secret where it is missing, or delete it."""
    wanted = Wanted.from_params(context.params)
    api = Api.from_params(context.params)
    live = _read(api, wanted)
    absent = context.params["state"] == "absent"
    data = {} if absent else values(wanted, live)
    plan = dismantle(wanted, live) if absent else decide(wanted, data, live)
    if not context.check_mode and plan.changed:
        handler = _Secrets(api, wanted, data)
        if len(plan.steps) > 1:
            handler.try_creates(plan)
        try:
            apply(plan, {"Secret": handler}, {})
        except PartialError as error:
            if absent or not isinstance(error.cause, ConflictError):
                raise
            plan = _agree(api, wanted, plan, error)
        with Applied(tuple(plan.sentences()), {}).then(f"look at Secret {wanted.name}"):
            live = _read(api, wanted)
    return Outcome({"secrets": [_described(one, wanted) for one in live.values()]}, plan)


def _agree(api: Api, wanted: Wanted, plan: Plan, conflict: PartialError) -> Plan:
    """Another run was faster in some namespace, and may have been slower in another: what is there now decides.

    Returns:
        What was done before the conflict and after it.
    """
    done, before = done_before(plan, conflict)
    with before.then("look what another run has made"):
        live = _read(api, wanted)
        data = values(wanted, live)
        more = decide(wanted, data, live)
        apply(more, {"Secret": _Secrets(api, wanted, data)}, {})
    return done + more


def _read(api: Api, wanted: Wanted) -> dict[str, Object]:
    """The Secrets that are there, by namespace."""
    found = gather({one: partial(api.get, SECRET, wanted.name, one) for one in wanted.namespaces})
    return {namespace: thing for namespace, thing in found.items() if thing is not None}


def values(wanted: Wanted, live: Mapping[str, Object]) -> dict[str, str]:
    """The value of each key: the one that is there, made up only if there is none. Pure but for chance.

    What somebody else put there comes before what we made: it was chosen by a person.
    """
    ordered = sorted((live[one] for one in wanted.namespaces if one in live), key=partial(_ours, wanted))
    there = [_decoded(one) for one in ordered]

    def value(name: str) -> str:
        return next((one[name] for one in there if name in one), _made_up(wanted.length))

    return {**wanted.data, **{name: value(name) for name in wanted.generate}}


def decide(wanted: Wanted, data: Mapping[str, str], live: Mapping[str, Object]) -> Plan:
    """What has to be made and changed. Pure.

    Raises:
        NotOursError: somebody else's Secret lacks a key, or has another value.
    """
    steps = []
    for namespace in wanted.namespaces:
        manifest = _manifest(wanted, namespace, data)
        thing = live.get(namespace)
        place = f"{namespace}/{wanted.name}"
        if thing is None:
            steps.append(Step("create", key_of(manifest), "Secret", place, {"keys": sorted(data)}))
            continue
        found = changes(thing, {**thing, "data": {**(thing.get("data") or {}), **manifest["data"]}})
        if not found:
            continue
        if not _ours(wanted, thing):
            raise NotOursError(
                f"{label_of(thing)} exists, was not made by this task, and has not the wanted {_fields(found)}",
                hint="Add what is missing, delete it, or choose another name.",
            )
        steps.append(Step("update", key_of(manifest), "Secret", place, {}, as_live(thing), found))
    return Plan(tuple(steps))


def dismantle(wanted: Wanted, live: Mapping[str, Object]) -> Plan:
    """Delete those that we made. Pure."""
    ours = [one for one in live.values() if _ours(wanted, one)]
    return Plan(tuple(Step("delete", key_of(one), "Secret", as_live(one).name, live=as_live(one)) for one in ours))


class _Secrets:
    """Makes, changes and deletes them."""

    def __init__(self, api: Api, wanted: Wanted, data: Mapping[str, str]) -> None:
        self._api = api
        self._wanted = wanted
        self._data = data

    def try_creates(self, plan: Plan) -> None:
        """Find out before the first change what cannot be made, such as one for a namespace that does not exist.

        Raises:
            SchedulersError: why.
        """
        places = [step.name.partition("/")[0] for step in plan.steps if step.action == "create"]
        if not any(self._try(one) for one in places[:1]):
            gather({one: partial(self._try, one) for one in places[1:]})

    def _try(self, namespace: str) -> bool:
        """Whether that made it, as Kubernetes did before it knew of dry runs (1.11): then the create finds it."""
        # the create itself tells: another run may be faster, and there are webhooks that take no dry run (400)
        with suppress(ConflictError, InputError):
            return "resourceVersion" in (self._post(namespace, dry_run=True).get("metadata") or {})
        return False

    def _post(self, namespace: str, *, dry_run: bool = False) -> Object:
        try:
            return self._api.create(SECRET, _manifest(self._wanted, namespace, self._data), dry_run=dry_run)
        except NotFoundError as error:
            raise NotFoundError(f"namespace {namespace} does not exist", hint="Make it first.") from error

    def create(self, step: Step, spec: Spec) -> Live:  # noqa: ARG002 - only what may be shown of it
        """Make it. If the answer is lost, or another run was faster, what is there decides."""
        namespace = step.name.partition("/")[0]
        try:
            return as_live(self._post(namespace))
        except (AnswerLostError, ConflictError) as error:
            return self._as_wanted(namespace, error)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:  # noqa: ARG002
        """Add what is missing; keys that are not ours stay."""
        namespace = step.name.partition("/")[0]
        change = {"data": _manifest(self._wanted, namespace, self._data)["data"], "metadata": {"uid": live.id}}
        return as_live(self._api.patch(SECRET, self._wanted.name, change, namespace))

    def delete(self, step: Step, live: Live) -> None:
        """Delete the one that was looked at, and no other."""
        self._api.delete(SECRET, self._wanted.name, step.name.partition("/")[0], uid=live.id)

    def _as_wanted(self, namespace: str, error: AnswerLostError | ConflictError) -> Live:
        thing = self._api.get(SECRET, self._wanted.name, namespace)
        if thing is None or not {*self._data.items()} <= {*_decoded(thing).items()}:
            raise error
        return as_live(thing)


def _manifest(wanted: Wanted, namespace: str, data: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": wanted.name, "namespace": namespace, "labels": wanted.owner.labels},
        "type": "Opaque",
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in sorted(data.items())},
    }


def _decoded(thing: Mapping[str, Any]) -> dict[str, str]:
    return {name: base64.b64decode(value).decode(errors="replace") for name, value in (thing.get("data") or {}).items()}


def _made_up(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _place in range(length))


def _ours(wanted: Wanted, thing: Mapping[str, Any]) -> bool:
    return wanted.owner.owns(labels_of(thing))


def _fields(found: Sequence[Any]) -> str:
    return ", ".join(one.path for one in found)


def _described(thing: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    metadata = thing["metadata"]
    return {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "key_names": sorted(thing.get("data") or {}),
        "ours": _ours(wanted, thing),
    }
