# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and steps of the walk through Kubernetes, on a cluster in a dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.roles.playing import play, playbook
from unit.small_cluster import SmallCluster, running, small_cluster

WALK = Path(__file__).resolve().parents[3] / "playbooks" / "kubernetes.yml"
SLICES = {"kind": "EndpointSlice", "name": "endpointslices", "namespaced": True}
MORE: dict[str, tuple[int, dict[str, Any]]] = {
    "/version": (200, {"gitVersion": "v1.36.4"}),
    "/apis/discovery.k8s.io/v1": (200, {"resources": [SLICES]}),
    "/apis/discovery.k8s.io/v1/endpointslices": (200, {"items": [], "metadata": {}}),
}
"""What the small cluster does not answer by itself."""


def kubeconfig(folder: Path, cluster: SmallCluster) -> Path:
    name = "aws_kubernetes"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": cluster.url}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": ""}}],
        "current-context": name,
    }
    place = folder / "kubeconfig"
    place.write_text(yaml.safe_dump(content))
    return place


def test_the_database_is_waited_for_until_it_is_ready(tmp_path: Path) -> None:
    """Nothing is wrong with a pod whose image is being pulled, and a node that is lost is none of its business."""
    looks = 0

    def look(method: str, path: str, _body: Any) -> None:
        nonlocal looks
        if method == "GET" and path.endswith("/pods"):
            looks += 1
        if looks == 4:
            cluster.put({**pod, "status": ready})

    with small_cluster() as cluster:
        cluster.controllers = running
        labels = {"app": "wordpress-database"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "mariadb", "image": "mariadb"}]}}
        metadata = {"name": "wordpress-database", "namespace": "default"}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        cluster.write({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
        pod = cluster.get("Pod", "wordpress-database-0")
        assert pod is not None
        ready = pod["status"]
        starting = {"name": "mariadb", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
        cluster.put({**pod, "status": {"phase": "Pending", "containerStatuses": [starting]}})
        lost = {"conditions": [{"type": "Ready", "status": "False", "reason": "KubeletNotReady"}]}
        cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "lost"}, "spec": {}, "status": lost})
        cluster.refuse = look
        given = {"kubernetes_kubeconfig": str(kubeconfig(tmp_path, cluster)), "kubernetes_wordpress_wait_sleep": 0}
        code, said = playbook(tmp_path, str(WALK), given, "--tags", "step_make_room")
    assert code == 0, said
    assert looks == 4


@pytest.mark.parametrize(
    ("zone", "says"),
    [
        ("eu-west-1a", "kubernetes_wordpress_zone is eu-west-1a, but the nodes are in eu-west-1c."),
        ("eu-west-1c", "no AWS credentials were found"),  # which is what the module for volumes says
    ],
)
def test_no_volume_is_made_in_a_zone_without_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, says: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with small_cluster() as cluster:
        labels = {"topology.kubernetes.io/zone": "eu-west-1c"}
        cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": labels}, "spec": {}})
        cluster.refuse = lambda _method, path, _body: MORE.get(path)
        role = {"name": "container.schedulers.kubernetes_wordpress", "tasks_from": "volumes"}
        defaults = {
            "group/container.schedulers.kubernetes": {"kubeconfig": str(kubeconfig(tmp_path, cluster))},
            "group/container.schedulers.aws": {
                "region": "eu-west-1",
            },
        }
        given = {"kubernetes_wordpress_cluster": "kubernetes", "kubernetes_wordpress_zone": zone}
        code, said = play(
            tmp_path, [{"ansible.builtin.import_role": role, "vars": given}], {}, module_defaults=defaults
        )
    assert code != 0
    assert says in said, said
