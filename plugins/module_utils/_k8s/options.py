# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every Kubernetes module has, and the libraries that it needs.

They are called as in kubernetes.core, so that its module_defaults and K8S_AUTH_* variables serve both. PRIVATE.
"""

from __future__ import annotations

from .._argspec import ArgumentSpec, Library
from .._proxy import secrets_of
from .kubeconfig import secrets_in_kubeconfig

LIBRARIES = (Library("PyYAML", "6.0"),)
EXEC_LIBRARIES = (*LIBRARIES, Library("websocket-client", "1.6.0"))

CONNECTION = ArgumentSpec(
    {
        "kubeconfig": {"type": "raw", "no_log": False},
        "context": {"type": "str"},
        "host": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "client_cert": {"type": "path", "aliases": ["cert_file"]},
        "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
        "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
        "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
        "proxy": {"type": "str"},
        "no_proxy": {"type": "str"},
        "impersonate_user": {"type": "str"},
        "impersonate_groups": {"type": "list", "elements": "str"},
        "request_timeout": {"type": "int", "default": 60},
    },
    required_together=(("client_cert", "client_key"), ("username", "password")),
    finders={"kubeconfig": secrets_in_kubeconfig, "proxy": secrets_of},
)
