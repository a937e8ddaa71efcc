# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM refuses broken documents and deletes that would leave something attached; new objects are seen a little later."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.iam.exceptions import IAMException
from moto.iam.models import IAMBackend, Role

from lab.aws.patching import aws_error, replaces
from lab.world import World

Original = Callable[..., Any]


def install(world: World) -> None:
    _roles(world)
    _policies()
    _instance_profiles(world)


def _roles(world: World) -> None:
    @replaces(IAMBackend, "create_role")
    def _create_role(
        original: Original, backend: Any, role_name: str, assume_role_policy_document: str, *rest: Any, **options: Any
    ) -> Any:
        try:
            document = json.loads(assume_role_policy_document)
        except ValueError:
            document = None
        if not isinstance(document, dict) or not document.get("Statement"):
            raise aws_error("iam", "MalformedPolicyDocument", "This policy contains invalid Json")
        role = original(backend, role_name, assume_role_policy_document, *rest, **options)
        world.born(f"role/{role_name}")
        return role

    @replaces(IAMBackend, "create_service_linked_role")
    def _create_service_linked_role(
        original: Original, backend: Any, service_name: str, description: str, suffix: str
    ) -> Any:
        try:
            return original(backend, service_name, description, suffix)
        except IAMException as error:
            name = str(error.message).rpartition("with name ")[2].partition(" ")[0]
            message = f"Service role name {name} has been taken in this account, please try a different suffix."
            raise aws_error("iam", "InvalidInput", message) from error

    @replaces(IAMBackend, "delete_role")
    def _delete_role(original: Original, backend: Any, role_name: str) -> Any:
        role = backend.get_role(role_name)
        linked = role.path.startswith("/aws-service-role/")
        if linked and world.call is not None and world.call.action == "DeleteRole":
            message = f"Cannot perform the operation on the protected role '{role_name}': only AWS may modify it"
            raise aws_error("iam", "UnmodifiableEntity", message)
        return original(backend, role_name)

    @replaces(Role, "delete_policy")
    def _delete_policy(original: Original, role: Any, policy_name: str) -> Any:
        if policy_name not in role.policies:
            message = f"The role policy with name {policy_name} cannot be found."
            raise aws_error("iam", "NoSuchEntity", message)
        return original(role, policy_name)


def _policies() -> None:
    @replaces(IAMBackend, "delete_policy")
    def _delete_policy_2(original: Original, backend: Any, policy_arn: str) -> Any:
        policy = backend.get_policy(policy_arn)
        if policy.attachment_count > 0:
            raise aws_error("iam", "DeleteConflict", "Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            message = "This policy has more than one version: before you delete it, delete its other versions."
            raise aws_error("iam", "DeleteConflict", message)
        return original(backend, policy_arn)


def _instance_profiles(world: World) -> None:
    @replaces(IAMBackend, "create_instance_profile")
    def _create_instance_profile(original: Original, backend: Any, name: str, *rest: Any, **options: Any) -> Any:
        profile = original(backend, name, *rest, **options)
        world.born(f"instance-profile/{name}")
        return profile
