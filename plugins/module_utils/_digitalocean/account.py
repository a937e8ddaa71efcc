# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that a token belongs to: whose droplets are meant, and how many there may be. PRIVATE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._errors import InputError, SchedulersError
from .api import DigitalOcean
from .errors import CHECK_URL, NOT_ITS_WORDS

DOING = "look at the DigitalOcean account"


@dataclass(frozen=True)
class Account:
    """A team, or a person without one.

    Attributes:
        uuid: of the team; ids of droplets mean something within it only.
        droplet_limit: None if the API does not say.
    """

    uuid: str
    droplet_limit: int | None = None

    def check_room(self, there: int, more: int) -> None:
        """Refuse what the account's limit does not allow, before the first droplet is made.

        Raises:
            InputError: there would be too many.
        """
        if more and self.droplet_limit is not None and there + more > self.droplet_limit:
            raise InputError(
                f"{more} more droplets are wanted, but the account has {there} and may have {self.droplet_limit}",
                hint="Ask DigitalOcean to raise the droplet limit, or make fewer.",
            )


def read_account(api: DigitalOcean) -> Account:
    """The account of the token.

    Raises:
        SchedulersError: it is not known who that is.
    """
    answer = api.get("account", doing=DOING).get("account")
    found: dict[str, Any] = answer if isinstance(answer, dict) else {}
    uuid = (found.get("team") or {}).get("uuid") or found.get("uuid")
    if not uuid:
        raise SchedulersError(f"{NOT_ITS_WORDS}: no account", hint=CHECK_URL, doing=DOING)
    limit = found.get("droplet_limit")
    return Account(str(uuid), int(limit) if limit is not None else None)
