# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and steps of the walk through Kubernetes, on a cluster in a dictionary."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml
from demo import PARTS, Outcome
from lab.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from unit.certificates import certificate
from unit.lab_process import LabProcess
from unit.roles.playing import play, playbook
from unit.small_cluster import Object, SmallCluster, running, small_cluster

WALK = Path(__file__).resolve().parents[3] / "playbooks" / "kubernetes.yml"
SLICES = {"kind": "EndpointSlice", "name": "endpointslices", "namespaced": True}
MORE: dict[str, tuple[int, dict[str, Any]]] = {
    "/version": (200, {"gitVersion": "v1.36.4"}),
    "/apis/discovery.k8s.io/v1": (200, {"resources": [SLICES]}),
    "/apis/discovery.k8s.io/v1/endpointslices": (200, {"items": [], "metadata": {}}),
}
"""What the small cluster does not answer by itself."""


def kubeconfig(folder: Path, cluster: SmallCluster, **more: object) -> Path:
    """A file that only its owner can read, as the modules write it."""
    name = "aws_kubernetes"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": cluster.url, **more}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": ""}}],
        "current-context": name,
    }
    place = folder / f"kubeconfig{len(more)}"
    place.write_text(yaml.safe_dump(content))
    place.chmod(0o600)
    return place


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a server that nobody has signed the certificate of speaks."""
    (folder / "pair.pem").write_text("".join(certificate("127.0.0.1")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    return context


def on_a_node(pod: Object) -> Object:
    return {**pod, "spec": {**pod["spec"], "nodeName": "node"}}


def test_a_database_that_has_room_is_waited_for_and_the_walk_not_sent_back_to_nginxcluster(tmp_path: Path) -> None:
    """Nothing is wrong with a pod whose image is being pulled, and a node that is lost is none of its business.

    Beside it, nginxcluster would not fit, and the walk could not be run again.
    """
    looks = 0

    def look(method: str, path: str, _body: Any) -> None:
        nonlocal looks
        if method == "GET" and path.endswith("/pods"):
            looks += 1
        if looks == 5:
            cluster.put({**pod, "status": ready})

    with small_cluster() as cluster:
        cluster.controllers = running
        labels = {"app": "wordpress-database"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "mariadb", "image": "mariadb"}]}}
        metadata = {"name": "wordpress-database", "namespace": "default"}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        cluster.write({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
        started = cluster.get("Pod", "wordpress-database-0")
        assert started is not None
        pod, ready = on_a_node(started), started["status"]
        starting = {"name": "mariadb", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
        cluster.put({**pod, "status": {"phase": "Pending", "containerStatuses": [starting]}})
        lost = {"conditions": [{"type": "Ready", "status": "False", "reason": "KubeletNotReady"}]}
        cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "lost"}, "spec": {}, "status": lost})
        cluster.refuse = look
        given = {"kubernetes_kubeconfig": str(kubeconfig(tmp_path, cluster)), "kubernetes_wordpress_wait_sleep": 0}
        cluster.written.clear()
        steps = "step_app,step_expose,step_database_pending,step_make_room"
        code, said = playbook(tmp_path, str(WALK), given, "--tags", steps)
    assert code == 0, said
    assert looks == 5
    assert cluster.written == []


def placing(cluster: SmallCluster, thing: Object) -> None:
    """Controllers and a kubelet that has not come to start the database yet."""
    running(cluster, thing)
    pod = cluster.get("Pod", "wordpress-database-0")
    if thing["metadata"]["name"] == "wordpress-database" and thing["kind"] == "Deployment" and pod:
        cluster.put({**on_a_node(pod), "status": {"phase": "Pending"}})
        cluster.put(thing)


@pytest.mark.parametrize("refused", [False, True])
def test_a_database_that_finds_room_at_once_needs_more_time_and_is_not_pending(tmp_path: Path, refused: bool) -> None:
    """What ends before the time is up has another reason."""
    status = {"kind": "Status", "reason": "Forbidden", "message": "no Secrets for you"}
    given = {
        "kubernetes_pending_timeout": "300" if refused else "0",
        "kubernetes_wordpress_site": {"title": "Ours", "admin_email": "admin@example.com"},
    }
    step = {"ansible.builtin.import_tasks": str(WALK.with_name("tasks") / "kubernetes_pending.yml")}
    with small_cluster() as cluster:
        cluster.controllers = placing
        cluster.refuse = lambda _method, path, _body: (
            (403, status) if refused and "/secrets" in path else MORE.get(path)
        )
        defaults = {"group/container.schedulers.kubernetes": {"kubeconfig": str(kubeconfig(tmp_path, cluster))}}
        code, said = play(tmp_path, [step], given, module_defaults=defaults)
    assert (code != 0) == refused, said
    assert ("no Secrets for you" in said.partition("Only the time was too short")[2]) == refused, said
    assert ("The database found room beside nginxcluster" in said) != refused, said


PENDING = {"more": {"Pending, because": ["Pod default/wordpress-database cannot be scheduled."]}}
SURVIVED = {
    "url": "http://ecs.example.com",
    "hosts_answered": ["a", "b", "c"],
    "failure": "instance i-1 was terminated",
}


@pytest.mark.parametrize(
    ("part", "published", "good"),
    [
        ("kubernetes", PENDING, True),
        ("kubernetes", {"more": {"Pending, because": []}}, False),
        ("kubernetes", {"more": {}}, False),
        ("ecs", SURVIVED, True),
        ("ecs", {**SURVIVED, "failure": ""}, False),
        ("ecs", {**SURVIVED, "url": ""}, False),
        ("ecs", {**SURVIVED, "hosts_answered": ["a", "b"]}, False),
        ("ecs", {}, False),
        ("rancher", {}, True),
    ],
)
def test_a_demo_that_has_not_shown_what_it_is_for_is_none(part: str, published: dict[str, Any], good: bool) -> None:
    assert Outcome(PARTS[part], 0, [], [], {**published, "leftovers": []}, []).good is good


def test_no_volume_is_made_in_a_zone_without_nodes(tmp_path: Path, running_server: LabProcess) -> None:
    """Those that are there stay usable: an autoscaler may have taken their nodes away for a while."""
    running_server.control("POST", "/reset")
    account = {
        "region": "us-east-1",
        "endpoint_url": running_server.addresses["aws"],
        "access_key": ACCESS_KEY_ID,
        "secret_key": SECRET_ACCESS_KEY,
    }
    role = {"name": "container.schedulers.kubernetes_wordpress", "tasks_from": "volumes"}
    given = {"kubernetes_wordpress_cluster": "kubernetes", "kubernetes_wordpress_zone": "us-east-1a"}

    def nodes_in(zone: str) -> None:
        labels = {"topology.kubernetes.io/zone": zone}
        cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": labels}, "spec": {}})

    def played() -> tuple[int, str]:
        tasks = [{"ansible.builtin.import_role": role, "vars": given}]
        return play(tmp_path, tasks, {}, module_defaults=defaults)

    with small_cluster() as cluster:
        cluster.refuse = lambda _method, path, _body: MORE.get(path)
        defaults = {
            "group/container.schedulers.kubernetes": {"kubeconfig": str(kubeconfig(tmp_path, cluster))},
            "group/container.schedulers.aws": account,
        }
        nodes_in("us-east-1c")
        refused = played()
        nodes_in("us-east-1a")
        made = played()
        nodes_in("us-east-1c")
        again = played()
    assert refused[0] != 0
    assert "kubernetes_wordpress_zone is us-east-1a, but the nodes are in us-east-1c." in refused[1], refused[1]
    assert "changed=1" in made[1], made[1]
    assert again[0] == 0, again[1]
    assert "changed=0" in again[1]


def test_a_post_is_one_of_the_site_that_is_named(tmp_path: Path) -> None:
    """Its address is not what an earlier role of the play has found, of another site or of none."""
    role = {"name": "container.schedulers.kubernetes_wordpress", "tasks_from": "post"}
    earlier: dict[str, Any] = {
        "ansible.builtin.set_fact": {"kubernetes_wordpress_result": {"site": {"url": "http://another.test"}}}
    }
    defaults = {"container.schedulers.k8s_wordpress": {"kubeconfig": "/of/the/site"}}
    tasks = [earlier, {"ansible.builtin.import_role": role}]
    code, said = play(tmp_path, tasks, {}, module_defaults=defaults)
    assert code != 0
    assert "kubeconfig /of/the/site does not exist" in said


def test_a_post_of_a_site_that_is_not_there_yet_is_checked(tmp_path: Path) -> None:
    role = {"name": "container.schedulers.kubernetes_wordpress", "tasks_from": "post"}
    given = {"kubernetes_wordpress_site": {"title": "Ours", "admin_email": "me@example.com"}}
    with small_cluster() as cluster:
        defaults = {"group/container.schedulers.kubernetes": {"kubeconfig": str(kubeconfig(tmp_path, cluster))}}
        tasks = [{"ansible.builtin.import_role": role}]
        code, said = play(tmp_path, tasks, given, "--check", module_defaults=defaults)
        assert cluster.written == []
    assert code == 0, said
    assert "This would publish A picture of a ship" in said
    assert "changed=2" in said


@pytest.mark.parametrize("site", [{}, {"kubernetes_wordpress_site": {"title": "Ours", "admin_email": ""}}])
def test_a_walk_without_a_site_ends_before_there_is_a_cluster(tmp_path: Path, site: dict[str, Any]) -> None:
    code, said = playbook(tmp_path, str(WALK), site)
    assert code == 2
    assert "kubernetes_wordpress_site has to be a dictionary with title and admin_email" in said
    assert "changed=0" in said


def test_steps_without_wordpress_need_no_site(tmp_path: Path) -> None:
    listed = playbook(tmp_path, str(WALK), {}, "--tags", "step_cluster", "--list-tasks")[1]
    assert "Check that the walk knows" not in listed


@pytest.mark.parametrize("who", ["the role", "the walk of Rancher", "the walk of Kubernetes"])
def test_the_cluster_of_a_walk_is_asked_and_not_the_one_that_defaults_and_environment_lead_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """As they do between two walks, and by AWX's credential of a cluster.

    Nor does it matter how the certificate of that other one is verified: the file of each says that, too.
    """
    nowhere = "/no/such/file"
    elsewhere = {
        "HOST": "http://127.0.0.1:9",
        "API_KEY": "other",
        "SSL_CA_CERT": nowhere,
        "VERIFY_SSL": "False",
        "CONTEXT": "other",
    }
    for name, value in elsewhere.items():
        monkeypatch.setenv(f"K8S_AUTH_{name}", value)
    look: dict[str, Any] = {"container.schedulers.k8s_cluster_info": {}}
    role = {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_kubernetes", "tasks_from": "verify"}}
    group = "group/container.schedulers.kubernetes"
    walks = {
        name: yaml.safe_load((WALK.with_name("tasks") / f"{name}.yml").read_text())[0]
        for name in ("kubernetes", "rancher")
    }
    of_another_play = {"context": "other", "host": elsewhere["HOST"], "client_cert": nowhere, "client_key": nowhere}
    task, keywords = {
        "the role": (role, {"module_defaults": {group: of_another_play}}),
        "the walk of Rancher": (look, walks["rancher"]),
        "the walk of Kubernetes": (look, walks["kubernetes"]),
    }[who]
    kept = {"module_defaults": {group: keywords["module_defaults"][group]}, "environment": keywords.get("environment")}

    def task_with(place: Path) -> dict[str, Any]:
        places = {"kubernetes_cluster_kubeconfig": str(place), "rancher_kubernetes_kubeconfig": str(place)}
        return {**task, "vars": places}

    say = {"ansible.builtin.debug": {"msg": "refused: {{ ansible_failed_result.msg }}"}}
    given = {
        "kubernetes_cluster_name": "kubernetes",
        "rancher_kubernetes_count": 0,
        "rancher_kubernetes_wait_timeout": 0,
    }
    with small_cluster(tls=self_signed(tmp_path)) as cluster:
        cluster.refuse = lambda _method, path, _body: MORE.get(path)
        lenient = kubeconfig(tmp_path, cluster, **{"insecure-skip-tls-verify": True})
        strict = kubeconfig(tmp_path, cluster)
        tasks = [task_with(lenient), {"block": [task_with(strict)], "rescue": [say]}]
        code, said = play(tmp_path, tasks, given, **kept)
    assert code == 0, said
    assert f"the certificate of {cluster.url} is not trusted" in said.partition("refused: ")[2], said
