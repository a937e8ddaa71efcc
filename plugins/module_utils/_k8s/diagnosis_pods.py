# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why one pod does not run. Pure. PRIVATE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .diagnosis_placing import unplaced
from .findings import LAST_LINES, Code, Finding, View, times_of, when
from .objects import Object, conditions_of, controller_of, is_true, label_of, place_of
from .ready import state_of

IMAGE_INVALID = frozenset({"InvalidImageName", "ErrImageNeverPull", "ErrRegistryUnavailable"})
IMAGE_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "ImageInspectError"})
CONFIG = frozenset({"CreateContainerConfigError"})
MOUNTED = ("Pulling", "Pulled", "Created")  # what a kubelet says once volumes and network are there
START = frozenset({"CreateContainerError", "RunContainerError", "PreStartHookError", "PostStartHookError"})
ATTACHED = re.compile(r"Multi-Attach|already (?:exclusively )?attached|is in use|VolumeInUse")
OTHER_ZONE = re.compile(
    r"not in the same (?:availability )?zone|InvalidVolume\.ZoneMismatch|different availability zone"
)
NO_RIGHT = re.compile(r"UnauthorizedOperation|AccessDenied|not authorized")
NO_SOURCE = re.compile(r"\b(?:configmap|secret) \"[^\"]*\" not found|references non-existent (?:config|secret) key")
NOT_RETRIEVED = "FailedToRetrieveImagePullSecret"
KILLED = 137
SHOWN_LINES = 5
IMAGE_ADVICE = (  # by what container runtimes and registries say
    (
        r"distribution\.manifest\.v1|no longer supported since containerd",
        "The image is in a format that containerd no longer takes: push it again, or use another",
    ),
    (  # to strangers a registry does not say which
        r"does not exist or may require",
        "Check the name of the image, and if it is private, give the pod an imagePullSecret for the registry",
    ),
    (r"not ?found|manifest unknown|does not exist", "Check the name and tag of the image"),
    (
        r"unauthori[sz]ed|denied|authentication|forbidden",
        "Give the pod an imagePullSecret for the registry, if the image is private",
    ),
    (
        r"toomanyrequests|rate limit",
        "The registry limits anonymous pulls: log in with an imagePullSecret, or use a mirror",
    ),
    (
        r"no such host|timeout|connection refused|unreachable",
        "The node cannot reach the registry: look at its network and name servers",
    ),
)


def pod_findings(pod: Object, view: View) -> Iterator[Finding]:
    """The reasons of one pod; none if it runs, has ended well, or is on its way."""
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded" or is_true(pod, "Ready"):
        return
    if pod["metadata"].get("deletionTimestamp"):
        return
    if status.get("phase") == "Failed":
        if not _made_good(pod, view):
            yield _failed(pod, status, view)
        return
    if not (pod.get("spec") or {}).get("nodeName"):
        yield from unplaced(pod, view)
        return
    found = [one for container in containers_of(pod) if (one := _container(pod, container, view))]
    yield from found
    if not found:
        yield from _mounting(pod, view)
        yield from _initialising(pod, view)
        yield from _probing(pod, view)
        yield from _gated(pod)


def containers_of(pod: Object) -> list[Mapping[str, Any]]:
    """The states of all containers, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def log_key(pod: Object, container: str) -> str:
    """Where the view keeps the log of a container."""
    return f"{place_of(pod)}/{container}"


def has_crashed(container: Mapping[str, Any]) -> bool:
    """Whether a container ended with an error and is, or will be, started again."""
    state, last = container.get("state") or {}, container.get("lastState") or {}
    ended = state.get("terminated") or last.get("terminated") or {}
    waits = (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff"
    return waits or (bool(ended) and ended.get("exitCode", 0) != 0 and not container.get("ready"))


def is_initialising(pod: Object, container: Mapping[str, Any]) -> bool:
    """Whether an init container runs and holds up the others, as one that goes on beside them does until it is up."""
    if container not in ((pod.get("status") or {}).get("initContainerStatuses") or ()):
        return False
    beside = {
        one["name"]
        for one in (pod.get("spec") or {}).get("initContainers") or ()
        if one.get("restartPolicy") == "Always"
    }
    holds = not (container["name"] in beside and container.get("started"))
    return "running" in (container.get("state") or {}) and holds


def _made_good(pod: Object, view: View) -> bool:
    """Whether what runs a pod that failed has all that it wants: a later try of a Job, one for an evicted pod."""
    uid = (controller_of(pod) or {}).get("uid")
    above = view.all_controllers or view.controllers
    return any(one["metadata"].get("uid") == uid and state_of(one).ready for one in above)


def _failed(pod: Object, status: Mapping[str, Any], view: View) -> Finding:
    reason = f" ({status['reason']})" if status.get("reason") else ""
    said = f": {status['message']}".rstrip(".") if status.get("message") else ""
    evicted = status.get("reason") == "Evicted"
    advice = "Its node ran short of something: ask for what the pod needs in requests" if evicted else ""
    ended = [one for one in containers_of(pod) if ((one.get("state") or {}).get("terminated") or {}).get("exitCode")]
    lines: list[str] = []
    if ended and not said:
        said = f": container {ended[0]['name']} ended with exit code {ended[0]['state']['terminated']['exitCode']}"
        lines = _last_lines(pod, ended[0]["name"], view)
        said += _told(lines)
        advice = advice or "See its log and its command"
    text = f"{label_of(pod)} has failed{reason}{said}"
    return Finding("container_failed", label_of(pod), text, advice, tuple(lines))


def _last_lines(pod: Object, container: str, view: View) -> list[str]:
    lines = [line for line in view.logs.get(log_key(pod, container), "").splitlines() if line.strip()]
    return lines[-SHOWN_LINES:]


def _told(lines: Sequence[str]) -> str:
    """The last lines of a log, as they follow a sentence; empty if there are none."""
    return f"{LAST_LINES}{' | '.join(lines)}" if lines else ""


def _container(pod: Object, container: Mapping[str, Any], view: View) -> Finding | None:
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", "")).rstrip(".")
    if reason in IMAGE_INVALID or reason in IMAGE_PULL:
        return _image(pod, container, reason, message, view)
    where = f"Container {container['name']} of {label_of(pod)}"
    if reason in CONFIG:
        return Finding(
            "config_missing",
            label_of(pod),
            f"{where} cannot be configured: {message}",
            "Make the Secret or ConfigMap that it names, with the keys that it asks for",
            (message,),
        )
    if has_crashed(container):
        return _crash(pod, container, view)
    if reason in START:
        return Finding(
            "container_failed",
            label_of(pod),
            f"{where} cannot be started: {message}",
            "See whether the image has the command, and the right to run it",
            (message,),
        )
    return None


def _image(pod: Object, container: Mapping[str, Any], reason: str, message: str, view: View) -> Finding:
    image, never = _image_of(pod, container), reason in IMAGE_INVALID
    events = view.events_of(pod, "Failed")
    pulls = [one for one in events if str(one.get("message")).startswith("Failed to pull")]
    said = str(pulls[0]["message"]).rstrip(".") if pulls else message
    where = f"Container {container['name']} of {label_of(pod)}"
    advice = _image_advice(said)
    absent = view.events_of(pod, NOT_RETRIEVED) if "imagePullSecret" in advice else []
    if absent:
        said = f"{said} ({str(absent[0].get('message', '')).rstrip('.')})"
        advice = "Make the pull secret that the pod or its ServiceAccount names"
    code: Code = "image_invalid" if never else "image_pull"
    return Finding(
        code,
        label_of(pod),
        f"{where} has an image that {'can never' if never else 'cannot'} be pulled, {image}: {said}",
        advice,
        (said,),
        tries=sum(times_of(one) for one in pulls),
    )


def _image_advice(said: str) -> str:
    other = "Check the name of the image, and whether the node can reach its registry"
    return next((advice for pattern, advice in IMAGE_ADVICE if re.search(pattern, said, re.IGNORECASE)), other)


def _image_of(pod: Object, container: Mapping[str, Any]) -> str:
    spec = pod.get("spec") or {}
    both = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    wanted = next((one.get("image") for one in both if one.get("name") == container["name"]), None)
    return str(wanted or container.get("image"))


def _crash(pod: Object, container: Mapping[str, Any], view: View) -> Finding:
    state, last = container.get("state") or {}, container.get("lastState") or {}
    ended = state.get("terminated") or last.get("terminated") or {}
    code, count = ended.get("exitCode"), int(container.get("restartCount", 0))
    shown = _last_lines(pod, container["name"], view)
    probe = _failed_probe(pod, container, ended, view)
    if probe:
        how = f"was killed because a probe failed ({probe})"
        advice = "See the probe's path and port, or give the container time to start with a startup probe"
    elif ended.get("reason") == "OOMKilled":
        limit = _limit(pod, container["name"])
        how = f"was killed because it took more memory than its limit{f' of {limit}' if limit else ''}"
        advice = "Raise its memory limit, or make it use less"
    else:
        how = f"ends with exit code {code}" if code is not None else "ends again and again"
        how += " (killed)" if code == KILLED else ""
        silent = view.logs.get(log_key(pod, container["name"])) == ""
        advice = "It wrote nothing: see its command and its settings" if silent else "See its log and its command"
    where = f"Container {container['name']} of {label_of(pod)}"
    return Finding(
        "crash_loop",
        label_of(pod),
        f"{where} {how}, and was restarted {count} times{_told(shown)}",
        advice,
        tuple(shown),
        tries=count,
    )


def _failed_probe(pod: Object, container: Mapping[str, Any], ended: Mapping[str, Any], view: View) -> str:
    """Which probe made the kubelet kill a container, and how it failed; empty if none did."""
    begun = str(ended.get("startedAt") or "")
    kills = re.compile(rf"Container {re.escape(container['name'])} failed (liveness|startup) probe")
    for event in view.events_of(pod, "Killing"):
        kill = kills.search(str(event.get("message")))
        if kill and when(event) >= begun:
            said = [str(one.get("message", "")).strip().rstrip(".") for one in view.events_of(pod, "Unhealthy")]
            kind = kill[1].capitalize()
            return next((one for one in said if one.startswith(kind)), f"{kind} probe failed")
    return ""


def _limit(pod: Object, container: str) -> str:
    spec = pod.get("spec") or {}
    for one in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        if one.get("name") == container:
            return str(((one.get("resources") or {}).get("limits") or {}).get("memory") or "")
    return ""


def _mounting(pod: Object, view: View) -> Iterator[Finding]:
    """The node has the pod, and no container could be made yet."""
    started = any("running" in (one.get("state") or {}) for one in containers_of(pod))
    if started or is_true(pod, "PodReadyToStartContainers"):
        return
    node = (pod.get("spec") or {}).get("nodeName")
    events = view.events_of(pod, "FailedAttachVolume", "FailedMount", "FailedCreatePodSandBox")
    later = view.events_of(pod, *MOUNTED)  # the condition may only follow when the image is there
    if events and later and when(later[0]) >= when(events[0]):
        return
    for event in events[:1]:
        said = str(event.get("message", "")).rstrip(".")
        what = f"{label_of(pod)} on node {node}"
        if event.get("reason") == "FailedCreatePodSandBox":
            yield Finding(
                "sandbox",
                label_of(pod),
                f"{what} gets no network: {said}",
                "See the network plugin of the node",
                (said,),
                tries=times_of(event),
            )
        else:
            yield _volume(pod, what, said, times_of(event))


def _volume(pod: Object, what: str, said: str, tries: int) -> Finding:
    if ATTACHED.search(said):
        return Finding(
            "volume_attached_elsewhere",
            label_of(pod),
            f"{what} waits for a volume that is attached to another node: {said}",
            "Remove the pod that still uses it; a node that is gone lets go of its volumes after six minutes",
            (said,),
            tries,
        )
    if OTHER_ZONE.search(said):
        return Finding(
            "volume_zone",
            label_of(pod),
            f"{what} needs a volume that is in another zone than the node: {said}",
            "Keep the pod in the volume's zone, with a node selector on topology.kubernetes.io/zone",
            (said,),
            tries,
        )
    advice = "See that the volume exists, and that the driver runs on the node"
    if NO_SOURCE.search(said):
        advice = "Make the Secret or ConfigMap that it names, with the keys that it asks for"
    if NO_RIGHT.search(said):
        tags = "ebs.csi.aws.com/cluster=true and KubernetesCluster, with the cluster's name"
        advice = f"The driver may not attach it: on AWS, the volume needs the tags {tags}"
    return Finding("volume_mount", label_of(pod), f"{what} cannot mount a volume: {said}", advice, (said,), tries)


def _probing(pod: Object, view: View) -> Iterator[Finding]:
    events = view.events_of(pod, "Unhealthy")
    running = [one for one in containers_of(pod) if "running" in (one.get("state") or {}) and not one.get("ready")]
    if not running or not events:
        return
    said = str(events[0].get("message", "")).rstrip(".")
    yield Finding(
        "probe_failing",
        label_of(pod),
        f"Container {running[0]['name']} of {label_of(pod)} runs but is not ready: {said}",
        "See the probe's path and port, and give the container time to start with a startup probe",
        (said,),
        tries=times_of(events[0]),
    )


def _initialising(pod: Object, view: View) -> Iterator[Finding]:
    for one in containers_of(pod):
        if is_initialising(pod, one):
            lines = _last_lines(pod, one["name"], view)
            since = one["state"]["running"].get("startedAt")
            text = f"{label_of(pod)} waits for its init container {one['name']}, which runs"
            text += (f" since {since}" if since else "") + _told(lines)
            yield Finding("initializing", label_of(pod), text, "See what it waits for", tuple(lines))


def _gated(pod: Object) -> Iterator[Finding]:
    condition = conditions_of(pod).get("Ready", {})
    if condition.get("reason") == "ReadinessGatesNotReady":
        said = str(condition.get("message", "")).rstrip(".")
        text = f"{label_of(pod)} runs, and waits for its readiness gates: {said}"
        yield Finding("readiness_gate", label_of(pod), text, "See the controller that sets this condition", (said,))
