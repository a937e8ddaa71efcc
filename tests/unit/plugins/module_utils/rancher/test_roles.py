# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of members who may only look at an environment, or not touch its hosts: refused at once, and in words.

Rancher refuses them as it refuses what comes at the wrong moment (405), offers them no actions, and hides tokens (404).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import SchedulersError
from ansible_collections.container.schedulers.plugins.module_utils._rancher import (
    environment_module,
    hosts_module,
    stack_present,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_options import ENVIRONMENT_SPEC
from ansible_collections.container.schedulers.plugins.module_utils._rancher.execute import EXECUTE, execute
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_options import HOSTS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import ENVIRONMENT
from ansible_collections.container.schedulers.plugins.module_utils._rancher.stack_options import STACK

from .conftest import RancherLab, module_spec

DENIED = "the API key does not allow this"
STACK_SPEC = module_spec(STACK)
EXEC = EXECUTE.merge(ENVIRONMENT)
WEB = {"name": "web", "image": "nginx:1.27"}


def become(lab: RancherLab, role: str, environment: str = "1a5") -> None:
    """Go on with the key of a member who has this role in an environment."""
    account = lab.ask("POST", "/v1/accounts", {"name": role, "kind": "user"})
    key = lab.ask("POST", "/v1/apikeys", {"accountId": account["id"]})
    member = {"externalId": account["id"], "externalIdType": "rancher_id", "role": role}
    lab.ask("POST", f"/v1/projects/{environment}/?action=setmembers", {"members": [member]})
    lab.access = {"access_key": key["publicValue"], "secret_key": key["secretValue"]}


def stack(lab: RancherLab, **given: Any) -> object:
    return lab.run(stack_present.ensure, STACK_SPEC, **{"name": "site", "wait_timeout": 20, **given})


def hosts(lab: RancherLab, **given: Any) -> object:
    return lab.run(hosts_module.ensure, module_spec(HOSTS), **{"wait_timeout": 20, **given})


def ours(lab: RancherLab) -> object:
    return hosts(lab, driver="custom", names=["node1"])


def switched_off(lab: RancherLab) -> object:
    (web,) = lab.ask("GET", "/v1/projects/1a5/services?name=web")["data"]
    lab.ask("POST", web["actions"]["deactivate"].removeprefix(lab.url))
    return None


ASKED: list[tuple[str, Callable[[RancherLab], object], Callable[[RancherLab], object]]] = [
    ("readonly", lambda _lab: None, lambda lab: stack(lab, name="other", services=[WEB])),
    ("readonly", lambda _lab: None, lambda lab: stack(lab, services=[{**WEB, "image": "nginx:1.28"}])),
    ("readonly", lambda _lab: None, lambda lab: stack(lab, services=[{**WEB, "scale": 2}])),
    ("readonly", switched_off, lambda lab: stack(lab, services=[WEB])),
    ("readonly", lambda _lab: None, lambda lab: stack(lab, state="absent")),
    (
        "readonly",
        lambda _lab: None,
        lambda lab: lab.run(execute, EXEC, command="id", stack="site", service="web"),
    ),
    ("restricted", ours, lambda lab: hosts(lab, state="absent", purge=True)),
    ("restricted", ours, lambda lab: hosts(lab, driver="custom", names=["node1"], active=False)),
    ("restricted", ours, lambda lab: hosts(lab, driver="custom", names=["node1"], labels={"a": "b"})),
]


@pytest.mark.parametrize(("role", "before", "ask"), ASKED)
def test_what_a_member_may_not_do_is_refused_at_once(
    rancher_lab: RancherLab, role: str, before: Callable[[RancherLab], object], ask: Callable[[RancherLab], object]
) -> None:
    rancher_lab.host("node1")
    stack(rancher_lab, services=[WEB])
    before(rancher_lab)
    become(rancher_lab, role)
    with pytest.raises(SchedulersError) as refused:
        ask(rancher_lab)
    assert DENIED in str(refused.value), str(refused.value)
    assert "not ready after" not in str(refused.value)


@pytest.mark.parametrize("more", [{"description": "Another"}, {"state": "absent"}])
def test_who_does_not_own_an_environment_does_not_change_it(rancher_lab: RancherLab, more: dict[str, Any]) -> None:
    spec = module_spec(ENVIRONMENT_SPEC, environment=False)
    made = rancher_lab.run(environment_module.ensure, spec, name="team")
    become(rancher_lab, "member", made.result["environment"]["id"])
    with pytest.raises(SchedulersError, match=DENIED):
        rancher_lab.run(environment_module.ensure, spec, name="team", wait_timeout=20, **more)


def test_an_environment_that_cannot_be_seen_is_not_said_to_be_gone(rancher_lab: RancherLab) -> None:
    spec = module_spec(ENVIRONMENT_SPEC, environment=False)
    rancher_lab.run(environment_module.ensure, spec, name="team")
    rancher_lab.run(environment_module.ensure, spec, name="none", state="absent")
    assert rancher_lab.warnings == []  # an administrator sees all
    become(rancher_lab, "member")
    rancher_lab.run(environment_module.ensure, spec, name="team", state="absent")
    (warning,) = rancher_lab.warnings
    assert warning == "Environment team is not there, or the account of this API key is none of its members."
