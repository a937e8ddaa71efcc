# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every AWS module has, and the libraries that it needs. PRIVATE."""

from __future__ import annotations

from .._argspec import ArgumentSpec, Library

# the first ones that know availabilityZoneRebalancing; older ones drop it from what ECS answers
LIBRARIES = (Library("boto3", "1.35.66"), Library("botocore", "1.35.66"), Library("jmespath", "1.0.0"))

CONNECTION = ArgumentSpec(
    {
        "region": {"type": "str", "aliases": ["aws_region"]},
        "profile": {"type": "str", "aliases": ["aws_profile"]},
        "access_key": {"type": "str", "aliases": ["aws_access_key"], "no_log": False},
        "secret_key": {"type": "str", "aliases": ["aws_secret_key"], "no_log": True},
        "session_token": {"type": "str", "aliases": ["aws_session_token"], "no_log": True},
        "endpoint_url": {"type": "str", "aliases": ["aws_endpoint_url"]},
        "ca_bundle": {"type": "path", "aliases": ["aws_ca_bundle"]},
        "validate_certs": {"type": "bool", "default": True},
        "request_timeout": {"type": "int", "default": 60},
    },
    required_together=(("access_key", "secret_key"),),
)
