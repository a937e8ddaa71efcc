# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Droplets live, act and die as at DigitalOcean, unpleasantness included."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.digitalocean_ground import PUBLIC_KEY, TEMPLATE, look, make, names


def test_new_then_active_with_addresses(lab: Any) -> None:
    lab.settings(droplet_boot_seconds=3000)  # so that the seconds of a busy machine do not count
    (made,) = make(lab, "web")
    assert (made["status"], made["networks"]["v4"]) == ("new", [])
    lab.advance(2900)
    assert look(lab, made["id"])["status"] == "new"
    lab.advance(100)
    droplet = look(lab, made["id"])
    kinds = {one["type"]: one["ip_address"] for one in droplet["networks"]["v4"]}
    assert droplet["status"] == "active"
    assert kinds["public"].startswith("127.")
    assert kinds["private"].startswith("10.")


def test_one_create_action_each(lab: Any) -> None:
    lab.settings(droplet_boot_seconds=30)
    _status, document, _headers = lab.digitalocean("POST", "droplets", {"names": ["a", "b"], **TEMPLATE})
    ids = [one["id"] for one in document["links"]["actions"]]
    assert len(set(ids)) == 2
    assert lab.digitalocean("GET", f"actions/{ids[0]}")[1]["action"]["status"] == "in-progress"
    lab.advance(30)
    assert lab.digitalocean("GET", f"actions/{ids[0]}")[1]["action"]["status"] == "completed"


def test_a_single_name_is_answered_with_a_single_droplet(lab: Any) -> None:
    status, document, _headers = lab.digitalocean("POST", "droplets", {"name": "one", **TEMPLATE})
    assert (status, document["droplet"]["name"]) == (202, "one")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": [f"n{number}" for number in range(11)]}, "10 droplets at a time"),
        ({"names": ["under_score"]}, "Only valid hostname characters"),
        ({"names": []}, "names can't be blank"),
        ({"size": "1gb"}, "invalid size"),
        ({"image": "ubuntu-14-04-x64"}, "invalid image"),
        ({"region": "mars1"}, "invalid region"),
        ({"region": "nyc2"}, "invalid region"),
        ({"size": "s-1vcpu-512mb-10gb"}, "not available in this region"),
        ({"ssh_keys": [1]}, "invalid key identifiers"),
        ({"tags": ["white space"]}, "not a valid tag name"),
        ({"user_data": "x" * 65537}, "64 KiB"),
        ({"vpc_uuid": "nowhere"}, "Invalid VPC"),
    ],
)
def test_what_a_create_refuses(lab: Any, change: dict[str, Any], words: str) -> None:
    status, document, _headers = lab.digitalocean("POST", "droplets", {"names": ["web"], **TEMPLATE, **change})
    assert (status, document["id"]) == (422, "unprocessable_entity")
    assert words in document["message"]
    assert names(lab) == []


def test_the_droplet_limit(lab: Any) -> None:
    lab.settings(droplet_limit=3)
    make(lab, "a", "b")
    status, document, _headers = lab.digitalocean("POST", "droplets", {"names": ["c", "d"], **TEMPLATE})
    assert (status, document["message"]) == (422, "creating this/these droplet(s) will exceed your droplet limit")
    assert len(make(lab, "c")) == 1


def test_names_may_repeat(lab: Any) -> None:
    make(lab, "web", "web")
    assert names(lab, "name=WEB") == ["web", "web"]


def test_lists_by_tag_by_name_and_in_pages(lab: Any) -> None:
    make(lab, "a", "b", "c", tags=["run:1"])
    make(lab, "d")
    assert names(lab, "tag_name=run:1") == ["a", "b", "c"]
    assert names(lab, "name=D") == ["d"]
    assert lab.digitalocean("GET", "droplets?name=a&tag_name=run:1")[0] == 422
    first = lab.digitalocean("GET", "droplets?per_page=3")[1]
    assert first["meta"]["total"] == 4
    assert first["links"]["pages"]["next"].endswith("per_page=3&page=2")
    assert names(lab, "per_page=3&page=2") == ["d"]
    assert lab.digitalocean("GET", "droplets")[1]["links"] == {}


def test_lists_lag_behind_and_looks_by_id_do_not(lab: Any) -> None:
    lab.settings(droplet_list_seconds=10)
    (made,) = make(lab, "web", tags=["t"])
    assert names(lab) == names(lab, "tag_name=t") == []
    assert look(lab, made["id"])["name"] == "web"
    lab.advance(10)
    assert names(lab) == ["web"]


def test_the_name_filter_can_be_ignored_as_it_was(lab: Any) -> None:
    make(lab, "a", "b")
    lab.settings(droplet_name_filter_ignored=True)
    assert names(lab, "name=a") == ["a", "b"]


def test_deleting_is_accepted_first_and_done_later(lab: Any) -> None:
    lab.settings(droplet_delete_seconds=20)
    (made,) = make(lab, "web")
    assert lab.digitalocean("DELETE", f"droplets/{made['id']}")[0] == 204
    lab.advance(10)
    assert lab.digitalocean("DELETE", f"droplets/{made['id']}")[0] == 204  # and does not begin anew
    assert look(lab, made["id"])["status"] == "active"
    lab.advance(10)
    assert lab.digitalocean("GET", f"droplets/{made['id']}")[:2][0] == 404
    assert lab.digitalocean("DELETE", f"droplets/{made['id']}")[0] == 404


def test_a_pending_event_refuses_what_comes_next(lab: Any) -> None:
    lab.settings(droplet_boot_seconds=30)
    (made,) = make(lab, "web")
    for method, path, body in (("DELETE", "", None), ("POST", "/actions", {"type": "power_off"})):
        status, document, _headers = lab.digitalocean(method, f"droplets/{made['id']}{path}", body)
        assert (status, document["message"]) == (422, "Droplet already has a pending event.")


def test_a_delete_while_new_may_be_taken_and_forgotten(lab: Any) -> None:
    lab.settings(droplet_boot_seconds=30, droplet_new_delete_ignored=True)
    (made,) = make(lab, "web")
    assert lab.digitalocean("DELETE", f"droplets/{made['id']}")[0] == 204
    lab.advance(60)
    assert look(lab, made["id"])["status"] == "active"


def test_off_is_not_gone(lab: Any) -> None:
    lab.settings(droplet_action_seconds=5)
    (made,) = make(lab, "web")
    status, document, _headers = lab.digitalocean("POST", f"droplets/{made['id']}/actions", {"type": "power_off"})
    assert (status, document["action"]["status"]) == (201, "in-progress")
    lab.advance(5)
    assert look(lab, made["id"])["status"] == "off"
    assert names(lab) == ["web"]
    actions = lab.digitalocean("GET", f"droplets/{made['id']}/actions")[1]["actions"]
    assert [one["type"] for one in actions] == ["power_off", "create"]


def test_powering_on_what_is_on_is_accepted(lab: Any) -> None:
    (made,) = make(lab, "web")
    assert lab.digitalocean("POST", f"droplets/{made['id']}/actions", {"type": "power_on"})[0] == 201
    assert look(lab, made["id"])["status"] == "active"


def test_delete_by_tag_takes_what_carries_it(lab: Any) -> None:
    make(lab, "a", "b", tags=["t"])
    make(lab, "c")
    assert lab.digitalocean("DELETE", "droplets")[0] == 422
    assert lab.digitalocean("DELETE", "droplets?tag_name=t")[0] == 204
    assert names(lab) == ["c"]


def test_a_tag_outlives_its_droplets(lab: Any) -> None:
    (made,) = make(lab, "a", tags=["t"])
    lab.digitalocean("DELETE", f"droplets/{made['id']}")
    assert lab.digitalocean("GET", "tags/t")[1]["tag"]["resources"]["count"] == 0
    assert lab.digitalocean("DELETE", "tags/t")[0] == 204
    assert lab.digitalocean("GET", "tags/t")[0] == 404


def test_an_accepted_create_may_end_in_an_error(lab: Any) -> None:
    lab.faults({"action": "CreateDroplets", "kind": "fail_later"})
    _status, document, _headers = lab.digitalocean("POST", "droplets", {"name": "web", **TEMPLATE})
    action = lab.digitalocean("GET", f"actions/{document['links']['actions'][0]['id']}")[1]["action"]
    assert action["status"] == "errored"
    assert look(lab, document["droplet"]["id"])["status"] == "new"


def test_a_delete_may_be_accepted_and_never_done(lab: Any) -> None:
    (made,) = make(lab, "web")
    lab.faults({"action": "DeleteDroplet", "kind": "swallow"})
    assert lab.digitalocean("DELETE", f"droplets/{made['id']}")[0] == 204
    assert look(lab, made["id"])["name"] == "web"


def test_those_with_gpus_are_listed_for_who_asks_for_them(lab: Any) -> None:
    (made,) = make(lab, "trainer", size="gpu-h100x1-80gb", region="tor1", tags=["t"])
    make(lab, "web")
    assert names(lab) == ["web"]
    assert names(lab, "type=gpus") == names(lab, "tag_name=t") == ["trainer"]
    assert look(lab, made["id"])["size"]["gpu_info"]["count"] == 1
    assert lab.digitalocean("GET", "droplets?tag_name=t&type=gpus")[0] == 422


def test_a_list_may_be_empty_and_a_later_page_may_fail(lab: Any) -> None:
    make(lab, "a", "b", "c")
    lab.faults(
        {"action": "ListDroplets", "kind": "empty"},
        {"action": "ListDroplets", "kind": "throttle", "query": "page=2"},
    )
    assert names(lab) == []
    assert names(lab, "per_page=2") == ["a", "b"]
    status, document, headers = lab.digitalocean("GET", "droplets?per_page=2&page=2")
    assert (status, document["id"], headers["retry-after"]) == (429, "too_many_requests", "1")


def test_the_answer_to_a_create_may_be_lost(lab: Any) -> None:
    lab.faults({"action": "CreateDroplets", "kind": "reset_after"})
    with pytest.raises(OSError):
        lab.digitalocean("POST", "droplets", {"names": ["web"], **TEMPLATE})
    assert names(lab) == ["web"]


def test_keys_go_into_droplets_by_id_or_fingerprint(lab: Any) -> None:
    key = lab.digitalocean("POST", "account/keys", {"name": "k", "public_key": PUBLIC_KEY})[1]["ssh_key"]
    assert len(make(lab, "a", "b", ssh_keys=[key["id"]])) == 2
    assert len(make(lab, "c", ssh_keys=[key["fingerprint"]])) == 1


def test_everything_is_in_the_inventory(lab: Any) -> None:
    make(lab, "a", tags=["t"])
    assert lab.control("GET", "/inventory")["by_kind"] == {"do-tag": 1, "droplet": 1}
    lab.control("POST", "/reset")
    assert lab.control("GET", "/inventory")["count"] == 0
