# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger of a set of droplets: what was asked for, written down before it is asked for.

Lists of droplets can be behind, empty by mistake, or of another account. With their ids at hand, and the account that
they are in, "gone" can be proven one by one, and again later: a delete has been undone before. A line more is better
than a droplet that nobody remembers. PRIVATE.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._errors import BusyError, InputError, NotOursError, SchedulersError
from .account import Account

DIRECTORY = "~/.ansible/container.schedulers/"
HINT = "With ledger, choose another file, or a directory."
GONE_LIMIT = 100  # of earlier runs: each costs a call to verify, of which DigitalOcean takes 250 a minute


def ledger_path(given: str, owner: str, url: str) -> Path:
    """Where the ledger of an owner at an API is: in the file that was given, or in one of its own in a directory."""
    path, host = Path(given).expanduser(), url.partition("://")[2].replace(":", "-")
    is_directory = given.endswith("/") or os.path.isdir(path)  # noqa: PTH112 - one that cannot be looked at is no directory
    return path / f"{owner.replace('/', '-')}@{host}.json" if is_directory else path


class Ledger:
    """The file, read once and written at every change, whole and at once.

    Args:
        path: the file, or the directory for it; it need not exist.
        owner: whose droplets are in it.
        url: the API that they are at.

    Attributes:
        droplets: the names of those that exist, by id.
        gone: the names of those that were proven to be gone, by id, the latest last.
        unanswered: the names of those that were asked for, with no answer yet.
    """

    def __init__(self, path: str, owner: str, url: str) -> None:
        self.path = ledger_path(path, owner, url)
        self._owner = owner
        self._url = url
        self._lock = threading.Lock()
        self._account = ""
        self.droplets: dict[int, str] = {}
        self.gone: dict[int, str] = {}
        self.unanswered: set[str] = set()

    @property
    def names(self) -> set[str]:
        """The names of droplets that exist, or may."""
        return {*self.droplets.values(), *self.unanswered}

    @contextmanager
    def opened(self, *, to_write: bool) -> Iterator[None]:
        """Read what is in it, and keep other runs off as long as this one works on the set.

        Two runs that make the same droplets would make them twice: their names do not keep them apart.

        Raises:
            BusyError: another run works on the set right now.
        """
        if not to_write:
            self._load()
            yield
            return
        lock = self.path.with_name(f"{self.path.name}.lock")
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock_file(file, lock)
            try:
                self._load()
                self.gone = dict([*self.gone.items()][-GONE_LIMIT:])
                yield
            finally:
                lock.unlink(missing_ok=True)
        finally:
            os.close(file)

    def check(self, account: Account, *, to_prove: bool = False) -> None:
        """Refuse to speak about droplets of another account.

        Args:
            to_prove: whether it is about those that are gone. If not, they keep nobody from starting anew.

        Raises:
            NotOursError: the ledger was kept in another account.
        """
        if self._account == account.uuid:
            return
        if self.names or (to_prove and self.gone):
            raise NotOursError(
                f"the api_token belongs to account {account.uuid}, but {self._owner} was made in {self._account} "
                f"according to {self.path}",
                hint="Use a token of that account. If its droplets are surely gone, delete the file.",
            )
        self._account = account.uuid
        self.gone = {}

    def expect(self, names: Collection[str]) -> None:
        """Write down that these droplets are about to be made."""
        with self._changing():
            self.unanswered.update(names)

    def add(self, droplets: Mapping[int, str]) -> None:
        """Write down that droplets exist."""
        with self._changing():
            self.droplets.update(droplets)
            self.unanswered.difference_update(droplets.values())

    def never_made(self, names: Collection[str]) -> None:
        """Write down that a create was refused: nothing will come of it."""
        with self._changing():
            self.unanswered.difference_update(names)

    def remove(self, proof: Iterable[Mapping[str, Any]]) -> None:
        """Write down that droplets are proven to be gone."""
        with self._changing():
            for one in proof:
                self.droplets.pop(one["id"], None)
                self.gone[one["id"]] = one["name"]

    def close(self, names: Collection[str]) -> None:
        """Write down that nothing is left of these names: what is remembered of them is what is gone."""
        with self._changing():
            self.droplets = {number: name for number, name in self.droplets.items() if name not in names}
            self.unanswered.difference_update(names)

    def _load(self) -> None:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(f"ledger: {self.path} cannot be read: {error.strerror}", hint=HINT) from error
        try:
            document: dict[str, Any] = json.loads(text)
            owner, url = document["owner"], document["api_url"]
            self._account = str(document["account"])
            self.droplets = {int(key): str(name) for key, name in document["droplets"].items()}
            self.gone = {int(key): str(name) for key, name in document.get("gone", {}).items()}
            self.unanswered = set(document["unanswered"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"ledger: {self.path} is no ledger of droplets", hint=HINT) from error
        if (owner, url) != (self._owner, self._url):
            raise InputError(f"ledger: {self.path} is that of {owner} at {url}", hint=HINT)

    def _lock_file(self, file: int, path: Path) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = path.exists() and path.stat().st_ino == os.fstat(file).st_ino
        except BlockingIOError:
            is_ours = False
        if not is_ours:  # locked by another run, or just removed by one that has ended
            raise BusyError(f"another run works on {self._owner} right now", hint="Try again when it has ended.")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SchedulersError(
                f"ledger: {self.path} cannot be written: {error.strerror}",
                hint="It is needed to prove later that the droplets are gone. " + HINT,
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time, written down before anything follows from it."""
        with self._lock:
            before = (dict(self.droplets), dict(self.gone), set(self.unanswered))
            yield
            if before != (self.droplets, self.gone, self.unanswered):
                self._save()

    def _save(self) -> None:
        document = {
            "owner": self._owner,
            "api_url": self._url,
            "account": self._account,
            "droplets": {str(key): name for key, name in sorted(self.droplets.items())},
            "gone": {str(key): name for key, name in self.gone.items()},
            "unanswered": sorted(self.unanswered),
        }
        draft = self.path.with_name(f"{self.path.name}.new")
        with self._writing():
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(document, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
