# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When instances are ready, and what is said when they will never be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.cluster_ready import Readiness
from ansible_collections.container.schedulers.plugins.module_utils._aws.instances import Instances
from ansible_collections.container.schedulers.plugins.module_utils._aws.scaling_activities import (
    activities_of,
    hopeless,
)
from ansible_collections.container.schedulers.plugins.module_utils._compare import differences
from ansible_collections.container.schedulers.plugins.module_utils._errors import StateFailedError, WaitTimeoutError
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Step
from unit.ecs_cluster import a_run, marks
from unit.scripted import Call, failure, scripted


def activity(status: str, message: str = "", description: str = "Launching") -> dict[str, Any]:
    return {"StatusCode": status, "StatusMessage": message, "Description": description}


QUOTA = activity("Failed", "You have requested more vCPU capacity than your current limit")
NO_ROOM = activity(
    "Failed",
    "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-west-1a). Our "
    "system will be working on provisioning additional capacity. You can currently get t3.small capacity by not "
    "specifying an Availability Zone in your request or choosing eu-west-1b. Launching EC2 instance failed.",
)
NO_TYPE = activity(
    "Failed",
    "Your requested instance type (t3.small) is not supported in your requested Availability Zone (eu-west-1a). Please "
    "retry your request by not specifying an Availability Zone or choosing eu-west-1b. Launching EC2 instance failed.",
)
NO_KEY = activity(
    "Cancelled",
    "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
    "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state",
)
NO_ROLE = activity(
    "Failed",
    "Access denied when attempting to assume role arn:aws:iam::123456789012:role/aws-service-role/"
    "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling. Validating load balancer configuration failed.",
)
NO_PROFILE = activity("Failed", "Invalid IAM Instance Profile name")
WELL = activity("Successful")


def rounds(*failures: dict[str, Any], apart: int = 60) -> list[dict[str, Any]]:
    """Activities so many seconds apart, newest first."""
    now = datetime.now(UTC)
    return [{**one, "StartTime": now - timedelta(seconds=apart * age)} for age, one in enumerate(failures)]


@pytest.mark.parametrize(
    ("activities", "reason"),
    [
        ([], None),
        ([WELL], None),
        ([activity("InProgress"), QUOTA], None),
        ([QUOTA, WELL], "more vCPU"),
        ([activity("Failed", "", "Launching i-1")], "Launching i-1"),
        ([NO_ROOM, WELL], None),
        (rounds(*[NO_ROOM] * 3), "capacity"),
        (rounds(*[NO_ROOM] * 5, apart=20), None),
        (rounds(*[NO_ROOM] * 2, apart=200), None),
        ([NO_TYPE, WELL], None),
        ([NO_KEY, NO_KEY], None),
        (rounds(*[NO_KEY] * 3), "KMS key"),
        ([activity("Cancelled", "The group was made smaller")] * 3, None),
        ([NO_PROFILE, NO_PROFILE], None),
        (rounds(*[NO_PROFILE] * 3), "Invalid IAM"),
        (rounds(*[NO_ROLE] * 9, apart=1), None),
        (rounds(*[NO_ROLE] * 9), "assume role"),
    ],
)
def test_what_is_hopeless(activities: list[dict[str, Any]], reason: str | None) -> None:
    found = hopeless(activities)
    assert (found is None) if reason is None else (found is not None and reason in found)


def a_group(*ids: str, desired: int = 2) -> dict[str, Any]:
    members = [{"InstanceId": one, "AvailabilityZone": "eu-west-1a", "LifecycleState": "InService"} for one in ids]
    return {
        "AutoScalingGroupName": "g",
        "MinSize": 0,
        "MaxSize": 9,
        "DesiredCapacity": desired,
        "Instances": members,
        "Tags": marks("auto-scaling-group"),
    }


def live_group(*ids: str, desired: int = 2) -> Live:
    spec = {"min_size": 0, "max_size": 9, "desired_count": desired}
    members = tuple({"instance_id": one, "lifecycle": "InService"} for one in ids)
    return Live("auto-scaling-group", "auto_scaling_group", "g", "g", spec, {"instances": members})


def listed(*ids: str, times: int = 1) -> Call:
    return Call("ecs", "ListContainerInstances", {"containerInstanceArns": [f"arn-{one}" for one in ids]}, times=times)


def described(*ids: str, tasks: int = 0, pending: int = 0, connected: bool = True) -> Call:
    counts = {"runningTasksCount": tasks, "pendingTasksCount": pending, "agentConnected": connected}
    found = [{"ec2InstanceId": one, "containerInstanceArn": f"arn-{one}", **counts} for one in ids]
    return Call("ecs", "DescribeContainerInstances", {"containerInstances": found})


def scaling(*ids: str, desired: int = 2) -> Call:
    return Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": [a_group(*ids, desired=desired)]})


def activities(*found: dict[str, Any]) -> Call:
    return Call("autoscaling", "DescribeScalingActivities", {"Activities": list(found)})


def test_a_cluster_that_is_ready_takes_two_calls() -> None:
    with scripted(listed("i-1", "i-2"), described("i-1", "i-2")) as aws:
        standing = Readiness(a_run(aws), "web", live_group("i-1", "i-2"), fresh=True).await_ready()
    assert [one["ec2InstanceId"] for one in standing.registered] == ["i-1", "i-2"]


def test_a_cluster_that_was_made_a_moment_ago_may_not_be_known_yet() -> None:
    not_yet = Call("ecs", "ListContainerInstances", failure("ClusterNotFoundException"))
    with scripted(not_yet, listed("i-1", "i-2"), described("i-1", "i-2")) as aws:
        assert Readiness(a_run(aws), "web", live_group("i-1", "i-2"), fresh=True).await_ready().ready


def test_no_instances_are_ready_if_none_are_wanted() -> None:
    with scripted(listed()) as aws:
        assert Readiness(a_run(aws), "web", live_group(desired=0), fresh=True).await_ready().ready


def test_instances_are_waited_for() -> None:
    with scripted(listed(), listed("i-1"), listed("i-1", "i-2"), described("i-1", "i-2"), scaling("i-1", "i-2")) as aws:
        assert Readiness(a_run(aws), "web", live_group()).await_ready().ready


def test_instances_of_others_do_not_count() -> None:
    with scripted(
        listed("i-1", "i-9"),
        described("i-1", "i-9"),
        scaling("i-1"),
        listed("i-1", "i-2", "i-9"),
        described("i-1", "i-2", "i-9"),
        scaling("i-1", "i-2"),
    ) as aws:
        assert Readiness(a_run(aws), "web", live_group()).await_ready().ready


def test_what_failed_before_the_run_may_be_mended() -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    old = {"StatusCode": "Failed", "StatusMessage": "vCPU limit", "StartTime": long_ago}
    new = {**old, "StatusMessage": "no capacity", "StartTime": datetime.now(UTC)}
    with scripted(activities(new, old)) as aws:
        assert activities_of(a_run(aws), "g") == [new]


def test_a_group_that_cannot_start_instances_fails_soon() -> None:
    with (
        scripted(
            Call("ecs", "ListContainerInstances", {"containerInstanceArns": []}, times=9), activities(QUOTA)
        ) as aws,
        pytest.raises(StateFailedError, match="AWS does not start instances: You have requested more vCPU") as caught,
    ):
        Readiness(a_run(aws), "web", live_group()).await_ready()
    assert caught.value.details["last_events"] == [f"Failed: {QUOTA['StatusMessage']}"]
    assert aws.clock.time - 1000 < 60


def test_instances_that_do_not_register_are_named_with_their_console() -> None:
    console = {"Output": "\n".join(f"line {number}" for number in range(20))}
    with (
        scripted(
            listed("i-1"),
            activities(WELL),
            described("i-1"),
            scaling("i-1", "i-2"),
            Call("ec2", "GetConsoleOutput", console, {"InstanceId": "i-2"}),
        ) as aws,
        pytest.raises(
            StateFailedError, match=r"do not register with cluster web: i-2; the console of i-2 ends .* line 19"
        ),
    ):
        Readiness(a_run(aws, seconds=0), "web", live_group()).await_ready()


def test_a_console_that_cannot_be_read_is_left_out() -> None:
    with (
        scripted(
            listed(), activities(), scaling("i-1"), Call("ec2", "GetConsoleOutput", failure("UnauthorizedOperation"))
        ) as aws,
        pytest.raises(StateFailedError, match=r"do not register with cluster web: i-1\. An instance registers if"),
    ):
        Readiness(a_run(aws, seconds=0), "web", live_group()).await_ready()


def test_a_wait_that_runs_out_of_time_says_what_is_missing() -> None:
    with (
        scripted(listed("i-1"), activities(activity("InProgress")), described("i-1"), scaling("i-1")) as aws,
        pytest.raises(WaitTimeoutError, match="1 of 2 instances are registered"),
    ):
        Readiness(a_run(aws, seconds=0), "web", live_group()).await_ready()


def test_a_group_that_is_gone_is_never_ready() -> None:
    nothing = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []}, times=2)
    with (
        scripted(listed(), nothing, activities()) as aws,
        pytest.raises(WaitTimeoutError),
    ):
        Readiness(a_run(aws, seconds=0), "web", live_group(desired=0)).await_ready()


STEP = Step("update", "i-1", "instance", "i-1")
OLD = Live("i-1", "instance", "i-1", "i-1", {"template_version": "1"})
DRAINING = Call("ecs", "UpdateContainerInstancesState", params={"status": "DRAINING"})
ENDED = Call("autoscaling", "TerminateInstanceInAutoScalingGroup", params={"ShouldDecrementDesiredCapacity": False})


def noted(instance_id: str) -> Call:
    tag = {"ResourceId": "g", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    tags = [{**tag, "Key": "container.schedulers/leaving", "Value": instance_id}]
    return Call("autoscaling", "CreateOrUpdateTags", params={"Tags": tags})


def tasks_there(running: Sequence[str] = (), stopping: Sequence[str] = ()) -> tuple[Call, ...]:
    found = {"RUNNING": running, "STOPPED": stopping}
    return tuple(
        Call("ecs", "ListTasks", {"taskArns": list(arns)}, {"containerInstance": "arn-i-1", "desiredStatus": status})
        for status, arns in found.items()
    )


def in_full(tasks: Sequence[str], last_status: str) -> Call:
    """One is in this state, the others have stopped, or ECS has forgotten them."""
    found = [{"lastStatus": "STOPPED"}, {"lastStatus": last_status}]
    return Call("ecs", "DescribeTasks", {"tasks": found}, {"tasks": tasks})


@pytest.mark.parametrize("joined", [True, False])
def test_an_instance_that_stays_after_all_gets_tasks_again(joined: bool) -> None:
    live = Live("i-1", "instance", "i-1", "i-1", {"template_version": "1", "leaving": True})
    spec = {"leaving": False}
    step = Step("update", "i-1", "instance", "i-1", spec, live, differences(spec, live.spec))
    active = Call("ecs", "UpdateContainerInstancesState", params={"status": "ACTIVE"})
    with scripted(*((listed("i-1"), active) if joined else (listed(),)), noted("")) as aws:
        kept = Instances(a_run(aws), "web", "g").update(step, spec, live)
    assert kept.spec == {"template_version": "1", "leaving": False}


def test_an_instance_is_drained_ended_and_replaced() -> None:
    with scripted(
        Call(
            "ecs", "ListContainerInstances", {"containerInstanceArns": ["arn-i-1"]}, {"filter": "ec2InstanceId == i-1"}
        ),
        noted("i-1"),
        *tasks_there(),
        DRAINING,
        described("i-1", tasks=2),
        described("i-1", pending=1),
        described("i-1"),
        ENDED,
        scaling("i-2", desired=1),
        listed("i-2"),
        described("i-2"),
        scaling("i-2", desired=1),
    ) as aws:
        made = Instances(a_run(aws), "web", "g").update(STEP, {"template_version": "2"}, OLD)
    assert made.spec == {"template_version": "2"}


def test_an_instance_is_ended_once_its_tasks_have_stopped() -> None:
    """ECS does not count those that are stopping, which answer requests still. An earlier run may have drained it."""
    first, second = [f"task-{number}" for number in range(100)], ["task-100", "stopping"]
    looks = [("DEACTIVATING", "STOPPED"), ("STOPPED", "STOPPING"), ("STOPPED", "DELETED")]
    gone = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []})
    with scripted(
        listed("i-1"),
        noted("i-1"),
        *tasks_there([*first, second[0]], second[1:]),
        DRAINING,
        described("i-1", tasks=2),
        *[described("i-1")] * len(looks),
        *[in_full(first, one) for one, _other in looks],
        *[in_full(second, other) for _one, other in looks],
        ENDED,
        gone,
    ) as aws:
        Instances(a_run(aws), "web", "g").update(STEP, {"template_version": "2"}, OLD)
    operations = [operation for operation, _params in aws.made]
    assert operations.index("list_tasks") < operations.index("update_container_instances_state")


def test_an_instance_whose_agent_is_lost_never_tells_that_tasks_have_stopped() -> None:
    gone = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []})
    drained = noted("i-1"), *tasks_there(["task"]), DRAINING, described("i-1", connected=False)
    with scripted(listed("i-1"), *drained, ENDED, gone) as aws:
        Instances(a_run(aws), "web", "g").update(STEP, {"template_version": "2"}, OLD)


def test_an_instance_is_looked_for_on_every_page() -> None:
    live = Live("i-1", "instance", "i-1", "i-1", {"template_version": "1", "leaving": True})
    spec = {"leaving": False}
    step = Step("update", "i-1", "instance", "i-1", spec, live, differences(spec, live.spec))
    first = Call("ecs", "ListContainerInstances", {"containerInstanceArns": [], "nextToken": "more"})
    active = Call("ecs", "UpdateContainerInstancesState", params={"containerInstances": ["arn-i-1"]})
    with scripted(first, listed("i-1"), active, noted("")) as aws:
        Instances(a_run(aws), "web", "g").update(step, spec, live)


def test_an_instance_that_never_joined_needs_no_draining() -> None:
    with scripted(listed(), ENDED, Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []})) as aws:
        Instances(a_run(aws), "web", "g").update(STEP, {"template_version": "2"}, OLD)


def test_an_instance_ends_once_its_group_has_done_what_it_is_about() -> None:
    busy = Call("autoscaling", "TerminateInstanceInAutoScalingGroup", failure("ScalingActivityInProgress"))
    gone = Call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroups": []})
    with scripted(listed(), busy, ENDED, gone) as aws:
        Instances(a_run(aws), "web", "g").update(STEP, {"template_version": "2"}, OLD)


def test_an_instance_that_the_group_no_longer_has_is_ended() -> None:
    """By a call whose answer was lost, or by another run."""
    message = "Instance Id not found - No managed instance found for instance ID: i-1"
    ended = Call("autoscaling", "TerminateInstanceInAutoScalingGroup", failure("ValidationError", message))
    ready = (scaling("i-2", desired=1), listed("i-2"), described("i-2"), scaling("i-2", desired=1))
    with scripted(listed(), ended, *ready) as aws:
        made = Instances(a_run(aws), "web", "g").update(STEP, {"template_version": "2"}, OLD)
    assert made.spec == {"template_version": "2"}


def test_tasks_that_cannot_move_are_said() -> None:
    with (
        scripted(listed("i-1"), noted("i-1"), *tasks_there(), DRAINING, described("i-1", tasks=3)) as aws,
        pytest.raises(WaitTimeoutError, match=r"3 tasks still run on i-1.*Is there room"),
    ):
        Instances(a_run(aws, seconds=0), "web", "g").update(STEP, {}, OLD)


def test_a_stray_instance_is_terminated() -> None:
    alive = {"Reservations": [{"Instances": [{"InstanceId": "i-2"}]}]}
    with scripted(Call("ec2", "TerminateInstances"), Call("ec2", "DescribeInstances", alive)) as aws:
        Instances(a_run(aws), "web", "g").delete(STEP, OLD)


def test_only_groups_make_instances() -> None:
    with scripted() as aws, pytest.raises(NotImplementedError, match="auto scaling groups"):
        Instances(a_run(aws), "web", "g").create(STEP, {})
