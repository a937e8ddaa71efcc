# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords and keys of a WordPress site: made up once, kept in Secrets, never made up again. PRIVATE."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from .._errors import ConflictError
from .._plan import Step
from .._retry import create_once
from .api import Object
from .kinds import SECRET
from .objects import key_of, name_of, place_of, presentable
from .run import Run
from .surveying import require_ours
from .wordpress_options import NOTE, note_of
from .wordpress_wanted import SALTS, credentials_name, salts_name

BYTES = 24
SALT_BYTES = 48
PASSWORDS = ("admin-password", "password", "root-password")


def names(options: Mapping[str, Any]) -> tuple[str, str]:
    """The Secrets of a site: passwords, keys."""
    return credentials_name(options), salts_name(options)


def wanted_secrets(run: Run, options: Mapping[str, Any], given: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Secrets with new values, as they would be made if there were none; and with the note of the options.

    Args:
        given: values that the user chose, by key.
    """
    passwords = {name: given.get(name) or secrets.token_urlsafe(BYTES) for name in PASSWORDS}
    salts = {name: secrets.token_urlsafe(SALT_BYTES) for name in SALTS}
    metadata = {"namespace": options["namespace"], "labels": run.owner.labels}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {**metadata, "name": name, "annotations": notes},
            "data": {key: encoded(value) for key, value in values.items()},
        }
        for name, values, notes in zip(names(options), (passwords, salts), ({NOTE: note_of(options)}, {}), strict=True)
    ]


def encoded(value: str) -> str:
    """A value as a Secret has it."""
    return base64.b64encode(value.encode()).decode()


def value_of(secret: Object, key: str) -> str:
    """A value of a Secret.

    Raises:
        ConflictError: it has none; a new one would not be that of the database.
    """
    data = secret.get("data") or {}
    if key not in data:
        raise ConflictError(
            f"Secret {place_of(secret)} has no {key}",
            hint="Put it back, or remove the site with delete_data: true and make a new one.",
        )
    return base64.b64decode(data[key]).decode()


def refuse_new_ones(missing: list[dict[str, Any]], there: list[Object]) -> None:
    """Refuse to make up passwords for a site whose database has others.

    Raises:
        ConflictError: the Secrets are gone and the site or its claims are not.
    """
    if missing and there:
        listed = ", ".join(f"{one['kind']} {name_of(one)}" for one in there)
        raise ConflictError(
            f"Secret {place_of(missing[0])} is gone, but {listed} is there: new passwords would not open the database",
            hint="Put the Secret back, or remove the site with delete_data: true and make a new one.",
        )


def steps(missing: list[dict[str, Any]]) -> list[Step]:
    """The steps that make Secrets; what can be shown of them."""
    return [Step("create", key_of(one), "Secret", place_of(one), presentable(one)) for one in missing]


def make(run: Run, manifest: dict[str, Any]) -> Object:
    """Make a Secret that is not there; if another run, or a lost answer, made it meanwhile, that one counts."""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]

    def find() -> Object | None:
        found = run.api.get(SECRET, name, namespace)
        if found is not None:
            require_ours(run, found)
        return found

    return create_once(partial(run.api.create, SECRET, manifest), find, run.api.policy)
