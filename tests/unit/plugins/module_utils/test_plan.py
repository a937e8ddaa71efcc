# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: what is decided, in which order it is done, and what is known when it ends half-way."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils import _plan
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    ConflictError,
    DefectError,
    InputError,
    InterruptedRunError,
    Interruption,
    PartialError,
)
from ansible_collections.container.schedulers.plugins.module_utils._plan import (
    Applied,
    Live,
    Plan,
    Ref,
    Rule,
    Script,
    Spec,
    Step,
    Wanted,
    after,
    apply,
    decide,
    dismantle,
)

GRAPH = {
    "role": (),
    "vpc": ("role",),
    "gateway": ("vpc",),
    "subnet": ("route_table",),
    "route_table": ("vpc", "gateway"),
    "template": ("role",),
    "group": ("template", "subnet"),
}
WANTED = [
    Wanted("group", "group", "web", {"size": 3, "subnets": [Ref("subnet-b"), Ref("subnet-a")]}),
    Wanted("subnet-a", "subnet", "web-a", {"vpc": Ref("vpc"), "zone": "a"}),
    Wanted("subnet-b", "subnet", "web-b", {"vpc": Ref("vpc"), "zone": "b"}),
    Wanted("route_table", "route_table", "web", {"vpc": Ref("vpc"), "gateway": Ref("gateway")}),
    Wanted("gateway", "gateway", "web", {"vpc": Ref("vpc")}),
    Wanted("template", "template", "web", {"role": Ref("role", "arn"), "image": "ami-1"}),
    Wanted("vpc", "vpc", "web", {"range": "10.0.0.0/16", "tags": {"team": "a"}, "tenancy": None}),
    Wanted("role", "role", "web", {"policies": ["ecs"]}),
]


@dataclass
class Cloud:
    """Handlers for every kind: makes things up, and notes what happened in which order.

    Attributes:
        before: called at the start of each step, with its key; may raise or block.
        log: ("start" | "end", action, key), in order.
    """

    before: Callable[[str], None] = lambda _key: None
    log: list[tuple[str, str, str]] = field(default_factory=list)
    specs: dict[str, Spec] = field(default_factory=dict)

    def create(self, step: Step, spec: Spec) -> Live:
        return self._do(step, spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        assert live is step.live
        return self._do(step, spec)

    def delete(self, step: Step, live: Live) -> None:
        assert live is step.live
        self._do(step, {})

    def _do(self, step: Step, spec: Spec) -> Live:
        self.log.append(("start", step.action, step.key))
        self.before(step.key)
        self.specs[step.key] = spec
        self.log.append(("end", step.action, step.key))
        return live(step.key, step.kind, spec, name=step.name)

    def order(self) -> list[str]:
        return [key for moment, _action, key in self.log if moment == "end"]

    def handlers(self) -> dict[str, Cloud]:
        return dict.fromkeys({*GRAPH, "thing"}, self)


def live(key: str, kind: str, spec: Spec, name: str = "web") -> Live:
    return Live(key, kind, name, f"{key}-id", spec, {"arn": f"arn:{key}"})


def run(wanted: list[Wanted], there: dict[str, Live] | None = None, cloud: Cloud | None = None) -> Applied:
    there = there or {}
    return apply(decide(wanted, there, GRAPH), (cloud or Cloud()).handlers(), there)


def assert_order(plan: Plan, log: list[tuple[str, str, str]]) -> None:
    """Each step started only after all steps it needs had ended."""
    at = {(moment, key): index for index, (moment, _action, key) in enumerate(log)}
    for step in plan.steps:
        for need in step.needs:
            if ("start", step.key) in at:
                assert at["end", need] < at["start", step.key], f"{step.key} before {need}"


# decide


def test_from_nothing_everything_is_created_in_the_order_of_the_graph() -> None:
    plan = decide(WANTED, {}, GRAPH)
    position = {step.key: index for index, step in enumerate(plan.steps)}
    assert {step.action for step in plan.steps} == {"create"}
    assert len(plan.steps) == len(WANTED)
    for step in plan.steps:
        assert all(position[need] < position[step.key] for need in step.needs)
    needs = {step.key: step.needs for step in plan.steps}
    assert needs["role"] == frozenset()
    assert needs["template"] == {"role"}
    assert needs["group"] == {"role", "vpc", "gateway", "route_table", "subnet-a", "subnet-b", "template"}
    assert "subnet-b" not in needs["subnet-a"]


def test_steps_of_a_kind_share_what_they_need() -> None:
    """A set for each would be a gigabyte for a thousand apps."""
    steps = [step for step in decide(WANTED, {}, GRAPH).steps if step.kind == "subnet"]
    assert len(steps) > 1
    assert len({id(step.needs) for step in steps}) == 1


def test_what_is_there_as_wanted_needs_nothing() -> None:
    there = dict(run(WANTED).live)
    plan = decide(WANTED, there, GRAPH)
    assert plan == Plan()
    assert not plan.changed
    assert plan.diff() == {"before": {}, "after": {}}


def test_needs_reach_through_kinds_that_are_there_already() -> None:
    there = dict(run(WANTED).live)
    del there["vpc"], there["subnet-a"]  # the route table between them stays
    steps = {step.key: step for step in decide(WANTED, there, GRAPH).steps}
    assert steps["vpc"].action == "create"
    assert steps["subnet-a"].needs >= {"vpc"}


def test_a_difference_is_an_update_that_names_the_field() -> None:
    there = dict(run(WANTED).live)
    there["template"] = live("template", "template", {"role": "arn:role", "image": "ami-0"})
    plan = decide(WANTED, there, GRAPH)
    assert plan.sentences() == ["update template web (image)"]
    assert plan.diff() == {
        "before": {"template web": {"image": "ami-0"}},
        "after": {"template web": {"image": "ami-1"}},
    }


def test_what_refers_to_a_thing_that_is_made_anew_is_updated() -> None:
    there = dict(run(WANTED).live)
    del there["vpc"]
    changes = {step.key: step.action for step in decide(WANTED, there, GRAPH).steps}
    assert changes == {
        "vpc": "create",
        "gateway": "update",
        "route_table": "update",
        "subnet-a": "update",
        "subnet-b": "update",
    }


def test_an_update_that_renews_the_identity_reaches_what_refers_to_it() -> None:
    there = dict(run(WANTED).live)
    there["vpc"] = live("vpc", "vpc", {"range": "10.1.0.0/16"})
    kept = decide(WANTED, there, GRAPH, {"vpc": Rule()})
    renewed = decide(WANTED, there, GRAPH, {"vpc": Rule(renews=True)})
    assert {step.key for step in kept.steps} == {"vpc"}
    assert {step.key for step in renewed.steps} == {"vpc", "gateway", "route_table", "subnet-a", "subnet-b"}


def test_what_cannot_be_changed_is_refused_before_the_first_change() -> None:
    there = dict(run(WANTED).live)
    there["vpc"] = live("vpc", "vpc", {"range": "10.1.0.0/16", "tags": {"team": "a"}})
    with pytest.raises(InputError) as failed:
        decide(WANTED, there, GRAPH, {"vpc": Rule(immutable=frozenset({"range"}))})
    assert str(failed.value) == (
        "range of vpc web is '10.1.0.0/16' and cannot be changed to '10.0.0.0/16'. "
        "Give the value it has, or delete it first."
    )


def test_an_immutable_field_that_is_as_wanted_is_no_obstacle() -> None:
    there = {"vpc": live("vpc", "vpc", {"range": "10.0.0.0/16", "tags": {"team": "b"}})}
    plan = decide([WANTED[6]], there, GRAPH, {"vpc": Rule(immutable=frozenset({"range"}))})
    assert plan.sentences() == ["update vpc web (tags.team)"]


def test_tags_of_others_are_left_alone_unless_the_rule_says_otherwise() -> None:
    there = {"vpc": live("vpc", "vpc", {"range": "10.0.0.0/16", "tags": {"team": "a", "cost": "7"}})}
    assert not decide([WANTED[6]], there, GRAPH).changed
    assert decide([WANTED[6]], there, GRAPH, {"vpc": Rule(subset=frozenset())}).changed


def test_a_circle_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(ValueError, match="circle"):
        decide([Wanted("a", "a", "a", {})], {}, {"a": ("b",), "b": ("a",)})


def test_the_diff_of_a_plan_prints_what_is_not_known_yet() -> None:
    plan = decide(WANTED, {}, GRAPH)
    assert plan.diff()["before"] == {}
    after = plan.diff()["after"]
    assert after["route table web"]["vpc"] == "(id of vpc, known once it is made)"
    assert after["group web"]["subnets"][0] == "(id of subnet-b, known once it is made)"
    assert after["template web"]["role"] == "(arn of role, known once it is made)"
    assert "tenancy" not in after["vpc web"]
    updated = decide(
        [Wanted("a", "thing", "a", {"x": {"y": Ref("z")}})], {"a": live("a", "thing", {"x": {"y": "1"}})}, {}
    )
    assert updated.diff()["after"] == {"thing a": {"x.y": "(id of z, known once it is made)"}}


# dismantle


def test_a_long_script_is_shown_by_its_first_lines_and_a_digest() -> None:
    def diff(script: str, live: str | None) -> dict[str, Any]:
        there = {} if live is None else {"t": Live("t", "template", "t", "t", {"data": Script(live)})}
        return decide([Wanted("t", "template", "t", {"data": Script(script)})], there, {"template": ()}).diff()

    head, body = "#!/bin/bash\nVERSION=1\n", "work\n" * 500
    made = diff(head + body, None)["after"]["template t"]["data"]
    assert made.startswith(f"{head}work\n")
    assert len(made) < 700
    assert "(2522 characters in all, SHA-256 " in made
    changed = diff(head + body, head + body + "more\n")
    shown = [changed[side]["template t"]["data"] for side in ("before", "after")]
    assert shown[0] != shown[1]
    assert diff("#!/bin/sh\n", None)["after"]["template t"]["data"] == "#!/bin/sh\n"


def test_teardown_is_the_same_graph_backwards() -> None:
    there = dict(run(WANTED).live)
    forwards, backwards = decide(WANTED, {}, GRAPH), dismantle(there.values(), GRAPH)
    assert {step.action for step in backwards.steps} == {"delete"}
    needed = {(step.key, need) for step in forwards.steps for need in step.needs}
    assert {(need, step.key) for step in backwards.steps for need in step.needs} == needed
    cloud = Cloud()
    applied = apply(backwards, cloud.handlers(), there)
    assert applied.live == {}
    assert cloud.order()[-1] == "role"
    assert_order(backwards, cloud.log)


def test_a_delete_shows_what_goes() -> None:
    plan = dismantle([live("vpc", "vpc", {"range": "10.0.0.0/16"})], GRAPH)
    assert plan.sentences() == ["delete vpc web"]
    assert plan.diff() == {"before": {"vpc web": {"range": "10.0.0.0/16"}}, "after": {}}


# apply


def test_an_update_gets_what_is_there_and_what_is_wanted() -> None:
    there = {**run(WANTED).live, "template": live("template", "template", {"role": "arn:role", "image": "ami-0"})}
    cloud = Cloud()
    applied = run(WANTED, there, cloud)
    assert cloud.log == [("start", "update", "template"), ("end", "update", "template")]
    assert cloud.specs["template"] == {"role": "arn:role", "image": "ami-1"}
    assert applied.done == ("update template web (image)",)
    assert not decide(WANTED, applied.live, GRAPH).changed


def test_nothing_to_do() -> None:
    applied = apply(Plan(), {}, {"a": live("a", "thing", {})})
    assert applied.done == ()
    assert list(applied.live) == ["a"]


def test_references_are_what_the_steps_before_brought() -> None:
    cloud = Cloud()
    applied = run(WANTED, cloud=cloud)
    assert cloud.specs["subnet-a"] == {"vpc": "vpc-id", "zone": "a"}
    assert cloud.specs["group"]["subnets"] == ["subnet-b-id", "subnet-a-id"]
    assert cloud.specs["template"]["role"] == "arn:role"
    assert "tenancy" not in cloud.specs["vpc"]
    assert {*applied.live} == {want.key for want in WANTED}
    assert applied.done[0] == "create role web"


def test_independent_steps_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=60)  # passes only if both are inside at once

    def before(key: str) -> None:
        if key.startswith("subnet"):
            meeting.wait()

    run(WANTED, cloud=Cloud(before=before))
    assert not meeting.broken


def test_one_worker_is_enough() -> None:
    plan, cloud = decide(WANTED, {}, GRAPH), Cloud()
    apply(plan, cloud.handlers(), {}, workers=1)
    assert cloud.order() == [step.key for step in plan.steps]  # the order of the plan could be done one by one


def test_progress_is_told_step_by_step() -> None:
    told: list[str] = []
    applied = apply(decide(WANTED, {}, GRAPH), Cloud().handlers(), {}, progress=told.append)
    assert tuple(told) == applied.done


def test_live_that_was_given_is_not_changed() -> None:
    there: dict[str, Live] = {}
    run(WANTED, there)
    assert there == {}


def failing(*keys: str, error: Exception | None = None) -> Callable[[str], None]:
    def before(key: str) -> None:
        if key in keys:
            raise error or ConflictError("no", code="Taken", details={"ids": ["x"]})

    return before


def test_a_failure_says_what_was_done_and_starts_nothing_more() -> None:
    cloud = Cloud(before=failing("gateway"))
    with pytest.raises(PartialError) as failed:
        run(WANTED, cloud=cloud)
    assert failed.value.details["step_failed"] == "create gateway web"
    assert {"create role web", "create vpc web"} <= {*failed.value.details["steps_done"]}
    assert failed.value.details["ids"] == ["x"]
    assert failed.value.code == "Taken"
    assert str(failed.value) == "Could not create gateway web: no."
    assert not {"route_table", "subnet-a", "group"} & {key for _moment, _action, key in cloud.log}


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once the run has noted a failure: that a step has failed does not yet say that the run knows."""
    event, fail = threading.Event(), _plan._Run.fail

    def note(run: Any, step: Step | None, error: BaseException) -> None:
        fail(run, step, error)
        event.set()

    monkeypatch.setattr(_plan._Run, "fail", note)
    return event


def test_what_is_under_way_when_another_fails_is_finished_and_told(noted: threading.Event) -> None:
    begun = threading.Event()

    def before(key: str) -> None:
        if key == "template":
            assert begun.wait(60)
            raise AuthError("denied")
        if key == "vpc":
            begun.set()
            assert noted.wait(60)

    with pytest.raises(PartialError) as failed:
        run(WANTED, cloud=Cloud(before=before))
    assert failed.value.details["steps_done"] == ["create role web", "create vpc web"]
    assert failed.value.details["step_failed"] == "create template web"


def test_of_two_failures_the_first_is_told_and_what_both_may_have_left_half_done(noted: threading.Event) -> None:
    begun = threading.Event()

    def before(key: str) -> None:
        if key == "template":
            begun.set()
            assert noted.wait(60)
            raise AuthError("second")
        if key == "vpc":
            assert begun.wait(60)
            raise AuthError("first")

    with pytest.raises(PartialError, match="Could not create vpc web: first") as failed:
        run(WANTED, cloud=Cloud(before=before))
    assert failed.value.details["step_failed"] == "create vpc web; create template web"


def test_a_defect_in_a_handler_still_says_what_was_done() -> None:
    with pytest.raises(PartialError) as failed:
        run(WANTED, cloud=Cloud(before=failing("vpc", error=KeyError("VpcId"))))
    assert isinstance(failed.value.cause, DefectError)
    assert isinstance(failed.value.cause.__cause__, KeyError)
    assert failed.value.details["step_failed"] == "create vpc web"
    assert "create role web" in failed.value.details["steps_done"]
    assert str(failed.value).startswith("Could not create vpc web: Unexpected KeyError: 'VpcId'. This is a defect")


def test_a_reference_to_nothing_is_a_defect() -> None:
    plan = decide([Wanted("a", "thing", "a", {"x": Ref("missing")})], {}, {})
    with pytest.raises(PartialError, match="missing is referred to and was neither found nor made"):
        apply(plan, Cloud().handlers(), {})


def test_a_plan_with_two_steps_of_one_key_loses_none_silently() -> None:
    there = live("a", "thing", {})
    plan = dismantle([there], {}) + decide([Wanted("a", "thing", "a", {})], {}, {})
    with pytest.raises(ValueError, match="two steps of one key"):
        apply(plan, Cloud().handlers(), {"a": there})


def test_steps_that_wait_for_one_another_do_not_hang() -> None:
    steps = (
        Step("create", "a", "thing", "a", needs=frozenset({"b"})),
        Step("create", "b", "thing", "b", needs=frozenset({"a"})),
    )
    with pytest.raises(ValueError, match="wait for one another"):
        apply(Plan(steps), Cloud().handlers(), {})


def test_plans_can_be_added() -> None:
    one, two = (decide([Wanted(key, "thing", key, {})], {}, {}) for key in "ab")
    assert (one + two).sentences() == ["create thing a", "create thing b"]
    assert {*apply(one + two, Cloud().handlers(), {}).live} == {"a", "b"}


# properties, on many random graphs


def random_case(seed: int) -> tuple[dict[str, tuple[str, ...]], list[Wanted]]:
    chance = random.Random(seed)
    kinds = [f"kind_{number}" for number in range(chance.randint(1, 7))]
    graph = {
        kind: tuple(chance.sample(kinds[:index], chance.randint(0, min(index, 3)))) for index, kind in enumerate(kinds)
    }
    wanted: list[Wanted] = []
    for kind in kinds:
        for copy in range(chance.randint(0, 3)):
            refs = {need: Ref(f"{need}-0") for need in graph[kind] if any(w.key == f"{need}-0" for w in wanted)}
            wanted.append(Wanted(f"{kind}-{copy}", kind, f"{kind}-{copy}", {"copy": copy, **refs}))
    chance.shuffle(wanted)
    return graph, wanted


@pytest.mark.parametrize("seed", range(60))
def test_whatever_fails_the_next_run_converges_and_a_teardown_leaves_nothing(seed: int) -> None:
    graph, wanted = random_case(seed)
    chance = random.Random(seed + 1000)
    there: dict[str, Live] = {}
    for _round in range(60):
        plan = decide(wanted, there, graph)
        if not plan.changed:
            break
        bad = chance.choice([*(step.key for step in plan.steps), "none"])
        cloud = Cloud(before=failing(bad))
        done: list[str] = []
        try:
            apply(plan, dict.fromkeys(graph, cloud), there, workers=chance.randint(1, 8), progress=done.append)
        except PartialError as error:
            done = error.details["steps_done"]
        assert sorted(done) == sorted(step.sentence for step in plan.steps if step.key in cloud.order())
        assert_order(plan, cloud.log)
        there |= {key: live(key, key.split("-")[0], cloud.specs[key]) for key in cloud.order()}
    assert not decide(wanted, there, graph).changed
    teardown, cloud = dismantle(there.values(), graph), Cloud()
    assert apply(teardown, dict.fromkeys(graph, cloud), there).live == {}
    assert_order(teardown, cloud.log)
    assert dismantle([], graph) == Plan()


# interruption


@pytest.fixture
def ending_signals() -> Iterator[threading.Event]:
    """SIGTERM and SIGINT raise what the edge's handlers raise; the event says that one did."""
    arrived = threading.Event()

    def end(number: int, _frame: Any) -> None:
        arrived.set()
        raise Interruption(f"ended by {signal.Signals(number).name}")

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    yield arrived
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interruption_ends_the_run_when_what_is_under_way_is_done(
    number: signal.Signals, ending_signals: threading.Event, noted: threading.Event
) -> None:
    def before(key: str) -> None:
        if key == "vpc":
            os.kill(os.getpid(), number)
            assert ending_signals.wait(60)
            assert noted.wait(60)

    cloud = Cloud(before=before)
    with pytest.raises(PartialError) as failed:
        run(WANTED, cloud=cloud)
    assert isinstance(failed.value.cause, InterruptedRunError)
    assert {"create role web", "create vpc web"} <= {*failed.value.details["steps_done"]}
    assert failed.value.details["step_failed"] == f"ended by {number.name}"
    assert str(failed.value).startswith(f"ended by {number.name}. Run the same task again")
    assert "gateway" not in cloud.order()


@pytest.mark.usefixtures("ending_signals")
@pytest.mark.parametrize("moment", range(len(WANTED)))
def test_an_interruption_while_a_step_is_noted_down_forgets_none(moment: int) -> None:
    told: list[str] = []

    def progress(sentence: str) -> None:
        told.append(sentence)
        if len(told) == moment + 1:
            os.kill(os.getpid(), signal.SIGTERM)

    plan, cloud = decide(WANTED, {}, GRAPH), Cloud()
    with pytest.raises(PartialError) as failed:
        apply(plan, cloud.handlers(), {}, progress=progress)
    assert failed.value.details["steps_done"] == told
    assert sorted(told) == sorted(
        step.sentence for step in decide(WANTED, {}, GRAPH).steps if step.key in cloud.order()
    )


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interruption_at_the_edge_of_a_run_is_told_too(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conduct = _plan._conduct

    def interrupted(run: Any, pool: Any) -> None:
        if moment == "after":
            conduct(run, pool)
        raise Interruption("ended by SIGTERM")

    monkeypatch.setattr(_plan, "_conduct", interrupted)
    with pytest.raises(PartialError) as failed:
        run(WANTED)
    assert len(failed.value.details["steps_done"]) == (len(WANTED) if moment == "after" else 0)


def test_a_long_step_is_waited_for_in_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plan, "HEARTBEAT_SECONDS", 0.001)
    slow = Cloud(before=lambda _key: time.sleep(0.01))
    assert len(run(WANTED, cloud=slow).done) == len(WANTED)


# what comes after


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConflictError("port taken"), "Could not wait for web: port taken."),
        (KeyError("x"), "Could not wait for web: Unexpected KeyError: 'x'. This is a defect of container.schedulers; "),
        (Interruption("ended by SIGTERM"), "ended by SIGTERM. Run the same task again to converge, "),
    ],
)
def test_a_later_part_that_fails_also_says_what_was_done(error: BaseException, sentence: str) -> None:
    applied = Applied(("create vpc web",), {})
    with pytest.raises(PartialError) as failed, applied.then("wait for web"):
        raise error
    assert str(failed.value).startswith(sentence)
    assert failed.value.details == {"steps_done": ["create vpc web"], "step_failed": "wait for web"}


def test_a_second_plan_in_a_later_part_adds_to_what_was_done() -> None:
    first = run([WANTED[-1]])
    second = decide([WANTED[6]], {}, GRAPH)
    with pytest.raises(PartialError) as failed, first.then("make the network"):
        apply(second, Cloud(before=failing("vpc")).handlers(), {})
    assert failed.value.details["steps_done"] == ["create role web"]
    assert failed.value.details["step_failed"] == "create vpc web"


def test_a_later_part_that_works_is_silent() -> None:
    with Applied((), {}).then("wait"):
        pass


def test_live_answers_references() -> None:
    thing = live("a", "thing", {})
    assert (thing.value("id"), thing.value("arn")) == ("a-id", "arn:a")
    with pytest.raises(KeyError):
        thing.value("dns_name")


def test_steps_of_some_kinds_come_after_all_of_another_plan() -> None:
    first = dismantle([live("old", "thing", {}), live("older", "thing", {})], GRAPH)
    plan = after(decide(WANTED, {}, GRAPH), first, ("vpc", "template"))
    before = {step.key: step.needs for step in decide(WANTED, {}, GRAPH).steps}
    more = {step.key: step.needs - before[step.key] for step in plan.steps}
    assert {key for key, needs in more.items() if needs} == {"vpc", "template"}
    assert more["vpc"] == more["template"] == {"old", "older"}
