# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Eventual consistency, if it is switched on: what was made a moment ago is not found yet, and missing from lists.

EC2: any call that names a new thing, and every list. IAM: reads only, as its writes go to one place; that EC2 does not
know a new instance profile yet is in instances.py. ECS: reads of a new cluster, as if there was none; services are in
ecs/replica.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult

from lab.aws.patching import aws_error, replaces
from lab.messages import Answer, Call
from lab.world import World

Original = Callable[..., Any]
_EC2_MAKERS = {
    "AllocateAddress": ("eipalloc", "InvalidAllocationID.NotFound"),
    "CreateInternetGateway": ("igw", "InvalidInternetGatewayID.NotFound"),
    "CreateLaunchTemplate": ("lt", "InvalidLaunchTemplateId.NotFound"),
    "CreateNatGateway": ("nat", "NatGatewayNotFound"),
    "CreateNetworkInterface": ("eni", "InvalidNetworkInterfaceID.NotFound"),
    "CreateRouteTable": ("rtb", "InvalidRouteTableID.NotFound"),
    "CreateSecurityGroup": ("sg", "InvalidGroup.NotFound"),
    "CreateSnapshot": ("snap", "InvalidSnapshot.NotFound"),
    "CreateSubnet": ("subnet", "InvalidSubnetID.NotFound"),
    "CreateVolume": ("vol", "InvalidVolume.NotFound"),
    "CreateVpc": ("vpc", "InvalidVpcID.NotFound"),
    "RunInstances": ("i", "InvalidInstanceID.NotFound"),
}
_NOT_FOUND = dict(_EC2_MAKERS.values())
_IAM_NAMES = {
    "GetRole": ("role", "RoleName"),
    "ListAttachedRolePolicies": ("role", "RoleName"),
    "ListRolePolicies": ("role", "RoleName"),
    "GetInstanceProfile": ("instance-profile", "InstanceProfileName"),
}
_LISTED = {"Roles": "role", "InstanceProfiles": "instance-profile"}


def install(world: World) -> None:
    world.on_call(lambda call: _refuse(world, call))

    @replaces(ActionResult, "execute_result")
    def _execute_result(original: Original, answer: Any, context: Any) -> Any:
        call = world.call
        if call is None or world.settings.consistency_seconds <= 0 or not isinstance(answer._result, dict):
            made = original(answer, context)
        else:
            if call.service in ("ec2", "iam") and call.is_read:
                answer._result = {name: _old_enough(world, name, value) for name, value in answer._result.items()}
            made = original(answer, context)
        if call is not None and call.service == "ec2" and call.action in _EC2_MAKERS:
            _note(world, call, made[2])
        return made


def _note(world: World, call: Call, body: Any) -> None:
    prefix, _unused = _EC2_MAKERS[call.action]
    text = body if isinstance(body, str) else bytes(body).decode()
    for thing in re.findall(rf"\b{prefix}-[0-9a-f]{{8,17}}\b", text):
        if thing not in call.params.values():
            world.born(thing)


def _refuse(world: World, call: Call) -> Answer | None:
    if world.settings.consistency_seconds <= 0:
        return None
    if call.service == "ec2":
        for name, value in call.params.items():
            if not name.startswith("Filter.") and world.is_new(str(value)):
                code = _NOT_FOUND[str(value).partition("-")[0]]
                raise aws_error("ec2", code, f"The ID '{value}' does not exist")
        name = call.params.get("LaunchTemplateName", "")
        if world.is_new(f"launch-template/{name}") and call.action != "CreateLaunchTemplate":
            code = "InvalidLaunchTemplateName.NotFoundException"
            raise aws_error("ec2", code, f"The specified launch template, with template name {name}, does not exist.")
    elif call.service == "ecs" and call.is_read:
        if world.is_new("cluster/" + str(call.params.get("cluster", "")).rpartition("/")[2]):
            raise aws_error("ecs", "ClusterNotFoundException", "Cluster not found.")
    elif call.service == "iam" and call.action in _IAM_NAMES:
        kind, parameter = _IAM_NAMES[call.action]
        name = call.params.get(parameter, "")
        if world.is_new(f"{kind}/{name}"):
            raise aws_error("iam", "NoSuchEntity", f"The {kind} with name {name} cannot be found.")
    return None


def _old_enough(world: World, name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if name == "Reservations":
        return [one for one in value if not any(world.is_new(instance.id) for instance in one.instances)]
    return [one for one in value if not world.is_new(_identity(name, one))]


def _identity(name: str, thing: Any) -> str:
    if name in _LISTED:
        return f"{_LISTED[name]}/{getattr(thing, 'name', '')}"
    if isinstance(thing, dict):
        return str(next((thing[key] for key in thing if key.endswith("Id") and _is_id(thing[key])), ""))
    return str(getattr(thing, "allocation_id", None) or getattr(thing, "id", ""))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value.partition("-")[0] in _NOT_FOUND
