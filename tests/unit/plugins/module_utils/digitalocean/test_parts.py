# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts: tags as marks, slugs, keys, firewall rules, options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean import firewall, marks, slugs
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_argspec import SPEC
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_options import DropletOptions
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplets import Droplet
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.keys import PublicKey, read_key_file
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._ownership import Mark
from unit.digitalocean import PUBLIC_KEY

MARK = Mark("digitalocean/web")
TAG = "container-schedulers:digitalocean:web"


def options(**given: Any) -> DropletOptions:
    defaults = {name: option.get("default") for name, option in SPEC.options.items()}
    return DropletOptions.from_params({**defaults, "name": "web", **given})


# Marks


def test_a_mark_is_a_tag_and_back() -> None:
    assert marks.owner_tag("digitalocean/web") == TAG
    assert marks.owner_of(["x", TAG]) == "digitalocean/web"
    assert marks.owner_of(["x"]) == ""
    assert marks.as_mark_tags([]) == {}


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a/b", "x" * 101, "ü", "Web"])
def test_names_that_cannot_be_tags(name: str) -> None:
    with pytest.raises(InputError, match="name"):
        marks.set_mark(name)


@pytest.mark.parametrize(
    "tag", ["", "a b", "a.b", "x" * 256, "container-schedulers:ecs:x", "Container-Schedulers:ecs:x"]
)
def test_tags_that_cannot_be_given(tag: str) -> None:
    with pytest.raises(InputError, match="tags"):
        marks.checked_tags([tag])


def test_tags_that_differ_in_case_are_one() -> None:
    assert marks.checked_tags(["env:demo", "Env:Demo", "x"]) == ("Env:Demo", "x")
    assert marks.as_spelled(["ENV:demo", "other"], ["env:Demo", "x"]) == ["env:Demo", "other"]


# Slugs


@pytest.mark.parametrize(
    ("wanted", "used"), [("s-1vcpu-1gb", "s-1vcpu-1gb"), ("1gb", "s-1vcpu-1gb"), ("512mb", "s-1vcpu-512mb-10gb")]
)
def test_old_slugs_become_those_of_today(wanted: str, used: str) -> None:
    assert slugs.resolved("size", wanted, ["s-1vcpu-1gb", "s-1vcpu-512mb-10gb"], slugs.OLD_SIZES) == used


def test_an_old_slug_that_is_still_offered_is_used() -> None:
    assert slugs.resolved("size", "1gb", ["1gb", "s-1vcpu-1gb"], slugs.OLD_SIZES) == "1gb"


def test_an_unknown_slug_names_what_is_nearest() -> None:
    with pytest.raises(InputError) as caught:
        slugs.resolved("size", "s-1cpu-1gb", ["s-1vcpu-1gb", "c-2"], slugs.OLD_SIZES)
    assert "'s-1cpu-1gb' is not offered" in caught.value.sentence()
    assert "s-1vcpu-1gb" in caught.value.hint
    with pytest.raises(InputError) as caught:
        slugs.resolved("size", "x", [], {})
    assert caught.value.hint == ""


@pytest.mark.parametrize(
    ("size", "image", "words"),
    [
        ({"regions": ["ams3"]}, {}, "has no droplets of size s"),
        ({"regions": []}, {}, "has no droplets of size s"),
        ({}, {"regions": ["ams3"]}, "is not available in lon1"),
        ({"disk": 10}, {"min_disk_size": 20}, "needs a disk of 20 GB"),
    ],
)
def test_what_does_not_fit_together(size: dict[str, Any], image: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        slugs.check_fit({"slug": "s", "regions": ["lon1"], "disk": 25, **size}, {"slug": "i", **image}, "lon1")


# Keys


def test_a_fingerprint_is_that_of_ssh_keygen() -> None:
    # ssh-keygen -l -E md5
    assert PublicKey.of("k", PUBLIC_KEY).fingerprint == "b1:60:fc:31:8e:8b:0a:88:78:69:c7:61:ec:5f:5a:d4"


@pytest.mark.parametrize("text", ["", "ssh-rsa", "ssh-rsa !!!", "-----BEGIN OPENSSH PRIVATE KEY-----"])
def test_what_is_no_public_key(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(InputError, match="ssh_public_key_files"):
        read_key_file(str(path))


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_key_file(str(tmp_path / "missing.pub"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_key_file(str(tmp_path / "binary"))


# Firewall


def rule(ports: str | None = "22", *sources: str, protocol: str = "tcp") -> dict[str, Any]:
    return {"protocol": protocol, "ports": ports, "sources": list(sources or ("203.0.113.0/24",))}


def test_rules_have_one_form_whoever_wrote_them() -> None:
    given = firewall.allowed_rules(
        [rule("22", "203.0.113.7/24"), rule("22", "10.0.0.1"), rule("all"), rule(None, protocol="icmp")],
        MARK,
        among=True,
    )
    assert given == {
        "tcp 22": ["10.0.0.1/32", "203.0.113.0/24"],
        "tcp all": ["203.0.113.0/24", f"tag:{TAG}"],
        "icmp all": ["203.0.113.0/24", f"tag:{TAG}"],
        "udp all": [f"tag:{TAG}"],
    }
    assert firewall.normal_form(firewall.to_api(given)) == given


def test_a_port_is_one_however_it_is_written() -> None:
    given = firewall.allowed_rules([rule("080", "10.0.0.1"), rule("80", "10.0.0.2"), rule("80-80")], MARK, among=False)
    assert given == {"tcp 80": ["10.0.0.1/32", "10.0.0.2/32", "203.0.113.0/24"]}
    assert list(firewall.allowed_rules([rule("0080-090")], MARK, among=False)) == ["tcp 80-90"]


def test_the_api_is_told_all_ports_by_its_own_word() -> None:
    made = firewall.to_api(firewall.allowed_rules([rule("all"), rule(None, protocol="icmp")], MARK, among=False))
    assert [(one["protocol"], one.get("ports")) for one in made] == [("tcp", "all"), ("icmp", None)]


def test_outbound_rules_that_the_api_has_told_are_sent_back_as_it_takes_them() -> None:
    """It tells "0" for all ports, and for the ports of ICMP, and takes neither (digitalocean/godo, issue 149)."""
    there = {"destinations": {"tags": ["db"]}}
    told = [{"protocol": one, "ports": ports, **there} for one, ports in (("tcp", "0"), ("udp", "53"), ("icmp", "0"))]
    live = firewall.live_firewall({"id": "1", "name": "f", "inbound_rules": [], "outbound_rules": told})
    assert live.attributes["outbound_rules"] == [
        {"protocol": "tcp", "ports": "all", **there},
        {"protocol": "udp", "ports": "53", **there},
        {"protocol": "icmp", **there},
    ]


def test_a_reserved_address_is_not_the_droplets_own() -> None:
    own = [{"type": "public", "ip_address": "203.0.113.5"}, {"type": "private", "ip_address": "10.0.0.5"}]
    reserved = {"type": "public", "ip_address": "203.0.113.99"}
    found = Droplet.of({"id": 1, "name": "web", "status": "active", "networks": {"v4": [*own, reserved]}})
    assert found.addresses == {"public": "203.0.113.5", "private": "10.0.0.5"}


def test_rules_of_the_api_with_sources_of_every_kind() -> None:
    sources = {
        "addresses": ["::/0", "odd"],
        "tags": ["t"],
        "droplet_ids": [1],
        "load_balancer_uids": ["l"],
        "new": ["n"],
    }
    live: list[dict[str, Any]] = [
        {"protocol": "tcp", "ports": "all", "sources": sources},
        {"protocol": "icmp", "sources": None},
    ]
    found = firewall.normal_form(live)
    assert found == {"tcp all": ["::/0", "droplet:1", "load_balancer:l", "new:n", "odd", "tag:t"]}
    back = firewall.to_api({"tcp all": ["::/0", "droplet:1", "load_balancer:l", "tag:t"]})
    assert back[0]["sources"] == {
        "addresses": ["::/0"],
        "droplet_ids": [1],
        "load_balancer_uids": ["l"],
        "tags": ["t"],
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (rule("0"), "neither a port"),
        (rule(""), "'' is neither a port"),
        (rule("80", protocol="icmp"), "icmp has no ports"),
        (rule("70000"), "neither a port"),
        (rule("90-80"), "neither a port"),
        (rule("ssh"), "neither a port"),
        (rule("22", "everywhere"), "no address range"),
        ({**rule("22"), "sources": []}, "has no sources"),
    ],
)
def test_rules_that_cannot_work(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        firewall.allowed_rules([given], MARK, among=False)


def test_a_firewall_has_a_name_that_the_api_takes() -> None:
    assert firewall.firewall_name(MARK) == "container-schedulers-digitalocean-web"
    assert firewall.firewall_name(Mark("digitalocean/my_web-1")) == "container-schedulers-digitalocean-my.web-1"


# Options


def test_names_are_given_numbered_or_that_of_the_set() -> None:
    assert options().names == ("web",)
    assert options(count=2).names == ("web-1", "web-2")
    assert options(count=2, pattern="n{n}.example.com").names == ("n1.example.com", "n2.example.com")
    assert options(names=["b", "a"]).names == ("b", "a")
    assert options(count=0).names == ()
    assert options(state="absent").names is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a/b"}, "name"),
        ({"names": ["under_score"]}, "names: 'under_score' is no host name"),
        ({"names": ["-a"]}, "is no host name"),
        ({"names": ["a", "a"]}, "a is given more than once"),
        ({"name": "a_b"}, "name: 'a_b' is no host name"),
        ({"count": 2, "pattern": "x"}, "has no {n}"),
        ({"count": 2, "pattern": "x_{n}"}, "pattern: 'x_1' is no host name"),
        ({"pattern": "x-{n}"}, "pattern needs count"),
        ({"count": -1}, "count is -1"),
        ({"count": 1001}, "at most 1000"),
        ({"state": "absent", "names": []}, "names is empty"),
        ({"state": "absent", "count": 0}, "count is 0"),
        ({"verify_only": True}, "Give state: absent"),
        ({"firewall": False, "allow": []}, "rules of the firewall"),
        ({"firewall": False, "allow_among": True}, "rules of the firewall"),
        ({"user_data": "x" * 65537}, "user_data has 65537 bytes"),
        ({"wait_for_port": 0}, "wait_for_port is 0"),
        ({"settle_seconds": -1}, "settle_seconds is -1"),
        ({"tags": ["a b"]}, "tags"),
    ],
)
def test_options_that_cannot_work(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        options(**given)
    assert words in caught.value.sentence()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "region and size and image are needed"),
        ({"region": "lon1", "size": "s"}, "image is needed"),
        ({"region": "lon1", "size": "s", "image": "i"}, "ssh_keys or ssh_public_key_files is needed"),
    ],
)
def test_what_new_droplets_need(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        options(**given).check_complete()
