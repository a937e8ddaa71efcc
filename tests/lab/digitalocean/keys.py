# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys of a team."""

from __future__ import annotations

import base64
import binascii
import hashlib

from lab.digitalocean.ask import NO_CONTENT, Ask, json_body, listed
from lab.digitalocean.errors import not_found, unprocessable
from lab.digitalocean.teams import Team, Thing
from lab.messages import Answer


def find_key(team: Team, wanted: str) -> Thing | None:
    """By id or fingerprint."""
    return next((one for one in team.keys.values() if wanted in (str(one["id"]), one["fingerprint"])), None)


def create(ask: Ask) -> Answer:
    name, public_key = ask.text("name"), ask.text("public_key").strip()
    fingerprint = _fingerprint(public_key)
    if find_key(ask.team, fingerprint) is not None:
        raise unprocessable("SSH Key is already in use on your account")
    key: Thing = {"id": ask.team.number(), "fingerprint": fingerprint, "public_key": public_key, "name": name}
    ask.team.keys[key["id"]] = key
    return json_body({"ssh_key": key}, 201)


def list_all(ask: Ask) -> Answer:
    return listed(ask, "ssh_keys", list(ask.team.keys.values()))


def show(ask: Ask) -> Answer:
    return json_body({"ssh_key": _get(ask)})


def rename(ask: Ask) -> Answer:
    key = _get(ask)
    key["name"] = ask.text("name")
    return json_body({"ssh_key": key})


def delete(ask: Ask) -> Answer:
    key = _get(ask)
    if ask.world.fault != "swallow":
        del ask.team.keys[key["id"]]
    return NO_CONTENT


def _get(ask: Ask) -> Thing:
    key = find_key(ask.team, ask.path[0])
    if key is None:
        raise not_found()
    return key


def _fingerprint(public_key: str) -> str:
    words = public_key.split()
    try:
        content = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error) as error:
        raise unprocessable("Key invalid, key should be of the format `type key [comment]`") from error
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return ":".join(digest[index : index + 2] for index in range(0, 32, 2))
