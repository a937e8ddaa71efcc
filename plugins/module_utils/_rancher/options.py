# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every Rancher module has. PRIVATE."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

from .._argspec import ArgumentSpec, Library

WEBSOCKET = (Library("websocket-client", "1.6.0"),)
YAML = (Library("PyYAML", "6.0"),)


def _from_environment(name: str, **option: Any) -> dict[str, Any]:
    return {"type": "str", "fallback": (env_fallback, [name]), **option}


CONNECTION = ArgumentSpec(
    {
        "url": _from_environment("RANCHER_URL"),
        "access_key": _from_environment("RANCHER_ACCESS_KEY", no_log=False),
        "secret_key": _from_environment("RANCHER_SECRET_KEY", no_log=True),
        "api_version": {"type": "str", "choices": ["auto", "v1", "v2-beta"], "default": "auto"},
        "ca": _from_environment("RANCHER_CA", type="path"),
        "validate_certs": {"type": "bool", "default": True},
        "request_timeout": {"type": "int", "default": 30},
    },
    required_together=(("access_key", "secret_key"),),
)
# for a module that has other providers' options too: keys of AWS are called the same
SHARED = ArgumentSpec(
    {f"rancher_{name}": CONNECTION.options[name] for name in ("url", "access_key", "secret_key", "ca")},
    required_together=(("rancher_access_key", "rancher_secret_key"),),
)
ENVIRONMENT = ArgumentSpec({"environment": _from_environment("RANCHER_ENVIRONMENT", aliases=["project"])})
