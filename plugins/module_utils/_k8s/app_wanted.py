# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app consists of: its controller and its service as manifests.

An option that is not given is not managed: what an existing app has in its place is said again, as server-side apply
takes away what its owner no longer says. Pure. PRIVATE.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._checks import between
from .._errors import InputError
from .._texts import texts, words
from .manifests import Manifest, checked_namespace
from .objects import Object
from .pod_options import checked_port, connects, environment, probe, resources
from .quantities import amount

APP_LABEL = "app"
NAME_LABEL = "app.kubernetes.io/name"
TEMPLATE = "container.schedulers/template"
NAME = re.compile(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?")
BALANCER = "service.beta.kubernetes.io/aws-load-balancer-type"
INTERNAL = "service.beta.kubernetes.io/aws-load-balancer-internal"
MOST_REPLICAS = 2**31 - 1  # more than that, the server takes for another number
AMOUNTS = frozenset({"cpu", "memory"})
# field of the container -> options that it comes from
PROBES = {
    "readinessProbe": "readiness_probe",
    "livenessProbe": "liveness_probe",
    "startupProbe": "startup_probe",
}


def checked(params: Mapping[str, Any]) -> None:
    """Refuse values that cannot work, before anything is read.

    Raises:
        InputError: names the option.
    """
    if not NAME.fullmatch(params["name"]):
        raise InputError(
            f"name is {params['name']!r}, but has to be up to 50 lower case letters, digits and hyphens, "
            f"a letter first and no hyphen last"
        )
    checked_namespace("namespace", params["namespace"])
    if params["replicas"] is not None:
        between("replicas", params["replicas"], 0, MOST_REPLICAS)
    if params["image"] is not None and not params["image"].strip():
        raise InputError("image is empty")
    checked_port(params["port"], "port")
    for option in ("pod_labels", "pod_annotations", "node_selector"):
        _given(params, option)
    container_fields(params, {})
    checked_service(params["service"] or {})


def checked_service(service: Mapping[str, Any]) -> None:
    """Refuse a service that cannot work.

    Raises:
        InputError: names the option.
    """
    checked_port(service.get("port"), "service.port")
    texts("service.annotations", service.get("annotations") or {})
    ranges = service.get("source_ranges") or ()
    for one in ranges:
        if not _is_range(one):
            raise InputError(f"service.source_ranges: {one!r} is not a range of addresses such as 203.0.113.0/24")
    if ranges and service.get("type") != "LoadBalancer":
        raise InputError("service.source_ranges needs service.type LoadBalancer")


def _is_range(text: str) -> bool:
    """Whether the server takes it for one: neither without its length, nor with a zone."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return "/" in text and "%" not in text


def container_fields(params: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the container that options give; None for those that they do not.

    Args:
        live: the container that is there: two options that share a field are left out each for itself.
    """
    port = params["port"]
    return {
        "image": params["image"],
        "ports": None if port is None else [{"containerPort": port, "protocol": "TCP"}],
        **{name: None if params[name] is None else words(name, params[name]) for name in ("command", "args")},
        "env": environment(params["environment"], params["secrets"], live.get("env")),
        "resources": resources(params["requests"], params["limits"], live.get("resources")),
        **{field: probe(params[option], port, option) for field, option in PROBES.items()},
    }


def _kept(given: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """Given fields, and the live ones in place of those that are not; empty ones are as good as none."""
    fields = {name: value if value is not None else live.get(name) for name, value in given.items()}
    return {name: value for name, value in fields.items() if value not in (None, [], {}, "")}


def controller_manifest(params: Mapping[str, Any], live: Object | None) -> Manifest:
    """The Deployment or ReplicationController.

    Args:
        live: the one that is there, of either kind.

    Raises:
        InputError: a new app lacks what it needs.
    """
    name = params["name"]
    kind = params["controller"] or (live["kind"] if live else "Deployment")
    template = _template(params, kind, live)
    replicas = params["replicas"]
    if replicas is None:
        replicas = (live.get("spec") or {}).get("replicas", 1) if live else 1
    selector: dict[str, Any] = {APP_LABEL: name}
    spec: dict[str, Any] = {"replicas": replicas, "template": template}
    if kind == "Deployment":
        spec["selector"] = {"matchLabels": selector}
    else:
        spec["selector"] = selector
    return {
        "apiVersion": "apps/v1" if kind == "Deployment" else "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": params["namespace"], "labels": {NAME_LABEL: name, APP_LABEL: name}},
        "spec": spec,
    }


def _template(params: Mapping[str, Any], kind: str, live: Object | None) -> dict[str, Any]:
    name = params["name"]
    there = _template_of(live)
    spec = there.get("spec") or {}
    found = _container_of(live, name)
    container = _following(found, _moved(found, params["port"]))
    fields = _kept(container_fields(params, container), container)
    if "image" not in fields:
        raise InputError(f"app {name} does not exist yet, and a new app needs image")
    if params["port"] is not None and params["readiness_probe"] is None and "readinessProbe" not in fields:
        # without one, a pod counts as ready before it answers
        fields["readinessProbe"] = connects(params["port"])
    metadata = there.get("metadata") or {}
    pod = _kept(
        {
            "nodeSelector": _given(params, "node_selector"),
            "serviceAccountName": params["service_account"] or None,
            "imagePullSecrets": _names(params["image_pull_secrets"], spec.get("imagePullSecrets") or ()),
        },
        spec,
    )
    labels, annotations = _given(params, "pod_labels"), _given(params, "pod_annotations")
    labels = (metadata.get("labels") or {}) if labels is None else labels
    annotations = (metadata.get("annotations") or {}) if annotations is None else annotations
    template: dict[str, Any] = {
        "metadata": {
            "labels": {**labels, NAME_LABEL: name, APP_LABEL: name},
            "annotations": {key: value for key, value in annotations.items() if key != TEMPLATE},
        },
        "spec": {
            **pod,
            "automountServiceAccountToken": bool(pod.get("serviceAccountName")),
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": name, **fields, "securityContext": {"allowPrivilegeEscalation": False}}],
        },
    }
    if kind == "ReplicationController":
        template["metadata"]["annotations"][TEMPLATE] = _digest(template)
    if not template["metadata"]["annotations"]:
        del template["metadata"]["annotations"]
    return template


def _template_of(controller: Object | None) -> Mapping[str, Any]:
    return ((controller or {}).get("spec") or {}).get("template") or {}


def _container_of(controller: Object | None, name: str) -> Mapping[str, Any]:
    """The app's own container; empty if there is none."""
    containers = (_template_of(controller).get("spec") or {}).get("containers") or ()
    return next((one for one in containers if one.get("name") == name), {})


def _ports_of(container: Mapping[str, Any]) -> list[Any]:
    """The ports of a container; the first one is that of the app."""
    return [one.get("containerPort") for one in container.get("ports") or ()]


def _moved(container: Mapping[str, Any], port: int | None) -> dict[Any, int]:
    """The port of the container that is there, and what becomes of it; empty if it stays, or the new one is there."""
    ports = _ports_of(container)
    return {} if port is None or not ports or port in ports else {ports[0]: port}


def _following(container: Mapping[str, Any], moved: Mapping[Any, int]) -> Mapping[str, Any]:
    """The container that is there, with its port changed: what asked that port goes with it.

    A probe that stayed behind would keep every new pod from becoming ready.
    """
    return {**container, **{field: _asking(container[field], moved) for field in PROBES if field in container}}


def _asking(probe: Mapping[str, Any], moved: Mapping[Any, int]) -> dict[str, Any]:
    return {
        name: {**value, "port": moved[value["port"]]}
        if isinstance(value, Mapping) and value.get("port") in moved
        else value
        for name, value in probe.items()
    }


def _digest(template: Mapping[str, Any]) -> str:
    """Tells pods of one version from those of another, where Kubernetes itself does not."""
    return hashlib.sha256(json.dumps(_canonical(template), sort_keys=True).encode()).hexdigest()[:16]


def _canonical(value: Any, within: str = "") -> Any:
    """The same in one way of writing: the server writes 0.1 as 100m, and leaves out the value of an empty variable."""
    if isinstance(value, Mapping):
        same = {name: _canonical(one, name) for name, one in value.items()}
        return {"value": "", **same} if within == "env" and "valueFrom" not in same else same
    if isinstance(value, list):
        return [_canonical(one, within) for one in value]
    if within not in AMOUNTS or not isinstance(value, str):
        return value
    try:
        return str(amount(value).normalize())
    except ValueError:  # a label may be called memory, too
        return value


def _given(params: Mapping[str, Any], option: str) -> dict[str, str] | None:
    return None if params[option] is None else texts(option, params[option])


def _names(values: list[str] | None, there: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]] | None:
    """References to objects; in which order they are given says nothing, and is no reason to replace pods."""
    if values is None or {*values} == {one.get("name") for one in there}:
        return there or None
    return [{"name": one} for one in dict.fromkeys(values)]


def service_manifest(
    params: Mapping[str, Any], live: Object | None, controller: Manifest, before: Object | None = None
) -> Manifest | None:
    """The service; None if the app has none.

    Args:
        controller: as it should be.
        before: the one that is there.

    Raises:
        InputError: there is no port to lead to, or the load balancer would have to change.
    """
    given = params["service"]
    target = next(iter(_ports_of(_container_of(controller, params["name"]))), None)
    if given is None:
        moved = _moved(_container_of(before, params["name"]), target)
        return None if live is None else _same_service(live, params, moved)
    if given["type"] == "none":
        return None
    if target is None:
        raise InputError("service needs port, the port of the container that it leads to")
    annotations = (
        _more_annotations(live) if given["annotations"] is None else texts("service.annotations", given["annotations"])
    )
    balanced = given["type"] == "LoadBalancer"
    if balanced:
        annotations |= balancer_annotations(given)
        refuse_another_balancer(annotations, live)
    spec: dict[str, Any] = {
        "type": given["type"],
        "selector": {APP_LABEL: params["name"]},
        "ports": [{"name": "http", "port": given["port"] or target, "targetPort": target, "protocol": "TCP"}],
    }
    if balanced and (ranges := source_ranges(given["source_ranges"], live)):
        spec["loadBalancerSourceRanges"] = ranges
    return _service(params, spec, annotations)


def source_ranges(given: list[str] | None, live: Object | None) -> list[str]:
    """The ranges of a load balancer: those that it has, if none are given, or if they are the same in another order."""
    there: list[str] = ((live or {}).get("spec") or {}).get("loadBalancerSourceRanges") or []
    return there if given is None or {*given} == {*there} else list(dict.fromkeys(given))


def _service(params: Mapping[str, Any], spec: Mapping[str, Any], annotations: Mapping[str, str]) -> Manifest:
    name = params["name"]
    metadata: dict[str, Any] = {"name": name, "namespace": params["namespace"], "labels": {NAME_LABEL: name}}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": dict(spec)}


def _same_service(live: Object, params: Mapping[str, Any], moved: Mapping[Any, Any]) -> Manifest:
    """The service as it is: the option is not given, so it is not managed. It follows its container, though.

    Args:
        moved: the container's port as it was and as it will be.
    """
    spec = live.get("spec") or {}
    kept = {name: spec[name] for name in ("type", "selector", "loadBalancerSourceRanges") if spec.get(name)}
    fields = ("name", "port", "targetPort", "protocol")
    kept["ports"] = [
        {name: moved.get(one[name], one[name]) if name == "targetPort" else one[name] for name in fields if name in one}
        for one in spec.get("ports") or ()
    ]
    return _service(params, kept, live["metadata"].get("annotations") or {})


def _more_annotations(live: Object | None) -> dict[str, str]:
    """The annotations of the service that is there, but for those that have options of their own."""
    there = (live or {"metadata": {}})["metadata"].get("annotations") or {}
    return {name: value for name, value in there.items() if name not in (BALANCER, INTERNAL)}


def balancer_annotations(given: Mapping[str, Any]) -> dict[str, str]:
    """What tells the cloud controller on AWS which kind of load balancer to make."""
    found = {BALANCER: "nlb"} if given["load_balancer"] == "nlb" else {}
    return {**found, INTERNAL: "true"} if given["internal"] else found


def refuse_another_balancer(annotations: Mapping[str, str], live: Object | None) -> None:
    """The cloud controller does not turn one load balancer into another.

    It would leave one of the other kind behind, and does not look at where one that exists may be reached from.

    Args:
        annotations: those that the service is to have.

    Raises:
        InputError: the load balancer would have to change.
    """
    if live is None or (live.get("spec") or {}).get("type") != "LoadBalancer":
        return
    there = _balancer_options(live["metadata"].get("annotations") or {})
    for option, wanted in _balancer_options(annotations).items():
        if there[option] != wanted:
            raise InputError(
                f"service.{option} is {there[option]} and cannot be changed to {wanted}",
                hint=f"Give service.{option} as it is. For another load balancer, make service.type ClusterIP first.",
            )


def _balancer_options(annotations: Mapping[str, str]) -> dict[str, str]:
    """What the cloud controller makes of annotations: anything but "false" is internal to it."""
    internal = annotations.get(INTERNAL, "") not in ("", "false")
    return {"load_balancer": annotations.get(BALANCER, "classic"), "internal": str(internal).lower()}
