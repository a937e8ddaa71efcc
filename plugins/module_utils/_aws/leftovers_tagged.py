# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left according to the tagging API, which knows most services, and is some minutes behind.

What it names and has a look of its own elsewhere is not told again; of the rest, what a service can be asked about is
asked about, so that a thing which is gone is not told at all. PRIVATE.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._batches import batched
from .._errors import NotFoundError, SchedulersError
from .._leftovers import Leftover, Refusal, State, tried
from .._ownership import OWNER
from .._parallel import gather
from .api import Aws, from_tags

DOING = "look for what is left in all services"
SERVICES_AT_ONCE = 10  # in one DescribeServices
# services that are asked themselves ("" for all kinds), and what goes with something else
ASKED_ELSEWHERE = {
    "autoscaling": ("",),
    "ec2": ("",),
    "ecs": ("cluster", "container-instance", "task"),
    "elasticloadbalancing": ("",),
    "iam": ("instance-profile", "role"),
}


@dataclass(frozen=True)
class Named:
    """A thing that the tagging API names.

    Attributes:
        arn: its id.
        service, kind, name: the parts of the ARN; not every service has a kind.
        tags: its tags.
    """

    arn: str
    service: str
    kind: str
    name: str
    tags: Mapping[str, str]

    @classmethod
    def of(cls, arn: str, tags: Mapping[str, str]) -> Named:
        """The parts of an ARN. Pure."""
        service, resource = arn.split(":", 5)[2::3]
        cut = min((resource.index(sign) for sign in ":/" if sign in resource), default=-1)
        kind, name = (resource[:cut], resource[cut + 1 :]) if cut >= 0 else ("", resource)
        return cls(arn, service, kind, name.removesuffix(":*"), tags)

    def our_word(self) -> str:
        """Its kind, as results call it."""
        return OUR_WORDS.get(self.kind) or self.kind.replace("-", "_") or self.service

    def asked_elsewhere(self) -> bool:
        """Whether its service is asked about its kind anyway."""
        kinds = ASKED_ELSEWHERE.get(self.service, ())
        return "" in kinds or self.kind in kinds


def find(aws: Aws, owner: str) -> Iterator[Leftover | Refusal]:
    """Everything that the tagging API names, and that is there."""
    request = {"TagFilters": [{"Key": OWNER, **({"Values": [owner]} if owner else {})}]}
    answers = aws.pages("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", request, doing=DOING)
    named = [Named.of(one["ResourceARN"], from_tags(one["Tags"])) for one in answers]
    asked = {one.arn: one for one in named if not one.asked_elsewhere()}
    looks = {some[0].arn: partial(tried, partial(_look, aws, some)) for some in _groups([*asked.values()])}
    refused: dict[str, SchedulersError] = {}
    for first, states in gather(looks).items():
        kind = asked[first].our_word()
        if isinstance(states, SchedulersError):
            refused.setdefault(kind, states)
            continue
        for arn, state in states.items():
            yield Leftover("aws", kind, arn, aws.region, asked[arn].tags, state, asked[arn].name)
    yield from (Refusal((kind,), error) for kind, error in refused.items())


def _groups(named: Sequence[Named]) -> Iterator[list[Named]]:
    """Those about which there is one question: the services of a cluster, for example, so many at a time."""
    alike: dict[tuple[str, str, str], list[Named]] = {}
    for one in named:
        alike.setdefault((one.service, one.kind, one.name.rpartition("/")[0]), []).append(one)
    for (service, kind, _within), some in alike.items():
        _ask, size = TOGETHER.get((service, kind), (None, 1))
        yield from batched(some, size)


def _look(aws: Aws, some: Sequence[Named]) -> Mapping[str, State]:
    """How those are that are there."""
    of = (some[0].service, some[0].kind)
    alone = ASKING.get(of)
    try:
        if of in TOGETHER:
            together, _size = TOGETHER[of]
            return together(aws, some)
        state = alone(aws, some[0]) if alone else State("unknown", "the tagging API names it, and may be behind", None)
    except NotFoundError:
        return {}
    return {some[0].arn: state} if state else {}


def _log_group(aws: Aws, named: Named) -> State | None:
    request = {"logGroupNamePrefix": named.name}
    groups = aws.pages("logs", "DescribeLogGroups", "logGroups", request, doing=DOING)
    there = next((one for one in groups if one["logGroupName"] == named.name), None)
    return State("available", f"holds {there.get('storedBytes', 0)} bytes", None) if there else None


def _scalable_targets(aws: Aws, some: Sequence[Named]) -> Mapping[str, State]:
    """There is no question by ARN: all of them are listed."""
    request, arns = {"ServiceNamespace": "ecs"}, {one.arn for one in some}
    targets = aws.pages("application-autoscaling", "DescribeScalableTargets", "ScalableTargets", request, doing=DOING)
    found = {one.get("ScalableTargetARN", ""): State("registered", f"scales {one['ResourceId']}") for one in targets}
    return {arn: state for arn, state in found.items() if arn in arns}


def _services(aws: Aws, some: Sequence[Named]) -> Mapping[str, State]:
    cluster, arns = some[0].name.rpartition("/")[0], {one.name.rpartition("/")[2]: one.arn for one in some}
    request = {"services": [*arns.values()], **({"cluster": cluster} if cluster else {})}
    services = aws.call("ecs", "DescribeServices", request, doing=DOING)["services"]
    return {arns[one["serviceName"]]: service_state(one) for one in services if one["status"] != "INACTIVE"}


def service_state(service: Mapping[str, Any]) -> State:
    """How an ECS service is. It costs what the instances under its tasks cost."""
    return State(service["status"].lower(), f"wants {service['desiredCount']} tasks, has {service['runningCount']}")


def _task_definition(aws: Aws, named: Named) -> State | None:
    answer = aws.call("ecs", "DescribeTaskDefinition", {"taskDefinition": named.arn}, doing=DOING)
    status = answer["taskDefinition"]["status"]
    return None if status == "DELETE_IN_PROGRESS" else State(status.lower())


def _parameter(aws: Aws, named: Named) -> State | None:
    filters = [{"Key": "Name", "Option": "Equals", "Values": [f"/{named.name}", named.name]}]
    request = {"ParameterFilters": filters}
    found = aws.pages("ssm", "DescribeParameters", "Parameters", request, doing=DOING)
    return State("available", f"a {found[0]['Type']}") if found else None


ASKING: Mapping[tuple[str, str], Callable[[Aws, Named], State | None]] = {
    ("ecs", "task-definition"): _task_definition,
    ("logs", "log-group"): _log_group,
    ("ssm", "parameter"): _parameter,
}
# how many at a time, too
TOGETHER: Mapping[tuple[str, str], tuple[Callable[[Aws, Sequence[Named]], Mapping[str, State]], int]] = {
    ("application-autoscaling", "scalable-target"): (_scalable_targets, sys.maxsize),
    ("ecs", "service"): (_services, SERVICES_AT_ONCE),
}
OUR_WORDS = {"scalable-target": "service_scaling"}
ASKED = ("log_group", "parameter", "service_scaling", "task_definition")
