# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in the domain name system, and ids of zones, in one spelling, so that equal ones are equal.

Route 53 writes what is not a letter, digit, hyphen or underscore as an octal code ("\\052" for "*"), ignores case, and
ends every name with a dot; people do none of this. PRIVATE.
"""

from __future__ import annotations

import re

from .._errors import InputError

LONGEST_NAME = 253
LONGEST_LABEL = 63
OCTAL = re.compile(r"\\([0-7]{3})")
# a dot or backslash within a label stays a code, as does what cannot be seen: written out it would mean something else
WRITTEN_OUT = frozenset(map(chr, range(0x21, 0x7F))) - {".", "\\"}


def canonical_name(name: str) -> str:
    """The one spelling of a name: lower case, codes written out, no dot at the end."""

    def written_out(code: re.Match[str]) -> str:
        character = chr(int(code[1], 8))
        return character if character in WRITTEN_OUT else code[0]

    return OCTAL.sub(written_out, name).lower().removesuffix(".")


def absolute_name(name: str, zone: str) -> str:
    """The full name of a record set: "@" is the zone itself, "www" is a name in it, "www.example.com" is itself.

    Raises:
        InputError: it is not a name, or it ends in a dot and does not belong to the zone.
    """
    short = canonical_name(name)
    if short in ("", "@", zone):
        return zone
    if short.endswith(f".{zone}"):
        full = short
    elif name.endswith("."):
        raise InputError(f"records: {name} does not belong to the zone {zone}", hint=f"Its name has to end in {zone}.")
    else:
        full = f"{short}.{zone}"
    refuse_bad_name(full, "records")
    return full


def bare_id(identifier: str) -> str:
    """An id without the path that Route 53 puts before it."""
    return identifier.rsplit("/", 1)[-1]


def refuse_bad_name(name: str, option: str) -> None:
    """Raises an InputError for what cannot be a name."""
    if not name.isascii():
        raise InputError(f"{option}: {name} has letters outside ASCII", hint="Write it as xn--..., in Punycode.")
    if len(name) > LONGEST_NAME:
        raise InputError(f"{option}: {name[:40]}... has {len(name)} characters; a name has at most {LONGEST_NAME}")
    for label in name.split("."):
        if not 0 < len(label) <= LONGEST_LABEL or re.search(r"\s", label):
            raise InputError(
                f"{option}: {name!r} is not a name",
                hint=f"The parts between dots have 1 to {LONGEST_LABEL} characters, and no spaces.",
            )
