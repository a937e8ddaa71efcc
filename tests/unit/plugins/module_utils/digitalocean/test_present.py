# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of digitalocean_droplets with state: present, against the lab's DigitalOcean."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_module import (
    droplet_info,
    ensure,
)
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.options import connection
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    BusyError,
    ConflictError,
    InputError,
    NotOursError,
    PartialError,
    SchedulersError,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from unit.digitalocean import PUBLIC_KEY, Ground

TAG = "container-schedulers:digitalocean:web"
FINGERPRINT = "b1:60:fc:31:8e:8b:0a:88:78:69:c7:61:ec:5f:5a:d4"
IMAGE = "ubuntu-24-04-x64"
ALLOW = [{"protocol": "tcp", "ports": "22", "sources": ["127.0.0.1/32"]}]
INFO = ArgumentSpec({"name": {}, "tag": {}, "names": {}, "quote": {}}).merge(connection())


def make(ground: Ground, **given: Any) -> Outcome:
    template = {"name": "web", "region": "lon1", "size": "s-1vcpu-1gb", "image": IMAGE}
    keys = {} if "ssh_keys" in given else {"ssh_public_key_files": [str(ground.key_file)]}
    return ground.run(ensure, **{**template, **keys, "settle_seconds": 4, **given})


def changed(outcome: Outcome) -> bool:
    assert outcome.plan is not None
    return outcome.plan.changed


def template(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "region": "lon1", "size": "s-1vcpu-1gb", "image": IMAGE, **fields}


def test_from_nothing_to_usable_and_again(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=30)
    outcome = make(ground, count=3, allow=ALLOW, wait_for_port=22, tags=["env:demo"], monitoring=True)
    droplets = outcome.result["droplets"]
    assert [one["name"] for one in droplets] == ["web-1", "web-2", "web-3"]
    assert {one["status"] for one in droplets} == {"active"}
    assert all(one["public_ip"].startswith("127.") for one in droplets)
    assert droplets[0]["tags"] == [TAG, "env:demo"]
    assert "monitoring" in droplets[0]["features"]
    assert outcome.result["monthly_cost"] == 18.0
    assert outcome.result["firewall"]["inbound"] == {"tcp 22": ["127.0.0.1/32"]}
    assert ground.things("ssh-key") == [TAG]
    assert changed(outcome)

    again = make(ground, count=3, allow=ALLOW, wait_for_port=22, tags=["env:demo"], monitoring=True)
    assert not changed(again)
    assert again.result == outcome.result


def test_a_tag_keeps_the_case_in_which_it_was_first_written(ground: Ground) -> None:
    ground.ask("POST", "tags", {"name": "Env:Demo"})
    made = make(ground, tags=["env:demo"])
    assert made.result["droplets"][0]["tags"] == ["Env:Demo", TAG]
    assert not changed(make(ground, tags=["env:demo"]))
    ground.ask("POST", "tags", {"name": "Team:A"})
    later = make(ground, tags=["env:demo", "team:a"])
    assert later.result["droplets"][0]["tags"] == ["Env:Demo", "Team:A", TAG]
    assert not changed(make(ground, tags=["env:demo", "team:a"]))
    found = ground.run(droplet_info, spec=INFO, tag="env:demo").result["droplets"]
    assert [one["name"] for one in found] == ["web"]


def test_a_set_with_an_underscore_in_its_name_has_a_firewall(ground: Ground) -> None:
    outcome = make(ground, name="my_web", names=["a"], allow=ALLOW)
    assert outcome.result["firewall"]["name"] == "container-schedulers-digitalocean-my.web"
    assert not changed(make(ground, name="my_web", names=["a"], allow=ALLOW))


def test_a_single_one_has_the_name_of_the_set(ground: Ground) -> None:
    assert [one["name"] for one in make(ground).result["droplets"]] == ["web"]
    assert ground.calls()["CreateDroplets"] == 1


def test_check_mode_on_an_empty_account_says_what_would_be_done(ground: Ground) -> None:
    outcome = make(ground, count=12, check_mode=True)
    assert changed(outcome)
    assert outcome.plan is not None
    assert outcome.plan.sentences()[0] == f"create tag {TAG}"
    assert outcome.diff is not None
    assert "droplet web-12" in outcome.diff["after"]
    assert outcome.result["droplets"] == []
    assert ground.things() == ground.things("do-tag") == []
    assert not ground.ledger.exists()
    real = make(ground, count=12)
    assert real.plan is not None
    assert real.plan.sentences() == outcome.plan.sentences()
    assert real.diff == outcome.diff


def test_a_hundred_droplets_take_thirty_calls(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=30)
    outcome = make(ground, count=100)
    assert len(outcome.result["droplets"]) == 100
    assert ground.calls()["CreateDroplets"] == 10
    assert sum(ground.calls().values()) <= 30


@pytest.mark.parametrize("seconds", [21, 31, 45])
def test_droplets_that_have_booted_are_noticed_within_two_seconds(ground: Ground, seconds: int) -> None:
    ground.settings(droplet_boot_seconds=seconds)
    started = ground.clock.now()
    make(ground, count=5)
    assert seconds <= ground.clock.now() - started <= seconds + 2


def test_droplets_that_take_unusually_long_are_looked_at_less_often(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=500)
    make(ground, count=5)
    assert 22 < ground.calls()["ListDroplets"] < 120


def test_what_is_missing_is_made_and_nothing_else(ground: Ground) -> None:
    first = make(ground, count=1).result["droplets"]
    second = make(ground, count=3)
    assert second.plan is not None
    assert second.plan.sentences() == ["create droplets web-2, web-3"]
    assert second.result["droplets"][0] == first[0]


def test_old_slugs_are_translated_with_a_warning_every_time(ground: Ground) -> None:
    old = {"size": "1gb", "image": "ubuntu-14-04-x64"}
    droplets = make(ground, **old).result["droplets"]
    assert (droplets[0]["size"], droplets[0]["image"]) == ("s-1vcpu-1gb", "ubuntu-24-04-x64")
    assert len(ground.warnings) == 2
    assert "'1gb' is no longer offered" in ground.warnings[0]
    assert not changed(make(ground, **old))
    assert len(ground.warnings) == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"size": "s-1vcpu-1GB"}, "The nearest that is: s-1vcpu-1gb"),
        ({"image": "ubuntu-24-10-x64"}, "The nearest that is: ubuntu-2"),
        ({"image": "123456"}, "image: 123456 does not exist"),
        ({"region": "lon2"}, "The nearest that is: lon1"),
        ({"size": "s-1vcpu-512mb-10gb"}, "region: 'lon1' has no droplets of size"),
        ({"size": "s-1vcpu-512mb-10gb", "region": "ams3", "image": "docker-20-04"}, "needs a disk of 25 GB"),
        ({"size": "gpu-h100x1-80gb", "region": "tor1"}, "has GPUs, and DigitalOcean's lists leave such droplets out"),
        ({"image": "../account"}, "image: '../account' is not offered"),
        ({"image": "?page=1"}, "image: '?page=1' is not offered"),
        ({"ssh_keys": ["00:11"]}, "ssh_keys: '00:11' is no key of this account"),
        ({"ssh_keys": [""]}, "ssh_keys: '' is no key of this account"),
        ({"ssh_keys": ["?page=1"]}, "ssh_keys: '?page=1' is no key of this account"),
        ({"ssh_keys": ["../../account"]}, "ssh_keys: '../../account' is no key of this account"),
        ({"vpc_uuid": "nope"}, "vpc_uuid: 'nope' is no VPC of this account"),
        ({"vpc_uuid": "../account"}, "vpc_uuid: '../account' is no VPC of this account"),
        ({"vpc_uuid": "5a4981aa-9653-4bd1-bef5-d6bff52042e4"}, "bef5-d6bff52042e4' is no VPC of this account"),
        ({"count": 201}, "201 more droplets are wanted, but the account has 0 and may have 200"),
        ({"region": None}, "region is needed"),
    ],
)
def test_bad_input_is_refused_before_the_first_change(ground: Ground, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        make(ground, **given)
    assert words in caught.value.sentence()
    assert ground.things() == ground.things("do-tag") == ground.things("ssh-key") == []


def test_a_vpc_of_another_region_is_refused_before_the_first_change(ground: Ground) -> None:
    vpc = ground.ask("POST", "vpcs", {"name": "v", "region": "ams3"})["vpc"]["id"]
    for check_mode in (True, False):
        with pytest.raises(InputError, match=f"vpc_uuid: {vpc} is in ams3, but region is lon1"):
            make(ground, vpc_uuid=vpc, check_mode=check_mode)
    assert ground.things() == ground.things("do-tag") == ground.things("ssh-key") == []
    made = make(ground, vpc_uuid=vpc, region="ams3")
    assert made.result["droplets"][0]["vpc_uuid"] == vpc
    assert not changed(make(ground, vpc_uuid=vpc, region="ams3"))


def test_a_token_that_may_not_look_at_vpcs_is_refused_before_anything_is_made(ground: Ground) -> None:
    """The API's description: `vpc_uuid` "requires `vpc:read` scope", in what makes droplets and in what shows them."""
    vpc = ground.ask("POST", "vpcs", {"name": "v", "region": "lon1"})["vpc"]["id"]
    ground.faults({"action": "GetVpc", "kind": "error", "status": 403, "code": "forbidden", "times": 0})
    with pytest.raises(AuthError, match=r"look for VPC .* further scopes"):
        make(ground, vpc_uuid=vpc)
    assert [kind for kind in ("droplet", "firewall", "do-tag", "ssh-key") if ground.things(kind)] == []


def test_a_token_that_is_not_accepted_or_may_not(ground: Ground) -> None:
    with pytest.raises(AuthError, match="does not accept the api_token"):
        make(ground, api_token="wrong")
    with pytest.raises(AuthError, match="further scopes"):
        make(ground, api_token=f"{ground.token}-read-only")


def test_without_tag_read_nothing_is_done(ground: Ground) -> None:
    make(ground)
    ground.teams.add_token("blind", "main", ["account:read", "droplet:read", "droplet:create", "firewall:read"])
    with pytest.raises(AuthError):
        make(ground, api_token="blind")
    assert len(ground.things()) == 1


def test_what_cannot_be_changed_is_named(ground: Ground) -> None:
    make(ground)
    with pytest.raises(
        InputError, match=r"size of droplet web is 's-1vcpu-1gb' and cannot be changed to 's-2vcpu-4gb'"
    ):
        make(ground, size="s-2vcpu-4gb")
    with pytest.raises(InputError, match="monitoring of droplet web"):
        make(ground, monitoring=True)
    assert not changed(ground.run(ensure, name="web"))  # what is not given is not managed


def test_tags_are_added_and_those_of_others_stay(ground: Ground) -> None:
    make(ground, tags=["a"])
    ground.ask("POST", "tags", {"name": "theirs"})
    droplet = ground.ask("GET", "droplets")["droplets"][0]
    resource = {"resource_id": str(droplet["id"]), "resource_type": "droplet"}
    ground.ask("POST", "tags/theirs/resources", {"resources": [resource]})
    outcome = make(ground, tags=["b"])
    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["update droplet web (tags.b)"]
    assert outcome.result["droplets"][0]["tags"] == ["a", "b", TAG, "theirs"]
    assert not changed(make(ground, tags=["b", "a"]))


def test_one_that_is_off_is_powered_on(ground: Ground) -> None:
    ground.settings(droplet_action_seconds=10)
    droplet = make(ground).result["droplets"][0]
    ground.ask("POST", f"droplets/{droplet['id']}/actions", {"type": "power_off"})
    ground.clock.sleep(10)
    outcome = make(ground)
    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["update droplet web (status)"]
    assert outcome.result["droplets"][0]["status"] == "active"


def test_a_power_on_that_fails_says_so(ground: Ground) -> None:
    droplet = make(ground).result["droplets"][0]
    ground.ask("POST", f"droplets/{droplet['id']}/actions", {"type": "power_off"})
    ground.faults({"action": "CreateDropletAction", "kind": "fail_later"})
    with pytest.raises(PartialError, match="power on droplet web"):
        make(ground)


def test_a_power_on_that_an_earlier_run_has_asked_for_is_waited_for(ground: Ground) -> None:
    """That run died; while the action runs, DigitalOcean takes no other one."""
    droplet = make(ground).result["droplets"][0]
    ground.ask("POST", f"droplets/{droplet['id']}/actions", {"type": "power_off"})
    ground.clock.sleep(1)
    ground.settings(droplet_action_seconds=20)
    ground.ask("POST", f"droplets/{droplet['id']}/actions", {"type": "power_on"})
    assert make(ground).result["droplets"][0]["status"] == "active"
    assert not changed(make(ground))


def test_what_is_archived_is_not_powered_on(ground: Ground) -> None:
    make(ground)
    next(iter(ground.teams.team("main").droplets.values()))["status"] = "archive"
    with pytest.raises(PartialError, match="its status is archive"):
        make(ground)


def test_the_firewall_follows_and_what_others_put_on_it_stays(ground: Ground) -> None:
    make(ground)
    wall = ground.ask("GET", "firewalls")["firewalls"][0]
    assert (wall["tags"], wall["inbound_rules"], len(wall["outbound_rules"])) == ([TAG], [], 3)
    ground.ask("POST", "tags", {"name": "other"})
    ground.ask("POST", f"firewalls/{wall['id']}/tags", {"tags": ["other"]})
    outcome = make(ground, allow=ALLOW, allow_among=True)
    assert outcome.plan is not None
    assert len(outcome.plan.steps) == 1
    wall = ground.ask("GET", "firewalls")["firewalls"][0]
    assert wall["tags"] == [TAG, "other"]
    assert not changed(make(ground, allow=ALLOW, allow_among=True))
    assert not changed(make(ground))  # not given: the rules stay as they are
    assert changed(make(ground, firewall=False))
    assert ground.things("firewall") == []


def test_rules_that_are_not_given_stay_when_droplets_may_reach_one_another(ground: Ground) -> None:
    make(ground, allow=ALLOW)
    assert changed(make(ground, allow_among=True))
    (wall,) = ground.ask("GET", "firewalls")["firewalls"]
    among = {"tags": [TAG]}
    assert {"addresses"} in [{*rule["sources"]} for rule in wall["inbound_rules"]]
    assert [rule["sources"] for rule in wall["inbound_rules"]].count(among) == 3
    assert not changed(make(ground, allow_among=True))
    assert changed(make(ground, allow_among=False))
    (wall,) = ground.ask("GET", "firewalls")["firewalls"]
    assert [{*rule["sources"]} for rule in wall["inbound_rules"]] == [{"addresses"}]
    assert not changed(make(ground, allow_among=False))


def test_an_image_may_be_named_by_its_id(ground: Ground) -> None:
    (number,) = [one["id"] for one in ground.ask("GET", "images?per_page=200")["images"] if one["slug"] == IMAGE]
    make(ground, image=str(number))
    assert not changed(make(ground, image=str(number)))
    assert not changed(make(ground, image=IMAGE))
    with pytest.raises(InputError, match=f"image of droplet web is '{number}' and cannot be changed to '123456'"):
        make(ground, image="123456")


def test_a_vpc_may_be_named_in_capitals(ground: Ground) -> None:
    (made,) = make(ground).result["droplets"]
    assert not changed(make(ground, vpc_uuid=made["vpc_uuid"].upper()))


def test_a_firewall_that_could_not_be_applied_is_not_taken_for_one(ground: Ground) -> None:
    """Its rules are as they should be, but DigitalOcean has given up on them."""
    make(ground, allow=ALLOW)
    (wall,) = ground.teams.team("main").firewalls.values()
    wall["status"] = "failed"
    for given in ({"allow": ALLOW}, {}):  # also where the rules are those that are there
        planned = make(ground, check_mode=True, **given).plan
        assert planned is not None
        assert planned.sentences() == [f"update firewall {wall['name']} (applied)"]
        with pytest.raises(PartialError, match="DigitalOcean could not apply it"):
            make(ground, **given)
    assert wall["inbound_rules"][0]["sources"]["addresses"] == ["127.0.0.1/32"]
    wall["status"] = "succeeded"
    assert not changed(make(ground))


def test_a_firewall_of_others_with_our_name_is_refused(ground: Ground) -> None:
    rule = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["10.0.0.0/8"]}}
    ground.ask("POST", "firewalls", {"name": "container-schedulers-digitalocean-web", "inbound_rules": [rule]})
    with pytest.raises(NotOursError):
        make(ground)


def test_a_key_that_is_there_is_used_and_not_renamed(ground: Ground) -> None:
    ground.ask("POST", "account/keys", {"name": "theirs", "public_key": PUBLIC_KEY})
    make(ground)
    make(ground, names=["web", "two"], ssh_keys=[FINGERPRINT])
    assert ground.things("ssh-key") == ["theirs"]


def test_a_droplet_of_others_is_refused_or_adopted(ground: Ground) -> None:
    ground.ask("POST", "droplets", template("web"))
    with pytest.raises(NotOursError, match="adopt"):
        make(ground)
    outcome = make(ground, adopt=True)
    assert ground.things() == ["web"]
    assert outcome.result["droplets"][0]["tags"] == [TAG]
    ground.ask("POST", "droplets", template("b", tags=["container-schedulers:digitalocean:other"]))
    with pytest.raises(NotOursError, match="belongs to digitalocean/other"):
        make(ground, names=["b"], adopt=True)


def test_two_of_one_name_are_an_error_that_lists_both(ground: Ground) -> None:
    for _unused in range(2):
        ground.ask("POST", "droplets", template("web", tags=[TAG]))
    with pytest.raises(ConflictError, match="is there 2 times"):
        make(ground)


def test_surplus_is_warned_about_or_purged(ground: Ground) -> None:
    make(ground, count=3)
    assert not changed(make(ground, count=1))
    assert "has further droplets: web-2, web-3" in ground.warnings[-1]
    outcome = make(ground, count=1, purge=True)
    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["delete droplets web-2, web-3"]
    assert ground.things() == ["web-1"]
    assert not changed(make(ground, count=1, purge=True))


def test_what_purged_droplets_leave_behind_is_named(ground: Ground) -> None:
    made = make(ground, count=2).result["droplets"]
    ground.ask("POST", "reserved_ips", {"droplet_id": made[1]["id"]})
    volume = ground.ask("POST", "volumes", {"name": "data", "region": "lon1", "size_gigabytes": 9})["volume"]["id"]
    ground.ask("POST", f"volumes/{volume}/actions", {"type": "attach", "droplet_id": made[1]["id"]})
    ground.warnings.clear()
    make(ground, count=1, purge=True)
    assert ground.warnings == [
        f"These volumes of the droplets stay, and cost as before: {volume}.",
        "These reserved IP addresses of the droplets stay, and will cost 5.00 US dollars a month each: 198.51.100.100.",
    ]


def test_without_waiting(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=30)
    droplets = make(ground, wait=False).result["droplets"]
    assert [(one["name"], one["status"], one["public_ip"]) for one in droplets] == [("web", "new", None)]
    assert ground.clock.slept == []
    assert make(ground).result["droplets"][0]["status"] == "active"


# What goes wrong


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
@pytest.mark.parametrize("lag", [0, 5])
def test_a_create_whose_answer_was_lost_never_becomes_a_second_droplet(ground: Ground, kind: str, lag: int) -> None:
    ground.settings(droplet_list_seconds=lag)
    ground.faults({"action": "CreateDroplets", "kind": kind})
    outcome = make(ground, count=3)
    assert ground.things() == ["web-1", "web-2", "web-3"]
    assert len(outcome.result["droplets"]) == 3


def test_a_create_that_is_never_answered_ends_and_is_remembered(ground: Ground) -> None:
    ground.faults({"action": "CreateDroplets", "kind": "reset_before", "times": 0})
    with pytest.raises(PartialError) as caught:
        make(ground)
    assert isinstance(caught.value.cause, AnswerLostError)
    assert json.loads(ground.ledger.read_text())["unanswered"] == ["web"]
    assert stat.S_IMODE(ground.ledger.stat().st_mode) == 0o600


def test_a_run_that_was_killed_after_its_create_is_remembered_by_the_ledger(ground: Ground) -> None:
    ground.settings(droplet_list_seconds=6)

    def kill(method: str, path: str) -> None:
        if (method, path) == ("POST", "droplets"):
            raise SystemExit("killed")

    ground.after = kill
    with pytest.raises(SystemExit):
        make(ground)
    ground.after = lambda _method, _path: None
    make(ground)
    assert ground.things() == ["web"]


def test_lists_that_are_behind_do_not_make_a_second_droplet(ground: Ground) -> None:
    make(ground, count=2)
    ground.faults({"action": "ListDroplets", "kind": "empty", "times": 1})
    assert not changed(make(ground, count=2))
    ground.ledger.unlink()
    ground.faults({"action": "ListDroplets", "kind": "empty", "times": 1})
    assert not changed(make(ground, count=2))  # the tag counts more than the list shows
    assert len(ground.things()) == 2


def test_a_refused_create_is_forgotten_by_the_ledger(ground: Ground) -> None:
    ground.faults({"action": "CreateDroplets", "kind": "error", "status": 422, "code": "unprocessable_entity"})
    with pytest.raises(PartialError) as caught:
        make(ground)
    assert caught.value.details["steps_done"][0] == f"create tag {TAG}"
    assert caught.value.details["step_failed"] == "create droplets web"
    assert json.loads(ground.ledger.read_text())["unanswered"] == []


def test_a_droplet_whose_creation_fails_is_named_at_once(ground: Ground) -> None:
    ground.faults({"action": "CreateDroplets", "kind": "fail_later"})
    with pytest.raises(PartialError, match="could not create droplet web") as caught:
        make(ground)
    assert "create droplets web" in caught.value.details["steps_done"]


def test_a_droplet_that_disappears_while_it_is_waited_for(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=30)

    def destroy(method: str, _path: str) -> None:
        droplets = ground.teams.team("main").droplets
        if method == "POST" and droplets:
            droplets.clear()

    ground.after = destroy
    with pytest.raises(PartialError, match="has disappeared"):
        make(ground)


def test_a_droplet_that_was_made_a_moment_ago_may_not_be_known_at_all(ground: Ground) -> None:
    """Reported of the real API: OpenRouterLabs/spawn, issue 2695."""
    ground.settings(droplet_boot_seconds=30)
    unknown = {"kind": "error", "status": 404, "code": "not_found", "times": 3}
    ground.faults({"action": "ListDroplets", "kind": "empty", "times": 6}, {"action": "GetDroplet", **unknown})
    assert changed(make(ground))
    assert len(ground.things()) == 1
    assert ground.calls()["GetDroplet"] >= 3


def test_a_wait_that_ends_says_what_was_last_seen(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=300)
    with pytest.raises(PartialError, match="last seen: 2 new"):
        make(ground, count=2, wait_timeout=90)
    ground.clock.sleep(300)
    with pytest.raises(PartialError, match="no answer on port 4711: web-1, web-2") as caught:
        make(ground, count=2, wait_for_port=4711, wait_timeout=30)
    assert "Does the firewall let this machine reach port 4711?" in caught.value.hint


def test_a_firewall_in_between_is_not_taken_for_an_open_port(ground: Ground) -> None:
    with pytest.raises(PartialError, match="no answer on port 22"):
        make(ground, wait_for_port=22, wait_timeout=5)


def test_a_ledger_of_another_account_stops_everything(ground: Ground) -> None:
    make(ground)
    with pytest.raises(NotOursError, match="was made in"):
        make(ground, api_token=f"{ground.token}-other-team")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no ledger"),
        ("[]", "is no ledger"),
        ('{"owner": "x/y", "api_url": "u", "account": "a", "droplets": {}, "unanswered": []}', "is that of x/y at u"),
    ],
)
def test_a_ledger_that_is_none(ground: Ground, content: str, words: str) -> None:
    ground.ledger.write_text(content)
    with pytest.raises(InputError, match=words):
        make(ground)


@pytest.mark.parametrize("given", ["there", "made/"])
def test_a_directory_has_a_ledger_for_each_set(ground: Ground, given: str) -> None:
    folder = ground.ledger.parent / given
    (folder.parent / "there").mkdir()
    for name in ("web", "shop"):
        assert changed(make(ground, name=name, ledger=f"{folder.parent}/{given}"))
        assert not changed(make(ground, name=name, ledger=f"{folder.parent}/{given}"))
    ledgers = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
    assert {name: [*one["droplets"].values()] for name, one in ledgers.items()} == {
        "digitalocean-web@digitalocean.lab.invalid.json": ["web"],
        "digitalocean-shop@digitalocean.lab.invalid.json": ["shop"],
    }


def test_a_ledger_that_cannot_be_kept_stops_the_run_before_the_first_droplet(ground: Ground) -> None:
    (ground.ledger.parent / "file").write_text("")
    with pytest.raises(SchedulersError, match="cannot be written"):
        make(ground, ledger=str(ground.ledger.parent / "file" / "ledger.json"))
    with pytest.raises(SchedulersError, match="cannot be written"):
        make(ground, ledger=str(ground.ledger.parent / ("long" * 64)))
    with pytest.raises(InputError, match="cannot be read"):
        make(ground, ledger=str(ground.ledger.parent / "file" / "ledger.json"), check_mode=True)
    (ground.ledger / "digitalocean-web@digitalocean.lab.invalid.json").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be read"):
        make(ground)
    assert ground.things() == []


def test_two_runs_at_once_are_kept_apart(ground: Ground) -> None:
    refused: list[str] = []

    def second_run(method: str, path: str) -> None:
        if (method, path) == ("GET", "account") and not refused:
            refused.append("")
            with pytest.raises(BusyError, match="another run works on digitalocean/web") as caught:
                make(ground)
            refused.append(caught.value.sentence())
            make(ground, check_mode=True)  # looking is always possible

    ground.after = second_run
    make(ground)
    assert len(refused) == 2
    assert ground.things() == ["web"]
    assert [path.name for path in ground.ledger.parent.glob("ledger*")] == ["ledger.json"]


def test_a_ledger_that_was_lost_is_kept_anew(ground: Ground) -> None:
    made = make(ground, count=2).result["droplets"]
    ground.ledger.unlink()
    assert not changed(make(ground, count=2))
    assert json.loads(ground.ledger.read_text())["droplets"] == {str(one["id"]): one["name"] for one in made}
    written = ground.ledger.stat().st_mtime_ns
    make(ground, count=2)
    assert ground.ledger.stat().st_mtime_ns == written


def test_a_droplet_that_is_gone_leaves_the_ledger_and_is_made_again(ground: Ground) -> None:
    first = make(ground).result["droplets"][0]
    ground.ask("DELETE", f"droplets/{first['id']}")
    second = make(ground).result["droplets"][0]
    assert second["id"] != first["id"]
    assert list(json.loads(ground.ledger.read_text())["droplets"]) == [str(second["id"])]


# The info module


def test_info(ground: Ground) -> None:
    make(ground, count=2)
    ground.ask("POST", "droplets", template("a", tags=["t"]))
    everything = ground.run(droplet_info, spec=INFO)
    assert [(one["name"], one["owner"]) for one in everything.result["droplets"]] == [
        ("a", None),
        ("web-1", "digitalocean/web"),
        ("web-2", "digitalocean/web"),
    ]
    assert everything.plan is None
    assert everything.result["monthly_cost"] == 18.0
    assert len(ground.run(droplet_info, spec=INFO, name="web").result["droplets"]) == 2
    assert len(ground.run(droplet_info, spec=INFO, tag="t").result["droplets"]) == 1
    assert ground.run(droplet_info, spec=INFO, tag="nobody").result["droplets"] == []
    assert len(ground.run(droplet_info, spec=INFO, names=["web-2"]).result["droplets"]) == 1


QUOTE = {"region": "lon1", "size": "1gb", "image": "ubuntu-14-04-x64"}


def test_a_quote_is_for_those_that_are_missing_and_names_todays_slugs(ground: Ground) -> None:
    make(ground, count=1)
    result = ground.run(droplet_info, spec=INFO, names=["web-1", "web-3", "web-2"], quote=QUOTE).result
    assert [one["name"] for one in result["droplets"]] == ["web-1"]
    assert result["quote"] == {
        "names": ["web-2", "web-3"],
        "size": "s-1vcpu-1gb",
        "image": "ubuntu-24-04-x64",
        "monthly_cost": 12.0,
    }


def test_where_none_is_missing_the_catalogue_is_not_asked(ground: Ground) -> None:
    make(ground, count=1)
    retired = {**QUOTE, "image": IMAGE}
    before = ground.calls()
    quote = ground.run(droplet_info, spec=INFO, names=["web-1"], quote=retired).result["quote"]
    assert quote == {"names": [], "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", "monthly_cost": 0.0}
    assert {call for call, times in ground.calls().items() if times != before.get(call)} == {"ListDroplets"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": "s-1vcpu-1g"}, "s-1vcpu-1gb"),
        ({"region": "lon9"}, "lon1"),
        ({"image": "ubuntu-24-04-x65"}, "ubuntu-24-04-x64"),
    ],
)
def test_a_quote_for_what_is_not_sold_names_what_is_nearest(ground: Ground, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ground.run(droplet_info, spec=INFO, names=["a"], quote={**QUOTE, **wrong})


def test_a_quote_for_more_than_the_account_may_have(ground: Ground) -> None:
    ground.settings(droplet_limit=1)
    with pytest.raises(InputError, match="may have 1"):
        ground.run(droplet_info, spec=INFO, names=["a", "b"], quote=QUOTE)


def test_info_on_what_cannot_be_a_tag(ground: Ground) -> None:
    with pytest.raises(InputError, match=r"tag: '.*account' must consist of"):
        ground.run(droplet_info, spec=INFO, tag="../account")
