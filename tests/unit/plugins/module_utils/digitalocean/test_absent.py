# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs with state: absent: gone means gone, whatever DigitalOcean does, and says, in between."""

from __future__ import annotations

import itertools
import json
import stat
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_module import ensure
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    NotOursError,
    PartialError,
    SchedulersError,
    StateFailedError,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from unit.digitalocean import Ground

TAG = "container-schedulers:digitalocean:web"


def make(ground: Ground, count: int = 3) -> list[dict[str, Any]]:
    fields: dict[str, Any] = {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
    keys = [str(ground.key_file)]
    outcome = ground.run(ensure, name="web", count=count, ssh_public_key_files=keys, settle_seconds=4, **fields)
    return list(outcome.result["droplets"])


def remove(ground: Ground, **given: Any) -> Outcome:
    return ground.run(ensure, **{"name": "web", "state": "absent", **given})


def left(ground: Ground) -> list[str]:
    return [item.kind for item in ground.world.inventory()]


def template(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", **fields}


def come_back(ground: Ground, droplet: dict[str, Any], *tags: str) -> None:
    """A droplet that was gone is there again, with these tags."""
    team = ground.teams.team("main")
    team.numbers = itertools.chain([droplet["id"]], team.numbers)
    ground.ask("POST", "droplets", template(droplet["name"], tags=[*tags]))


def test_what_droplets_would_be_made_with_does_not_keep_them(ground: Ground) -> None:
    """A set may have been made with what is refused by now."""
    make(ground, count=1)
    outcome = remove(ground, tags=["Container-schedulers:x"], allow=[{"ports": "", "sources": ["0.0.0.0/0"]}])
    assert outcome.result["gone"] is True
    assert left(ground) == []


@pytest.mark.parametrize("names", [None, ["web-1", "web-2"]])
def test_a_droplet_that_was_given_to_another_set_stays_with_it(ground: Ground, names: list[str] | None) -> None:
    """The ledger still has its id, but its mark says whose it is now."""
    given = make(ground, count=2)[0]
    resources = {"resources": [{"resource_id": str(given["id"]), "resource_type": "droplet"}]}
    ground.ask("DELETE", f"tags/{TAG}/resources", resources)
    ground.ask("POST", "tags", {"name": f"{TAG}-2"})
    ground.ask("POST", f"tags/{TAG}-2/resources", resources)
    outcome = remove(ground, names=names)
    assert [one["name"] for one in outcome.result["proof"]] == ["web-2"]
    assert ground.things() == ["web-1"]


def test_all_of_it_is_gone_and_proven_and_again(ground: Ground) -> None:
    made = make(ground)
    outcome = remove(ground)
    assert outcome.plan is not None
    assert outcome.plan.sentences()[0] == "delete droplets web-1, web-2, web-3"
    assert outcome.plan.sentences()[-1] == f"delete tag {TAG}"
    proof = outcome.result["proof"]
    assert [(one["id"], one["http_status"], one["error"]) for one in proof] == [
        (one["id"], 404, "not_found") for one in made
    ]
    assert all(one["request_id"] and one["at"] for one in proof)
    assert outcome.result["gone"] is True
    assert left(ground) == []
    assert sum(ground.clock.slept) >= 30  # looked at for a while

    ground.clock.slept.clear()
    kept = ground.ledger.read_text()
    for given in ({}, {"check_mode": True}):
        again = remove(ground, **given)
        assert again.plan is not None
        assert not again.plan.changed
        assert again.result["gone"] is True
        assert again.result["proof"] == []  # asked for by id where that is what is wanted
    verified = remove(ground, verify_only=True)
    assert [(one["id"], one["http_status"], one["error"]) for one in verified.result["proof"]] == [
        (one["id"], 404, "not_found") for one in made
    ]
    assert ground.clock.slept == []  # that something was there once casts no doubt
    assert ground.ledger.read_text() == kept
    assert stat.S_IMODE(ground.ledger.stat().st_mode) == 0o600


def test_nothing_to_remove_is_known_at_once(ground: Ground) -> None:
    outcome = remove(ground)
    assert outcome.plan is not None
    assert not outcome.plan.changed
    assert ground.clock.slept == []


def test_check_mode_names_what_is_there_and_what_it_costs(ground: Ground) -> None:
    make(ground)
    outcome = remove(ground, check_mode=True)
    assert outcome.plan is not None
    assert outcome.plan.changed
    assert outcome.result["gone"] is False
    assert outcome.result["monthly_cost"] == 18.0
    assert len(outcome.result["droplets"]) == 3
    assert len(ground.things()) == 3


def test_only_those_that_are_named(ground: Ground) -> None:
    make(ground)
    outcome = remove(ground, names=["web-2"])
    assert [one["name"] for one in outcome.result["proof"]] == ["web-2"]
    assert ground.things() == ["web-1", "web-3"]
    assert ground.things("do-tag") == [TAG]
    assert len(ground.things("firewall")) == 1
    ground.clock.slept.clear()
    again = remove(ground, names=["web-2"])
    assert again.plan is not None
    assert not again.plan.changed
    assert ground.clock.slept == []  # what is left of the set casts no doubt


def test_powered_off_is_not_gone(ground: Ground) -> None:
    made = make(ground, 1)
    ground.ask("POST", f"droplets/{made[0]['id']}/actions", {"type": "power_off"})
    with pytest.raises(StateFailedError, match="off"):
        remove(ground, verify_only=True)
    assert remove(ground).result["gone"] is True
    assert ground.things() == []


def test_strangers_stay_and_are_named(ground: Ground) -> None:
    make(ground, 1)
    ground.ask("POST", "droplets", template("web-1"))
    ground.ask("POST", "account/keys", {"name": "theirs", "public_key": "ssh-rsa AAAA"})
    remove(ground, names=["web-1"])
    assert "was not made by this set, and stays" in ground.warnings[-1]
    remove(ground)
    assert ground.things() == ["web-1"]
    assert ground.things("ssh-key") == ["theirs"]


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ({}, []),
        ({"droplet_delete_seconds": 25}, []),
        ({"droplet_delete_seconds": 100}, []),
        ({}, [{"action": "DeleteDroplet", "kind": "swallow", "times": 4}]),
        ({}, [{"action": "DeleteDroplet", "kind": "reset_after", "times": 2}]),
        ({}, [{"action": "DeleteDroplet", "kind": "error", "status": 422, "code": "unprocessable_entity", "times": 3}]),
        ({}, [{"action": "ListDroplets", "kind": "empty", "times": 6}]),
        ({}, [{"action": "ListDroplets", "kind": "stale", "times": 6}]),
        ({}, [{"action": "GetDroplet", "kind": "throttle", "times": 5}]),
        (
            {},
            [{"action": "ListDroplets", "kind": "error", "times": 2}, {"action": "GetAccount", "kind": "reset_before"}],
        ),
        (
            {"droplet_delete_seconds": 20, "droplet_list_seconds": 3},
            [
                {"action": "DeleteDroplet", "kind": "swallow", "skip": 1, "times": 2},
                {"action": "ListDroplets", "kind": "empty", "skip": 1, "times": 4},
                {"action": ".*", "kind": "throttle", "skip": 5, "times": 3},
            ],
        ),
    ],
)
@pytest.mark.parametrize("with_ledger", [True, False])
def test_gone_whatever_happens(
    ground: Ground, settings: dict[str, Any], faults: list[dict[str, Any]], with_ledger: bool
) -> None:
    make(ground)
    if not with_ledger:
        ground.ledger.unlink()
    ground.settings(**settings)
    ground.faults(*faults)
    assert remove(ground).result["gone"] is True
    ground.faults()
    ground.clock.sleep(200)
    assert left(ground) == []


def test_droplets_that_are_still_new_are_deleted_again(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=40, droplet_new_delete_ignored=True)
    for name in ("a", "b"):
        ground.ask("POST", "droplets", template(name, tags=[TAG]))
    assert remove(ground).result["gone"] is True
    ground.clock.sleep(100)
    assert ground.things() == []


def test_a_pending_event_is_waited_for(ground: Ground) -> None:
    ground.settings(droplet_boot_seconds=40)
    ground.ask("POST", "droplets", template("a", tags=[TAG]))
    assert remove(ground).result["gone"] is True
    assert ground.things() == []


def test_a_droplet_that_surfaces_late_is_removed_too(ground: Ground) -> None:
    make(ground, 1)
    ground.settings(droplet_list_seconds=20)
    ground.ask("POST", "droplets", template("late", tags=[TAG]))
    assert remove(ground).result["gone"] is True
    assert ground.things() == []


def test_a_create_that_was_never_answered_is_waited_for_longer(ground: Ground) -> None:
    ground.faults({"action": "CreateDroplets", "kind": "reset_before", "times": 0})
    with pytest.raises(PartialError):
        make(ground, 1)
    ground.faults()
    ground.clock.slept.clear()
    assert remove(ground).result["gone"] is True
    assert sum(ground.clock.slept) >= 90
    ground.clock.slept.clear()
    remove(ground)
    assert ground.clock.slept == []


def test_what_was_never_answered_is_forgotten_once_it_is_named_and_gone(ground: Ground) -> None:
    make(ground, 1)
    ground.faults({"action": "CreateDroplets", "kind": "reset_before", "times": 0})
    with pytest.raises(PartialError):
        make(ground, 2)
    ground.faults()
    assert remove(ground, names=["web-2"]).result["gone"] is True
    assert json.loads(ground.ledger.read_text())["unanswered"] == []
    ground.clock.slept.clear()
    remove(ground)
    assert sum(ground.clock.slept) < 90


def test_what_never_goes_is_named_with_its_price(ground: Ground) -> None:
    made = make(ground, 2)
    ground.faults({"action": "DeleteDroplet", "kind": "swallow", "times": 0})
    with pytest.raises(PartialError, match=r"web-1 \(\d+\) is active") as caught:
        remove(ground, wait_timeout=60)
    survivors = caught.value.details["survivors"]
    assert [one["id"] for one in survivors] == [one["id"] for one in made]
    assert caught.value.details["step_failed"] == "delete droplets web-1, web-2"
    assert ground.things("do-tag") == [TAG]  # nothing has lost its mark
    ground.faults()
    assert remove(ground).result["gone"] is True


def test_a_delete_that_is_refused_says_why(ground: Ground) -> None:
    make(ground, 1)
    refusal = {"kind": "error", "status": 422, "code": "unprocessable_entity", "message": "no", "times": 0}
    ground.faults({"action": "DeleteDroplet", **refusal})
    with pytest.raises(PartialError, match="last event: Could not delete droplet web-1: no"):
        remove(ground, wait_timeout=20)
    ground.faults({"action": "DeleteDroplet", "kind": "error", "status": 403, "code": "forbidden"})
    with pytest.raises(PartialError) as caught:
        remove(ground)
    assert isinstance(caught.value.cause, AuthError)


def test_a_list_that_cannot_be_read_is_never_an_empty_one(ground: Ground) -> None:
    make(ground)
    ground.faults({"action": "ListDroplets", "kind": "error", "status": 403, "code": "forbidden", "times": 0})
    with pytest.raises(AuthError):
        remove(ground)
    assert len(ground.things()) == 3


def test_a_not_found_of_a_stranger_is_no_proof(ground: Ground) -> None:
    make(ground, 1)
    with pytest.raises(NotOursError, match="belongs to account"):
        remove(ground, api_token=f"{ground.token}-other-team")
    # a proxy that says 404 to everything
    ground.faults({"action": "GetDroplet", "kind": "error", "status": 404, "code": "", "times": 0})
    with pytest.raises(SchedulersError, match="not what DigitalOcean writes"):
        remove(ground)
    assert ground.things("do-tag") == [TAG]


def test_an_account_that_changes_meanwhile_is_no_proof(ground: Ground) -> None:
    make(ground, 1)
    ground.ledger.unlink()
    tokens = ground.teams.tokens

    def switch(method: str, _path: str) -> None:
        if method == "DELETE":
            tokens[ground.token] = tokens[f"{ground.token}-other-team"]

    ground.after = switch
    with pytest.raises(PartialError, match="the account has changed"):
        remove(ground)


def test_volumes_stay_with_the_tag_that_says_whose_they_are(ground: Ground) -> None:
    made = make(ground, 1)
    volume = ground.ask("POST", "volumes", {"name": "data", "region": "lon1", "size_gigabytes": 9, "tags": [TAG]})
    attach = {"type": "attach", "droplet_id": made[0]["id"]}
    ground.ask("POST", f"volumes/{volume['volume']['id']}/actions", attach)
    outcome = remove(ground)
    assert outcome.result["kept"] == {"volumes": 1}
    assert any("1 volumes with tag" in text for text in ground.warnings)
    assert any("These volumes of the droplets stay" in text for text in ground.warnings)
    assert sorted(left(ground)) == ["do-tag", "do-volume"]
    again = remove(ground)
    assert again.plan is not None
    assert not again.plan.changed
    ground.ask("DELETE", f"volumes/{volume['volume']['id']}")
    remove(ground)
    assert left(ground) == []


def test_reserved_addresses_that_begin_to_cost_are_named(ground: Ground) -> None:
    made = make(ground, 2)
    ground.ask("POST", "reserved_ips", {"droplet_id": made[1]["id"]})
    ground.ask("POST", "reserved_ips", {"region": "lon1"})
    told = "reserved IP addresses of the droplets stay, and will cost 5.00 US dollars a month each: 198.51.100.100."
    for check_mode in (True, False):
        ground.warnings.clear()
        remove(ground, check_mode=check_mode)
        assert ground.warnings == [f"These {told}"]
    assert len(ground.things("reserved-ip")) == 2


def test_addresses_that_cannot_be_looked_for_keep_no_droplet(ground: Ground) -> None:
    make(ground, 1)
    ground.faults({"action": "ListReservedIps", "kind": "error", "status": 403, "code": "forbidden", "times": 0})
    assert remove(ground).result["gone"] is True
    assert "look for reserved IP addresses" in ground.warnings[0]
    assert ground.warnings[0].endswith("If they have some, these stay, and begin to cost.")


def test_a_tag_that_is_carried_although_no_list_shows_it_stays(ground: Ground) -> None:
    make(ground, 1)
    ground.ledger.unlink()
    ground.faults({"action": "ListDroplets", "kind": "empty", "times": 0})
    with pytest.raises(PartialError, match="1 droplets carry it"):
        remove(ground, wait_timeout=60)
    assert ground.things("do-tag") == [TAG]
    ground.faults()
    assert remove(ground).result["gone"] is True
    assert left(ground) == []


def test_verify_only(ground: Ground) -> None:
    make(ground, 2)
    with pytest.raises(StateFailedError, match="2 droplets are still there: web-1") as caught:
        remove(ground, verify_only=True)
    assert caught.value.details["monthly_cost"] == 12.0
    assert len(caught.value.details["survivors"]) == 2
    assert len(ground.things()) == 2
    for one in ground.ask("GET", "droplets")["droplets"]:
        ground.ask("DELETE", f"droplets/{one['id']}")
    outcome = remove(ground, verify_only=True)
    assert outcome.result["gone"] is True
    assert [one["name"] for one in outcome.result["proof"]] == ["web-1", "web-2"]
    assert outcome.plan is not None
    assert not outcome.plan.changed


@pytest.mark.parametrize("with_ledger", [True, False])
def test_what_comes_back_without_its_tag_is_known_by_its_id(ground: Ground, with_ledger: bool) -> None:
    first, second = make(ground, 2)
    if not with_ledger:
        ground.ledger.unlink()
    remove(ground)
    come_back(ground, first)
    ground.settings(droplet_list_seconds=600)
    with pytest.raises(StateFailedError, match="1 droplets are still there: web-1") as caught:
        remove(ground, verify_only=True)
    assert [one["id"] for one in caught.value.details["survivors"]] == [first["id"]]
    proof = remove(ground, names=["web-2"], verify_only=True).result["proof"]
    assert [one["id"] for one in proof] == [second["id"]]
    ground.settings(droplet_list_seconds=0)
    remove(ground, names=["web-2"])
    assert ground.things() == ["web-1"]
    outcome = remove(ground)
    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["delete droplets web-1"]
    assert left(ground) == []
    assert len(remove(ground, verify_only=True).result["proof"]) == 2


def test_what_comes_back_with_the_mark_of_another_set_is_that_sets(ground: Ground) -> None:
    made = make(ground, 1)
    remove(ground)
    come_back(ground, made[0], f"{TAG}-2")
    for verify_only in (True, False):
        outcome = remove(ground, verify_only=verify_only)
        assert outcome.result["gone"] is True
        assert outcome.result["proof"] == []
    assert ground.things() == ["web-1"]


def test_what_is_gone_is_nothing_to_those_that_are_made_anew(ground: Ground) -> None:
    earlier = make(ground, 2)
    remove(ground, names=["web-1"])
    remove(ground)
    come_back(ground, {**earlier[1], "name": "other"})
    made = make(ground, 2)
    assert not {one["id"] for one in made} & {one["id"] for one in earlier}
    assert ground.warnings == []
    assert ground.things() == ["other", "web-1", "web-2"]
    ground.ask("DELETE", f"droplets/{earlier[1]['id']}")
    with pytest.raises(StateFailedError, match="2 droplets are still there"):
        remove(ground, verify_only=True)
    remove(ground)
    proof = remove(ground, verify_only=True).result["proof"]
    assert [(one["name"], one["id"]) for one in proof] == [
        (one["name"], one["id"]) for pair in zip(earlier, made, strict=True) for one in pair
    ]


def test_what_is_gone_in_one_account_proves_nothing_in_another(ground: Ground) -> None:
    made = make(ground, 1)
    other = f"{ground.token}-other-team"
    remove(ground)
    with pytest.raises(NotOursError, match="belongs to account"):
        remove(ground, verify_only=True, api_token=other)
    assert remove(ground, api_token=other).result["proof"] == []
    assert [one["id"] for one in remove(ground, verify_only=True).result["proof"]] == [one["id"] for one in made]

    ground.token = other
    moved = make(ground, 1)
    remove(ground)
    assert [one["id"] for one in remove(ground, verify_only=True).result["proof"]] == [one["id"] for one in moved]


def test_a_set_that_comes_and_goes_for_ever_is_remembered_in_part(ground: Ground) -> None:
    made = make(ground, 1)
    document = json.loads(ground.ledger.read_text())
    ground.ledger.write_text(json.dumps({**document, "gone": {str(number): "web-1" for number in range(1, 151)}}))
    remove(ground)
    gone = json.loads(ground.ledger.read_text())["gone"]
    assert list(gone) == [*map(str, range(51, 151)), str(made[0]["id"])]
    assert len(remove(ground, verify_only=True).result["proof"]) == 101


def test_a_run_that_was_killed_after_its_last_delete_is_remembered_by_the_ledger(ground: Ground) -> None:
    made = make(ground, 1)
    ground.ledger.unlink()

    def kill(method: str, path: str) -> None:
        if (method, path) == ("DELETE", f"tags/{TAG}"):
            raise SystemExit("killed")

    ground.after = kill
    with pytest.raises(SystemExit):
        remove(ground)
    ground.after = lambda _method, _path: None
    assert [one["id"] for one in remove(ground, verify_only=True).result["proof"]] == [one["id"] for one in made]


def test_droplets_that_are_gone_already_leave_the_rest_to_remove(ground: Ground) -> None:
    make(ground, 2)
    for one in ground.ask("GET", "droplets")["droplets"]:
        ground.ask("DELETE", f"droplets/{one['id']}")
    outcome = remove(ground)
    assert outcome.plan is not None
    assert "delete droplets" not in " ".join(outcome.plan.sentences())
    assert [one["name"] for one in outcome.result["proof"]] == ["web-1", "web-2"]
    assert left(ground) == []
    assert [one["name"] for one in remove(ground, verify_only=True).result["proof"]] == ["web-1", "web-2"]
