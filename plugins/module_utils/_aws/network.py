# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network of one's own: a VPC with an internet gateway, a default route through it, and public subnets.

The default route stands in the VPC's main route table, which every VPC has once: nothing to make twice, to associate
or to delete. EC2 lets any number of VPCs carry one name, so each resource is found by its mark. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._errors import ConflictError, NotFoundError, SchedulersError
from .._ownership import only_one
from .._parallel import gather
from .._plan import Live, Rule, Spec, Step
from .._retry import create_once
from .._wait import wait_until
from .api import from_tags, tag_specifications
from .ec2 import awaited, delete, marked, retag
from .run import Run
from .vpcs import VPC, find_vpc

INTERNET_GATEWAY = "internet-gateway"  # keys of a plan, and parts in the mark
DEFAULT_ROUTE = "default-route"
EVERYWHERE = "0.0.0.0/0"

NETWORK_GRAPH: Mapping[str, tuple[str, ...]] = {
    "vpc": (),
    "internet_gateway": ("vpc",),
    "default_route": ("internet_gateway",),
    "subnet": ("vpc",),
}
NETWORK_RULES: Mapping[str, Rule] = {
    "vpc": Rule(immutable=frozenset({"cidr"})),
    "subnet": Rule(immutable=frozenset({"cidr"})),
}


def subnet_key(zone: str) -> str:
    """Key in a plan, and part in the mark, of the subnet in a zone."""
    return f"subnet-{zone}"


def read_network(run: Run) -> dict[str, Live]:
    """The own network as far as it is there: one call if there is none, three if it is complete."""
    vpc = find_vpc(run)
    if vpc is None:
        return {}
    found = gather({"route": lambda: _route_and_gateway(run, vpc.id), "subnets": lambda: _subnets(run, vpc.id)})
    return {VPC: vpc, **found["route"], **found["subnets"]}


class InternetGateways:
    """A VPC has at most one gateway: whoever attaches first has made it, any other run uses that one.

    Args:
        patience: seconds for which the one of another run may still be missing from lists.
    """

    def __init__(self, run: Run, patience: Callable[[], float]) -> None:
        self._run = run
        self._patience = patience

    def create(self, step: Step, spec: Spec) -> Live:
        tags = tag_specifications("internet-gateway", self._run.tags_for(INTERNET_GATEWAY, step.name))

        def create() -> str:
            answer = self._call("CreateInternetGateway", {"TagSpecifications": tags}, step)
            return str(answer["InternetGateway"]["InternetGatewayId"])

        vpc_id = spec["vpc_id"]

        def find() -> str | None:
            return _gateway(self._run, vpc_id)[0]

        seconds = self._patience()  # as for the VPC
        there = awaited(self._run, find, seconds, "internet gateway") if seconds else None
        gateway_id = there or create_once(create, find, self._run.aws.policy)
        return self._attached(step, gateway_id, vpc_id)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        return self._attached(step, live.id, spec["vpc_id"])

    def delete(self, step: Step, live: Live) -> None:
        attached_to = live.spec.get("vpc_id") or self._attachment(step, live.id)
        if attached_to:
            delete(self._run, step, "DetachInternetGateway", {"InternetGatewayId": live.id, "VpcId": attached_to})
        delete(self._run, step, "DeleteInternetGateway", {"InternetGatewayId": live.id})

    def _attached(self, step: Step, gateway_id: str, vpc_id: str) -> Live:
        try:
            request = {"InternetGatewayId": gateway_id, "VpcId": vpc_id}
            self._call("AttachInternetGateway", request, step)
        except SchedulersError:
            # EC2 says it in several ways: this gateway is attached already, or the VPC has another one
            attached, _vpc_id = _gateway(self._run, vpc_id, attached=True)
            if attached is None:
                raise
            if attached != gateway_id:
                delete(self._run, step, "DeleteInternetGateway", {"InternetGatewayId": gateway_id})
            gateway_id = attached
        return _live_gateway(gateway_id, vpc_id)

    def _attachment(self, step: Step, gateway_id: str) -> str | None:
        try:
            found = self._call("DescribeInternetGateways", {"InternetGatewayIds": [gateway_id]}, step)
        except NotFoundError:
            return None
        attachments = (vpc["VpcId"] for one in found["InternetGateways"] for vpc in one.get("Attachments", ()))
        return next(attachments, None)

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call(
            "ec2", operation, request, doing=step.sentence, settles=operation.startswith("Attach")
        )


class DefaultRoutes:
    """The route from a VPC's main table to the world, with spec ``{vpc_id, gateway_id, tags}``: those of the table."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        table_id = _main_table(self._run, spec["vpc_id"])["RouteTableId"]
        route = {"RouteTableId": table_id, "DestinationCidrBlock": EVERYWHERE, "GatewayId": spec["gateway_id"]}
        try:
            self._run.aws.call("ec2", "CreateRoute", route, doing=step.sentence, settles=True)
        except ConflictError:  # a route of another run, or one to a gateway that is gone
            self._run.aws.call("ec2", "ReplaceRoute", route, doing=step.sentence)
        if spec.get("tags"):
            retag(self._run, step, spec["tags"], table_id)
        return Live(DEFAULT_ROUTE, "default_route", step.name, table_id, spec)

    def update(self, step: Step, spec: Spec, _live: Live) -> Live:
        return self.create(step, spec)

    def delete(self, step: Step, live: Live) -> None:
        """Nothing to do: it goes with its VPC."""


class Subnets:
    """Subnets of an own VPC. Two runs cannot make one twice: they would ask for the same addresses."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "VpcId": spec["vpc_id"],
            "CidrBlock": spec["cidr"],
            "AvailabilityZone": spec["zone"],
            "TagSpecifications": tag_specifications("subnet", spec["tags"]),
        }

        def create() -> Live:
            answer = self._run.aws.call("ec2", "CreateSubnet", request, doing=step.sentence, settles=True)
            return _live_subnet(answer["Subnet"])

        def find() -> Live | None:
            return _subnets(self._run, spec["vpc_id"]).get(step.key)

        return create_once(create, find, self._run.aws.policy)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        retag(self._run, step, spec["tags"], live.id)
        return live

    def delete(self, step: Step, live: Live) -> None:
        delete(self._run, step, "DeleteSubnet", {"SubnetId": live.id})


def _only(found: list[Live], label: str) -> Live | None:
    by_id = {one.id: one for one in found}
    one_id = only_one(by_id, label)
    return by_id[one_id] if one_id else None


def _live_gateway(gateway_id: str, vpc_id: str | None) -> Live:
    return Live(INTERNET_GATEWAY, "internet_gateway", gateway_id, gateway_id, {"vpc_id": vpc_id})


def _live_route(table: Mapping[str, Any], name: str, vpc_id: str, gateway_id: str) -> Live:
    spec = {"vpc_id": vpc_id, "gateway_id": gateway_id, "tags": from_tags(table.get("Tags"))}
    return Live(DEFAULT_ROUTE, "default_route", name, table["RouteTableId"], spec)


def _live_subnet(subnet: Mapping[str, Any]) -> Live:
    tags = from_tags(subnet.get("Tags"))
    spec = {name: subnet[field] for name, field in SUBNET_FIELDS.items()}
    key = subnet_key(subnet["AvailabilityZone"])
    return Live(key, "subnet", tags.get("Name", subnet["SubnetId"]), subnet["SubnetId"], {**spec, "tags": tags})


SUBNET_FIELDS = {"vpc_id": "VpcId", "cidr": "CidrBlock", "zone": "AvailabilityZone"}


def _subnets(run: Run, vpc_id: str) -> dict[str, Live]:
    """Our subnets of the VPC, by key."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    doing = f"look for the subnets of {run.mark.owner}"
    answer = run.aws.pages("ec2", "DescribeSubnets", "Subnets", {"Filters": filters}, doing=doing)
    ours = [_live_subnet(one) for one in answer if run.mark.owns(from_tags(one.get("Tags")))]
    keys = {one.key for one in ours}
    only = (_only([one for one in ours if one.key == key], f"{key} of {run.mark.owner}") for key in keys)
    return {one.key: one for one in only if one}


def _route_and_gateway(run: Run, vpc_id: str) -> dict[str, Live]:
    """The route and the gateway that it goes through; without a working route, the gateway by its mark."""
    table = _main_table(run, vpc_id)
    for route in table.get("Routes", ()):
        through = route.get("GatewayId", "")
        if route.get("DestinationCidrBlock") == EVERYWHERE and through and route.get("State") == "active":
            name = f"of {vpc_id}"
            return {
                INTERNET_GATEWAY: _live_gateway(through, vpc_id),
                DEFAULT_ROUTE: _live_route(table, name, vpc_id, through),
            }
    gateway_id, attached_to = _gateway(run, vpc_id)
    return {INTERNET_GATEWAY: _live_gateway(gateway_id, attached_to)} if gateway_id else {}


def _main_table(run: Run, vpc_id: str) -> dict[str, Any]:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "association.main", "Values": ["true"]}]
    doing = f"look for the main route table of {vpc_id}"

    def look() -> list[Any]:
        return run.aws.pages("ec2", "DescribeRouteTables", "RouteTables", {"Filters": filters}, doing=doing)

    # a VPC made a moment ago has its table, but lists may be behind
    tables = wait_until(look, ready=bool, deadline=run.deadline, doing=doing, pace=run.pace)
    table: dict[str, Any] = tables[0]
    return table


def _gateway(run: Run, vpc_id: str, *, attached: bool = False) -> tuple[str | None, str | None]:
    """Our gateway and the VPC it is attached to; one that is attached to this VPC is preferred."""
    loose: list[str] = []
    for gateway in marked(run, "DescribeInternetGateways", "InternetGateways", INTERNET_GATEWAY):
        if vpc_id in {one["VpcId"] for one in gateway.get("Attachments", ())}:
            return gateway["InternetGatewayId"], vpc_id
        loose.append(gateway["InternetGatewayId"])
    return (None if attached else min(loose, default=None)), None
