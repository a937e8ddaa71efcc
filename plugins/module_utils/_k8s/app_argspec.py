# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of an app as Ansible checks them; ``app_wanted`` checks the rest. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._argspec import ArgumentSpec
from .._proxy import secrets_of
from .pod_options import PROBE, RESOURCES

SERVICE: dict[str, Any] = {
    "type": {"type": "str", "choices": ["LoadBalancer", "ClusterIP", "NodePort", "none"], "default": "ClusterIP"},
    "port": {"type": "int"},
    "load_balancer": {"type": "str", "choices": ["classic", "nlb"], "default": "classic"},
    "internal": {"type": "bool", "default": False},
    "source_ranges": {"type": "list", "elements": "str"},
    "annotations": {"type": "dict"},
}
VERIFY: dict[str, Any] = {
    "http": {"type": "bool", "default": True},
    "path": {"type": "str", "default": "/"},
    "http_proxy": {"type": "str"},
}


def secrets_in_verify(verify: Any) -> list[str]:
    """The password of its proxy. Pure."""
    return secrets_of(verify.get("http_proxy")) if isinstance(verify, Mapping) else []


APP = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "default": "default"},
        "controller": {"type": "str", "choices": ["Deployment", "ReplicationController"]},
        "image": {"type": "str"},
        "replicas": {"type": "int"},
        "port": {"type": "int"},
        "command": {"type": "raw"},
        "args": {"type": "raw"},
        "environment": {"type": "dict"},
        "secrets": {"type": "dict", "no_log": False},
        "requests": {"type": "dict", "options": RESOURCES},
        "limits": {"type": "dict", "options": RESOURCES},
        "readiness_probe": {"type": "dict", "options": PROBE},
        "liveness_probe": {"type": "dict", "options": PROBE},
        "startup_probe": {"type": "dict", "options": PROBE},
        "pod_labels": {"type": "dict"},
        "pod_annotations": {"type": "dict"},
        "node_selector": {"type": "dict"},
        "service_account": {"type": "str"},
        "image_pull_secrets": {"type": "list", "elements": "str", "no_log": False},
        "service": {"type": "dict", "options": SERVICE},
        "verify": {"type": "dict", "options": VERIFY},
        "adopt": {"type": "bool", "default": False},
    },
    finders={"verify": secrets_in_verify},
)
