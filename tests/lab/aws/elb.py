# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Classic load balancers: created once, known by name, attached to a real network."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elb.models import ELBBackend
from moto.elb.responses import ELBResponse

from lab.aws.balancer_interfaces import BalancerInterfaces, check_network, zone_twice
from lab.aws.patching import aws_error, replaces
from lab.world import World

HOSTED_ZONE = "Z35SXDEXAMPLE"
"""Of the DNS names of all of them."""
Original = Callable[..., Any]
_NEED_A_BALANCER = (
    "apply_security_groups_to_load_balancer",
    "configure_health_check",
    "create_load_balancer_listeners",
    "delete_load_balancer_listeners",
    "deregister_instances_from_load_balancer",
    "describe_instance_health",
    "describe_load_balancer_attributes",
    "modify_load_balancer_attributes",
    "register_instances_with_load_balancer",
    "attach_load_balancer_to_subnets",
    "detach_load_balancer_from_subnets",
)


def install(world: World) -> None:
    interfaces = BalancerInterfaces(world)
    _create(interfaces)
    _change(interfaces)
    _move(world, interfaces)

    @replaces(ELBResponse, "register_instances_with_load_balancer")
    def _register_instances_with_load_balancer(original: Original, response: Any) -> Any:
        backend = ec2_backends[response.current_account][response.region]
        for wanted in response._get_param("Instances", []):
            if backend.get_instance_by_id(wanted["InstanceId"]) is None:
                raise aws_error("elb", "InvalidInstance", f"Invalid instance ID '{wanted['InstanceId']}'")
        return original(response)

    for action in _NEED_A_BALANCER:

        @replaces(ELBResponse, action)
        def _registered(original: Original, response: Any) -> Any:
            name = response._get_param("LoadBalancerName")
            if name not in response.elb_backend.load_balancers:
                raise aws_error("elb", "LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{name}'")
            return original(response)


def _create(interfaces: BalancerInterfaces) -> None:
    @replaces(ELBBackend, "create_load_balancer")
    def _create_load_balancer(
        original: Original,
        backend: Any,
        name: str,
        zones: list[str],
        ports: list[dict[str, Any]],
        scheme: str | None = None,
        subnets: list[str] | None = None,
        security_groups: list[str] | None = None,
    ) -> Any:
        ec2 = ec2_backends[backend.account_id][backend.region_name]
        check_network("elb", ec2, subnets or [], security_groups or [], scheme or "internet-facing")
        if subnets and not security_groups:
            vpc_id = ec2.get_subnet(subnets[0]).vpc_id
            security_groups = [ec2.get_security_group_by_name_or_id("default", vpc_id=vpc_id).id]
        asked = _shape(zones, ports, scheme, subnets, security_groups)
        existing = backend.load_balancers.get(name)
        if existing is not None and existing.lab_shape == asked:
            return existing
        balancer = original(backend, name, zones, ports, scheme, subnets, security_groups)
        balancer.lab_shape = asked
        backend.configure_health_check(name, "5", "10", "2", "30", f"TCP:{balancer.listeners[0].instance_port}")
        balancer.dns_name = f"{name}-{random.randrange(10**8, 10**10)}.{backend.region_name}.elb.amazonaws.com"
        balancer.canonical_hosted_zone_name_id = HOSTED_ZONE
        public, text = balancer.scheme != "internal", f"ELB {name}"
        interfaces.attach(_owner(backend, name), ec2, balancer.subnets, balancer.security_groups, public, text)
        return balancer


def _owner(backend: Any, name: str) -> str:
    return f"{backend.region_name} {name}"


def _shape(zones: Any, ports: Any, scheme: Any, subnets: Any, groups: Any) -> tuple[Any, ...]:
    """Two creates with the same of this are the same create."""
    listeners = sorted(sorted((key, str(value).upper()) for key, value in port.items()) for port in ports)
    return sorted(zones or []), listeners, scheme or "internet-facing", sorted(subnets or []), sorted(groups or [])


def _change(interfaces: BalancerInterfaces) -> None:
    @replaces(ELBBackend, "delete_load_balancer")
    def _delete_load_balancer(original: Original, backend: Any, load_balancer_name: str) -> Any:
        interfaces.release(_owner(backend, load_balancer_name))
        return original(backend, load_balancer_name)

    @replaces(ELBBackend, "apply_security_groups_to_load_balancer")
    def _apply_security_groups_to_load_balancer(
        original: Original, backend: Any, load_balancer_name: str, security_group_ids: list[str]
    ) -> Any:
        answer = original(backend, load_balancer_name, security_group_ids)
        interfaces.set_groups(_owner(backend, load_balancer_name), security_group_ids)
        return answer

    @replaces(ELBBackend, "delete_load_balancer_listeners")
    def _delete_load_balancer_listeners(_original: Original, backend: Any, name: str, ports: list[int]) -> Any:
        """moto keeps those that are not the first one named."""
        balancer = backend.load_balancers[name]
        unwanted = {int(port) for port in ports}
        balancer.listeners = [one for one in balancer.listeners if int(one.load_balancer_port) not in unwanted]
        return balancer


def _move(world: World, interfaces: BalancerInterfaces) -> None:
    """One subnet of each zone, and never none: https://github.com/hashicorp/terraform/issues/14072

    That it has left a zone is not known everywhere at once; terraform's provider attaches it there again and again.
    """

    @replaces(ELBBackend, "attach_load_balancer_to_subnets")
    def _attach_load_balancer_to_subnets(
        original: Original, backend: Any, load_balancer_name: str, subnets: list[str]
    ) -> Any:
        balancer, ec2 = _with_network(backend, load_balancer_name)
        wanted = sorted({*balancer.subnets, *subnets})
        check_network("elb", ec2, wanted, balancer.security_groups, balancer.scheme, balancer.subnets)
        if any(world.is_new(_left(backend, load_balancer_name, ec2.get_subnet(one))) for one in subnets):
            raise zone_twice("elb")
        answer = original(backend, load_balancer_name, subnets)
        _follow(interfaces, backend, balancer)
        return answer

    @replaces(ELBBackend, "detach_load_balancer_from_subnets")
    def _detach_load_balancer_from_subnets(
        original: Original, backend: Any, load_balancer_name: str, subnets: list[str]
    ) -> Any:
        balancer, ec2 = _with_network(backend, load_balancer_name)
        if not {*balancer.subnets} - {*subnets}:
            message = (
                f'Requested configuration change for LoadBalancer "{load_balancer_name}" is invalid because you '
                "attempted to detach all the subnets for this LoadBalancer and a LoadBalancer cannot be attached to "
                "zero subnets in VPC."
            )
            raise aws_error("elb", "InvalidConfigurationRequest", message)
        for one in {*balancer.subnets} & {*subnets}:
            world.born(_left(backend, load_balancer_name, ec2.get_subnet(one)))
        answer = original(backend, load_balancer_name, subnets)
        _follow(interfaces, backend, balancer)
        return answer


def _with_network(backend: Any, name: str) -> tuple[Any, Any]:
    """A load balancer, and the EC2 that it is in."""
    return backend.load_balancers[name], ec2_backends[backend.account_id][backend.region_name]


def _left(backend: Any, name: str, subnet: Any) -> str:
    return f"{_owner(backend, name)} has left {subnet.availability_zone}"


def _follow(interfaces: BalancerInterfaces, backend: Any, balancer: Any) -> None:
    owner, public = _owner(backend, balancer.name), balancer.scheme != "internal"
    interfaces.set_subnets(owner, balancer.subnets, balancer.security_groups, public, f"ELB {balancer.name}")
