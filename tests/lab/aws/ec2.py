# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's network: deletes in the wrong order are refused, public addresses are this machine's, tags are found fast."""

from __future__ import annotations

import ipaddress
import itertools
import secrets
from collections.abc import Callable, Collection, Iterator
from typing import Any

import moto.ec2.models.elastic_ip_addresses
import moto.ec2.models.elastic_network_interfaces
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import Subnet, SubnetBackend
from moto.ec2.models.tags import TagBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from lab.aws.patching import aws_error, replaces
from lab.messages import Answer, Call
from lab.world import World

_PUBLIC_NETWORKS = tuple(f"127.{number}.0.0/16" for number in range(224, 252))
"""Loopback: what is reached by a public address (an API server) is really there, and on this machine only."""

Original = Callable[..., Any]


def install(world: World) -> None:
    world.on_call(_dry_run)
    _public_addresses()
    _private_addresses()
    _security_groups()
    _subnets()
    _interfaces()
    _gateways()
    _vpcs()
    _addresses()
    _tags()


def interfaces(backend: Any) -> Iterator[NetworkInterface]:
    return iter(list(backend.enis.values()))


def violation(message: str) -> Exception:
    return aws_error("ec2", "DependencyViolation", message)


def _dry_run(call: Call) -> Answer | None:
    if call.service == "ec2" and call.params.get("DryRun", "").lower() == "true":
        message = "Request would have succeeded, but DryRun flag is set."
        raise aws_error("ec2", "DryRunOperation", message, 412)
    return None


def _public_addresses() -> None:
    # Labs that run at once shall not get in one another's way: each begins somewhere else.
    first = secrets.randbelow(256)
    networks = [ipaddress.ip_network(network) for network in _PUBLIC_NETWORKS]
    secrets.SystemRandom().shuffle(networks)
    addresses = itertools.cycle(str(network[256 * first + host]) for network in networks for host in range(1, 255))

    def public_address(_original: Original) -> str:
        return next(addresses)

    replaces(moto.ec2.models.elastic_network_interfaces, "random_public_ip")(public_address)
    replaces(moto.ec2.models.elastic_ip_addresses, "random_ip")(public_address)


def _private_addresses() -> None:
    """moto gives a released address to the next instance; in a subnet of AWS that takes a while to happen."""

    @replaces(Subnet, "del_subnet_ip")
    def _del_subnet_ip(_original: Original, subnet: Any, address: str) -> None:
        if subnet._subnet_ips.pop(address, None) is not None:
            subnet.lab_released = [*getattr(subnet, "lab_released", ()), address]

    @replaces(Subnet, "get_available_subnet_ip")
    def _get_available_subnet_ip(original: Original, subnet: Any, instance: Any) -> Any:
        try:
            return original(subnet, instance)
        except StopIteration:
            free = [address for address in getattr(subnet, "lab_released", ()) if address not in subnet._subnet_ips]
            if not free:
                message = f"There are not enough free addresses in subnet '{subnet.id}'"
                raise aws_error("ec2", "InsufficientFreeAddressesInSubnet", message) from None
            subnet.lab_released = free[1:]
            subnet._subnet_ips[free[0]] = instance
            return free[0]

    @replaces(Subnet, "request_ip")
    def _request_ip(original: Original, subnet: Any, address: str, instance: Any) -> None:
        if address in subnet._subnet_ips:
            raise aws_error("ec2", "InvalidIPAddress.InUse", f"Address {address} is in use.")
        original(subnet, address, instance)


def _security_groups() -> None:
    @replaces(SecurityGroupBackend, "delete_security_group")
    def _delete_security_group(
        original: Original, backend: Any, name: str | None = None, group_id: str | None = None
    ) -> Any:
        group = backend.get_security_group_by_name_or_id(group_id or name)
        if group is not None:
            _refuse_group_delete(backend, group)
        return original(backend, name=name, group_id=group_id)

    @replaces(SecurityGroupRule, "__eq__")
    def _equal(original: Original, rule: SecurityGroupRule, other: SecurityGroupRule) -> bool:
        """A description does not make another rule of it, nor need it be said to take the rule back."""
        if _source(rule) != _source(other):
            return False
        known, rule.source_group = rule.source_group, other.source_group
        try:
            return bool(original(rule, other))
        finally:
            rule.source_group = known

    @replaces(NetworkInterfaceBackend, "create_network_interface")
    def _create_network_interface(
        original: Original,
        backend: Any,
        subnet: Any,
        address: Any,
        addresses: Any = None,
        group_ids: list[str] | None = None,
        *rest: Any,
        **options: Any,
    ) -> Any:
        if isinstance(subnet, str):
            subnet = backend.get_subnet(subnet)
        for group_id in group_ids or []:
            group = backend.get_security_group_from_id(group_id)
            if group is None:
                raise aws_error("ec2", "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            if group.vpc_id != subnet.vpc_id:
                message = "You have specified two resources that belong to different networks."
                raise aws_error("ec2", "InvalidGroup.NotFound", message)
        return original(backend, subnet, address, addresses, group_ids, *rest, **options)


def _source(rule: SecurityGroupRule) -> dict[str, Any]:
    return {name: value for name, value in (rule.source_group or {}).items() if name != "Description"}


def _refuse_group_delete(backend: Any, group: SecurityGroup) -> None:
    if group.name == "default":
        message = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        raise aws_error("ec2", "CannotDelete", message)
    used = any(group.id in {member.id for member in eni.group_set} for eni in interfaces(backend))
    others = [other for groups in backend.groups.values() for other in groups.values() if other is not group]
    referenced = any(
        rule.source_group.get("GroupId") == group.id
        for other in others
        for rule in [*other.ingress_rules, *other.egress_rules]
    )
    if used or referenced:
        raise violation(f"resource {group.id} has a dependent object")


def _subnets() -> None:
    @replaces(SubnetBackend, "delete_subnet")
    def _delete_subnet(original: Original, backend: Any, subnet_id: str) -> Any:
        if any(eni.subnet.id == subnet_id for eni in interfaces(backend)):
            raise violation(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        subnet = original(backend, subnet_id)
        for table in backend.route_tables.values():
            for association, associated in list(table._associations.items()):
                if associated == subnet_id:
                    del table._associations[association]
        return subnet

    @replaces(RouteBackend, "associate_route_table")
    def _associate_route_table(
        original: Original, backend: Any, route_table_id: str, gateway_id: Any = None, subnet_id: Any = None
    ) -> Any:
        for table in backend.route_tables.values():
            if subnet_id and table.id != route_table_id and subnet_id in table._associations.values():
                message = (
                    f"the specified association for route table {route_table_id} conflicts with an existing association"
                )
                raise aws_error("ec2", "Resource.AlreadyAssociated", message)
        return original(backend, route_table_id, gateway_id, subnet_id)


def _interfaces() -> None:
    @replaces(NetworkInterfaceBackend, "delete_network_interface")
    def _delete_network_interface(original: Original, backend: Any, eni_id: str) -> Any:
        eni = backend.enis.get(eni_id)
        in_use = eni is not None and eni.status == "in-use" and not getattr(eni, "lab_released", False)
        if in_use and (eni.instance is None or eni.instance.state != "terminated") and not _terminating(eni):
            raise aws_error("ec2", "InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
        return original(backend, eni_id)


def _terminating(eni: NetworkInterface) -> bool:
    return bool(eni.instance is not None and getattr(eni.instance, "lab_terminating", False))


def release_interface(backend: Any, eni: NetworkInterface) -> None:
    """AWS itself removes an interface that it made (for a load balancer, a NAT gateway)."""
    eni.lab_released = True
    if eni.id in backend.enis:
        eni.delete()


def _gateways() -> None:
    @replaces(InternetGatewayBackend, "detach_internet_gateway")
    def _detach_internet_gateway(original: Original, backend: Any, internet_gateway_id: str, vpc_id: str) -> Any:
        if any(eni.vpc_id == vpc_id and eni.public_ip for eni in interfaces(backend)):
            message = (
                f"Network {vpc_id} has some mapped public address(es). "
                "Please unmap those public address(es) before detaching the gateway."
            )
            raise violation(message)
        return original(backend, internet_gateway_id, vpc_id)

    @replaces(InternetGatewayBackend, "attach_internet_gateway")
    def _attach_internet_gateway(original: Original, backend: Any, internet_gateway_id: str, vpc_id: str) -> Any:
        if any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in backend.internet_gateways.values()):
            message = f"Network {vpc_id} already has an internet gateway attached"
            raise aws_error("ec2", "InvalidParameterValue", message)
        return original(backend, internet_gateway_id, vpc_id)

    @replaces(NatGatewayBackend, "delete_nat_gateway")
    def _delete_nat_gateway(original: Original, backend: Any, nat_gateway_id: str) -> Any:
        gateway = backend.nat_gateways.get(nat_gateway_id)
        if gateway is None:
            message = f"The Nat Gateway {nat_gateway_id} was not found"
            raise aws_error("ec2", "NatGatewayNotFound", message)
        for address in backend.addresses:
            if address.eni is gateway._eni:
                backend.disassociate_address(address=address.public_ip)
        release_interface(backend, gateway._eni)
        return original(backend, nat_gateway_id)

    @replaces(NatGatewayBackend, "create_nat_gateway")
    def _create_nat_gateway(original: Original, backend: Any, *arguments: Any, **options: Any) -> Any:
        gateway = original(backend, *arguments, **options)
        gateway._eni.status = "in-use"
        gateway._eni.requester_managed = True
        gateway._eni.description = f"Interface for NAT Gateway {gateway.id}"
        return gateway


def _vpcs() -> None:
    @replaces(VPCBackend, "delete_vpc")
    def _delete_vpc(original: Original, backend: Any, vpc_id: str) -> Any:
        backend.get_vpc(vpc_id)
        if vpc_id not in backend.vpcs:
            raise aws_error("ec2", "InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
        gateway = any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in backend.internet_gateways.values())
        groups = backend.groups.get(vpc_id, {})
        own_groups = any(group.name != "default" for group in groups.values())
        if gateway or own_groups or any(eni.vpc_id == vpc_id for eni in interfaces(backend)):
            raise violation(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        kept = dict(groups)
        groups.clear()  # the default group goes with its VPC, which moto does by a delete that users are refused
        try:
            return original(backend, vpc_id)
        except Exception:
            groups.update(kept)
            raise


def _addresses() -> None:
    @replaces(ElasticAddressBackend, "release_address")
    def _release_address(
        original: Original, backend: Any, address: str | None = None, allocation_id: str | None = None
    ) -> Any:
        for eip in backend.addresses:
            if (eip.allocation_id == allocation_id or eip.public_ip == address) and eip.association_id:
                raise aws_error("ec2", "InvalidIPAddress.InUse", f"Address {eip.public_ip} is in use.")
        return original(backend, address, allocation_id)


def _tags() -> None:
    EC2_PREFIX_TO_RESOURCE.update({"eipalloc": "elastic-ip", "nat": "natgateway"})  # AWS's words for them

    @replaces(TagBackend, "describe_tags")
    def _describe_tags(original: Original, backend: Any, filters: dict[str, list[str]] | None = None) -> Any:
        """moto scans the tags of everything for each resource it shows; the common question has a direct answer.

        The tags of a deleted resource go with it. (EC2 says that this can take "a short period".)
        """
        if not filters or set(filters) != {"resource-id"} or any("*" in i or "?" in i for i in filters["resource-id"]):
            existing = _existing(backend)
            return [tag for tag in original(backend, filters) if _is_there(existing, tag["resource_id"])]
        return [
            {
                "resource_id": resource_id,
                "key": key,
                "value": value,
                "resource_type": EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource_id), ""),
            }
            for resource_id in filters["resource-id"]
            if resource_id in backend.tags
            for key, value in backend.tags[resource_id].items()
        ]


def _existing(backend: Any) -> dict[str, Collection[str]]:
    """The ids of the network's resources, by prefix."""
    return {
        "vpc": backend.vpcs,
        "subnet": {key for zone in backend.subnets.values() for key in zone},
        "sg": {key for groups in backend.groups.values() for key in groups},
        "igw": backend.internet_gateways,
        "rtb": backend.route_tables,
        "lt": backend.launch_templates,
        "vol": backend.volumes,
        "eni": backend.enis,
        "eipalloc": {address.allocation_id for address in backend.addresses},
        "nat": backend.nat_gateways,
    }


def _is_there(existing: dict[str, Collection[str]], resource_id: str) -> bool:
    """What is of another kind is taken to be there."""
    known = existing.get(get_prefix(resource_id))
    return known is None or resource_id in known
