# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of the walk through Kubernetes, on a cluster in a dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from unit.roles.playing import playbook
from unit.small_cluster import SmallCluster, running, small_cluster

WALK = Path(__file__).resolve().parents[3] / "playbooks" / "kubernetes.yml"


def kubeconfig(folder: Path, cluster: SmallCluster) -> Path:
    name = "aws_kubernetes"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": cluster.url}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": ""}}],
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
