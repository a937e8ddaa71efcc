# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog service, /v1-catalog: templates with their questions and files, from the folder `catalog`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import yaml

from lab.messages import Answer, Request, json_answer
from lab.rancher import access
from lab.rancher.server import RancherServer

_FOLDER = Path(__file__).with_name("catalog")
_CATALOGS = ("community", "library")
_HEADER = re.compile(r"\A(?:#.*\n)+---\n")
_ONLY_OLD = ("kubernetes", "route53")
"""Templates of the library that moved to its infra folder."""
_DELETED = ("glusterfs", "convoy-gluster")
"""Templates of the community until August 2016."""


def install(server: RancherServer) -> Catalog:
    catalog = Catalog(server)
    server.on_route("/v1-catalog", catalog.answer)
    return catalog


@dataclass(frozen=True)
class Version:
    """One version of a template."""

    number: str
    files: dict[str, str]
    details: dict[str, Any]

    @property
    def minimum(self) -> str:
        return str(self.details.get("minimum_rancher_version") or "")


@dataclass(frozen=True)
class Template:
    """A template with all its versions."""

    catalog: str
    base: str
    folder: str
    config: dict[str, Any]
    versions: tuple[Version, ...]

    @property
    def id(self) -> str:
        return f"{self.catalog}:{self.base}{'*' if self.base else ''}{self.folder}"

    @property
    def default(self) -> Version:
        wanted = str(self.config.get("version"))
        return next((one for one in self.versions if str(one.details.get("version")) == wanted), self.versions[-1])


@cache
def templates() -> tuple[Template, ...]:
    return tuple(one for catalog in _CATALOGS for one in _read(catalog, _FOLDER / catalog, ""))


def _read(catalog: str, folder: Path, base: str) -> Iterator[Template]:
    for path in sorted(folder.iterdir()):
        if path.name == "infra":
            yield from _read(catalog, path, "infra")
        elif path.is_dir():
            versions = sorted((one for one in path.iterdir() if one.is_dir()), key=lambda one: int(one.name))
            config = yaml.safe_load((path / "config.yml").read_text(encoding="utf-8"))
            yield Template(catalog, base, path.name, config, tuple(_version(one) for one in versions))


def _version(folder: Path) -> Version:
    files = {one.name: _HEADER.sub("", one.read_text(encoding="utf-8")) for one in sorted(folder.iterdir())}
    document = yaml.safe_load(files["rancher-compose.yml"])
    return Version(folder.name, files, document["catalog" if "version" in document else ".catalog"])


class Catalog:
    """Answers as the catalog service does, which has errors of its own."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server

    def known(self) -> list[Template]:
        """Those that fit the server's time: infrastructure came with /v2-beta."""
        gone = _DELETED if self._server.world.settings.rancher_catalog_today else ()
        there = [one for one in templates() if one.folder not in gone]
        if self._server.era == "1.6":
            return [one for one in there if one.base or one.folder not in _ONLY_OLD]
        return [one for one in there if not one.base]

    def find(self, template_id: str) -> tuple[Template, Version] | None:
        """By `catalog:folder` (the default version) or `catalog:folder:version`."""
        catalog, _unused, rest = template_id.partition(":")
        folder, _unused, number = rest.partition(":")
        for one in self.known():
            if one.id == f"{catalog}:{folder}":
                version = next(
                    (each for each in one.versions if each.number == number), None if number else one.default
                )
                return (one, version) if version else None
        return None

    def answer(self, request: Request, rest: str) -> Answer:
        access.caller_of(self._server, request, "")
        url = f"http://{request.headers.get('host', '')}/v1-catalog"
        parts = [unquote(part) for part in rest.split("/") if part]
        query = parse_qsl(request.query, keep_blank_values=True)
        if request.method == "POST" and dict(query).get("action") == "refresh":
            return Answer(204, b"")
        if not parts:
            links = {"self": url, "catalogs": f"{url}/catalogs", "templates": f"{url}/templates"}
            return json_answer({"id": "v1-catalog", "type": "apiVersion", "links": links, "actions": {}})
        route = {"catalogs": self._catalogs, "templates": self._templates, "template": self._templates}.get(parts[0])
        if route is None:
            return _refusal(404, "Not Found")
        return route(url, parts[1:], query)

    def _catalogs(self, url: str, parts: list[str], _query: list[tuple[str, str]]) -> Answer:
        found = [_catalog(url, name) for name in _CATALOGS]
        if parts:
            one = next((one for one in found if one["id"] == parts[0]), None)
            return json_answer(one) if one else _refusal(404, f"Catalog {parts[0]} not found")
        return json_answer(_collection("catalog", f"{url}/catalogs", found))

    def _templates(self, url: str, parts: list[str], query: list[tuple[str, str]]) -> Answer:
        if not parts:
            rows = [self._template(url, one, self._asked(query)) for one in self.known()]
            found_rows = [row for row in rows if row["versionLinks"] and _matches(row, query)]
            return json_answer(_collection("template", f"{url}/templates", found_rows))
        found = self.find(parts[0])
        if found is None:
            return _refusal(404, f"Template {parts[0]} not found")
        template, version = found
        if parts[0].count(":") == 1:
            return json_answer(self._template(url, template, self._asked(query, single=True)))
        return json_answer(self._template_version(url, template, version))

    def _asked(self, query: list[tuple[str, str]], *, single: bool = False) -> str:
        """The version of Rancher that is asked for: newer services gave it another name, and know the old in lists."""
        asked = dict(query)
        old = asked.get("minimumRancherVersion_lte", "")
        if self._server.era == "1.1":
            return old
        return asked.get("rancherVersion", "" if single else old)

    def _template(self, url: str, one: Template, rancher: str = "") -> dict[str, Any]:
        return {
            "id": one.id,
            "type": "template",
            "catalogId": one.catalog,
            "name": one.config["name"],
            "category": one.config["category"],
            "description": one.config["description"],
            "version": one.config["version"],
            "defaultVersion": one.config["version"],
            "versionLinks": {
                str(each.details["version"]): f"{url}/templates/{one.id}:{each.number}"
                for each in one.versions
                if not rancher or _numbers(each.minimum) <= _numbers(rancher)
            },
            "templateBase": one.base,
            "folderName": one.folder,
            "isSystem": "true" if one.config["category"] == "System" else "false",
            "labels": one.config.get("labels") or {},
            "maintainer": "",
            "license": "",
            "projectURL": "",
            "path": f"{one.catalog}/{one.folder}",
            "minimumRancherVersion": one.default.minimum,
            "links": {
                "self": f"{url}/templates/{one.id}",
                "icon": f"{url}/templates/{one.id}?image",
                "readme": f"{url}/templates/{one.id}:{one.default.number}?readme",
            },
            "actions": {},
        }

    def _template_version(self, url: str, one: Template, version: Version) -> dict[str, Any]:
        later = one.versions[one.versions.index(version) + 1 :]
        shown = self._template(url, one)
        files: dict[str, Any] = {"files": version.files}
        if self._server.version.startswith(("v1.0", "v0")):  # before files had names of their own
            names = {"dockerCompose": "docker-compose.yml", "rancherCompose": "rancher-compose.yml"}
            files = {ours: version.files[name] for ours, name in names.items()}
        return {
            **shown,
            "id": f"{one.id}:{version.number}",
            "type": "templateVersion",
            "version": str(version.details["version"]),
            "questions": [_question(each) for each in version.details.get("questions") or ()],
            "minimumRancherVersion": version.minimum,
            "upgradeVersionLinks": {
                str(each.details["version"]): f"{url}/templates/{one.id}:{each.number}" for each in later
            },
            "links": {
                **shown["links"],
                "self": f"{url}/templates/{one.id}:{version.number}",
                "template": f"{url}/templates/{one.id}",
            },
            **files,
        }


def _question(one: Mapping[str, Any]) -> dict[str, Any]:
    """Every default is a text here."""
    found = {
        "group": "",
        "invalidChars": "",
        "validChars": "",
        "max": 0,
        "min": 0,
        "maxLength": 0,
        "minLength": 0,
        **one,
    }
    found["default"] = "" if one.get("default") is None else str(one["default"])
    found["required"] = bool(one.get("required"))
    found["options"] = one.get("options")
    return found


def _catalog(url: str, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "catalog",
        "uri": f"https://lab.invalid/{name}.git",
        "state": "active",
        "lastUpdated": "",
        "message": "",
        "links": {"self": f"{url}/catalogs/{name}", "templates": f"{url}/templates?catalogId={name}"},
        "actions": {},
    }


def _collection(kind: str, url: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "collection",
        "resourceType": kind,
        "links": {"self": url},
        "actions": {},
        "data": rows,
        "sortLinks": {},
        "pagination": None,
        "sort": None,
        "filters": {},
        "createDefaults": {},
    }


def _refusal(status: int, message: str) -> Answer:
    """This service writes the status as a text."""
    return json_answer({"type": "error", "links": {}, "actions": {}, "status": str(status), "message": message}, status)


def _matches(row: Mapping[str, Any], query: list[tuple[str, str]]) -> bool:
    return all(_fits(row, name, value) for name, value in query)


def _fits(row: Mapping[str, Any], name: str, value: str) -> bool:
    """`field`, `field_eq`, `field_ne`; what it does not know is ignored."""
    field, modifier = (name[:-3], name[-3:]) if name.endswith(("_eq", "_ne")) else (name, "_eq")
    if field not in row:
        return True
    same = str(row[field]).lower() == value.lower()
    return same if modifier == "_eq" else not same


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0]))
