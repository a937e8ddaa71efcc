# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of record sets, in one spelling, and in no order: equal record sets compare equal, however they are written.

PRIVATE.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable

from .dns_names import canonical_name

TEXT_TYPES = ("SPF", "TXT")
TYPES = (
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB",
    "TLSA", "TXT",
)  # fmt: skip
LONGEST_STRING = 255  # bytes, in each of the strings that a text record is made of


def canonical_values(kind: str, values: Iterable[str]) -> list[str]:
    """All values of a record set, sorted, each once.

    Raises:
        ValueError: one of them cannot be a value of this type.
    """
    return sorted({canonical_value(kind, value) for value in values})


def canonical_value(kind: str, value: str) -> str:
    """The one spelling of a value.

    Raises:
        ValueError: it cannot be a value of this type; the message says why.
    """
    if kind in TEXT_TYPES:
        return _text(value)
    words = value.split()
    if not words:
        raise ValueError("an empty value")
    write = _WRITERS.get(kind)
    return write(words) if write else " ".join(words)


def _address(version: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> Callable[[list[str]], str]:
    def write(words: list[str]) -> str:
        return str(version(" ".join(words)))

    return write


def _host(numbers: str) -> Callable[[list[str]], str]:
    """A host name after some numbers, which are named for the message."""
    names = numbers.split()

    def write(words: list[str]) -> str:
        *before, host = words
        if len(before) != len(names) or not all(word.isdecimal() and int(word) < 2**16 for word in before):
            form = " ".join([*names, "host"])
            raise ValueError(f"{' '.join(words)!r} has not the form: {form}")
        return " ".join([*(str(int(word)) for word in before), canonical_name(host) + "."])

    return write


_WRITERS: dict[str, Callable[[list[str]], str]] = {
    "A": _address(ipaddress.IPv4Address),
    "AAAA": _address(ipaddress.IPv6Address),
    "CNAME": _host(""),
    "MX": _host("priority"),
    "NS": _host(""),
    "PTR": _host(""),
    "SRV": _host("priority weight port"),
}

QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"(?:\s+|$)', re.DOTALL)
ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


def _text(value: str) -> str:
    """Text as quoted strings of at most 255 bytes; what is not quoted yet is one text."""
    strings = _quoted_strings(value)
    if strings is None:
        strings = [value.encode()]
    pieces = [
        string[start : start + LONGEST_STRING]
        for string in strings
        for start in range(0, max(1, len(string)), LONGEST_STRING)
    ]
    return " ".join(f'"{_escaped(piece)}"' for piece in pieces)


def _quoted_strings(value: str) -> list[bytes] | None:
    """The strings of a value that consists of quoted strings; None if it does not."""
    strings, position = [], 0
    while position < len(value):
        found = QUOTED.match(value, position)
        if not found:
            return None
        strings.append(ESCAPED.sub(_unescaped, found[1].encode()))
        position = found.end()
    return strings or None


def _unescaped(code: re.Match[bytes]) -> bytes:
    return bytes([int(code[1], 8) & 0xFF]) if len(code[1]) == 3 else code[1]


def _escaped(piece: bytes) -> str:
    return "".join(_escaped_byte(byte) for byte in piece)


def _escaped_byte(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
