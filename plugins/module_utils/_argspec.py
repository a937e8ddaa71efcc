# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs that compose (options travel with the constraints between them), and needed libraries. PRIVATE."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.validation import check_type_dict

from ._texts import kind

Option = Mapping[str, Any]
Finder = Callable[[Any], Iterable[Any]]


@dataclass(frozen=True)
class ArgumentSpec:
    """Options and the constraints between them, as AnsibleModule takes them.

    Attributes:
        finders: options that are not secret as a whole, and what finds the secrets in their values. A finder gets what
            the user wrote, checked by nobody.
    """

    options: Mapping[str, Option] = field(default_factory=dict)
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_if: Sequence[Sequence[Any]] = ()
    required_by: Mapping[str, Sequence[str]] = field(default_factory=dict)
    finders: Mapping[str, Finder] = field(default_factory=dict)

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """One spec with the options and constraints of all.

        Raises:
            ValueError: an option is defined twice; one of the two definitions would silently win.
        """
        merged = self
        for other in others:
            twice = sorted({*merged.options} & {*other.options})
            if twice:
                raise ValueError(f"options defined twice: {', '.join(twice)}")
            merged = ArgumentSpec(
                {**merged.options, **other.options},
                [*merged.mutually_exclusive, *other.mutually_exclusive],
                [*merged.required_together, *other.required_together],
                [*merged.required_one_of, *other.required_one_of],
                [*merged.required_if, *other.required_if],
                {**merged.required_by, **other.required_by},
                {**merged.finders, **other.finders},
            )
        return merged

    def to_kwargs(self) -> dict[str, Any]:
        """The keyword arguments of AnsibleModule."""
        return {
            "argument_spec": {name: dict(option) for name, option in self.options.items()},
            "mutually_exclusive": self.mutually_exclusive,
            "required_together": self.required_together,
            "required_one_of": self.required_one_of,
            "required_if": self.required_if,
            "required_by": dict(self.required_by),
        }

    def secrets(self, params: Mapping[str, Any]) -> list[Any]:
        """The values that were given for ``no_log`` options, at any depth, and what the finders find."""
        return [*_secrets(self.options, params), *self.secrets_within(params)]

    def secrets_within(self, params: Mapping[str, Any]) -> list[Any]:
        """The secrets in options that are not secret as a whole. The options may be unchecked, with their aliases."""
        found: list[Any] = []
        for option, find in self.finders.items():
            for name in (option, *self.options[option].get("aliases", ())):
                if params.get(name) is not None:
                    found.extend(find(params[name]))
        return found

    def misplaced(self, params: Mapping[str, Any]) -> str | None:
        """What is wrong with unchecked options of which one is no mapping where a mapping of options belongs.

        Ansible itself breaks off at a switch or a number in such a place, and names no option where it finds a text.
        """
        return next(_misplaced(self.options, params), None)


def _misplaced(options: Mapping[str, Option], params: Mapping[str, Any], within: str = "") -> Iterator[str]:
    for name, option in options.items():
        for key in (name, *option.get("aliases", ())):
            if option.get("options") and params.get(key) is not None:
                yield from _misplaced_in(option, params[key], f"{within}{key}")


def _misplaced_in(option: Option, value: Any, where: str) -> Iterator[str]:
    nested = option["options"]
    if option["type"] == "list":
        items = value.split(",") if isinstance(value, str) else value  # as Ansible takes a text apart
        if not isinstance(items, list):
            yield f"{where} is {_shown(value, nested)}, but has to be a list of mappings of {', '.join(nested)}"
            return
        for number, item in enumerate(items):
            yield from _misplaced_in({**option, "type": "dict"}, item, f"{where}[{number}]")
        return
    try:
        mapping = check_type_dict(value)
    except (TypeError, ValueError):
        yield f"{where} is {_shown(value, nested)}, but has to be a mapping of {', '.join(nested)}"
        return
    yield from _misplaced(nested, mapping, f"{where}.")


def _shown(value: Any, options: Mapping[str, Option]) -> str:
    """A value in a message; what might have a secret in it is told by its kind."""
    if isinstance(value, str):
        return "a text" if _has_secrets(options) else repr(value)
    return kind(value)


def _has_secrets(options: Mapping[str, Option]) -> bool:
    return any(option.get("no_log") or _has_secrets(option.get("options") or {}) for option in options.values())


def _secrets(options: Mapping[str, Option], params: Mapping[str, Any]) -> Any:
    for name, option in options.items():
        value = params.get(name)
        if value is None:
            continue
        if option.get("no_log"):
            yield value
        nested = option.get("options")
        if nested:
            for item in value if isinstance(value, list) else [value]:
                yield from _secrets(nested, item)


@dataclass(frozen=True)
class Library:
    """A Python package that a module needs, with the least version."""

    name: str
    version: str


def missing_library(libraries: Iterable[Library]) -> str | None:
    """What to say of the first library that this Python lacks, or has in too old a version. None if all are there."""
    for library in libraries:
        try:
            found = metadata.version(library.name)
        except metadata.PackageNotFoundError:
            return str(missing_required_lib(f"{library.name} >= {library.version}"))
        if _release(found) < _release(library.version):
            return (
                f"{library.name} {found} is too old: {library.version} or newer is needed by this module, "
                f"in the Python that runs it, {sys.executable}."
            )
    return None


def _release(version: str) -> tuple[int, ...]:
    """The numbers at the start of a version without zeros at its end: enough to compare releases."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


STATE = ArgumentSpec({"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}})


def wait_options(timeout: int, sleep: int = 10) -> ArgumentSpec:
    """``wait``, ``wait_timeout`` and ``wait_sleep``, with the default seconds that fit the module and its provider."""
    return ArgumentSpec(
        {
            "wait": {"type": "bool", "default": True},
            "wait_timeout": {"type": "int", "default": timeout},
            "wait_sleep": {"type": "int", "default": sleep},
        }
    )
