# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are made once: no run and no lost answer ever changes a password."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    InputError,
    NotFoundError,
    NotOursError,
    PartialError,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.made_secret import (
    ALPHABET,
    Wanted,
    decide,
    dismantle,
    ensure,
    values,
)
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from unit.api_server import Call, Cut, ScriptedServer, Status, api_server, thing
from unit.returned import as_documented
from unit.small_cluster import SmallCluster, small_cluster

OURS = {"labels": {"container.schedulers/owner": "secret.db"}}
ONE = "/api/v1/namespaces/one/secrets"
TWO = "/api/v1/namespaces/two/secrets"


def wanted(*namespaces: str, **changed: Any) -> Wanted:
    fields: dict[str, Any] = {"data": {"username": "app"}, "generate": ["password"], "length": 20}
    return Wanted("db", namespaces or ("one",), **(fields | changed))


def secret(namespace: str = "one", *, metadata: dict[str, Any] | None = None, **data: str) -> dict[str, Any]:
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}
    return thing("Secret", "db", namespace, metadata=metadata or {}, data=encoded)


def run(server: ScriptedServer | SmallCluster, *namespaces: str, check_mode: bool = False, **changed: Any) -> Outcome:
    params = {
        "host": server.url,
        "request_timeout": 10,
        "name": "db",
        "state": "present",
        "namespaces": list(namespaces) or ["one"],
        "data": {"username": "app"},
        "generate": ["password"],
        "length": 20,
    }
    return as_documented(ensure, ensure(Context(params | changed, check_mode)))


def written(server: ScriptedServer) -> list[dict[str, str]]:
    """The values that were sent, decoded."""
    return [
        {name: base64.b64decode(value).decode() for name, value in body["data"].items()}
        for method, _path, query, body in server.made
        if method in ("POST", "PATCH") and "dryRun" not in query
    ]


def test_what_was_made_is_told_even_if_it_may_not_be_looked_at_any_more() -> None:
    with small_cluster("one") as cluster:
        cluster.expire(f"{ONE}/db", after="Secret")
        with pytest.raises(PartialError, match="may have expired") as failed:
            run(cluster)
    assert failed.value.details["steps_done"] == ["create Secret one/db"]


def test_a_new_one_gets_a_value_of_the_wanted_length() -> None:
    made = values(wanted(), {})

    assert made["username"] == "app"
    assert len(made["password"]) == 20
    assert {*made["password"]} <= {*ALPHABET}
    assert values(wanted(), {})["password"] != made["password"]


@pytest.mark.parametrize(
    ("live", "password"),
    [
        ({"one": secret(metadata=OURS, password="kept")}, "kept"),
        ({"two": secret("two", metadata=OURS, password="kept")}, "kept"),
        # a person chose it
        ({"one": secret(metadata=OURS, password="made"), "two": secret("two", password="chosen")}, "chosen"),
    ],
)
def test_a_value_that_is_there_stays(live: dict[str, Any], password: str) -> None:
    assert values(wanted("one", "two"), live)["password"] == password


def test_what_is_complete_is_left_alone() -> None:
    live = {"one": secret(metadata=OURS, username="app", password="kept", more="theirs")}

    assert not decide(wanted(), {"username": "app", "password": "kept"}, live).changed


def test_a_missing_key_is_added_and_no_value_is_shown() -> None:
    live = {"one": secret(metadata=OURS, username="app")}
    plan = decide(wanted(), {"username": "app", "password": "fresh-and-secret"}, live)

    assert plan.sentences() == ["update Secret one/db (data.password)"]
    assert "fresh" not in str(plan.diff())
    assert base64.b64encode(b"fresh-and-secret").decode() not in str(plan.diff())


def test_somebody_elses_is_used_if_it_has_everything() -> None:
    assert not decide(
        wanted(), {"username": "app", "password": "x"}, {"one": secret(username="app", password="x")}
    ).changed


def test_somebody_elses_is_never_changed() -> None:
    with pytest.raises(
        NotOursError, match=r"Secret one/db exists, was not made by this task, and has not .*data.username"
    ):
        decide(wanted(), {"username": "app", "password": "x"}, {"one": secret(password="x")})


def test_only_ours_is_deleted() -> None:
    live = {"one": secret(metadata=OURS), "two": secret("two")}

    assert dismantle(wanted("one", "two"), live).sentences() == ["delete Secret one/db"]


def test_two_namespaces_get_the_same_value() -> None:
    with api_server(
        Call("GET", f"{ONE}/db", Status(404, "NotFound")),
        Call("GET", f"{TWO}/db", Status(404, "NotFound")),
        Call("POST", ONE, {"metadata": OURS}, query={"dryRun": "All"}),  # of no version, as it is not there
        Call("POST", TWO, {"metadata": OURS}, query={"dryRun": "All"}),
        Call("POST", ONE, secret(metadata=OURS), body={"metadata": OURS}),
        Call("POST", TWO, secret("two", metadata=OURS)),
        Call("GET", f"{ONE}/db", secret(metadata=OURS, username="app", password="x")),
        Call("GET", f"{TWO}/db", secret("two", metadata=OURS, username="app", password="x")),
    ) as server:
        outcome = run(server, "one", "two")
        first, second = written(server)

    assert first == second
    assert outcome.plan is not None
    assert outcome.plan.sentences() == ["create Secret one/db", "create Secret two/db"]
    assert first["password"] not in str(outcome)
    assert outcome.result["secrets"][0] == {
        "name": "db",
        "namespace": "one",
        "key_names": ["password", "username"],
        "ours": True,
    }


def test_a_namespace_that_is_added_later_gets_the_old_value() -> None:
    with api_server(
        Call("GET", f"{ONE}/db", secret(metadata=OURS, username="app", password="kept"), times=2),
        Call("GET", f"{TWO}/db", Status(404, "NotFound")),
        Call("POST", TWO, secret("two", metadata=OURS)),
        Call("GET", f"{TWO}/db", secret("two", metadata=OURS)),
    ) as server:
        run(server, "one", "two")

        assert written(server) == [{"username": "app", "password": "kept"}]


def test_check_mode_needs_no_namespace_and_writes_nothing() -> None:
    with api_server(Call("GET", f"{ONE}/db", Status(404, "NotFound"))) as server:
        outcome = run(server, check_mode=True)

    assert outcome.plan is not None
    assert outcome.plan.changed


def test_a_missing_namespace_is_named() -> None:
    with (
        api_server(
            Call("GET", f"{ONE}/db", Status(404, "NotFound")),
            Call("POST", ONE, Status(404, "NotFound", 'namespaces "one" not found')),
        ) as server,
        pytest.raises(PartialError, match="namespace one does not exist"),
    ):
        run(server)


def test_of_several_none_is_made_if_a_namespace_is_missing() -> None:
    with small_cluster("one") as cluster:
        with pytest.raises(NotFoundError, match="namespace typo does not exist"):
            run(cluster, "one", "typo")
        assert cluster.written == []


def test_a_webhook_that_takes_no_dry_run_is_no_obstacle() -> None:
    refusal = Status(400, "BadRequest", 'admission webhook "a.b" does not support dry run')
    with small_cluster("one", "two") as cluster:
        tried: list[str] = []

        def refuse(method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
            if method == "POST" and path not in tried:
                tried.append(path)
                return refusal.code, refusal.body()
            return None

        cluster.refuse = refuse
        run(cluster, "one", "two")
        assert cluster.written == [("Secret", "db")] * 2


def test_a_lost_answer_is_looked_up_and_not_repeated() -> None:
    with api_server(
        Call("GET", f"{ONE}/db", Status(404, "NotFound")),
        Call("POST", ONE, Cut()),
        Call("GET", f"{ONE}/db", secret(metadata=OURS, username="app"), times=2),
    ) as server:
        # only the given value is compared here, as the script cannot know the made one
        outcome = run(server, generate=[])

    assert outcome.plan is not None
    assert server.paths("POST") == [ONE]


def at_once(namespace: str, metadata: dict[str, Any]) -> tuple[Outcome, list[str]]:
    """A first run while another one makes its Secret in a namespace; how it ends, and the passwords that are there."""

    def be_faster(method: str, path: str, body: Any) -> None:
        if method == "POST" and path.endswith(f"/{namespace}/secrets") and not cluster.get("Secret", "db", namespace):
            cluster.put(secret(namespace, metadata={**metadata, "namespace": namespace}, username="app", password="x"))

    with small_cluster("one", "two") as cluster:
        cluster.refuse = be_faster
        outcome = run(cluster, "one", "two")
        there = [cluster.get("Secret", "db", one) for one in ("one", "two")]
        return outcome, [one["data"]["password"] for one in there if one]


@pytest.mark.parametrize("namespace", ["one", "two"])
def test_two_first_runs_at_once_agree(namespace: str) -> None:
    outcome, passwords = at_once(namespace, OURS)

    assert len(passwords) == 2
    assert passwords[0] == passwords[1]
    assert (base64.b64decode(passwords[0]) == b"x") is (namespace == "one")  # the first namespace decides, for both
    assert outcome.plan is not None
    assert outcome.plan.sentences()[-1] == "update Secret two/db (data.password)"


def test_what_a_person_makes_meanwhile_stays() -> None:
    _outcome, passwords = at_once("two", {})

    assert [base64.b64decode(one) for one in passwords] == [b"x", b"x"]


def test_a_conflict_with_what_has_not_the_wanted_values_is_told() -> None:
    with (
        api_server(
            Call("GET", f"{ONE}/db", Status(404, "NotFound")),
            Call("POST", ONE, Status(409, "AlreadyExists")),
            Call("GET", f"{ONE}/db", secret(password="theirs"), times=2),
        ) as server,
        pytest.raises(PartialError, match=r"was not made by this task, and has not .*data\.username"),
    ):
        run(server)

    assert server.paths("PATCH") == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"generate": ["username"]}, "generate and data both name username"),
        ({"length": 8}, "length is 8, but has to be between 12 and 1024"),
        ({"length": 99999999}, "length is 99999999, but has to be between 12 and 1024"),
        ({"data": None, "generate": None}, "generate or data is needed"),
        ({"data": {}, "generate": []}, "generate or data is needed"),
        ({"data": {"a": None}}, "data: a is null and must be text"),
        ({"data": {"a": True}}, "data: a is True and must be text. Quote it"),
        ({"data": {"a": ["x"]}}, "data: a is a list and must be text"),
        ({"data": {"a": {"b": "x"}}}, "data: a is a mapping and must be text"),
        ({"data": {"a b": "x"}}, "data: 'a b' must have 1 to 253 letters"),
        ({"generate": [""]}, "generate: '' must have"),
        ({"name": "A b"}, "name: 'A b' is no name for a Secret"),
        ({"namespaces": []}, "namespaces is empty"),
        ({"namespaces": ["", "default"]}, "namespaces: '' is no name for a namespace"),
        ({"namespaces": ["a.b"]}, "namespaces: 'a.b' is no name for a namespace"),
        ({"namespaces": ["one\n"]}, "is no name for a namespace"),
    ],
)
def test_bad_input_is_refused_before_the_first_request(changed: dict[str, Any], sentence: str) -> None:
    with api_server() as server, pytest.raises(InputError, match=sentence):
        run(server, **changed)


def test_a_number_is_as_good_as_its_text() -> None:
    params = {"name": "db", "state": "present", "namespaces": ["one", "one"], "data": {"port": 5432}}
    found = Wanted.from_params({**params, "generate": None, "length": 20})
    assert (found.data, found.namespaces) == ({"port": "5432"}, ["one"])


def test_absent_deletes_the_one_that_was_looked_at() -> None:
    with api_server(
        Call("GET", f"{ONE}/db", secret(metadata=OURS)),
        Call("DELETE", f"{ONE}/db", {}, body={"preconditions": {"uid": "uid-db"}}),
        Call("GET", f"{ONE}/db", Status(404, "NotFound")),
    ) as server:
        outcome = run(server, state="absent")

    assert outcome.result == {"secrets": []}


@pytest.mark.parametrize("outlived", [{"length": 4096}, {"data": {"a b": None}}, {"generate": ["username"]}])
def test_absent_does_not_mind_what_a_secret_would_be_made_of(outlived: dict[str, Any]) -> None:
    with api_server(Call("GET", f"{ONE}/db", Status(404, "NotFound"))) as server:
        outcome = run(server, state="absent", **outlived)

    assert outcome.plan
    assert not outcome.plan.changed
