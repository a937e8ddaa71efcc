# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog: templates, their versions, and the answers to their questions.

A service of its own behind the same address (``/v1-catalog``), of Rancher 1.x. Older ones give the files of a template
as two strings, newer ones as a mapping with file names of several endings. PRIVATE.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import InputError, NotFoundError
from .._texts import text as as_text
from .api import Object, Rancher

CATALOG = "/v1-catalog"
FILE = re.compile(r"(docker|rancher)-compose\.ya?ml(\.tpl)?")
SYSTEM_CATEGORY = "rancher services"
INFRASTRUCTURE = re.compile(r"[^:]+:infra\*.+")
EXTERNAL = re.compile(r"(?:system-)?catalog://(?P<template>[^:]+:[^:]+):(?P<number>[^:]+)")
VERSION_SETTINGS = ("rancher.server.version", "rancher.server.image")  # the second has it on old servers
VERSION = re.compile(r"v?\d+\.\d+\.\d+.*")
TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class Template:
    """One version of a template.

    Attributes:
        id: with its version ("community:wordpress:0").
        questions: as the template asks them.
        is_system: whether it is one of Rancher's own services, as older catalogs say it: in the name of the stack's
            template. Newer ones have these in a folder of their own, and the stack a field.
        raw, base: what the catalog says of this version, and of all of them.
    """

    id: str
    name: str
    version: str
    docker: str
    rancher: str
    questions: tuple[Mapping[str, Any], ...] = ()
    is_system: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    base: Object = field(default_factory=dict, repr=False)

    @property
    def makes_system(self) -> bool:
        """Whether a stack made from it is one of Rancher's own services, and not the user's."""
        return self.is_system or bool(INFRASTRUCTURE.fullmatch(self.id))

    @property
    def external_id(self) -> str:
        """What a stack made from it is told by."""
        return f"{'system-' if self.is_system else ''}catalog://{self.id}"


def list_templates(rancher: Rancher, catalog: str | None = None, environment: str | None = None) -> list[Object]:
    """All templates, or those of one catalog; with those of an environment's own catalogs, if its id is given."""
    query = {**({"catalogId": catalog} if catalog else {}), **_asking(environment), **_fitting(rancher)}
    return rancher.list(f"{CATALOG}/templates", query, doing="list the templates of the catalog")


def _asking(environment: str | None) -> dict[str, str]:
    return {"projectId": environment} if environment else {}


def _fitting(rancher: Rancher) -> dict[str, str]:
    """What leaves out versions for a newer Rancher: the catalog itself knows of no server. Two services, two names."""
    said = (rancher.setting(name, doing="read the version of the server") for name in VERSION_SETTINGS)
    version = next((one for one in said if one and VERSION.fullmatch(one)), None)
    return {"minimumRancherVersion_lte": version, "rancherVersion": version} if version else {}


def find_template(
    rancher: Rancher, wanted: str, version: str | None, live: str | None = None, environment: str | None = None
) -> Template:
    """A version of a template.

    Args:
        wanted: "catalog:template", or "catalog:template:number" for a certain version.
        version: which one, by its name or number; None for the one that is there, or the template's own choice.
        live: the external id of the stack that is there.
        environment: the id of the one whose own catalogs are asked as well; Rancher 1.6 has such.

    Raises:
        InputError: it does not exist.
    """
    base, number = split_id(wanted)
    doing = f"look for the template {base}"
    try:
        query = {**_asking(environment), **_fitting(rancher)}
        template = rancher.get(f"{CATALOG}/templates/{base}", query, doing=doing)
    except NotFoundError as error:
        raise InputError(f"template: {base!r} does not exist", hint=_nearest(rancher, base, environment)) from error
    pinned, there = number or version, _number_of(template, live)
    numbers = version_numbers(template)
    if there and pinned and pinned not in {there, *numbers, *numbers.values()}:
        # what runs stays, also if it is for another Rancher than the server has become; its name is not in the list
        running = rancher.find(f"{CATALOG}/templates/{base}:{there}", _asking(environment), doing=doing) or {}
        pinned = there if running.get("version") == pinned else pinned
    chosen = chosen_version(template, pinned, live)
    path = f"{CATALOG}/templates/{base}:{chosen}"
    return live_template(template, rancher.get(path, _asking(environment), doing=doing))


def split_id(wanted: str) -> tuple[str, str | None]:
    """A template's id without its version, and the version. Pure.

    Raises:
        InputError: it is no id.
    """
    parts = wanted.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise InputError(f"template: {wanted!r} is no template", hint="Templates are like community:wordpress.")
    return ":".join(parts[:2]), parts[2] if len(parts) == 3 else None


def chosen_version(template: Object, wanted: str | None, live: str | None) -> str:
    """The number of the version to use. Pure.

    Raises:
        InputError: there is no such version.
    """
    numbers, there = version_numbers(template), _number_of(template, live)
    if there and wanted in (None, there):
        return there
    name = str(template.get("defaultVersion") or "") if wanted is None else wanted
    if name in numbers.values():
        return name
    if name in numbers:
        return numbers[name]
    option = "template: the default version" if wanted is None else "template_version:"
    known = ", ".join(numbers) or "none"
    raise InputError(
        f"{option} {name!r} of {template['id']} is not there for this version of Rancher; there are: {known}"
    )


def _number_of(template: Object, live: str | None) -> str | None:
    """The number of the version that a stack has, if it is one of this template."""
    there = EXTERNAL.fullmatch(live or "")
    return there["number"] if there and there["template"] == template["id"] else None


def version_numbers(template: Object) -> dict[str, str]:
    """The versions of a template: name -> number. Pure."""
    links = template.get("versionLinks") or {}
    return {name: str(link).rstrip("/").rsplit(":", 1)[-1] for name, link in links.items()}


def live_template(template: Object, version: Object) -> Template:
    """A version of a template as the catalog gives it. Pure."""
    files = compose_files(version)
    category = str(template.get("category") or version.get("category") or "").lower()
    return Template(
        version["id"],
        str(template.get("name") or version.get("name") or version["id"]),
        str(version.get("version") or ""),
        files.get("docker", ""),
        files.get("rancher", ""),
        tuple(version.get("questions") or ()),
        str(template.get("isSystem")).lower() == "true" or category == SYSTEM_CATEGORY,
        version,
        template,
    )


def compose_files(version: Object) -> dict[str, str]:
    """The two files of a template, from old and new catalogs. Pure."""
    found = {"docker": version.get("dockerCompose") or "", "rancher": version.get("rancherCompose") or ""}
    for name, text in (version.get("files") or {}).items():
        which = FILE.fullmatch(name.rsplit("/", 1)[-1])
        if which:
            found[which[1]] = text
    return found


def complete_answers(
    template: Template,
    given: Mapping[str, Any],
    live: Mapping[str, Any] | None = None,
    has_service: Callable[[str], bool] = lambda _name: True,
) -> dict[str, str]:
    """The answers to all questions of a template: those given, else those that the stack has, else the defaults. Pure.

    Raises:
        InputError: one is missing, of the wrong type, or answers a question that is not asked.
    """
    asked = {str(question["variable"]): question for question in template.questions}
    for name in given:
        if name not in asked:
            near = difflib.get_close_matches(name, asked, 1, 0.6)
            raise InputError(
                f"answers: {template.id} does not ask for {name!r}",
                hint=f"Is {near[0]} meant?" if near else f"It asks for: {', '.join(asked) or 'nothing'}.",
            )
    answers: dict[str, str] = {}
    missing = []
    for name, question in asked.items():
        if given.get(name) == "" and not question.get("required"):
            answers[name] = ""  # said to be empty, whatever it was before and by default
            continue
        values = (given.get(name), (live or {}).get(name), question.get("default"))
        value = next((one for one in values if one not in (None, "")), None)
        if value is None:
            if question.get("required"):
                missing.append(name)
            continue
        answers[name] = converted(question, value)
        if question.get("type") == "service" and name in given and not has_service(answers[name]):
            raise InputError(f"answers: {name} is {answers[name]!r}, but there is no such service")
    if missing:
        raise InputError(f"answers: {template.id} needs an answer to {', '.join(missing)}")
    return answers


def answer_text(name: str, value: Any) -> str:
    """An answer as text; a switch as catalogs and compose files write one. Pure.

    Raises:
        InputError: it is none.
    """
    return str(value).lower() if isinstance(value, bool) else as_text(f"answers: {name}", value)


def converted(question: Mapping[str, Any], value: Any) -> str:
    """An answer as text, if it is one to this question. Pure.

    Raises:
        InputError: it is not.
    """
    name = question["variable"]
    text = answer_text(name, value)
    problem = _CHECKS.get(str(question.get("type") or "string"), _check_text)(question, text)
    if problem:
        shown = "the answer" if question.get("type") == "password" else repr(text)
        raise InputError(f"answers: {name}: {shown} {problem}")
    if question.get("type") == "boolean":
        return "true" if text.lower() in TRUE else "false"
    return text


def _check_int(question: Mapping[str, Any], text: str) -> str | None:
    if not re.fullmatch(r"-?\d+", text):
        return "is no whole number"
    low, high = question.get("min"), question.get("max")
    if low and int(text) < int(low):
        return f"is less than {low}"
    if high and int(text) > int(high):  # 0 is how the catalog says that there is no limit
        return f"is more than {high}"
    return None


def _check_boolean(_question: Mapping[str, Any], text: str) -> str | None:
    return None if text.lower() in TRUE | FALSE else "is neither true nor false"


def _check_enum(question: Mapping[str, Any], text: str) -> str | None:
    options = [str(one) for one in question.get("options") or ()]
    return None if text in options else f"is none of {', '.join(options)}"


def _check_service(_question: Mapping[str, Any], text: str) -> str | None:
    return None if re.fullmatch(r"[^/]+/[^/]+", text) else "is no service: give stack/service"


def _check_text(question: Mapping[str, Any], text: str) -> str | None:
    low, high = question.get("minLength"), question.get("maxLength")
    if low and len(text) < int(low):
        return f"is shorter than {low} characters"
    if high and len(text) > int(high):
        return f"is longer than {high} characters"
    valid, invalid = question.get("validChars"), question.get("invalidChars")
    if valid and not re.fullmatch(f"[{valid}]*", text):
        return f"has characters other than {valid}"
    if invalid and re.search(f"[{invalid}]", text):
        return f"has one of the characters {invalid}"
    return None


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], str], str | None]] = {
    "int": _check_int,
    "boolean": _check_boolean,
    "enum": _check_enum,
    "service": _check_service,
}


def secret_questions(questions: Sequence[Mapping[str, Any]]) -> set[str]:
    """The questions whose answers the template itself calls secret. Pure."""
    return {str(one["variable"]) for one in questions if one.get("type") == "password"}


def _nearest(rancher: Rancher, wanted: str, environment: str | None) -> str:
    """What might be meant, for somebody who asked for a template that is not there."""
    known = [str(one["id"]) for one in list_templates(rancher, environment=environment)]
    near = difflib.get_close_matches(wanted, known, 3, 0.5)
    return (
        f"Is one of these meant: {', '.join(near)}?" if near else "container.schedulers.rancher_catalog_info lists all."
    )
