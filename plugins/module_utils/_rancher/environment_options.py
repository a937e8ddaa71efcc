# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of rancher_environment, read and checked before anything is asked for. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._argspec import ArgumentSpec
from .._errors import InputError

ORCHESTRATIONS = ("cattle", "kubernetes", "swarm", "mesos")
ROLES = ("owner", "member", "restricted", "readonly")
IDENTITY = re.compile(r"(?P<kind>[a-z_]+):(?P<id>.+)")
ENVIRONMENT_SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        "orchestration": {"type": "str", "choices": list(ORCHESTRATIONS)},
        "template": {"type": "str"},
        "members": {
            "type": "list",
            "elements": "dict",
            "options": {
                "identity": {"type": "str", "required": True},
                "role": {"type": "str", "choices": list(ROLES), "default": "member"},
            },
        },
        "kubeconfig": {"type": "path"},
        "api_key_name": {"type": "str", "default": "kubectl", "no_log": False},
        "force": {"type": "bool", "default": False},
        "adopt": {"type": "bool", "default": False},
    }
)


@dataclass(frozen=True)
class EnvironmentOptions:
    """An environment as the options describe it.

    Attributes:
        template: the name of the environment template (1.2 and newer); None for that of the orchestration.
        members: identity -> role; None if they are not managed.
        key_name: the name of the API key in the kubeconfig.
    """

    name: str
    description: str | None = None
    orchestration: str | None = None
    template: str | None = None
    members: Mapping[str, str] | None = None
    kubeconfig: str | None = None
    key_name: str = "kubectl"
    force: bool = False
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> EnvironmentOptions:
        """As the module's options say.

        Raises:
            InputError: they cannot be.
        """
        if not params["name"].strip():
            raise InputError("name is empty")
        return cls(
            params["name"],
            params["description"],
            params["orchestration"],
            params["template"] or None,
            _members(params["members"]),
            params["kubeconfig"] or None,
            params["api_key_name"] or cls.key_name,
            bool(params["force"]),
            bool(params["adopt"]),
        )

    @property
    def manages(self) -> bool:
        """Whether they say anything of the environment but its name."""
        given = (self.description, self.orchestration, self.template, self.members)
        return any(one is not None for one in given)


def _members(given: Any) -> dict[str, str] | None:
    if given is None:
        return None
    members: dict[str, str] = {}
    for one in given:
        if not IDENTITY.fullmatch(one["identity"]):
            raise InputError(
                f"members: {one['identity']!r} is no identity",
                hint="Identities are like github_user:583231, github_org:9919 or rancher_id:1a7.",
            )
        if one["identity"] in members:
            raise InputError(f"members: {one['identity']} is there twice")
        members[one["identity"]] = one["role"]
    if "owner" not in members.values():
        raise InputError("members: an environment needs an owner")
    return members
