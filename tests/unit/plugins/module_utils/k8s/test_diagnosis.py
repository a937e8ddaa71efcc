# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why pods do not run: every reason from what a cluster says, as recorded from clusters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import AuthError
from ansible_collections.container.schedulers.plugins.module_utils._k8s.capacity import holders, requests_of, rooms
from ansible_collections.container.schedulers.plugins.module_utils._k8s.diagnosis import diagnose
from ansible_collections.container.schedulers.plugins.module_utils._k8s.diagnosis_info import result_of
from ansible_collections.container.schedulers.plugins.module_utils._k8s.findings import Code, Finding, View, when
from ansible_collections.container.schedulers.plugins.module_utils._k8s.impatience import (
    Impatience,
    is_replaced,
    made_from,
    pods_of,
    room_comes,
)
from unit.api_server import thing

OWNER = "container.schedulers/owner"


def pod(name: str, node: str = "", cpu: str = "100m", **more: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "nginx:1", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
    spec = {"containers": [container], **({"nodeName": node} if node else {}), **more.pop("spec", {})}
    return thing("Pod", name, "default", spec=spec, **{"status": {"phase": "Pending"}, **more})


def controlled(name: str, by: str, **more: Any) -> dict[str, Any]:
    reference = {
        "kind": "ReplicationController",
        "name": by,
        "uid": f"uid-{by}",
        "controller": True,
        "apiVersion": "v1",
    }
    labels = {OWNER: f"app.{by}", "app": by}
    return pod(name, **more, metadata={"ownerReferences": [reference], "labels": labels})


def node(name: str, cpu: str = "1", zone: str = "eu-west-1c", ready: str = "True", **spec: Any) -> dict[str, Any]:
    return thing(
        "Node", name, "", spec=spec,
        metadata={"labels": {"topology.kubernetes.io/zone": zone, "disk": "ssd"}},
        status={
            "allocatable": {"cpu": cpu, "memory": "1Gi", "pods": "10"},
            "conditions": [{"type": "Ready", "status": ready, "message": "kubelet stopped posting node status"}],
        },
    )  # fmt: skip


def unscheduled(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"phase": "Pending", "conditions": [condition]}


def event(about: dict[str, Any], reason: str, message: str, **more: Any) -> dict[str, Any]:
    involved = {"uid": about["metadata"]["uid"]}
    return {
        "reason": reason,
        "message": message,
        "involvedObject": involved,
        "metadata": {},
        "lastTimestamp": "1",
        **more,
    }


def waiting(reason: str, message: str = "", name: str = "c", **more: Any) -> dict[str, Any]:
    return {
        "phase": "Pending",
        "containerStatuses": [{"name": name, "state": {"waiting": {"reason": reason, "message": message}}, **more}],
    }


def only(view: View) -> Finding:
    found = diagnose(view)
    assert len(found) == 1, found
    return found[0]


NO_ROOM = (
    "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2"
)


def chapter() -> View:
    """The chapter's cluster: five nginx on two nodes, and MySQL finds no room."""
    nginx = [
        controlled(
            f"nginxcluster-{number}", "nginxcluster", node=f"node-{number % 2}", cpu="300m", status={"phase": "Running"}
        )
        for number in range(6)
    ]
    mysql = pod("mysql", cpu="300m", status=unscheduled(NO_ROOM))
    controller = thing("ReplicationController", "nginxcluster", "default", spec={"replicas": 6})
    return View(
        pods=[mysql], all_pods=[*nginx, mysql], nodes=[node("node-0"), node("node-1")], controllers=[controller]
    )


def test_no_room_says_how_much_is_missing_and_whom_to_remove() -> None:
    view = chapter()
    found = only(View(pods=view.pods, all_pods=view.all_pods, nodes=view.nodes))
    assert found.code == "unschedulable"
    assert found.message == (
        "Pod default/mysql cannot be scheduled: it asks for 300m CPU, and node node-0 has 100m CPU free, 200m CPU too "
        "little; node node-1 has 100m CPU free, 200m CPU too little (0/2 nodes are available: 2 Insufficient cpu)"
    )
    assert found.suggestion == (
        "Remove ReplicationController default/nginxcluster (6 pods of 300m CPU, 3 of them on node node-0), or scale it "
        "down by at least 1, to make room"
    )


def test_a_pod_that_fits_no_node_needs_a_larger_one() -> None:
    large = pod("large", cpu="4", status=unscheduled("0/1 nodes are available: 1 Insufficient cpu."))
    found = only(View(pods=[large], all_pods=[large], nodes=[node("node-0")]))
    assert "No node is large enough, even empty: the largest has 1 CPU" in found.suggestion


def test_without_the_right_to_see_nodes_less_is_said() -> None:
    found = only(View(pods=[pod("a", status=unscheduled("0/1 nodes are available: 1 Too many pods."))]))
    assert "pods are used up" in found.message
    assert found.suggestion == "Free some room, or add a node"


def test_nothing_to_remove_means_another_node() -> None:
    full = pod("full", node="node-0", cpu="900m", status={"phase": "Running"}, metadata={"namespace": "kube-system"})
    view = View(
        pods=[pod("a", cpu="200m", status=unscheduled("1 Insufficient cpu."))], all_pods=[full], nodes=[node("node-0")]
    )
    assert only(view).suggestion == "Add a node, or ask for less"


@pytest.mark.parametrize(
    ("message", "says", "advice"),
    [
        ("0/1: 1 node(s) didn't match Pod's node affinity/selector.", "no node has the labels", "label a node"),
        ("0/1: 1 node(s) had untolerated taint {gpu: yes}.", "taints that it does not tolerate", "toleration"),
        ("0/1: 1 node(s) didn't have free ports", "host port", "another host port"),
        ("0/1: 1 node(s) exceed max volume count", "attach another volume", "Add a node"),
        ("0/1: 1 node(s) didn't match pod topology spread constraints", "spreading", "Loosen"),
        ("no nodes available to schedule pods", "there are no nodes", "Add a node"),
        ("0/1: 1 node(s) were unschedulable", "are cordoned", "Uncordon a node"),
        ("0/1: 1 node(s) didn't match pod affinity rules", "next to which it wants to be", "Start those pods first"),
        ("something new", "something new", ""),
    ],
)
def test_other_reasons_of_the_scheduler(message: str, says: str, advice: str) -> None:
    found = only(View(pods=[pod("a", status=unscheduled(message))]))
    assert says in found.message
    assert advice in found.suggestion


MIXED = "0/3: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s), 1 node(s) were "
MIXED += "unschedulable"
LABELS = "Change its node selector or affinity, or label a node"
TAINTS = "Give it a toleration, or add a node without the taint"
CORDONS = "Uncordon a node, or add one"


@pytest.mark.parametrize(
    ("spec", "says", "advice"),
    [
        ({"nodeSelector": {"name": "tainted"}}, "taints that it does not tolerate", TAINTS),
        ({"nodeSelector": {"name": "cordoned"}}, "the nodes are cordoned", CORDONS),
        ({"nodeSelector": {"name": "nobody"}}, "no node has the labels", LABELS),
        ({}, "no node takes it", f"{TAINTS}; or uncordon a node, or add one"),
        (
            {
                "affinity": {
                    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
                }
            },
            "no node takes it",
            f"{LABELS}; or g{TAINTS[1:]}; or uncordon a node, or add one",
        ),
    ],
)
def test_what_is_said_of_nodes_is_true_of_those_that_the_pod_asks_for(
    spec: dict[str, Any], says: str, advice: str
) -> None:
    cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    taint = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
    nodes = [node("tainted", taints=[taint]), node("cordoned", unschedulable=True, taints=[cordon]), node("other")]
    for one in nodes:
        one["metadata"]["labels"]["name"] = one["metadata"]["name"]
    found = only(View(pods=[pod("a", status=unscheduled(MIXED), spec=spec)], nodes=nodes))
    assert f"cannot be scheduled: {says}" in found.message or f"nodes have {says}" in found.message
    assert ("dedicated=db:NoSchedule on tainted" in found.message) is ("toleration" in advice)
    assert found.suggestion == advice


def test_a_node_that_is_not_well_wants_no_toleration() -> None:
    taint = {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}
    control_plane = node("first", taints=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}])
    control_plane["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    waits = pod("a", status=unscheduled("0/2: 2 node(s) had untolerated taint(s)"))
    found = only(View(pods=[waits], nodes=[control_plane, node("second", taints=[taint])]))
    assert found.message.endswith("the taints node.kubernetes.io/disk-pressure:NoSchedule on second")
    assert found.suggestion == "Nodes have such taints while they are not well: look at them, or add a node"


def test_a_pod_that_nobody_looks_at() -> None:
    assert only(View(pods=[pod("a", spec={"schedulerName": "mine"})])).code == "not_scheduled"


def test_a_pod_with_gates() -> None:
    status = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}
    assert (
        "gates quota"
        in only(View(pods=[pod("a", status=status, spec={"schedulingGates": [{"name": "quota"}]})])).message
    )


def test_an_image_that_cannot_be_pulled() -> None:
    one = pod("web-1", node="n", status=waiting("ImagePullBackOff", "Back-off"))
    said = 'Failed to pull image "nginx:1": not found'
    found = only(
        View(pods=[one], events=[event(one, "Failed", said, count=3), event(one, "Failed", "Error: ErrImagePull")])
    )
    assert (found.code, found.tries) == ("image_pull", 3)
    assert said in found.message
    assert found.suggestion == "Check the name and tag of the image"


def test_a_pull_secret_that_is_not_there() -> None:
    one = pod("a", node="n", status=waiting("ImagePullBackOff", "Back-off"))
    message = "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed."
    events = [
        event(one, "Failed", 'Failed to pull image "nginx:1": 401 unauthorized'),
        event(one, "FailedToRetrieveImagePullSecret", message),
    ]
    found = only(View(pods=[one], events=events))
    assert "401 unauthorized (Unable to retrieve some image pull secrets (regcred)" in found.message
    assert found.suggestion == "Make the pull secret that the pod or its ServiceAccount names"
    events[0]["message"] = 'Failed to pull image "nginx:1": not found'  # then it is no matter of rights
    assert "regcred" not in only(View(pods=[one], events=events)).message


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("401 unauthorized", "imagePullSecret"),
        ("pull access denied, repository does not exist or may require authorization", "if it is private"),
        ("toomanyrequests", "limits anonymous pulls"),
        (
            'media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported',
            "in a format that containerd no longer takes",
        ),
        ('"application/vnd.oci.image.manifest.v1+json": not found', "Check the name and tag"),
        ("dial tcp: no such host", "cannot reach the registry"),
        ("odd", "Check the name of the image"),
    ],
)
def test_what_to_do_about_an_image(said: str, advice: str) -> None:
    assert advice in only(View(pods=[pod("a", node="n", status=waiting("ErrImagePull", said))])).suggestion


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (waiting("InvalidImageName", "bad"), "image_invalid"),
        (waiting("CreateContainerConfigError", 'secret "x" not found'), "config_missing"),
        (waiting("RunContainerError", "no such file"), "container_failed"),
        (waiting("CrashLoopBackOff", restartCount=5), "crash_loop"),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory."}, "container_failed"),
        (
            {"phase": "Failed", "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 2}}}]},
            "container_failed",
        ),
    ],
    ids=range(6),
)
def test_containers_that_do_not_start(status: dict[str, Any], code: str) -> None:
    assert only(View(pods=[pod("a", node="n", status=status)])).code == code


def test_a_crash_comes_with_its_last_lines() -> None:
    ended: dict[str, Any] = {"lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}, "restartCount": 4}
    one = pod("a", node="n", status=waiting("CrashLoopBackOff", **ended))
    found = only(View(pods=[one], logs={"default/a/c": "1\n2\n3\n4\n5\n\nlast words\n"}))
    assert (
        "ends with exit code 1, and was restarted 4 times. Its last lines: 2 | 3 | 4 | 5 | last words" in found.message
    )
    assert found.tries == 4


@pytest.mark.parametrize(("logs", "advice"), [({}, "See its log"), ({"default/a/c": ""}, "It wrote nothing")])
def test_that_a_container_wrote_nothing_is_only_said_of_a_log_that_was_read(logs: dict[str, str], advice: str) -> None:
    one = pod("a", node="n", status=waiting("CrashLoopBackOff", restartCount=5))
    assert advice in only(View(pods=[one], logs=logs)).suggestion


@pytest.mark.parametrize(("at", "killed"), [("2026-01-01T00:00:09Z", True), ("2025-12-31T23:00:00Z", False)])
def test_a_container_that_a_probe_has_killed(at: str, killed: bool) -> None:
    ended = {"exitCode": 137, "startedAt": "2026-01-01T00:00:00Z"}
    one = pod("a", node="n", status=waiting("CrashLoopBackOff", restartCount=5, lastState={"terminated": ended}))
    events = [
        event(one, "Killing", "Container c failed liveness probe, will be restarted", lastTimestamp=at),
        event(one, "Unhealthy", "Readiness probe failed: refused", lastTimestamp=at),
        event(one, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", lastTimestamp=at),
    ]
    found = only(View(pods=[one], events=events))
    assert ("because a probe failed (Liveness probe failed: HTTP probe failed with" in found.message) is killed
    assert ("exit code 137" in found.message) is not killed
    assert ("See the probe's path" in found.suggestion) is killed


def test_a_container_that_takes_too_much_memory() -> None:
    one = pod(
        "a",
        node="n",
        status=waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
    )
    one["spec"]["containers"][0]["resources"]["limits"] = {"memory": "64Mi"}
    found = only(View(pods=[one]))
    assert "more memory than its limit of 64Mi" in found.message
    assert "Raise its memory limit" in found.suggestion


def test_a_try_of_a_job_comes_with_its_last_lines_and_is_not_the_end() -> None:
    ended = {"name": "c", "state": {"terminated": {"exitCode": 2}}}
    one = controlled("a", "job", node="n", status={"phase": "Failed", "containerStatuses": [ended]})
    found = only(View(pods=[one], logs={"default/a/c": "no such file\n"}))
    assert "container c ended with exit code 2. Its last lines: no such file" in found.message
    assert is_replaced(one)
    assert not is_replaced(pod("a", status={"phase": "Failed"}))


@pytest.mark.parametrize(
    ("reason", "message", "code", "advice"),
    [
        ("FailedAttachVolume", "Multi-Attach error for volume", "volume_attached_elsewhere", "six minutes"),
        ("FailedAttachVolume", "InvalidVolume.ZoneMismatch", "volume_zone", "node selector"),
        ("FailedAttachVolume", "UnauthorizedOperation", "volume_mount", "cluster=true and KubernetesCluster"),
        ("FailedMount", "secret not found", "volume_mount", "the volume exists"),
        ("FailedMount", 'SetUp failed for volume "v" : configmap "a" not found', "volume_mount", "Secret or ConfigMap"),
        ("FailedMount", "references non-existent secret key: b", "volume_mount", "with the keys"),
        ("FailedCreatePodSandBox", "no network", "sandbox", "network plugin"),
    ],
)
def test_volumes_and_networks(reason: str, message: str, code: str, advice: str) -> None:
    one = pod("a", node="n", status=waiting("ContainerCreating"))
    found = only(View(pods=[one], events=[event(one, reason, message)]))
    assert found.code == code
    assert advice in found.suggestion


def pulling(message: str, reason: str, at: str) -> list[dict[str, Any]]:
    """The life of a pod on a new node: its driver came late, and another event followed."""
    one = pod("a", node="n", status=waiting("ContainerCreating"))
    failed = event(one, "FailedMount", message, lastTimestamp="2026-01-01T00:00:10Z", count=3)
    return [one, failed, event(one, reason, "", lastTimestamp=f"2026-01-01T00:00:{at}Z")]


@pytest.mark.parametrize(
    ("reason", "at", "over"),
    [
        ("Pulling", "35", True),
        ("Pulled", "35", True),
        ("Created", "35", True),
        ("Pulling", "10", True),  # of the same second: an image is pulled after the volumes are there
        ("Pulling", "05", False),
        ("Scheduled", "35", False),
    ],
)
@pytest.mark.parametrize("failure", ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"])
def test_a_failure_to_mount_is_over_once_an_image_is_pulled(failure: str, reason: str, at: str, over: bool) -> None:
    one, failed, other = pulling("driver name ebs.csi.aws.com not found", reason, at)
    assert bool(diagnose(View(pods=[one], events=[{**failed, "reason": failure}, other]))) is not over


def test_a_failure_to_mount_is_over_once_the_pod_says_so() -> None:
    one, failed, _other = pulling("driver name ebs.csi.aws.com not found", "Scheduled", "05")
    condition = {"type": "PodReadyToStartContainers", "status": "False"}
    one["status"]["conditions"] = [condition]
    assert only(View(pods=[one], events=[failed])).code == "volume_mount"
    condition["status"] = "True"
    assert diagnose(View(pods=[one], events=[failed])) == []


def test_a_probe_that_fails() -> None:
    status = {"phase": "Running", "containerStatuses": [{"name": "c", "ready": False, "state": {"running": {}}}]}
    one = pod("a", node="n", status=status)
    assert diagnose(View(pods=[one])) == []
    found = only(
        View(pods=[one], events=[event(one, "Unhealthy", "Readiness probe failed: 503.", series={"count": 7})])
    )
    assert (found.code, found.tries) == ("probe_failing", 7)


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        {"phase": "Succeeded"},
        {"phase": "Running", "containerStatuses": [{"name": "c", "state": {"running": {}}}]},
    ],
)
def test_nothing_is_wrong_with_what_runs(status: dict[str, Any]) -> None:
    assert diagnose(View(pods=[pod("a", node="n", status=status)])) == []


def test_a_failed_pod_that_was_made_good_is_no_trouble() -> None:
    failed = controlled("web-1", "web", node="n", status={"phase": "Failed", "reason": "Evicted"})
    status = {"replicas": 1, "observedGeneration": 1}
    above = thing("ReplicationController", "web", "default", spec={"replicas": 1}, status=status)
    assert only(View(pods=[failed], controllers=[above])).code == "container_failed"
    status["availableReplicas"] = 1
    assert diagnose(View(pods=[failed], controllers=[above])) == []
    assert diagnose(View(pods=[failed], all_controllers=[above])) == []  # who asks about a service, asks about no other


def initialising(**more: Any) -> dict[str, Any]:
    running = {"name": "i", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "started": True}
    return pod(
        "a", node="n", status={"initContainerStatuses": [running]}, spec={"initContainers": [{"name": "i", **more}]}
    )


def test_an_init_container_that_goes_on_and_on() -> None:
    found = only(View(pods=[initialising()], logs={"default/a/i": "waiting for db\n"}))
    assert found.code == "initializing"
    assert found.message == (
        "Pod default/a waits for its init container i, which runs since 2026-01-01T00:00:00Z. Its last lines: waiting "
        "for db"
    )
    assert diagnose(View(pods=[initialising(restartPolicy="Always")])) == []


def test_a_readiness_gate() -> None:
    ready = {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": "gate x is not there."}
    found = only(View(pods=[pod("a", node="n", status={"phase": "Running", "conditions": [ready]})]))
    assert (found.code, found.message) == (
        "readiness_gate",
        "Pod default/a runs, and waits for its readiness gates: gate x is not there",
    )


def test_a_namespace_that_is_being_deleted() -> None:
    remaining = {"type": "NamespaceContentRemaining", "status": "True", "message": "configmaps. has 1 instances"}
    one = thing("Namespace", "shop", "", metadata={"deletionTimestamp": "1"}, status={"conditions": [remaining]})
    found = only(View(namespaces=[one]))
    assert found.code == "being_deleted"
    assert "Namespace shop is being deleted, and nothing can be made in it: configmaps. has 1" in found.message
    assert diagnose(View(namespaces=[thing("Namespace", "shop", "")])) == []


def test_what_is_being_deleted_is_left_alone() -> None:
    assert diagnose(View(pods=[pod("a", metadata={"deletionTimestamp": "now"})])) == []


def claim(name: str = "data", phase: str = "Pending", **spec: Any) -> dict[str, Any]:
    return thing("PersistentVolumeClaim", name, "default", spec=spec, status={"phase": phase})


GP3 = thing(
    "StorageClass", "gp3", "", metadata={"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
)


@pytest.mark.parametrize(
    ("one", "classes", "said", "says"),
    [
        (claim(storageClassName="fast"), [GP3], "", "there is no StorageClass fast"),
        (claim(), [], "", "the cluster has no default one"),
        (claim(), [GP3], "volume quota exceeded", "volume quota exceeded"),
        (claim(storageClassName="", volumeName="pv"), [], "", "it waits for the volume pv"),
        (claim(storageClassName=""), [], "", "no volume that is there fits it"),
        (claim(storageClassName="gp3"), [GP3], "", "its volume is not made yet"),
        (claim(phase="Lost"), [], "", "that PersistentVolumeClaim default/data was bound to is gone"),
    ],
)
def test_claims_without_a_volume(one: dict[str, Any], classes: list[Any], said: str, says: str) -> None:
    events = [event(one, "ProvisioningFailed", said)] if said else []
    found = only(View(claims=[one], classes=classes, events=events))
    assert found.code == "claim_unbound"
    assert says in found.message


def test_a_claim_that_waits_for_its_pod_is_all_right() -> None:
    one = claim()
    for reason in ("WaitForFirstConsumer", "WaitForPodScheduled"):
        assert diagnose(View(claims=[one], events=[event(one, reason, "waiting")])) == []


def at(second: int, reason: str, message: str = "waiting for a volume") -> dict[str, Any]:
    """An event about the claim."""
    involved = {"kind": "PersistentVolumeClaim", "namespace": "default", "name": "data", "uid": "uid-data"}
    return event(claim(), reason, message, lastTimestamp=f"2026-01-01T00:00:{second:02d}Z", involvedObject=involved)


@pytest.mark.parametrize(
    ("events", "underway"),
    [
        ([at(1, "ExternalProvisioning")], True),
        ([at(1, "ExternalProvisioning"), at(2, "Provisioning")], True),
        ([at(1, "FailedBinding"), at(2, "ExternalProvisioning")], True),
        ([at(1, "ExternalProvisioning"), at(2, "FailedBinding")], False),
        ([at(1, "ExternalProvisioning"), at(2, "ProvisioningFailed")], False),
        # it says that it waits every 15 seconds, and the provisioner begins again after every failure
        ([at(1, "ProvisioningFailed", "quota"), at(2, "ExternalProvisioning")], False),
        ([at(1, "ProvisioningFailed", "quota"), at(2, "Provisioning")], False),
        ([], False),
    ],
    ids=range(8),
)
def test_a_provisioner_that_is_at_work_gets_longer(events: list[dict[str, Any]], underway: bool) -> None:
    one = claim(storageClassName="gp3")
    itself = only(View(claims=[one], classes=[GP3], events=events))
    of_pod = only(View(pods=[with_claim("a", "pod has unbound immediate PersistentVolumeClaims")], events=events))
    assert itself.underway is of_pod.underway is underway
    assert itself.code == of_pod.code == "claim_unbound"


def test_a_failure_of_the_provisioner_says_more_than_that_it_is_waited_for() -> None:
    one = claim(storageClassName="gp3")
    events = [at(1, "ProvisioningFailed", "quota exceeded"), at(2, "ExternalProvisioning")]
    assert "quota exceeded" in only(View(claims=[one], classes=[GP3], events=events)).message


def with_claim(name: str, message: str) -> dict[str, Any]:
    return pod(
        name,
        status=unscheduled(message),
        spec={"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]},
    )


def test_a_claim_says_more_than_the_pod_that_uses_it() -> None:
    unbound = "pod has unbound immediate PersistentVolumeClaims"
    assert only(View(pods=[with_claim("a", unbound)], claims=[claim()])).object == "PersistentVolumeClaim default/data"
    own = pod(
        "a", status=unscheduled(unbound), spec={"volumes": [{"name": "d", "ephemeral": {"volumeClaimTemplate": {}}}]}
    )
    found = only(View(pods=[own], claims=[{**claim(), "metadata": {"name": "a-d", "namespace": "default"}}]))
    assert found.object == "PersistentVolumeClaim default/a-d"
    missing = only(View(pods=[with_claim("a", 'persistentvolumeclaim "data" not found')]))
    assert "uses the claim data, which does not exist" in missing.message


def volume(zone: str) -> dict[str, Any]:
    expression = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return thing("PersistentVolume", "pv", "", spec={"nodeAffinity": affinity})


@pytest.mark.parametrize(
    ("zone", "says", "advice"),
    [("eu-west-1a", "is in zone eu-west-1a, and the nodes are in eu-west-1c", "Add a node in zone eu-west-1a"),
     ("eu-west-1c", "the nodes there do not take it", "Make room on node-0")],
)  # fmt: skip
def test_a_volume_in_a_zone_without_a_node(zone: str, says: str, advice: str) -> None:
    waits = with_claim("a", "1 node(s) didn't match PersistentVolume's node affinity")
    bound = claim(phase="Bound", volumeName="pv")
    found = only(View(pods=[waits], claims=[bound], volumes=[volume(zone)], nodes=[node("node-0")]))
    assert found.code == "volume_zone"
    assert says in found.message
    assert advice in found.suggestion


def test_a_volume_in_a_zone_that_cannot_be_seen() -> None:
    assert only(View(pods=[with_claim("a", "1 node(s) had volume node affinity conflict")])).code == "volume_zone"


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("exceeded quota: small", "ResourceQuota"),
        ('violates PodSecurity "restricted"', "security context"),
        ('serviceaccount "x" not found', "ServiceAccount"),
        ('failed calling webhook "x": connection refused', "webhook"),
        ("unable to create new content in namespace a because it is being terminated", "Wait until the namespace"),
        ("odd", "allowed"),
    ],
)
def test_pods_that_are_not_made(message: str, advice: str) -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": message}
    one = thing("ReplicaSet", "web-1", "default", spec={"replicas": 1}, status={"conditions": [condition]})
    found = only(View(controllers=[one]))
    assert found.code == "not_created"
    assert advice in found.suggestion


def test_a_deployment_says_for_its_replica_set_that_pods_are_not_made() -> None:
    status = {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"}]}
    above = thing("Deployment", "web", "default", spec={"replicas": 1}, status=status)
    owner = [{"kind": "Deployment", "name": "web", "uid": "uid-web", "controller": True}]
    below = thing("ReplicaSet", "web-1", "default", status=status, metadata={"ownerReferences": owner})
    assert only(View(controllers=[below, above])).object == "Deployment default/web"


def test_pods_that_are_not_made_by_event_only() -> None:
    one = thing("ReplicationController", "web", "default", spec={"replicas": 1})
    assert only(View(controllers=[one], events=[event(one, "FailedCreate", "odd")])).code == "not_created"


DONE = {"conditions": [{"type": "Complete", "status": "True"}]}


@pytest.mark.parametrize(
    ("kind", "spec", "status", "wants"),
    [
        ("StatefulSet", {"replicas": 2}, {}, True),
        ("StatefulSet", {"replicas": 0}, {}, False),
        ("DaemonSet", {}, {"desiredNumberScheduled": 2}, True),
        ("DaemonSet", {}, {"desiredNumberScheduled": 0}, False),
        ("Job", {}, {}, True),
        ("Job", {"parallelism": 2, "suspend": True}, {}, False),
        ("Job", {"parallelism": 2}, DONE, False),
        ("CronJob", {}, {}, False),
    ],
)
def test_whoever_wants_pods_and_gets_none_says_why(
    kind: str, spec: dict[str, Any], status: dict[str, Any], wants: bool
) -> None:
    one = thing(kind, "db", "default", spec=spec, status=status)
    found = diagnose(View(controllers=[one], events=[event(one, "FailedCreate", "exceeded quota: small")]))
    assert [finding.message for finding in found] == [
        f"{kind} default/db cannot make its pods: exceeded quota: small"
    ] * wants


@pytest.mark.parametrize(("made", "troubled"), [("2026-01-01T00:00:04Z", True), ("2026-01-01T00:00:05Z", False)])
def test_the_last_try_to_make_a_pod_counts(made: str, troubled: bool) -> None:
    one = thing("StatefulSet", "db", "default", spec={"replicas": 2})
    first, second = (controlled(f"db-{number}", "db", node="node-0", status={"phase": "Running"}) for number in (0, 1))
    first["metadata"]["creationTimestamp"] = made
    events = [event(one, "FailedCreate", "odd", lastTimestamp="2026-01-01T00:00:05Z")]
    assert bool(diagnose(View(pods=[first], controllers=[one], events=events))) is troubled
    assert diagnose(View(pods=[first, second], controllers=[one], events=events)) == []


def test_a_rollout_that_is_stuck() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}
    one = thing("Deployment", "web", status={"conditions": [condition], "observedGeneration": 1}, spec={})
    assert only(View(controllers=[one])).code == "rollout_stuck"


def test_services() -> None:
    lost = thing("Service", "a", spec={"selector": {"app": "nobody"}})
    balanced = thing("Service", "b", spec={"type": "LoadBalancer"})
    running = pod("p", node="n", status={"phase": "Succeeded"})
    found = diagnose(
        View(
            services=[lost, balanced],
            pods=[running],
            events=[event(balanced, "SyncLoadBalancerFailed", "AccessDenied")],
        )
    )
    assert [one.code for one in found] == ["no_endpoints", "load_balancer"]


def test_a_load_balancer_that_nobody_makes() -> None:
    service = thing("Service", "web", spec={"type": "LoadBalancer"})
    assert only(View(services=[service])).code == "load_balancer_pending"
    assert diagnose(View(services=[service], events=[event(service, "EnsuringLoadBalancer", "")])) == []
    assert diagnose(View(services=[service], unread={"Event": AuthError("no")})) == []


def test_a_service_leads_to_pods_that_are_not_in_question_but_not_to_another_namespace() -> None:
    service = thing("Service", "b", "default", spec={"selector": {"app": "b"}})
    asked, other = pod("a", status={"phase": "Succeeded"}), pod("b", metadata={"labels": {"app": "b"}})
    assert diagnose(View(services=[service], pods=[asked], all_pods=[asked, other])) == []
    far = {**other, "metadata": {**other["metadata"], "namespace": "far"}}
    assert only(View(services=[service], pods=[asked], all_pods=[asked, far])).code == "no_endpoints"


def test_nodes_that_are_not_well() -> None:
    control_plane = node("node-1", taints=[{"key": "node.cloudprovider.kubernetes.io/uninitialized"}])
    control_plane["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    here = pod("p", node="node-0", status={"phase": "Succeeded"})
    found = diagnose(View(pods=[here], nodes=[node("node-0", ready="Unknown"), control_plane]))
    assert found[0].message == (
        "The node node-0 is not ready: kubelet stopped posting node status, and 1 of the pods in question are on it"
    )
    assert "control plane node node-1 waits for the cloud controller manager" in found[1].message


def test_the_same_trouble_of_many_pods_is_one() -> None:
    pods = [
        controlled(f"web-{number}", "web", node="n", status=waiting("CrashLoopBackOff", restartCount=number))
        for number in range(3)
    ]
    message = only(View(pods=pods, logs={"default/web-1/c": "boom"})).message
    assert message.endswith("was restarted 1 times. Its last lines: boom (and 2 more like it)")


def test_pods_of_nobody_are_one_app_each() -> None:
    pods = [pod(name, node="n", status=waiting("ErrImagePull", "not found")) for name in ("shop-db", "shop-web")]
    assert len(diagnose(View(pods=pods))) == 2


def test_results() -> None:
    view = chapter()
    told = result_of(view, diagnose(view))
    assert told["healthy"] is False
    assert told["diagnosis"][0]["code"] == "unschedulable"
    assert told["pods"][0] == {
        "namespace": "default", "name": "mysql", "phase": "Pending", "ready": False, "node": None, "restarts": 0,
        "container_ids": [],
    }  # fmt: skip


def test_events_are_sorted_by_whichever_time_they_have() -> None:
    assert when({"series": {"lastObservedTime": "3"}, "metadata": {}}) == "3"
    assert when({"eventTime": "2", "metadata": {}}) == "2"
    assert when({"metadata": {"creationTimestamp": "1"}}) == "1"


def test_what_a_pod_asks_for() -> None:
    one = pod("a", cpu="100m", spec={
        "initContainers": [
            {"name": "i", "resources": {"requests": {"cpu": "1"}}},
            {"name": "s", "restartPolicy": "Always", "resources": {"limits": {"memory": "64Mi"}}},
        ],
        "overhead": {"cpu": "50m"},
    })  # fmt: skip
    asked = requests_of(one)
    assert float(asked["cpu"]) == 1.05
    assert asked["memory"] == 128 * 1024 * 1024
    assert asked["pods"] == 1


@pytest.mark.parametrize(
    ("there", "spec", "fits"),
    [
        (node("n"), {}, True),
        (node("n", unschedulable=True), {}, False),
        (node("n", ready="False"), {}, False),
        (node("n"), {"nodeSelector": {"disk": "ssd"}}, True),
        (node("n"), {"nodeSelector": {"disk": "hdd"}}, False),
        (node("n", taints=[{"key": "gpu", "effect": "NoSchedule"}]), {}, False),
        (node("n", taints=[{"key": "gpu", "effect": "PreferNoSchedule"}]), {}, True),
        (node("n", taints=[{"key": "gpu", "effect": "NoSchedule"}]), {"tolerations": [{"operator": "Exists"}]}, True),
        (node("n", taints=[{"key": "gpu", "value": "a", "effect": "NoSchedule"}]),
         {"tolerations": [{"key": "gpu", "value": "a", "effect": "NoExecute"}, {"key": "gpu", "value": "b"}]}, False),
    ],
    ids=range(9),
)  # fmt: skip
def test_which_nodes_take_a_pod(there: dict[str, Any], spec: dict[str, Any], fits: bool) -> None:
    assert bool(rooms(pod("a", spec=spec), [there], [])) is fits


def test_ours_go_first_and_near_before_far() -> None:
    view = chapter()
    foreign = pod("foreign", node="node-0", cpu="300m", status={"phase": "Running"})
    pods = [*view.all_pods, foreign]
    room = rooms(view.pods[0], view.nodes[:1], pods)[0]
    found = holders(view.pods[0], room, pods, view.controllers)
    assert [one.label for one in found] == ["ReplicationController default/nginxcluster"]
    alone = holders(view.pods[0], room, [foreign, view.pods[0]], ())
    assert alone == []


PULL = Finding("image_pull", "Pod a", "no", tries=1)


def test_patience_ends_by_time() -> None:
    impatience = Impatience()
    assert impatience.hopeless([PULL], 0) is None
    assert impatience.hopeless([PULL], 59) is None
    assert impatience.hopeless([PULL], 60) == PULL


def test_patience_ends_by_tries() -> None:
    again = Finding("image_pull", "Pod a", "no", tries=3)
    assert Impatience().hopeless([again], 0) == again


@pytest.mark.parametrize(
    ("one", "seconds"),
    [
        (Finding("claim_unbound", "PersistentVolumeClaim a", "no"), 30),
        (Finding("claim_unbound", "PersistentVolumeClaim a", "no", underway=True), 180),
        (Finding("config_missing", "Pod a", "no"), 45),
        (Finding("container_failed", "Pod a", "no"), 45),
        (Finding("load_balancer", "Service a", "no"), 360),
    ],
)
def test_how_long_a_trouble_may_last(one: Finding, seconds: float) -> None:
    impatience = Impatience()
    assert impatience.hopeless([one], 0) is None
    assert impatience.hopeless([one], seconds - 1) is None
    assert impatience.hopeless([one], seconds) == one


def test_a_provisioner_that_fails_after_a_while_may_try_again() -> None:
    impatience = Impatience()
    failed = Finding("claim_unbound", "PersistentVolumeClaim a", "no")
    impatience.hopeless([replace(failed, underway=True)], 0)
    assert impatience.hopeless([failed], 100) is None
    assert impatience.hopeless([failed], 130) == failed


def test_a_trouble_that_passed_starts_anew() -> None:
    impatience = Impatience()
    impatience.hopeless([PULL], 0)
    impatience.hopeless([], 30)
    assert impatience.hopeless([PULL], 61) is None


def test_some_troubles_are_never_hopeless() -> None:
    impatience = Impatience()
    probe = Finding("probe_failing", "Pod a", "no")
    impatience.hopeless([probe], 0)
    assert impatience.hopeless([probe], 9999) is None


@pytest.mark.parametrize("code", ["unschedulable", "volume_zone"])
def test_room_that_comes_is_waited_for(code: Code) -> None:
    impatience, homeless = Impatience(), Finding(code, "Pod a", "no")
    impatience.hopeless([homeless], 0)
    assert impatience.hopeless([homeless], 29) is None
    assert impatience.hopeless([homeless], 99, room_comes=True) is None
    assert impatience.hopeless([homeless], 100) == homeless
    assert room_comes([pod("a", metadata={"deletionTimestamp": "now"})], [])


@pytest.mark.parametrize(
    ("reasons", "comes"),
    [
        (["TriggeredScaleUp"], True),
        (["Nominated"], True),
        (["NotTriggerScaleUp", "Nominated"], True),
        (["Nominated", "NotTriggerScaleUp"], False),
        (["TriggeredScaleUp", "NotTriggerScaleUp"], False),
        (["FailedScheduling"], False),
    ],
)
def test_a_node_comes_if_an_autoscaler_said_so_last(reasons: list[str], comes: bool) -> None:
    one = pod("a")
    events = [event(one, reason, "", lastTimestamp=str(number)) for number, reason in enumerate(reasons)]
    assert room_comes([one], events) is comes
    assert room_comes([one], events[::-1]) is comes


def test_a_node_that_came_for_another_pod_is_no_hope() -> None:
    placed, waits = pod("a", node="n"), pod("b")
    assert not room_comes([placed, waits], [event(placed, "Nominated", "Pod should schedule on: nodeclaim/x")])
    refused = event(placed, "NotTriggerScaleUp", "", lastTimestamp="9")
    assert room_comes([placed, waits], [event(waits, "Nominated", ""), refused])


def pod_of(replica_set: str, name: str, namespace: str = "default") -> dict[str, Any]:
    above = [{"kind": "ReplicaSet", "name": replica_set, "uid": f"uid-{replica_set}", "controller": True}]
    labels = {"app": "web", "pod-template-hash": "5f7b"}
    return pod(name, metadata={"labels": labels, "namespace": namespace, "ownerReferences": above})


def test_pods_of_an_older_version_or_of_others_do_not_count() -> None:
    template = {"metadata": {}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}
    web = thing(
        "Deployment", "web", "default", spec={"selector": {"matchLabels": {"app": "web"}}, "template": template}
    )
    new, old = pod_of("web-5f7b", "new"), pod_of("web-5f7b", "old")
    old["spec"]["containers"][0]["image"] = "nginx:0"
    others = [pod_of("web-5f7b", "other", "elsewhere"), pod_of("web-2-5f7b", "clone"), pod("alone")]
    assert pods_of([web], [new, old, *others]) == [new]
    assert pods_of([new], [new, old]) == [new]
    assert made_from({}, new)
