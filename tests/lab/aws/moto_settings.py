# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's own switches and its reset, set once for the whole lab."""

from __future__ import annotations

from moto import settings
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data

from lab.world import World


def install(world: World) -> None:
    settings.EC2_ENABLE_INSTANCE_TYPE_VALIDATION = True
    settings.ENABLE_AMI_VALIDATION = True
    default_user_config["iam"]["load_aws_managed_policies"] = True
    world.on_reset(forget_everything)
    forget_everything()


def forget_everything() -> None:
    """moto's own reset builds every backend anew before it throws them away; dropping them is enough.

    Except for those with a reset of their own: they keep something elsewhere (S3 its bucket names and files).
    """
    for backends in list(BackendDict._instances):
        if backends.backend.reset is not BaseBackend.reset:
            for _unused, _unused, backend in list(backends.iter_backends()):
                backend.reset()
        backends.clear()
    BackendDict._instances.clear()
    reset_model_data()
