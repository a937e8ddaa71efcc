# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the API: what each has for fields, actions, filters and links, per version and per role of the caller.

They are written down in `schemas/*.txt`. A block begins with `name plural collection-methods resource-methods`; its
lines are fields (`name type flags [=default] [one|two] [shortest..longest] [least<=most] [[characters]]`) or one of

    is a b but c     the fields of the groups (a) and (b), without c
    like x           everything that x has
    links x y        names of links
    filter x y# z?   what lists can be filtered by besides the usual: texts, numbers, truths
    do x(input):y -> z   actions; y is what the action answers, z what all others do
    without a b      takes fields away again

`+name` changes a type that is there, `-name` removes it. Flags: c and u, may be given on create and update; R required,
N nullable, S shown in the answer to the create only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

_TABLES = Path(__file__).with_name("schemas")
_BASE = ("groups", "accounts", "hosts", "containers", "stacks", "services")
_TEXT = ["eq", "ne", "prefix", "like", "notlike", "null", "notnull"]
_REFERENCE = ["eq", "ne", "null", "notnull"]
_NUMBER = ["eq", "ne", "lt", "lte", "gt", "gte", "null", "notnull"]
_COLUMNS = ("id", "uuid", "name", "kind", "state", "description", "created", "removed", "accountId")
"""Fields that can be filtered by wherever the type has them."""

LESSER = ("readonly", "restricted")
"""Members of a project who may do less than others: only look; or all but with its hosts."""
_HOSTS = ("host", "physicalHost")

V1 = "v1"
V2 = "v2-beta"


@dataclass(frozen=True)
class Field:
    """One field of a type."""

    name: str
    type: str
    flags: str = ""
    default: Any = None
    options: tuple[str, ...] = ()
    length: tuple[int | None, int | None] = (None, None)
    bounds: tuple[int | None, int | None] = (None, None)
    characters: str = ""

    @property
    def creatable(self) -> bool:
        return "c" in self.flags

    @property
    def updatable(self) -> bool:
        return "u" in self.flags

    @property
    def required(self) -> bool:
        return "R" in self.flags

    @property
    def nullable(self) -> bool:
        return "N" in self.flags

    @property
    def secret(self) -> bool:
        """Shown once, in the answer to the create."""
        return "S" in self.flags or self.type == "password"

    def document(self) -> dict[str, Any]:
        shortest, longest = self.length
        least, most = self.bounds
        found = {
            "type": self.type,
            "description": None,
            "create": self.creatable,
            "update": self.updatable,
            "nullable": self.nullable or None,
            "required": self.required or None,
            "readOnCreateOnly": "S" in self.flags,
            "default": self.default,
            "options": list(self.options) or None,
            "minLength": shortest,
            "maxLength": longest,
            "min": least,
            "max": most,
            "validChars": self.characters or None,
        }
        return {name: value for name, value in found.items() if value is not None or name == "description"}


@dataclass(frozen=True)
class Action:
    name: str
    input: str | None
    output: str | None


@dataclass(frozen=True)
class Schema:
    """One type."""

    name: str
    plural: str
    collection: tuple[str, ...]
    resource: tuple[str, ...]
    fields: dict[str, Field] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()

    def modifiers(self) -> dict[str, list[str]]:
        """What a list of this type can be filtered by, and how."""
        if not self.filters and "state" not in self.fields:
            return {}
        names = [*(name for name in _COLUMNS if name in self.fields), *self.filters]
        return dict(sorted(_modifiers(name) for name in names))

    def to_look_at(self) -> Schema:
        collection, resource = (tuple({"GET"} & {*one}) for one in (self.collection, self.resource))
        return replace(self, collection=collection, resource=resource, actions={})

    def document(self, links: dict[str, str], small_letters: bool) -> dict[str, Any]:
        """As GET schemas shows it; /v1 writes the names of links in small letters here, though not in objects."""
        return {
            "id": self.name,
            "type": "schema",
            "links": links,
            "actions": {},
            "pluralName": self.plural,
            "resourceFields": {name: one.document() for name, one in self.fields.items()},
            "resourceActions": {
                name: {"input": one.input, "output": one.output} for name, one in sorted(self.actions.items())
            },
            "resourceMethods": list(self.resource),
            "collectionMethods": list(self.collection),
            "collectionActions": {},
            "collectionFields": {},
            "collectionFilters": {name: {"modifiers": found} for name, found in self.modifiers().items()},
            "includeableLinks": [link.lower() if small_letters else link for link in self.links],
        }


class Types:
    """All types that one version of the API shows to one role. Names in paths are found in any spelling."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas
        self._spellings = {one.name.lower(): one for one in schemas.values()}
        self._spellings |= {one.plural.lower(): one for one in schemas.values()}

    def find(self, name: str) -> Schema | None:
        return self._spellings.get(name.lower())

    def get(self, name: str) -> Schema | None:
        return self._schemas.get(name)

    def __getitem__(self, name: str) -> Schema:
        return self._schemas[name]

    def __contains__(self, name: object) -> bool:
        return name in self._schemas

    def __iter__(self) -> Iterator[Schema]:
        return iter(self._schemas[name] for name in sorted(self._schemas))

    def without(self, names: frozenset[str]) -> Types:
        return Types({name: one for name, one in self._schemas.items() if name not in names})

    def to_look_at(self, names: Iterable[str] | None = None) -> Types:
        """The same, but that all that can be done with these, or with all of them, is to look at them."""
        chosen = self._schemas if names is None else names
        seen = {name: self._schemas[name].to_look_at() for name in chosen if name in self._schemas}
        return Types({**self._schemas, **seen})


@cache
def types_of(version: str, role: str) -> Types:
    """`role` is token (nothing but logging in), project, user or admin; or that of who may do less in a project."""
    if role == "token":
        return Types(_read(("token",)))
    if role in LESSER:
        known = types_of(version, "project").without(frozenset({"registrationToken"}))
        return known.to_look_at(_HOSTS if role == "restricted" else None)
    tables: tuple[str, ...] = (*_BASE, *(("v2_beta",) if version == V2 else ()))
    if role in ("admin", "user"):
        tables = (*tables, "token", role)
    return Types(_read(tables))


def _read(tables: tuple[str, ...]) -> dict[str, Schema]:
    reader = _Reader()
    for table in tables:
        reader.read((_TABLES / f"{table}.txt").read_text(encoding="utf-8"))
    return reader.types


class _Reader:
    """Reads tables one after the other; later ones change what is there."""

    def __init__(self) -> None:
        self.types: dict[str, Schema] = {}
        self._groups: dict[str, dict[str, Field]] = {}

    def read(self, text: str) -> None:
        for block in re.split(r"\n\s*\n", text):
            lines = [line for line in block.splitlines() if line.strip() and not line.startswith("#")]
            while lines and lines[0].startswith("-"):
                self.types.pop(lines.pop(0)[1:], None)
            if lines:
                self._block(lines[0], [line.strip() for line in lines[1:]])

    def _block(self, head: str, lines: list[str]) -> None:
        if head.startswith("("):
            self._groups[head.strip("()")] = {one.name: one for one in map(_field, lines)}
            return
        words = head.lstrip("+").split()
        known = self.types.get(words[0]) if head.startswith("+") else None
        schema = known or Schema(words[0], words[1], (), ())
        if len(words) == 4:
            schema = replace(schema, plural=words[1], collection=_methods(words[2]), resource=_methods(words[3]))
        schema = replace(schema, fields=dict(schema.fields))
        for line in lines:
            schema = self._line(schema, line)
        self.types[schema.name] = schema

    def _line(self, schema: Schema, line: str) -> Schema:
        word, _unused, rest = line.partition(" ")
        if word == "is":
            groups, _unused, left_out = rest.partition(" but ")
            for group in groups.split():
                schema.fields.update(self._groups[group])
            for name in left_out.split():
                schema.fields.pop(name, None)
        elif word == "like":
            other = self.types[rest]
            return replace(other, name=schema.name, plural=schema.plural, fields=dict(other.fields))
        elif word == "links":
            return replace(schema, links=tuple(rest.split()))
        elif word == "filter":
            return replace(schema, filters=tuple(rest.split()))
        elif word == "do":
            return replace(schema, actions=_actions(rest))
        elif word == "without":
            for name in rest.split():
                schema.fields.pop(name, None)
        else:
            one = _field(line)
            schema.fields[one.name] = one
        return schema


def _methods(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(text.split(","))


def _actions(text: str) -> dict[str, Action]:
    words, _unused, output = text.rpartition(" -> ")
    found: dict[str, Action] = {}
    for word in words.split():
        parts = re.fullmatch(r"(\w+)(?:\((\w+)\))?(?::(\w+))?", word)
        if parts is None:
            raise ValueError(f"not an action: {word}")
        given = output if parts[3] is None else parts[3]
        found[parts[1]] = Action(parts[1], parts[2], None if given == "None" else given)
    return found


def _field(line: str) -> Field:
    name, kind, flags, *rest = line.split(" ", 3)
    found = Field(name, kind, "" if flags == "-" else flags)
    text = rest[0] if rest else ""
    while text:
        default = re.match(r'=("[^"]*"|\[[^]]*\]|\S+)\s*', text)
        characters = re.match(r"\[([^]]+)\]\s*", text)
        length = re.match(r"(\d*)\.\.(\d*)\s*", text)
        bounds = re.match(r"(\d*)<=(\d*)\s*", text)
        options = re.match(r"(\S+)\s*", text)
        matched = default or characters or length or bounds or options
        if matched is None:
            raise ValueError(f"cannot be read: {line}")
        if default:
            found = replace(found, default=json.loads(default[1]))
        elif characters:
            found = replace(found, characters=characters[1])
        elif length:
            found = replace(found, length=(_number(length[1]), _number(length[2])))
        elif bounds:
            found = replace(found, bounds=(_number(bounds[1]), _number(bounds[2])))
        else:
            found = replace(found, options=tuple(matched[1].split("|")))
        text = text[matched.end() :]
    return found


def _number(text: str) -> int | None:
    return int(text) if text else None


def _modifiers(name: str) -> tuple[str, list[str]]:
    bare = name.rstrip("#?")
    if name.endswith("#") or name in ("id", "created", "removed"):
        return bare, _NUMBER
    if name.endswith("?") or name == "state" or (name.endswith("Id") and name != "externalId"):
        return bare, _REFERENCE
    return bare, _TEXT
