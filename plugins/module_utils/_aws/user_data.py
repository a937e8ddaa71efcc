# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance does when it boots for the first time: it learns which cluster to join. Pure. PRIVATE."""

from __future__ import annotations

import base64
import shlex

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


def encoded(user_data: str) -> str:
    """As launch templates take it."""
    return base64.b64encode(user_data.encode()).decode()


def decoded(user_data: str) -> str:
    """As it was before ``encoded``; what is not ours may be any bytes."""
    return base64.b64decode(user_data).decode(errors="replace")
