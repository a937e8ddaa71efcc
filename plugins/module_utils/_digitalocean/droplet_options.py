# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``digitalocean_droplets`` as one checked value.

What cannot work is refused before the first call. PRIVATE.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._checks import HIGHEST_PORT, at_least, between, seconds
from .._errors import InputError
from .._ownership import Mark
from .firewall import Rules, allowed_rules
from .keys import PublicKey, read_key_file
from .marks import checked_tags, set_mark

HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9.-]{1,253}(?<![-.])")
PLACE = "{n}"
MOST_DROPLETS = 1000
USER_DATA_LIMIT = 64 * 1024
NEEDED = ("region", "size", "image")


@dataclass(frozen=True)
class DropletOptions:
    """What the user wants. None: not managed.

    Attributes:
        names: the names of the droplets, None if only the set is named, to remove all of it.
        rules: what the firewall lets in.
        keep_rules: whether the rules that it has stay, too.
        among: whether droplets of the set reach each other.
    """

    mark: Mark
    names: tuple[str, ...] | None
    region: str | None
    size: str | None
    image: str | None
    ssh_keys: tuple[str, ...]
    public_keys: tuple[PublicKey, ...]
    tags: tuple[str, ...]
    vpc_uuid: str | None
    monitoring: bool | None
    ipv6: bool | None
    user_data: str | None
    firewall: bool
    rules: Rules
    keep_rules: bool
    among: bool | None
    port: int | None
    purge: bool
    adopt: bool
    settle_seconds: float

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> DropletOptions:
        """The checked options.

        Raises:
            InputError: one of them cannot work.
        """
        mark, present = set_mark(params["name"]), params["state"] == "present"
        if params["verify_only"] and present:
            raise InputError("verify_only looks whether droplets are gone", hint="Give state: absent with it.")
        if not params["firewall"] and (params["allow"] is not None or params["allow_among"]):
            raise InputError("allow and allow_among are rules of the firewall", hint="Leave out firewall: false.")
        return cls(
            mark=mark,
            names=_names(params, present=present),
            **{option: params[option] or None for option in NEEDED},
            ssh_keys=tuple(dict.fromkeys(params["ssh_keys"] or ())),
            public_keys=tuple(map(read_key_file, params["ssh_public_key_files"] or ())) if present else (),
            tags=checked_tags(params["tags"] or ()) if present else (),
            vpc_uuid=(params["vpc_uuid"] or "").lower() or None,
            monitoring=params["monitoring"],
            ipv6=params["ipv6"],
            user_data=_user_data(params["user_data"]),
            firewall=params["firewall"],
            rules=allowed_rules(params["allow"] or (), mark, among=bool(params["allow_among"])) if present else {},
            keep_rules=params["allow"] is None,
            among=params["allow_among"],
            port=_port(params["wait_for_port"]),
            purge=params["purge"],
            adopt=params["adopt"],
            settle_seconds=seconds("settle_seconds", params["settle_seconds"], 0),
        )

    def check_complete(self) -> None:
        """Whether all is given that a new droplet needs.

        Raises:
            InputError: something is missing.
        """
        missing = [option for option in NEEDED if getattr(self, option) is None]
        if missing:
            raise InputError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed to make droplets")
        if not self.ssh_keys and not self.public_keys:
            raise InputError(
                "ssh_keys or ssh_public_key_files is needed to make droplets",
                hint="Without a key DigitalOcean mails a root password that has to be changed by hand.",
            )


def _names(params: Mapping[str, Any], *, present: bool) -> tuple[str, ...] | None:
    """The names of the droplets: given, or made of the pattern, or that of the set."""
    count, pattern = params["count"], params["pattern"]
    if params["names"] is not None:
        names = params["names"]
    elif count is not None:
        at_least("count", count, 0)
        names = _numbered(params["name"], count, pattern)
    elif pattern is not None:
        raise InputError("pattern needs count: how many names it stands for")
    else:
        names = [params["name"]] if present else None
    for name in names or ():
        if not HOST_NAME.fullmatch(name):
            option = "names" if params["names"] is not None else "pattern" if pattern else "name"
            raise InputError(
                f"{option}: {name!r} is no host name",
                hint="Letters, digits, hyphens and dots are allowed, with a letter or digit at both ends.",
            )
    twice = [name for name, times in Counter(names or ()).items() if times > 1]
    if twice:
        raise InputError(f"names: {', '.join(twice)} is given more than once")
    if names is not None and not present and not names:
        option = "count is 0" if params["names"] is None else "names is empty"
        raise InputError(f"{option}, so nothing is named to be removed", hint="Leave it out to remove the set.")
    return None if names is None else tuple(names)


def _numbered(name: str, count: int, pattern: str | None) -> list[str]:
    if count > MOST_DROPLETS:
        raise InputError(f"count is {count}, but has to be at most {MOST_DROPLETS}")
    used = pattern or f"{name}-{PLACE}"
    if PLACE not in used:
        raise InputError(f"pattern: {used!r} has no {PLACE}, which stands for the number")
    return [used.replace(PLACE, str(number)) for number in range(1, count + 1)]


def _user_data(text: str | None) -> str | None:
    if text and len(text.encode()) > USER_DATA_LIMIT:
        raise InputError(f"user_data has {len(text.encode())} bytes, DigitalOcean takes {USER_DATA_LIMIT}")
    return text or None


def _port(port: int | None) -> int | None:
    return port if port is None else between("wait_for_port", port, 1, HIGHEST_PORT)
