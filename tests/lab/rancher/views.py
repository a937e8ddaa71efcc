# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource as the API shows it: the fields of its type, links, and the actions that its state allows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lab.rancher.context import Context
from lab.rancher.schema import V2, Field, Schema
from lab.rancher.store import Resource

_REFERENCE = re.compile(r"(?:array\[|map\[)?reference\[")
_NEVER = ("create", "error", "bootstrap", "provision", "allocate", "deallocate", "updatehealthy", "updateunhealthy")
"""Processes that only Rancher itself starts."""


def show(context: Context, resource: Resource, created: bool = False) -> dict[str, Any]:
    """`created`: this is the answer to the create, the only one with secrets in it."""
    schema = context.schema_of(resource)
    if schema is None:
        return {"id": resource.id, "type": resource.kind, "links": {}, "actions": {}}
    stored = {**resource.fields, **_transition(resource)}
    for work_out in context.server.shows.get(resource.base, ()):
        stored |= work_out(context, resource)
    self_link = context.self_link(resource)
    shown: dict[str, Any] = {
        "id": context.shown_id(resource.id),
        "type": schema.name,
        "links": {"self": self_link, **{link: f"{self_link}/{link.lower()}" for link in schema.links}},
        "actions": {name: f"{self_link}/?action={name}" for name in offered(context, resource, schema)},
    }
    if context.version == V2:
        shown["baseType"] = context.shown_name(resource.base)
    for one in schema.fields.values():
        if one.name not in ("id", "type"):
            shown[one.name] = _field(context, one, stored.get(context.stored_name(one.name)), created)
    shown["createdTS"] = stored.get("createdTS")
    if stored.get("removedTS"):
        shown["removedTS"] = stored["removedTS"]
    return shown


def offered(context: Context, resource: Resource, schema: Schema) -> Iterable[str]:
    """The actions that can be called now."""
    server = context.server
    if resource.kind == "project" and not server.parts["accounts"].owns(context.caller, resource):
        return
    for name in sorted(schema.actions):
        if name in _NEVER:
            continue
        if server.handler(resource, name) or server.processes.find(resource, name):
            yield name


def _field(context: Context, one: Field, value: Any, created: bool) -> Any:
    if one.secret and not created:
        return None
    if value is None:
        return one.default
    if _REFERENCE.match(one.type):
        return _shown_ids(context, value)
    return value


def _shown_ids(context: Context, value: Any) -> Any:
    if isinstance(value, list):
        return [context.shown_id(str(each)) for each in value]
    if isinstance(value, dict):
        return {key: context.shown_id(str(each)) for key, each in value.items()}
    return context.shown_id(str(value))


def _transition(resource: Resource) -> dict[str, Any]:
    if resource.error is not None:
        return {"transitioning": "error", "transitioningMessage": resource.error, "transitioningProgress": None}
    if resource.process is not None:
        return {"transitioning": "yes", "transitioningMessage": resource.message, "transitioningProgress": None}
    return {"transitioning": "no", "transitioningMessage": None, "transitioningProgress": None}
