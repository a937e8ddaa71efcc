# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every DigitalOcean module has, and the libraries that it needs. PRIVATE."""

from __future__ import annotations

from ansible.module_utils.basic import env_fallback

from .._argspec import ArgumentSpec, Library

LIBRARIES = (Library("python-digitalocean", "1.17.0"), Library("requests", "2.25.0"))
TOKEN_VARIABLES = ("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN", "DO_API_TOKEN", "DO_API_KEY")
PUBLIC_API = "https://api.digitalocean.com"


def connection(*, shared: bool = False) -> ArgumentSpec:
    """The connection to DigitalOcean.

    Args:
        shared: for a module that can do without DigitalOcean, and has another provider's options too. What all
            providers call the same is there already then.
    """
    return ArgumentSpec(
        {
            "api_token": {
                "type": "str",
                "no_log": True,
                "required": not shared,
                "aliases": ["digitalocean_token"],
                "fallback": (env_fallback, list(TOKEN_VARIABLES)),
            },
            "api_url": {
                "type": "str",
                "default": PUBLIC_API,
                "aliases": ["digitalocean_api_url"],
                "fallback": (env_fallback, ["DIGITALOCEAN_API_URL"]),
            },
            **({} if shared else {"request_timeout": {"type": "int", "default": 60}}),
        }
    )
