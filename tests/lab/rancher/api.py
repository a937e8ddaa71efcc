# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of the API: from a path to types, resources, links and actions. It knows no type by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from lab.messages import Answer, Request, json_answer
from lab.rancher import listing, validation
from lab.rancher.context import Context
from lab.rancher.errors import RancherError, invalid, not_found
from lab.rancher.schema import V1, Schema
from lab.rancher.store import Resource, base_of
from lab.rancher.views import show

_GOING = ("removing", "removed", "purging", "purged")


@dataclass(frozen=True)
class Target:
    """What a path names, below version and project."""

    type: str = ""
    id: str = ""
    link: str = ""

    @classmethod
    def of(cls, parts: Sequence[str]) -> Target:
        words = [unquote(part) for part in parts if part]
        return cls(*words[:3]) if len(words) <= 3 else cls("", "", "")


class Api:
    """Answers requests below /v1 and /v2-beta for one caller."""

    def __init__(self, context: Context, request: Request, target: Target) -> None:
        self._context = context
        self._server = context.server
        self._store = context.server.store
        self._request = request
        self._target = target
        self._query = parse_qsl(request.query, keep_blank_values=True)

    def answer(self) -> Answer:
        method = dict(self._query).get("_method", self._request.method).upper()
        if not self._target.type:
            return json_answer(self._version())
        if self._target.type.lower() in ("schemas", "schema"):
            return json_answer(self._schemas())
        schema = self._context.types.find(self._target.type)
        if schema is None:
            raise not_found()
        if not self._target.id:
            return self._on_collection(method, schema)
        return self._on_resource(method, schema)

    # The version and its types

    def _version(self) -> dict[str, Any]:
        links = {"self": self._context.url(), "schemas": self._context.url("schemas")}
        for schema in self._context.types:
            if "GET" in schema.collection:
                links[schema.plural] = self._context.url(schema.plural.lower())
        return {"id": self._context.version, "type": "apiVersion", "links": links, "actions": {}}

    def _schemas(self) -> dict[str, Any]:
        if self._target.id:
            schema = self._context.types.find(self._target.id)
            if schema is None:
                raise not_found()
            return self._schema(schema)
        return {
            "type": "collection",
            "resourceType": "schema",
            "links": {"self": self._context.url("schemas")},
            "createTypes": {},
            "actions": {},
            "data": [self._schema(schema) for schema in self._context.types],
            "sortLinks": {},
            "pagination": None,
            "sort": None,
            "filters": {},
            "createDefaults": {},
        }

    def _schema(self, schema: Schema) -> dict[str, Any]:
        links = {"self": self._context.url("schemas", schema.name.lower())}
        if schema.collection:
            links["collection"] = self._context.url(schema.plural.lower())
        return schema.document(links, small_letters=self._context.version == V1)

    # Collections

    def _on_collection(self, method: str, schema: Schema) -> Answer:
        if method not in schema.collection:
            raise RancherError(405)
        if method == "POST":
            return self._create(schema)
        url = self._context.url(schema.plural.lower())
        return json_answer(listing.collection(self._context, schema, url, self._rows(schema), self._query))

    def _rows(self, schema: Schema) -> list[dict[str, Any]]:
        special = self._server.lists.get(schema.name)
        filters = listing.filters_of(schema, self._query)
        if special:
            return [row for row in special(self._context) if listing.matches(row, filters)]
        return self._shown(self._store.all(self._context.stored_name(schema.name)), filters)

    def _shown(self, resources: Sequence[Resource], filters: list[listing.Filter]) -> list[dict[str, Any]]:
        """Those that the caller sees. What is removed is not listed unless it is asked for."""
        asked = dict(self._query)
        removed_too = "_removed" in asked or any(field in ("removed", "state") for field, _m, _v in filters)
        rows: list[dict[str, Any]] = []
        for resource in resources:
            if not self._context.visible(resource) or self._context.schema_of(resource) is None:
                continue
            select = self._server.selects.get(resource.kind)
            if select and not select(self._context, resource, asked):
                continue
            if resource.fields.get("removed") is not None and not removed_too:
                continue
            row = show(self._context, resource)
            if listing.matches(row, filters):
                rows.append(self._including(row, resource, asked))
        return rows

    def _including(self, row: dict[str, Any], resource: Resource, asked: dict[str, str]) -> dict[str, Any]:
        link = asked.get("include", "").lower()
        if link and any(link == known.lower() for known in row["links"]):
            name = next(known for known in row["links"] if known.lower() == link)
            row[name] = [show(self._context, one) for one in self._linked(resource, name)]
        return row

    def _create(self, schema: Schema) -> Answer:
        body = self._body()
        kind = self._context.stored_name(schema.name)
        create = self._server.creates.get(kind)
        if create is None:
            raise RancherError(405)
        fields = validation.for_create(self._context, schema, body)
        for check in self._server.checks.get(kind, ()):
            check(self._context, fields)
        made = create(self._context, kind, fields)
        if not isinstance(made, Resource):
            return json_answer(made, 201)
        return json_answer(show(self._context, made, created=True), 201)

    # Resources

    def _on_resource(self, method: str, schema: Schema) -> Answer:
        special = self._server.lists.get(schema.name)
        if special and method == "GET":
            found = next((row for row in special(self._context) if row["id"] == self._target.id), None)
            if found is None:
                raise not_found()
            return json_answer(found)
        resource = self._find(schema)
        if self._target.link:
            return self._link(resource)
        action = dict(self._query).get("action")
        if method == "POST" and action is not None:
            return self._act(resource, action.lower())
        if method not in schema.resource:
            raise RancherError(405)
        if method == "PUT":
            return self._update(schema, resource)
        if method == "DELETE":
            return self._delete(resource)
        return json_answer(self._including(show(self._context, resource), resource, dict(self._query)))

    def _find(self, schema: Schema) -> Resource:
        kind = self._context.stored_name(schema.name)
        find = self._server.finders.get(kind)
        wanted = self._context.stored_id(self._target.id)
        found = find(wanted) if find else self._store.get(base_of(kind), wanted)
        if found is None or not self._context.visible(found) or kind not in (found.kind, found.base):
            raise not_found()
        return found

    def _link(self, resource: Resource) -> Answer:
        schema = self._context.schema_of(resource)
        name = next((one for one in schema.links if one.lower() == self._target.link.lower()), "") if schema else ""
        if not name:
            raise not_found()
        found = self._linked(resource, name)
        kind = self._context.types.find(self._context.shown_name(found[0].base if found else name.rstrip("s")))
        url = f"{self._context.self_link(resource)}/{name.lower()}"
        if name in ("account", "environment", "stack", "project", "physicalHost", "instance", "service", "volume"):
            if not found:
                raise not_found()
            return json_answer(show(self._context, found[0]))
        wrap = kind or Schema(name, name, ("GET",), ("GET",))
        rows = self._shown(found, listing.filters_of(wrap, self._query))
        return json_answer(listing.collection(self._context, wrap, url, rows, self._query))

    def _linked(self, resource: Resource, name: str) -> list[Resource]:
        for kind in (resource.kind, resource.base):
            link = self._server.links.get((kind, name.lower()))
            if link:
                return list(link(self._context, resource))
        return []

    def _act(self, resource: Resource, name: str) -> Answer:
        schema = self._context.schema_of(resource)
        if schema is None or name not in schema.actions:
            raise invalid("InvalidAction", "action")
        action = schema.actions[name]
        body = self._body()
        if action.input and action.input in self._context.types:
            body = validation.for_create(self._context, self._context.types[action.input], body)
        handler = self._server.handler(resource, name)
        process = self._server.processes.find(resource, name)
        if handler is not None:
            outcome = handler.act(self._context, resource, body)
            if outcome is not None:
                return json_answer(outcome)
        elif process is not None:
            self._server.processes.start(resource, name)
        else:
            raise invalid("ActionNotAvailable", "action")
        return json_answer(show(self._context, resource), 202)

    def _update(self, schema: Schema, resource: Resource) -> Answer:
        changes = validation.for_update(self._context, schema, self._body())
        change = self._server.changes.get(resource.kind) or self._server.changes.get(resource.base)
        if change:
            change(self._context, resource, changes)
        resource.fields.update(changes)
        if self._server.processes.find(resource, "update"):
            self._server.processes.start(resource, "update")
        return json_answer(show(self._context, resource))

    def _delete(self, resource: Resource) -> Answer:
        delete = self._server.deletes.get(resource.kind) or self._server.deletes.get(resource.base)
        if resource.state in _GOING:
            return json_answer(show(self._context, resource))
        if delete:
            delete(self._context, resource, {})
        elif self._server.processes.find(resource, "remove"):
            self._server.processes.start(resource, "remove")
        else:
            raise RancherError(405)
        return json_answer(show(self._context, resource))

    def _body(self) -> dict[str, Any]:
        if not self._request.body.strip():
            return {}
        try:
            document = json.loads(self._request.body)
        except ValueError:
            raise invalid("InvalidBodyContent") from None
        if not isinstance(document, dict):
            raise invalid("InvalidBodyContent")
        return document
