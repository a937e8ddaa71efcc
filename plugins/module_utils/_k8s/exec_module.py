# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_exec``: a command in a container of a pod, chosen by its name or by its app. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._argspec import ArgumentSpec
from .._checks import LONGEST_WAIT, seconds
from .._compare import Difference
from .._errors import InputError, NotFoundError, SchedulersError, telling
from .._module import Context, Outcome
from .._plan import Plan, Step
from .._texts import texts, words
from .api import Api, Object
from .executing import Ran, execute
from .kinds import POD
from .manifests import checked_namespace
from .namespaces import existing
from .objects import is_true, name_of
from .run import Run

EXEC = ArgumentSpec(
    {
        "namespace": {"type": "str", "default": "default"},
        "pod": {"type": "str"},
        "app": {"type": "str"},
        "labels": {"type": "dict"},
        "container": {"type": "str"},
        "command": {"type": "str"},
        "argv": {"type": "raw"},
        "stdin": {"type": "str", "no_log": True},
        "creates": {"type": "str"},
        "timeout": {"type": "int", "default": 60},
    },
    mutually_exclusive=(("pod", "app", "labels"), ("command", "argv")),
    required_one_of=(("pod", "app", "labels"), ("command", "argv")),
)


def run_command(context: Context) -> Outcome:
    """Choose the pod, run the command, and bring its output."""
    params = context.params
    argv = _argv(params)
    seconds("timeout", params["timeout"], most=LONGEST_WAIT)
    checked_namespace("namespace", params["namespace"])
    run = Run.looking(context)
    pod = find_pod(run.api, params)
    container, ran = _container(pod, params["container"]), Ran()

    def told() -> dict[str, Any]:
        return {"pod": name_of(pod), "container": container, **_output(ran)}

    place = f"{params['namespace']}/{name_of(pod)}"
    plan = Plan((Step("update", "command", "pod", place, differences=(Difference("command", None, argv[0]),)),))
    with telling(told):
        if params["creates"] and _is_there(run.api, pod, params, container):
            return Outcome({**told(), "rc": 0, "msg": f"{params['creates']} is there already"}, Plan())
        if context.check_mode:
            # Ansible takes any exit code but 0 for a failure
            return Outcome({**told(), "rc": 0, "msg": "the command would have been run"}, plan)
        execute(
            run.api,
            name_of(pod),
            params["namespace"],
            argv,
            container=container,
            stdin=params["stdin"],
            timeout=params["timeout"],
            clock=context.clock,
            ran=ran,
        )
        if ran.rc:
            said = ran.stderr.strip() or ran.stdout.strip()
            last = f": {said.splitlines()[-1]}" if said else ""
            raise SchedulersError(f"it ended with exit code {ran.rc}{last}", doing=f"run {argv[0]} in Pod {place}")
    return Outcome(told(), plan)


def _argv(params: Mapping[str, Any]) -> list[str]:
    argv = words("argv", params["argv"]) if params["argv"] else words("command", params["command"] or "")
    if not argv:
        raise InputError("command is empty")
    return argv


def _output(ran: Ran) -> dict[str, Any]:
    """What the command has brought so far, as lines, too, as Ansible's command module has it."""
    out, err = ran.stdout, ran.stderr
    lines = {"stdout_lines": out.splitlines(), "stderr_lines": err.splitlines()}
    return {"rc": ran.rc, "stdout": out, "stderr": err, **lines}


def find_pod(api: Api, params: Mapping[str, Any]) -> Object:
    """The pod that the options name; of several, one that is ready.

    Raises:
        NotFoundError: there is none that runs, or not even the namespace.
    """
    namespace = params["namespace"]
    if params["pod"]:
        found = api.get(POD, params["pod"], namespace)
        if found is None:
            existing(api, namespace)
            raise NotFoundError(f"Pod {namespace}/{params['pod']} does not exist")
        return found
    wanted = texts("labels", params["labels"] or {"app": params["app"]})
    labels = ",".join(f"{name}={value}" for name, value in wanted.items())
    pod = best(api.list(POD, namespace, labels=labels).items)
    if pod is None:
        existing(api, namespace)
        raise NotFoundError(
            f"no pod of namespace {namespace} with the labels {labels} runs",
            hint="See k8s_diagnosis_info for the reason.",
        )
    return pod


def best(pods: Iterable[Object]) -> Object | None:
    """A pod in which a command can be run: ready before just running, the newest first. Pure."""
    running = [
        one
        for one in pods
        if (one.get("status") or {}).get("phase") == "Running" and not one["metadata"].get("deletionTimestamp")
    ]

    def order(pod: Object) -> tuple[bool, str]:
        return (
            is_true(pod, "Ready"),
            str(pod["metadata"].get("creationTimestamp", "")),
        )

    return max(running, key=order, default=None)


def _container(pod: Object, wanted: str | None) -> str:
    names = [str(one["name"]) for one in (pod.get("spec") or {}).get("containers") or ()]
    if wanted and wanted not in names:
        raise InputError(f"container is {wanted}, but Pod {name_of(pod)} has {', '.join(names)}")
    return wanted or (names[0] if names else "")


def _is_there(api: Api, pod: Object, params: Mapping[str, Any], container: str) -> bool:
    command = ["test", "-e", params["creates"]]
    return (
        execute(api, name_of(pod), params["namespace"], command, container=container, timeout=params["timeout"]).rc == 0
    )
