# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ready is ready, hopeless is hopeless, and all else is waited for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.service_judgement import (
    GRACE_LOOKS,
    ZONE_SECONDS,
    Goal,
    Health,
    Look,
    describe,
    failed,
    goal_of,
    latest_events,
    placed,
    ready,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.service_ready import (
    describe_service,
    reason_of,
    stopped_reasons,
    wait_ready,
)
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    NotFoundError,
    StateFailedError,
    WaitTimeoutError,
)
from unit.clock import FakeClock
from unit.ecs_app import BEGINNING, a_run, deployment, event, service
from unit.k8s_cluster import group
from unit.scripted import Call, scripted

GOAL = Goal("one", "web", "ecs-svc/1", BEGINNING)
CHANGED = replace(GOAL, started=True, desired=2)
BALANCED = replace(GOAL, balanced=True, drain_seconds=30)
SCALED = replace(GOAL, least=6, most=10)
OLD = deployment("ecs-svc/0", status="ACTIVE", runningCount=1, rolloutState="COMPLETED")
ANSWER = service(runningCount=0, deployments=[deployment(rolloutState="IN_PROGRESS", runningCount=0)])
ROLLING = deployment(rolloutState="IN_PROGRESS", runningCount=1)
UNPLACED = (
    "was unable to place a task because no container instance met all of its requirements. The closest matching "
    "(container-instance 1) {}. For more information, see the Troubleshooting section of the Amazon ECS Developer "
    "Guide."
)
PORT = UNPLACED.format("is already using a port required by your task")
MEMORY = UNPLACED.format("has insufficient memory available")
PULL = "CannotPullContainerError: pull access denied for nothing"


def look(
    healthy: int | None = None, stopped: Sequence[str] = (), quiet: int = 0, seconds: float = 0, **given: Any
) -> Look:
    return Look(service(**given), healthy, tuple(stopped), quiet, seconds)


@pytest.mark.parametrize(
    ("goal", "seen", "expected"),
    [
        (GOAL, look(), True),
        (GOAL, look(status="DRAINING"), False),
        (GOAL, look(runningCount=1), False),
        (GOAL, look(pendingCount=1), False),
        (GOAL, look(deployments=[deployment(rolloutState="IN_PROGRESS")]), False),
        (GOAL, look(deployments=[deployment("ecs-svc/2")]), False),  # another one took over
        (GOAL, look(deployments=[deployment(runningCount=1), OLD]), False),
        (GOAL, look(deployments=[deployment(), OLD]), False),  # an old task still runs
        (GOAL, look(deployments=[deployment(), {**OLD, "runningCount": 0}]), True),
        (GOAL, look(deployments=[]), False),
        (GOAL, look(desiredCount=0, runningCount=0, deployments=[deployment(runningCount=0)]), True),
        (GOAL, look(desiredCount=0, runningCount=1, deployments=[deployment(runningCount=1)]), False),
        (SCALED, look(), False),
        (replace(SCALED, least=2), look(), True),
        (replace(SCALED, least=0, most=1), look(), False),
        (replace(SCALED, least=0, most=0), look(), False),
        (BALANCED, look(), False),
        (BALANCED, look(1), False),
        (BALANCED, look(2), True),
        (BALANCED, look(5), True),  # others may be behind a shared load balancer
        (BALANCED, look(desiredCount=0, runningCount=0, deployments=[deployment(runningCount=0)]), True),
    ],
)
def test_ready(goal: Goal, seen: Look, expected: bool) -> None:
    assert ready(goal, seen) is expected


def test_a_deployment_of_old_times_has_no_state() -> None:
    bare = deployment()
    del bare["rolloutState"]
    assert placed(GOAL, look(deployments=[bare]))


ELSEWHERE = "Target is in an Availability Zone that is not enabled for the load balancer"
ZONE = f"(instance i-1) (port 32768) is unhealthy in (target-group x) due to (reason {ELSEWHERE})"
QUIET: dict[str, Any] = {"quiet": GRACE_LOOKS, "seconds": 10.0}
TAKEN_OVER = deployment("ecs-svc/2", rolloutStateReason="rolling back to deploymentId ecs-svc/2.")


@pytest.mark.parametrize(
    ("goal", "seen", "reason"),
    [
        (GOAL, look(), None),
        (GOAL, look(deployments=[ROLLING, OLD]), None),
        (GOAL, look(status="INACTIVE"), "the service is INACTIVE: somebody else deletes it"),
        # circuit breaker
        (
            GOAL,
            look(deployments=[deployment(rolloutState="FAILED", rolloutStateReason="breaker tripped")], stopped=[PULL]),
            f"the deployment failed: breaker tripped: {PULL}",
        ),
        (GOAL, look(deployments=[deployment(rolloutState="FAILED")]), "the deployment failed: ECS gives no reason"),
        (GOAL, look(deployments=[TAKEN_OVER]), "the deployment failed and was rolled back: rolling back to"),
        (
            GOAL,
            look(deployments=[deployment("ecs-svc/2", taskDefinition="arn/other:7")]),
            "another deployment took over, to task definition other:7",
        ),
        (GOAL, look(deployments=[]), "another deployment took over, to task definition unknown"),
        # tasks that stop again and again
        (GOAL, look(stopped=[PULL]), None),
        (GOAL, look(stopped=[PULL, PULL]), f"2 tasks stopped one after the other: {PULL}"),
        (GOAL, look(stopped=["exited (exit code 1)"] * 2), None),
        (
            GOAL,
            look(stopped=["exited (exit code 1)"] * 3),
            r"3 tasks stopped one after the other: exited \(exit code 1\)",
        ),
        (GOAL, look(stopped=["a 0123456789ab", "a ba9876543210", "a 00000000aaaa"]), "3 tasks stopped"),
        (GOAL, look(stopped=["exited"] * 3, desiredCount=10), None),
        # the load balancer is not where they are
        (
            BALANCED,
            look(stopped=["Task failed ELB health checks in (x)"] * 3, events=[event(ZONE)]),
            r"3 tasks stopped one after the other: Task failed ELB .* Give load_balancer.subnets one subnet of each",
        ),
        (
            BALANCED,
            look(deployments=[deployment(rolloutState="FAILED")], events=[event(ZONE)]),
            "ECS gives no reason. Give load_balancer.subnets",
        ),
        (BALANCED, look(deployments=[TAKEN_OVER], events=[event(ZONE)]), "rolled back: .* Give load_balancer.subnets"),
        (BALANCED, replace(look(1, seconds=ZONE_SECONDS - 1), unreached=ELSEWHERE), None),  # it may just be given one
        (
            BALANCED,
            replace(look(1, seconds=ZONE_SECONDS), unreached=ELSEWHERE),
            "does not reach all tasks: Target is in .* load balancer. Give load_balancer.subnets",
        ),
        (GOAL, look(stopped=["one", "two", "three"]), None),
        # no room
        (GOAL, look(events=[event(MEMORY)]), None),  # just said: an instance may be about to join
        (
            GOAL,
            look(events=[event(MEMORY)], **QUIET),
            r"unable to place a task .* insufficient memory .* Ask for less memory",
        ),
        (GOAL, look(events=[event(MEMORY, -1)], **QUIET), None),  # about the time before
        (GOAL, look(events=[event("has started 1 tasks: (task 1).", 20), event(MEMORY)], **QUIET), None),
        (GOAL, look(events=[event("registered 1 targets in (x)", 20), event(MEMORY)], **QUIET), "insufficient memory"),
        (
            GOAL,
            look(events=[event(UNPLACED.format("has insufficient CPU units available"))], **QUIET),
            "Ask for less cpu",
        ),
        (
            GOAL,
            look(
                events=[event("was unable to place a task. No Container Instances were found in your cluster.")],
                **QUIET,
            ),
            "No instance has joined the cluster",
        ),
        (
            GOAL,
            look(events=[event(UNPLACED.format("is missing an attribute required by your task"))], **QUIET),
            "No instance has what placement_constraints",
        ),
        (GOAL, look(events=[event("was unable to place a task because of the moon.")], **QUIET), "Look at the events"),
        # a port that is taken
        (GOAL, look(events=[event(PORT)], runningCount=1, **QUIET), "use more instances, or host_port 0"),
        (
            GOAL,
            look(
                events=[event(PORT)], deployments=[{**ROLLING, "runningCount": 0}, {**OLD, "runningCount": 2}], **QUIET
            ),
            "minimum_healthy_percent 100 keeps 2 of 2 tasks running",
        ),
        (
            BALANCED,  # an old task drains, and gives its port free within the drain time
            look(events=[event(PORT, 20), event("has begun draining connections on 1 tasks.")], **QUIET),
            None,
        ),
        (
            BALANCED,
            look(
                events=[event(PORT, 20), event("has begun draining connections on 1 tasks.")],
                quiet=GRACE_LOOKS,
                seconds=76.0,
            ),
            "already using a port",
        ),
        # percents that allow nothing
        (
            GOAL,
            look(
                events=[event("was unable to stop or start tasks during a deployment because of the configuration.")],
                deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 100},
                desiredCount=1,
            ),
            "minimum_healthy_percent 50 and maximum_percent 100 of 1 tasks allow neither",
        ),
    ],
)
def test_failed(goal: Goal, seen: Look, reason: str | None) -> None:
    found = failed(goal, seen)
    if reason is None:
        assert found is None
    else:
        assert found
        assert re.search(reason, found), found
        assert "For more information" not in found


def test_the_state_in_words() -> None:
    assert describe(GOAL, look()) == "2 of 2 tasks run, 0 are pending"
    assert describe(GOAL, look(1)) == "2 of 2 tasks run, 0 are pending, 1 are healthy at the load balancer"
    assert describe(GOAL, look(deployments=[ROLLING, OLD])).endswith(", 1 are of older deployments")
    assert describe(SCALED, look()) == "2 of 2 tasks run, 0 are pending, not scaled to 6-10 tasks yet"


def test_events_are_said_without_name_and_manual() -> None:
    events = [event(MEMORY), *(event(f"has started {n} tasks: x.") for n in range(9))]
    said = latest_events(service(events=events))
    assert len(said) == 5
    assert said[0].startswith("was unable to place")
    assert said[0].endswith("memory available.")


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({}, "no reason given"),
        ({"stoppedReason": "Task failed ELB health checks"}, "Task failed ELB health checks"),
        ({"stoppedReason": "Essential container exited", "containers": [{"exitCode": 137}]}, "Essential .* 137"),
        ({"stoppedReason": "Task failed to start", "containers": [{"reason": PULL}]}, PULL),
    ],
)
def test_why_a_task_stopped(task: dict[str, Any], reason: str) -> None:
    assert re.search(reason, reason_of(task))


def test_the_goal_is_the_primary_deployment() -> None:
    later = BEGINNING + timedelta(seconds=60)
    there = service(deployments=[OLD, deployment(updatedAt=later)], loadBalancers=[{"loadBalancerName": "x"}])
    assert goal_of("one", there, started=True, drain_seconds=30) == replace(
        BALANCED, since=later, started=True, desired=2
    )
    assert goal_of("one", there, started=False, drain_seconds=30) == BALANCED


def services(**given: Any) -> Call:
    return Call("ecs", "DescribeServices", {"services": [service(**given)]})


def test_what_was_read_already_needs_no_call() -> None:
    with scripted() as aws:
        assert wait_ready(a_run(aws), GOAL, service(), health=None) == service()


EARLIER = BEGINNING - timedelta(seconds=60)
BEFORE = service(
    taskDefinition="arn/one-web:0",
    deployments=[deployment("ecs-svc/0", createdAt=EARLIER, updatedAt=EARLIER)],
)


@pytest.mark.parametrize(
    "before",
    [
        [],  # a service that was made: MISSING
        [service(status="INACTIVE", desiredCount=0, runningCount=0, deployments=[])],  # the one before of its name
        [{**BEFORE, "status": "DRAINING"}],
        [BEFORE],  # with the revision before
        [service(desiredCount=1, runningCount=1, deployments=[deployment(desiredCount=1, runningCount=1)])],
    ],
)
def test_an_answer_from_before_the_change_says_nothing_about_it(before: list[dict[str, Any]]) -> None:
    """ECS is eventually consistent, from one look to the next."""
    late = Call("ecs", "DescribeServices", {"services": before})
    rolling = services(runningCount=1, deployments=[ROLLING])
    with scripted(late, late, rolling, late, services()) as aws:
        assert wait_ready(a_run(aws), CHANGED, ANSWER, health=None) == service()


def test_a_change_is_not_complete_before_ecs_shows_it() -> None:
    """Else the next run would not see it, and one more would find something to do."""
    late = Call("ecs", "DescribeServices", {"services": []})
    with scripted(late, services()) as aws:
        wait_ready(a_run(aws), CHANGED, service(), health=None)


@pytest.mark.parametrize(
    ("goal", "found", "error", "message"),
    [
        (CHANGED, [], NotFoundError, "service web of cluster one does not exist"),
        (CHANGED, [service(status="INACTIVE", deployments=[])], StateFailedError, "somebody else deletes it"),
    ],
)
def test_what_is_still_not_there_after_a_while_is_gone(
    goal: Goal, found: list[dict[str, Any]], error: type[Exception], message: str
) -> None:
    clock = FakeClock()
    begun = clock.now()
    gone = Call("ecs", "DescribeServices", {"services": found})
    with scripted(replace(gone, times=13), clock=clock) as aws, pytest.raises(error, match=message):
        wait_ready(a_run(aws), goal, ANSWER, health=None)
    assert 60 <= clock.now() - begun < 75


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (service(deployments=[TAKEN_OVER]), "was rolled back"),
        (service(deployments=[deployment("ecs-svc/2", taskDefinition="arn/other:7")]), "another deployment took over"),
        (service(status="DRAINING"), "somebody else deletes it"),
    ],
)
def test_what_came_after_the_change_is_believed_at_once(seen: dict[str, Any], message: str) -> None:
    with (
        scripted(Call("ecs", "DescribeServices", {"services": [seen]})) as aws,
        pytest.raises(StateFailedError, match=message),
    ):
        wait_ready(a_run(aws), CHANGED, ANSWER, health=None)


def test_an_autoscaler_that_moves_the_service_meanwhile_is_no_old_answer() -> None:
    moved = deployment(desiredCount=1, runningCount=1, updatedAt=BEGINNING + timedelta(seconds=1))
    with scripted(services(desiredCount=1, runningCount=1, deployments=[moved])) as aws:
        wait_ready(a_run(aws), CHANGED, ANSWER, health=None)


def test_a_service_that_is_gone_when_nothing_was_changed_is_not_waited_for() -> None:
    rolling = service(runningCount=1, deployments=[ROLLING])
    with (
        scripted(Call("ecs", "DescribeServices", {"services": []})) as aws,
        pytest.raises(NotFoundError),
    ):
        wait_ready(a_run(aws), GOAL, rolling, health=None)


def test_the_load_balancer_is_asked_when_ecs_is_done() -> None:
    asked = iter([1, 2])
    rolling = services(runningCount=1, deployments=[ROLLING])
    with scripted(rolling, services(), services()) as aws:
        wait_ready(a_run(aws), replace(BALANCED, started=True, desired=2), ANSWER, health=lambda: Health(next(asked)))
    assert next(asked, None) is None


def test_tasks_where_the_load_balancer_is_not_end_the_wait() -> None:
    told = Health(1, [ELSEWHERE])
    with (
        scripted(replace(services(), times=13)) as aws,
        pytest.raises(StateFailedError, match="does not reach all tasks"),
    ):
        wait_ready(a_run(aws), replace(BALANCED, started=True, desired=2), ANSWER, health=lambda: told)


@pytest.mark.parametrize(
    ("others", "unreached"),
    [
        ([], ""),
        (["Health checks failed", "Initial health checks in progress"], ""),
        (["Target group is not configured to receive traffic from the load balancer"], ""),  # until it has a listener
        (["Health checks failed", ELSEWHERE], ELSEWHERE),
        (
            ["Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to."],
            "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to.",
        ),
    ],
)
def test_targets_of_other_zones_are_told_by_their_description(others: list[str], unreached: str) -> None:
    assert Health(1, others).unreached(3) == unreached
    assert not Health(3, others).unreached(3)  # others may be behind a shared load balancer


def test_nobody_is_asked_about_no_tasks() -> None:
    none = service(desiredCount=0, runningCount=0, deployments=[deployment(runningCount=0)])
    with scripted() as aws:
        wait_ready(a_run(aws), BALANCED, none, health=lambda: Health(1 // 0))


def test_trouble_is_believed_after_a_few_looks() -> None:
    stuck = services(runningCount=0, deployments=[ROLLING], events=[event(MEMORY)])
    no_group = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []})
    with scripted(replace(stuck, times=GRACE_LOOKS + 1), no_group) as aws, pytest.raises(StateFailedError) as raised:
        wait_ready(a_run(aws), CHANGED, ANSWER, health=None)
    assert "insufficient memory" in raised.value.message
    assert raised.value.details["last_state"] == "0 of 2 tasks run, 0 are pending"
    assert raised.value.details["last_events"][0].startswith("was unable to place a task")
    assert "Is there room for its tasks" in raised.value.hint


def test_instances_that_are_about_to_join_are_waited_for() -> None:
    """One was lost, and its successor boots."""
    stuck = services(runningCount=0, deployments=[ROLLING], events=[event(MEMORY)])
    ours = {**group("i-1", "i-2"), "Tags": [{"Key": "container.schedulers/owner", "Value": "ecs/one"}]}
    group_of_two = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [ours]})
    one = Call("ecs", "ListContainerInstances", {"containerInstanceArns": ["c1"]})
    two = Call("ecs", "ListContainerInstances", {"containerInstanceArns": ["c1", "c2"]})
    calls = (replace(stuck, times=2 * GRACE_LOOKS + 1), replace(group_of_two, times=2), one, two)
    with scripted(*calls) as aws, pytest.raises(StateFailedError, match="insufficient memory"):
        wait_ready(a_run(aws), CHANGED, ANSWER, health=None)


def test_stopped_tasks_are_asked_for_their_reason_when_there_are_more_of_them() -> None:
    failing = deployment(rolloutState="IN_PROGRESS", runningCount=0, failedTasks=1)
    tasks = [{"startedBy": "ecs-svc/1", "containers": [{"reason": PULL}]}, {"startedBy": "ecs-svc/0"}]
    with (
        scripted(
            services(deployments=[failing]),
            services(deployments=[failing]),  # no more than before: not asked again
            services(deployments=[{**failing, "failedTasks": 2}]),
            Call("ecs", "ListTasks", {"taskArns": ["t1"]}, {"serviceName": "web", "desiredStatus": "STOPPED"}),
            Call("ecs", "ListTasks", {"taskArns": ["t1", "t2"]}),
            Call("ecs", "DescribeTasks", {"tasks": tasks}, {"tasks": ["t1"]}),
            Call("ecs", "DescribeTasks", {"tasks": [*tasks, tasks[0]]}),
        ) as aws,
        pytest.raises(StateFailedError, match="2 tasks stopped one after the other: CannotPullContainerError"),
    ):
        wait_ready(a_run(aws), CHANGED, ANSWER, health=None)


def test_tasks_that_run_and_crash_again_and_again_are_noticed_though_ecs_counts_no_failure() -> None:
    """ "Once a service deployment has one or more successfully running tasks, the failed task count resets to zero and
    stops being evaluated": of a container that ends a moment after it was started, only the events tell."""
    crashing = [event("has started 1 tasks: x.", seconds) for seconds in (90, 60, 30)]
    begun = [event("has started 2 tasks: x.", 10), event("has started 9 tasks: of an earlier deployment.", -60)]
    crashed = {
        "startedBy": "ecs-svc/1",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"exitCode": 1}],
    }
    scaled_in = {"startedBy": "ecs-svc/1", "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/1)"}
    lost = {"startedBy": "ecs-svc/1", "stoppedReason": "Host EC2 terminated.", "stopCode": "TerminationNotice"}
    with (
        scripted(
            services(runningCount=1, deployments=[ROLLING], events=begun),
            services(runningCount=1, deployments=[ROLLING], events=crashing + begun),
            Call("ecs", "ListTasks", {"taskArns": ["t1"]}, {"desiredStatus": "STOPPED"}),
            Call("ecs", "DescribeTasks", {"tasks": [lost] * 3 + [scaled_in] * 3 + [crashed] * 3}),
        ) as aws,
        pytest.raises(
            StateFailedError, match=r"3 tasks stopped .*: Essential container in task exited \(exit code 1\)"
        ),
    ):
        wait_ready(a_run(aws), CHANGED, ANSWER, health=None)


def test_who_does_nothing_wrong_is_not_blamed() -> None:
    reasons = [
        {
            "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/1)",
            "stopCode": "ServiceSchedulerInitiated",
        },
        {"stoppedReason": "Task stopped by user", "stopCode": "UserInitiated"},
    ]
    tasks = [{"startedBy": GOAL.deployment, **one} for one in reasons]
    answers = Call("ecs", "ListTasks", {"taskArns": ["t1", "t2"]}), Call("ecs", "DescribeTasks", {"tasks": tasks})
    with scripted(*answers) as aws:
        assert stopped_reasons(a_run(aws), GOAL) == ()


def test_stopped_tasks_are_read_to_the_last_page() -> None:
    pages = [[f"t{number}" for number in range(100)], ["mine"]]
    mine = {"startedBy": GOAL.deployment, "stoppedReason": "out of memory"}
    with scripted(
        Call("ecs", "ListTasks", {"taskArns": pages[0], "nextToken": "more"}, {"desiredStatus": "STOPPED"}),
        Call("ecs", "ListTasks", {"taskArns": pages[1]}, {"nextToken": "more"}),
        Call("ecs", "DescribeTasks", {"tasks": [{"startedBy": "another"}] * 100}, {"tasks": pages[0]}),
        Call("ecs", "DescribeTasks", {"tasks": [mine]}, {"tasks": pages[1]}),
    ) as aws:
        assert stopped_reasons(a_run(aws), GOAL) == ("out of memory",)


def test_stopped_tasks_may_be_forgotten() -> None:
    failing = deployment(rolloutState="IN_PROGRESS", failedTasks=1)
    with scripted(services(deployments=[failing]), Call("ecs", "ListTasks", {"taskArns": []}), services()) as aws:
        wait_ready(a_run(aws), CHANGED, ANSWER, health=None)


def test_a_wait_that_ends_says_what_was_last_seen() -> None:
    rolling = services(runningCount=1, deployments=[ROLLING], events=[event("has started 1 tasks: x.")])
    with scripted(rolling) as aws, pytest.raises(WaitTimeoutError, match=r"1 of 2 tasks run.*has started 1 tasks"):
        wait_ready(a_run(aws, seconds=0), CHANGED, ANSWER, health=None)


def test_no_such_service() -> None:
    with scripted(Call("ecs", "DescribeServices", {"services": []})) as aws, pytest.raises(NotFoundError):
        describe_service(a_run(aws), "one", "web")
