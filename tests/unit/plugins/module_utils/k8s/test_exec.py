# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""k8s_exec as a whole, over a real WebSocket."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AnswerLostError,
    InputError,
    NotFoundError,
    SchedulersError,
    UnreachableError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._k8s.exec_module import EXEC, run_command
from ansible_collections.container.schedulers.plugins.module_utils._k8s.executing import Ran, execute, outcome_of
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from unit.api_server import Call, Status, api_server, thing
from unit.http_server import Reply, serving
from unit.plugins.module_utils.k8s.contexts import context
from unit.small_cluster import SmallCluster, small_cluster

KEYS = {"pod", "container", "rc", "stdout", "stdout_lines", "stderr", "stderr_lines"}
SPEC = ArgumentSpec({**EXEC.options, **CONNECTION.options, "state": {}})


def pod(name: str, ready: str = "True", phase: str = "Running") -> dict[str, Any]:
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}
    containers = {"containers": [{"name": "web"}, {"name": "side"}]}
    return thing("Pod", name, "default", spec=containers, status=status, metadata={"labels": {"app": "web"}})


def run(cluster: SmallCluster, **options: Any) -> Outcome:
    return run_command(context(cluster, SPEC, **{"app": "web", **options}))


def echo(pod_name: str, container: str, words: list[str], given: str) -> tuple[str, str, int]:
    return (
        f"{pod_name} {container} {words} {given}\n",
        "noise\n",
        3 if words == ["fail"] else int(words[:1] == ["test"]),
    )


def test_output_and_exit_code_come_back() -> None:
    with small_cluster() as cluster:
        cluster.command = echo
        for one in (pod("a", "False"), pod("b"), pod("c", phase="Pending")):
            cluster.put(one)
        found = run(cluster, command="say 'two words'", stdin="in" * 100, container="side")
    assert found.result["stdout_lines"] == [f"b side ['say', 'two words'] {'in' * 100}"]
    assert found.result["stderr"] == "noise\n"
    assert found.result["rc"] == 0
    assert found.plan is not None
    assert found.plan.sentences() == ["update pod default/b (command)"]


def test_a_command_that_fails_fails_with_its_output() -> None:
    with small_cluster() as cluster:
        cluster.command = echo
        cluster.put(pod("a"))
        with pytest.raises(SchedulersError, match="exit code 3: noise") as caught:
            run(cluster, argv=["fail"])
    assert caught.value.details["rc"] == 3
    assert {*caught.value.details} == KEYS


def test_a_token_that_was_refused_before_the_command_is_renewed() -> None:
    refusals = [(401, Status(401, "Unauthorized").body())]
    renewed: list[str] = []
    with small_cluster() as cluster:
        cluster.command = echo
        cluster.refuse = lambda _method, path, _body: refusals.pop() if refusals and path.endswith("/exec") else None
        cluster.put(pod("a"))
        login = Login(cluster.url, token=lambda: "old", renew=renewed.append)
        found = execute(Api(Transport(login)), "a", "default", ["say"])
    assert (found.rc, renewed) == (0, ["old"])


def test_a_connection_that_breaks_keeps_the_output() -> None:
    with small_cluster() as cluster:
        cluster.command = lambda *_asked: ("so\nfar", "noise\n", None)
        cluster.put(pod("a"))
        with pytest.raises(AnswerLostError, match="It may still run") as caught:
            run(cluster, argv=["sleep"])
    assert caught.value.details == {
        "pod": "a",
        "container": "web",
        "rc": None,
        "stdout": "so\nfar",
        "stdout_lines": ["so", "far"],
        "stderr": "noise\n",
        "stderr_lines": ["noise"],
    }


def test_a_command_that_is_not_done_in_time_has_its_output() -> None:
    done = threading.Event()

    def command(_pod: str, _container: str, _words: list[str], _given: str) -> tuple[str, str, int]:
        done.wait(60)
        return "", "", 0

    with small_cluster() as cluster:
        cluster.command = command
        cluster.put(pod("a"))
        with pytest.raises(WaitTimeoutError, match="it still runs after 1 seconds") as caught:
            run(cluster, argv=["sleep"], timeout=1)
        done.set()
    assert {*caught.value.details} == KEYS
    assert caught.value.details["rc"] is None


def test_a_check_runs_nothing() -> None:
    with small_cluster() as cluster:
        cluster.put(pod("a"))
        assert run(cluster, command="rm", check=True).result["rc"] == 0


@pytest.mark.parametrize(("there", "changed"), [(True, False), (False, True)])
def test_what_was_done_already_is_not_done_again(there: bool, changed: bool) -> None:
    def command(_pod: str, _container: str, words: list[str], _given: str) -> tuple[str, str, int]:
        return "", "", 1 if words[0] == "test" and not there else 0

    with small_cluster() as cluster:
        cluster.command = command
        cluster.put(pod("a"))
        found = run(cluster, command="touch /x", creates="/x")
    assert found.plan is not None
    assert found.plan.changed is changed


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"command": "a 'b"}, InputError, "Close all quotation marks"),
        ({"command": " "}, InputError, "command is empty"),
        ({"command": "a", "namespace": ""}, InputError, "namespace: '' is no name for a namespace"),
        ({"command": "a", "timeout": 0}, InputError, "timeout is 0"),
        ({"command": "a", "container": "x"}, InputError, "has web, side"),
        ({"command": "a", "app": "nobody"}, NotFoundError, "no pod of namespace default"),
        ({"command": "a", "app": None, "labels": {"x": "y"}}, NotFoundError, "x=y"),
        ({"command": "a", "pod": "nobody"}, NotFoundError, "Pod default/nobody does not exist"),
        ({"command": "a", "namespace": "nowhere"}, NotFoundError, "namespace nowhere does not exist"),
        ({"command": "a", "namespace": "nowhere", "pod": "a"}, NotFoundError, "namespace nowhere does not exist"),
    ],
)
def test_bad_input(options: dict[str, Any], kind: type[Exception], says: str) -> None:
    with small_cluster() as cluster:
        cluster.put(pod("a"))
        with pytest.raises(kind, match=says):
            run(cluster, **options)


def test_who_may_not_look_at_the_namespace_hears_of_the_pod() -> None:
    forbidden = (403, {"reason": "Forbidden", "message": "no"})
    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: forbidden if path.endswith("/namespaces/nowhere") else None
        with pytest.raises(NotFoundError, match="Pod nowhere/a does not exist"):
            run(cluster, command="a", namespace="nowhere", pod="a")


def test_a_refusal_is_translated() -> None:
    path = "/api/v1/namespaces/default/pods/a/exec"
    with (
        api_server(Call("GET", path, Status(404, "NotFound", 'pods "a" not found'))) as server,
        pytest.raises(NotFoundError, match='Could not run ls in Pod default/a: pods "a" not found'),
    ):
        execute(server.api(), "a", "default", ["ls"])


@pytest.mark.parametrize(("cut", "says"), [("before", "remote host was lost"), ("never", "timed out")])
def test_a_command_whose_beginning_nobody_confirms_may_have_run(cut: str, says: str) -> None:
    with (
        serving(Reply(cut=cut)) as server,
        pytest.raises(AnswerLostError, match=rf"{server.url} broke: .*{says}.* It may have run\."),
    ):
        execute(Api(Transport(Login(server.url), 0.2)), "a", "default", ["ls"])


def test_no_server() -> None:
    with pytest.raises(UnreachableError):
        execute(Api(Transport(Login("http://127.0.0.1:1"))), "a", "default", ["ls"])


@pytest.mark.parametrize("known", [(302,), ()])  # older releases take a redirect for a connection
def test_a_redirect_does_not_get_the_token(monkeypatch: pytest.MonkeyPatch, known: tuple[int, ...]) -> None:
    monkeypatch.setattr("websocket._core.SUPPORTED_REDIRECT_STATUSES", known)
    with serving() as elsewhere:
        there = {"Location": elsewhere.url.replace("http", "ws")}
        with (
            serving(Reply(302, headers=there, closes=True)) as server,
            pytest.raises(UnreachableError, match=r"(?i)does not answer: .*redirect"),
        ):
            execute(Api(Transport(Login(server.url, token=lambda: "secret"))), "a", "default", ["ls"])
        assert server.seen[0].headers["Authorization"] == "Bearer secret"
        assert elsewhere.seen == []


def test_frames() -> None:
    ran = Ran()
    for frame in (b"", b"\x01out", b"\x02err", b"\x01put", b"\x09odd"):
        ran.take(frame)
    assert (ran.stdout, ran.stderr, ran.rc) == ("output", "err", None)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ({"status": "Success"}, (0, "")),
        ({"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}}, (7, "")),
        ({"status": "Failure", "message": "container not found"}, (None, "container not found")),
        ({"status": "Failure"}, (None, "it could not be run")),
    ],
)
def test_how_a_command_ended(status: dict[str, Any], outcome: tuple[int | None, str]) -> None:
    assert outcome_of(status) == outcome
