# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of Kubernetes clusters start from: options, a run on a scripted AWS, an API server as a list of nodes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_options import ClusterOptions
from ansible_collections.container.schedulers.plugins.module_utils._aws.kubernetes_names import (
    KubernetesNames,
    cluster_tags,
    kubernetes_mark,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._aws.run import Run
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.module_utils._cluster_api import Node
from ansible_collections.container.schedulers.plugins.module_utils._errors import SchedulersError
from ansible_collections.container.schedulers.plugins.module_utils._wait import Pace
from ansible_collections.container.schedulers.plugins.modules.k8s_aws_cluster import SPEC
from unit.scripted import ScriptedAws

OWNER = "container.schedulers/owner"
PART = "container.schedulers/part"
NAMES = KubernetesNames("one", "eu-west-1")
ADMIN = yaml.safe_dump(
    {
        "clusters": [
            {"name": "one", "cluster": {"server": "https://172.20.0.9:6443", "certificate-authority-data": "Q0E="}}
        ],
        "users": [
            {
                "name": "admin",
                "user": {
                    "client-certificate-data": "Q0VSVA==",
                    "client-key-data": base64.b64encode(b"a very secret key").decode(),
                },
            }
        ],
    }
)


def params(**given: Any) -> dict[str, Any]:
    """The options of the module as AnsibleModule hands them over: these, and the defaults of the others."""
    every = SPEC.merge(STATE, wait_options(1800), CONNECTION).options
    unknown = {*given} - {*every}
    assert not unknown, unknown
    return {**{name: option.get("default") for name, option in every.items()}, "name": "one", **given}


def options(**given: Any) -> ClusterOptions:
    return ClusterOptions.from_params(params(**given))


def a_run(aws: ScriptedAws, seconds: float = 900, tags: Mapping[str, str] | None = None) -> Run:
    """A run for the cluster "one", on the clock of its AWS."""
    return Run(aws, kubernetes_mark("one"), Deadline(aws.clock, seconds), tags={**(tags or {}), **cluster_tags("one")})


def marks(part: str, **more: str) -> list[dict[str, str]]:
    """The tags of something that belongs to the cluster."""
    tags = {**cluster_tags("one"), OWNER: "kubernetes/one", PART: part, **more}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def group(*members: str, desired: int | None = None, version: str = "1") -> dict[str, Any]:
    """The auto scaling group of DescribeAutoScalingGroups."""
    count = len(members) if desired is None else desired
    return {
        "AutoScalingGroupName": NAMES.auto_scaling_group,
        "MinSize": count,
        "MaxSize": count,
        "DesiredCapacity": count,
        "VPCZoneIdentifier": "subnet-1",
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": version},
        "Tags": marks("auto-scaling-group", Name="kubernetes-one-nodes"),
        "Instances": [
            {
                "InstanceId": one,
                "AvailabilityZone": "eu-west-1c",
                "LifecycleState": "InService",
                "InstanceType": "t3.medium",
                "LaunchTemplate": {"Version": "1"},
            }
            for one in members
        ],
    }


def node(instance: str, **more: Any) -> Node:
    """A node that takes pods."""
    return Node(**{"name": f"node-{instance}", "instance": instance, "ready": True, "initialised": True, **more})


def _given(answer: Sequence[Node] | SchedulersError) -> Sequence[Node]:
    """The answer, or the error that comes in its place."""
    if isinstance(answer, SchedulersError):
        raise answer
    return answer


class FakeCluster:
    """An API server in a few lists.

    Attributes:
        known: the answers to ``nodes``, in order; the last one stays. An error is raised.
        done: what was asked of it.
    """

    def __init__(self, *known: Sequence[Node] | SchedulersError, dns: Sequence[str] = ("",)) -> None:
        self.known = list(known) or [[]]
        self.dns = list(dns)
        self.ill: list[str] = []
        self.services: list[str] = []
        self.volumes: list[str] = []
        self.done: list[tuple[str, str]] = []

    def nodes(self) -> Sequence[Node]:
        answer = self.known.pop(0) if len(self.known) > 1 else self.known[0]
        return _given(answer)

    def glance(self) -> Sequence[Node] | None:
        try:
            return self.nodes()
        except SchedulersError:
            return None

    def dns_problem(self) -> str:
        return self.dns.pop(0) if len(self.dns) > 1 else self.dns[0]

    def troubles(self) -> Sequence[str]:
        return self.ill

    def drain(self, node: str, deadline: Deadline, pace: Pace) -> None:
        self.done.append(("drain", node))

    def uncordon(self, node: str) -> None:
        self.done.append(("uncordon", node))

    def delete_node(self, node: str) -> None:
        self.done.append(("delete node", node))

    def load_balancer_services(self) -> Sequence[str]:
        return self.services

    def claims(self) -> Sequence[str]:
        return self.volumes

    def delete_service(self, name: str, deadline: Deadline, pace: Pace) -> None:
        self.done.append(("delete service", name))

    def delete_claim(self, name: str) -> None:
        self.done.append(("delete claim", name))

    def connect(self, _kubeconfig: Mapping[str, Any]) -> FakeCluster:
        return self
