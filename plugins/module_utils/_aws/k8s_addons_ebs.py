# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EBS CSI driver and the default storage class, as manifests. Pure. PRIVATE.

Only the controller needs AWS. It runs on the control plane and in the host's network, so that the metadata service,
one hop away, answers it and no pod. What it makes carries the cluster's tags and our mark, so that a teardown finds it.
https://github.com/kubernetes-sigs/aws-ebs-csi-driver/tree/v1.64.0/deploy/kubernetes/base
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .k8s_addons import CONTROL_PLANE_LABEL
from .k8s_manifests import SYSTEM, Manifest, cluster_role, manifest, rule, workload

DRIVER = "ebs.csi.aws.com"
DRIVER_IMAGE = "registry.k8s.io/provider-aws/aws-ebs-csi-driver:v1.64.0"
SIDECARS = {
    "csi-provisioner": "v6.3.0",
    "csi-attacher": "v4.12.0",
    "csi-resizer": "v2.2.1",
    "csi-node-driver-registrar": "v2.17.0",
    "livenessprobe": "v2.19.0",
}
CONTROLLER = "ebs-csi-controller"
NODE = "ebs-csi-node"
SOCKET = "/csi/csi.sock"
KUBELET = "/var/lib/kubelet"
PLUGIN = f"{KUBELET}/plugins/{DRIVER}"
HEALTH_PORT = 9808
REQUESTS = {"requests": {"cpu": "10m", "memory": "40Mi"}, "limits": {"memory": "256Mi"}}
CONFINED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
LOOK = "get list watch"


def ebs_driver(region: str, cluster: str, tags: Mapping[str, str]) -> list[Manifest]:
    """The driver, and an encrypted storage class as the default.

    Args:
        tags: for every volume that the driver makes, besides ``kubernetes.io/cluster/<cluster>``.
    """
    parameters = {"type": "gp3", "encrypted": "true", "csi.storage.k8s.io/fstype": "ext4"}
    default = manifest(
        "StorageClass",
        "gp3",
        "storage.k8s.io/v1",
        provisioner=DRIVER,
        parameters=parameters,
        volumeBindingMode="WaitForFirstConsumer",
        allowVolumeExpansion=True,
        reclaimPolicy="Delete",
    )
    default["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    pod = _controller_pod(region, cluster, tags)
    driver = {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "File"}
    return [
        manifest("CSIDriver", DRIVER, "storage.k8s.io/v1", spec=driver),
        default,
        *(manifest("ServiceAccount", name, namespace=SYSTEM) for name in (CONTROLLER, NODE)),
        *cluster_role(CONTROLLER, CONTROLLER, _controller_rules()),
        *cluster_role(NODE, NODE, _node_rules()),
        workload("Deployment", CONTROLLER, pod, replicas=1, strategy={"type": "Recreate"}),
        workload("DaemonSet", NODE, _node_pod()),
    ]


def _node_rules() -> list[dict[str, list[str]]]:
    """Its last act on a node that is drained is to wait until no volume is attached to it any more."""
    return [
        rule("core", "nodes", "get patch"),
        rule("storage.k8s.io", "csinodes", LOOK),
        rule("storage.k8s.io", "volumeattachments", LOOK),
    ]


def _controller_rules() -> list[dict[str, list[str]]]:
    """Provisioner, attacher and resizer in one."""
    return [
        rule("core", "persistentvolumes", f"{LOOK} create delete patch update"),
        rule("core", "persistentvolumeclaims", f"{LOOK} patch update"),
        rule("core", "persistentvolumeclaims/status", "patch update"),
        rule("core", "events", f"{LOOK} create patch update"),
        rule("core", "nodes pods", LOOK),
        rule("storage.k8s.io", "csinodes storageclasses volumeattributesclasses", LOOK),
        rule("storage.k8s.io", "volumeattachments", f"{LOOK} patch update"),
        rule("storage.k8s.io", "volumeattachments/status", "patch"),
        rule("coordination.k8s.io", "leases", f"{LOOK} create delete patch update"),
    ]


def _controller_pod(region: str, cluster: str, tags: Mapping[str, str]) -> dict[str, Any]:
    mounts = [{"name": "socket", "mountPath": "/csi"}]
    extra = ",".join(f"{key}={value}" for key, value in sorted(tags.items()))
    arguments = [
        "controller",
        f"--endpoint=unix://{SOCKET}",
        "--batching=true",
        f"--k8s-tag-cluster-id={cluster}",
        f"--extra-tags={extra}",
        "--v=2",
    ]
    helpers = {
        "csi-provisioner": [
            "--feature-gates=Topology=true",
            "--extra-create-metadata",
            "--default-fstype=ext4",
            "--timeout=60s",
        ],
        "csi-attacher": ["--timeout=6m"],  # as long as a volume may take to come off another node
        "csi-resizer": ["--handle-volume-inuse-error=false"],
    }
    return {
        "hostNetwork": True,
        "nodeSelector": {CONTROL_PLANE_LABEL: ""},
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": CONTROLLER,
        "tolerations": [{"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"}],
        "containers": [
            {
                **_driver_container(arguments, mounts),
                "env": [{"name": "AWS_REGION", "value": region}],
                "securityContext": CONFINED,
            },
            *(
                _sidecar(name, [f"--csi-address={SOCKET}", "--leader-election=true", "--v=2", *more], mounts)
                for name, more in helpers.items()
            ),
            _sidecar("livenessprobe", [f"--csi-address={SOCKET}", f"--health-port={HEALTH_PORT}"], mounts),
        ],
        "volumes": [{"name": "socket", "emptyDir": {}}],
    }


def _node_pod() -> dict[str, Any]:
    mounts = [{"name": "plugin", "mountPath": "/csi"}]
    work = [
        {"name": "kubelet", "mountPath": KUBELET, "mountPropagation": "Bidirectional"},
        {"name": "devices", "mountPath": "/dev"},
    ]
    arguments = [
        "node",
        f"--endpoint=unix://{SOCKET}",
        "--metadata-sources=kubernetes",  # the cloud controller has labelled the node: no pod has to ask AWS
        f"--csi-mount-point-prefix={KUBELET}/plugins/kubernetes.io/csi/{DRIVER}/",
        "--v=2",
    ]
    registration = {"name": "registration", "mountPath": "/registration"}
    registrar = [f"--csi-address={SOCKET}", f"--kubelet-registration-path={PLUGIN}/csi.sock", "--v=2"]
    name = {"name": "CSI_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    hooks = {"preStop": {"exec": {"command": ["/bin/aws-ebs-csi-driver", "pre-stop-hook"]}}}
    paths = {"kubelet": KUBELET, "devices": "/dev", "registration": f"{KUBELET}/plugins_registry"}
    return {
        "priorityClassName": "system-node-critical",
        "serviceAccountName": NODE,
        "tolerations": [{"operator": "Exists"}],
        "containers": [
            {
                **_driver_container(arguments, [*mounts, *work]),
                "env": [name],
                "lifecycle": hooks,
                "securityContext": {"privileged": True, "readOnlyRootFilesystem": True},
            },
            _sidecar("csi-node-driver-registrar", registrar, [*mounts, registration]),
            _sidecar("livenessprobe", [f"--csi-address={SOCKET}", f"--health-port={HEALTH_PORT}"], mounts),
        ],
        "volumes": [
            *({"name": volume, "hostPath": {"path": path, "type": "Directory"}} for volume, path in paths.items()),
            {"name": "plugin", "hostPath": {"path": PLUGIN, "type": "DirectoryOrCreate"}},
        ],
    }


def _driver_container(arguments: list[str], mounts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "ebs-plugin",
        "image": DRIVER_IMAGE,
        "args": arguments,
        "ports": [{"name": "healthz", "containerPort": HEALTH_PORT}],
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": "healthz"},
            "initialDelaySeconds": 10,
            "timeoutSeconds": 3,
            "failureThreshold": 5,
        },
        "resources": REQUESTS,
        "volumeMounts": mounts,
    }


def _sidecar(name: str, arguments: list[str], mounts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "image": f"registry.k8s.io/sig-storage/{name}:{SIDECARS[name]}",
        "args": arguments,
        "resources": REQUESTS,
        "securityContext": CONFINED,
        "volumeMounts": mounts,
    }
