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

from .._errors import NotFoundError
from .._leftovers import Leftover, State
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


def find(aws: Aws, owner: str) -> Iterator[Leftover]:
    """Everything that the tagging API names, and that is there."""
    request = {"TagFilters": [{"Key": OWNER, **({"Values": [owner]} if owner else {})}]}
    answers = aws.pages("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", request, doing=DOING)
    named = [Named.of(one["ResourceARN"], from_tags(one["Tags"])) for one in answers]
    looks = {one.arn: partial(_look, aws, one) for one in named if not one.asked_elsewhere()}
    for one in named:
        state = states[one.arn] if (states := gather(looks)) and one.arn in looks else None
        if state:
            yield Leftover("aws", one.kind.replace("-", "_") or one.service, one.arn, aws.region, one.tags, state)


def _look(aws: Aws, named: Named) -> State | None:
    ask = ASKING.get((named.service, named.kind))
    if not ask:
        return State("unknown", "the tagging API names it, and may be behind", None)
    try:
        return ask(aws, named)
    except NotFoundError:
        return None
