# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance does when it boots for the first time: it learns which cluster to join. Pure. PRIVATE."""

from __future__ import annotations

import base64
import gzip
import shlex
import zlib
from contextlib import suppress

from .._errors import InputError

LIMIT = 16384  # bytes, before they are encoded
COMPRESSED_FROM = 4096
GZIP_MAGIC = b"\x1f\x8b"

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html
AGENT_SETTINGS = {
    "ECS_AWSVPC_BLOCK_IMDS": "true",  # tasks with a network of their own do not get the instance's credentials
    "ECS_ENABLE_CONTAINER_METADATA": "true",
}


def ecs_user_data(cluster: str) -> str:
    """The script that writes the ECS agent's configuration. It is no place for secrets: any process can read it."""
    settings = {"ECS_CLUSTER": cluster, **AGENT_SETTINGS}
    lines = " ".join(shlex.quote(f"{name}={value}") for name, value in settings.items())
    return f"#!/bin/sh\nmkdir -p /etc/ecs\nprintf '%s\\n' {lines} >/etc/ecs/ecs.config\n"


def packed(user_data: str) -> bytes:
    """As EC2 takes it: what is long is compressed, which cloud-init undoes.

    Raises:
        InputError: it is too long all the same.
    """
    plain = user_data.encode()
    data = plain if len(plain) <= COMPRESSED_FROM else gzip.compress(plain, mtime=0)
    if len(data) > LIMIT:
        raise InputError(f"the user data has {len(data)} bytes, EC2 takes {LIMIT}", hint="Give shorter tags or names.")
    return data


def encoded(user_data: str) -> str:
    """As launch templates take it."""
    return base64.b64encode(packed(user_data)).decode()


def decoded(user_data: str) -> str:
    """As it was before ``encoded``; what is not ours may be any bytes."""
    data = base64.b64decode(user_data)
    if data.startswith(GZIP_MAGIC):
        with suppress(OSError, EOFError, zlib.error):
            data = gzip.decompress(data)
    return data.decode(errors="replace")
