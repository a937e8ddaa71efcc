# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances may do: an IAM role with its policies, and the instance profile that hands it to them. PRIVATE."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

from .._errors import BusyError, InputError, NotFoundError, SchedulersError
from .._ownership import require_ours
from .._plan import Live, Spec, Step
from .._retry import create_once
from .api import Aws, from_tags, to_tags
from .run import Run

ROLE = "role"  # keys of a plan, and parts in the mark
INSTANCE_PROFILE = "instance-profile"
ATTACHED = "attached"
PATIENCE_SECONDS = 10.0  # a run makes its VPC within a few seconds of its role

# beginning of a region's name -> partition (botocore's partitions.json)
PARTITIONS = {
    "cn-": "aws-cn",
    "eusc-": "aws-eusc",
    "eu-isoe-": "aws-iso-e",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}

IDENTITY_GRAPH: Mapping[str, tuple[str, ...]] = {"role": (), "instance_profile": ("role",)}


def partition(region: str) -> str:
    """The partition that a region belongs to, as ARNs have it."""
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


def domain(region: str) -> str:
    """The one that a region's services are in."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def trust_policy(region: str) -> str:
    """Lets EC2 instances take the role."""
    statement = {"Effect": "Allow", "Principal": {"Service": f"ec2.{domain(region)}"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def attached(policies: Iterable[str]) -> dict[str, str]:
    """Policies as a role's spec has them: a mapping, so that a difference names the one that is missing. Pure."""
    return dict.fromkeys(sorted(policies), ATTACHED)


def check_policy(aws: Aws, option: str, arn: str) -> None:
    """Refuse an option that names a policy which is not there.

    Raises:
        InputError: there is none of this ARN.
    """
    try:
        aws.call("iam", "GetPolicy", {"PolicyArn": arn}, doing=f"look up policy {arn}")
    except NotFoundError as error:
        raise InputError(f"{option}: there is no policy {arn}") from error


def read_role(
    run: Run,
    name: str,
    *,
    key: str = ROLE,
    adopt: bool = False,
    expected: Collection[str] = (),
    inline: bool = False,
) -> Live | None:
    """The role with its policies, if it is there.

    Args:
        key: its key in a plan.
        expected: policies to take for granted instead of reading those that it has; enough for deleting it.
        inline: whether it has a policy of its own, of the same name as the role.

    Raises:
        NotOursError: there is one of this name that is not ours.
    """
    role = _found(run, "GetRole", {"RoleName": name}, f"look for role {name}").get("Role")
    if not role:
        return None
    tags = from_tags(role.get("Tags"))
    require_ours(run.mark, tags, f"role {name}", adopt=adopt)
    spec: dict[str, Any] = {"policies": attached(expected or _policies(run, name)), "tags": tags}
    if inline:
        spec["inline"] = _inline(run, name)
    return Live(key, "role", name, name, spec, {"created": role["CreateDate"]})


def read_instance_profile(run: Run, name: str, *, key: str = INSTANCE_PROFILE, adopt: bool = False) -> Live | None:
    """The instance profile, if it is there.

    Raises:
        NotOursError: there is one of this name that is not ours.
    """
    doing = f"look for instance profile {name}"
    profile = _found(run, "GetInstanceProfile", {"InstanceProfileName": name}, doing).get("InstanceProfile")
    if not profile:
        return None
    tags = from_tags(profile.get("Tags"))
    require_ours(run.mark, tags, f"instance profile {name}", adopt=adopt)
    role = next((one["RoleName"] for one in profile.get("Roles", ())), None)
    return Live(key, "instance_profile", name, name, {"role": role, "tags": tags})


def role_age(role: Live | None) -> float:
    """Seconds since a role was made."""
    if role is None:
        return 0.0
    made: datetime.datetime = role.attributes["created"]
    return max(0.0, (datetime.datetime.now(datetime.UTC) - made).total_seconds())


def patience(roles: Roles, name: str, before: Live | None) -> Callable[[], float]:
    """For how many seconds another run may still be making what only one may make: none if this run made the role.

    Args:
        name: of the role.
        before: the role as it was before this run.
    """
    return lambda: 0.0 if name in roles.made_here else max(0.0, PATIENCE_SECONDS - role_age(before))


class Roles:
    """Roles with spec ``{policies, inline, tags}``; policies are compared and made in full.

    ``policies`` are managed ones, ``inline`` is the document of the role's own, if it has one.

    Attributes:
        made_here: names of the roles that this very run made: IAM lets one run only make a role of a name, so it is
            also the run that may make what has no unique name of its own.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.made_here: set[str] = set()

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "RoleName": step.name,
            "AssumeRolePolicyDocument": trust_policy(self._run.aws.region),
            "Description": f"Instances of {self._run.mark.owner}",
            "Tags": to_tags(spec["tags"]),
        }

        def create() -> Live:
            role = self._call("CreateRole", request, step)["Role"]
            self.made_here.add(step.name)
            return Live(step.key, "role", step.name, step.name, {"policies": {}}, {"created": role["CreateDate"]})

        role = create_once(create, lambda: read_role(self._run, step.name), self._run.aws.policy)
        self._attach(step, role, spec["policies"])
        if spec.get("inline"):
            self._put(step, spec["inline"])
        return Live(step.key, "role", step.name, role.id, spec, role.attributes)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        self._attach(step, live, spec["policies"])
        for policy in sorted({*live.spec["policies"]} - {*spec["policies"]}):
            self._detach(step, live.id, policy)
        changed = {one.field for one in step.differences}
        if "inline" in changed:
            self._put(step, spec["inline"])
        if "tags" in changed:
            self._call("TagRole", {"RoleName": live.id, "Tags": to_tags(spec["tags"])}, step)
        return Live(live.key, "role", live.name, live.id, {**live.spec, **spec}, live.attributes)

    def delete(self, step: Step, live: Live) -> None:
        run, request = self._run, {"RoleName": live.id}
        try:
            for policy in live.spec["policies"]:
                self._detach(step, live.id, policy)
            if live.spec.get("inline"):
                self._remove(step, live.id, live.id)
            run.aws.call("iam", "DeleteRole", request, doing=step.sentence)
        except NotFoundError:
            return
        except BusyError:  # it has policies that nobody expected
            for policy in _policies(run, live.id):
                self._detach(step, live.id, policy)
            for policy in run.aws.pages("iam", "ListRolePolicies", "PolicyNames", request, doing=step.sentence):
                self._remove(step, live.id, policy)
            run.aws.delete("iam", "DeleteRole", request, doing=step.sentence, deadline=run.deadline, pace=run.pace)

    def _put(self, step: Step, document: Mapping[str, Any]) -> None:
        request = {"RoleName": step.name, "PolicyName": step.name, "PolicyDocument": json.dumps(document)}
        self._call("PutRolePolicy", request, step)

    def _remove(self, step: Step, role: str, policy: str) -> None:
        with suppress(NotFoundError):
            request = {"RoleName": role, "PolicyName": policy}
            self._run.aws.call("iam", "DeleteRolePolicy", request, doing=step.sentence)

    def _attach(self, step: Step, live: Live, policies: Iterable[str]) -> None:
        for policy in sorted({*policies} - {*live.spec["policies"]}):
            self._call("AttachRolePolicy", {"RoleName": live.id, "PolicyArn": policy}, step)

    def _detach(self, step: Step, role: str, policy: str) -> None:
        with suppress(NotFoundError):
            request = {"RoleName": role, "PolicyArn": policy}
            self._run.aws.call("iam", "DetachRolePolicy", request, doing=step.sentence)

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call("iam", operation, request, doing=step.sentence, settles=True)


class InstanceProfiles:
    """Instance profiles with spec ``{role, tags}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {"InstanceProfileName": step.name, "Tags": to_tags(spec["tags"])}

        def create() -> Live:
            self._call("CreateInstanceProfile", request, step)
            return Live(step.key, "instance_profile", step.name, step.name, {"role": None})

        profile = create_once(create, lambda: read_instance_profile(self._run, step.name), self._run.aws.policy)
        return self._filled(step, spec, profile)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        if any(one.field == "tags" for one in step.differences):
            self._call("TagInstanceProfile", {"InstanceProfileName": live.id, "Tags": to_tags(spec["tags"])}, step)
        return self._filled(step, spec, live)

    def delete(self, step: Step, live: Live) -> None:
        if live.spec["role"]:
            self._empty(step, live)
        self._run.aws.delete(
            "iam",
            "DeleteInstanceProfile",
            {"InstanceProfileName": live.id},
            doing=step.sentence,
            deadline=self._run.deadline,
        )

    def _filled(self, step: Step, spec: Spec, live: Live) -> Live:
        """With the wanted role in it; a profile holds one role at most."""
        if live.spec["role"] not in (None, spec["role"]):
            self._empty(step, live)
        if live.spec["role"] != spec["role"]:
            self._fill(step, live.id, spec["role"])
        return Live(step.key, "instance_profile", live.name, live.id, spec)

    def _fill(self, step: Step, name: str, role: str) -> None:
        request = {"InstanceProfileName": name, "RoleName": role}
        try:
            self._call("AddRoleToInstanceProfile", request, step)
        except SchedulersError:
            # IAM refuses a second role as LimitExceeded: another run, or an answer that was lost, has put one in
            there = read_instance_profile(self._run, name)
            if there is None or there.spec["role"] != role:
                raise

    def _empty(self, step: Step, live: Live) -> None:
        with suppress(NotFoundError):
            request = {"InstanceProfileName": live.id, "RoleName": live.spec["role"]}
            self._run.aws.call("iam", "RemoveRoleFromInstanceProfile", request, doing=step.sentence)

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call("iam", operation, request, doing=step.sentence, settles=True)


def _policies(run: Run, role: str) -> list[str]:
    request, doing = {"RoleName": role}, f"read the policies of role {role}"
    found = run.aws.pages("iam", "ListAttachedRolePolicies", "AttachedPolicies", request, doing=doing)
    return [one["PolicyArn"] for one in found]


def _inline(run: Run, role: str) -> dict[str, Any] | None:
    """The document of the role's own policy; botocore has decoded it."""
    request = {"RoleName": role, "PolicyName": role}
    answer = _found(run, "GetRolePolicy", request, f"read the policy of role {role}")
    document: dict[str, Any] | None = answer.get("PolicyDocument")
    return document


def _found(run: Run, operation: str, request: Mapping[str, Any], doing: str) -> dict[str, Any]:
    """The answer, or nothing if there is no such thing."""
    try:
        return run.aws.call("iam", operation, request, doing=doing)
    except NotFoundError:
        return {}
