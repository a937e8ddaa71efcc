# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    AuthError,
    StateFailedError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.upgrades import (
    Goal,
    UpgradePolicy,
    end_upgrade,
    next_action,
    resume_upgrade,
    settlement,
    upgrade,
)
from unit.rancher import error, launch, run_with, service
from unit.scripted_http import Request

SELF = "/v2-beta/projects/1a5/services/1s7"
NO_IMAGE = "Image [nginx:1.28] failed to pull: manifest for nginx:1.28 not found: manifest unknown"
HICCUP = "Timeout getting IP address"
OLD, NEW = launch("nginx:1.27"), launch("nginx:1.28")


def in_upgrade(state: str, *actions: str, **fields: Any) -> dict[str, Any]:
    strategy = {"launchConfig": NEW, "previousLaunchConfig": OLD}
    usual = {"launchConfig": NEW, "upgrade": {"inServiceStrategy": strategy}}
    return service("web", "1s7", *actions, state=state, **{**usual, **fields})


@pytest.mark.parametrize(
    ("state", "wanted", "goal", "image"),
    [
        ("active", "1.28", None, "1.28"),
        ("upgrading", "1.28", "finish", "1.28"),
        ("upgrading", "1.29", "rollback", "1.27"),
        ("upgrading", "1.27", "rollback", "1.27"),
        ("upgraded", "1.28", "finish", "1.28"),
        ("upgraded", "1.29", "finish", "1.28"),
        ("upgraded", "1.27", "rollback", "1.27"),
        ("canceled-upgrade", "1.28", "rollback", "1.27"),
        ("canceling-upgrade", "1.28", "rollback", "1.27"),
        ("canceled-rollback", "1.28", "finish", "1.28"),
        ("finishing-upgrade", "1.28", None, "1.28"),
        ("rolling-back", "1.28", None, "1.27"),
    ],
)
def test_how_an_upgrade_of_an_earlier_run_ends(state: str, wanted: str, goal: Goal | None, image: str) -> None:
    def is_wanted(launched: Mapping[str, Any]) -> bool:
        return bool(launched["imageUuid"] == f"docker:nginx:{wanted}")

    found = settlement(in_upgrade(state), is_wanted)
    assert (found.goal, found.launch["imageUuid"]) == (goal, f"docker:nginx:{image}")


@pytest.mark.parametrize(
    ("state", "offered", "goal", "action"),
    [
        ("active", ["upgrade"], "finish", None),
        ("updating-active", [], "rollback", None),
        ("upgrading", ["cancelupgrade", "rollback"], "finish", ""),
        ("upgrading", ["cancelupgrade", "rollback"], "rollback", "rollback"),
        ("upgrading", ["cancelupgrade"], "rollback", "cancelupgrade"),  # as /v1 has it
        ("canceling-upgrade", [], "rollback", ""),
        ("canceled-upgrade", ["rollback", "finishupgrade"], "rollback", "rollback"),
        ("canceled-upgrade", ["continueupgrade", "rollback"], "finish", "continueupgrade"),
        ("canceled-upgrade", ["finishupgrade", "rollback"], "finish", "finishupgrade"),
        ("upgraded", ["finishupgrade", "rollback"], "finish", "finishupgrade"),
        ("upgraded", ["finishupgrade", "rollback"], "rollback", "rollback"),
        ("finishing-upgrade", ["cancelupgrade"], "rollback", ""),
        ("rolling-back", ["cancelrollback"], "finish", ""),
        ("canceled-rollback", ["finishupgrade"], "rollback", "finishupgrade"),
    ],
)
def test_what_leads_on(state: str, offered: list[str], goal: Goal, action: str | None) -> None:
    assert next_action(in_upgrade(state, *offered), goal) == action


def test_a_rollback_goes_through_all_states_of_v1() -> None:
    states = [
        in_upgrade("upgrading", "cancelupgrade"),
        in_upgrade("canceling-upgrade"),
        in_upgrade("canceled-upgrade", "rollback", "finishupgrade"),
        in_upgrade("rolling-back", "cancelrollback"),
        service(),
    ]
    run, http = run_with(
        *(Request("GET", SELF, one) for one in states),
        Request("POST", f"{SELF}/", {}, query={"action": "cancelupgrade"}),
        Request("POST", f"{SELF}/", {}, query={"action": "rollback"}),
    )
    assert end_upgrade(run, states[0], "rollback", doing="roll back")["state"] == "active"
    http.finish()


def test_an_action_that_came_too_late_is_no_failure() -> None:
    upgraded = in_upgrade("upgraded", "finishupgrade")
    run, http = run_with(
        Request("GET", SELF, upgraded),
        Request("POST", f"{SELF}/", error(422, "ActionNotAvailable"), status=422),
        Request("GET", SELF, service()),
    )
    assert end_upgrade(run, upgraded, "finish", doing="finish")["state"] == "active"
    http.finish()


def test_an_upgrade_is_waited_for_and_finished() -> None:
    policy = UpgradePolicy(batch_size=2, interval_seconds=0.5, start_first=True)
    body = policy.strategy(NEW, None)
    assert body["inServiceStrategy"]["intervalMillis"] == 500
    run, http = run_with(
        Request("POST", f"{SELF}/", in_upgrade("upgrading"), body, query={"action": "upgrade"}),
        Request("GET", SELF, in_upgrade("upgrading", "cancelupgrade", transitioning="yes")),
        Request("GET", SELF, in_upgrade("upgraded", "finishupgrade", "rollback")),
        Request("GET", SELF, in_upgrade("upgraded", "finishupgrade", "rollback")),
        Request("POST", f"{SELF}/", in_upgrade("finishing-upgrade"), query={"action": "finishupgrade"}),
        Request("GET", SELF, in_upgrade("finishing-upgrade")),
        Request("GET", SELF, service(launchConfig=NEW)),
    )
    done = upgrade(run, service("web", "1s7", "upgrade"), body, policy, doing="update service web")
    assert done["state"] == "active"
    http.finish()


def test_an_upgrade_begins_once_it_is_offered() -> None:
    """Not while a container is put back; and not if that begins between the look and the request."""
    ready = service("web", "1s7", "upgrade")
    run, http = run_with(
        Request("POST", f"{SELF}/", error(422, "ActionNotAvailable"), query={"action": "upgrade"}, status=422),
        Request("GET", SELF, service(state="updating-active", transitioning="yes")),
        Request("GET", SELF, service(state="updating-active", transitioning="error", transitioningMessage=HICCUP)),
        Request("GET", SELF, ready),
        Request("POST", f"{SELF}/", in_upgrade("upgrading"), query={"action": "upgrade"}),
        Request("GET", SELF, in_upgrade("upgraded")),
    )
    assert upgrade(run, ready, {}, UpgradePolicy(finish=False), doing="upgrade")["state"] == "upgraded"
    http.finish()


def test_an_upgrade_that_is_never_offered_is_no_change() -> None:
    run, http = run_with(Request("GET", SELF, service(state="removing")))
    with pytest.raises(StateFailedError, match="service web is being removed") as caught:
        upgrade(run, service(state="restarting"), {}, UpgradePolicy(), doing="upgrade")
    assert "rolled_back" not in caught.value.details
    run, http = run_with(seconds=0.0)
    with pytest.raises(WaitTimeoutError, match="service web is restarting"):
        upgrade(run, service(state="restarting"), {}, UpgradePolicy(), doing="upgrade")
    http.finish()


@pytest.mark.parametrize("state", ["active", "inactive"])
def test_an_upgrade_that_the_api_key_is_not_offered_is_not_waited_for(state: str) -> None:
    schema = {"id": "service", "resourceActions": {}}
    run, http = run_with(Request("GET", "/v2-beta/projects/1a5/schemas/service", schema))
    with pytest.raises(AuthError, match="the API key does not allow this: Rancher never offers it upgrade of web"):
        upgrade(run, service(state=state), {}, UpgradePolicy(), doing="upgrade")
    http.finish()


def test_an_upgrade_may_be_left_for_a_later_run_to_finish() -> None:
    run, http = run_with(
        Request("POST", f"{SELF}/", in_upgrade("upgrading")),
        Request("GET", SELF, in_upgrade("upgraded", "finishupgrade")),
    )
    done = upgrade(run, service("web", "1s7", "upgrade"), {}, UpgradePolicy(finish=False), doing="upgrade")
    assert done["state"] == "upgraded"
    http.finish()


def test_a_look_before_the_upgrade_has_begun_is_not_its_end() -> None:
    """A server that is slow to show what it was told must not make us believe that all is done."""
    run, http = run_with(
        Request("POST", f"{SELF}/", service("web", "1s7", "upgrade")),
        Request("GET", SELF, service("web", "1s7", "upgrade")),
        Request("GET", SELF, in_upgrade("upgrading")),
        Request("GET", SELF, service(launchConfig=NEW)),  # somebody else has finished it
        Request("GET", SELF, service(launchConfig=NEW)),
    )
    done = upgrade(run, service("web", "1s7", "upgrade"), {}, UpgradePolicy(), doing="upgrade")
    assert done["state"] == "active"
    http.finish()


def test_an_upgrade_that_fails_is_rolled_back() -> None:
    broken = in_upgrade("upgrading", "cancelupgrade", "rollback", transitioning="error", transitioningMessage=NO_IMAGE)
    run, http = run_with(
        Request("POST", f"{SELF}/", in_upgrade("upgrading")),
        Request("GET", SELF, broken, times=2),
        Request("POST", f"{SELF}/", in_upgrade("rolling-back"), query={"action": "rollback"}),
        Request("GET", SELF, service()),
    )
    with pytest.raises(
        StateFailedError, match="manifest unknown; service web was rolled back and runs as before"
    ) as caught:
        upgrade(run, service("web", "1s7", "upgrade"), {}, UpgradePolicy(), doing="upgrade")
    assert caught.value.details["rolled_back"] is True
    http.finish()


def test_an_upgrade_that_is_not_done_in_time_is_rolled_back_in_time_of_its_own() -> None:
    stuck = in_upgrade("upgrading", "cancelupgrade", "rollback", transitioning="yes", healthState="unhealthy")
    run, http = run_with(
        Request("POST", f"{SELF}/", stuck, query={"action": "upgrade"}),
        Request("GET", SELF, stuck, times=2),
        Request("POST", f"{SELF}/", in_upgrade("rolling-back"), query={"action": "rollback"}),
        Request("GET", SELF, service()),
        seconds=0.0,
    )
    with pytest.raises(WaitTimeoutError, match=r"health unhealthy.*was rolled back"):
        upgrade(run, service("web", "1s7", "upgrade"), {}, UpgradePolicy(), doing="upgrade")
    http.finish()


def test_a_hiccup_that_rancher_tries_again_is_no_failure() -> None:
    hiccup = in_upgrade("upgrading", "rollback", transitioning="error", transitioningMessage=HICCUP)
    run, http = run_with(
        Request("POST", f"{SELF}/", in_upgrade("upgrading")),
        Request("GET", SELF, hiccup, times=3),
        Request("GET", SELF, in_upgrade("upgraded")),
    )
    ended = upgrade(run, service("web", "1s7", "upgrade"), {}, UpgradePolicy(finish=False), doing="upgrade")
    assert ended["state"] == "upgraded"
    http.finish()


def test_an_upgrade_that_fails_is_left_where_that_is_asked_for() -> None:
    run, http = run_with(
        Request("POST", f"{SELF}/", in_upgrade("upgrading")),
        Request("GET", SELF, in_upgrade("upgrading", transitioning="error", transitioningMessage=NO_IMAGE)),
    )
    with pytest.raises(StateFailedError) as caught:
        upgrade(run, service("web", "1s7", "upgrade"), {}, UpgradePolicy(on_failed="leave"), doing="upgrade")
    assert "rolled_back" not in caught.value.details
    http.finish()


@pytest.mark.parametrize(("on_failed", "rolls_back"), [("rollback", True), ("leave", False)])
def test_an_upgrade_of_an_earlier_run_that_fails_is_as_ones_own(on_failed: Any, rolls_back: bool) -> None:
    broken = in_upgrade("upgrading", "cancelupgrade", "rollback", transitioning="error", transitioningMessage=NO_IMAGE)
    back = [
        Request("GET", SELF, broken),
        Request("POST", f"{SELF}/", in_upgrade("rolling-back"), query={"action": "rollback"}),
        Request("GET", SELF, service()),
    ]
    run, http = run_with(Request("GET", SELF, broken), *(back if rolls_back else ()))
    policy = UpgradePolicy(on_failed=on_failed)
    with pytest.raises(StateFailedError, match="manifest unknown") as caught:
        resume_upgrade(run, in_upgrade("upgrading"), "finish", policy, doing="upgrade")
    assert ("rolled_back" in caught.value.details) is rolls_back
    http.finish()


def test_a_rollback_that_fails_is_said_too() -> None:
    run, http = run_with(
        Request("POST", f"{SELF}/", in_upgrade("upgrading")),
        Request("GET", SELF, in_upgrade("upgrading", transitioning="error", transitioningMessage=NO_IMAGE)),
        *[Request("GET", SELF, AnswerLostError("gone"))] * 6,
    )
    with pytest.raises(StateFailedError, match="Rolling service web back failed, too: gone"):
        upgrade(run, service("web", "1s7", "upgrade"), {}, UpgradePolicy(), doing="upgrade")
    http.finish()


def test_a_policy_is_what_the_options_say() -> None:
    given = {"batch_size": 2, "interval_seconds": None, "start_first": True, "finish": False}
    params = {"upgrade": given, "on_failed_upgrade": "leave"}
    assert UpgradePolicy.from_params(params) == UpgradePolicy(2, 2.0, True, False, "leave")
    assert UpgradePolicy.from_params({}) == UpgradePolicy()
