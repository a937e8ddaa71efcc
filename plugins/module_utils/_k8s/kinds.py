# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that need no look at the API server to be addressed.

Discovery costs a round trip per API group; what a scheduler's apps consist of has not changed its place for years. A
kind that is not in the table costs one request (``Api.kind``). PRIVATE.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Kind:
    """Where objects of a kind live.

    Attributes:
        api_version: as manifests write it ("apps/v1").
        kind: its name ("Deployment").
        plural: its name in paths ("deployments").
        namespaced: whether its objects live in a namespace.
    """

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def base(self) -> str:
        """The path of its API group and version."""
        return f"/{'apis' if self.group else 'api'}/{self.api_version}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of an object, or of the list of them: of all namespaces, where none is given."""
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        parts = "".join(f"/{quote(one, safe=':')}" for one in (name, subresource) if one)
        return f"{self.base}{within}/{self.plural}{parts}"

    def label(self, name: str, namespace: str = "") -> str:
        """An object of this kind in words: "Deployment shop/web"."""
        return f"{self.kind} {namespace}/{name}" if self.namespaced and namespace else f"{self.kind} {name}"


def _group(api_version: str, namespaced: str = "", cluster: str = "") -> list[Kind]:
    """Kinds of one API group, written "Kind:plural"."""
    both = ((namespaced, True), (cluster, False))
    return [
        Kind(api_version, kind, plural, within)
        for text, within in both
        for kind, plural in (one.split(":") for one in text.split())
    ]


_ALL: list[Kind] = [
    *_group(
        "v1",
        "ConfigMap:configmaps Endpoints:endpoints Event:events LimitRange:limitranges PersistentVolumeClaim:"
        "persistentvolumeclaims Pod:pods PodTemplate:podtemplates ReplicationController:replicationcontrollers "
        "ResourceQuota:resourcequotas Secret:secrets Service:services ServiceAccount:serviceaccounts",
        "Namespace:namespaces Node:nodes PersistentVolume:persistentvolumes",
    ),
    *_group(
        "apps/v1",
        "DaemonSet:daemonsets Deployment:deployments ReplicaSet:replicasets StatefulSet:statefulsets "
        "ControllerRevision:controllerrevisions",
    ),
    *_group("batch/v1", "CronJob:cronjobs Job:jobs"),
    *_group("autoscaling/v2", "HorizontalPodAutoscaler:horizontalpodautoscalers"),
    *_group("policy/v1", "PodDisruptionBudget:poddisruptionbudgets"),
    *_group("networking.k8s.io/v1", "Ingress:ingresses NetworkPolicy:networkpolicies", "IngressClass:ingressclasses"),
    *_group(
        "rbac.authorization.k8s.io/v1",
        "Role:roles RoleBinding:rolebindings",
        "ClusterRole:clusterroles ClusterRoleBinding:clusterrolebindings",
    ),
    *_group(
        "storage.k8s.io/v1",
        "CSIStorageCapacity:csistoragecapacities",
        "CSIDriver:csidrivers CSINode:csinodes StorageClass:storageclasses VolumeAttachment:volumeattachments",
    ),
    *_group("scheduling.k8s.io/v1", "", "PriorityClass:priorityclasses"),
    *_group("coordination.k8s.io/v1", "Lease:leases"),
    *_group("apiextensions.k8s.io/v1", "", "CustomResourceDefinition:customresourcedefinitions"),
    *_group("apiregistration.k8s.io/v1", "", "APIService:apiservices"),
    *_group(
        "admissionregistration.k8s.io/v1",
        "",
        "MutatingWebhookConfiguration:mutatingwebhookconfigurations "
        "ValidatingWebhookConfiguration:validatingwebhookconfigurations "
        "ValidatingAdmissionPolicy:validatingadmissionpolicies "
        "ValidatingAdmissionPolicyBinding:validatingadmissionpolicybindings",
    ),
]

KINDS: dict[tuple[str, str], Kind] = {(one.api_version, one.kind): one for one in _ALL}


def known(name: str, api_version: str = "v1") -> Kind:
    """A kind of the table."""
    return KINDS[(api_version, name)]


CONFIG_MAP = known("ConfigMap")
CRD = known("CustomResourceDefinition", "apiextensions.k8s.io/v1")
CRON_JOB = known("CronJob", "batch/v1")
DAEMON_SET = known("DaemonSet", "apps/v1")
DEPLOYMENT = known("Deployment", "apps/v1")
ENDPOINTS = known("Endpoints")
EVENT = known("Event")
JOB = known("Job", "batch/v1")
NAMESPACE = known("Namespace")
NODE = known("Node")
POD = known("Pod")
REPLICA_SET = known("ReplicaSet", "apps/v1")
REPLICATION_CONTROLLER = known("ReplicationController")
SECRET = known("Secret")
SERVICE = known("Service")
STATEFUL_SET = known("StatefulSet", "apps/v1")
STORAGE_CLASS = known("StorageClass", "storage.k8s.io/v1")
VOLUME = known("PersistentVolume")
VOLUME_ATTACHMENT = known("VolumeAttachment", "storage.k8s.io/v1")
VOLUME_CLAIM = known("PersistentVolumeClaim")
