# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network interfaces of load balancers: they hold its network, and outlive it a while.

This is why on AWS a security group cannot be deleted in the first seconds after its load balancer is gone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

import moto.ec2.models.elastic_network_interfaces as interface_models

from lab.aws.ec2 import release_interface
from lab.aws.patching import AwsError, aws_error
from lab.world import World

_FREE_ADDRESSES = 8
"""So many a load balancer wants in each of its subnets."""


@dataclass
class _Held:
    backend: Any
    interfaces: list[Any] = field(default_factory=list)
    gone_at: float | None = None


class BalancerInterfaces:
    """Interfaces by their owner: a key that names one load balancer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._held: dict[str, _Held] = {}
        world.on_step(self._release_due)
        world.on_reset(self._held.clear)

    def attach(
        self, owner: str, backend: Any, subnets: Iterable[str], groups: list[str], public: bool, text: str
    ) -> None:
        """One interface in each subnet."""
        held = self._held.setdefault(owner, _Held(backend))
        for subnet_id in subnets:
            options: dict[str, Any] = {"group_ids": groups, "description": text}
            interface = backend.create_network_interface(backend.get_subnet(subnet_id), None, **options)
            interface.status, interface.requester_managed, interface.requester_id = "in-use", True, "amazon-elb"
            if public:
                interface.public_ip = interface_models.random_public_ip()
            held.interfaces.append(interface)

    def set_groups(self, owner: str, groups: list[str]) -> None:
        held = self._held.get(owner)
        for interface in held.interfaces if held else ():
            found = [interface.ec2_backend.get_security_group_from_id(group) for group in groups]
            interface._group_set = [group for group in found if group is not None]

    def set_subnets(self, owner: str, subnets: Iterable[str], groups: list[str], public: bool, text: str) -> None:
        held = self._held.get(owner)
        if held is None:
            return
        wanted = list(subnets)
        for interface in [one for one in held.interfaces if one.subnet.id not in wanted]:
            held.interfaces.remove(interface)
            release_interface(held.backend, interface)
        present = {interface.subnet.id for interface in held.interfaces}
        self.attach(owner, held.backend, [subnet for subnet in wanted if subnet not in present], groups, public, text)

    def release(self, owner: str) -> None:
        """The load balancer is deleted; its interfaces go a little later."""
        held = self._held.pop(owner, None)
        if held is not None:
            held.gone_at = self._world.clock.now() + self._world.settings.eni_release_seconds
            self._held[f"{owner} deleted at {self._world.clock.now()}"] = held

    def _release_due(self) -> None:
        now = self._world.clock.now()
        for owner, held in list(self._held.items()):
            if held.gone_at is not None and held.gone_at <= now:
                for interface in held.interfaces:
                    release_interface(held.backend, interface)
                del self._held[owner]


def check_network(
    service: str, backend: Any, subnet_ids: list[str], groups: list[str], scheme: str, held: Container[str] = ()
) -> None:
    """What both kinds of load balancer ask of their network; where it is already (`held`) it has its addresses."""
    subnets = [_subnet(service, backend, subnet_id) for subnet_id in subnet_ids]
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise aws_error(service, "InvalidSubnet", "Subnets must all be in the same VPC")
    if len({subnet.availability_zone for subnet in subnets}) < len(subnets):
        raise zone_twice(service)
    for subnet in subnets:
        if subnet.id not in held and int(subnet.available_ip_address_count) < _FREE_ADDRESSES:
            message = f"Not enough IP space available in {subnet.id}. ELB requires at least {_FREE_ADDRESSES} free IP"
            raise aws_error(service, "InvalidSubnet", f"{message} addresses in each subnet.")
    vpc_id = subnets[0].vpc_id if subnets else None
    for group_id in groups:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise aws_error(service, "InvalidSecurityGroup", f"Security group '{group_id}' does not exist")
        if group.vpc_id != vpc_id:
            raise aws_error(service, "InvalidConfigurationRequest", "One or more security groups are invalid")
    attached = {gateway.vpc.id for gateway in backend.internet_gateways.values() if gateway.vpc}
    default = {vpc.id for vpc in backend.vpcs.values() if str(vpc.is_default).lower() == "true"}
    if scheme != "internal" and subnets and vpc_id not in attached | default:
        raise aws_error(service, "InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def _subnet(service: str, backend: Any, subnet_id: str) -> Any:
    for subnets in backend.subnets.values():
        if subnet_id in subnets:
            return subnets[subnet_id]
    raise not_found(service, subnet_id)


def zone_twice(service: str) -> AwsError:
    """In AWS's own words: https://github.com/ansible/ansible/issues/8312, robertdebock/terraform-aws-vault issue 5."""
    what = "ELB cannot" if service == "elb" else "A load balancer cannot"
    where = "the same AZ." if service == "elb" else "the same Availability Zone"
    message = f"{what} be attached to multiple subnets in {where}"
    return aws_error(service, "InvalidConfigurationRequest", message)


def not_found(service: str, subnet_id: str) -> AwsError:
    return aws_error(service, "SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
