# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Classic load balancers: one that belongs to an app, or one that apps of a cluster share.

A shared one has a listener for each app, and one health check for all of them: see ``shared_spec``. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._errors import NotFoundError
from .._ownership import require_ours
from .._parallel import gather
from .._plan import Live, Rule, Spec, Step, Wanted, decide
from .._retry import create_once
from .api import from_tags, to_tags
from .balancer_options import Balancer
from .cluster_network import described_subnets
from .run import Run
from .service_judgement import Health

LOAD_BALANCER = "load-balancer"  # key in a plan, and part in the mark
PLAIN = "HTTP to HTTP "  # what a listener of ours begins with
CLASSIC_RULE = Rule(immutable=frozenset({"scheme", "vpc_id"}))


def read_classic(run: Run, name: str, *, adopt: bool) -> Live | None:
    """The load balancer of this name.

    Raises:
        NotOursError: somebody else made it.
    """
    live = find_classic(run, name)
    if live:
        require_ours(run.mark, live.spec["tags"], f"classic load balancer {name}", adopt=adopt)
    return live


def find_classic(run: Run, name: str) -> Live | None:
    """The load balancer of this name, whoever made it."""
    found = describe_classic(run, name)
    if found is None:
        return None
    named = {"LoadBalancerName": name}
    doing = f"look at classic load balancer {name}"
    more = gather(
        {
            "tags": lambda: run.aws.call("elb", "DescribeTags", {"LoadBalancerNames": [name]}, doing=doing),
            "attributes": lambda: run.aws.call("elb", "DescribeLoadBalancerAttributes", named, doing=doing),
        }
    )
    tags = from_tags(more["tags"]["TagDescriptions"][0]["Tags"])
    spec = normalised(found, more["attributes"]["LoadBalancerAttributes"], tags)
    return Live(LOAD_BALANCER, "classic_load_balancer", name, name, spec, _whereabouts(found))


def _whereabouts(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"address": found["DNSName"], "zone_id": found.get("CanonicalHostedZoneNameID")}


def describe_classic(run: Run, name: str) -> dict[str, Any] | None:
    """The load balancer of this name as the API gives it."""
    try:
        request = {"LoadBalancerNames": [name]}
        answer = run.aws.call("elb", "DescribeLoadBalancers", request, doing=f"look for classic load balancer {name}")
    except NotFoundError:
        return None
    found: dict[str, Any] = answer["LoadBalancerDescriptions"][0]
    return found


def normalised(found: Mapping[str, Any], attributes: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """A live load balancer as a spec. Pure."""
    check, draining = found["HealthCheck"], attributes.get("ConnectionDraining", {})
    return {
        "vpc_id": found.get("VPCId"),
        "scheme": found["Scheme"],
        "subnets": sorted(found["Subnets"]),
        "security_groups": sorted(found["SecurityGroups"]),
        "listeners": {
            str(one["LoadBalancerPort"]): f"{one['Protocol']} to {one['InstanceProtocol']} {one['InstancePort']}"
            for one in (described["Listener"] for described in found["ListenerDescriptions"])
        },
        "health_check": {name: check[field] for name, field in HEALTH_FIELDS.items()},
        "draining_seconds": draining.get("Timeout", 0) if draining.get("Enabled") else 0,
        "cross_zone": attributes.get("CrossZoneLoadBalancing", {}).get("Enabled", False),
        "tags": dict(tags),
    }


HEALTH_FIELDS = {
    "target": "Target",
    "interval": "Interval",
    "timeout": "Timeout",
    "healthy_threshold": "HealthyThreshold",
    "unhealthy_threshold": "UnhealthyThreshold",
}


OWN_FIELDS = ("scheme", "listeners", "health_check", "draining_seconds", "cross_zone")


def own_spec(balancer: Balancer, host_port: int) -> dict[str, Any]:
    """The part of the spec that the options decide. Pure."""
    return {
        "scheme": balancer.scheme,
        "listeners": {str(balancer.listener_port): listener_to(host_port)},
        "health_check": {
            "target": f"HTTP:{host_port}{balancer.health_check_path}",
            "interval": balancer.interval,
            "timeout": balancer.timeout,
            "healthy_threshold": balancer.healthy_threshold,
            "unhealthy_threshold": balancer.unhealthy_threshold,
        },
        "draining_seconds": balancer.deregistration_delay,
        "cross_zone": True,
    }


def listener_to(host_port: int) -> str:
    """A listener that leads to a port of the instances, as the spec says it."""
    return f"{PLAIN}{host_port}"


def shared_spec(own: Spec, live: Spec | None, not_theirs: Collection[int]) -> dict[str, Any]:
    """The same for a load balancer that other apps may use too: their listeners stay, and so do the health check and
    the draining, of which there is one for all, as long as the health check looks at another app's port. Pure.

    Args:
        not_theirs: ports of the instances that are no other app's: one's own, and those through which none is reached.
    """
    if live is None:
        return dict(own)
    checked = instance_port(live["health_check"]["target"])
    # the listener at one's own port is about to lead to another one, if it does not lead there yet
    theirs = [listener for port, listener in live["listeners"].items() if port not in own["listeners"]]
    others = {*map(instance_port, theirs)} - {*not_theirs}
    managed = {**own, "listeners": {**live["listeners"], **own["listeners"]}}
    if checked in others:
        del managed["health_check"], managed["draining_seconds"]
    return managed


def instance_port(text: str) -> int:
    """The instances' port in a listener or a health check target, as the spec says them."""
    return int(text.partition(":")[2].partition("/")[0] if ":" in text else text.rpartition(" ")[2])


def health_behind_classic(run: Run, name: str) -> Health:
    """How the instances behind a load balancer are."""
    request = {"LoadBalancerName": name}
    answer = run.aws.call("elb", "DescribeInstanceHealth", request, doing=f"look at the health behind {name}")
    found = answer["InstanceStates"]
    others = [one.get("Description", "") for one in found if one["State"] != "InService"]
    return Health(len(found) - len(others), others)


class ClassicLoadBalancers:
    """See ``normalised`` for the spec."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "LoadBalancerName": step.name,
            "Listeners": _listeners(spec["listeners"]),
            "Subnets": spec["subnets"],
            "SecurityGroups": spec["security_groups"],
            "Tags": to_tags(spec["tags"]),
        }
        if spec["scheme"] == "internal":
            request["Scheme"] = "internal"

        def create() -> Live:
            self._run.aws.call("elb", "CreateLoadBalancer", request, doing=step.sentence, settles=True)
            return Live(step.key, step.kind, step.name, step.name, spec)

        made = create_once(create, lambda: read_classic(self._run, step.name, adopt=False), self._run.aws.policy)
        if made.attributes:
            return self._completed(step, spec, made)
        self._set_attributes(step, spec)
        self._set_health_check(step, spec)
        return replace(made, attributes=self._made(step))

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if changed & {"draining_seconds", "cross_zone"}:
            self._set_attributes(step, {**live.spec, **spec})
        if "listeners" in changed:
            self._set_listeners(step, spec["listeners"], live.spec["listeners"])
        if "health_check" in changed:
            self._set_health_check(step, spec)
        if "security_groups" in changed:
            self._call("ApplySecurityGroupsToLoadBalancer", step, {"SecurityGroups": spec["security_groups"]})
        if "subnets" in changed:
            self._set_subnets(step, {*spec["subnets"]}, {*live.spec["subnets"]})
        if "tags" in changed:
            request = {"LoadBalancerNames": [step.name], "Tags": to_tags(spec["tags"])}
            self._run.aws.call("elb", "AddTags", request, doing=step.sentence)
        return Live(live.key, live.kind, live.name, live.id, {**live.spec, **spec}, live.attributes)

    def delete(self, step: Step, live: Live) -> None:
        request = {"LoadBalancerName": live.name}
        self._run.aws.delete("elb", "DeleteLoadBalancer", request, doing=step.sentence, deadline=self._run.deadline)

    def _completed(self, step: Step, spec: Spec, found: Live) -> Live:
        """One that was found to be made already gets what it lacks, as it would if it had been there from the start.

        If it is shared, another app's run may have made it, with its own listener, subnets and tags.
        """
        wanted = {name: spec[name] for name in OWN_FIELDS}
        if not self._run.mark.app:  # it is the cluster's
            wanted = shared_spec(wanted, found.spec, {instance_port(wanted["health_check"]["target"])})
        resource = Wanted(step.key, step.kind, step.name, wanted)
        for one in decide([resource], {step.key: found}, {}, {step.kind: CLASSIC_RULE}).steps:
            return self.update(one, one.spec, found)
        return found

    def _made(self, step: Step) -> dict[str, Any]:
        """Where it is: the answer to its creation has the DNS name, but not the hosted zone that this is in."""
        named = {"LoadBalancerNames": [step.name]}
        answer = self._run.aws.call("elb", "DescribeLoadBalancers", named, doing=step.sentence, settles=True)
        return _whereabouts(answer["LoadBalancerDescriptions"][0])

    def _set_attributes(self, step: Step, spec: Spec) -> None:
        seconds = spec["draining_seconds"]
        draining = {"Enabled": True, "Timeout": seconds} if seconds else {"Enabled": False}
        attributes = {"ConnectionDraining": draining, "CrossZoneLoadBalancing": {"Enabled": spec["cross_zone"]}}
        self._call("ModifyLoadBalancerAttributes", step, {"LoadBalancerAttributes": attributes})

    def _set_health_check(self, step: Step, spec: Spec) -> None:
        check = {field: spec["health_check"][name] for name, field in HEALTH_FIELDS.items()}
        self._call("ConfigureHealthCheck", step, {"HealthCheck": check})

    def _set_listeners(self, step: Step, wanted: Mapping[str, str], live: Mapping[str, str]) -> None:
        stale = [int(port) for port, listener in live.items() if wanted.get(port) != listener]
        if stale:
            self._call("DeleteLoadBalancerListeners", step, {"LoadBalancerPorts": stale})
        missing = {port: listener for port, listener in wanted.items() if live.get(port) != listener}
        if missing:
            self._call("CreateLoadBalancerListeners", step, {"Listeners": _listeners(missing)})

    def _set_subnets(self, step: Step, wanted: set[str], live: set[str]) -> None:
        """Zone by zone: it takes one of each, and is never in none."""
        coming, going = self._by_zone(wanted - live), self._by_zone(live - wanted)
        self._attach(step, [one for zone, one in coming.items() if zone not in going])
        for zone in sorted(coming.keys() & going.keys()):
            self._detach(step, [going[zone]])
            self._attach(step, [coming[zone]])
        self._detach(step, [one for zone, one in going.items() if zone not in coming])

    def _by_zone(self, subnets: set[str]) -> dict[str, str]:
        found = described_subnets(self._run.aws, sorted(subnets)) if subnets else ()
        return {one["AvailabilityZone"]: one["SubnetId"] for one in found}

    def _attach(self, step: Step, subnets: Sequence[str]) -> None:
        if subnets:
            self._call("AttachLoadBalancerToSubnets", step, {"Subnets": sorted(subnets)})

    def _detach(self, step: Step, subnets: Sequence[str]) -> None:
        if subnets:
            self._call("DetachLoadBalancerFromSubnets", step, {"Subnets": sorted(subnets)})

    def _call(self, operation: str, step: Step, request: Mapping[str, Any]) -> None:
        # also used right after the load balancer was made, when not all of AWS knows it yet
        request = {"LoadBalancerName": step.name, **request}
        self._run.aws.call("elb", operation, request, doing=step.sentence, settles=True)


def _listeners(listeners: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for port, listener in sorted(listeners.items()):
        protocol, _to, instance_protocol, instance_port_text = listener.split(" ")
        found.append(
            {
                "Protocol": protocol,
                "LoadBalancerPort": int(port),
                "InstanceProtocol": instance_protocol,
                "InstancePort": int(instance_port_text),
            }
        )
    return found
