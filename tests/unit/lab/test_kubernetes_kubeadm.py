# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubeadm reads and refuses."""

from __future__ import annotations

import pytest
from lab.kubernetes.ec2 import kubeadm
from lab.kubernetes.ec2.kubeadm import KubeadmError

INIT = """
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 172.20.0.9, bindPort: 6443}
nodeRegistration:
  name: ip-172-20-0-9.ec2.internal
  kubeletExtraArgs: [{name: cloud-provider, value: external}, {name: provider-id, value: "aws:///z/i-1"}]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: 172.20.0.9:6443
networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/16}
apiServer: {certSANs: [203.0.113.9]}
controllerManager: {extraArgs: [{name: cloud-provider, value: external}]}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
"""
JOIN = """
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: 172.20.0.9:6443
    token: abcdef.0123456789abcdef
    caCertHashes: ["sha256:00"]
timeouts: {discovery: 20m0s}
"""


def init(text: str = INIT) -> kubeadm.Init:
    return kubeadm.init(text, "ip-172-20-0-9.ec2.internal", "172.20.0.9")


def test_init_is_understood() -> None:
    found = init()
    assert found.version == "1.36.3"
    assert found.endpoint == "172.20.0.9:6443"
    assert found.external_cloud
    assert "203.0.113.9" in found.names
    assert found.registration.provider_id == "aws:///z/i-1"
    assert found.registration.external_cloud


def test_join_is_understood() -> None:
    found = kubeadm.join(JOIN, "ip-172-20-0-4.ec2.internal")
    assert found.token == "abcdef.0123456789abcdef"
    assert found.discovery_seconds == 1200
    assert found.registration.name == "ip-172-20-0-4.ec2.internal"
    assert not found.registration.external_cloud


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("v1beta4\nkind: InitC", "v1beta3\nkind: InitC", "no kind 'InitConfiguration' is registered for version"),
        ("kind: ClusterConfiguration\n", "kind: ClusterConfiguration\nsanss: []\n", 'unknown field "sanss"'),
        ("  name: ip", "  nam: x\n  name: ip", 'unknown field "nodeRegistration.nam"'),
        ("extraArgs: [{name: cloud-provider, value: external}]}", "extraArgs: {cloud-provider: external}}", "Arg"),
        ("kubernetesVersion: v1", "clusterName: 2026\nkubernetesVersion: v1", "unmarshal number into .*clusterName"),
        ("kubernetesVersion: v1", "clusterName: true\nkubernetesVersion: v1", "unmarshal bool into .*clusterName"),
        ("podSubnet: 10.244.0.0/16", "podSubnet: 10.96.0.0/12", "overlaps with serviceSubnet"),
        ("podSubnet: 10.244.0.0/16", "podSubnet: all", "couldn't parse subnet"),
        ("advertiseAddress: 172.20.0.9", "advertiseAddress: 172.20.0.8", "no address of this host"),
        ("kubernetesVersion: v1.36.3", "kubernetesVersion: latest", "could not fetch a Kubernetes version"),
        ("kind: KubeletConfiguration", "kind: InitConfiguration", "is registered for version"),
        ("{podSubnet", "{{podSubnet", "error converting YAML to JSON"),
    ],
)  # fmt: skip
def test_what_init_refuses(old: str, new: str, expected: str) -> None:
    assert old in INIT
    with pytest.raises(KubeadmError, match=expected):
        init(INIT.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abcdef.0123456789abcdef", "abcdef", "was not of the form"),
        ('    caCertHashes: ["sha256:00"]\n', "", "without caCertHashes can be unsafe"),
        ("172.20.0.9:6443", "172.20.0.9", "address and port"),
        ("kind: JoinConfiguration", "kind: ClusterConfiguration", "unknown field|no JoinConfiguration"),
        ("20m0s", "20 minutes", "invalid duration"),
    ],
)
def test_what_join_refuses(old: str, new: str, expected: str) -> None:
    assert old in JOIN
    with pytest.raises(KubeadmError, match=expected):
        kubeadm.join(JOIN.replace(old, new), "node")


@pytest.mark.parametrize(
    ("cpus", "mebibytes", "expected"), [(1, 4096, r"\[ERROR NumCPU\]"), (2, 1024, r"\[ERROR Mem\]: the system RAM")]
)
def test_a_control_plane_needs_a_machine(cpus: int, mebibytes: int, expected: str) -> None:
    kubeadm.preflight(2, 4096)
    kubeadm.preflight(cpus, mebibytes, ("NumCPU", "Mem"))
    with pytest.raises(KubeadmError, match=expected):
        kubeadm.preflight(cpus, mebibytes)


@pytest.mark.parametrize(("text", "expected"), [("1h5m0s", 3900), ("300ms", 0.3), ("24h0m0s", 86400)])
def test_durations(text: str, expected: float) -> None:
    assert kubeadm.seconds(text) == expected
