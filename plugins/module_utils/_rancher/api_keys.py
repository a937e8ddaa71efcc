# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys. Rancher tells the secret of one once, in the answer to the request that makes it, and never again.

So a key is worth nothing without what was written down then; and one whose secret is lost is replaced. PRIVATE.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .._clock import Deadline
from .._errors import BusyError, InputError
from .._locks import alone_with, lock_of
from .._ownership import Mark
from .._wait import Pace, wait_until
from .api import Object, Rancher
from .exports import write_private
from .marks import described, tags_of
from .ready import describe, is_settled, why_never_ready
from .removal import remove

PART = "api-key"
OPTION = "api_key_file"


@dataclass(frozen=True)
class Pair:
    """Both halves of a key."""

    public: str
    secret: str = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.public and self.secret)


@dataclass(frozen=True)
class Keys:
    """The keys that were made for one purpose, and that one account has.

    Attributes:
        account: a user's, or an environment.
        name: what tells the key of one machine from that of another.
        mark: whose the keys are that may be replaced.
    """

    rancher: Rancher
    account: str
    name: str
    mark: Mark
    deadline: Deadline
    pace: Pace

    def of_all_names(self) -> list[Object]:
        """All that carry the mark, those of other machines too."""
        doing = f"list the API keys of account {self.account}"
        found = self.rancher.list(self.rancher.path("apikeys"), {"accountId": self.account}, doing=doing)
        return [one for one in found if self.mark.owns(tags_of(one.get("description")))]

    def list(self) -> list[Object]:
        """All of the name that carry the mark: one, unless secrets were lost."""
        return [one for one in self.of_all_names() if one.get("name") == self.name]

    def create(self, *, doing: str) -> tuple[Object, Pair]:
        """A new key, once it can be used."""
        body = {"name": self.name, "description": described(None, self.mark, PART), "accountId": self.account}
        made = self.rancher.create(self.rancher.path("apikeys"), body, doing=doing)
        pair = Pair(str(made.get("publicValue") or ""), str(made.get("secretValue") or ""))
        ready = wait_until(
            lambda: self.rancher.get(made["links"]["self"], doing=doing),
            ready=is_settled,
            failed=why_never_ready,
            describe=describe,
            deadline=self.deadline,
            doing=doing,
            pace=self.pace,
        )
        return ready, pair

    def remove(self, key: Object, *, doing: str) -> None:
        """A key is gone: whoever still uses it is locked out."""
        first = ("deactivate",)
        remove(self.rancher, [key], doing=doing, deadline=self.deadline, pace=self.pace, first=first)


@contextmanager
def alone_with_keys(path: str) -> Iterator[None]:
    """No other run uses the file meanwhile: each of the two would take the other's key for one whose secret is lost.

    Raises:
        InputError: there can be no such file.
        BusyError: another run uses it right now.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(alone_with(Path(path)))
        except BlockingIOError as error:
            raise BusyError(f"another run works with {path} right now", hint="Try again when it has ended.") from error
        except OSError as error:
            lock = str(lock_of(Path(path)))
            hint = f"Remove {lock}, unless another user's run works with the file." if error.filename == lock else ""
            why = f"{OPTION}: {path} cannot be written: {error.strerror or error}"
            raise InputError(why, hint=hint) from error
        yield


def usable(keys: list[Object], pair: Pair | None) -> Object | None:
    """The key that a pair belongs to, if it is one and can be used. Pure."""
    if not pair:
        return None
    return next((one for one in keys if one.get("publicValue") == pair.public and one.get("state") == "active"), None)


def read_pair(path: str | None) -> Pair | None:
    """The pair that a file of ours has; None if there is no file.

    Raises:
        InputError: the file is something else.
    """
    if path is None or not Path(path).exists():
        return None
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        pair = Pair(str(content["access_key"]), str(content["secret_key"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{OPTION}: {path} is no file that this module has written",
            hint="Give another path, or move the file away.",
        ) from error
    return pair


def write_pair(path: str, url: str, pair: Pair) -> None:
    """Write a pair down, for its owner only.

    Raises:
        InputError: the file cannot be written.
    """
    content: Mapping[str, str] = {"url": url, "access_key": pair.public, "secret_key": pair.secret}
    write_private(Path(path), json.dumps(content, indent=2) + "\n", option=OPTION)
