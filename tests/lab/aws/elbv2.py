# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application and network load balancers: the same create returns the same thing, a target is (id, port)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeTargetGroup

from lab.aws.balancer_interfaces import BalancerInterfaces, check_network
from lab.aws.patching import AwsError, aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_ROUTED = {"HTTP": "application", "HTTPS": "application", "GENEVE": "gateway"}
_LEAST_ZONES = 2
"""Of application load balancers."""
_TOO_FEW = "At least two subnets in two different Availability Zones must be specified"


def install(world: World) -> None:
    interfaces = BalancerInterfaces(world)
    _create_balancer(interfaces)
    _change_balancer(interfaces)
    _listeners()
    _target_groups()
    _targets(world)
    _health(world)


def error(code: str, message: str) -> AwsError:
    return aws_error("elbv2", code, message)


def _create_balancer(interfaces: BalancerInterfaces) -> None:
    @replaces(ELBv2Backend, "create_load_balancer")
    def _create_load_balancer(
        original: Original, backend: Any, name: str, security_groups: list[str], subnet_ids: list[str], **options: Any
    ) -> Any:
        kind = options.get("loadbalancer_type") or "application"
        scheme = options.get("scheme") or "internet-facing"
        subnets = [*(subnet_ids or []), *(mapping["SubnetId"] for mapping in options.get("subnet_mappings") or [])]
        ec2 = backend.ec2_backend
        check_network("elbv2", ec2, subnets, security_groups or [], scheme)
        if kind == "application" and len(subnets) < _LEAST_ZONES:
            raise error("ValidationError", _TOO_FEW)
        if kind == "application" and not security_groups:
            vpc_id = ec2.get_subnet(subnets[0]).vpc_id
            security_groups = [ec2.get_security_group_by_name_or_id("default", vpc_id=vpc_id).id]
        asked = (kind, scheme, sorted(subnets), sorted(security_groups or []), options.get("ip_address_type") or "ipv4")
        for existing in backend.load_balancers.values():
            if existing.name == name and existing.lab_shape == asked:
                return existing
            if existing.name == name:
                message = f"A load balancer with the same name '{name}' exists, but with different settings"
                raise error("DuplicateLoadBalancerName", message)
        balancer = original(backend, name, security_groups, subnet_ids, **options)
        balancer.lab_shape = asked
        interfaces.attach(balancer.arn, ec2, subnets, security_groups, scheme != "internal", _text(balancer))
        return balancer


def _text(balancer: Any) -> str:
    return f"ELB {balancer.arn.split(':loadbalancer/')[1]}"


def _change_balancer(interfaces: BalancerInterfaces) -> None:
    @replaces(ELBv2Backend, "describe_load_balancers")
    def _describe_load_balancers(
        original: Original, backend: Any, arns: list[str] | None, names: list[str] | None
    ) -> Any:
        """moto repeats the last one found for a name that is not there."""
        known = {balancer.name for balancer in backend.load_balancers.values()} | set(backend.load_balancers)
        missing = [wanted for wanted in [*(arns or []), *(names or [])] if wanted not in known]
        if missing:
            raise error("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        return original(backend, arns, names)

    @replaces(ELBv2Backend, "delete_load_balancer")
    def _delete_load_balancer(original: Original, backend: Any, arn: str) -> Any:
        balancer = backend.load_balancers.get(arn)
        if balancer is not None and str(balancer.attrs.get("deletion_protection.enabled")).lower() == "true":
            message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            raise error("OperationNotPermitted", message)
        interfaces.release(arn)
        answer = original(backend, arn)
        _refresh_associations(backend)
        return answer

    @replaces(ELBv2Backend, "set_security_groups")
    def _set_security_groups(original: Original, backend: Any, arn: str, sec_groups: list[str]) -> Any:
        answer = original(backend, arn, sec_groups)
        interfaces.set_groups(arn, sec_groups)
        return answer

    @replaces(ELBv2Backend, "set_subnets")
    def _set_subnets(
        original: Original, backend: Any, arn: str, subnets: list[str], subnet_mappings: list[dict[str, Any]]
    ) -> Any:
        """moto wants two zones of network load balancers too."""
        balancer = backend.load_balancers.get(arn)
        if balancer is None:
            return original(backend, arn, subnets, subnet_mappings)
        wanted = [*(subnets or []), *(mapping["SubnetId"] for mapping in subnet_mappings or [])]
        held, groups = {one.id for one in balancer.subnets}, balancer.security_groups or []
        check_network("elbv2", backend.ec2_backend, wanted, groups, balancer.scheme, held)
        found = [backend.ec2_backend.get_subnet(one) for one in wanted]
        if balancer.type == "application" and len(found) < _LEAST_ZONES:
            raise error("ValidationError", _TOO_FEW)
        if balancer.type == "network":
            _check_same_zones(balancer, found)
        balancer.subnets = found
        interfaces.set_subnets(arn, wanted, balancer.security_groups, balancer.scheme != "internal", _text(balancer))
        return [AvailabilityZone(one) for one in found]


def _check_same_zones(balancer: Any, wanted: list[Any]) -> None:
    """To another subnet of its zone it gets in two steps only:
    https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/4171"""
    there = {subnet.availability_zone: subnet.id for subnet in balancer.subnets}
    for subnet in wanted:
        zone = subnet.availability_zone
        if there.get(zone, subnet.id) != subnet.id:
            message = (
                "You cannot specify an additional subnet from an Availability Zone that is already associated with the "
                f"load balancer. The Availability Zone '{zone}' corresponding to the new subnet '{subnet.id}' is "
                "already associated with the load balancer."
            )
            raise error("InvalidConfigurationRequest", message)


def _forwarded(backend: Any, actions: Iterable[Any]) -> set[str]:
    found: set[str] = set()
    for action in actions:
        data = getattr(action, "data", action)
        if data.get("Type", getattr(action, "type", "")) == "forward":
            found.update(arn for arn in backend._get_target_group_arns_from(action_data=data) if arn)
    return found


def _refresh_associations(backend: Any) -> None:
    """Which load balancers use a target group follows from their listeners and rules; moto only ever adds."""
    for group in backend.target_groups.values():
        group.load_balancer_arns = [
            balancer.arn
            for balancer in backend.load_balancers.values()
            if any(
                group.arn
                in _forwarded(
                    backend, [*listener.default_actions, *(a for r in listener.rules.values() for a in r.actions)]
                )
                for listener in balancer.listeners.values()
            )
        ]


def _listeners() -> None:
    @replaces(ELBv2Backend, "create_listener")
    def _create_listener(
        original: Original, backend: Any, load_balancer_arn: str, protocol: str, port: str, *rest: Any, **options: Any
    ) -> Any:
        balancer = backend.load_balancers.get(load_balancer_arn)
        actions = options.get("actions") or []
        asked = (str(protocol), str(port), repr(actions))
        for listener in balancer.listeners.values() if balancer else ():
            if str(listener.port) == str(port):
                if listener.lab_shape == asked:
                    return listener
                message = f"A listener already exists on this port for this load balancer '{load_balancer_arn}'"
                raise error("DuplicateListener", message)
        if balancer:
            _check_forward(backend, balancer, actions)
        listener = original(backend, load_balancer_arn, protocol, port, *rest, **options)
        listener.lab_shape = asked
        _refresh_associations(backend)
        return listener

    for name in ("delete_listener", "delete_rule", "create_rule", "modify_rule", "modify_listener"):

        @replaces(ELBv2Backend, name)
        def _registered(original: Original, backend: Any, *arguments: Any, **options: Any) -> Any:
            answer = original(backend, *arguments, **options)
            _refresh_associations(backend)
            return answer


def _check_forward(backend: Any, balancer: Any, actions: list[dict[str, Any]]) -> None:
    for arn in _forwarded(backend, actions):
        group = backend.target_groups.get(arn)
        if group is None:
            continue
        others = [one for one in group.load_balancer_arns if one != balancer.arn and one in backend.load_balancers]
        if others and balancer.type == "application":
            message = f"The following target groups cannot be associated with more than one load balancer: {arn}"
            raise error("TargetGroupAssociationLimit", message)
        if group.vpc_id and group.vpc_id != balancer.vpc_id:
            message = f"The following target groups are in a different VPC than load balancer '{balancer.arn}': {arn}"
            raise error("InvalidConfigurationRequest", message)
        if group.protocol and _ROUTED.get(group.protocol, "network") != balancer.type:
            raise error(
                "IncompatibleProtocols", f"The protocol {group.protocol} of {arn} does not fit the load balancer"
            )


def _target_groups() -> None:
    @replaces(ELBv2Backend, "create_target_group")
    def _create_target_group(original: Original, backend: Any, name: str, **options: Any) -> Any:
        asked = {key: str(value) for key, value in options.items() if value is not None and key != "tags"}
        for group in backend.target_groups.values():
            if group.name == name and group.lab_shape == asked:
                return group
        vpc_id = options.get("vpc_id")
        if vpc_id and vpc_id not in backend.ec2_backend.vpcs:
            raise error("ValidationError", f"The VPC ID '{vpc_id}' is not found")
        group = original(backend, name, **options)
        group.lab_shape = asked
        return group


def _key(group: Any, target: dict[str, Any]) -> str:
    return f"{target['Id']}:{int(target.get('Port') or group.port or 0)}"


def _targets(world: World) -> None:
    @replaces(FakeTargetGroup, "register")
    def _register(_original: Original, group: Any, targets: list[dict[str, Any]]) -> None:
        """moto knows one port per instance; tasks with dynamic ports need many."""
        for target in targets:
            _check_target(group, target)
        for target in targets:
            key = _key(group, target)
            group.targets[key] = {"Id": target["Id"], "Port": int(target.get("Port") or group.port or 0)}
            group.deregistered_targets.pop(key, None)

    @replaces(FakeTargetGroup, "deregister")
    def _deregister(_original: Original, group: Any, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            _drain(world, group, _key(group, target))

    @replaces(FakeTargetGroup, "deregister_terminated_instances")
    def _deregister_terminated_instances(_original: Original, group: Any, instance_ids: list[str]) -> None:
        for key in [key for key, target in group.targets.items() if target["Id"] in instance_ids]:
            _drain(world, group, key)


def _health(world: World) -> None:
    @replaces(ELBv2Backend, "describe_target_health")
    def _describe_target_health(
        original: Original, backend: Any, target_group_arn: str, targets: list[dict[str, Any]]
    ) -> Any:
        group = backend.target_groups.get(target_group_arn)
        if group is not None:
            _forget_drained(world, group)
            targets = targets or [*group.targets.values(), *group.deregistered_targets.values()]
            if not targets:
                return []
        return original(backend, target_group_arn, targets)

    @replaces(FakeTargetGroup, "health_for")
    def _health_for(original: Original, group: Any, target: dict[str, Any], ec2_backend: Any) -> Any:
        key = _key(group, target)
        registered, draining = key in group.targets, key in group.deregistered_targets
        by_id = {target["Id"]: {"Id": target["Id"], "Port": int(key.rsplit(":", 1)[1])}}
        kept = group.targets, group.deregistered_targets, group.terminated_targets
        group.targets, group.deregistered_targets = by_id if registered else {}, {}
        group.terminated_targets = by_id if draining else {}
        try:
            return original(group, by_id[target["Id"]], ec2_backend)
        finally:
            group.targets, group.deregistered_targets, group.terminated_targets = kept


def _check_target(group: Any, target: dict[str, Any]) -> None:
    if group.target_type != "instance":
        return
    instance = group.ec2_backend.get_instance_by_id(target["Id"])
    if instance is None or instance.state != "running":
        what = "do not exist" if instance is None else "are not in a running state and cannot be registered"
        raise error("InvalidTarget", f"The following targets {what}: '{target['Id']}'")
    if group.vpc_id and instance.vpc_id != group.vpc_id:
        message = f"The following targets are not in the target group VPC '{group.vpc_id}': '{target['Id']}'"
        raise error("InvalidTarget", message)


def _drain(world: World, group: Any, key: str) -> None:
    target = group.targets.pop(key, None)
    if target is not None:
        wanted = float(group.attributes.get("deregistration_delay.timeout_seconds", 300))
        until = world.clock.now() + min(wanted, world.settings.deregistration_seconds)
        group.deregistered_targets[key] = {**target, "lab_until": until}


def _forget_drained(world: World, group: Any) -> None:
    for key, target in list(group.deregistered_targets.items()):
        if target["lab_until"] <= world.clock.now():
            del group.deregistered_targets[key]
