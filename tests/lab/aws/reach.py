# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM judges a call by, besides its name: the resources that it reaches, their tags, and those that it asks for.

Of the calls that the controllers of a Kubernetes cluster make; others are judged by their name alone. What has to be
allowed is AWS's service authorization reference (list_amazonec2, list_awselasticloadbalancing and its v2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends

from lab.messages import Call

# kind of the resource -> the parameter with its id; None: it is about to be made
_EC2: Mapping[str, Mapping[str, str | None]] = {
    "AttachVolume": {"volume": "VolumeId", "instance": "InstanceId"},
    "AuthorizeSecurityGroupIngress": {"security-group": "GroupId"},
    "CreateRoute": {"route-table": "RouteTableId"},
    "CreateSecurityGroup": {"security-group": None, "vpc": "VpcId"},
    "CreateVolume": {"volume": None},
    "DeleteRoute": {"route-table": "RouteTableId"},
    "DeleteSecurityGroup": {"security-group": "GroupId"},
    "DeleteVolume": {"volume": "VolumeId"},
    "DetachVolume": {"volume": "VolumeId", "instance": "InstanceId"},
    "ModifyInstanceAttribute": {"instance": "InstanceId"},
    "ModifyVolume": {"volume": "VolumeId"},
    "RevokeSecurityGroupIngress": {"security-group": "GroupId"},
}
_ELBV2 = {  # the parameter with the ARN, or what those with ARNs begin with
    "AddTags": "ResourceArns.member.",
    "CreateListener": "LoadBalancerArn",
    "DeleteListener": "ListenerArn",
    "DeleteLoadBalancer": "LoadBalancerArn",
    "DeleteTargetGroup": "TargetGroupArn",
    "DeregisterTargets": "TargetGroupArn",
    "ModifyListener": "ListenerArn",
    "ModifyLoadBalancerAttributes": "LoadBalancerArn",
    "ModifyTargetGroup": "TargetGroupArn",
    "ModifyTargetGroupAttributes": "TargetGroupArn",
    "RegisterTargets": "TargetGroupArn",
}
_MADE = {"CreateLoadBalancer": "loadbalancer/{}", "CreateTargetGroup": "targetgroup/{}/0"}


@dataclass(frozen=True)
class Reached:
    """One resource, and what conditions may ask of it."""

    arn: str
    keys: Mapping[str, str]


def reached(account: str, call: Call) -> list[Reached]:
    """All of them, each of which has to be allowed; none: the call is judged by its name."""
    if call.service == "ec2":
        return list(_of_ec2(account, call))
    if call.service in ("elb", "elbv2"):
        return list(_of_elb(account, call))
    return []


def _of_ec2(account: str, call: Call) -> Iterator[Reached]:
    backend = ec2_backends[account][call.region]
    asked = _asked(call.params, "TagSpecification.1.Tag.")
    start = f"arn:aws:ec2:{call.region}:{account}"
    for kind, parameter in _EC2.get(call.action, {}).items():
        if parameter is None:
            yield Reached(f"{start}:{kind}/*", _keys("ec2", {}, asked))
        elif call.params.get(parameter):  # DetachVolume need not name the instance
            thing = call.params[parameter]
            yield Reached(f"{start}:{kind}/{thing}", _keys("ec2", dict(backend.tags.get(thing, {})), {}))
    for thing in _listed(call.params, "ResourceId.") if call.action == "CreateTags" else ():
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(thing), "")
        tags = dict(backend.tags.get(thing, {}))
        yield Reached(f"{start}:{kind}/{thing}", _keys("ec2", tags, _asked(call.params, "Tag.")))


def _of_elb(account: str, call: Call) -> Iterator[Reached]:
    asked = _asked(call.params, "Tags.member.")
    name, start = call.params.get("LoadBalancerName"), f"arn:aws:elasticloadbalancing:{call.region}:{account}"
    if call.action in _MADE:
        made = _MADE[call.action].format(name or call.params.get("Name"))
        yield Reached(f"{start}:{made}", _keys("elasticloadbalancing", {}, asked))
    elif call.service == "elb" and name and not call.action.startswith("Describe"):
        balancer = elb_backends[account][call.region].load_balancers.get(name)
        tags = dict(balancer.tags or {}) if balancer else {}
        yield Reached(f"{start}:loadbalancer/{name}", _keys("elasticloadbalancing", tags, asked))
    elif call.service == "elbv2":
        for arn in _listed(call.params, _ELBV2.get(call.action, "none")):
            tags = elbv2_backends[account][call.region].tagging_service.get_tag_dict_for_resource(arn)
            yield Reached(arn, _keys("elasticloadbalancing", tags, asked))


def _listed(params: Mapping[str, Any], start: str) -> list[str]:
    return [str(value) for name, value in params.items() if name.startswith(start)]


def _asked(params: Mapping[str, Any], start: str) -> dict[str, str]:
    keys = {name: str(value) for name, value in params.items() if name.startswith(start) and name.endswith(".Key")}
    return {key: str(params.get(name.removesuffix("Key") + "Value", "")) for name, key in keys.items()}


def _keys(service: str, tags: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    return {
        **{f"aws:ResourceTag/{key}": value for key, value in tags.items()},
        **{f"{service}:ResourceTag/{key}": value for key, value in tags.items()},
        **{f"aws:RequestTag/{key}": value for key, value in asked.items()},
    }
