# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of an app as Ansible checks them; ``app_options`` checks the rest. PRIVATE."""

from __future__ import annotations

from typing import Any

from .._argspec import ArgumentSpec

# what CloudWatch Logs takes (API reference, PutRetentionPolicy)
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

PORT: dict[str, Any] = {
    "container_port": {"type": "int", "required": True},
    "host_port": {"type": "int", "default": 0},
    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
}
HEALTH_CHECK: dict[str, Any] = {
    "command": {"type": "raw", "required": True},
    "interval": {"type": "int", "default": 30},
    "timeout": {"type": "int", "default": 5},
    "retries": {"type": "int", "default": 3},
    "start_period": {"type": "int", "default": 0},
}
LOG: dict[str, Any] = {
    "group": {"type": "str"},
    "retention_days": {"type": "int", "choices": list(RETENTION_DAYS), "default": 30},
    "stream_prefix": {"type": "str"},
}
CIRCUIT_BREAKER: dict[str, Any] = {
    "enable": {"type": "bool", "default": True},
    "rollback": {"type": "bool", "default": True},
}
PLACEMENT_CONSTRAINT: dict[str, Any] = {
    "type": {"type": "str", "choices": ["distinctInstance", "memberOf"], "required": True},
    "expression": {"type": "str"},
}
PLACEMENT_STRATEGY: dict[str, Any] = {
    "type": {"type": "str", "choices": ["random", "spread", "binpack"], "required": True},
    "field": {"type": "str"},
}
CAPACITY_PROVIDER: dict[str, Any] = {
    "capacity_provider": {"type": "str", "required": True},
    "weight": {"type": "int", "default": 1},
    "base": {"type": "int", "default": 0},
}
LOAD_BALANCER: dict[str, Any] = {
    "type": {"type": "str", "choices": ["classic", "application", "network", "none"], "required": True},
    "name": {"type": "str"},
    "shared": {"type": "bool", "default": False},
    "scheme": {"type": "str", "choices": ["internet-facing", "internal"], "default": "internet-facing"},
    "listener_port": {"type": "int", "default": 80},
    "container_port": {"type": "int"},
    "health_check_path": {"type": "str", "default": "/"},
    "healthy_threshold": {"type": "int", "default": 2},
    "unhealthy_threshold": {"type": "int", "default": 3},
    "interval": {"type": "int", "default": 10},
    "timeout": {"type": "int", "default": 5},
    "deregistration_delay": {"type": "int", "default": 30},
    "allowed_cidrs": {"type": "list", "elements": "str", "default": ["0.0.0.0/0"]},
    "subnets": {"type": "list", "elements": "str"},
    "grace_period": {"type": "int"},
}
SCALING: dict[str, Any] = {
    "min": {"type": "int", "required": True},
    "max": {"type": "int", "required": True},
    "cpu_percent": {"type": "int", "default": 60},
}

APP = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "cluster": {"type": "str", "required": True},
        "image": {"type": "str"},
        "container_name": {"type": "str"},
        "family": {"type": "str"},
        "memory": {"type": "int"},
        "memory_reservation": {"type": "int"},
        "cpu": {"type": "int"},
        "ports": {"type": "list", "elements": "dict", "options": PORT},
        "environment": {"type": "dict"},
        "secrets": {"type": "dict", "no_log": False},
        "command": {"type": "raw"},
        "entry_point": {"type": "raw"},
        "user": {"type": "str"},
        "working_directory": {"type": "str"},
        "health_check": {"type": "dict", "options": HEALTH_CHECK},
        "log": {"type": "dict", "options": LOG},
        "task_role": {"type": "str"},
        "execution_role": {"type": "str"},
        "desired_count": {"type": "int"},
        "minimum_healthy_percent": {"type": "int"},
        "maximum_percent": {"type": "int"},
        "circuit_breaker": {"type": "dict", "options": CIRCUIT_BREAKER},
        "placement_constraints": {"type": "list", "elements": "dict", "options": PLACEMENT_CONSTRAINT},
        "placement_strategy": {"type": "list", "elements": "dict", "options": PLACEMENT_STRATEGY},
        "capacity_provider_strategy": {"type": "list", "elements": "dict", "options": CAPACITY_PROVIDER},
        "load_balancer": {"type": "dict", "options": LOAD_BALANCER},
        "scaling": {"type": "dict", "options": SCALING},
        "keep_revisions": {"type": "int", "default": 5},
        "tags": {"type": "dict"},
        "adopt": {"type": "bool", "default": False},
    },
    mutually_exclusive=(("desired_count", "scaling"),),
)
