# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions: which revision an app continues, how another is registered, and which may go. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._batches import batched
from .._compare import differences
from .._errors import NotFoundError, SchedulersError
from .._ownership import require_ours
from .._parallel import gather
from .._plan import Live, Rule, Spec, Step
from .._retry import create_once
from .api import ecs_tags, from_tags
from .app_options import AppOptions
from .run import Run
from .task_definition_spec import normalised, rendered, wanted_definition

TASK_DEFINITION = "task-definition"  # key in a plan, and part in the mark
TASK_DEFINITION_RULE = Rule(renews=True)
DELETED_AT_ONCE = 10  # task definitions in one DeleteTaskDefinitions
GONE = re.compile(r"does not exist|DELETE_IN_PROGRESS")  # why it does not delete one that is deleted already


def family_of(arn: str) -> str:
    """The family of a revision's ARN."""
    return arn.rpartition("/")[2].partition(":")[0]


def revision_of(arn: str) -> int:
    """The number of a revision's ARN."""
    return int(arn.rpartition(":")[2])


def describe(run: Run, name: str, doing: str) -> Live | None:
    """A revision by its ARN, or the latest active one of a family."""
    request = {"taskDefinition": name, "include": ["TAGS"]}
    try:
        answer = run.aws.call("ecs", "DescribeTaskDefinition", request, doing=doing)
    except NotFoundError:
        return None
    return _live(answer["taskDefinition"], from_tags(answer.get("tags")))


def read_task_definition(run: Run, family: str, *, adopt: bool) -> Live | None:
    """The latest active revision of the app's family.

    Raises:
        NotOursError: it is not ours to continue.
    """
    live = describe(run, family, f"look for task definition {family}")
    if live is None or live.attributes["raw"].get("status") != "ACTIVE":
        return None
    require_ours(run.mark, live.spec["tags"], f"task definition {family}", adopt=adopt)
    return live


def read_continued(run: Run, options: AppOptions, used: str | None) -> Live | None:
    """The revision that the options continue: the one that the service uses.

    The latest one may be another, whose deployment was rolled back or refused. It counts only where it is what the
    options make of the one in use: a run that was killed before it deployed it has registered it.

    Args:
        used: the ARN of the revision that the service uses; None: there is no service.

    Raises:
        InputError: the options do not fit to what is there.
        NotOursError: it is not ours to continue.
    """
    family = str(options.family)
    latest = read_task_definition(run, family, adopt=options.adopt)
    if used is None or family_of(used) != family or (latest and latest.id == used):
        return latest
    label = f"task definition {family}:{revision_of(used)}"
    in_use = describe(run, used, f"look at {label}")
    if in_use is None:
        return latest
    require_ours(run.mark, in_use.spec["tags"], label, adopt=options.adopt)
    spec = wanted_definition(options, in_use, run.aws.region, {})
    return latest if latest and _same(spec, latest) and not _same(spec, in_use) else in_use


def _live(definition: Mapping[str, Any], tags: Mapping[str, str]) -> Live:
    arn = definition["taskDefinitionArn"]
    attributes = {"arn": arn, "revision": definition["revision"], "raw": definition}
    return Live(TASK_DEFINITION, "task_definition", family_of(arn), arn, normalised(definition, tags), attributes)


class TaskDefinitions:
    """Revisions: made, tagged, and deleted by the family.

    ``RegisterTaskDefinition`` has neither a token nor a unique name: after a lost answer the latest revision is looked
    at before another is made, and of two runs at the same time the later one gives its revision up for the other's.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        return self._registered(step, spec, None)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        if {one.field for one in step.differences} == {"tags"}:
            request = {"resourceArn": live.id, "tags": ecs_tags(spec["tags"])}
            self._run.aws.call("ecs", "TagResource", request, doing=step.sentence)
            return live
        return self._registered(step, spec, live)

    def delete(self, step: Step, live: Live) -> None:
        for arn in live.attributes["active"]:
            self._deregister(arn, step)
        self._delete([*live.attributes["active"], *live.attributes["inactive"]], step)

    def _registered(self, step: Step, spec: Spec, before: Live | None) -> Live:
        request = rendered(step.name, spec, before.attributes["raw"] if before else {})

        def create() -> Live:
            answer = self._run.aws.call("ecs", "RegisterTaskDefinition", request, doing=step.sentence)
            return _live(answer["taskDefinition"], spec["tags"])

        def find() -> Live | None:
            latest = describe(self._run, step.name, step.sentence)
            return latest if latest and _same(spec, latest) else None

        return self._without_twin(step, spec, before, create_once(create, find, self._run.aws.policy))

    def _without_twin(self, step: Step, spec: Spec, before: Live | None, made: Live) -> Live:
        """The revision just before, if another run has made it for the same purpose meanwhile; else the one made."""
        previous = made.attributes["revision"] - 1
        if previous == (before.attributes["revision"] if before else 0):
            return made
        twin = describe(self._run, f"{step.name}:{previous}", step.sentence)
        if twin is None or twin.attributes["raw"].get("status") != "ACTIVE" or not _same(spec, twin):
            return made
        self._deregister(made.id, step)
        self._delete([made.id], step)
        return twin

    def _deregister(self, arn: str, step: Step) -> None:
        self._run.aws.delete(
            "ecs",
            "DeregisterTaskDefinition",
            {"taskDefinition": arn},
            doing=step.sentence,
            deadline=self._run.deadline,
        )

    def _delete(self, arns: Sequence[str], step: Step) -> None:
        for some in batched(arns, DELETED_AT_ONCE):
            request = {"taskDefinitions": some}
            answer = self._run.aws.call("ecs", "DeleteTaskDefinitions", request, doing=step.sentence)
            for one in answer.get("failures", ()):  # which are no error to ECS
                if not GONE.search(one["reason"]):
                    raise SchedulersError(f"{one['reason']} ({one['arn']})", doing=step.sentence)


def _same(spec: Spec, live: Live) -> bool:
    return not differences(spec, live.spec)


def find_revisions(run: Run, family: str, marked: Collection[str]) -> Live | None:
    """All our revisions of a family that are not being deleted already, as one thing to delete.

    Args:
        marked: the ARNs of those that the tagging API knows as ours; it may lag behind, so active ones that it does
            not know are asked themselves.
    """
    listed = _arns(run, family, "ACTIVE")
    ours = {*marked, *_ours(run, [arn for arn in listed if arn not in marked])}
    active = [arn for arn in listed if arn in ours]
    others = {*marked} - {*active}
    inactive = [arn for arn in _arns(run, family, "INACTIVE") if arn in others] if others else []
    return as_one(family, active, inactive) if active or inactive else None


def find_old_revisions(run: Run, family: str, keep: int, in_use: Collection[str]) -> Live | None:
    """Our active revisions of a family beyond the latest ``keep``, but for those that a service still uses."""
    active = sorted(_arns(run, family, "ACTIVE"), key=revision_of, reverse=True)
    old = _ours(run, [arn for arn in active[keep:] if arn not in in_use])
    return as_one(family, old, ()) if old else None


def as_one(family: str, active: Iterable[str], inactive: Iterable[str]) -> Live:
    """Revisions of a family as one thing to delete."""
    attributes = {"active": sorted(active, key=revision_of), "inactive": sorted(inactive, key=revision_of)}
    numbers = sorted(revision_of(arn) for arns in attributes.values() for arn in arns)
    name = f"{family}:{','.join(str(number) for number in numbers)}"
    spec = {kind: [revision_of(arn) for arn in arns] for kind, arns in attributes.items()}  # for the diff
    return Live(f"{TASK_DEFINITION}/{name}", "task_definition", name, family, spec, attributes)


def _arns(run: Run, family: str, status: str) -> list[str]:
    request = {"familyPrefix": family, "status": status}
    doing = f"list the revisions of task definition {family}"
    arns = run.aws.pages("ecs", "ListTaskDefinitions", "taskDefinitionArns", request, doing=doing)
    return [arn for arn in arns if re.search(rf"/{re.escape(family)}:\d+$", arn)]


def _ours(run: Run, arns: Sequence[str]) -> list[str]:
    """Those of the revisions that carry our mark: asked one by one, as ECS has no other way."""
    doing = "look at the revisions of a task definition"
    found = gather({arn: lambda arn=arn: describe(run, arn, doing) for arn in arns})  # type: ignore[misc]
    return [arn for arn, live in found.items() if live and run.mark.covers(live.spec["tags"])]
