# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask, how often, and for what else than droplets."""

from __future__ import annotations

from typing import Any

import pytest
from lab.account import DIGITALOCEAN_TOKEN
from unit.lab.digitalocean_ground import PUBLIC_KEY, make, names

RULE = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["0.0.0.0/0"]}}


def test_a_token_that_nobody_has(lab: Any) -> None:
    status, document, headers = lab.digitalocean("GET", "account", token="wrong")
    assert (status, document["id"], document["message"]) == (401, "unauthorized", "Unable to authenticate you")
    assert headers["x-request-id"] == document["request_id"]


def test_a_body_has_to_be_a_json_object_where_one_is_needed(lab: Any) -> None:
    assert lab.digitalocean("POST", "tags", ["t"])[1]["id"] == "bad_request"
    assert lab.digitalocean("POST", "tags")[0] == 400
    assert lab.digitalocean("GET", "tags", "whatever")[0] == 200


def test_another_team_sees_nothing_of_this_one(lab: Any) -> None:
    (made,) = make(lab, "web")
    other = f"{DIGITALOCEAN_TOKEN}-other-team"
    status, document, _headers = lab.digitalocean("GET", f"droplets/{made['id']}", token=other)
    assert (status, document["id"]) == (404, "not_found")
    uuids = {lab.digitalocean("GET", "account", token=one)[1]["account"]["team"]["uuid"] for one in (other,)}
    assert lab.digitalocean("GET", "account")[1]["account"]["team"]["uuid"] not in uuids


def test_scopes(lab: Any) -> None:
    make(lab, "web", tags=["t"])
    lab.control("POST", "/digitalocean", {"token": "no-tags", "scopes": ["droplet:read"]})
    assert lab.digitalocean("GET", "account", token="no-tags")[0] == 403
    assert lab.digitalocean("DELETE", "droplets/1", token=f"{DIGITALOCEAN_TOKEN}-read-only")[0] == 403
    hidden = lab.digitalocean("GET", "droplets", token="no-tags")[1]["droplets"]
    assert [one["tags"] for one in hidden] == [[]]


def test_so_many_requests_a_minute(lab: Any) -> None:
    lab.settings(digitalocean_minute_limit=3)
    answers = [lab.digitalocean("GET", "account") for _unused in range(4)]
    assert [status for status, _document, _headers in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1][2]["retry-after"]) <= 60
    assert int(answers[-1][2]["ratelimit-remaining"]) == 4997
    lab.advance(60)
    assert lab.digitalocean("GET", "account")[0] == 200


def test_so_many_requests_an_hour(lab: Any) -> None:
    lab.settings(digitalocean_hour_limit=2, digitalocean_minute_limit=0)
    answers = [lab.digitalocean("GET", "account") for _unused in range(3)]
    assert [status for status, _document, _headers in answers] == [200, 200, 429]
    assert "retry-after" not in answers[-1][2]
    assert int(answers[-1][2]["ratelimit-reset"]) > 0


def test_the_list_of_keys_is_rationed(lab: Any) -> None:
    answers = [lab.digitalocean("GET", "account/keys")[0] for _unused in range(11)]
    assert answers == [200] * 10 + [429]
    assert lab.digitalocean("GET", "account/keys/00:11")[0] == 404


def test_keys(lab: Any) -> None:
    status, document, _headers = lab.digitalocean("POST", "account/keys", {"name": "k", "public_key": PUBLIC_KEY})
    key = document["ssh_key"]
    assert status == 201
    assert key["fingerprint"].count(":") == 15
    assert lab.digitalocean("GET", f"account/keys/{key['fingerprint']}")[1]["ssh_key"]["id"] == key["id"]
    again = lab.digitalocean("POST", "account/keys", {"name": "other", "public_key": PUBLIC_KEY})
    assert (again[0], again[1]["message"]) == (422, "SSH Key is already in use on your account")
    assert lab.digitalocean("POST", "account/keys", {"name": "k", "public_key": "rubbish"})[0] == 422
    assert lab.digitalocean("DELETE", f"account/keys/{key['id']}")[0] == 204


def test_firewalls_keep_all_ports_as_zero_and_are_replaced_as_a_whole(lab: Any) -> None:
    out = {"protocol": "tcp", "ports": "all", "destinations": {"addresses": ["0.0.0.0/0"]}}
    lab.digitalocean("POST", "tags", {"name": "t"})
    body = {"name": "fw", "inbound_rules": [RULE], "outbound_rules": [out], "tags": ["t"]}
    status, document, _headers = lab.digitalocean("POST", "firewalls", body)
    firewall = document["firewall"]
    assert (status, firewall["outbound_rules"][0]["ports"]) == (202, "0")
    assert lab.digitalocean("POST", "firewalls", body)[0] == 409
    changed = lab.digitalocean("PUT", f"firewalls/{firewall['id']}", {"name": "fw", "inbound_rules": [RULE]})
    assert changed[1]["firewall"]["tags"] == []
    assert changed[1]["firewall"]["outbound_rules"] == []


def test_a_tag_is_the_same_in_every_case(lab: Any) -> None:
    assert lab.digitalocean("POST", "tags", {"name": "PROD"})[1]["tag"]["name"] == "PROD"
    assert lab.digitalocean("POST", "tags", {"name": "prod"})[1]["tag"]["name"] == "PROD"
    assert lab.digitalocean("GET", "tags/prod")[0] == 404
    droplet = {"name": "d", "region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", "tags": ["Prod"]}
    assert lab.digitalocean("POST", "droplets", droplet)[1]["droplet"]["tags"] == ["PROD"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inbound_rules": []}, "at least one rule"),
        ({"name": "a_b"}, "name must begin"),
        ({"tags": ["nobody-made-it"]}, "does not exist"),
        ({"inbound_rules": [{**RULE, "protocol": "gre"}]}, "protocol"),
        ({"inbound_rules": [{**RULE, "sources": {"addresses": ["300.0.0.0/8"]}}]}, "not a valid address"),
        ({"inbound_rules": [{**RULE, "sources": {"droplet_ids": ["1"]}}]}, "must be integers"),
        ({"inbound_rules": [{**RULE, "ports": ""}]}, "ports can't be blank"),
    ],
)
def test_firewalls_that_are_refused(lab: Any, change: dict[str, Any], words: str) -> None:
    status, document, _headers = lab.digitalocean(
        "POST", "firewalls", {"name": "fw", "inbound_rules": [RULE], **change}
    )
    assert status == 422
    assert words in document["message"]


def test_volumes_are_held_by_their_droplet(lab: Any) -> None:
    volume = lab.digitalocean("POST", "volumes", {"name": "data", "region": "lon1", "size_gigabytes": 10})[1]["volume"]
    (made,) = make(lab, "web")
    attach = {"type": "attach", "droplet_id": made["id"], "region": "lon1"}
    assert lab.digitalocean("POST", f"volumes/{volume['id']}/actions", attach)[0] == 202
    refused = lab.digitalocean("DELETE", f"volumes/{volume['id']}")
    assert (refused[0], refused[1]["message"]) == (409, "attached volume cannot be deleted")
    held = lab.digitalocean("GET", f"droplets/{made['id']}/destroy_with_associated_resources")[1]["volumes"]
    assert [one["name"] for one in held] == ["data"]
    lab.digitalocean("DELETE", f"droplets/{made['id']}")
    assert lab.digitalocean("DELETE", f"volumes/{volume['id']}")[0] == 204


def test_tags_take_ids_as_texts(lab: Any) -> None:
    (made,) = make(lab, "web")
    resource = {"resource_id": str(made["id"]), "resource_type": "droplet"}
    assert lab.digitalocean("POST", "tags/t/resources", {"resources": [resource]})[0] == 404
    lab.digitalocean("POST", "tags", {"name": "t"})
    wrong = {**resource, "resource_id": made["id"]}
    assert lab.digitalocean("POST", "tags/t/resources", {"resources": [wrong]})[0] == 422
    assert lab.digitalocean("POST", "tags/t/resources", {"resources": [resource]})[0] == 204
    assert names(lab, "tag_name=t") == ["web"]
    assert lab.digitalocean("DELETE", "tags/t/resources", {"resources": [resource]})[0] == 204
    assert names(lab, "tag_name=t") == []


def test_records_are_found_by_their_full_name(lab: Any) -> None:
    lab.digitalocean("POST", "domains", {"name": "example.org"})
    record = {"type": "A", "name": "web", "data": "203.0.113.5"}
    made = lab.digitalocean("POST", "domains/example.org/records", record)[1]["domain_record"]
    path = "domains/example.org/records"
    assert len(lab.digitalocean("GET", path)[1]["domain_records"]) == 5
    found = lab.digitalocean("GET", f"{path}?name=web.example.org&type=A")[1]["domain_records"]
    assert [one["id"] for one in found] == [made["id"]]
    changed = lab.digitalocean("PUT", f"{path}/{made['id']}", {"type": "A", "data": "203.0.113.6"})
    assert changed[1]["domain_record"]["data"] == "203.0.113.6"
    assert lab.digitalocean("DELETE", f"{path}/{made['id']}")[0] == 204


def test_the_catalogue(lab: Any) -> None:
    sizes = {one["slug"]: one for one in lab.digitalocean("GET", "sizes?per_page=200")[1]["sizes"]}
    assert sizes["s-1vcpu-1gb"]["price_monthly"] == 6.0
    assert "1gb" not in sizes
    images = [one["slug"] for one in lab.digitalocean("GET", "images?type=distribution&per_page=200")[1]["images"]]
    assert "ubuntu-24-04-x64" in images
    assert "docker-20-04" not in images
    regions = {one["slug"]: one["available"] for one in lab.digitalocean("GET", "regions")[1]["regions"]}
    assert (regions["lon1"], regions["nyc2"]) == (True, False)
    assert lab.digitalocean("GET", "images/ubuntu-24-04-x64")[1]["image"]["distribution"] == "Ubuntu"
    assert lab.digitalocean("GET", "images/ubuntu-14-04-x64")[0] == 404


def test_vpcs_with_members_stay(lab: Any) -> None:
    vpc = lab.digitalocean("POST", "vpcs", {"name": "v", "region": "lon1", "ip_range": "10.10.0.0/20"})[1]["vpc"]
    (made,) = make(lab, "web", vpc_uuid=vpc["id"])
    assert lab.digitalocean("DELETE", f"vpcs/{vpc['id']}")[0] == 409
    lab.digitalocean("DELETE", f"droplets/{made['id']}")
    assert lab.digitalocean("DELETE", f"vpcs/{vpc['id']}")[0] == 204
    make(lab, "other")
    default = next(one for one in lab.digitalocean("GET", "vpcs")[1]["vpcs"] if one["default"])
    assert lab.digitalocean("DELETE", f"vpcs/{default['id']}")[0] == 403


def test_projects_hold_what_is_assigned_to_them(lab: Any) -> None:
    (made,) = make(lab, "web")
    project = lab.digitalocean("POST", "projects", {"name": "p", "purpose": "x"})[1]["project"]
    urns = {"resources": [f"do:droplet:{made['id']}"]}
    assert lab.digitalocean("POST", f"projects/{project['id']}/resources", urns)[0] == 200
    assert lab.digitalocean("GET", f"projects/{project['id']}/resources")[1]["meta"]["total"] == 1
    assert lab.digitalocean("DELETE", f"projects/{project['id']}")[0] == 412
    assert lab.digitalocean("GET", "projects/default")[1]["project"]["is_default"] is True


def test_a_balancer_gets_its_address_late(lab: Any) -> None:
    rule = {"entry_protocol": "tcp", "entry_port": 443, "target_protocol": "tcp", "target_port": 443}
    body = {"name": "b", "region": "lon1", "forwarding_rules": [rule], "tag": "t"}
    made = lab.digitalocean("POST", "load_balancers", body)[1]["load_balancer"]
    assert (made["status"], made["ip"]) == ("new", "")
    assert lab.digitalocean("GET", f"load_balancers/{made['id']}")[1]["load_balancer"]["status"] == "active"
    assert lab.digitalocean("DELETE", f"load_balancers/{made['id']}")[0] == 204


def test_what_is_not_simulated_says_so(lab: Any) -> None:
    (made,) = make(lab, "web")
    status, document, _headers = lab.digitalocean("POST", f"droplets/{made['id']}/actions", {"type": "resize"})
    assert status == 501
    assert "is not simulated" in document["message"]
    assert lab.digitalocean("GET", "nothing/here")[0] == 404


def test_requests_are_in_the_journal(lab: Any) -> None:
    make(lab, "web")
    names(lab)
    stats = lab.control("GET", "/stats")
    assert stats["by_action"] == {"digitalocean.CreateDroplets": 1, "digitalocean.ListDroplets": 1}
    assert stats["writes"] == 1


def test_the_client_library_finds_its_way(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import digitalocean  # noqa: PLC0415

    monkeypatch.setenv("DIGITALOCEAN_END_POINT", lab.world.addresses["digitalocean"] + "/v2/")
    droplet = digitalocean.Droplet(token=DIGITALOCEAN_TOKEN, name="web", region="lon1", size_slug="s-1vcpu-1gb")
    droplet.image = "ubuntu-24-04-x64"
    droplet.create()
    manager = digitalocean.Manager(token=DIGITALOCEAN_TOKEN)
    assert [one.name for one in manager.get_all_droplets()] == ["web"]
    assert manager.get_account().droplet_limit == 25
    droplet.load()
    assert droplet.ip_address.startswith("127.")
    assert droplet.destroy()
