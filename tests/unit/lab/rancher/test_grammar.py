# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of the API, whatever the type: versions, schemas, lists, filters, pages, errors."""

from __future__ import annotations

import pytest
from unit.lab.rancher.ground import Ground


def names(ground: Ground, query: str) -> list[str]:
    return [one["name"] for one in ground.listed(f"environments?{query}")]


@pytest.fixture
def five(ground: Ground) -> Ground:
    for number in range(5):
        ground.make("environments", name=f"stack-{number}", description="even" if number % 2 == 0 else "odd")
    return ground


@pytest.mark.parametrize(("server", "versions"), [("v1.1.4", ["v1"]), ("v1.6.30", ["v1", "v2-beta"])])
def test_a_server_offers_the_versions_of_its_time(lab: object, server: str, versions: list[str]) -> None:
    ground = Ground(lab, server=server)
    assert [one["id"] for one in ground.listed("/")] == versions
    assert ground.ask("GET", "/v2-beta")[0] == (200 if "v2-beta" in versions else 404)
    assert ground.get("/v1/settings/rancher.server.version")["value"] == server


def test_ping_needs_nothing(ground: Ground) -> None:
    status, _unused, _unused = ground.ask("HEAD", "/ping")
    assert status == 200


def test_every_answer_says_where_its_schemas_are(ground: Ground) -> None:
    for path, schemas in (("/v1", "/v1/schemas"), ("/v1/projects/1a5/hosts", "/v1/projects/1a5/schemas")):
        assert ground.ask("GET", path)[2]["X-API-Schemas"] == ground.url + schemas
    assert ground.ask("GET", "nothing")[2]["X-API-Schemas"] == ground.url + "/v1/projects/1a5/schemas"


@pytest.mark.parametrize(
    ("version", "there", "not_there"),
    [
        ("v1", {"environment", "loadBalancerServiceLink", "githubconfig", "machine"}, {"stack", "portRule"}),
        ("v2-beta", {"stack", "portRule", "projectTemplate"}, {"environment", "loadBalancerServiceLink"}),
    ],
)
def test_each_version_has_its_types(ground: Ground, version: str, there: set[str], not_there: set[str]) -> None:
    found = {one["id"] for one in ground.listed(f"/{version}/schemas")}
    assert there <= found
    assert not not_there & found


def test_inside_a_project_nobody_is_an_administrator(ground: Ground) -> None:
    assert "POST" in ground.get("/v1/schemas/project")["collectionMethods"]
    assert "POST" not in ground.get("schemas/project")["collectionMethods"]
    assert ground.ask("GET", "schemas/githubconfig")[0] == 404


@pytest.mark.parametrize("spelling", ["environments", "environment", "ENVIRONMENTS"])
def test_types_are_found_in_any_spelling(ground: Ground, spelling: str) -> None:
    assert ground.get(spelling)["resourceType"] == "environment"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=stack-1", ["stack-1"]),
        ("name=STACK-1", ["stack-1"]),
        ("name_prefix=stack-&name_ne=stack-0", ["stack-1", "stack-2", "stack-3", "stack-4"]),
        ("name_like=%25-3", ["stack-3"]),
        ("description_notlike=ev%25", ["stack-1", "stack-3"]),
        ("description=odd&description=even&name=stack-4", ["stack-4"]),
        ("name_null=true", []),
        ("nosuch=1&name=stack-2", ["stack-2"]),
        ("sort=name&order=desc&limit=2", ["stack-4", "stack-3"]),
    ],
)
def test_filters(five: Ground, query: str, expected: list[str]) -> None:
    assert names(five, query) == expected


def test_what_cannot_be_filtered_by_is_ignored(five: Ground) -> None:
    assert len(names(five, "startOnCreate=true&nosuch_like=x")) == 5


def test_pages_follow_one_another(five: Ground) -> None:
    url, seen, pages = "environments?limit=2", [], 0
    while url:
        page = five.get(url)
        seen += [one["name"] for one in page["data"]]
        url, pages = page["pagination"]["next"], pages + 1
    assert (pages, seen) == (3, [f"stack-{number}" for number in range(5)])


@pytest.mark.parametrize(("query", "limit"), [("", 100), ("limit=0", 3000), ("limit=99999", 3000), ("limit=7", 7)])
def test_the_size_of_a_page(ground: Ground, query: str, limit: int) -> None:
    assert ground.get(f"hosts?{query}")["pagination"]["limit"] == limit


def test_a_removed_thing_is_not_listed_and_known_by_its_id(ground: Ground) -> None:
    stack = ground.stack()
    assert ground.ask("DELETE", stack["links"]["self"])[1]["state"] == "removing"
    gone = ground.until(stack, "removed")
    assert gone["removed"] is not None
    assert names(ground, "") == []
    assert names(ground, "removed_notnull=true") == ["Default"]


def test_fields_that_cannot_be_given_are_dropped(ground: Ground) -> None:
    stack = ground.make("environments", name="a", state="active", healthState="unhealthy", id="1e99", nonsense=1)
    assert (stack["id"], stack["state"]) == ("1e1", "activating")
    status, changed, _unused = ground.ask("PUT", stack["links"]["self"], {"description": "d", "dockerCompose": "x: {}"})
    assert (status, changed["description"], changed["dockerCompose"]) == (200, "d", None)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "MissingRequired", "name"),
        ({"name": "-a"}, "InvalidCharacters", "name"),
        ({"name": "a--b"}, "InvalidCharacters", "name"),
        ({"name": "a_b"}, "InvalidCharacters", "name"),
        ({"name": ""}, "MinLengthExceeded", "name"),
        ({"name": "a" * 64}, "MaxLengthExceeded", "name"),
        ({"name": "DEFAULT"}, "NotUnique", "name"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_the_field(
    ground: Ground, body: dict[str, str], code: str, field: str
) -> None:
    ground.stack("Default")
    assert ground.refused("environments", **body) == (422, code, field)


def test_actions_are_offered_by_state(ground: Ground) -> None:
    host = ground.hosts("one")[0]
    assert set(host["actions"]) == {"deactivate", "dockersocket", "update"}
    assert ground.ask("DELETE", host["links"]["self"])[0] == 405
    assert ground.refused(f"hosts/{host['id']}?action=activate") == (422, "ActionNotAvailable", "action")
    assert ground.refused(f"hosts/{host['id']}?action=dance") == (422, "InvalidAction", "action")
    inactive = ground.until(ground.act(host, "deactivate"), "inactive")
    assert {"activate", "remove"} <= set(inactive["actions"])


def test_states_last_as_long_as_the_lab_is_told(ground: Ground) -> None:
    ground.lab.settings(rancher_process_seconds=10)
    stack = ground.make("environments", name="slow")
    assert (stack["state"], stack["transitioning"], stack["transitioningMessage"]) == (
        "activating",
        "yes",
        "In Progress",
    )
    ground.lab.advance(9)
    assert ground.again(stack)["state"] == "activating"
    ground.lab.advance(2, steps=2)
    assert (ground.again(stack)["state"], ground.again(stack)["transitioning"]) == ("active", "no")


def test_links_and_what_is_included(ground: Ground) -> None:
    host = ground.hosts("one")[0]
    (address,) = ground.listed(host["links"]["ipAddresses"])
    (with_address,) = ground.listed("hosts?include=ipAddresses")
    assert with_address["ipAddresses"][0]["address"] == address["address"]
    assert ground.get(address["links"]["account"])["id"] == "1a5"


def test_unknown_things_are_not_found(ground: Ground) -> None:
    for path in ("nothing", "hosts/1h99", "hosts/nonsense", "/v3", "/v1/projects/1a99/hosts"):
        status, error, _unused = ground.ask("GET", path)
        assert (status, error["status"], error["code"], error["type"]) == (404, 404, "Not Found", "error"), path


def test_one_store_under_two_versions(ground: Ground) -> None:
    stack = ground.stack()
    same = ground.get(f"/v2-beta/projects/1a5/stacks/{stack['id'].replace('1e', '1st')}")
    assert (same["uuid"], same["type"], same["id"]) == (stack["uuid"], "stack", "1st1")


def test_the_journal_names_what_was_asked(ground: Ground) -> None:
    ground.lab.control("DELETE", "/journal")
    stack = ground.stack()
    ground.act(stack, "exportconfig")
    ground.get(stack["links"]["services"])
    ground.ask("DELETE", stack["links"]["self"])
    calls = [entry["action"] for entry in ground.lab.control("GET", "/journal")["entries"]]
    expected = ["CreateEnvironment", "GetEnvironment", "ExportconfigEnvironment", "ListEnvironmentServices"]
    assert [call for number, call in enumerate(calls) if call not in calls[:number]] == [*expected, "DeleteEnvironment"]


def test_faults_hit_rancher_too(ground: Ground) -> None:
    ground.lab.faults(
        {"service": "rancher", "action": "CreateEnvironment", "kind": "error", "status": 409, "code": "Conflict"},
        {"service": "rancher", "action": "ListHosts", "kind": "throttle"},
        {"service": "rancher", "action": "CreateService", "kind": "reset_after"},
    )
    assert ground.refused("environments", name="a")[:2] == (409, "Conflict")
    assert ground.ask("GET", "hosts")[0] == 429
    stack = ground.stack()
    with pytest.raises(OSError, match=r"reset|closed|disconnected|Remote end"):
        ground.make("services", name="lost", environmentId=stack["id"], launchConfig={"imageUuid": "docker:nginx"})
    assert [one["name"] for one in ground.listed("services")] == ["lost"]


def test_reset_leaves_a_fresh_server(ground: Ground) -> None:
    ground.hosts("one")
    ground.stack()
    ground.lab.control("POST", "/reset")
    assert ground.listed("hosts") == ground.listed("environments") == []
    assert [one["name"] for one in ground.listed("/v1/projects")] == ["Default"]
