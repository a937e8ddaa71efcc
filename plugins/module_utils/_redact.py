# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets out of everything that leaves a module: results, diffs, warnings, errors.

By field, not by text alone: a known secret value is replaced wherever it stands, but a value too short to be a secret
("t") never tears innocent words apart. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "VALUE_HIDDEN"
SHORTEST = 5  # shorter values are replaced only where they stand alone
SECRET_FIELDS = frozenset(
    {
        "access_key_secret",
        "aws_secret_access_key",
        "client_secret",
        "password",
        "secret_access_key",
        "secret_key",
        "secretkey",
        "session_token",
        "token",
    }
)


class Redactor:
    """Replaces the given secret values, and the values of fields that are secret by their name.

    Args:
        secrets: values, or nested lists and mappings of values; empty ones are ignored.
    """

    def __init__(self, secrets: Iterable[Any] = ()) -> None:
        self._values: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[Any]) -> None:
        """Further secrets, found while the module runs."""
        values = {text for secret in secrets for text in _leaves(secret) if text}
        # the longest first: a secret may contain another one
        self._values = sorted(values.union(self._values), key=len, reverse=True)

    def long_values(self) -> list[str]:
        """The secrets that may be replaced within other texts."""
        return [value for value in self._values if len(value) >= SHORTEST]

    def text(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._values:
            if len(secret) >= SHORTEST:
                text = text.replace(secret, HIDDEN)
            elif text == secret:
                return HIDDEN
        return text

    def value(self, value: Any) -> Any:
        """The same structure without secrets, keys of mappings included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self._field(key, one) for key, one in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(one) for one in value]
        return value

    def _field(self, name: Any, value: Any) -> Any:
        if isinstance(name, str) and name.lower() in SECRET_FIELDS:
            if isinstance(value, (list, tuple, set, frozenset)):
                return [self._field(name, one) for one in value]
            if value and isinstance(value, (str, int, float)) and not isinstance(value, bool):
                return HIDDEN
        return self.value(value)


def _leaves(secret: Any) -> Iterable[str]:
    if isinstance(secret, Mapping):
        for one in secret.values():
            yield from _leaves(one)
    elif isinstance(secret, (list, tuple, set, frozenset)):
        for one in secret:
            yield from _leaves(one)
    elif isinstance(secret, str):
        yield secret
        if "\n" in secret:  # a key file is also recognised line by line, as error messages quote it
            yield from (line for line in secret.splitlines() if len(line.strip()) >= SHORTEST)
