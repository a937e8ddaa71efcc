# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application and network load balancers: the balancer, the target group of an app, the listener that joins them.

The target group and the listener belong to the app; the load balancer does too, unless apps of the cluster share it.
PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .._batches import batched
from .._errors import ConflictError, InputError, NotFoundError
from .._ownership import Mark, require_ours
from .._parallel import gather
from .._plan import Live, Rule, Spec, Step
from .._retry import create_once
from .api import from_tags, to_tags
from .balancer_options import Balancer
from .load_balancer_classic import LOAD_BALANCER
from .run import Run
from .service_judgement import Health

TARGET_GROUP = "target-group"  # keys in a plan, and parts in the mark
LISTENER = "listener"
V2_RULES: Mapping[str, Rule] = {
    "load_balancer": Rule(immutable=frozenset({"type", "scheme", "vpc_id"})),
    "target_group": Rule(immutable=frozenset({"vpc_id", "protocol"})),
}
PROTOCOLS = {"application": "HTTP", "network": "TCP"}
TARGET_PORT = 80  # of no effect: ECS registers each task with its own
RENAME = "Choose another name for the app: that of the target group is made of the cluster's and the app's"
TAGS_AT_ONCE = 20  # resources in one DescribeTags
DELAY = "deregistration_delay.timeout_seconds"
HEALTH_FIELDS = {
    "protocol": "HealthCheckProtocol",
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthy_threshold": "HealthyThresholdCount",
    "unhealthy_threshold": "UnhealthyThresholdCount",
}


def read_v2(run: Run, balancer: Balancer, target_group: str, balancer_mark: Mark, *, adopt: bool) -> dict[str, Live]:
    """Load balancer, target group and listener by key, as far as they are there.

    Args:
        target_group: name of the app's target group.
        balancer_mark: whose the load balancer is: the app's, or the cluster's if it is shared.

    Raises:
        NotOursError: somebody else made one of them.
        InputError: the app is somewhere else.
    """
    found = gather(
        {
            "balancer": lambda: describe_one(run, "LoadBalancers", {"Names": [balancer.name]}),
            "group": lambda: describe_one(run, "TargetGroups", {"Names": [target_group]}),
        }
    )
    above, group = found["balancer"], found["group"]
    reads: dict[str, Callable[[], Any]] = {
        "listeners": lambda: listeners_of(run, above["LoadBalancerArn"]) if above else [],
        "attributes": lambda: _group_attributes(run, group["TargetGroupArn"]) if group else {},
    }
    more = gather(reads)
    if group:
        refuse_to_move(balancer, above, group, more["listeners"])
    listener = next((one for one in more["listeners"] if one["Port"] == balancer.listener_port), None)
    arns = [one[field] for one, field in ((above, "LoadBalancerArn"), (group, "TargetGroupArn")) if one]
    tags = tags_of(run, [*arns, *([listener["ListenerArn"]] if listener else [])])
    live: dict[str, Live] = {}
    if above:
        require_ours(balancer_mark, tags[above["LoadBalancerArn"]], f"load balancer {balancer.name}", adopt=adopt)
        live[LOAD_BALANCER] = live_balancer(above, tags[above["LoadBalancerArn"]])
    if group:
        label = f"target group {target_group}"
        require_ours(run.mark, tags[group["TargetGroupArn"]], label, adopt=adopt, instead=RENAME)
        live[TARGET_GROUP] = live_group(group, more["attributes"], tags[group["TargetGroupArn"]])
    if listener:
        label = f"listener {balancer.listener_port} of load balancer {balancer.name}"
        require_ours(run.mark, tags[listener["ListenerArn"]], label, adopt=adopt)
        live[LISTENER] = live_listener(listener, balancer.name, tags[listener["ListenerArn"]])
    return live


def refuse_to_move(
    balancer: Balancer,
    above: Mapping[str, Any] | None,
    group: Mapping[str, Any],
    listeners: Sequence[Mapping[str, Any]],
) -> None:
    """A target group belongs to one load balancer, and to its protocol, for life, and an app has one listener. Pure.

    Args:
        above: the wanted load balancer, if it is there; with its listeners.
        group: the app's target group.

    Raises:
        InputError: the app is behind another load balancer, or one of another kind, or at another port.
    """
    hint = "Delete the app first, with state: absent."
    behind = group.get("LoadBalancerArns") or ()
    elsewhere = [one for one in behind if not above or one != above["LoadBalancerArn"]]
    if elsewhere:
        name = name_in(str(elsewhere[0]))
        raise InputError(
            f"load_balancer.name: the app is behind {name}, and cannot be moved to {balancer.name}", hint=hint
        )
    if above and behind and above["Type"] != balancer.type:
        raise InputError(
            f"load_balancer.type: the app is behind {balancer.name}, which is {above['Type']}, and cannot be moved to "
            f"one of type {balancer.type}",
            hint=hint,
        )
    arn = group["TargetGroupArn"]
    ports = [
        one["Port"]
        for one in listeners
        if any(act.get("TargetGroupArn") == arn for act in one.get("DefaultActions") or ())
    ]
    if ports and balancer.listener_port not in ports:
        raise InputError(
            f"load_balancer.listener_port: the app is at port {ports[0]}, and cannot be moved to "
            f"{balancer.listener_port}",
            hint=hint,
        )


def describe_one(run: Run, items: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """One load balancer or target group, by its name or ARN, as the API gives it."""
    try:
        answer = run.aws.call("elbv2", f"Describe{items}", request, doing=f"look for {next(iter(request.values()))[0]}")
    except NotFoundError:
        return None
    found: list[dict[str, Any]] = answer[items]
    return found[0] if found else None


def name_in(balancer_arn: str) -> str:
    """The name of a load balancer of the newer kinds, as its ARN has it. Pure."""
    return balancer_arn.split("/")[-2]


def listeners_of(run: Run, balancer_arn: str) -> list[dict[str, Any]]:
    """All listeners of a load balancer."""
    request = {"LoadBalancerArn": balancer_arn}
    doing = "look at the listeners of a load balancer"
    return run.aws.pages("elbv2", "DescribeListeners", "Listeners", request, doing=doing)


def groups_behind(run: Run, balancer_arn: str) -> list[dict[str, Any]]:
    """The target groups that a load balancer leads to, by whatever listener or rule."""
    request, doing = {"LoadBalancerArn": balancer_arn}, f"look where load balancer {name_in(balancer_arn)} leads to"
    try:
        return run.aws.pages("elbv2", "DescribeTargetGroups", "TargetGroups", request, doing=doing)
    except NotFoundError:  # nowhere
        return []


def refuse_others_behind(run: Run, doomed: Iterable[Live]) -> None:
    """Refuse to take a load balancer away from what somebody else has put behind it.

    Args:
        doomed: everything that is to go.

    Raises:
        ConflictError: one leads to target groups that are not ours.
    """
    ours = {one.id: one for one in doomed}
    for balancer in (one for one in ours.values() if one.kind == "load_balancer"):
        others = {one["TargetGroupArn"]: one for one in groups_behind(run, balancer.id)}
        tags = tags_of(run, [arn for arn in others if arn not in ours])
        foreign = sorted(others[arn]["TargetGroupName"] for arn, its in tags.items() if not run.mark.same_owner(its))
        if foreign:
            raise ConflictError(
                f"load balancer {balancer.name} leads to target groups that are not of {run.mark.owner}: "
                f"{', '.join(foreign)}",
                hint="Delete the listeners and rules that lead there first, or move them to another load balancer.",
            )


def tags_of(run: Run, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tags of load balancers, target groups and listeners."""
    tags: dict[str, dict[str, str]] = {}
    for some in batched(arns, TAGS_AT_ONCE):
        request = {"ResourceArns": some}
        answer = run.aws.call("elbv2", "DescribeTags", request, doing="look at the tags of a load balancer")
        tags |= {one["ResourceArn"]: from_tags(one["Tags"]) for one in answer["TagDescriptions"]}
    return tags


def _group_attributes(run: Run, arn: str) -> dict[str, str]:
    request = {"TargetGroupArn": arn}
    answer = run.aws.call("elbv2", "DescribeTargetGroupAttributes", request, doing="look at a target group")
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}


def live_balancer(found: Mapping[str, Any], tags: Mapping[str, str], key: str = LOAD_BALANCER) -> Live:
    """A load balancer of DescribeLoadBalancers."""
    spec = {
        "type": found["Type"],
        "scheme": found["Scheme"],
        "vpc_id": found["VpcId"],
        "subnets": sorted(zone["SubnetId"] for zone in found["AvailabilityZones"]),
        "security_groups": sorted(found.get("SecurityGroups", ())),
        "tags": dict(tags),
    }
    arn, name = found["LoadBalancerArn"], found["LoadBalancerName"]
    attributes = {"arn": arn, "address": found["DNSName"], "zone_id": found.get("CanonicalHostedZoneId")}
    return Live(key, "load_balancer", name, arn, spec, attributes)


def live_group(
    found: Mapping[str, Any], attributes: Mapping[str, str], tags: Mapping[str, str], key: str = TARGET_GROUP
) -> Live:
    """A target group of DescribeTargetGroups."""
    spec = {
        "vpc_id": found["VpcId"],
        "protocol": found["Protocol"],
        "health_check": {name: found[field] for name, field in HEALTH_FIELDS.items() if found.get(field)},
        "deregistration_delay": int(attributes.get(DELAY, 300)),
        "tags": dict(tags),
    }
    arn = found["TargetGroupArn"]
    return Live(key, "target_group", found["TargetGroupName"], arn, spec, {"arn": arn})


def live_listener(found: Mapping[str, Any], balancer: str, tags: Mapping[str, str], key: str = LISTENER) -> Live:
    """A listener of DescribeListeners."""
    spec = {
        "load_balancer": found["LoadBalancerArn"],
        "port": found["Port"],
        "protocol": found["Protocol"],
        "target_group": next((one.get("TargetGroupArn") for one in found["DefaultActions"]), None),
        "tags": dict(tags),
    }
    return Live(key, "listener", f"{found['Port']} of {balancer}", found["ListenerArn"], spec)


def group_spec(balancer: Balancer) -> dict[str, Any]:
    """The part of the target group's spec that the options decide. Pure."""
    protocol = PROTOCOLS[balancer.type]
    return {
        "protocol": protocol,
        "health_check": {
            "protocol": protocol,
            **({"path": balancer.health_check_path} if protocol == "HTTP" else {}),
            "interval": balancer.interval,
            "timeout": balancer.timeout,
            "healthy_threshold": balancer.healthy_threshold,
            "unhealthy_threshold": balancer.unhealthy_threshold,
        },
        "deregistration_delay": balancer.deregistration_delay,
    }


def health_in_group(run: Run, arn: str) -> Health:
    """How the targets of a target group are."""
    request = {"TargetGroupArn": arn}
    answer = run.aws.call("elbv2", "DescribeTargetHealth", request, doing="look at the health of the targets")
    found = [one["TargetHealth"] for one in answer["TargetHealthDescriptions"]]
    others = [one.get("Description", "") for one in found if one["State"] != "healthy"]
    return Health(len(found) - len(others), others)


class LoadBalancers:
    """Load balancers with spec ``{type, scheme, vpc_id, subnets, security_groups, tags}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "Name": step.name,
            "Type": spec["type"],
            "Scheme": spec["scheme"],
            "Subnets": spec["subnets"],
            "SecurityGroups": spec["security_groups"],
            "Tags": to_tags(spec["tags"]),
        }

        def create() -> Live:
            answer = self._run.aws.call("elbv2", "CreateLoadBalancer", request, doing=step.sentence, settles=True)
            return live_balancer(answer["LoadBalancers"][0], spec["tags"])

        def find() -> Live | None:
            found = describe_one(self._run, "LoadBalancers", {"Names": [step.name]})
            if found is None:
                return None
            tags = tags_of(self._run, [found["LoadBalancerArn"]])[found["LoadBalancerArn"]]
            require_ours(self._run.mark, tags, step.label)
            return live_balancer(found, tags)

        return create_once(create, find, self._run.aws.policy)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        named = {"LoadBalancerArn": live.id}
        if "security_groups" in changed:
            self._call("SetSecurityGroups", step, {**named, "SecurityGroups": spec["security_groups"]})
        if "subnets" in changed:
            self._call("SetSubnets", step, {**named, "Subnets": spec["subnets"]})
        if "tags" in changed:
            add_tags(self._run, step, live.id, spec["tags"])
        return live

    def delete(self, step: Step, live: Live) -> None:
        """Its listeners go with it."""
        request = {"LoadBalancerArn": live.id}
        self._run.aws.delete("elbv2", "DeleteLoadBalancer", request, doing=step.sentence, deadline=self._run.deadline)

    def _call(self, operation: str, step: Step, request: Mapping[str, Any]) -> None:
        self._run.aws.call("elbv2", operation, request, doing=step.sentence)


class TargetGroups:
    """Target groups with spec ``{vpc_id, protocol, health_check, deregistration_delay, tags}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "Name": step.name,
            "VpcId": spec["vpc_id"],
            "Protocol": spec["protocol"],
            "Port": TARGET_PORT,
            "TargetType": "instance",
            "Tags": to_tags(spec["tags"]),
            **self._health(spec),
        }

        def create() -> Mapping[str, Any]:
            answer = self._run.aws.call("elbv2", "CreateTargetGroup", request, doing=step.sentence, settles=True)
            made: Mapping[str, Any] = answer["TargetGroups"][0]
            return made

        made = create_once(create, lambda: self._named(step), self._run.aws.policy)
        self._set_delay(step, made["TargetGroupArn"], spec)
        return live_group(made, {DELAY: str(spec["deregistration_delay"])}, spec["tags"])

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if "health_check" in changed:
            request = {"TargetGroupArn": live.id, **self._health(spec)}
            self._run.aws.call("elbv2", "ModifyTargetGroup", request, doing=step.sentence)
        if "deregistration_delay" in changed:
            self._set_delay(step, live.id, spec)
        if "tags" in changed:
            add_tags(self._run, step, live.id, spec["tags"])
        return live

    def delete(self, step: Step, live: Live) -> None:
        request = {"TargetGroupArn": live.id}
        self._run.aws.delete("elbv2", "DeleteTargetGroup", request, doing=step.sentence, deadline=self._run.deadline)

    def _named(self, step: Step) -> Mapping[str, Any] | None:
        found = describe_one(self._run, "TargetGroups", {"Names": [step.name]})
        if found:
            tags = tags_of(self._run, [found["TargetGroupArn"]])[found["TargetGroupArn"]]
            require_ours(self._run.mark, tags, step.label, instead=RENAME)
        return found

    def _health(self, spec: Spec) -> dict[str, Any]:
        return {HEALTH_FIELDS[name]: value for name, value in spec["health_check"].items()}

    def _set_delay(self, step: Step, arn: str, spec: Spec) -> None:
        attributes = [{"Key": DELAY, "Value": str(spec["deregistration_delay"])}]
        request = {"TargetGroupArn": arn, "Attributes": attributes}
        self._run.aws.call("elbv2", "ModifyTargetGroupAttributes", request, doing=step.sentence, settles=True)


class Listeners:
    """Listeners with spec ``{load_balancer, port, protocol, target_group, tags}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "LoadBalancerArn": spec["load_balancer"],
            "Port": spec["port"],
            "Protocol": spec["protocol"],
            "DefaultActions": _forward(spec["target_group"]),
            "Tags": to_tags(spec["tags"]),
        }

        def create() -> Live:
            answer = self._run.aws.call("elbv2", "CreateListener", request, doing=step.sentence, settles=True)
            return Live(step.key, step.kind, step.name, answer["Listeners"][0]["ListenerArn"], spec)

        return create_once(create, lambda: self._on_port(step, spec), self._run.aws.policy)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if changed & {"protocol", "target_group"}:
            request = {"ListenerArn": live.id, "Protocol": spec["protocol"]}
            request["DefaultActions"] = _forward(spec["target_group"])
            self._run.aws.call("elbv2", "ModifyListener", request, doing=step.sentence)
        if "tags" in changed:
            add_tags(self._run, step, live.id, spec["tags"])
        return live

    def delete(self, step: Step, live: Live) -> None:
        request = {"ListenerArn": live.id}
        self._run.aws.delete("elbv2", "DeleteListener", request, doing=step.sentence, deadline=self._run.deadline)

    def _on_port(self, step: Step, spec: Spec) -> Live | None:
        for one in listeners_of(self._run, spec["load_balancer"]):
            if one["Port"] == spec["port"]:
                tags = tags_of(self._run, [one["ListenerArn"]])[one["ListenerArn"]]
                require_ours(self._run.mark, tags, step.label)
                return live_listener(one, step.name, tags)
        return None


def add_tags(run: Run, step: Step, arn: str, tags: Mapping[str, str]) -> None:
    """Give a load balancer, target group or listener the wanted tags; others that it has stay."""
    request = {"ResourceArns": [arn], "Tags": to_tags(tags)}
    run.aws.call("elbv2", "AddTags", request, doing=step.sentence)


def _forward(target_group: str) -> list[dict[str, str]]:
    return [{"Type": "forward", "TargetGroupArn": target_group}]
