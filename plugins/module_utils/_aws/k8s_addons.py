# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster gets besides kubeadm's own parts, as manifests: AWS's cloud controller, and the pod network. Pure.

The control plane applies them when it boots. The volumes' part is in ``k8s_addons_ebs``. PRIVATE.
"""

from __future__ import annotations

import json

from .k8s_manifests import SYSTEM, Manifest, cluster_role, manifest, rule, workload

CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
# The minor of the cloud controller manager is that of Kubernetes, or the one before. Not every release has an image;
# those that have: https://github.com/kubernetes/k8s.io/tree/main/registry.k8s.io/images/k8s-staging-provider-aws
CLOUD_CONTROLLER_VERSIONS = {"1.35": "v1.35.2", "1.36": "v1.36.1", "1.37": "v1.36.1"}
CLOUD_CONTROLLER = "registry.k8s.io/provider-aws/cloud-controller-manager"
FLANNEL = "ghcr.io/flannel-io/flannel:v0.28.9"
FLANNEL_PLUGIN = "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3"


def cloud_controller(cluster: str, version: str, pod_cidr: str, *, routes: bool) -> list[Manifest]:
    """The cloud controller manager: gives nodes their addresses, services their load balancers, pods their routes.

    It talks to the API server of its own host, as it has to work before there is a pod network.
    """
    name = account = "cloud-controller-manager"
    arguments = [
        "--v=2",
        "--cloud-provider=aws",
        f"--cluster-name={cluster}",
        f"--cluster-cidr={pod_cidr}",
        "--allocate-node-cidrs=true",  # the allocator itself is the controller manager's; the flag is for the routes
        f"--configure-cloud-routes={str(routes).lower()}",
    ]
    everywhere = "get list watch"
    rules = [
        rule("core", "events", "create patch update"),
        rule("core", "nodes", f"{everywhere} create delete patch update"),
        rule("core", "nodes/status", "patch"),
        rule("core", "services", f"{everywhere} patch update"),
        rule("core", "services/status", "patch update"),
        rule("core", "serviceaccounts", f"{everywhere} create"),
        rule("core", "serviceaccounts/token", "create"),
        rule("core", "persistentvolumes", f"{everywhere} patch update"),
        rule("core", "configmaps", everywhere),
        rule("coordination.k8s.io", "leases", f"{everywhere} create update"),
        rule("discovery.k8s.io", "endpointslices", everywhere),
    ]
    pod = {
        "hostNetwork": True,
        "nodeSelector": {CONTROL_PLANE_LABEL: ""},
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": account,
        "tolerations": [
            {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"},
            {"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"},
            {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"},
        ],
        "containers": [
            {
                "name": name,
                "image": f"{CLOUD_CONTROLLER}:{CLOUD_CONTROLLER_VERSIONS[version.rpartition('.')[0]]}",
                "args": arguments,
                "env": [
                    {"name": "KUBERNETES_SERVICE_HOST", "value": "127.0.0.1"},
                    {"name": "KUBERNETES_SERVICE_PORT", "value": "6443"},
                ],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            }
        ],
    }
    reader = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": "extension-apiserver-authentication-reader",
    }
    return [
        manifest("ServiceAccount", account, namespace=SYSTEM),
        *cluster_role(f"system:{name}", account, rules),
        manifest(
            "RoleBinding",
            f"{name}:apiserver-authentication-reader",
            "rbac.authorization.k8s.io/v1",
            SYSTEM,
            roleRef=reader,
            subjects=[{"kind": "ServiceAccount", "name": account, "namespace": SYSTEM}],
        ),
        workload("DaemonSet", "aws-cloud-controller-manager", pod, updateStrategy={"type": "RollingUpdate"}),
    ]


def flannel(pod_cidr: str) -> list[Manifest]:
    """Flannel with VXLAN: a pod network that needs no routes in the VPC."""
    name, namespace = "flannel", SYSTEM
    plugins = [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    settings = {
        "cni-conf.json": json.dumps({"name": "cbr0", "cniVersion": "1.0.0", "plugins": plugins}),
        "net-conf.json": json.dumps({"Network": pod_cidr, "EnableNFTables": False, "Backend": {"Type": "vxlan"}}),
    }
    rules = [
        rule("core", "pods", "get"),
        rule("core", "nodes", "get list watch"),
        rule("core", "nodes/status", "patch"),
    ]
    mounts = {"run": "/run/flannel", "settings": "/etc/kube-flannel/", "xtables-lock": "/run/xtables.lock"}
    fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace"}
    pod = {
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "serviceAccountName": name,
        "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
        "initContainers": [
            {
                "name": "install-plugin",
                "image": FLANNEL_PLUGIN,
                "command": ["cp", "-f", "/flannel", "/opt/cni/bin/flannel"],
                "volumeMounts": [{"name": "plugins", "mountPath": "/opt/cni/bin"}],
            },
            {
                "name": "install-settings",
                "image": FLANNEL,
                "command": ["cp", "-f", "/etc/kube-flannel/cni-conf.json", "/etc/cni/net.d/10-flannel.conflist"],
                "volumeMounts": [
                    {"name": "networks", "mountPath": "/etc/cni/net.d"},
                    {"name": "settings", "mountPath": "/etc/kube-flannel/"},
                ],
            },
        ],
        "containers": [
            {
                "name": name,
                "image": FLANNEL,
                "command": ["/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr"],
                "env": [
                    *(
                        {"name": variable, "valueFrom": {"fieldRef": {"fieldPath": path}}}
                        for variable, path in fields.items()
                    ),
                    {"name": "CONT_WHEN_CACHE_NOT_READY", "value": "false"},
                ],
                "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
                "securityContext": {"privileged": False, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
                "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in mounts.items()],
            }
        ],
        "volumes": [
            {"name": "run", "hostPath": {"path": "/run/flannel"}},
            {"name": "plugins", "hostPath": {"path": "/opt/cni/bin"}},
            {"name": "networks", "hostPath": {"path": "/etc/cni/net.d"}},
            {"name": "settings", "configMap": {"name": name}},
            {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
        ],
    }
    return [
        manifest("ServiceAccount", name, namespace=namespace),
        *cluster_role(name, name, rules),
        manifest("ConfigMap", name, namespace=namespace, data=settings),
        workload("DaemonSet", name, pod),
    ]
