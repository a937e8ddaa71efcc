# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError, NotOursError
from ansible_collections.container.schedulers.plugins.module_utils._ownership import Mark
from ansible_collections.container.schedulers.plugins.module_utils._rancher import links, names, ready
from ansible_collections.container.schedulers.plugins.module_utils._rancher.execute import numbered
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_options import HostOptions
from ansible_collections.container.schedulers.plugins.module_utils._rancher.launch_config import (
    HEALTH_DEFAULTS,
    as_asked,
    canonical_image,
    canonical_port,
    health_check,
    host_port,
    live_launch,
    rendered_launch,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.marks import (
    described,
    managed_description,
    require_marked,
    tags_of,
    words_of,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.patience import RETRIED_SECONDS, Patience
from ansible_collections.container.schedulers.plugins.module_utils._rancher.ports import Claim, refuse_taken
from ansible_collections.container.schedulers.plugins.module_utils._rancher.service_options import (
    ServiceOptions,
    read_services,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import StackOptions
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_present import refuse_for
from ansible_collections.container.schedulers.plugins.module_utils._rancher.upgrades import UpgradePolicy
from ansible_collections.container.schedulers.plugins.module_utils._rancher.veil import Veil, is_secret
from unit.clock import FakeClock
from unit.rancher import launch, marked, service, stack

MARK = Mark("rancher/1a5", "Default")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("new", ["1i11", "1i2", "1i3"]),  # an upgrade that starts first, on its way
        ("0", ["1i1", "1i2", "1i3"]),  # the same, taken back
    ],
)
def test_of_two_containers_that_run_under_one_name_one_is_counted(now: str, told: list[str]) -> None:
    of = service(launchConfig=launch(version=now))
    there = [
        {"id": "1i11", "name": "web-1", "state": "running", "version": "new"},
        {"id": "1i1", "name": "web-1", "state": "running", "version": "0"},
        {"id": "1i3", "name": "web-10", "state": "running", "version": "0"},
        {"id": "1i2", "name": "web-2", "state": "running", "version": "0"},
        {"id": "1i12", "name": "web-2", "state": "starting", "version": "new"},
    ]
    assert [one["id"] for one in numbered(of, there)] == told


def test_a_service_of_names_or_addresses_only_has_no_containers() -> None:
    assert numbered(service(type="dnsService", launchConfig=None, secondaryLaunchConfigs=None), []) == []


@pytest.mark.parametrize("text", [None, "", "a text", "a [text]"])
def test_a_mark_is_read_back_from_a_description(text: str | None) -> None:
    description = described(text, MARK, "stack")
    assert tags_of(description) == MARK.tags("stack")
    assert words_of(description) == (text or "")


@pytest.mark.parametrize("description", [None, "", "text", "text [container.schedulers/]", "[a=b]"])
def test_what_has_no_mark(description: str | None) -> None:
    assert tags_of(description) == {}
    with pytest.raises(NotOursError, match="stack web exists and was not made by"):
        require_marked(MARK, {"description": description}, "stack web")
    require_marked(MARK, {"description": description}, "stack web", adopt=True)


def test_what_is_somebody_elses_is_not_adopted() -> None:
    other = {"description": described("", Mark("rancher/1a9"), "stack")}
    with pytest.raises(NotOursError, match="belongs to rancher/1a9"):
        require_marked(MARK, other, "stack web", adopt=True)


@pytest.mark.parametrize(
    ("words", "there", "managed"),
    [
        (None, None, described("", MARK, "stack")),
        ("text", None, described("text", MARK, "stack")),
        (None, described("text", MARK, "stack"), None),
        ("text", described("old", MARK, "stack"), described("text", MARK, "stack")),
        (None, "theirs", described("theirs", MARK, "stack")),
    ],
)
def test_a_description_is_managed_only_as_far_as_it_is_given(
    words: str | None, there: str | None, managed: str | None
) -> None:
    live = None if there is None else {"description": there}
    assert managed_description(words, live, MARK, "stack") == managed


@pytest.mark.parametrize("name", ["web", "a", "my-app-2", "A1", "x" * 63])
def test_names_that_rancher_takes(name: str) -> None:
    assert names.checked_name("name", name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "a_b", "a b", "x" * 64, "ü"])
def test_names_that_rancher_refuses(name: str) -> None:
    with pytest.raises(InputError, match=r"name: .* must have 1 to 63 letters"):
        names.checked_name("name", name)


@pytest.mark.parametrize("name", ["node1", "a", "n-1"])
def test_names_of_hosts(name: str) -> None:
    assert names.checked_host("names", name) == name


@pytest.mark.parametrize("name", ["Node1", "node_1", "-a", "a-", "", "a.b"])
def test_names_that_no_host_can_have(name: str) -> None:
    with pytest.raises(InputError, match="small letters"):
        names.checked_host("names", name)


def test_a_name_that_stands_twice() -> None:
    names.refuse_twice("services", ["a", "b"])
    with pytest.raises(InputError, match="services: A is there twice"):
        names.refuse_twice("services", ["a", "A"])


@pytest.mark.parametrize(
    ("fields", "is_ready"),
    [
        ({}, True),
        ({"state": "updating-active"}, False),
        ({"transitioning": "yes"}, False),
        ({"healthState": "initializing"}, False),
        ({"healthState": "degraded"}, False),
        ({"healthState": None}, True),
        ({"healthState": "updating-healthy"}, True),
        ({"scale": 2}, False),
        ({"scale": 2, "healthState": "started-once"}, True),
        ({"scale": 2, "scalePolicy": {"min": 1}}, True),
        ({"scale": 5, "launchConfig": launch(labels={"io.rancher.scheduler.global": "true"})}, True),
        ({"scale": None}, True),
        ({"state": "upgraded"}, False),
    ],
)
def test_when_a_service_is_ready(fields: dict[str, Any], is_ready: bool) -> None:
    assert ready.service_ready(service(**fields)) is is_ready


def test_an_upgraded_service_is_ready_where_nobody_finishes() -> None:
    assert ready.service_ready(service(state="upgraded", healthState="degraded"), ("active", "upgraded"))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"transitioning": "yes", "transitioningMessage": "In Progress"}, None),
        ({"transitioning": "error", "transitioningMessage": "no such image"}, "service web failed: no such image"),
        ({"state": "error"}, "service web failed: Rancher does not say why"),
        ({"state": "removing"}, "service web is being removed"),
    ],
)
def test_when_a_service_never_becomes_ready(fields: dict[str, Any], why: str | None) -> None:
    assert ready.why_never_ready(service(**fields)) == why


@pytest.mark.parametrize(
    ("message", "at_once"),
    [
        ("Timeout getting IP address", False),
        (
            "Image [nginx:9] failed to pull: Get https://registry-1.docker.io/v2/: net/http: TLS handshake timeout",
            False,
        ),
        ("Image [nginx:9] failed to pull: manifest for nginx:9 not found: manifest unknown", True),
        ("Image [no/such] failed to pull: pull access denied, repository does not exist or may require login", True),
    ],
)
def test_what_rancher_tries_again_has_failed_once_that_lasts(message: str, at_once: bool) -> None:
    clock = FakeClock()
    patience = Patience(clock)
    other, bad = service("other", "1s8"), service(transitioning="error", transitioningMessage=message)
    said = f"service web failed: {message}"
    assert patience.why_never_ready(stack(), other, bad) == (said if at_once else None)
    clock.sleep(RETRIED_SECONDS - 1)
    assert patience.why_never_ready(stack(), other, service()) is None  # a pass that went well: it begins anew
    assert patience.why_never_ready(stack(), other, bad) == (said if at_once else None)
    clock.sleep(RETRIED_SECONDS)
    assert patience.why_never_ready(stack(), other, bad) == said


def test_a_stack_or_a_service_that_goes_is_not_waited_for() -> None:
    patience = Patience(FakeClock())
    failed = stack(transitioning="error", transitioningMessage="no")
    assert patience.why_never_ready(failed, service()) == "stack Default failed: no"
    assert patience.why_never_ready(stack(), service(state="removing")) == "service web is being removed"


def test_a_stack_is_ready_with_all_of_its_services() -> None:
    off = service("off", state="inactive", startOnCreate=False)
    assert ready.stack_ready(stack(), [])
    assert ready.stack_ready(stack(), [service(), off])
    assert not ready.stack_ready(stack(state="activating"), [service()])
    assert not ready.stack_ready(stack(), [service(), service("b", state="activating")])


def test_the_state_of_a_stack_names_what_it_waits_for() -> None:
    busy = service("b", state="activating", transitioning="yes", transitioningMessage="pulling", healthState=None)
    assert ready.describe_stack(stack(), [service(), busy]) == (
        "stack Default is active, health healthy; service b is activating, pulling"
    )


@pytest.mark.parametrize(
    ("image", "canonical"),
    [
        ("nginx", "nginx:latest"),
        ("docker:nginx:1.27", "nginx:1.27"),
        ("host:5000/a/nginx", "host:5000/a/nginx:latest"),
        ("nginx@sha256:00", "nginx@sha256:00"),
    ],
)
def test_an_image_has_a_tag(image: str, canonical: str) -> None:
    assert canonical_image(image) == canonical


@pytest.mark.parametrize(
    ("port", "canonical", "host"),
    [
        ("80", "80/tcp", None),
        ("8080:80", "8080:80/tcp", (8080, "tcp")),
        ("53:53/udp", "53:53/udp", (53, "udp")),
        ("80/tcp", "80/tcp", None),
        ("127.0.0.1:8080:80", "127.0.0.1:8080:80/tcp", None),
        ("0.0.0.0:8080:80", "8080:80/tcp", (8080, "tcp")),
        ("127.0.0.1::80/udp", "127.0.0.1::80/udp", None),
        ("080:0080", "80:80/tcp", (80, "tcp")),
    ],
)
def test_ports(port: str, canonical: str, host: tuple[int, str] | None) -> None:
    assert canonical_port(port) == canonical
    assert host_port(canonical) == host


@pytest.mark.parametrize(
    "port",
    [
        "",
        "http",
        "0",
        "65536",
        "80:0",
        "80:80:80",
        "80/sctp",
        "80-90",
        "127.0.0.1:80",
        ":80",
        "80::80",
        "999.1.1.1:80:80",
    ],
)
def test_what_is_no_port(port: str) -> None:
    with pytest.raises(InputError, match="is no port"):
        canonical_port(port)


def test_a_port_that_rancher_has_picked_was_not_asked_for() -> None:
    there = ["127.0.0.1:49153:80/tcp", "49154:81/tcp", "127.0.0.1:49155:82/tcp", "49156:83/tcp", "8084:84/tcp", "?"]
    wanted = {"127.0.0.1::80/tcp", "81/tcp", "82/tcp", "49156:83/tcp"}
    assert as_asked(there, wanted) == [
        "127.0.0.1:49155:82/tcp", "127.0.0.1::80/tcp", "49156:83/tcp", "8084:84/tcp", "81/tcp", "?"
    ]  # fmt: skip
    assert as_asked(["8084:84/tcp"], ["84/tcp"]) == ["84/tcp"]  # an upgrade would keep it


def test_a_port_that_is_not_known_is_left_to_rancher() -> None:
    ports = ["8000-8010:8000-8010/tcp", "80:80/tcp", "[::1]:81:81/tcp"]
    assert live_launch(launch(ports=ports))["ports"] == ports


def test_a_health_check_is_compared_as_a_whole() -> None:
    assert health_check({"port": 80}) == {**HEALTH_DEFAULTS, "port": 80}
    assert health_check({"port": 80, "path": "/a", "interval": 500}) == {
        **HEALTH_DEFAULTS,
        "port": 80,
        "request_line": 'GET "/a" "HTTP/1.0"',
        "interval": 500,
    }
    assert health_check({"enabled": False}) == {}


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ({}, "port is needed"),
        ({"port": 70000}, "health_check: port is 70000, but has to be between 1 and 65535"),
        ({"port": 80, "interval": 0}, "health_check: interval is 0, but has to be at least 1"),
        ({"port": 80, "healthy_threshold": -1}, "health_check: healthy_threshold is -1"),
        ({"port": 80, "initializing_timeout": -1}, "initializing_timeout is -1, but has to be at least 0"),
        ({"port": 80, "path": "a"}, "has to start with a slash"),
        ({"port": 80, "path": "/", "request_line": "GET /"}, "exclude one another"),
    ],
)
def test_health_checks_that_cannot_be(check: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        health_check(check)


SPEC: dict[str, Any] = {
    "image": "nginx:1.27",
    "command": ["nginx", "-g", "daemon off;"],
    "environment": {"A": "b"},
    "ports": ["80/tcp"],
    "volumes": ["data:/data"],
    "volume_driver": "convoy-gluster",
    "health_check": {**HEALTH_DEFAULTS, "port": 80, "strategy": "recreateOnQuorum", "quorum": 2},
    "restart_policy": "always",
    "memory": 1024,
    "global": True,
    "pull_always": True,
    "labels": {"tier": "front"},
}


def test_a_launch_configuration_is_read_as_it_was_said() -> None:
    launched = rendered_launch(SPEC, SPEC)
    assert launched["imageUuid"] == "docker:nginx:1.27"
    assert launched["labels"] == {
        "tier": "front",
        "io.rancher.scheduler.global": "true",
        "io.rancher.container.pull_image": "always",
    }
    there = live_launch(launched)
    assert {name: there[name] for name in SPEC} == SPEC


def test_an_upgrade_carries_over_what_is_not_spoken_of() -> None:
    current = launch(ports=["80/tcp"], tty=True, unknown="kept", labels={"a": "b", "io.rancher.service.hash": "x"})
    upgraded = rendered_launch({"image": "nginx:1.28"}, {"image"}, current)
    assert upgraded == {**current, "imageUuid": "docker:nginx:1.28"}
    relabelled = rendered_launch({"labels": {"c": "d"}, "pull_always": True}, {"labels", "pull_always"}, current)
    assert relabelled["labels"] == {"c": "d", "io.rancher.container.pull_image": "always"}


def test_switches_keep_the_users_labels() -> None:
    current = launch(labels={"a": "b", "io.rancher.container.pull_image": "always"})
    assert rendered_launch({"pull_always": False}, {"pull_always"}, current)["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            {"labels": {"io.rancher.scheduler.global": True}},
            "labels: io.rancher.scheduler.global is set by global: true",
        ),
        ({"labels": {"io.rancher.container.pull_image": "always"}}, "pull_image is set by pull_always: true"),
        ({"labels": {"io.rancher.service.hash": "x"}}, "service.hash is set by Rancher itself"),
        ({"memory_mib": -1}, "memory_mib is -1, but has to be at least 0"),
        ({"cpu_shares": -1}, "cpu_shares is -1, but has to be at least 0"),
        ({"hostname": "a b"}, "hostname: 'a b' is no name"),
        ({"network_mode": "a b"}, "network_mode: 'a b' is no name"),
        ({"links": [{"service": "db", "alias": "a b"}]}, "links: alias 'a b' must have letters"),
        (
            {"load_balancer": [{"source_port": 80, "service": "a"}, {"source_port": 80, "service": "Default/a"}]},
            "load_balancer: the rule of port 80 to Default/a is there twice",
        ),
    ],
)
def test_services_that_cannot_be(options: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError) as caught:
        read_services("Default", [{"name": "web", **options}], Veil())
    assert caught.value.message.startswith("services: web: ")
    assert why in caught.value.message


def rule(source: int, service_id: str, target: int | None = None, **more: Any) -> dict[str, Any]:
    usual = {"protocol": "http", "hostname": "", "path": ""}
    return {"source_port": source, "service": service_id, "target_port": target or source, **usual, **more}


RULES = [
    [rule(80, "1s7")],
    [rule(80, "1s7", 8080)],
    [rule(80, "1s7", hostname="a.test"), rule(80, "1s8", 81, path="/b")],
    [rule(80, "1s7"), rule(443, "1s7", 80, protocol="tcp")],
    [rule(80, "1s7"), rule(81, "1s8")],
]


@pytest.mark.parametrize("rules", RULES)
def test_rules_are_read_as_they_were_said(rules: list[dict[str, Any]]) -> None:
    assert links.rules_of_v2(reversed(links.v2_rules(rules))) == rules
    maps = [{"consumedServiceId": one["serviceId"], "ports": one["ports"]} for one in links.v1_links(rules)]
    found = links.rules_of_v1(links.v1_ports(rules), maps)
    assert found == links.in_v1_order(rules)


def test_the_plainest_load_balancer_of_v1_is_what_the_pages_make() -> None:
    assert links.v1_ports(RULES[0]) == ["80:80"]
    assert links.v1_links(RULES[0]) == [{"serviceId": "1s7", "ports": []}]


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("8080", rule(80, "1s7", 8080)),
        ("8080:a.test/b", rule(80, "1s7", 8080, hostname="a.test", path="/b")),
        ("a.test", rule(80, "1s7", hostname="a.test")),
        ("a.test/b=81", rule(80, "1s7", 81, hostname="a.test", path="/b")),
    ],
)
def test_links_that_others_have_made(port: str, said: dict[str, Any]) -> None:
    assert links.rules_of_v1(["80:80"], [{"consumedServiceId": "1s7", "ports": [port]}]) == [said]


def test_a_protocol_of_v1_that_cannot_be_told() -> None:
    live = [rule(80, "1s7", protocol="tcp"), rule(81, "1s7", protocol="tcp")]
    assert links.with_protocols(live, [rule(80, "1s7")]) == [rule(80, "1s7"), live[1]]


def test_what_a_load_balancer_publishes() -> None:
    rules = [rule(80, "1s7"), rule(53, "1s7", protocol="udp"), rule(80, "1s8")]
    assert links.v2_ports(rules) == ["53:53/udp", "80:80/tcp"]


@pytest.mark.parametrize(("text", "target"), [("web", "own/web"), ("galera/lb", "galera/lb")])
def test_targets(text: str, target: str) -> None:
    assert str(links.Target.parse("links", text, "own")) == target


@pytest.mark.parametrize("text", ["", "/", "/a", "a/", "a/b/c"])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(InputError, match="is no service"):
        links.Target.parse("links", text, "own")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"source_port": 0, "service": "a"}, "source_port is 0, but has to be between"),
        ({"source_port": 80, "target_port": 70000, "service": "a"}, "target_port is 70000, but has to be between"),
        ({"source_port": 80, "service": "a", "path": "b"}, "has to start with a slash"),
    ],
)
def test_rules_that_cannot_be(options: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        links.parsed_rule(options, "own", "services: lb")


def test_the_port_that_newer_servers_check_load_balancers_at() -> None:
    links.refuse_for_v2([rule(80, "a", 42)], "lb")
    with pytest.raises(InputError, match=r"lb: source_port 42 is where Rancher 1[.]2 and newer check load balancers"):
        links.refuse_for_v2([rule(80, "a"), rule(42, "a")], "lb")


def test_networks_that_old_servers_do_not_know() -> None:
    options = StackOptions("Default", UpgradePolicy(), services=(ServiceOptions("web", {"network_mode": "zzz"}),))
    refuse_for(options, v1=False)
    with pytest.raises(InputError, match="services: web: network_mode 'zzz' is none of managed, host, bridge, none"):
        refuse_for(options, v1=True)
    refuse_for(replace(options, services=(ServiceOptions("web", {"network_mode": "host"}),)), v1=True)


def test_protocols_that_old_servers_do_not_know() -> None:
    links.refuse_for_v1([rule(80, "a")], "lb")
    with pytest.raises(InputError, match="lb: protocol tls needs Rancher"):
        links.refuse_for_v1([rule(80, "a", protocol="tls")], "lb")


def host(name: str, *ports: tuple[int, str], state: str = "active") -> dict[str, Any]:
    points = [{"port": port, "serviceId": owner} for port, owner in ports]
    return {"id": name, "hostname": name, "state": state, "publicEndpoints": points}


HOSTS = [host("n1", (80, "1s1")), host("n2", (80, "1s2")), host("n3"), host("n4", (80, "1s3"), state="inactive")]


@pytest.mark.parametrize(
    "claim",
    [
        Claim("a", ["80:80"]),
        Claim("a", ["81:80"], 3),
        Claim("a", ["80"], None),
        Claim("a", ["80:80"], 2, own=["1s1"]),
        Claim("a", ["80:80"], None, own=["1s1", "1s2"]),
        Claim("a", ["127.0.0.1:80:80", "80-90:80-90"], None),
    ],
)
def test_ports_that_are_free(claim: Claim) -> None:
    refuse_taken([claim], HOSTS)


@pytest.mark.parametrize(
    ("claim", "hosts", "why"),
    [
        (Claim("a", ["80:80"]), HOSTS[:2], "a wants port 80, which is already used on all hosts"),
        (Claim("a", ["80:80"], 2), HOSTS, r"used on n1, n2; it is free on 1 of 3"),
        (Claim("a", ["80:80"], None), HOSTS, r"used on n1, n2"),
    ],
)
def test_ports_that_are_taken(claim: Claim, hosts: list[Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        refuse_taken([claim], hosts)


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ((None, None), "a and b want port 8080, for which there are 3 hosts"),
        ((2, 2), "a and b want port 8080"),
        ((2, 1), ""),
        ((None, 1), "a and b want port 8080"),
    ],
)
def test_services_of_one_stack_share_the_hosts(counts: tuple[int | None, int | None], why: str) -> None:
    claims = [Claim(name, ["8080:80"], count) for name, count in zip("ab", counts, strict=True)]
    if not why:
        refuse_taken(claims, HOSTS)
        return
    with pytest.raises(InputError, match=why):
        refuse_taken(claims, HOSTS)


def test_without_hosts_no_port_is_taken() -> None:
    refuse_taken([Claim("a", ["80:80"], 5)], HOSTS[3:])


@pytest.mark.parametrize("name", ["MYSQL_PASSWORD", "db_pass", "AWS_SECRET_KEY", "api_key", "accessToken", "passwd"])
def test_what_is_secret_by_its_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["KEYBOARD", "VOLUME_NAME", "public_port", "passage", "bypass_cache"])
def test_what_is_not(name: str) -> None:
    assert not is_secret(name)
    assert is_secret(name, [name])


def test_a_veil_tells_secrets_apart_and_shows_none() -> None:
    veil = Veil()
    hidden = veil.hide_some({"PASSWORD": "one", "A": "one", "B": "two"}, {"B"})
    assert hidden["A"] == "one"
    assert "one" not in hidden["PASSWORD"]
    assert hidden["PASSWORD"] == veil.hide("one") != veil.hide("two") == hidden["B"]
    assert veil.hide(hidden["B"]) == hidden["B"]
    assert veil.reveal(hidden) == {"PASSWORD": "one", "A": "one", "B": "two"}
    assert Veil().hide("one") != veil.hide("one")  # nothing can be looked up in another run's output
    assert veil.hide("") == ""


@pytest.mark.parametrize(
    ("pattern", "name", "is_above"),
    [
        ("node{n}", "node2", False),
        ("node{n}", "node3", True),
        ("node{n}", "node10", True),
        ("node{n}", "node", False),
        ("node{n}", "mynode3", False),
        ("n.{n}", "nx3", False),
        ("a{n}-{n}", "a3-3", True),
        ("a{n}-{n}", "a3-4", False),
    ],
)
def test_which_hosts_are_above_the_count(pattern: str, name: str, is_above: bool) -> None:
    assert HostOptions((), count=2, pattern=pattern).is_above(name) == is_above
    assert not HostOptions((), pattern=pattern).is_above(name)


def test_marks_of_fixtures_are_ours() -> None:
    assert MARK.owns(tags_of(marked()))
