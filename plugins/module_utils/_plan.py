# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: decide what has to be done, then do it in the order of dependency.

``decide`` and ``dismantle`` are pure: wanted resources and live ones go in, a plan comes out. ``changed``, the diff,
check mode and the steps that are carried out are all read from that one plan, so they cannot disagree. One graph says
which kind of resource needs which; a teardown walks the same graph backwards. PRIVATE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ._clock import HEARTBEAT_SECONDS
from ._compare import Difference, differences
from ._errors import InputError, Interruption, PartialError, SchedulersError, as_ours

if TYPE_CHECKING:
    from collections.abc import Iterator

Spec = Mapping[str, Any]
Graph = Mapping[str, Collection[str]]  # kind -> the kinds that it needs

WORKERS = 8
LONGEST_SHOWN = 1000  # characters of a script
BEGINNING = 600


@dataclass(frozen=True)
class Ref:
    """Stands in a wanted spec for a value that another resource brings, such as the id of a VPC not made yet."""

    key: str
    attribute: str = "id"

    def __str__(self) -> str:
        return f"({self.attribute} of {self.key}, known once it is made)"


class Script(str):
    """A text that may be too long for a diff, which shows its first lines, and tells the rest by a digest."""

    def shown(self) -> str:
        """The text as a diff shows it."""
        if len(self) <= LONGEST_SHOWN:
            return str(self)
        beginning = self[:BEGINNING].rpartition("\n")[0]
        digest = hashlib.sha256(self.encode()).hexdigest()[:16]
        return f"{beginning}\n({len(self)} characters in all, SHA-256 {digest})"


@dataclass(frozen=True)
class Wanted:
    """A resource as it should be.

    Attributes:
        key: identity within the plan ("subnet-a").
        kind: which handler makes it, and its place in the graph ("subnet").
        name: what the user calls it, for messages and diffs.
        spec: the fields to make it with and to compare; None means not managed; may hold ``Ref``.
    """

    key: str
    kind: str
    name: str
    spec: Spec


@dataclass(frozen=True)
class Live:
    """A resource as it is.

    Attributes:
        key, kind, name: as in ``Wanted``.
        id: the provider's identifier.
        spec: the same fields as in ``Wanted.spec``, normalised in the same way.
        attributes: values that others refer to, besides ``id`` (an ARN, a DNS name).
    """

    key: str
    kind: str
    name: str
    id: str
    spec: Spec = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def value(self, attribute: str) -> Any:
        """What a ``Ref`` to this resource stands for."""
        return self.id if attribute == "id" else self.attributes[attribute]


def keyed(one: Live | None) -> dict[str, Live]:
    """A resource by its key, or nothing."""
    return {one.key: one} if one else {}


@dataclass(frozen=True)
class Rule:
    """How resources of one kind are compared.

    Attributes:
        immutable: fields that cannot be changed once the resource exists.
        renews: an update gives the resource a new identity, so that whatever refers to it changes too. New tags alone
            do not.
        subset: mapping fields in which further live keys are left alone.
    """

    immutable: frozenset[str] = frozenset()
    renews: bool = False
    subset: frozenset[str] = frozenset({"tags"})


Action = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Step:
    """One thing to do. ``needs`` are keys of steps of the same plan that come first."""

    action: Action
    key: str
    kind: str
    name: str
    spec: Spec = field(default_factory=dict)
    live: Live | None = None
    differences: tuple[Difference, ...] = ()
    needs: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """The resource in words: "security group web-lb"."""
        return f"{self.kind.replace('_', ' ')} {self.name}"

    @property
    def sentence(self) -> str:
        """The step in words: "update service web (desired_count)"."""
        fields = ", ".join(dict.fromkeys(one.path for one in self.differences))
        return f"{self.action} {self.label}" + (f" ({fields})" if fields else "")

    def before(self) -> dict[str, Any]:
        """The fields as they are, for the diff."""
        if self.action == "update":
            return {one.path: _printed(one.before) for one in self.differences}
        return _printable(self.live.spec) if self.live and self.action == "delete" else {}

    def after(self) -> dict[str, Any]:
        """The fields as they will be, for the diff."""
        if self.action == "update":
            return {one.path: _printed(one.after) for one in self.differences}
        return _printable(self.spec) if self.action == "create" else {}


@dataclass(frozen=True)
class Plan:
    """All that has to be done, in an order in which it could be done one by one."""

    steps: tuple[Step, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is anything to do: the only place where a module's ``changed`` comes from."""
        return bool(self.steps)

    def sentences(self) -> list[str]:
        """The steps in words."""
        return [step.sentence for step in self.steps]

    def diff(self) -> dict[str, dict[str, Any]]:
        """Ansible's before/after, by resource."""
        return {
            "before": {step.label: step.before() for step in self.steps if step.action != "create"},
            "after": {step.label: step.after() for step in self.steps if step.action != "delete"},
        }

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.steps + other.steps)


class Handler(Protocol):
    """Carries out steps of one kind. Each call ends when the resource can be used by the steps that need it."""

    def create(self, step: Step, spec: Spec) -> Live: ...

    def update(self, step: Step, spec: Spec, live: Live) -> Live: ...

    def delete(self, step: Step, live: Live) -> None: ...


def decide(
    wanted: Iterable[Wanted],
    live: Mapping[str, Live],
    graph: Graph,
    rules: Mapping[str, Rule] | None = None,
) -> Plan:
    """What has to be created or updated so that ``live`` becomes as ``wanted``. Pure.

    Raises:
        InputError: a field differs that cannot be changed on an existing resource.
    """
    ordered = _in_order(wanted, graph)
    settled = dict(live)  # what a Ref can be resolved to already
    steps: list[Step] = []
    for want in ordered:
        rule = (rules or {}).get(want.kind, Rule())
        spec = {name: _resolved(value, settled) for name, value in want.spec.items() if value is not None}
        there = live.get(want.key)
        found = differences(spec, there.spec, subset=rule.subset) if there else ()
        if there and not found:
            continue
        _refuse_immutable(want, rule, found)
        if rule.renews and any(one.field != "tags" for one in found):
            settled.pop(want.key, None)
        action: Action = "update" if there else "create"
        steps.append(Step(action, want.key, want.kind, want.name, spec, there, found))
    return _with_needs(steps, graph, backwards=False)


def dismantle(live: Iterable[Live], graph: Graph) -> Plan:
    """The plan that deletes all of ``live``: the graph of ``decide``, walked backwards. Pure."""
    doomed = sorted(live, key=lambda one: _depth(one.kind, graph), reverse=True)
    steps = [Step("delete", one.key, one.kind, one.name, live=one) for one in doomed]
    return _with_needs(steps, graph, backwards=True)


def after(plan: Plan, first: Plan, kinds: Collection[str]) -> Plan:
    """A plan whose steps of these kinds come after all of another one is done. Pure."""
    keys = frozenset(step.key for step in first.steps)
    return Plan(tuple(replace(step, needs=step.needs | keys) if step.kind in kinds else step for step in plan.steps))


def done_before(plan: Plan, broken_off: PartialError) -> tuple[Plan, Applied]:
    """The part of a plan that was carried out before it broke off, for a run that goes on with another plan. Pure."""
    done: list[str] = broken_off.details["steps_done"]
    return Plan(tuple(step for step in plan.steps if step.sentence in done)), Applied(tuple(done), {})


@dataclass(frozen=True)
class Applied:
    """What was carried out, and the resources as they are now, by key."""

    done: tuple[str, ...]
    live: Mapping[str, Live]

    @contextmanager
    def then(self, doing: str) -> Iterator[None]:
        """A later part of the same run (a wait): its failure also says which steps were done before."""
        try:
            yield
        except (Exception, Interruption) as error:
            raise PartialError(as_ours(error), steps_done=self.done, step_failed=doing) from error


def apply(
    plan: Plan,
    handlers: Mapping[str, Handler],
    live: Mapping[str, Live],
    *,
    workers: int = WORKERS,
    progress: Callable[[str], None] = lambda _sentence: None,
) -> Applied:
    """Carry the plan out: each step as soon as the steps it needs are done, independent ones in parallel.

    After a failure nothing more is started; what is under way is finished, so that its outcome is known. After an
    interruption waits are not: ``step_failed`` names the steps that were in one.

    Raises:
        PartialError: a step failed, or the run was interrupted; says what was done.
    """
    run = _Run(plan, handlers, dict(live), progress)
    if plan.steps:
        try:
            with ThreadPoolExecutor(max_workers=1 + min(workers, len(plan.steps))) as pool:
                _conduct(run, pool)
        except Interruption as interruption:
            run.fail(None, interruption)
    return run.outcome()


def _conduct(run: _Run, pool: ThreadPoolExecutor) -> None:
    """Signals interrupt the main thread only: in one of its own, the run never forgets what it has just done."""
    conducting = pool.submit(run.go, pool)
    try:
        while not wait([conducting], timeout=HEARTBEAT_SECONDS).done:
            pass  # a signal that comes the moment before a wait begins is not seen until it ends: so, short waits
    except Interruption as interruption:
        run.fail(None, interruption)
    conducting.result()


class _Run:
    """The state of one ``apply``. Only the conducting thread touches it, but for ``fail``; workers run handlers."""

    def __init__(
        self, plan: Plan, handlers: Mapping[str, Handler], live: dict[str, Live], progress: Callable[[str], None]
    ) -> None:
        self.waiting = {step.key: step for step in plan.steps}
        if len(self.waiting) < len(plan.steps):
            raise ValueError("a plan has two steps of one key")
        self.handlers = handlers
        self.live = live
        self.progress = progress
        self.running: dict[Future[Live | None], Step] = {}
        self.done: list[str] = []
        self.failed: SchedulersError | None = None
        self.broken_off: list[str] = []

    def go(self, pool: ThreadPoolExecutor) -> None:
        while self.running or (self.waiting and not self.failed):
            self.start(pool)
            wait(self.running, return_when=FIRST_COMPLETED)
            self.collect()

    def start(self, pool: ThreadPoolExecutor) -> None:
        if self.failed:
            return
        open_keys = {*self.waiting, *(step.key for step in self.running.values())}
        for step in [one for one in self.waiting.values() if one.needs.isdisjoint(open_keys)]:
            del self.waiting[step.key]
            self.running[pool.submit(self.carry_out, step)] = step
        if not self.running:
            raise ValueError(f"the steps of a plan wait for one another: {', '.join(self.waiting)}")

    def carry_out(self, step: Step) -> Live | None:
        handler = self.handlers[step.kind]
        spec = {name: _resolved(value, self.live, strict=True) for name, value in step.spec.items()}
        if step.live is None:
            return handler.create(step, spec)
        if step.action == "update":
            return handler.update(step, spec, step.live)
        handler.delete(step, step.live)
        return None

    def collect(self) -> None:
        for future in [one for one in self.running if one.done()]:
            step = self.running.pop(future)
            error = future.exception()
            if error is None:
                self.finish(step, future.result())
            else:
                self.broken_off.append(step.sentence)
                self.fail(step, error)

    def fail(self, step: Step | None, error: BaseException) -> None:
        """The first error is the one that is told, and each step that did not come to its end: it may be half done."""
        ours = as_ours(error)
        if step and not isinstance(error, Interruption):
            ours.doing = ours.doing or step.sentence
        self.failed = self.failed or ours

    def finish(self, step: Step, live: Live | None) -> None:
        if live is None:
            self.live.pop(step.key, None)
        else:
            self.live[step.key] = live
        self.done.append(step.sentence)
        self.progress(step.sentence)

    def outcome(self) -> Applied:
        if self.failed:
            failed = "; ".join(self.broken_off) or self.failed.message
            raise PartialError(self.failed, steps_done=self.done, step_failed=failed) from self.failed
        return Applied(tuple(self.done), self.live)


def _refuse_immutable(want: Wanted, rule: Rule, found: Iterable[Difference]) -> None:
    for one in found:
        if one.field in rule.immutable:
            raise InputError(
                f"{one.path} of {want.kind.replace('_', ' ')} {want.name} is {one.before!r} "
                f"and cannot be changed to {_printed(one.after)!r}",
                hint="Give the value it has, or delete it first.",
            )


def _with_needs(steps: list[Step], graph: Graph, *, backwards: bool) -> Plan:
    kinds: dict[str, set[str]] = {}
    for step in steps:
        kinds.setdefault(step.kind, set()).add(step.key)
    before = {kind: _reach(kind, graph) for kind in kinds}
    needs: dict[str, frozenset[str]] = {}  # one set for all of a kind: a thousand sets of thousands are a gigabyte
    for kind in kinds:
        first = [one for one in kinds if (kind in before[one] if backwards else one in before[kind])]
        needs[kind] = frozenset(key for one in first for key in kinds[one])
    return Plan(tuple(replace(step, needs=needs[step.kind]) for step in steps))


def _reach(kind: str, graph: Graph) -> frozenset[str]:
    """All kinds that a kind needs, directly or through others."""
    seen: set[str] = set()
    todo = list(graph.get(kind, ()))
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo.extend(graph.get(one, ()))
    if kind in seen:
        raise ValueError(f"the dependency graph has a circle through {kind}")
    return frozenset(seen)


def _depth(kind: str, graph: Graph) -> int:
    return len(_reach(kind, graph))


def _in_order(wanted: Iterable[Wanted], graph: Graph) -> list[Wanted]:
    return sorted(wanted, key=lambda one: _depth(one.kind, graph))


def _resolved(value: Any, live: Mapping[str, Live], *, strict: bool = False) -> Any:
    if isinstance(value, Ref):
        if value.key in live:
            return live[value.key].value(value.attribute)
        if strict:
            raise KeyError(f"{value.key} is referred to and was neither found nor made")
        return value
    if isinstance(value, Mapping):
        return {key: _resolved(one, live, strict=strict) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_resolved(one, live, strict=strict) for one in value]
    return value


def _printable(spec: Spec) -> dict[str, Any]:
    return {name: _printed(value) for name, value in spec.items()}


def _printed(value: Any) -> Any:
    if isinstance(value, Ref):
        return str(value)
    if isinstance(value, Script):
        return value.shown()
    if isinstance(value, Mapping):
        return {key: _printed(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printed(one) for one in value]
    return value
