# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``digitalocean_droplets``. PRIVATE."""

from __future__ import annotations

from .._argspec import STATE, ArgumentSpec, wait_options
from .options import connection

ALLOW = {
    "protocol": {"type": "str", "choices": ["tcp", "udp", "icmp"], "default": "tcp"},
    "ports": {"type": "str"},
    "sources": {"type": "list", "elements": "str", "required": True},
}

SPEC = STATE.merge(
    connection(),
    wait_options(timeout=600),
    ArgumentSpec(
        {
            "name": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str"},
            "count": {"type": "int"},
            "pattern": {"type": "str"},
            "region": {"type": "str"},
            "size": {"type": "str"},
            "image": {"type": "str"},
            "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
            "ssh_public_key_files": {"type": "list", "elements": "path", "no_log": False},
            "tags": {"type": "list", "elements": "str"},
            "vpc_uuid": {"type": "str"},
            "monitoring": {"type": "bool"},
            "ipv6": {"type": "bool"},
            "user_data": {"type": "str", "no_log": True},
            "firewall": {"type": "bool", "default": True},
            "allow": {"type": "list", "elements": "dict", "options": ALLOW},
            "allow_among": {"type": "bool"},
            "wait_for_port": {"type": "int"},
            "purge": {"type": "bool", "default": False},
            "adopt": {"type": "bool", "default": False},
            "verify_only": {"type": "bool", "default": False},
            "settle_seconds": {"type": "int", "default": 30},
            "ledger": {"type": "path"},
        },
        mutually_exclusive=(("names", "count"), ("names", "pattern")),
    ),
)
