# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left according to the tagging API, which knows most services, and is some minutes behind.

What it names and has a look of its own elsewhere is not told again; of the rest, what a service can be asked about is
asked about, so that a thing which is gone is not told at all. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import NotFoundError, SchedulersError
from .._leftovers import Leftover, Refusal, State, tried
from .._ownership import OWNER
from .._parallel import gather
from .api import Aws, from_tags

DOING = "look for what is left in all services"
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
    looks = {arn: partial(tried, partial(_look, aws, one)) for arn, one in asked.items()}
    refused: dict[str, SchedulersError] = {}
    for arn, state in gather(looks).items():
        one = asked[arn]
        kind = OUR_WORDS.get(one.kind) or one.kind.replace("-", "_") or one.service
        if isinstance(state, SchedulersError):
            refused.setdefault(kind, state)
        elif state:
            yield Leftover("aws", kind, arn, aws.region, one.tags, state, one.name)
    yield from (Refusal((kind,), error) for kind, error in refused.items())


def _look(aws: Aws, named: Named) -> State | None:
    ask = ASKING.get((named.service, named.kind))
    if not ask:
        return State("unknown", "the tagging API names it, and may be behind", None)
    try:
        return ask(aws, named)
    except NotFoundError:
        return None


def _log_group(aws: Aws, named: Named) -> State | None:
    request = {"logGroupNamePrefix": named.name}
    groups = aws.pages("logs", "DescribeLogGroups", "logGroups", request, doing=DOING)
    there = next((one for one in groups if one["logGroupName"] == named.name), None)
    return State("available", f"holds {there.get('storedBytes', 0)} bytes", None) if there else None


def _scalable_target(aws: Aws, named: Named) -> State | None:
    request = {"ServiceNamespace": "ecs"}
    targets = aws.pages("application-autoscaling", "DescribeScalableTargets", "ScalableTargets", request, doing=DOING)
    there = next((one for one in targets if one.get("ScalableTargetARN") == named.arn), None)
    return State("registered", f"scales {there['ResourceId']}") if there else None


def _service(aws: Aws, named: Named) -> State | None:
    cluster = named.name.rpartition("/")[0]
    request = {"services": [named.arn], **({"cluster": cluster} if cluster else {})}
    services = aws.call("ecs", "DescribeServices", request, doing=DOING)["services"]
    return next((service_state(one) for one in services if one["status"] != "INACTIVE"), None)


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
    ("application-autoscaling", "scalable-target"): _scalable_target,
    ("ecs", "service"): _service,
    ("ecs", "task-definition"): _task_definition,
    ("logs", "log-group"): _log_group,
    ("ssm", "parameter"): _parameter,
}
OUR_WORDS = {"scalable-target": "service_scaling"}
ASKED = ("log_group", "parameter", "service_scaling", "task_definition")
