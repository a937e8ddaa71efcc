# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto reads its catalogues anew after each reset, and inspects itself on each request; here that is done once.

Nothing in this file changes an answer.
"""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable
from typing import Any

import moto.core.responses
import moto.core.utils
import moto.ec2.utils
import moto.moto_server.werkzeug_app
import moto.ssm.models
from moto.backends import get_backend, list_of_moto_modules
from moto.core.responses import BaseResponse
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.iam.models import IAMBackend
from moto.ssm.models import ParameterDict

from lab.aws.patching import replaces
from lab.world import World

Original = Callable[..., Any]
_WARM = (
    "ec2",
    "iam",
    "ecs",
    "autoscaling",
    "elb",
    "elbv2",
    "route53",
    "ssm",
    "logs",
    "sts",
    "resourcegroupstaggingapi",
)


def install(world: World) -> None:
    _policies()
    _public_parameters()
    _zones()
    modules = list(list_of_moto_modules())
    method_names = functools.cache(moto.core.responses.method_names_from_class)
    replaces(moto.moto_server.werkzeug_app.backends, "list_of_moto_modules")(lambda _original: modules)
    replaces(moto.core.responses, "method_names_from_class")(lambda _original, owner: method_names(owner))
    replaces(moto.ec2.utils, "random_resource_id")(lambda _original, size=8: f"{random.getrandbits(4 * size):0{size}x}")
    replaces(BaseResponse, "get_current_account")(lambda _original, _response: world.account)


def warm_up(world: World) -> None:
    """The first EC2 call would pay for catalogues of images and instance types, the first IAM call for policies."""
    for service in _WARM:
        with world.lock:
            moto.core.utils.get_service_model(service)
            get_backend(service)[world.account]["aws" if service in ("iam", "route53", "sts") else "us-east-1"]


def _policies() -> None:
    known: dict[str, list[Any]] = {}

    @replaces(IAMBackend, "_init_aws_policies")
    def _init_aws_policies(original: Original, backend: Any) -> Any:
        if backend.partition not in known:
            known[backend.partition] = original(backend)
        return [copy.copy(policy) for policy in known[backend.partition]]


def _public_parameters() -> None:
    known: dict[tuple[str, str], dict[str, list[Any]]] = {}

    @replaces(ParameterDict, "_load_tree_parameters")
    def _load_tree_parameters(original: Original, parameters: Any, path: str) -> None:
        """Nobody can change a public parameter, so the objects may be shared."""
        key = (parameters.region_name, path)
        if key not in known:
            before = set(parameters)
            original(parameters, path)
            known[key] = {name: dict.__getitem__(parameters, name) for name in set(parameters) - before}
        for name, versions in known[key].items():
            dict.__setitem__(parameters, name, list(versions))


def _zones() -> None:
    known: dict[tuple[str, str], Any] = {}

    @replaces(RegionsAndZonesBackend, "get_zone_by_name")
    def _get_zone_by_name(original: Original, backend: Any, name: str) -> Any:
        key = (backend.region_name, name)
        if key not in known:
            known[key] = original(backend, name)
        return known[key]
