# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that have to be text: what YAML made something else of is refused, and not written down as "None". And names
in a sentence. Pure.

A number has one way to be written. A switch has not: it may have been given as yes, on or true. A quoted template does
not help, as its value keeps its type. PRIVATE.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._errors import InputError

VARIABLE = re.compile(r"[^=\x00-\x1f]+")
PROGRAM_AND_MORE = re.compile(r"[\w./][\w./-]*,")


def texts(option: str, values: Mapping[str, Any]) -> dict[str, str]:
    """A mapping of texts.

    Raises:
        InputError: a value is null, true or false, a list or a mapping.
    """
    return {str(name): text(f"{option}: {name}", value) for name, value in values.items()}


def several(names: Sequence[str], most: int = 10) -> str:
    """Names in a sentence; beyond so many, only how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def refuse_no_variables(option: str, names: Iterable[Any]) -> None:
    """Refuse what cannot be the name of an environment variable.

    Raises:
        InputError: one of the names cannot.
    """
    wrong = next((name for name in names if not VARIABLE.fullmatch(str(name))), None)
    if wrong is not None:
        raise InputError(f"{option}: {wrong!r} is no name of a variable")


def words(option: str, value: Any) -> list[str]:
    """A command as a list of words: given as one, or as a line that is taken apart as a shell would do it.

    Raises:
        InputError: it is neither, or one of the words is no text; or it is a list that was written as a text, whose
            words would be taken for others.
    """
    if isinstance(value, (list, tuple)):
        return [text(f"{option}[{number}]", one) for number, one in enumerate(value)]
    if not isinstance(value, str):
        raise InputError(f"{option} is neither a list nor a line")
    try:
        found = shlex.split(value)
    except ValueError as error:
        hint = "Close all quotation marks, or give a list of words."
        raise InputError(f"{option} cannot be taken apart: {error}", hint=hint) from error
    if _is_list(found):
        raise InputError(f"{option} looks like a list that was written as a text", hint="Give a list.")
    return found


def _is_list(found: Sequence[str]) -> bool:
    """Whether words are those of [a, b] or a,b: the bracket is a program too, and options and addresses have commas."""
    first = found[0] if found else ""
    if first.startswith("["):
        return first != "[" or any(word.endswith(",") for word in found)
    return bool(PROGRAM_AND_MORE.match(first))


def text(where: str, value: Any) -> str:
    """A value as text.

    Raises:
        InputError: it is none, and no number either.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        quote = "Quote it, or end its template with | string | lower."
        hint = quote if isinstance(value, bool) else 'An empty text is "".' if value is None else ""
        raise InputError(f"{where} is {kind(value)} and must be text", hint=hint)
    return str(value)


def kind(value: Any) -> str:
    """What a value that is no text is called in a message, without what a list or a mapping has in it."""
    if value is None:
        return "null"
    if isinstance(value, (bool, int, float)):
        return repr(value)
    return "a mapping" if isinstance(value, Mapping) else "a list"
