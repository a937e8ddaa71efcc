# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Rancher makes of a request's body: fields that a type lets be given, put in form, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lab.rancher.context import Context
from lab.rancher.errors import invalid
from lab.rancher.schema import Field, Schema

_SIMPLE = ("string", "password", "int", "boolean", "date", "enum", "json")
_UNSTORED = ("account", "certificate", "network", "registryCredential", "storageDriver", "volumeTemplate", "identity")
"""Types that references may name without the lab having them."""


def for_create(context: Context, schema: Schema, body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new thing, under the store's names; what cannot be given is dropped, as Rancher does it."""
    found: dict[str, Any] = {}
    for one in schema.fields.values():
        if not one.creatable:
            continue
        value = body.get(one.name)
        if value is None and one.default is not None:
            value = one.default
        if value is None:
            if one.required:
                raise invalid("MissingRequired", one.name)
            if one.name in body and not one.nullable:
                raise invalid("NotNullable", one.name)
            found[context.stored_name(one.name)] = None
            continue
        found[context.stored_name(one.name)] = _checked(context, one, one.type, value)
    return found


def for_update(context: Context, schema: Schema, body: Mapping[str, Any]) -> dict[str, Any]:
    """Only what may be changed, and only what is given."""
    found: dict[str, Any] = {}
    for one in schema.fields.values():
        if not one.updatable or one.name not in body:
            continue
        value = body[one.name]
        if value is None:
            if not one.nullable:
                raise invalid("NotNullable", one.name)
            found[context.stored_name(one.name)] = None
        else:
            found[context.stored_name(one.name)] = _checked(context, one, one.type, value)
    return found


def _checked(context: Context, one: Field, kind: str, value: Any) -> Any:
    array, mapping = re.fullmatch(r"array\[(.+)\]", kind), re.fullmatch(r"map\[(.+)\]", kind)
    if array:
        values = value if isinstance(value, list) else [value]
        if one.length[0] is not None and len(values) < one.length[0]:
            raise invalid("MinLengthExceeded", one.name)
        return [_checked(context, one, array[1], each) for each in values]
    if mapping:
        if not isinstance(value, Mapping):
            raise invalid("InvalidFormat", one.name)
        return {str(key): each and _checked(context, one, mapping[1], each) for key, each in value.items()}
    reference = re.fullmatch(r"reference\[(.+)\]", kind)
    if reference:
        return _reference(context, one.name, context.stored_name(reference[1]), value)
    if kind in _SIMPLE:
        return _simple(one, kind, value)
    return _nested(context, one, kind, value)


def _reference(context: Context, name: str, kind: str, value: Any) -> str:
    stored = context.stored_id(str(value))
    if kind in _UNSTORED:
        return stored
    found = context.server.store.get(kind, stored)
    if found is None or found.fields.get("removed") or not context.visible(found):
        raise invalid("InvalidReference", name)
    return stored


def _nested(context: Context, one: Field, kind: str, value: Any) -> Any:
    if kind not in context.types:
        return value
    if not isinstance(value, Mapping):
        raise invalid("InvalidFormat", one.name)
    found = for_create(context, context.types[kind], value)
    return {"type": kind, **{name: each for name, each in found.items() if each is not None}}


def _simple(one: Field, kind: str, value: Any) -> Any:
    if kind == "json" or (kind == "date"):
        return value
    if kind == "int":
        return _int(one, value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if isinstance(value, (Mapping, list)):
        raise invalid("InvalidFormat", one.name)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "enum":
        if one.options and text not in one.options:
            raise invalid("InvalidOption", one.name)
        return text
    if not one.type.startswith(("array", "map")):
        _check_text(one, text)
    return text


def _int(one: Field, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise invalid("InvalidFormat", one.name) from None
    least, most = one.bounds
    if least is not None and number < least:
        raise invalid("MinLimitExceeded", one.name)
    if most is not None and number > most:
        raise invalid("MaxLimitExceeded", one.name)
    return number


def _check_text(one: Field, text: str) -> None:
    shortest, longest = one.length
    if shortest is not None and len(text) < shortest:
        raise invalid("MinLengthExceeded", one.name)
    if len(text) > (longest or 16_777_215):
        raise invalid("MaxLengthExceeded", one.name)
    if one.characters and not re.fullmatch(f"[{one.characters}]*", text):
        raise invalid("InvalidCharacters", one.name)


def check_dns_name(name: str) -> None:
    """Stacks and services are names in the containers' DNS."""
    if not re.fullmatch(r"[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*", name):
        raise invalid("InvalidCharacters", "name")
    if len(name) > 63:
        raise invalid("MaxLengthExceeded", "name")
