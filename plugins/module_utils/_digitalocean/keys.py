# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys of the account: found by their fingerprint, uploaded once, removed only if we uploaded them.

A key has no tags at DigitalOcean: the mark of one that we uploaded is its name. The list of keys may be asked for ten
times a minute only, so keys are looked up one by one. PRIVATE.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .._errors import InputError
from .._ownership import Mark
from .._plan import Live, Spec, Step, Wanted
from .._retry import create_once
from .api import Answer, DigitalOcean
from .marks import owner_tag

KIND = "ssh_key"
PRIVATE_SIGN = "PRIVATE KEY"
IDENTITY = re.compile(r"[0-9A-Fa-f:]+")  # an id or a fingerprint, and safe in a path


@dataclass(frozen=True)
class PublicKey:
    """A public key as OpenSSH writes it."""

    text: str
    fingerprint: str

    @classmethod
    def of(cls, option: str, text: str) -> PublicKey:
        """The key in one line of text.

        Raises:
            InputError: it is none, or a private one.
        """
        if PRIVATE_SIGN in text:
            raise InputError(f"{option} has a private key", hint="Give the public one, which ends in .pub.")
        words = text.split()
        try:
            content = base64.b64decode(words[1], validate=True)
        except (IndexError, binascii.Error) as error:
            raise InputError(f"{option} has no public key as OpenSSH writes it") from error
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()  # DigitalOcean's fingerprints are MD5
        return cls(" ".join(words), ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))

    @property
    def key(self) -> str:
        """Its identity in a plan."""
        return f"{KIND} {self.fingerprint}"


def read_key_file(path: str) -> PublicKey:
    """The public key in a file.

    Raises:
        InputError: there is none.
    """
    option = f"ssh_public_key_files: {path}"
    try:
        return PublicKey.of(option, Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{option} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def key_name(mark: Mark) -> str:
    """What a key is called that we upload."""
    return owner_tag(mark.owner)


def find_key(api: DigitalOcean, wanted: str) -> Answer | None:
    """A key by its fingerprint or id."""
    if not IDENTITY.fullmatch(wanted):
        return None
    return api.find(f"account/keys/{wanted}", "ssh_key", doing=f"look for SSH key {wanted}")


def existing_key(api: DigitalOcean, wanted: str) -> int:
    """The id of a key that has to be there.

    Raises:
        InputError: it is not.
    """
    found = find_key(api, wanted)
    if found is None:
        raise InputError(
            f"ssh_keys: {wanted!r} is no key of this account",
            hint="Give the fingerprint (MD5) or id of one, or the key itself with ssh_public_key_files.",
        )
    return int(found["id"])


def read_key(api: DigitalOcean, key: PublicKey) -> Live | None:
    """A given public key in the account, whoever uploaded it."""
    found = find_key(api, key.fingerprint)
    return live_key(found) if found else None


def our_keys(api: DigitalOcean, mark: Mark) -> list[Live]:
    """The keys that we uploaded."""
    found = api.pages("account/keys", "ssh_keys", doing="look for the SSH keys of the account")
    return [live_key(one) for one in found if one["name"] == key_name(mark)]


def live_key(answer: Answer) -> Live:
    """A key as the plan sees it."""
    fingerprint = str(answer["fingerprint"])
    return Live(f"{KIND} {fingerprint}", KIND, fingerprint, str(answer["id"]), {"fingerprint": fingerprint})


def wanted_key(key: PublicKey) -> Wanted:
    """A key as it should be."""
    return Wanted(key.key, KIND, key.fingerprint, {"fingerprint": key.fingerprint})


class KeyHandler:
    """Uploads and removes keys.

    Args:
        keys: the public keys by fingerprint.
    """

    def __init__(self, api: DigitalOcean, mark: Mark, keys: tuple[PublicKey, ...] = ()) -> None:
        self._api = api
        self._mark = mark
        self._keys = {one.fingerprint: one for one in keys}

    def create(self, step: Step, spec: Spec) -> Live:
        key, doing = self._keys[spec["fingerprint"]], f"upload {step.label}"
        body = {"name": key_name(self._mark), "public_key": key.text}
        return create_once(
            lambda: live_key(self._api.call("POST", "account/keys", body=body, doing=doing)["ssh_key"]),
            lambda: read_key(self._api, key),
            self._api.policy,
        )

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        raise NotImplementedError("a key has nothing that could be changed")

    def delete(self, step: Step, live: Live) -> None:
        self._api.remove(f"account/keys/{live.id}", doing=f"remove {step.label}")
