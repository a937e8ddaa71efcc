# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look at DigitalOcean for what is left: one place per kind, so that one that refuses hides nothing else.

Whose a thing is, its tags say; a firewall and a load balancer are applied to a tag, a key is named like one. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from .._leftovers import Leftover, Place, State
from .._ownership import PART
from . import prices
from .api import Answer, DigitalOcean
from .droplets import list_droplets
from .marks import as_mark_tags, owner_of
from .tag import require_sight

PROVIDER = "digitalocean"
EVERYWHERE = "global"
Finder = Callable[[DigitalOcean], Iterator[Leftover]]


def places(api: DigitalOcean, owner: str) -> dict[str, Place]:
    """All places of an account."""
    return {f"digitalocean {kind}s": Place((kind,), partial(_find, find, api, owner)) for kind, find in KINDS.items()}


def _find(find: Finder, api: DigitalOcean, owner: str) -> Iterator[Leftover]:
    """What has a mark, of this owner or of any.

    Without the scope tag:read nothing would seem to have one: then this fails.
    """
    require_sight(api)
    yield from (one for one in find(api) if one.belongs_to(owner))


def _named(kind: str, answer: Answer, tags: Iterable[str], state: State) -> Leftover:
    """A thing as most answers describe it."""
    marks = {**as_mark_tags(tags), PART: kind}
    region = (answer.get("region") or {}).get("slug") or ", ".join(answer.get("regions") or ()) or EVERYWHERE
    return Leftover(PROVIDER, kind, str(answer.get("id") or answer["name"]), region, marks, state, answer["name"])


def _droplets(api: DigitalOcean) -> Iterator[Leftover]:
    for one in list_droplets(api):
        why = f"a {one.size}" + (", costs the same as when it is on" if one.status == "off" else "")
        answer = {"id": one.id, "name": one.name, "region": {"slug": one.region}}
        yield _named("droplet", answer, one.tags, State(one.status, why, one.price_monthly))


def _volumes(api: DigitalOcean) -> Iterator[Leftover]:
    for one in _list(api, "volumes"):
        held = ", ".join(map(str, one.get("droplet_ids") or ())) or "nothing"
        why = f"{one['size_gigabytes']} GiB, attached to {held}"
        state = State("available", why, prices.volume(one["size_gigabytes"]))
        yield _named("volume", one, one.get("tags") or (), state)


def _snapshots(api: DigitalOcean) -> Iterator[Leftover]:
    for one in _list(api, "snapshots"):
        why = f"{one['size_gigabytes']} GiB of {one['resource_type']} {one['resource_id']}"
        state = State("available", why, prices.snapshot(one["size_gigabytes"]))
        yield _named("snapshot", one, one.get("tags") or (), state)


def _firewalls(api: DigitalOcean) -> Iterator[Leftover]:
    for one in _list(api, "firewalls"):
        tags = one.get("tags") or ()
        yield _named("firewall", one, tags, State(one["status"], f"for the droplets of {owner_of(tags)}"))


def _load_balancers(api: DigitalOcean) -> Iterator[Leftover]:
    for one in _list(api, "load_balancers"):
        state = State(one["status"], "paid for by the hour", prices.load_balancer(int(one.get("size_unit") or 1)))
        yield _named("load_balancer", one, [one.get("tag") or ""], state)


def _keys(api: DigitalOcean) -> Iterator[Leftover]:
    for one in _list(api, "account/keys", "ssh_keys"):
        yield _named("ssh_key", one, [one["name"]], State("available", one["fingerprint"]))


def _tags(api: DigitalOcean) -> Iterator[Leftover]:
    for one in _list(api, "tags"):
        count = (one.get("resources") or {}).get("count", 0)
        yield _named("tag", one, [one["name"]], State("available", f"{count} things carry it"))


def _list(api: DigitalOcean, path: str, items: str = "") -> list[Answer]:
    return api.pages(
        path, items or path, doing=f"look for {items or path} that are left at DigitalOcean".replace("_", " ")
    )


KINDS: Mapping[str, Finder] = {
    "droplet": _droplets,
    "volume": _volumes,
    "snapshot": _snapshots,
    "firewall": _firewalls,
    "load_balancer": _load_balancers,
    "ssh_key": _keys,
    "tag": _tags,
}
