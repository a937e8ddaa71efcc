# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manifests of kubernetes_tools are, whatever is changed in them: pinned, bounded, locked down, private."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from ansible_collections.container.schedulers.plugins.module_utils._k8s.cluster_info import data_at
from unit.roles.rendering import rendered

ROLE = Path(__file__).resolve().parents[3] / "roles" / "kubernetes_tools"
TOOLS = ("metrics-server", "dashboard", "monitoring", "logging")
STORES = ("loki", "elasticsearch")
# what Elasticsearch calls the templates and policies that it makes itself, and puts back when somebody changes them
ELASTICSEARCHS_OWN = {"logs", "metrics", "synthetics", "traces", "ilm-history", "slm-history"}
# of a container of containerd, kubelet's cAdvisor fills none of these (it has no file system for them)
NOT_OF_CONTAINERD = ("container_fs_usage_bytes", "container_fs_limit_bytes", "container_fs_inodes")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
Object = dict[str, Any]


def render(*tools: str, **settings: Any) -> list[Object]:
    """The objects of the tools, as the role hands them to k8s_apply."""
    expression = "{{ __kubernetes_tools_ground_manifests + __kubernetes_tools_manifests }}"
    answers = rendered(ROLE, expression, [{"__kubernetes_tools_item": tool, **settings} for tool in tools])
    return [one for objects in answers for one in objects]


@pytest.fixture(scope="module")
def by_store() -> dict[str, list[Object]]:
    return {store: render(*TOOLS, kubernetes_tools_log_store=store) for store in STORES}


@pytest.fixture(params=STORES)
def objects(request: pytest.FixtureRequest, by_store: dict[str, list[Object]]) -> list[Object]:
    return by_store[request.param]


def workloads(objects: list[Object]) -> Iterator[tuple[Object, Object]]:
    """Every workload with the spec of its pods."""
    for one in objects:
        if one["kind"] in WORKLOADS:
            yield one, one["spec"]["template"]["spec"]


def containers(objects: list[Object]) -> Iterator[Object]:
    for _workload, pod in workloads(objects):
        yield from (*pod.get("initContainers", []), *pod["containers"])


def identity(one: Object) -> tuple[str, str, str]:
    return one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    return [one for one in objects if one["kind"] == kind]


def test_no_object_is_there_twice(objects: list[Object]) -> None:
    names = [identity(one) for one in objects]

    assert len(names) == len(set(names))


def test_images_are_pinned_and_can_be_replaced(objects: list[Object]) -> None:
    known = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["__kubernetes_tools_images"]

    assert {one["image"] for one in containers(objects)} <= {*known.values()}
    assert all(
        image.rpartition(":")[2] not in ("", "latest") and "/" not in image.rpartition(":")[2]
        for image in known.values()
    )
    mirrored = render("dashboard", kubernetes_tools_images={"headlamp": "mirror.example/headlamp:1"})
    assert [one["image"] for one in containers(mirrored)] == ["mirror.example/headlamp:1"]


def test_every_container_is_bounded_and_locked_down(objects: list[Object]) -> None:
    for one in containers(objects):
        assert {*one["resources"]["requests"]} == {"cpu", "memory"}, one["name"]
        assert "memory" in one["resources"]["limits"], one["name"]
        context = one["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, one["name"]
        assert context["capabilities"] == {"drop": ["ALL"]}, one["name"]


def test_pods_run_as_nobody_unless_they_read_what_only_root_may(objects: list[Object]) -> None:
    root = [
        workload["metadata"]["name"]
        for workload, pod in workloads(objects)
        if not pod["securityContext"].get("runAsNonRoot")
    ]

    assert root == ["fluent-bit"]
    assert all(
        pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"} for _workload, pod in workloads(objects)
    )


def test_only_agents_see_the_nodes_files(objects: list[Object]) -> None:
    levels = {
        one["metadata"]["name"]: one["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for one in of_kind(objects, "Namespace")
    }
    for workload, pod in workloads(objects):
        if any("hostPath" in volume for volume in pod.get("volumes", [])) or pod.get("hostNetwork"):
            assert levels[workload["metadata"]["namespace"]] == "privileged"

    assert {name for name, level in levels.items() if level == "privileged"} == {"monitoring-agents", "logging-agents"}


def test_nothing_is_public(objects: list[Object]) -> None:
    assert all(one["spec"].get("type", "ClusterIP") == "ClusterIP" for one in of_kind(objects, "Service"))
    assert not of_kind(objects, "Ingress")


def test_nobody_reads_secrets_and_nobody_may_do_everything(objects: list[Object]) -> None:
    for role in of_kind(objects, "ClusterRole"):
        for rule in role["rules"]:
            assert {*rule["verbs"]} <= {"get", "list", "watch"}, role["metadata"]["name"]
            assert not {"*", "secrets", "configmaps"} & {*rule["resources"]}, role["metadata"]["name"]


def test_only_who_asks_the_api_server_has_a_token(objects: list[Object]) -> None:
    bound = {
        subject["name"]
        for one in (*of_kind(objects, "ClusterRoleBinding"), *of_kind(objects, "RoleBinding"))
        for subject in one["subjects"]
    }
    # its token only tells it where the API server is
    bound.add("headlamp")
    for workload, pod in workloads(objects):
        has_token = pod.get("automountServiceAccountToken", True)
        assert has_token == (pod["serviceAccountName"] in bound), workload["metadata"]["name"]


def test_every_pod_on_the_pod_network_has_its_policy(objects: list[Object]) -> None:
    policies = {
        (one["metadata"]["namespace"], json.dumps(one["spec"]["podSelector"].get("matchLabels")))
        for one in of_kind(objects, "NetworkPolicy")
    }
    for workload, pod in workloads(objects):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        if not pod.get("hostNetwork"):
            assert (workload["metadata"]["namespace"], json.dumps(labels)) in policies, workload["metadata"]["name"]
    namespaces = {one["metadata"]["name"] for one in of_kind(objects, "Namespace")}
    assert {namespace for namespace, labels in policies if labels == "null"} == namespaces


def test_services_lead_to_ports_that_their_pods_have(objects: list[Object]) -> None:
    for service in of_kind(objects, "Service"):
        pods = [
            pod
            for workload, pod in workloads(objects)
            if workload["metadata"]["namespace"] == service["metadata"]["namespace"]
            and workload["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
        ]
        assert len(pods) == 1, service["metadata"]["name"]
        named = {port["name"] for one in pods[0]["containers"] for port in one["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, service["metadata"]["name"]


def test_what_pods_mount_is_there(objects: list[Object]) -> None:
    there = {identity(one) for one in objects}
    for workload, pod in workloads(objects):
        namespace = workload["metadata"]["namespace"]
        for volume in pod.get("volumes", []):
            if "configMap" in volume:
                assert ("ConfigMap", namespace, volume["configMap"]["name"]) in there
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", namespace, volume["persistentVolumeClaim"]["claimName"]) in there


@pytest.mark.parametrize(
    ("file", "title", "words"),
    [
        ("cluster.json", "Cluster", ("cpu", "memory", "network", "filesystem", "by (node)")),
        ("pods.json", "Pods", ("cpu", "memory", "network", "fs_reads", "fs_writes", "by (pod")),
    ],
)
def test_dashboards_show_what_the_chapter_shows(
    file: str, title: str, words: tuple[str, ...], by_store: dict[str, list[Object]]
) -> None:
    held = next(one for one in by_store["loki"] if identity(one)[2] == "grafana-dashboards")
    dashboard = json.loads(held["data"][file])
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])

    assert dashboard["title"] == title
    assert [word for word in words if word not in asked] == []
    assert [metric for metric in NOT_OF_CONTAINERD if metric in asked] == []
    # lists are made anew for the chosen time, so that what is gone can still be chosen
    assert all(variable["refresh"] == 2 for variable in dashboard["templating"]["list"])


def test_grafana_shows_the_logs_if_loki_keeps_them(by_store: dict[str, list[Object]]) -> None:
    def sources(objects: list[Object]) -> list[str]:
        held = next(one for one in objects if identity(one) == ("ConfigMap", "monitoring", "grafana"))
        return [source["name"] for source in yaml.safe_load(held["data"]["datasources.yaml"])["datasources"]]

    assert sources(by_store["loki"]) == ["Prometheus", "Loki"]
    assert sources(by_store["elasticsearch"]) == ["Prometheus"]


def test_what_tools_are_told_to_ask_is_there(objects: list[Object]) -> None:
    """URLs of data sources and targets of Prometheus: service, namespace and port of an object of the role."""
    there = {
        (one["metadata"]["name"], one["metadata"]["namespace"], port["port"])
        for one in of_kind(objects, "Service")
        for port in one["spec"]["ports"]
    }
    maps = {identity(one)[2]: one["data"] for one in of_kind(objects, "ConfigMap")}
    sources = yaml.safe_load(maps["grafana"]["datasources.yaml"])["datasources"]
    scraped = yaml.safe_load(maps["prometheus"]["prometheus.yml"])["scrape_configs"]
    targets = [target for job in scraped for one in job.get("static_configs", []) for target in one["targets"]]
    asked = [urlsplit(source["url"]).netloc for source in sources]
    asked += [target for target in targets if not target.startswith("localhost:")]
    for one in asked:
        host, _colon, port = one.partition(":")
        name, _dot, namespace = host.partition(".")
        assert (name, namespace or "monitoring", int(port)) in there, one


def test_every_job_of_prometheus_has_to_have_a_target_that_answers(by_store: dict[str, list[Object]]) -> None:
    held = next(one for one in by_store["loki"] if identity(one) == ("ConfigMap", "monitoring", "prometheus"))
    jobs = [job["job_name"] for job in yaml.safe_load(held["data"]["prometheus.yml"])["scrape_configs"]]
    questions = next(
        data_at(one) for one in by_store["loki"] if identity(one) == ("Service", "monitoring", "prometheus")
    )

    assert questions == [f'/api/v1/query?query=up{{job="{job}"}} == 1' for job in jobs]


def test_loki_has_to_have_a_label_that_fluent_bit_sends(by_store: dict[str, list[Object]]) -> None:
    held = next(one for one in by_store["loki"] if identity(one) == ("ConfigMap", "logging-agents", "fluent-bit"))
    sent = yaml.safe_load(held["data"]["fluent-bit.yaml"])["pipeline"]["outputs"][0]["labels"]
    (question,) = next(data_at(one) for one in by_store["loki"] if identity(one) == ("Service", "logging", "loki"))

    assert f"{question.split('/')[5]}=$kubernetes" in sent


def test_elasticsearch_leaves_alone_what_is_put_into_it(by_store: dict[str, list[Object]]) -> None:
    users = next(one for one in containers(by_store["elasticsearch"]) if one["name"] == "users")
    script = users["command"][-1]
    policies = re.findall(r"PUT _ilm/policy/(\S+)", script)
    templates = re.findall(r"PUT _index_template/(\S+)", script)

    assert policies == re.findall(r'"index.lifecycle.name": "([^"]+)"', script)
    assert len(policies) == len(templates) == 1
    assert not {*policies, *templates} & ELASTICSEARCHS_OWN


def test_loki_is_given_lines_as_they_were_written(by_store: dict[str, list[Object]]) -> None:
    held = next(one for one in by_store["loki"] if identity(one) == ("ConfigMap", "logging-agents", "fluent-bit"))
    output = yaml.safe_load(held["data"]["fluent-bit.yaml"])["pipeline"]["outputs"][0]

    assert output["drop_single_key"] == "raw"


def test_what_asks_for_a_password_in_a_header_is_not_opened_through_the_api_server() -> None:
    """It takes that header off: the endpoint filter for authentication of k8s.io/apiserver."""
    how = rendered(
        ROLE,
        "{{ __kubernetes_tools_how }}",
        [{"__kubernetes_tools_item": {"namespace": "logging", "path": "/through"}}],
    )[0]

    assert "/through" in how["kibana"]  # has a page for it
    assert "/through" not in how["elasticsearch"]
    assert "port-forward service/elasticsearch 9200" in how["elasticsearch"]


def test_a_changed_configuration_restarts_its_pods() -> None:
    def pods(objects: list[Object]) -> list[Object]:
        return [
            one["spec"]["template"]["metadata"] for one, _pod in workloads(objects) if one["metadata"]["name"] == "loki"
        ]

    assert pods(render("logging")) != pods(render("logging", kubernetes_tools_retention_days=30))


def test_one_storage_class_for_all_or_the_clusters_own() -> None:
    def classes(**settings: Any) -> set[str | None]:
        claims = of_kind(render("logging", "monitoring", **settings), "PersistentVolumeClaim")
        return {claim["spec"].get("storageClassName") for claim in claims}

    assert classes() == classes(kubernetes_tools_storage_class=None) == {None}
    assert classes(kubernetes_tools_storage_class="gp3") == {"gp3"}
