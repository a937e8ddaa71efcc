# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers and address ranges that an option may have. Pure. PRIVATE."""

from __future__ import annotations

import ipaddress

from .._errors import InputError

LARGEST_INTEGER = 2**31 - 1  # of the API of ECS


def checked_range(option: str, text: str) -> str:
    """An address range in its usual spelling.

    Raises:
        InputError: it is none, or has bits set behind its prefix.
    """
    if "%" in text:
        raise InputError(f"{option}: {text!r} names an interface, which other machines do not have")
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise InputError(
            f"{option}: {text!r} is no address range ({error}); 10.0.0.0/16 is one, for example"
        ) from error
