# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key and the file of a Kubernetes environment: what there is of them, what has to be made, and when it works.

PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._errors import AuthError, InputError, NotFoundError
from .._ownership import Mark
from .._plan import Live, Ref, Spec, Step, Wanted
from .._wait import wait_until
from .access_api import AccessApi
from .api import Object
from .api_keys import Keys, Pair, usable
from .dialect import DIALECTS
from .environment_case import EnvironmentCase, orchestration_of
from .exports import write_private
from .kubeconfig import OPTION, cluster_address, kubeconfig, pair_of, read_kubeconfig, rendered, server_of
from .patience import Patience
from .ready import describe_stack, stack_ready

KEY, STALE_KEY, FILE = "api_key", "stale_api_key", "kubeconfig"
PURPOSE = "kubectl"  # the app in the mark of its keys
KUBERNETES = "kubernetes"


def keys_of(case: EnvironmentCase, environment: str) -> Keys:
    """The keys for it: of the environment in 1.0 and 1.1, of the administrator later."""
    account = environment if case.rancher.is_v1 else str(AccessApi(case.rancher).administrator()["id"])
    mark = Mark(f"rancher/{environment}", PURPOSE)
    return Keys(case.rancher, account, case.options.key_name, mark, case.deadline, case.pace)


def wanted_kubeconfig(case: EnvironmentCase, raw: Object | None) -> list[Wanted]:
    """The key and the file.

    Raises:
        InputError: the environment is no Kubernetes.
    """
    options = case.options
    kind = orchestration_of(raw, v1=case.rancher.is_v1) if raw else options.orchestration
    if kind != KUBERNETES:
        raise InputError(f"kubeconfig: environment {options.name} is no Kubernetes, but {kind or 'cattle'}")
    path = str(options.kubeconfig)
    return [Wanted(KEY, KEY, options.key_name, {}), Wanted(FILE, FILE, path, {"key": Ref(KEY)})]


def live_kubeconfig(case: EnvironmentCase, raw: Object | None) -> tuple[list[Live], list[Live]]:
    """The key and the file that can be used, and keys whose secret is lost.

    Raises:
        InputError: the file is somebody else's, or there are no hosts for Kubernetes to run on.
    """
    path = str(case.options.kubeconfig)
    content = _read(case, raw)
    if raw is None:
        return [], []
    if not case.hosts(raw["id"]):
        raise InputError(
            f"kubeconfig: environment {case.options.name} has no hosts yet, so Kubernetes does not run",
            hint="Make them with container.schedulers.rancher_hosts first.",
        )
    listed = keys_of(case, raw["id"]).list()
    mine = usable(listed, pair_of(content) if content else None)
    live = [Live(KEY, KEY, str(mine["name"]), mine["id"], {}, {"raw": mine})] if mine else []
    if mine and content and server_of(content) == _address(case, raw):
        live.append(Live(FILE, FILE, path, path, {"key": mine["id"]}))
    lost = [one for one in _expendable(case, listed) if one is not mine]
    return live, [Live(f"{STALE_KEY}/{one['id']}", STALE_KEY, one["id"], one["id"], {}, {"raw": one}) for one in lost]


def kubeconfig_to_remove(case: EnvironmentCase, raw: Object | None, warn: Callable[[str], None]) -> list[Live]:
    """The file, unless it is somebody else's."""
    path = case.options.kubeconfig
    try:
        there = path is not None and _read(case, raw) is not None
    except InputError as error:
        warn(str(error))
        return []
    return [Live(FILE, FILE, str(path), str(path), {})] if there else []


def _read(case: EnvironmentCase, raw: Object | None) -> Mapping[str, Any] | None:
    return read_kubeconfig(str(case.options.kubeconfig), case.options.name, _address(case, raw) if raw else None)


def _address(case: EnvironmentCase, raw: Object) -> str:
    return cluster_address(case.rancher.connection, raw["id"], v1=case.rancher.is_v1)


def keys_to_remove(case: EnvironmentCase, raw: Object) -> list[Live]:
    """The administrator's keys that were made for an environment, of all machines.

    Its own keys, in 1.0 and 1.1, go with it.
    """
    if case.rancher.is_v1 or orchestration_of(raw, v1=False) != KUBERNETES:
        return []
    try:
        listed = keys_of(case, raw["id"]).of_all_names()
    except (AuthError, NotFoundError):  # who may not see the administrator cannot have made any
        return []
    doomed = _expendable(case, listed)
    return [Live(f"{KEY}/{one['id']}", KEY, str(one["name"]), one["id"], {}, {"raw": one}) for one in doomed]


def _expendable(case: EnvironmentCase, keys: list[Object]) -> list[Object]:
    """All but the key that the run itself comes with, and still needs."""
    return [one for one in keys if one.get("publicValue") != case.rancher.connection.access_key]


class KubeconfigKeys:
    """The key that a kubeconfig has in it, and the file."""

    def __init__(self, case: EnvironmentCase) -> None:
        self._case = case
        self._pair: Pair | None = None

    def create(self, step: Step, spec: Spec) -> Live:
        environment = self._environment(step)
        if step.kind == FILE:
            self._write(environment, self._pair or self._written())
            return Live(step.key, step.kind, step.name, step.name, spec)
        key, self._pair = keys_of(self._case, environment).create(doing=step.sentence)
        self._write(environment, self._pair)  # at once: a key whose secret is lost is good for nothing
        return Live(step.key, step.kind, step.name, key["id"], spec, {"raw": key})

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        """Another key, or another address: the file is written anew."""
        return self.create(step, {**live.spec, **spec})

    def delete(self, step: Step, live: Live) -> None:
        if step.kind == FILE:
            self._unlink()
            return
        keys_of(self._case, self._environment(step)).remove(live.attributes["raw"], doing=step.sentence)

    def _unlink(self) -> None:
        path = str(self._case.options.kubeconfig)
        try:
            Path(path).unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{OPTION}: {path} cannot be removed: {error.strerror or error}") from error

    def _environment(self, step: Step) -> str:
        raw = self._case.find()
        if raw is None:
            raise NotFoundError(f"environment {self._case.options.name} is gone", doing=step.sentence)
        return str(raw["id"])

    def _written(self) -> Pair:
        """The key that the file has: it works, so only the file has to be put right."""
        content = _read(self._case, self._case.find())
        return (pair_of(content) if content else None) or Pair("", "")

    def _write(self, environment: str, pair: Pair) -> None:
        case, connection = self._case, self._case.rancher.connection
        ca = Path(connection.ca).read_text(encoding="utf-8") if connection.ca else None
        content = kubeconfig(connection, environment, case.options.name, pair, v1=case.rancher.is_v1, ca=ca)
        write_private(Path(str(case.options.kubeconfig)), rendered(content), option=OPTION)


def wait_for_kubernetes(case: EnvironmentCase, environment: str) -> None:
    """Until the stack that Kubernetes is runs and is healthy.

    Raises:
        WaitTimeoutError: it does not.
    """
    doing = f"wait for Kubernetes of environment {case.options.name}"
    path = case.rancher.path(DIALECTS[case.rancher.version].stacks, project=environment)

    def look() -> list[Object]:
        """The stack, and behind it its services; nothing as long as it is not there."""
        listed = case.rancher.list(path, doing=doing)
        stack = next((one for one in listed if str(one.get("name")).lower() == KUBERNETES), None)
        return [stack, *case.rancher.list(stack["links"]["services"], doing=doing)] if stack else []

    patience = Patience(case.deadline.clock)
    wait_until(
        look,
        ready=lambda seen: bool(seen) and stack_ready(seen[0], seen[1:]),
        failed=lambda seen: patience.why_never_ready(*seen),
        describe=lambda seen: describe_stack(seen[0], seen[1:]) if seen else "the stack kubernetes is not there yet",
        deadline=case.deadline,
        doing=doing,
        pace=case.pace,
    )
