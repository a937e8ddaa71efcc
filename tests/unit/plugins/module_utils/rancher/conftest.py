# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' functions against the lab's Rancher: real HTTP, in a process of its own, empty before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, ArgumentSpec, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._clock import SystemClock
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION, ENVIRONMENT
from unit.lab_process import LabProcess, running_lab
from unit.returned import as_documented

VERSIONS = ("v1", "v2-beta")
Ensure = Callable[[Context], Outcome]


class EagerClock(SystemClock):
    """Looks often: the lab is quick, and so are the tests."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.05))


class RancherLab(LabProcess):
    """A lab with a Rancher server."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        super().__init__(addresses, answer_seconds=60)
        self.url = addresses["rancher"]
        self.version = "v2-beta"
        self.access: dict[str, Any] = {}
        self.warnings: list[str] = []

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Rancher's API, by hand."""
        return self.call("rancher", method, path, body)

    def host(self, name: str, **more: Any) -> dict[str, Any]:
        """A host that has joined by itself."""
        found: dict[str, Any] = self.control("POST", "/rancher/hosts", {"name": name, "project": "1a5", **more})
        return found

    def run(self, ensure: Ensure, spec: ArgumentSpec, *, check: bool = False, **given: Any) -> Outcome:
        """What a module with these options would do."""
        self.warnings.clear()
        context = Context(self.params(spec, **given), check, self.warnings.append, EagerClock())
        return as_documented(ensure, ensure(context))

    def params(self, spec: ArgumentSpec, **given: Any) -> Mapping[str, Any]:
        """All options of a module, as Ansible would complete them."""
        merged = spec.merge(CONNECTION)
        connection = {"url": self.url, "api_version": self.version, **self.access}
        kwargs = merged.to_kwargs()
        result = ArgumentSpecValidator(kwargs.pop("argument_spec"), **kwargs).validate({**connection, **given})
        assert not result.error_messages, result.error_messages
        validated: Mapping[str, Any] = result.validated_parameters
        return validated


def module_spec(spec: ArgumentSpec, *, environment: bool = True, seconds: int = 300) -> ArgumentSpec:
    """The options of a module that changes things; the time is for a busy machine, and passes only if it fails."""
    merged = spec.merge(STATE, wait_options(seconds, sleep=1))
    return merged.merge(ENVIRONMENT) if environment else merged


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RancherLab]:
    with running_lab(tmp_path_factory.mktemp("rancher-lab")) as addresses:
        yield RancherLab(addresses)


@pytest.fixture
def rancher_lab(_running: RancherLab, monkeypatch: pytest.MonkeyPatch) -> RancherLab:
    """The lab, as empty as a new server."""
    for name in ("RANCHER_URL", "RANCHER_ACCESS_KEY", "RANCHER_SECRET_KEY", "RANCHER_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    _running.control("POST", "/reset")
    _running.version = "v2-beta"
    _running.access = {}
    return _running


@pytest.fixture(params=VERSIONS)
def either(rancher_lab: RancherLab, request: pytest.FixtureRequest) -> RancherLab:
    """The same, by each of its two APIs."""
    rancher_lab.version = request.param
    return rancher_lab
