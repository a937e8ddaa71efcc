# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets among the values that are compared: told apart, but never shown.

A password in the environment of a container or in the answers to a template's questions has to take part in the
comparison, and the difference is printed. So what is compared is a stand-in, made with a salt of this run: equal
secrets have equal stand-ins, and nothing can be learnt from one. PRIVATE.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping

SECRET_NAME = re.compile(
    r"passw|passphrase|pass$|secret|token|credential|(access|api|private|auth|encryption)_?key", re.IGNORECASE
)


class Veil:
    """Hides values, and knows what is behind each stand-in."""

    def __init__(self) -> None:
        self._salt = os.urandom(16)
        self._behind: dict[str, str] = {}

    def hide(self, value: str) -> str:
        """The stand-in of a value."""
        if value in self._behind or not value:
            return value
        stand_in = f"(secret {hashlib.blake2b(value.encode(), key=self._salt, digest_size=4).hexdigest()})"
        self._behind[stand_in] = value
        return stand_in

    def hide_some(self, values: Mapping[str, str], names: Collection[str] = ()) -> dict[str, str]:
        """The values with those hidden that are secret, by what was said or by what they are called."""
        return {name: self.hide(value) if is_secret(name, names) else value for name, value in values.items()}

    def reveal(self, values: Mapping[str, str]) -> dict[str, str]:
        """The values as they are."""
        return {name: self._behind.get(value, value) for name, value in values.items()}


def is_secret(name: str, names: Collection[str] = ()) -> bool:
    """Whether the value of this name must not be shown. Pure."""
    return name in names or bool(SECRET_NAME.search(name))
