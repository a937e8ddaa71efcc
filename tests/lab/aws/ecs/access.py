# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may talk to what: an instance to the internet, a load balancer to a port, a role to an API.

A module that forgets a route, a rule or a policy must fail here as it would on AWS, so nothing is taken for granted.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.models import iam_backends

ANYWHERE = "0.0.0.0/0"


def no_way_out(backend: Any, instance: Any) -> str | None:
    """Why the instance cannot open a connection to the internet on port 443 (a phrase), or None if it can."""
    if not _permitted(instance.security_groups, "egress_rules", 443, (), (ANYWHERE,)):
        return "no security group of the instance lets port 443 out"
    table = _route_table(backend, instance.subnet_id, instance.vpc_id)
    route = next((r for r in table.routes if r.destination_cidr_block == ANYWHERE), None) if table else None
    if route is None:
        return f"the route table of {instance.subnet_id} has no default route"
    if route.nat_gateway is not None:
        return None if route.nat_gateway.state == "available" else f"{route.nat_gateway.id} is not available"
    return _no_way_through(route.gateway, instance)


def _no_way_through(gateway: Any, instance: Any) -> str | None:
    if gateway is None or not gateway.id.startswith("igw-"):
        return "the default route does not lead to an internet or NAT gateway"
    if gateway.vpc is None or gateway.vpc.id != instance.vpc_id:
        return f"{gateway.id} is not attached to {instance.vpc_id}"
    if not instance.public_ip:
        return "the instance has no public address for the internet gateway"
    return None


def _route_table(backend: Any, subnet_id: str, vpc_id: str) -> Any:
    tables = [table for table in backend.route_tables.values() if table.vpc_id == vpc_id]
    explicit = next((table for table in tables if subnet_id in table._associations.values()), None)
    return explicit or next((table for table in tables if table.main_association_id), None)


def admits(groups: Iterable[Any], port: int, from_groups: Iterable[str], from_networks: Iterable[str]) -> bool:
    """Does one of the security groups let TCP in on the port, from one of the groups or from all of one network?"""
    return _permitted(groups, "ingress_rules", port, tuple(from_groups), tuple(from_networks))


def _permitted(groups: Iterable[Any], rules: str, port: int, peers: tuple[str, ...], networks: tuple[str, ...]) -> bool:
    return any(_covers(rule, port, peers, networks) for group in groups for rule in getattr(group, rules))


def _covers(rule: Any, port: int, peers: tuple[str, ...], networks: tuple[str, ...]) -> bool:
    if rule.ip_protocol not in ("-1", "tcp") or (
        rule.ip_protocol == "tcp" and not rule.from_port <= port <= rule.to_port
    ):
        return False
    if rule.source_group.get("GroupId") in peers:
        return True
    cidr = rule.ip_range.get("CidrIp")
    return bool(cidr) and any(ipaddress.IPv4Network(n).subnet_of(ipaddress.IPv4Network(cidr)) for n in networks)


def role_of_instance(backend: Any, instance: Any) -> Any | None:
    """The role in the instance's profile, if EC2 may assume it."""
    association = backend.iam_instance_profile_associations.get(instance.id)
    profile = association.iam_instance_profile if association else None
    if profile is None or not profile.roles:
        return None
    role = profile.roles[0]
    return role if _trusts(role, "ec2.amazonaws.com") else None


def role_by_arn(account: str, arn: str, service: str) -> Any | None:
    """The role of that ARN, if it exists and the service may assume it."""
    role = next((role for role in iam_backends[account]["aws"].roles.values() if role.arn == arn), None)
    return role if role is not None and _trusts(role, service) else None


def allows(role: Any, action: str, resource: str) -> bool:
    """Do the role's attached and inline policies allow the action? An explicit deny wins."""
    documents = [_document(policy) for policy in role.managed_policies.values()]
    documents += [policy if isinstance(policy, str) else json.dumps(policy) for policy in role.policies.values()]
    results = [IAMPolicy(document).is_action_permitted(action, resource) for document in documents]
    return PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results


def _document(policy: Any) -> str:
    document = next((version.document for version in policy.versions if version.is_default), "{}")
    return document if isinstance(document, str) else json.dumps(document)


def _trusts(role: Any, service: str) -> bool:
    document = role.assume_role_policy_document
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed["Statement"] if isinstance(parsed["Statement"], list) else [parsed["Statement"]]
    return any(service in _services(statement) for statement in statements if statement.get("Effect") == "Allow")


def _services(statement: Any) -> list[str]:
    principal = statement.get("Principal", {})
    named = principal.get("Service", []) if isinstance(principal, dict) else []
    return [named] if isinstance(named, str) else list(named)
