# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubeadm reads and refuses: its configuration (v1beta4) and its preflight checks. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

API = "kubeadm.k8s.io/v1beta4"
COMPONENTS = {"KubeletConfiguration": "kubelet.config.k8s.io/v1beta1",
              "KubeProxyConfiguration": "kubeproxy.config.k8s.io/v1alpha1"}  # fmt: skip
KINDS = ("InitConfiguration", "ClusterConfiguration", "JoinConfiguration")
TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
ARGUMENTS = ("extraArgs", "kubeletExtraArgs")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "InitConfiguration": (
        "bootstrapTokens", "dryRun", "nodeRegistration", "localAPIEndpoint", "certificateKey", "skipPhases", "patches",
        "timeouts",
    ),
    "ClusterConfiguration": (
        "etcd", "networking", "kubernetesVersion", "controlPlaneEndpoint", "apiServer", "controllerManager",
        "scheduler", "dns", "proxy", "certificatesDir", "imageRepository", "featureGates", "clusterName",
        "encryptionAlgorithm", "certificateValidityPeriod", "caCertificateValidityPeriod",
    ),
    "JoinConfiguration": (
        "dryRun", "nodeRegistration", "caCertPath", "discovery", "controlPlane", "skipPhases", "patches", "timeouts",
    ),
}  # fmt: skip
REGISTRATION = ("name", "criSocket", "taints", "kubeletExtraArgs", "ignorePreflightErrors", "imagePullPolicy",
                "imagePullSerial")  # fmt: skip
TEXTS = ("kubernetesVersion", "controlPlaneEndpoint", "clusterName", "encryptionAlgorithm")  # of a ClusterConfiguration
LEAST_CPUS, LEAST_MEBIBYTES = 2, 1700


class KubeadmError(Exception):
    """What kubeadm prints before it exits with 1 (or with 2, after preflight)."""


@dataclass(frozen=True)
class Registration:
    """How the kubelet of a machine registers."""

    name: str
    provider_id: str | None
    external_cloud: bool
    taints: tuple[Mapping[str, str], ...] | None
    node_ip: str | None = None


@dataclass(frozen=True)
class Init:
    """What `kubeadm init` is told."""

    registration: Registration
    address: str
    port: int
    version: str
    endpoint: str
    pods: str
    services: str
    cluster_name: str
    names: tuple[str, ...]
    tokens: tuple[Mapping[str, Any], ...] = ()
    skipped: tuple[str, ...] = ()
    external_cloud: bool = False
    ignored: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Join:
    """What `kubeadm join` is told."""

    registration: Registration
    endpoint: str
    token: str
    hashes: tuple[str, ...]
    unsafe: bool
    discovery_seconds: float
    ignored: tuple[str, ...] = ()


def documents(text: str) -> dict[str, dict[str, Any]]:
    """The documents of a configuration file by kind; KubeadmError as kubeadm would say it."""
    found: dict[str, dict[str, Any]] = {}
    try:
        parsed = [document for document in yaml.safe_load_all(text) if document]
    except yaml.YAMLError as error:
        raise KubeadmError(f"error converting YAML to JSON: yaml: {str(error).splitlines()[0]}") from error
    for document in parsed:
        if not isinstance(document, dict) or not document.get("kind") or not document.get("apiVersion"):
            raise KubeadmError("invalid configuration for GroupVersionKind /, Kind=: kind and apiVersion is mandatory "
                               "information that must be specified")  # fmt: skip
        kind, version = document["kind"], document["apiVersion"]
        if kind in COMPONENTS and version == COMPONENTS[kind]:
            continue
        if kind not in KINDS or version != API:
            raise KubeadmError(f"no kind {kind!r} is registered for version {version!r} (known is {API})")
        if kind in found:
            raise KubeadmError(f'invalid configuration: kind "{kind}" is specified twice in YAML file')
        _check_fields(kind, document)
        found[kind] = document
    return found


def _check_fields(kind: str, document: dict[str, Any]) -> None:
    unknown = [name for name in document if name not in (*FIELDS[kind], "apiVersion", "kind")]
    registration = document.get("nodeRegistration") or {}
    unknown += [f"nodeRegistration.{name}" for name in registration if name not in REGISTRATION]
    if unknown:
        raise KubeadmError(f'error unmarshaling configuration {API}, Kind={kind}: strict decoding error: unknown field '
                           f'"{unknown[0]}"')  # fmt: skip
    for name in TEXTS:
        if isinstance(document.get(name), (bool, int, float)):
            what = "bool" if isinstance(document[name], bool) else "number"
            raise KubeadmError(f"json: cannot unmarshal {what} into Go struct field {kind}.{name} of type string")
    for path, value in _arguments(document):
        if not isinstance(value, list) or any(set(entry) != {"name", "value"} for entry in value):
            raise KubeadmError(
                f"json: cannot unmarshal object into Go struct field {kind}.{path} of type []v1beta4.Arg"
            )


def _arguments(document: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    for name in ("apiServer", "controllerManager", "scheduler", "nodeRegistration"):
        for key in ARGUMENTS:
            value = (document.get(name) or {}).get(key)
            if value is not None:
                found.append((f"{name}.{key}", value))
    return found


def init(text: str, own_name: str, own_address: str) -> Init:
    """The configuration of `kubeadm init`, checked."""
    found = documents(text)
    if "JoinConfiguration" in found:
        raise KubeadmError("kubeadm init takes no JoinConfiguration")
    start, cluster = found.get("InitConfiguration", {}), found.get("ClusterConfiguration", {})
    networking, local = cluster.get("networking") or {}, start.get("localAPIEndpoint") or {}
    address, port = str(local.get("advertiseAddress") or own_address), int(local.get("bindPort") or 6443)
    if address != own_address:
        raise KubeadmError(f"couldn't use {address!r} as apiserver-advertise-address: it is no address of this host")
    pods = _network("networking.podSubnet", networking.get("podSubnet") or "10.244.0.0/16")
    services = _network("networking.serviceSubnet", networking.get("serviceSubnet") or "10.96.0.0/12")
    if ipaddress.ip_network(pods).overlaps(ipaddress.ip_network(services)):
        raise KubeadmError(f"podSubnet: {pods} overlaps with serviceSubnet: {services}")
    version = str(cluster.get("kubernetesVersion") or "stable-1")
    if not re.fullmatch(r"v?1\.\d+\.\d+", version):
        raise KubeadmError(f"could not fetch a Kubernetes version from the internet, and {version!r} is none")
    endpoint = str(cluster.get("controlPlaneEndpoint") or f"{address}:{port}")
    names = [str(name) for name in (cluster.get("apiServer") or {}).get("certSANs") or ()]
    tokens = tuple(start.get("bootstrapTokens") or ())
    for token in tokens:
        _token(str(token.get("token") or "aaaaaa.aaaaaaaaaaaaaaaa"))
    manager = _named((cluster.get("controllerManager") or {}).get("extraArgs"))
    return Init(
        registration=_registration(start, own_name),
        address=address,
        port=port,
        version=version.removeprefix("v"),
        endpoint=endpoint if ":" in endpoint else f"{endpoint}:{port}",
        pods=pods,
        services=services,
        cluster_name=str(cluster.get("clusterName") or "kubernetes"),
        names=(*names, endpoint.rpartition(":")[0] or endpoint, address, own_name),
        tokens=tokens,
        skipped=tuple(start.get("skipPhases") or ()),
        external_cloud=manager.get("cloud-provider") == "external",
        ignored=_ignored(start),
    )


def join(text: str, own_name: str) -> Join:
    """The configuration of `kubeadm join`, checked."""
    found = documents(text)
    document = found.get("JoinConfiguration")
    if document is None:
        raise KubeadmError(f"no JoinConfiguration or cluster configuration of {API} in the given file")
    discovery = document.get("discovery") or {}
    bootstrap = discovery.get("bootstrapToken")
    if not bootstrap:
        raise KubeadmError('discovery: Invalid value: "": bootstrapToken or file must be set')
    token, hashes = str(bootstrap.get("token") or ""), tuple(bootstrap.get("caCertHashes") or ())
    _token(token)
    unsafe = bool(bootstrap.get("unsafeSkipCAVerification"))
    if not hashes and not unsafe:
        raise KubeadmError(
            'discovery.bootstrapToken.caCertHashes: Invalid value: "": using token-based discovery without '
            "caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your kubeadm config file to continue"
        )
    endpoint = str(bootstrap.get("apiServerEndpoint") or "")
    if not re.fullmatch(r"\S+:\d+", endpoint):
        raise KubeadmError(f'discovery.bootstrapToken.apiServerEndpoint: Invalid value: "{endpoint}": address and port')
    return Join(
        registration=_registration(document, own_name),
        endpoint=endpoint,
        token=token,
        hashes=hashes,
        unsafe=unsafe,
        discovery_seconds=seconds((document.get("timeouts") or {}).get("discovery") or "5m0s"),
        ignored=_ignored(document),
    )


def preflight(cpus: int, mebibytes: int, ignored: tuple[str, ...] = ()) -> None:
    """Is the machine large enough for a control plane?"""
    problems = []
    if cpus < LEAST_CPUS and "NumCPU" not in ignored:
        problems.append(f"[ERROR NumCPU]: the number of available CPUs {cpus} is less than the required {LEAST_CPUS}")
    if mebibytes < LEAST_MEBIBYTES and "Mem" not in ignored:
        problems.append(f"[ERROR Mem]: the system RAM ({mebibytes} MB) is less than the minimum {LEAST_MEBIBYTES} MB")
    if problems:
        lines = "\n\t".join(problems)
        raise KubeadmError(f"[preflight] Some fatal errors occurred:\n\t{lines}\n[preflight] If you know what you are "
                           "doing, you can make a check non-fatal with `--ignore-preflight-errors=...`")  # fmt: skip


def seconds(text: str) -> float:
    """Go's durations: `1h5m0s`, `300ms`."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", str(text))
    if not parts or "".join(number + unit for number, unit in parts) != str(text):
        raise KubeadmError(f'time: invalid duration "{text}"')
    return sum(float(number) * units[unit] for number, unit in parts)


def images(version: str) -> list[str]:
    """`kubeadm config images list`, as far as anybody looks."""
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    return [
        *(f"registry.k8s.io/{name}:v{version.removeprefix('v')}" for name in names),
        "registry.k8s.io/coredns/coredns:v1.14.1",
        "registry.k8s.io/pause:3.10.1",
        "registry.k8s.io/etcd:3.6.8-0",
    ]


def _registration(document: dict[str, Any], own_name: str) -> Registration:
    given = document.get("nodeRegistration") or {}
    arguments = _named(given.get("kubeletExtraArgs"))
    taints = given.get("taints")
    return Registration(
        name=str(given.get("name") or own_name).lower(),
        provider_id=arguments.get("provider-id"),
        external_cloud=arguments.get("cloud-provider") == "external",
        taints=None if taints is None else tuple(taints),
        node_ip=arguments.get("node-ip"),
    )


def _ignored(document: dict[str, Any]) -> tuple[str, ...]:
    return tuple((document.get("nodeRegistration") or {}).get("ignorePreflightErrors") or ())


def _named(arguments: Any) -> dict[str, str]:
    return {str(entry["name"]): str(entry["value"]) for entry in arguments or ()}


def _network(name: str, value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise KubeadmError(f'{name}: Invalid value: "{value}": couldn\'t parse subnet') from error


def _token(token: str) -> None:
    if not TOKEN.fullmatch(token):
        raise KubeadmError(f'the bootstrap token "{token[:6]}..." was not of the form "{TOKEN.pattern}"')
