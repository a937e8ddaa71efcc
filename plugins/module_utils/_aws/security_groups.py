# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups, and who may reach what stands behind them.

Two kinds of rules, owned by two parties: those for address ranges belong to the group's own spec and are compared in
full; one for another security group ("the load balancer of app web may reach the instances") is a resource of its own
(``IngressRules``), so that an app can add its rule to the group of its cluster and neither takes away the other's.
Whose such a rule is stands in its description, and so it does where apps share a group. PRIVATE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .._errors import ConflictError
from .._ownership import Mark, require_ours
from .._plan import Live, Rule, Spec, Step
from .._retry import create_once
from .api import from_tags, tag_filter, tag_specifications
from .ec2 import retag
from .run import Run

SECURITY_GROUP_RULE = Rule(immutable=frozenset({"vpc_id"}))
ALLOWED = "allowed"
DESCRIPTION_LIMIT = 255  # of EC2; the owner's name alone may have more
OUR_RULE = "container.schedulers: "  # what the description of a rule begins with
TEXT = re.compile(r"(?P<protocol>\S+) (?P<first>-?\d+)(-(?P<last>-?\d+))? from (?P<source>\S+)")


@dataclass(frozen=True)
class Opening:
    """One way in: ports of a protocol, from an address range. As text: "tcp 80 from 10.0.0.0/8".

    ICMP has a type and a code in their place, -1 for any: "icmp 8--1 from 10.0.0.0/8".
    """

    protocol: str
    first: int
    last: int
    source: str

    def __str__(self) -> str:
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {ports} from {self.source}"

    @classmethod
    def parse(cls, text: str) -> Opening:
        """The opening that a text stands for."""
        match = TEXT.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is no opening")
        first = int(match["first"])
        return cls(match["protocol"], first, int(match["last"] or first), match["source"])

    def permission(self, description: str = "") -> dict[str, Any]:
        """As EC2 takes it; to take it back nobody need know how it is described."""
        said = {"Description": description} if description else {}
        ipv6 = {"Ipv6Ranges": [{"CidrIpv6": self.source, **said}]} if ":" in self.source else None
        ports = {"IpProtocol": self.protocol, "FromPort": self.first, "ToPort": self.last}
        return {**ports, **(ipv6 or {"IpRanges": [{"CidrIp": self.source, **said}]})}


def allowed(texts: Iterable[str]) -> dict[str, str]:
    """Openings as a group's spec has them: a mapping, so that a difference names the one that is too many. Pure."""
    return dict.fromkeys(sorted(texts), ALLOWED)


def openings(permissions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The rules for address ranges of a live group, as its spec has them. Pure."""
    return allowed(described_openings(permissions))


def described_openings(permissions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The same with how each is described. Pure."""
    found = {}
    for one in permissions:
        ports = (one["IpProtocol"], one.get("FromPort", 0), one.get("ToPort", 65535))
        for entry in (*one.get("IpRanges", ()), *one.get("Ipv6Ranges", ())):
            source = entry.get("CidrIp") or entry["CidrIpv6"]
            found[str(Opening(*ports, source))] = entry.get("Description", "")
    return found


def ports_of_others(permissions: Iterable[Mapping[str, Any]]) -> tuple[range, ...]:
    """The ports that somebody else has opened, for whichever source: where we do, the description says so. Pure."""
    return tuple(
        range(one.get("FromPort", 0), one.get("ToPort", 65535) + 1)
        for one in permissions
        if any(
            not is_ours(entry.get("Description", ""))
            for sources in ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
            for entry in one.get(sources, ())
        )
    )


def live_security_group(group: Mapping[str, Any], key: str, kind: str) -> Live:
    """A group of DescribeSecurityGroups."""
    permissions = group.get("IpPermissions", ())
    described = described_openings(permissions)
    spec = {"vpc_id": group["VpcId"], "ingress": allowed(described), "tags": from_tags(group.get("Tags"))}
    attributes = {"described": described, "ports_of_others": ports_of_others(permissions)}
    return Live(key, kind, group["GroupName"], group["GroupId"], spec, attributes)


def find_security_groups(run: Run, part: str) -> list[dict[str, Any]]:
    """The groups that carry our mark for this part, in whichever VPC."""
    filters = {"Filters": tag_filter(run.mark.tags(part))}
    doing = f"look for the {part} of {run.mark.owner}"
    return run.aws.pages("ec2", "DescribeSecurityGroups", "SecurityGroups", filters, doing=doing)


class SecurityGroups:
    """Groups with spec ``{vpc_id, ingress, tags}``; ingress is what ``allowed`` makes of ``Opening`` texts.

    Args:
        opening: what an opening is described as.
    """

    def __init__(self, run: Run, opening: str = "") -> None:
        self._run = run
        self._opening = opening

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "GroupName": step.name,
            "Description": f"{step.kind.replace('_', ' ').capitalize()} of {self._run.mark.owner}"[:DESCRIPTION_LIMIT],
            "VpcId": spec["vpc_id"],
            "TagSpecifications": tag_specifications("security-group", spec["tags"]),
        }

        def create() -> Live:
            answer = self._call("CreateSecurityGroup", request, step)
            return Live(step.key, step.kind, step.name, answer["GroupId"], {**spec, "ingress": {}})

        group = create_once(create, lambda: self._named(step, spec["vpc_id"]), self._run.aws.policy)
        self._open(step, group, spec.get("ingress", ()))
        return Live(group.key, group.kind, group.name, group.id, spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if "ingress" in changed:
            self._open(step, live, spec["ingress"])
            self._shut(step, live, spec["ingress"])
        if "tags" in changed:
            retag(self._run, step, spec["tags"], live.id)
        return Live(live.key, live.kind, live.name, live.id, {**live.spec, **spec})

    def delete(self, step: Step, live: Live) -> None:
        self._run.aws.delete(
            "ec2",
            "DeleteSecurityGroup",
            {"GroupId": live.id},
            doing=step.sentence,
            deadline=self._run.deadline,
            pace=self._run.pace,
        )

    def _named(self, step: Step, vpc_id: str) -> Live | None:
        """The group that has taken the name, if it is ours."""
        filters = [{"Name": "group-name", "Values": [step.name]}, {"Name": "vpc-id", "Values": [vpc_id]}]
        found = self._call("DescribeSecurityGroups", {"Filters": filters}, step)["SecurityGroups"]
        for group in found:
            require_ours(self._run.mark, from_tags(group.get("Tags")), step.label)
            return live_security_group(group, step.key, step.kind)
        return None

    def _open(self, step: Step, live: Live, wanted: Iterable[str]) -> None:
        missing = sorted({*wanted} - {*live.spec["ingress"]})
        try:
            self._authorize(step, live, missing)
        except ConflictError:  # one of them is there by now, which refused all of them
            for one in missing:
                self._open_one(step, live, one)

    def _open_one(self, step: Step, live: Live, opening: str) -> None:
        with suppress(ConflictError):
            self._authorize(step, live, [opening])

    def _shut(self, step: Step, live: Live, wanted: Iterable[str]) -> None:
        """One by one: EC2 would take back none of them if one was gone already."""
        for one in sorted({*live.spec["ingress"]} - {*wanted}):
            request = {"GroupId": live.id, "IpPermissions": [Opening.parse(one).permission()]}
            self._run.aws.delete(
                "ec2", "RevokeSecurityGroupIngress", request, doing=step.sentence, deadline=self._run.deadline
            )

    def _authorize(self, step: Step, live: Live, texts: list[str]) -> None:
        if texts:
            permissions = [Opening.parse(one).permission(self._opening) for one in texts]
            self._call("AuthorizeSecurityGroupIngress", {"GroupId": live.id, "IpPermissions": permissions}, step)

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call("ec2", operation, request, doing=step.sentence, settles=True)


class IngressRules:
    """Rules with spec ``{group_id, source_group_id, protocol, first, last}``: one security group may reach another."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = source_request(spec, rule_description(self._run.mark))
        with suppress(ConflictError):  # there already: that is all that was wanted
            self._run.aws.call("ec2", "AuthorizeSecurityGroupIngress", request, doing=step.sentence, settles=True)
        return Live(step.key, step.kind, step.name, spec["group_id"], spec)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        rule = self.create(step, spec)
        self.delete(step, live)
        return rule

    def delete(self, step: Step, live: Live) -> None:
        self._run.aws.delete(
            "ec2",
            "RevokeSecurityGroupIngress",
            source_request(live.spec),
            doing=step.sentence,
            deadline=self._run.deadline,
        )


def is_ours(description: str) -> bool:
    """Whether we made the rule that is described so, for whichever app. Pure."""
    return description.startswith(OUR_RULE)


def rule_description(mark: Mark) -> str:
    """What a rule that we make for an app is described as: it has no tags that DescribeSecurityGroups shows."""
    return f"{OUR_RULE}{mark.app or mark.owner}"[:DESCRIPTION_LIMIT]


def source_request(spec: Spec, description: str = "") -> dict[str, Any]:
    """A rule for a source group, as EC2 takes it; to take it back nobody need know how it is described."""
    ports = {"IpProtocol": spec["protocol"], "FromPort": spec["first"], "ToPort": spec["last"]}
    source = {"GroupId": spec["source_group_id"], **({"Description": description} if description else {})}
    return {"GroupId": spec["group_id"], "IpPermissions": [{**ports, "UserIdGroupPairs": [source]}]}


def source_openings(group: Mapping[str, Any], source_group_id: str) -> list[tuple[dict[str, Any], str]]:
    """The rules of a group of DescribeSecurityGroups for one source group: specs of ``IngressRules``, and how each is
    described. Pure."""
    return [
        (
            {
                "group_id": group["GroupId"],
                "source_group_id": source_group_id,
                "protocol": one["IpProtocol"],
                "first": one.get("FromPort", 0),
                "last": one.get("ToPort", 65535),
            },
            pair.get("Description", ""),
        )
        for one in group.get("IpPermissions", ())
        for pair in one.get("UserIdGroupPairs", ())
        if pair.get("GroupId") == source_group_id
    ]
