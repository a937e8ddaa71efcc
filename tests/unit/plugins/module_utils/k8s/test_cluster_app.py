# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""k8s_cluster_app and its info module as a whole, on a cluster in a dictionary."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    InputError,
    NotFoundError,
    NotOursError,
    PartialError,
    SchedulersError,
    StateFailedError,
    WaitTimeoutError,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.answering import ask, wait_until_answers
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_argspec import APP
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_info import APP_INFO
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_info import look as look_at_apps
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_present import ensure
from ansible_collections.container.schedulers.plugins.module_utils._k8s.diagnosis_info import DIAGNOSIS
from ansible_collections.container.schedulers.plugins.module_utils._k8s.diagnosis_info import look as diagnose
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._k8s.replacing import batches, evict, outdated
from ansible_collections.container.schedulers.plugins.module_utils._k8s.run import Owner, Run
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome
from unit.api_server import Call, Status, api_server, thing
from unit.clock import FakeClock
from unit.plugins.module_utils.k8s.contexts import context
from unit.returned import as_documented
from unit.small_cluster import SmallCluster, crashing_soon, overlaid, running, small_cluster

BALANCED = {"type": "LoadBalancer", "source_ranges": ["203.0.113.0/24"]}
QUIET = {"http": False}
ASKED = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
BUDGET = {"reason": "TooManyRequests", "message": "no", "details": {"causes": [{"reason": "DisruptionBudget"}]}}


def app(cluster: SmallCluster, **options: Any) -> Outcome:
    return as_documented(ensure, ensure(context(cluster, APP, **{"name": "web", "verify": QUIET, **options})))


def sentences(outcome: Outcome) -> list[str]:
    assert outcome.plan is not None
    return outcome.plan.sentences()


@pytest.mark.parametrize("controller", ["Deployment", "ReplicationController"])
def test_the_life_of_an_app(controller: str) -> None:
    options: dict[str, Any] = {"controller": controller, "image": "nginx:1", "port": 80, "service": BALANCED}
    with small_cluster() as cluster:
        cluster.controllers = running
        would = app(cluster, check=True, replicas=3, **options)
        made = app(cluster, replicas=3, **options)
        again = app(cluster, replicas=3, **options)
        left_out = app(cluster)
        scaled = app(cluster, replicas=1)
        image = app(cluster, image="nginx:2")
        hidden = app(cluster, service={"type": "none"})
        removed = app(cluster, state="absent")
        gone = app(cluster, state="absent")
    assert sentences(would) == sentences(made)
    assert sentences(made) == ["create Service default/web", f"create {controller} default/web"]
    told = made.result["app"]
    assert told["ready_replicas"] == 3
    assert told["url"] == "http://lb.example.com/"
    assert told["service"]["source_ranges"] == ["203.0.113.0/24"]
    assert len(told["pods"]) == 3
    assert sentences(again) == sentences(left_out) == []
    assert sentences(scaled) == [f"update {controller} default/web (spec.replicas)"]
    assert "spec.template.spec.containers[web].image" in sentences(image)[0]
    assert [one["image"] for one in _containers(image)] == ["nginx:2"]
    assert sentences(hidden) == ["delete Service default/web"]
    assert hidden.result["app"]["service"] is None
    assert sentences(removed) == [f"delete {controller} default/web"]
    assert sentences(gone) == []


def _containers(outcome: Outcome) -> list[dict[str, Any]]:
    return [{"image": one} for one in outcome.result["app"]["images"]]


def meanwhile(cluster: SmallCluster, change: Callable[[dict[str, Any]], None], times: int) -> None:
    """Let somebody change the Deployment between a look at it and the write, so many times."""
    left = [change] * times

    def write(method: str, path: str, body: Any) -> None:
        there = cluster.get("Deployment", "web")
        if method == "PATCH" and "resourceVersion" in body["metadata"] and there and left:
            other = copy.deepcopy(there)
            left.pop()(other)
            cluster.put(other)

    cluster.refuse = write


def set_image(thing: dict[str, Any]) -> None:
    container = thing["spec"]["template"]["spec"]["containers"][0]
    container["image"] += "1"


def set_status(thing: dict[str, Any]) -> None:
    thing["status"]["observedGeneration"] += 1


@pytest.mark.parametrize("times", [1, 2])
def test_what_another_run_says_meanwhile_stays_if_this_one_says_nothing_of_it(times: int) -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", port=80)
        meanwhile(cluster, set_image, times)
        scaled = app(cluster, replicas=5, service={"type": "ClusterIP"})
    assert scaled.result["app"]["images"] == ["nginx:1" + "1" * times]
    assert scaled.result["app"]["replicas"] == 5
    assert sentences(scaled) == ["create Service default/web", "update Deployment default/web (spec.replicas)"]


def test_what_was_done_is_told_even_if_the_pods_may_not_be_looked_at_any_more() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        cluster.expire("/api/v1/namespaces/default/pods", after="Deployment")
        with pytest.raises(PartialError, match="may have expired") as failed:
            app(cluster, image="nginx:1", wait=False)
    assert failed.value.details["steps_done"] == ["create Deployment default/web"]


def test_a_status_that_moves_is_no_change_of_the_app() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1")
        meanwhile(cluster, set_status, 5)
        cluster.requests.clear()
        app(cluster, replicas=5)
        dry_runs_and_writes = [path for method, path in cluster.requests if method == "PATCH"]
    assert len(dry_runs_and_writes) == 1 + 6


def test_an_app_that_others_change_all_the_time_is_left_to_them() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1")
        meanwhile(cluster, set_image, 100)
        with pytest.raises(PartialError, match="Could not apply Deployment default/web: the object has been modified"):
            app(cluster, replicas=5)


def test_old_pods_of_a_replication_controller_are_replaced() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, controller="ReplicationController", image="nginx:1", replicas=2)
        cluster.requests.clear()

        def replace(small: SmallCluster, one: dict[str, Any]) -> None:
            running(small, one)

        cluster.controllers = replace
        evicted: list[str] = []

        def refuse(method: str, path: str, _body: Any) -> None:
            if path.endswith("/eviction"):
                evicted.append(path)
                small = cluster
                name = path.split("/")[-2]
                small.remove("Pod", name)
                owner = small.get("ReplicationController", "web")
                assert owner is not None
                running(small, owner)

        cluster.refuse = refuse
        outcome = app(cluster, image="nginx:2")
        pods = [one for (kind, _place, _name), one in cluster.objects.items() if kind == "Pod"]
    assert sentences(outcome)[1] == "update pods of default/web (pods_of_older_versions)"
    assert len(evicted) == 2
    assert {one["spec"]["containers"][0]["image"] for one in pods} == {"nginx:2"}


@pytest.mark.parametrize("controller", ["Deployment", "ReplicationController"])
def test_pods_of_others_with_the_label_of_the_app_are_neither_counted_nor_replaced(controller: str) -> None:
    spec = ArgumentSpec({**APP_INFO.options, **CONNECTION.options, "state": {}})
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}
    evicted: list[str] = []

    def note(_method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
        if path.endswith("/eviction"):
            evicted.append(path.split("/")[-2])
            cluster.remove("Pod", evicted[-1])
            running(cluster, cluster.objects[(controller, "default", "web")])
            return 201, {}
        return None

    with small_cluster() as cluster:
        cluster.controllers = running
        cluster.write(thing("Deployment", "web-2", "default", spec={"replicas": 2, "template": template}))
        made = app(cluster, controller=controller, image="nginx:1", replicas=1)
        again = app(cluster)
        cluster.refuse = note
        changed = app(cluster, image="nginx:2")
        looked = look_at_apps(context(cluster, spec)).result["apps"]
    assert sentences(again) == []
    assert [[one["name"] for one in each.result["app"]["pods"]] for each in (made, again, changed)] == [["web-0"]] * 3
    assert evicted == (["web-0"] if controller == "ReplicationController" else [])
    assert {one["name"]: len(one["pods"]) for one in looked} == {"web": 1, "web-2": 2}


def test_an_empty_variable_that_is_left_out_later_replaces_no_pods() -> None:
    """A server leaves out an empty value when it shows a variable."""
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, controller="ReplicationController", image="nginx:1", environment={"A": "", "B": "1"})
        found = cluster.get("ReplicationController", "web")
        assert found is not None
        del found["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]
        assert sentences(app(cluster, check=True)) == []
        assert sentences(app(cluster, check=True, environment={"A": "1", "B": "1"})) != []


def test_a_rollout_that_was_interrupted_goes_on() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, controller="ReplicationController", image="nginx:1", replicas=1)
        pod = cluster.get("Pod", "web-0")
        assert pod is not None
        pod["metadata"]["annotations"] = {"container.schedulers/template": "older"}
        assert sentences(app(cluster, check=True)) == ["update pods of default/web (pods_of_older_versions)"]


def test_one_controller_is_replaced_by_the_other() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", controller="ReplicationController")
        outcome = app(cluster, controller="Deployment")
    assert sentences(outcome) == ["create Deployment default/web", "delete ReplicationController default/web"]


def test_what_is_somebody_elses_is_refused() -> None:
    with small_cluster() as cluster:
        cluster.put(thing("Service", "web", "default", spec={"type": "ClusterIP"}))
        with pytest.raises(NotOursError):
            app(cluster, image="nginx:1")
        with pytest.raises(NotOursError):
            app(cluster, state="absent", adopt=True)


PROBE = {"path": "/", "port": 80}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": "A_b"}, "name is 'A_b'"),
        ({"name": "web\n"}, "name is 'web.n'"),
        ({"namespace": ""}, "namespace: '' is no name for a namespace"),
        ({"namespace": "a.b"}, "namespace: 'a.b' is no name for a namespace"),
        ({"replicas": -1}, "replicas is -1"),
        ({"replicas": 4294967298}, "replicas is 4294967298, but has to be between 0 and 2147483647"),
        ({"image": " "}, "image is empty"),
        ({}, "a new app needs image"),
        ({"port": 0}, "port is 0"),
        ({"requests": {"cpu": "lots"}}, "requests.cpu is 'lots'"),
        ({"requests": {"cpu": "NaN"}}, "requests.cpu is 'NaN'"),
        ({"limits": {"memory": "Infinity"}}, "limits.memory is 'Infinity'"),
        ({"limits": {"memory": "64 Mi"}}, "limits.memory is '64 Mi'"),
        ({"limits": {"memory": "512m"}}, "limits.memory is '512m', which is less than 1Mi. 512m is half a byte"),
        ({"requests": {"memory": "512"}}, "requests.memory is '512', which is less than 1Mi"),
        ({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}, "more than limits.cpu"),
        ({"environment": {"A=": "1"}}, "is no name of a variable"),
        ({"environment": {"A": "1"}, "secrets": {"A": "s/k"}}, "in both environment and secrets"),
        ({"secrets": {"A": "s"}}, "a Secret and a key"),
        ({"readiness_probe": {"path": "/"}}, "readiness_probe needs a port"),
        ({"liveness_probe": {"path": "/", "command": ["a"]}}, "has both path and command"),
        ({"image": "a", "service": {"type": "ClusterIP"}}, "service needs port"),
        ({"service": {"type": "ClusterIP", "source_ranges": ["10.0.0.0/8"]}}, "needs service.type LoadBalancer"),
        ({"service": {"type": "LoadBalancer", "source_ranges": ["here"]}}, "is not a range of addresses"),
        (
            {"service": {"type": "LoadBalancer", "source_ranges": ["10.0.0.1"]}},
            "'10.0.0.1' is not a range of addresses",
        ),
        ({"service": {"type": "LoadBalancer", "source_ranges": ["fe80::%eth0/64"]}}, "is not a range of addresses"),
        ({"service": {"type": "LoadBalancer", "port": 99999}}, "service.port is 99999"),
    ],
)
def test_bad_input_is_refused_before_the_first_change(options: dict[str, Any], says: str) -> None:
    with small_cluster() as cluster:
        with pytest.raises(InputError, match=says):
            app(cluster, **options)
        assert cluster.written == []


def test_everything_that_can_be_said_of_a_container() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(
            cluster, image="nginx:1", port=80, command=["a"], args=["b"], environment={"B": "true", "C": ""},
            secrets={"A": "db/password"}, requests={"cpu": "0.1"}, limits={"memory": "64Mi"}, liveness_probe=PROBE,
            startup_probe={"command": ["true"], "initial_delay": 3}, readiness_probe={"port": 81},
            pod_labels={"tier": 1}, pod_annotations={"note": 2}, node_selector={"disk": "ssd"}, service_account="web",
            image_pull_secrets=["registry"],
            service={**BALANCED, "load_balancer": "nlb", "internal": True, "port": 8080, "annotations": {"a": 1}},
        )  # fmt: skip
        found, service = cluster.get("Deployment", "web"), cluster.get("Service", "web")
        with pytest.raises(InputError, match=r"service\.load_balancer is nlb and cannot be changed to classic"):
            app(cluster, service={"type": "LoadBalancer"})
    assert found is not None
    assert service is not None
    pod = found["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["env"] == [
        {"name": "B", "value": "true"},
        {"name": "C", "value": ""},
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
    ]
    assert container["readinessProbe"]["tcpSocket"] == {"port": 81}
    assert container["livenessProbe"]["httpGet"]["path"] == "/"
    assert container["startupProbe"]["exec"] == {"command": ["true"]}
    assert container["startupProbe"]["initialDelaySeconds"] == 3
    assert container["resources"] == {"requests": {"cpu": "0.1"}, "limits": {"memory": "64Mi"}}
    assert pod["serviceAccountName"] == "web"
    assert pod["automountServiceAccountToken"] is True
    assert found["spec"]["template"]["metadata"]["labels"]["tier"] == "1"
    assert service["metadata"]["annotations"] == {
        "a": "1",
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
        "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    }
    assert service["spec"]["ports"][0]["port"] == 8080


FIRST: dict[str, Any] = {
    "requests": {"cpu": "100m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "128Mi"},
    "environment": {"A": "1", "B": "1"},
    "secrets": {"P": "db/password", "Q": "db/user"},
}
REQUESTS, LIMITS = FIRST["requests"], FIRST["limits"]
PLAIN = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
P, Q = [
    {"name": name, "valueFrom": {"secretKeyRef": {"name": "db", "key": key}}}
    for name, key in (("P", "password"), ("Q", "user"))
]
FROM_FIELD = {"name": "NODE", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}


@pytest.mark.parametrize(
    ("later", "resources", "variables"),
    [
        ({}, {"requests": REQUESTS, "limits": LIMITS}, [*PLAIN, P, Q]),
        ({"requests": {"cpu": "200m"}}, {"requests": {"cpu": "200m"}, "limits": LIMITS}, [*PLAIN, P, Q]),
        ({"limits": {"memory": "1Gi"}}, {"requests": REQUESTS, "limits": {"memory": "1Gi"}}, [*PLAIN, P, Q]),
        ({"limits": {}}, {"requests": REQUESTS}, [*PLAIN, P, Q]),
        (
            {"environment": {"A": "2"}},
            {"requests": REQUESTS, "limits": LIMITS},
            [{"name": "A", "value": "2"}, P, Q],
        ),
        ({"secrets": {"Q": "db/user"}}, {"requests": REQUESTS, "limits": LIMITS}, [*PLAIN, Q]),
        (
            {"environment": {"P": "plain"}},
            {"requests": REQUESTS, "limits": LIMITS},
            [{"name": "P", "value": "plain"}, Q],
        ),
        ({"environment": {}, "secrets": {}}, {"requests": REQUESTS, "limits": LIMITS}, []),
    ],
)
@pytest.mark.parametrize("controller", ["Deployment", "ReplicationController"])
def test_a_given_option_counts_as_a_whole_and_one_that_is_left_out_stays(
    controller: str, later: dict[str, Any], resources: dict[str, Any], variables: list[dict[str, Any]]
) -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", controller=controller, **FIRST)
        changed = app(cluster, **later)
        again = app(cluster, **later)
        found = cluster.get(controller, "web")
    assert found is not None
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"] == resources
    assert container.get("env", []) == variables
    assert bool(sentences(changed)) is bool(later)
    assert sentences(again) == []


def test_variables_that_come_from_elsewhere_stay() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", environment={"A": "1"})
        found = cluster.get("Deployment", "web")
        assert found is not None
        found["spec"]["template"]["spec"]["containers"][0]["env"].append(FROM_FIELD)
        app(cluster, environment={"A": "2"}, secrets={})
        found = cluster.get("Deployment", "web")
    assert found is not None
    assert found["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "2"}, FROM_FIELD]


@pytest.mark.parametrize("controller", ["Deployment", "ReplicationController"])
def test_what_asks_or_leads_to_the_port_goes_with_it(controller: str) -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        probes = {"liveness_probe": {"path": "/"}, "startup_probe": {"port": 9000}}
        app(cluster, image="nginx:1", controller=controller, port=80, service={"type": "ClusterIP"}, **probes)
        app(cluster, port=8080)
        again = app(cluster, port=8080)
        found, service = cluster.get(controller, "web"), cluster.get("Service", "web")
    assert found is not None
    assert service is not None
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["tcpSocket"] == {"port": 8080}
    assert container["livenessProbe"]["httpGet"]["port"] == 8080
    assert container["startupProbe"]["tcpSocket"] == {"port": 9000}
    assert [(one["port"], one["targetPort"]) for one in service["spec"]["ports"]] == [(80, 8080)]
    assert sentences(again) == []


@pytest.mark.parametrize("controller", ["Deployment", "ReplicationController"])
def test_probes_can_be_taken_away(controller: str) -> None:
    """One that is left out stays. A port gets one, unless it shall have none."""
    with small_cluster() as cluster:
        cluster.controllers = running
        given = {"image": "nginx:1", "port": 80, "controller": controller}
        app(cluster, **given, liveness_probe={"path": "/"}, startup_probe={"command": ["true"]})
        off = {"liveness_probe": {"enabled": False}, "readiness_probe": {"enabled": False}}
        app(cluster, **given, **off)
        again = app(cluster, **given, **off)
        found = cluster.get(controller, "web")
    assert found is not None
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert [field for field in container if field.endswith("Probe")] == ["startupProbe"]
    assert sentences(again) == []


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({"image_pull_secrets": ["b", "a"]}, {"image_pull_secrets": ["a", "b", "a"]}),
        ({"service_account": "web"}, {"service_account": ""}),
        (
            {"service": {"type": "LoadBalancer", "source_ranges": ["10.0.0.0/8", "192.168.0.0/16"]}},
            {"service": {"type": "LoadBalancer", "source_ranges": ["192.168.0.0/16", "10.0.0.0/8"]}},
        ),
    ],
)
def test_the_same_in_other_words_is_no_change(first: dict[str, Any], later: dict[str, Any]) -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        given = {"image": "nginx:1", "port": 80, "controller": "ReplicationController"}
        app(cluster, **given, **first)
        assert sentences(app(cluster, **given, **later)) == []


def test_nothing_moves_where_the_port_is_there_already() -> None:
    """Somebody's app that has a port before the one that it is reached at."""
    ports = [{"name": "metrics", "containerPort": 9090}, {"name": "http", "containerPort": 8080}]
    probe = {"httpGet": {"path": "/healthz", "port": 9090}}
    container = {"name": "web", "image": "nginx:1", "ports": ports, "livenessProbe": probe}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    ways = [{"name": one["name"], "port": one["containerPort"], "targetPort": one["containerPort"]} for one in ports]
    with small_cluster() as cluster:
        cluster.controllers = running
        cluster.write({**thing("Deployment", "web", "default", spec=spec), "apiVersion": "apps/v1"})
        cluster.write(thing("Service", "web", "default", spec={"selector": {"app": "web"}, "ports": ways}))
        app(cluster, adopt=True, port=8080)
        found, service = cluster.get("Deployment", "web"), cluster.get("Service", "web")
    assert found is not None
    assert service is not None
    assert found["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["httpGet"]["port"] == 9090
    assert [one["targetPort"] for one in service["spec"]["ports"]] == [9090, 8080]


def test_a_request_above_the_limit_that_the_app_has_is_refused() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", limits={"cpu": "100m"})
        with pytest.raises(InputError, match=r"requests\.cpu is 200m, which is more than limits\.cpu, 100m"):
            app(cluster, requests={"cpu": "200m"})


@pytest.mark.parametrize(
    ("given", "left"),
    [({}, {"a": "1"}), ({"annotations": {"b": 2}}, {"b": "2"}), ({"annotations": {}}, {})],
)
def test_annotations_of_the_service_stay_if_they_are_left_out(given: dict[str, Any], left: dict[str, str]) -> None:
    nlb = {"type": "LoadBalancer", "load_balancer": "nlb"}
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", port=80, service={**nlb, "annotations": {"a": 1}})
        app(cluster, service={**nlb, "port": 8080, **given})
        balanced = cluster.get("Service", "web")
        app(cluster, service={"type": "ClusterIP", **given})
        plain = cluster.get("Service", "web")
    assert balanced is not None
    assert plain is not None
    assert balanced["metadata"]["annotations"] == {
        **left,
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
    }
    assert plain["metadata"].get("annotations", {}) == left


INTERNAL = "service.beta.kubernetes.io/aws-load-balancer-internal"


@pytest.mark.parametrize(
    ("first", "later", "says"),
    [
        ({}, {"internal": True}, r"service\.internal is false and cannot be changed to true"),
        ({"internal": True}, {"internal": False}, r"service\.internal is true and cannot be changed to false"),
        ({"internal": True}, {}, r"service\.internal is true and cannot be changed to false"),
        ({}, {"annotations": {INTERNAL: "true"}}, r"service\.internal is false and cannot be changed to true"),
        ({}, {"load_balancer": "nlb"}, r"service\.load_balancer is classic and cannot be changed to nlb"),
    ],
)
def test_a_load_balancer_does_not_become_another(first: dict[str, Any], later: dict[str, Any], says: str) -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", port=80, service={"type": "LoadBalancer", **first})
        before = list(cluster.written)
        with pytest.raises(InputError, match=says):
            app(cluster, service={"type": "LoadBalancer", **later})
        assert cluster.written == before


@pytest.mark.parametrize(
    "service",
    [
        {"internal": True},
        {"annotations": {INTERNAL: "true"}},
        {"annotations": {INTERNAL: "false"}},
        {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-type": "external"}},
    ],
)
def test_a_load_balancer_that_is_as_it_should_be(service: dict[str, Any]) -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        options: dict[str, Any] = {"port": 80, "service": {"type": "LoadBalancer", **service}}
        app(cluster, image="nginx:1", **options)
        assert sentences(app(cluster, **options)) == []


def test_a_service_without_a_load_balancer_gets_any() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", port=80, service={"type": "ClusterIP"})
        app(cluster, service={"type": "LoadBalancer", "internal": True})
        service = cluster.get("Service", "web")
    assert service is not None
    assert service["metadata"]["annotations"] == {INTERNAL: "true"}


def test_an_app_that_cannot_run_says_why() -> None:
    def stuck(cluster: SmallCluster, one: dict[str, Any]) -> None:
        running(cluster, one)
        if one["kind"] != "Deployment":
            return
        pod = cluster.get("Pod", "web-0")
        assert pod is not None
        waiting = {"waiting": {"reason": "InvalidImageName", "message": "couldn't parse image name"}}
        pod["status"] = {"phase": "Pending", "containerStatuses": [{"name": "web", "state": waiting}]}
        pod["spec"] = {**pod["spec"], "nodeName": "n"}
        cluster.put({**one, "status": {"observedGeneration": one["metadata"]["generation"], "replicas": 1}})

    with small_cluster() as cluster:
        cluster.controllers = stuck
        with pytest.raises(SchedulersError, match="an image that can never be pulled, NGINX::") as caught:
            app(cluster, image="NGINX::")
        told = diagnose(
            context(
                cluster, ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}}), namespace="default"
            )
        )
    assert isinstance(caught.value.__cause__, StateFailedError)
    assert caught.value.details["diagnosis"][0]["code"] == "image_invalid"
    assert caught.value.details["steps_done"] == ["create Deployment default/web"]
    assert told.result["healthy"] is False


def test_a_url_that_does_not_answer_is_explained_by_the_pods_behind_it() -> None:
    with small_cluster() as cluster, api_server(Call("GET", "/", Status(503))) as balancer:
        cluster.controllers, cluster.logs = crashing_soon("web"), "no such table"
        with pytest.raises(PartialError, match=r"HTTP 503.*\. Container web of Pod .*no such table") as caught:
            app(
                cluster, image="nginx:1", port=80, service=BALANCED, replicas=1, wait_timeout=0,
                verify={"http_proxy": balancer.url},
            )  # fmt: skip
    assert [one["code"] for one in caught.value.details["diagnosis"]] == ["crash_loop"]


def test_a_budget_that_pods_which_do_not_run_use_up_is_explained_by_them() -> None:
    with small_cluster() as cluster:
        cluster.controllers = crashing_soon("web")
        app(cluster, controller="ReplicationController", image="nginx:1", replicas=2)
        cluster.refuse = lambda _method, path, _body: (429, BUDGET) if path.endswith("/eviction") else None
        with pytest.raises(PartialError, match=r"evict pod .*Container web of Pod") as caught:
            app(cluster, image="nginx:2", wait_timeout=0)
    assert [one["code"] for one in caught.value.details["diagnosis"]] == ["crash_loop"]


@pytest.mark.parametrize("ready", ["True", "Unknown"])
def test_an_app_that_does_not_go_is_explained_by_the_node_that_does_not_end_its_pods(ready: str) -> None:
    kubelet = {"type": "Ready", "status": ready, "message": "Kubelet stopped posting node status."}
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", replicas=2)
        for node in ("n", "other"):
            cluster.put(thing("Node", node, "", spec={}, status={"conditions": [kubelet]}))
        for kind, name, metadata in (
            ("Deployment", "web", {"finalizers": ["foregroundDeletion"]}),
            ("Pod", "web-0", {"deletionTimestamp": "now"}),
        ):
            cluster.put(overlaid(cluster.get(kind, name), {"metadata": metadata, "spec": {"nodeName": "n"}}))
        with pytest.raises(PartialError, match="wait until Deployment default/web is gone") as caught:
            app(cluster, state="absent", wait_timeout=0)
    told = "The node n is not ready: Kubelet stopped posting node status, and 1 of the pods in question are on it."
    found = [one["message"] for one in caught.value.details["diagnosis"]]
    assert found == ([] if ready == "True" else [told])
    assert (told in caught.value.sentence()) is bool(found)


def test_a_look_at_apps() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", port=80, service=BALANCED, replicas=2)
        cluster.put(thing("ReplicationController", "other", "default", spec={"replicas": 0}))
        spec = ArgumentSpec({**APP_INFO.options, **CONNECTION.options, "state": {}})
        everything = as_documented(look_at_apps, look_at_apps(context(cluster, spec))).result["apps"]
        one = look_at_apps(context(cluster, spec, name="web", namespace="default")).result["apps"]
    assert [told["name"] for told in everything] == ["other", "web"]
    assert one[0]["url"] == "http://lb.example.com/"
    assert len(one[0]["pods"]) == 2
    assert everything[0]["service"] is None


def test_the_latest_that_was_said_about_an_app_comes_first() -> None:
    spec = ArgumentSpec({**APP_INFO.options, **CONNECTION.options, "state": {}})
    said = [("Deployment", "web", "scaled", 1), ("ReplicaSet", "web-1", "quota", 9), ("ReplicaSet", "web-b-1", "no", 9)]
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", replicas=1)
        for kind, name, message, at in [*said, ("Pod", "web-0", "pulled", 5)]:
            uid = next(
                (key[1]["metadata"]["uid"] for key in cluster.objects.items() if key[0][::2] == (kind, name)), ""
            )
            about = {"kind": kind, "name": name, "namespace": "default", "uid": uid}
            more: dict[str, Any] = {
                "message": message,
                "involvedObject": about,
                "lastTimestamp": f"2026-01-01T00:00:0{at}Z",
            }
            cluster.put(thing("Event", f"{name}.1", "default", **more))
        found = look_at_apps(context(cluster, spec, name="web", namespace="default")).result["apps"]
    assert found[0]["events"] == ["quota", "pulled", "scaled"]


@pytest.mark.parametrize(
    ("options", "says"),
    [({"namespace": "nowhere"}, "namespace nowhere does not exist"), ({"name": "web"}, "name needs namespace")],
)
def test_a_diagnosis_of_nothing(options: dict[str, Any], says: str) -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    with small_cluster() as cluster, pytest.raises(Exception, match=says):
        diagnose(context(cluster, spec, **options))


def test_a_label_may_be_called_like_a_resource() -> None:
    with small_cluster() as cluster:
        cluster.controllers = running
        for changed in (True, False):
            made = app(cluster, image="nginx:1", controller="ReplicationController", pod_labels={"memory": "high"})
            assert made.plan is not None
            assert made.plan.changed is changed


def test_a_diagnosis_of_one_app() -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    with small_cluster() as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1", replicas=1)
        cluster.put(thing("Pod", "other", "default", spec={}, status={"phase": "Pending"}))
        found = as_documented(diagnose, diagnose(context(cluster, spec, namespace="default", name="web"))).result
        labelled = diagnose(context(cluster, spec, namespace="default", labels={"app": "web"})).result
    assert [one["name"] for one in found["pods"]] == ["web-0"]
    assert found["healthy"]
    assert [one["name"] for one in labelled["pods"]] == ["web-0"]


def refused(kind: str, name: str, namespace: str = "default", **spec: Any) -> list[dict[str, Any]]:
    """A controller whose pods are refused, and what it says about it."""
    one = thing(kind, name, namespace, spec={"replicas": 1, **spec})
    about = {"kind": kind, "name": name, "uid": f"uid-{name}"}
    return [one, thing("Event", f"{name}.1", namespace, reason="FailedCreate", message="no", involvedObject=about)]


@pytest.mark.parametrize("kind", ["ReplicaSet", "StatefulSet", "DaemonSet", "Job"])
def test_an_app_without_any_pod_is_not_well(kind: str) -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    one, said = refused(kind, "db")
    one["status"] = {"desiredNumberScheduled": 1}
    elsewhere, said_there = refused("ReplicaSet", "web", "shop")
    with small_cluster("shop") as cluster:
        for each, event in ((one, said), (elsewhere, said_there)):
            event["involvedObject"]["uid"] = cluster.put(each)["metadata"]["uid"]
            cluster.put(event)
        everything = diagnose(context(cluster, spec, namespace="default")).result
        asked = diagnose(context(cluster, spec, namespace="default", name="db")).result
    assert everything["summary"] == asked["summary"]
    assert [found["object"] for found in asked["diagnosis"]] == [f"{kind} default/db"]


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("", (401, {"reason": "Unauthorized", "message": "no"})),
        ("/pods", (403, {"reason": "Forbidden", "message": "no"})),
        ("/events", (501, {"reason": "NotImplemented", "message": "no"})),
    ],
    ids=["nobody", "no-pods", "no-server"],
)
def test_nothing_is_healthy_that_could_not_be_looked_at(what: str, answer: tuple[int, dict[str, str]]) -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: answer if path.endswith(what) and path != "/readyz" else None
        with pytest.raises(SchedulersError):
            diagnose(context(cluster, spec))


@pytest.mark.parametrize(
    ("what", "healthy", "unread"),
    [
        ("events", False, ["Event"]),
        ("replicasets", False, ["ReplicaSet"]),
        ("nodes", True, ["Node"]),
        ("none", True, []),
    ],
)
def test_what_may_not_be_looked_at_is_named(what: str, healthy: bool, unread: list[str]) -> None:
    forbidden = (403, {"reason": "Forbidden", "message": f"cannot list {what}"})
    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: (
            forbidden if path.endswith((what, "/namespaces/default")) else None
        )
        found = diagnose(context(cluster, ASKED, namespace="default")).result
    assert found["healthy"] is healthy
    assert [kind for one in found["could_not_look"] for kind in one["kinds"]] == unread
    assert all(f"cannot list {what}" in one["why"] for one in found["could_not_look"])
    assert [f"cannot list {what}" in one for one in found["summary"]] == [True] * (not healthy)


def crashing(cluster: SmallCluster, name: str, app: str) -> None:
    owner = [{"kind": "ReplicaSet", "name": app, "uid": f"uid-{app}", "controller": True}]
    state = {"name": "c", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    status = {"phase": "Running", "containerStatuses": [state]}
    metadata = {"ownerReferences": owner, "labels": {"app": app}}
    cluster.put(thing("Pod", name, "default", spec={"nodeName": "n"}, metadata=metadata, status=status))


def test_of_every_app_one_log_is_read() -> None:
    with small_cluster() as cluster:
        cluster.logs = "boom"
        for name in "abcd":
            for number in range(3):
                crashing(cluster, f"{name}-{number}", name)
        found = diagnose(context(cluster, ASKED, namespace="default")).result
        logs = [path for _method, path in cluster.requests if path.endswith("/log")]
    assert len(logs) == 4
    assert ["Its last lines: boom (and 2 more like it)" in one for one in found["summary"]] == [True] * 4


def test_a_log_that_may_not_be_read_is_not_called_empty() -> None:
    forbidden = (403, {"reason": "Forbidden", "message": "no"})
    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: forbidden if path.endswith("/log") else None
        crashing(cluster, "a-1", "a")
        found = diagnose(context(cluster, ASKED, namespace="default")).result
    assert "wrote nothing" not in found["summary"][0]


def test_labels_leave_the_troubles_of_other_apps_out() -> None:
    refusal = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    with small_cluster() as cluster:
        for name in ("a", "b"):
            labels = {"labels": {"app": name}}
            spec = {"replicas": 2, "template": {"metadata": labels}}
            cluster.put(thing("ReplicaSet", name, "default", spec=spec, status={"conditions": [refusal]}))
            cluster.put(thing("Service", name, "default", spec={"selector": {"app": name}}))
            cluster.put(thing("Pod", name, "default", spec={}, metadata=labels, status=ready))
        cluster.put(thing("Service", "c", "default", spec={"selector": {"tier": "none"}}))
        found = diagnose(context(cluster, ASKED, namespace="default", labels={"app": "a"})).result
    assert [one["object"] for one in found["diagnosis"]] == ["ReplicaSet default/a", "Service default/c"]


def test_a_service_is_asked_about_with_the_pods_behind_it() -> None:
    with small_cluster() as cluster:
        cluster.put(thing("Service", "front", "default", spec={"selector": {"app": "a"}}))
        crashing(cluster, "a-1", "a")
        crashing(cluster, "b-1", "b")
        found = diagnose(context(cluster, ASKED, namespace="default", name="front")).result
    assert [one["object"] for one in found["diagnosis"]] == ["Pod default/a-1"]


@pytest.mark.parametrize("options", [{"namespace": "shop"}, {}])
def test_a_namespace_that_is_being_deleted_is_not_well(options: dict[str, Any]) -> None:
    with small_cluster("shop") as cluster:
        cluster.put(thing("Namespace", "shop", "", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}, spec={}))
        found = diagnose(context(cluster, ASKED, **options)).result
    assert [one["code"] for one in found["diagnosis"]] == ["being_deleted"]


def test_a_server_without_a_kind_is_looked_at_all_the_same() -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    missing = (404, {"reason": "NotFound", "message": "no"})
    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: missing if path.endswith("/cronjobs") else None
        assert diagnose(context(cluster, spec)).result["healthy"]


def test_who_may_see_one_namespace_only_sees_what_runs_there() -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    forbidden = (403, {"reason": "Forbidden", "message": "no"})
    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: None if "/namespaces/" in path or path == "/readyz" else forbidden
        cluster.put(thing("Deployment", "web", "default", api_version="apps/v1", spec={}))
        found = diagnose(context(cluster, spec, namespace="default", name="web")).result
    assert found["healthy"]


def test_troubles_of_another_namespace_are_not_those_of_this_one() -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    one, _said = refused("ReplicaSet", "web", "shop")
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    with small_cluster("shop") as cluster:
        cluster.put({**one, "status": {"conditions": [failure]}})
        assert diagnose(context(cluster, spec, namespace="default")).result["healthy"]
        assert not diagnose(context(cluster, spec, namespace="shop", name="web")).result["healthy"]


@pytest.mark.parametrize("name", ["wob", "web-1", "we"])
def test_there_is_no_diagnosis_of_an_app_that_is_not_there(name: str) -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    with small_cluster("shop") as cluster:
        cluster.controllers = running
        app(cluster, image="nginx:1")
        cluster.put(thing("Deployment", "wob", "shop", api_version="apps/v1"))
        with pytest.raises(NotFoundError, match=f"there is no controller, pod or service {name} in namespace default"):
            diagnose(context(cluster, spec, namespace="default", name=name))


def test_an_app_is_found_by_what_is_above_its_pods() -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    names = ["CronJob backup", "Job backup-1", "Pod backup-1-x"]
    with small_cluster() as cluster:
        above: list[dict[str, Any]] = []
        for kind, name in (one.split() for one in names):
            put = cluster.put(thing(kind, name, "default", metadata={"ownerReferences": above}, spec={}))
            above = [{"kind": kind, "name": name, "uid": put["metadata"]["uid"], "controller": True}]
        found = [
            [pod["name"] for pod in diagnose(context(cluster, spec, namespace="default", name=name)).result["pods"]]
            for name in ("backup", "backup-1", "backup-1-x")
        ]
    assert found == [["backup-1-x"]] * 3


def test_who_takes_the_room_is_named_as_the_user_knows_it() -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    room = {"allocatable": {"cpu": "1", "pods": "9"}, "conditions": [{"type": "Ready", "status": "True"}]}
    full = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "1 Insufficient cpu."}
    asks: dict[str, Any] = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "800m"}}}]}
    with small_cluster("shop") as cluster:
        cluster.put(thing("Node", "n", "", spec={}, status=room))
        above: list[dict[str, Any]] = []
        for kind, name in (("Deployment", "big"), ("ReplicaSet", "big-1")):
            put = cluster.put(thing(kind, name, "shop", metadata={"ownerReferences": above}, spec={"replicas": 1}))
            above = [{"kind": kind, "name": name, "uid": put["metadata"]["uid"], "controller": True}]
        runs = {"phase": "Running"}
        cluster.put(
            thing(
                "Pod",
                "big-1-x",
                "shop",
                metadata={"ownerReferences": above},
                spec={**asks, "nodeName": "n"},
                status=runs,
            )
        )
        cluster.put(thing("Pod", "db", "default", spec=asks, status={"phase": "Pending", "conditions": [full]}))
        found = diagnose(context(cluster, spec, namespace="default", name="db")).result
    assert "Remove Deployment shop/big " in found["summary"][0]


def test_a_crash_is_explained_with_its_log() -> None:
    spec = ArgumentSpec({**DIAGNOSIS.options, **CONNECTION.options, "state": {}})
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"phase": "Running", "containerStatuses": [{"name": "web", "state": waiting, "restartCount": 2}]}
    with small_cluster() as cluster:
        cluster.logs = "no such table\n"
        cluster.put(thing("Pod", "web-0", "default", spec={"nodeName": "n"}, status=status))
        found = diagnose(context(cluster, spec, namespace="default")).result
        cluster.logs = ""
        silent = diagnose(context(cluster, spec)).result
    assert "Its last lines: no such table" in found["summary"][0]
    assert "It wrote nothing" in silent["summary"][0]


def test_groups_in_which_pods_are_replaced() -> None:
    assert [len(one) for one in batches([{}] * 9)] == [2, 2, 2, 2, 1]
    assert batches([]) == []


def test_pods_that_are_not_ready_are_replaced_first() -> None:
    ready = thing("Pod", "ready", status={"conditions": [{"type": "Ready", "status": "True"}]})
    ill, ended = thing("Pod", "ill"), thing("Pod", "ended", status={"phase": "Succeeded"})
    new = thing("Pod", "new", metadata={"annotations": {"container.schedulers/template": "v"}})
    assert [one["metadata"]["name"] for one in outdated([ready, ill, ended, new], "v")] == ["ill", "ready"]


def evicted(refuse: Callable[[str, str, Any], tuple[int, dict[str, Any]] | None]) -> SmallCluster:
    """A cluster whose pod was asked to go, with what its server says to that."""
    with small_cluster() as cluster:
        pod = cluster.put(thing("Pod", "web", "default"))
        cluster.refuse = refuse
        evict(Run(cluster.api(), Owner("", ""), Deadline(FakeClock(), 30)), pod)
        return cluster


def test_a_pod_goes_once_its_budget_allows_it() -> None:
    left = [(429, BUDGET)] * 2
    cluster = evicted(lambda _method, path, _body: left.pop() if left and path.endswith("/eviction") else None)
    assert left == []
    assert cluster.get("Pod", "web") is None


def test_a_budget_that_never_allows_it_is_named() -> None:
    with pytest.raises(WaitTimeoutError, match="PodDisruptionBudget keeps the pod"):
        evicted(lambda _method, path, _body: (429, BUDGET) if path.endswith("/eviction") else None)


def test_a_pod_that_went_by_itself_is_no_error() -> None:
    evicted(lambda _method, path, _body: (404, {"reason": "NotFound"}) if path.endswith("/eviction") else None)


@pytest.mark.parametrize(("status", "answers"), [(200, True), (404, True), (503, False)])
def test_what_counts_as_an_answer(status: int, answers: bool) -> None:
    with api_server(Call("GET", "/x", "hello", status=status)) as server:
        assert ask(f"{server.url}/x").answers is answers


def test_a_url_is_asked_for_through_a_proxy() -> None:
    with api_server(Call("GET", "/", "hello")) as server:
        assert ask("http://lb.example.com/", server.url).status == 200
    assert server.headers[0]["Host"] == "lb.example.com"


def test_a_url_that_does_not_answer() -> None:
    clock = FakeClock()
    with api_server(Call("GET", "/", Status(503), times=0)) as server:
        run = Run(server.api(), Owner("app", "web"), Deadline(clock, 5))
        with pytest.raises(WaitTimeoutError, match="HTTP 503"):
            wait_until_answers(run, f"{server.url}/")
    assert not ask("http://127.0.0.1:1/").answers
