# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A revision is registered when something that matters differs, and only then; the difference has a name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.api import from_tags
from ansible_collections.container.schedulers.plugins.module_utils._aws.task_definition import (
    TASK_DEFINITION,
    TASK_DEFINITION_RULE,
    TaskDefinitions,
    as_one,
    find_old_revisions,
    find_revisions,
    read_task_definition,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.task_definition_spec import (
    normalised,
    rendered,
    wanted_definition,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import Difference, differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    InputError,
    NotOursError,
    SchedulersError,
)
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Ref, Step, Wanted, decide
from unit.ecs_app import ACCOUNT, a_run, definition, described, ecs_mark, mark, options
from unit.scripted import Call, failure, scripted

TAGS = mark("task-definition")
FIRST, SECOND = (f"arn:aws:ssm:eu-west-1:123456789012:parameter/{name}" for name in ("first", "second"))
ROLE = "arn:aws:iam::123456789012:role/web"
UNKNOWN = failure("ClientException", "Unable to describe task definition.")
APP = {"image": "httpd", "memory": 64, "ports": [{"container_port": 80, "host_port": 80}]}


def live(raw: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> Live:
    there = raw or definition()
    spec = normalised(there, TAGS if tags is None else tags)
    arn = there["taskDefinitionArn"]
    return Live(
        TASK_DEFINITION, "task_definition", there["family"], arn, spec, {"arn": arn, "revision": 1, "raw": there}
    )


def paths(there: Live, **given: Any) -> list[str]:
    """What differs between a live revision and the options."""
    spec = wanted_definition(options(**given), there, "eu-west-1", TAGS)
    return [one.path for one in differences(spec, there.spec)]


def test_what_ecs_fills_in_is_no_difference() -> None:
    assert paths(live(), **APP) == []


def test_an_app_that_says_nothing_changes_nothing() -> None:
    assert paths(live()) == []


@pytest.mark.parametrize(
    ("raw", "given", "path"),
    [
        # what the modules of today do not see (an item of an equally long list)
        ({"environment": [{"name": "A", "value": "1"}]}, {"environment": {"A": "2"}}, "environment.A"),
        ({"command": ["sh", "-c", "one"]}, {"command": ["sh", "-c", "two"]}, "command[2]"),
        ({"command": ["a", "b"]}, {"command": ["b", "a"]}, "command[0]"),
        ({"entryPoint": ["a"]}, {"entry_point": ["b"]}, "entry_point[0]"),
        ({}, {"ports": [{"container_port": 80, "host_port": 8080}]}, "ports[0].host_port"),
        ({}, {"ports": [{"container_port": 80, "host_port": 80, "protocol": "udp"}]}, "ports[0].protocol"),
        ({}, {"ports": []}, "ports[0]"),
        ({}, {"image": "httpd:2"}, "image"),
        ({}, {"memory": 128}, "memory"),
        ({}, {"memory_reservation": 32}, "memory_reservation"),
        ({"memoryReservation": 32}, {"memory_reservation": 0}, "memory_reservation"),
        ({"cpu": 10}, {"cpu": 20}, "cpu"),
        ({"environment": [{"name": "A", "value": "1"}]}, {"environment": {}}, "environment.A"),
        ({}, {"environment": {"A": "1"}}, "environment.A"),
        (
            {"secrets": [{"name": "A", "valueFrom": FIRST}]},
            {"secrets": {"A": SECOND}, "execution_role": ROLE},
            "secrets.A",
        ),
        ({"user": "root"}, {"user": "daemon"}, "user"),
        ({}, {"working_directory": "/srv"}, "working_directory"),
        (
            {"healthCheck": {"command": ["CMD", "a"], "interval": 30, "timeout": 5, "retries": 3}},
            {"health_check": {"command": ["CMD", "b"]}},
            "health_check.command[1]",
        ),
        ({}, {"log": {}}, "log.driver"),
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/other"}}},
            {"log": {}},
            "log.options.awslogs-group",
        ),
    ],
)
def test_a_difference_is_seen_and_named(raw: dict[str, Any], given: dict[str, Any], path: str) -> None:
    assert f"containers[web].{path}" in paths(live(definition(**raw)), **given)


@pytest.mark.parametrize(
    ("raw", "given"),
    [
        (
            {"environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
            {"environment": {"A": "1", "B": 2}},
        ),
        (
            {"healthCheck": {"command": ["CMD", "a"], "interval": 30, "timeout": 5, "retries": 3}},
            {"health_check": {"command": ["CMD", "a"]}},
        ),
        ({"portMappings": [{"containerPort": 80, "hostPort": 0}]}, {"ports": [{"container_port": 80}]}),
        (
            {"portMappings": [{"containerPort": 81, "hostPort": 0}, {"containerPort": 80, "hostPort": 80}]},
            {"ports": [{"container_port": 80, "host_port": 80}, {"container_port": 81}]},
        ),
        ({"secrets": [{"name": "A", "valueFrom": FIRST}]}, {"secrets": {"A": FIRST}, "execution_role": ROLE}),
    ],
)
def test_order_and_defaults_are_no_difference(raw: dict[str, Any], given: dict[str, Any]) -> None:
    there = live({**definition(**raw), "executionRoleArn": ROLE})
    assert paths(there, **given) == []


def test_roles_are_compared() -> None:
    assert paths(live(), task_role=ROLE) == ["task_role"]
    assert paths(live({**definition(), "executionRoleArn": "other"}), execution_role=ROLE) == ["execution_role"]


@pytest.mark.parametrize(("role", "field"), [("task_role", "taskRoleArn"), ("execution_role", "executionRoleArn")])
def test_a_role_is_taken_away_by_an_empty_text(role: str, field: str) -> None:
    there = live({**definition(), field: ROLE})
    assert paths(there) == []
    assert paths(there, **{role: ""}) == [role]
    assert paths(live(), **{role: ""}) == []
    assert field not in rendered("one-web", {**there.spec, role: ""}, {**definition(), field: ROLE})


def test_the_container_keeps_its_name_unless_another_is_given() -> None:
    there = live(definition(name="simple-app"))
    assert paths(there) == []
    assert paths(there, container_name="web") == ["containers[web].name"]


def test_other_containers_stay() -> None:
    raw = definition()
    raw["containerDefinitions"].insert(0, {"name": "proxy", "image": "envoy", "memory": 64})
    spec = wanted_definition(options(image="httpd:2"), live(raw), "eu-west-1", TAGS)
    assert [(one["name"], one["image"]) for one in spec["containers"]] == [("proxy", "envoy"), ("web", "httpd:2")]
    request = rendered("one-web", spec, raw)
    assert [one["image"] for one in request["containerDefinitions"]] == ["envoy", "httpd:2"]


def test_of_several_containers_one_has_to_be_the_apps() -> None:
    raw = definition(name="a")
    raw["containerDefinitions"].append({"name": "b", "image": "b", "memory": 64})
    with pytest.raises(InputError, match="container_name: task definition one-web has containers a, b, and no web"):
        wanted_definition(options(), live(raw), "eu-west-1", TAGS)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "image: the app does not exist yet, and needs one"),
        ({"image": "httpd"}, "memory: the app needs memory .* or memory_reservation"),
        ({"image": "httpd", "memory": 64, "secrets": {"A": FIRST}}, "secrets: execution_role is needed too"),
    ],
)
def test_a_new_app_has_to_be_complete(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        wanted_definition(options(**given), None, "eu-west-1", TAGS)


def test_a_given_limit_has_to_fit_the_live_one() -> None:
    with pytest.raises(InputError, match="memory_reservation: 65 MiB is more than memory, 64 MiB"):
        wanted_definition(options(memory_reservation=65), live(), "eu-west-1", TAGS)


@pytest.mark.parametrize(
    ("raw", "given"),
    [
        ({"environment": [{"name": "A", "value": "1"}]}, {"secrets": {"A": FIRST}, "execution_role": ROLE}),
        ({"secrets": [{"name": "A", "valueFrom": FIRST}]}, {"environment": {"A": "1"}, "execution_role": ROLE}),
    ],
)
def test_a_given_name_has_to_fit_the_live_ones(raw: dict[str, Any], given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="secrets: A would be in environment too"):
        wanted_definition(options(**given), live(definition(**raw)), "eu-west-1", TAGS)


def test_a_spec_survives_being_registered_and_read() -> None:
    given = options(
        **APP,
        cpu=10,
        memory_reservation=32,
        environment={"A": "1"},
        secrets={"S": FIRST},
        execution_role=ROLE,
        task_role=ROLE,
        command=["a"],
        entry_point=["b"],
        user="daemon",
        working_directory="/srv",
        health_check={"command": ["CMD", "true"]},
        log={},
    )
    spec = wanted_definition(given, None, "eu-west-1", TAGS)
    request = rendered("one-web", spec, {})
    assert request["family"] == "one-web"
    assert normalised(request, from_tags(request["tags"])) == spec


def test_names_of_ports_and_ranges_of_them_are_registered_again() -> None:
    named = {"containerPort": 80, "hostPort": 0, "protocol": "tcp", "name": "http", "appProtocol": "http"}
    ranged = {"containerPortRange": "9000-9010", "protocol": "udp"}
    raw = definition(portMappings=[named, ranged])
    spec = wanted_definition(options(image="httpd:2"), live(raw), "eu-west-1", TAGS)
    assert rendered("one-web", spec, raw)["containerDefinitions"][0]["portMappings"] == [named, ranged]
    moved = wanted_definition(options(ports=[{"container_port": 80, "host_port": 8080}]), live(raw), "eu-west-1", TAGS)
    (first, _range) = rendered("one-web", moved, raw)["containerDefinitions"][0]["portMappings"]
    assert first == {**named, "hostPort": 8080}


def test_where_the_log_goes_is_registered_in_full_unless_it_changes() -> None:
    secret = {"name": "splunk-token", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/token"}
    theirs = {"logDriver": "splunk", "options": {"splunk-url": "https://x"}, "secretOptions": [secret]}
    raw = definition(logConfiguration=theirs)
    spec = wanted_definition(options(image="httpd:2"), live(raw), "eu-west-1", {})
    assert rendered("one-web", spec, raw)["containerDefinitions"][0]["logConfiguration"] == theirs
    ours = wanted_definition(options(log={}), live(raw), "eu-west-1", {})
    changed = rendered("one-web", ours, raw)["containerDefinitions"][0]["logConfiguration"]
    assert (changed["logDriver"], changed.get("secretOptions")) == ("awslogs", None)


def test_what_the_options_do_not_speak_of_is_registered_again() -> None:
    proxy = {"type": "APPMESH", "containerName": "envoy"}
    raw = {
        **definition(ulimits=[{"name": "nofile"}]),
        "volumes": [{"name": "data"}],
        "memory": "512",
        "proxyConfiguration": proxy,
    }
    spec = wanted_definition(options(image="httpd:2"), live(raw), "eu-west-1", TAGS)
    request = rendered("one-web", spec, raw)
    assert request["proxyConfiguration"] == proxy
    assert request["volumes"] == [{"name": "data"}]
    assert request["memory"] == "512"
    assert request["containerDefinitions"][0]["ulimits"] == [{"name": "nofile"}]
    assert "requiresAttributes" not in request


def test_new_tags_alone_give_the_service_no_new_revision() -> None:
    there = live(tags={})
    wanted = [
        Wanted(TASK_DEFINITION, "task_definition", "one-web", wanted_definition(options(), there, "r", TAGS)),
        Wanted("service", "service", "web", {"task_definition": Ref(TASK_DEFINITION)}),
    ]
    service = Live("service", "service", "web", "web", {"task_definition": there.id})
    plan = decide(wanted, {there.key: there, "service": service}, {}, {"task_definition": TASK_DEFINITION_RULE})
    assert [step.key for step in plan.steps] == [TASK_DEFINITION]


def test_the_latest_revision_is_read() -> None:
    with scripted(Call("ecs", "DescribeTaskDefinition", described(), {"taskDefinition": "one-web"})) as aws:
        found = read_task_definition(a_run(aws), "one-web", adopt=False)
    assert found
    assert (found.id, found.attributes["revision"]) == (f"{ACCOUNT}:task-definition/one-web:1", 1)


def test_a_family_of_somebody_else_is_not_continued() -> None:
    with scripted(Call("ecs", "DescribeTaskDefinition", described(tags=False))) as aws, pytest.raises(NotOursError):
        read_task_definition(a_run(aws), "one-web", adopt=False)


def test_a_family_of_nobody_can_be_adopted() -> None:
    with scripted(Call("ecs", "DescribeTaskDefinition", described(tags=False))) as aws:
        assert read_task_definition(a_run(aws), "one-web", adopt=True)


@pytest.mark.parametrize("answer", [UNKNOWN, {"taskDefinition": {**definition(), "status": "INACTIVE"}}])
def test_a_family_without_an_active_revision_is_none(answer: Any) -> None:
    with scripted(Call("ecs", "DescribeTaskDefinition", answer)) as aws:
        assert read_task_definition(a_run(aws), "one-web", adopt=False) is None


SPEC = wanted_definition(options(**APP), None, "eu-west-1", TAGS)
CREATE = Step("create", TASK_DEFINITION, "task_definition", "one-web", SPEC)


def registered(revision: int) -> Call:
    return Call("ecs", "RegisterTaskDefinition", {"taskDefinition": definition(revision)})


def test_the_first_revision_is_registered_once() -> None:
    with scripted(registered(1)) as aws:
        assert TaskDefinitions(a_run(aws)).create(CREATE, SPEC).attributes["revision"] == 1


def test_a_revision_whose_answer_was_lost_is_looked_up() -> None:
    lost = Call("ecs", "RegisterTaskDefinition", failure("ServerException", "oops", 500))
    with scripted(lost, Call("ecs", "DescribeTaskDefinition", described(1))) as aws:
        assert TaskDefinitions(a_run(aws)).create(CREATE, SPEC).attributes["revision"] == 1


def test_a_revision_that_was_really_lost_is_registered_again() -> None:
    lost = Call("ecs", "RegisterTaskDefinition", failure("ServerException", "oops", 500))
    with scripted(lost, Call("ecs", "DescribeTaskDefinition", UNKNOWN, times=3), registered(1)) as aws:
        assert TaskDefinitions(a_run(aws)).create(CREATE, SPEC).attributes["revision"] == 1


def test_of_two_runs_at_once_the_later_gives_way() -> None:
    with scripted(
        registered(2),
        Call("ecs", "DescribeTaskDefinition", described(1), {"taskDefinition": "one-web:1"}),
        Call("ecs", "DeregisterTaskDefinition", {}, {"taskDefinition": f"{ACCOUNT}:task-definition/one-web:2"}),
        Call("ecs", "DeleteTaskDefinitions", {}, {"taskDefinitions": [f"{ACCOUNT}:task-definition/one-web:2"]}),
    ) as aws:
        assert TaskDefinitions(a_run(aws)).create(CREATE, SPEC).attributes["revision"] == 1


@pytest.mark.parametrize("twin", [UNKNOWN, described(1, image="other"), described(1, tags=False)])
def test_a_revision_before_that_is_another_is_left_alone(twin: Any) -> None:
    with scripted(registered(2), Call("ecs", "DescribeTaskDefinition", twin)) as aws:
        assert TaskDefinitions(a_run(aws)).create(CREATE, SPEC).attributes["revision"] == 2


def test_the_revision_after_the_known_one_needs_no_look() -> None:
    step = Step(
        "update", TASK_DEFINITION, "task_definition", "one-web", SPEC, live(), (Difference("network_mode", 1, 2),)
    )
    with scripted(registered(2)) as aws:
        assert TaskDefinitions(a_run(aws)).update(step, SPEC, live()).attributes["revision"] == 2


def test_new_tags_are_put_on_the_revision_that_is_there() -> None:
    step = Step("update", TASK_DEFINITION, "task_definition", "one-web", SPEC, live(), (Difference("tags.a", 1, 2),))
    call = Call("ecs", "TagResource", {}, {"resourceArn": live().id, "tags": ecs_mark("task-definition")})
    with scripted(call) as aws:
        assert TaskDefinitions(a_run(aws)).update(step, SPEC, live()) == live()


def arns(*revisions: int, family: str = "one-web") -> list[str]:
    return [f"{ACCOUNT}:task-definition/{family}:{revision}" for revision in revisions]


def test_revisions_are_deregistered_and_deleted_ten_at_a_time() -> None:
    doomed = as_one("one-web", arns(12, 2), arns(*range(3, 12)))
    assert doomed.name == "one-web:2,3,4,5,6,7,8,9,10,11,12"
    assert doomed.spec == {"active": [2, 12], "inactive": [*range(3, 12)]}
    with scripted(
        Call("ecs", "DeregisterTaskDefinition", times=2),
        Call("ecs", "DeleteTaskDefinitions", {}, lambda given: len(given["taskDefinitions"]) == 10),
        Call("ecs", "DeleteTaskDefinitions", {}, lambda given: len(given["taskDefinitions"]) == 1),
    ) as aws:
        TaskDefinitions(a_run(aws)).delete(Step("delete", doomed.key, doomed.kind, doomed.name, live=doomed), doomed)


def test_a_revision_that_ecs_does_not_delete_is_told() -> None:
    """The answer to a delete that is repeated after a lost answer is that there is no such revision any more."""
    reasons = {
        1: "The specified task definition does not exist. Specify a valid account, family, revision and try again.",
        2: "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
    }
    doomed = as_one("one-web", (), arns(1, 2))
    step = Step("delete", doomed.key, doomed.kind, doomed.name, live=doomed)
    failures = [{"arn": arns(number)[0], "reason": reason} for number, reason in reasons.items()]
    with scripted(Call("ecs", "DeleteTaskDefinitions", {"failures": failures[:1]})) as aws:
        TaskDefinitions(a_run(aws)).delete(step, doomed)
    with (
        scripted(Call("ecs", "DeleteTaskDefinitions", {"failures": failures})) as aws,
        pytest.raises(SchedulersError, match=r"Could not delete .*still in ACTIVE status.*one-web:2"),
    ):
        TaskDefinitions(a_run(aws)).delete(step, doomed)


def test_all_our_revisions_are_found() -> None:
    with scripted(
        Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns(2, 3, 4)}, {"status": "ACTIVE"}),
        Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns(1)}, {"status": "INACTIVE"}),
        # the tagging API does not know the latest two yet, one of which is not ours
        Call("ecs", "DescribeTaskDefinition", described(3), {"taskDefinition": arns(3)[0]}),
        Call("ecs", "DescribeTaskDefinition", described(4, tags=False), {"taskDefinition": arns(4)[0]}),
    ) as aws:
        found = find_revisions(a_run(aws), "one-web", arns(1, 2))
    assert found
    assert found.name == "one-web:1,2,3"
    assert found.attributes["inactive"] == arns(1)


def test_revisions_that_are_being_deleted_are_gone() -> None:
    with scripted(Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": []}, times=2)) as aws:
        assert find_revisions(a_run(aws), "one-web", arns(1)) is None


def test_old_revisions_are_those_beyond_the_kept_and_used_ones() -> None:
    listed = {"taskDefinitionArns": [*arns(1, 2, 3, 10), *arns(9, family="one-web-2")]}
    with scripted(
        Call("ecs", "ListTaskDefinitions", listed, {"familyPrefix": "one-web", "status": "ACTIVE"}),
        Call("ecs", "DescribeTaskDefinition", described(2), {"taskDefinition": arns(2)[0]}),
    ) as aws:
        found = find_old_revisions(a_run(aws), "one-web", 2, arns(1))
    assert found
    assert found.name == "one-web:2"


def test_there_may_be_no_old_revisions() -> None:
    with scripted(Call("ecs", "ListTaskDefinitions", {"taskDefinitionArns": arns(1, 2)})) as aws:
        assert find_old_revisions(a_run(aws), "one-web", 2, ()) is None
