# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real control plane with simulated nodes: what its users see of pods, volumes, load balancers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.kubernetes import nodes, programs
from lab.kubernetes.client import ApiError, Client
from lab.kubernetes.cloud import NoCloud
from lab.kubernetes.cluster import Cluster, Options
from unit.waiting import eventually

Object = dict[str, Any]
PATIENCE = 300.0
PODS = "/api/v1/namespaces/default/pods"


class Bed:
    """The cluster, a client of its administrator, and kubectl."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = Client(cluster.kubeconfig)
        self._kubectl = programs.need()["kubectl"]

    def kubectl(self, *words: str, stdin: str = "", code: int = 0) -> str:
        finished = subprocess.run(
            [self._kubectl, *words],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": str(self.cluster.kubeconfig)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert finished.returncode == code, finished.stderr
        return finished.stdout

    def apply(self, *documents: Object) -> None:
        self.kubectl("apply", "--server-side", "-f", "-", stdin="\n---\n".join(map(json.dumps, documents)))

    def wait(self, look: Callable[[], Any]) -> Any:
        """What `look` finds, as soon as it finds something."""
        return eventually(look, "it did not happen", PATIENCE, pause=0.1)

    def ready(self, name: str) -> Object:
        found: Object = self.wait(lambda: self._ready(name))
        return found

    def _ready(self, name: str) -> Object | None:
        found = self.client.find(f"{PODS}/{name}")
        conditions = found["status"].get("conditions", ()) if found else ()
        return found if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions) else None

    def events(self, name: str) -> list[Object]:
        found = self.client.get("/api/v1/namespaces/default/events", fieldSelector=f"involvedObject.name={name}")
        return list(found["items"])

    def get(self, host: str, path: str = "/") -> tuple[int, str]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": self.cluster.proxy.url}))
        try:
            with opener.open(f"http://{host}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    if programs.find() is None:
        reason = "the control plane is not built: `PYTHONPATH=tests python -m lab kubernetes build` (make test does it)"
        warnings.warn(f"NOT TESTED: {__name__}, {reason}", stacklevel=1)
        pytest.skip(reason)
    state: Path = tmp_path_factory.mktemp("kubernetes")
    cluster = Cluster(state, Options(speed=20))
    machines = [nodes.Machine(f"node-{zone}", cpu="1", zone=f"eu-west-1{zone}") for zone in "ab"]
    try:
        yield Bed(cluster.start(machines))
    finally:
        cluster.stop()
        shutil.rmtree(state, ignore_errors=True)


def pod(name: str, image: str = "nginx:1", volumes: tuple[Object, ...] = (), **container: Any) -> Object:
    mounts = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes]
    one = {"name": "main", "image": image, "volumeMounts": mounts, **container}
    spec = {"containers": [one], "volumes": list(volumes), "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def test_nodes_are_ready(bed: Bed) -> None:
    def ready() -> bool:
        conditions = [one["status"].get("conditions", ()) for one in bed.client.get("/api/v1/nodes")["items"]]
        return all(any(one["type"] == "Ready" and one["status"] == "True" for one in each) for each in conditions)

    assert bed.wait(ready)


def test_an_administrator_is_one_by_rbac_and_others_are_not(bed: Bed) -> None:
    bed.kubectl("auth", "can-i", "*", "*")
    assert bed.kubectl("auth", "can-i", "get", "pods", "--as=nobody", code=1).strip() == "no"


def test_a_new_pod_is_a_new_container(bed: Bed) -> None:
    bed.apply(pod("again"))
    first = bed.ready("again")
    bed.kubectl("delete", "pod", "again")
    bed.apply(pod("again"))
    second = bed.ready("again")
    ids = [one["status"]["containerStatuses"][0]["containerID"] for one in (first, second)]
    assert ids[0] != ids[1]
    assert all(one.startswith("containerd://") for one in ids)


def test_exec_is_real_and_sees_the_container_only(bed: Bed) -> None:
    bed.apply(pod("shell", env=[{"name": "COLOUR", "value": "deep blue"}]))
    bed.ready("shell")
    text = bed.kubectl("exec", "shell", "--", "sh", "-c", 'hostname; echo "$COLOUR"; ls -d /root/.cache || echo none')
    assert text.splitlines() == ["shell", "deep blue", "none"]
    bed.kubectl("exec", "shell", "--", "sh", "-c", "exit 7", code=7)
    assert bed.kubectl("exec", "-i", "shell", "--", "cat", stdin="piped") == "piped"
    bed.kubectl("exec", "shell", "--", "wp", "--info", code=127)


def test_logs_of_a_crash_are_the_previous_ones(bed: Bed) -> None:
    bed.apply(pod("crasher", image="crash:1"))

    def waiting() -> bool:
        status = bed.client.get(f"{PODS}/crasher")["status"].get("containerStatuses", [{}])[0]
        return bool(status.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff")

    assert bed.wait(waiting)
    assert bed.kubectl("logs", "crasher", "--previous") == "crash: fatal: cannot start, exit code 1\n"
    said = "Back-off restarting failed container main"
    assert bed.wait(lambda: any(one["message"].startswith(said) for one in bed.events("crasher")))
    bed.kubectl("delete", "pod", "crasher")


def test_a_full_node_is_the_scheduler_s_word(bed: Bed) -> None:
    bed.apply(pod("greedy", resources={"requests": {"cpu": "900m"}}))
    bed.apply(
        pod("greedy-2", resources={"requests": {"cpu": "900m"}}), pod("late", resources={"requests": {"cpu": "900m"}})
    )
    bed.ready("greedy-2")

    def refused() -> str:
        conditions = bed.client.get(f"{PODS}/late")["status"].get("conditions", ())
        return str(next((one["message"] for one in conditions if one["type"] == "PodScheduled"), ""))

    assert "0/2 nodes are available: 2 Insufficient cpu" in bed.wait(refused)
    bed.kubectl("delete", "pod", "greedy")
    bed.ready("late")
    bed.kubectl("delete", "pod", "greedy-2", "late")


def test_a_job_runs_its_command(bed: Bed) -> None:
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", "echo from $HOSTNAME; exit $CODE"]}
    for name, code in (("good", "0"), ("bad", "3")):
        spec = {"restartPolicy": "Never", "containers": [{**container, "env": [{"name": "CODE", "value": code}]}]}
        job = {"backoffLimit": 0, "template": {"spec": spec}}
        bed.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": job})
    bed.kubectl("wait", "--for=condition=Complete", "job/good", "--timeout=240s")
    bed.kubectl("wait", "--for=condition=Failed", "job/bad", "--timeout=240s")
    assert "from good-" in bed.kubectl("logs", "job/good")


def test_what_an_image_would_have_is_copied_in_appearance_and_all_else_for_real(bed: Bed) -> None:
    mounts = [{"name": "settings", "mountPath": "/etc/net"}, {"name": "node", "mountPath": "/node"}]
    copies = {"plugin": "/image-only", "settings": "/etc/net/conf.json"}
    installer = pod(
        "installer", volumes=({"name": "settings", "configMap": {"name": "net"}}, {"name": "node", "emptyDir": {}})
    )
    installer["spec"]["initContainers"] = [
        {
            "name": name,
            "image": "flannel:v0.28",
            "command": ["cp", "-f", source, f"/node/{name}"],
            "volumeMounts": mounts,
        }
        for name, source in copies.items()
    ]
    installer["spec"]["containers"][0]["volumeMounts"] = mounts
    bed.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "net"}, "data": {"conf.json": "{}"}}, installer
    )
    bed.ready("installer")
    assert bed.kubectl("exec", "installer", "--", "sh", "-c", "ls /node; cat /node/settings") == "settings\n{}"
    bed.kubectl("delete", "pod/installer", "configmap/net")


def test_what_is_on_a_volume_outlives_the_pod_and_not_the_claim(bed: Bed) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    write = ("exec", "keeper", "--", "sh", "-c", "echo kept >/data/file; echo gone >/tmp/file")
    bed.apply(claim, pod("keeper", volumes=(volume,)))
    bed.ready("keeper")
    bed.kubectl(*write)
    bed.kubectl("delete", "pod", "keeper")
    bed.apply(pod("keeper", volumes=(volume,)))
    bed.ready("keeper")
    assert bed.kubectl("exec", "keeper", "--", "sh", "-c", "cat /data/file /tmp/file", code=1) == "kept\n"
    bed.kubectl("delete", "pod/keeper", "pvc/data")
    assert bed.wait(lambda: not bed.client.get("/api/v1/persistentvolumes")["items"])


@pytest.mark.parametrize(
    ("volume", "facts", "expected"),
    [
        ("vol-far", {"zone": "us-east-1a"}, "is not in the same availability zone as instance"),
        ("vol-used", {"zone": "eu-west-1a", "instance": "i-other"}, "VolumeInUse: vol-used is already attached"),
    ],
)
def test_a_volume_that_cannot_be_attached_says_why(bed: Bed, volume: str, facts: Object, expected: str) -> None:
    assert isinstance(bed.cluster.cloud, NoCloud)
    bed.cluster.cloud.know_volume(volume, **facts)
    bed.apply(pod(volume, volumes=({"name": "d", "awsElasticBlockStore": {"volumeID": volume}},)))
    messages = bed.wait(lambda: [one["message"] for one in bed.events(volume) if one["reason"] == "FailedAttachVolume"])
    assert expected in messages[0]
    assert bed.client.get(f"{PODS}/{volume}")["status"]["phase"] == "Pending"
    bed.kubectl("delete", "pod", volume)


def test_a_load_balancer_answers_from_its_pods_in_turn(bed: Bed) -> None:
    port = {"name": "http", "containerPort": 80}
    bed.apply(
        *(
            {**pod(f"web-{number}", ports=[port]), "metadata": {"name": f"web-{number}", "labels": {"app": "web"}}}
            for number in range(2)
        ),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
        },
    )
    for number in range(2):
        bed.ready(f"web-{number}")

    def name() -> str:
        ingress = bed.client.get("/api/v1/namespaces/default/services/web")["status"]["loadBalancer"].get("ingress")
        return str(ingress[0]["hostname"]) if ingress else ""

    host = bed.wait(name)
    bed.wait(lambda: bed.get(host)[0] == 200)

    def pages() -> set[str]:
        return {bed.get(host)[1].partition("host name: ")[2][:5] for _unused in range(4)}

    assert bed.wait(lambda: pages() == {"web-0", "web-1"})  # its endpoints may come one after the other
    assert "web-" in bed.client.get("/api/v1/namespaces/default/services/web:80/proxy/")
    bed.kubectl("delete", "service", "web")
    assert bed.wait(lambda: bed.get(host)[0] == 502)


def test_a_missing_secret_keeps_the_container_from_being_created(bed: Bed) -> None:
    reference = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "later", "key": "key"}}}
    bed.apply(pod("patient", env=[reference]))

    def waiting() -> Any:
        status = bed.client.get(f"{PODS}/patient")["status"].get("containerStatuses", [{}])[0]
        return status.get("state", {}).get("waiting", {}).get("message")

    assert bed.wait(lambda: waiting() == 'secret "later" not found')
    bed.kubectl("create", "secret", "generic", "later", "--from-literal=key=s3cret")
    bed.ready("patient")
    assert bed.kubectl("exec", "patient", "--", "sh", "-c", "echo $KEY") == "s3cret\n"


def test_a_node_that_nobody_speaks_for_becomes_not_ready(bed: Bed) -> None:
    nodes.speak(bed.cluster.client, "node-b", alive=False)

    def ready() -> str:
        conditions = bed.client.get("/api/v1/nodes/node-b")["status"]["conditions"]
        return str(next(one["status"] for one in conditions if one["type"] == "Ready"))

    bed.wait(lambda: ready() == "Unknown")
    nodes.speak(bed.cluster.client, "node-b", alive=True)
    bed.wait(lambda: ready() == "True")


def test_the_api_server_comes_back_after_a_crash(bed: Bed) -> None:
    bed.apply(pod("steady"))
    before = bed.ready("steady")["metadata"]["uid"]
    bed.cluster.control_plane.restart_api_server()
    assert bed.ready("steady")["metadata"]["uid"] == before
    bed.apply(pod("after"))
    bed.ready("after")
    assert bed.cluster.control_plane.ended() == []


def test_strangers_are_not_let_in(bed: Bed, tmp_path: Path) -> None:
    document = json.loads(bed.cluster.kubeconfig.read_text())
    document["users"][0]["user"] = json.loads((bed.cluster.state / "scheduler.kubeconfig").read_text())["users"][0][
        "user"
    ]
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(document))
    with pytest.raises(ApiError, match="403"):
        Client(path).get("/api/v1/secrets")
