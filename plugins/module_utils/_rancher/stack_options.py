# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of rancher_stack, read and checked before anything is asked for. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._argspec import ArgumentSpec
from .._errors import InputError
from .compose import Compose, read_compose
from .names import checked_name
from .service_options import SERVICE_OPTIONS, ServiceOptions, read_services
from .upgrades import UpgradePolicy
from .veil import Veil

UPGRADE_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "batch_size": {"type": "int", "default": 1},
    "interval_seconds": {"type": "float", "default": 2.0},
    "start_first": {"type": "bool", "default": False},
    "finish": {"type": "bool", "default": True},
}
STRATEGY = ("batch_size", "interval_seconds", "start_first")
STACK = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        "services": {"type": "list", "elements": "dict", "options": SERVICE_OPTIONS},
        "purge_services": {"type": "bool", "default": False},
        "delete_data": {"type": "bool", "default": False},
        "docker_compose": {"type": "str"},
        "docker_compose_file": {"type": "path"},
        "rancher_compose": {"type": "str"},
        "rancher_compose_file": {"type": "path"},
        "template": {"type": "str"},
        "template_version": {"type": "str"},
        "answers": {"type": "dict"},
        "secret_answers": {"type": "dict", "no_log": True},
        "system": {"type": "bool"},
        "upgrade": {"type": "dict", "options": UPGRADE_OPTIONS},
        "on_failed_upgrade": {"type": "str", "choices": ["rollback", "leave"], "default": "rollback"},
        "export_to": {"type": "path"},
        "adopt": {"type": "bool", "default": False},
    },
    mutually_exclusive=(
        ("services", "docker_compose", "docker_compose_file", "template"),
        ("rancher_compose", "rancher_compose_file"),
    ),
    required_by={"template_version": ("template",)},
)


@dataclass(frozen=True)
class StackOptions:
    """A stack as the options describe it.

    Attributes:
        services: None unless the stack is described by a list of them.
        compose: what the files say; None unless it is described by them.
        docker, rancher: the files' texts.
        template: the id of a catalog template, empty without one.
        answers: what is filled in for the variables of files or of a template.
        secret_names: the answers that must not be shown.
    """

    name: str
    policy: UpgradePolicy
    description: str | None = None
    services: tuple[ServiceOptions, ...] | None = None
    purge: bool = False
    compose: Compose | None = None
    docker: str = ""
    rancher: str = ""
    template: str = ""
    template_version: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret_names: frozenset[str] = frozenset()
    system: bool | None = None
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any], veil: Veil) -> StackOptions:
        """The stack of the module's options.

        Raises:
            InputError: it cannot be.
        """
        name = checked_name("name", params["name"])
        docker = _text(params, "docker_compose")
        rancher = _text(params, "rancher_compose")
        if rancher and not docker:
            raise InputError("rancher_compose says nothing without docker_compose")
        if docker is not None and not docker.strip():
            raise InputError("docker_compose is empty")
        answers = params["answers"] or {}
        secret = params["secret_answers"] or {}
        if (answers or secret) and not (docker or params["template"]):
            raise InputError("answers are for a template or for compose files, and neither is given")
        if params["purge_services"] and (docker or params["template"]):
            raise InputError(
                "purge_services is for services; what new files or a new template do not have, Rancher keeps",
                hint="A warning names it when it is left behind.",
            )
        policy = _policy(params, is_list=not (docker or params["template"]))
        listed = params["services"] if params["state"] == "present" else None  # what goes may be wrong by now
        services = None if listed is None else read_services(name, listed, veil)
        _refuse_two_with_one_address(policy, services or ())
        return cls(
            name,
            policy,
            params["description"],
            services,
            bool(params["purge_services"]),
            read_compose(docker, rancher) if docker else None,
            docker or "",
            rancher or "",
            params["template"] or "",
            params["template_version"],
            {**answers, **secret},
            frozenset(secret),
            params["system"],
            bool(params["adopt"]),
        )


def _policy(params: Mapping[str, Any], *, is_list: bool) -> UpgradePolicy:
    policy, ranchers = UpgradePolicy.from_params(params), UpgradePolicy()
    own = [name for name in STRATEGY if getattr(policy, name) != getattr(ranchers, name)]
    if own and not is_list:
        raise InputError(
            f"upgrade: {own[0]} is for services; Rancher does not take it for a stack of compose files or a template",
            hint="Of them, start_first can be given in rancher_compose, as upgrade_strategy of a service.",
        )
    if policy.batch_size < 1:
        raise InputError(f"upgrade: batch_size is {policy.batch_size}, but has to be at least 1")
    if policy.interval_seconds < 0:
        raise InputError(f"upgrade: interval_seconds is {policy.interval_seconds}, but cannot be negative")
    return policy


def _refuse_two_with_one_address(policy: UpgradePolicy, services: Iterable[ServiceOptions]) -> None:
    """A new container cannot start with the address that the old one still has."""
    kept = next((one.name for one in services if one.spec.get("retain_ip")), None)
    if kept and policy.start_first:
        raise InputError(f"upgrade: start_first and retain_ip of service {kept} exclude one another")


def _text(params: Mapping[str, Any], option: str) -> str | None:
    """The text of a compose file, given itself or by the file's path."""
    path = params[f"{option}_file"]
    if path is None:
        text: str | None = params[option]
        return text
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{option}_file: {path} cannot be read: {why}") from error
