# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the instances of a Kubernetes cluster and its maker tell each other, as SSM parameters.

The maker makes them, empty but with their tags; instances only ever write a new value into one that is there. Before
it makes a control plane it takes back what another one has written: that would lead nodes and users nowhere. Which role
may read or write which, ``k8s_policies`` says. PRIVATE.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import AuthError, NotFoundError
from .._ownership import require_ours
from .._parallel import gather
from .._plan import Live, Spec, Step
from .._retry import create_once
from .api import Aws, from_tags, to_tags
from .run import Run

JOIN = "join"  # secret: a token and the hash of the CA's key, for nodes
ADMIN = "admin"  # secret: kubeadm's admin.conf
PROGRESS = "progress"  # how far the control plane is
NODE_PROGRESS = "node-progress"  # at what a node failed last; its history has the others
SECRETS = frozenset({JOIN, ADMIN})
PARAMETERS = (JOIN, ADMIN, PROGRESS, NODE_PROGRESS)
PENDING = "pending"  # the value before an instance has written one
FIRST_VERSION = 1  # that of a value which has never been written over


def parameter_name(cluster: str, word: str) -> str:
    """The name of a parameter."""
    return f"/kubernetes/{cluster}/{word}"


def parameter_key(word: str) -> str:
    """Key in a plan, and part in the mark."""
    return f"parameter-{word}"


@dataclass(frozen=True)
class Progress:
    """How far an instance is with its boot."""

    instance: str = ""
    state: str = PENDING
    step: str = ""
    log: str = ""

    @classmethod
    def parse(cls, value: str) -> Progress:
        """What an instance has reported; anything else is as good as nothing. Pure."""
        try:
            told = json.loads(value)
        except ValueError:
            return cls()
        if not isinstance(told, dict):
            return cls()
        return cls(**{name: str(told.get(name, "")) for name in cls.__dataclass_fields__})

    def failure(self) -> str | None:
        """Why the instance will never be up, in its own words: it boots once."""
        if self.state != "failed":
            return None
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return f"{self.instance} failed at the step '{self.step}'; its log ends with: {' | '.join(lines)}"


def read_parameters(run: Run, cluster: str) -> dict[str, Live]:
    """The parameters as they are, by key; their values are looked at by those who need them.

    Raises:
        NotOursError: one of them is somebody else's.
    """
    names = [parameter_name(cluster, word) for word in PARAMETERS]
    doing = f"look for the parameters of cluster {cluster}"
    found = _described(run, names, doing)
    lives = gather({one["Name"]: partial(_live, run, one) for one in found})
    return {one.key: one for one in lives.values() if one}


def read_value(aws: Aws, cluster: str, word: str) -> str:
    """The value of a parameter, ``PENDING`` if it is not there."""
    name = parameter_name(cluster, word)
    request = {"Name": name, "WithDecryption": word in SECRETS}
    try:
        answer = aws.call("ssm", "GetParameter", request, doing=f"read parameter {name}")
    except NotFoundError:
        return PENDING
    return str(answer["Parameter"]["Value"])


def read_failed(aws: Aws, cluster: str) -> frozenset[str]:
    """The nodes whose boot has failed: what one has told, the next one has written over, but SSM remembers."""
    name = parameter_name(cluster, NODE_PROGRESS)
    request = {"Name": name, "MaxResults": 50}
    doing = f"look for nodes of {cluster} whose boot has failed"
    try:
        versions = aws.pages("ssm", "GetParameterHistory", "Parameters", request, doing=doing)
    except NotFoundError:
        return frozenset()
    except AuthError:  # without that right, the last one is known at least
        versions = [{"Value": read_value(aws, cluster, NODE_PROGRESS)}]
    told = [Progress.parse(one["Value"]) for one in versions]
    return frozenset(one.instance for one in told if one.state == "failed")


class Parameters:
    """Parameters with spec ``{secret, written, tags}``; what is written can only be taken back."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "Name": step.name,
            "Value": PENDING,
            "Type": "SecureString" if spec["secret"] else "String",
            "Description": f"Of {self._run.mark.owner}",
            "Tags": to_tags(spec["tags"]),
        }

        def create() -> Live:
            self._run.aws.call("ssm", "PutParameter", request, doing=step.sentence)
            return Live(step.key, step.kind, step.name, step.name, spec)

        def find() -> Live | None:
            found = _described(self._run, [step.name], step.sentence)
            return _live(self._run, found[0]) if found else None

        return create_once(create, find, self._run.aws.policy)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        changed = {one.field for one in step.differences}
        if "written" in changed:
            request = {"Name": live.id, "Value": PENDING, "Overwrite": True}
            self._run.aws.call("ssm", "PutParameter", request, doing=step.sentence)
        if "tags" in changed:
            tags = {"ResourceType": "Parameter", "ResourceId": live.id, "Tags": to_tags(spec["tags"])}
            self._run.aws.call("ssm", "AddTagsToResource", tags, doing=step.sentence)
        return Live(live.key, live.kind, live.name, live.id, spec)

    def delete(self, step: Step, live: Live) -> None:
        run = self._run
        run.aws.delete("ssm", "DeleteParameter", {"Name": live.id}, doing=step.sentence, deadline=run.deadline)


def _described(run: Run, names: list[str], doing: str) -> list[Mapping[str, Any]]:
    filters = [{"Key": "Name", "Option": "Equals", "Values": names}]
    return run.aws.pages("ssm", "DescribeParameters", "Parameters", {"ParameterFilters": filters}, doing=doing)


def _live(run: Run, parameter: Mapping[str, Any]) -> Live | None:
    """A parameter of DescribeParameters with its tags, None if it has gone meanwhile."""
    name = parameter["Name"]
    request = {"ResourceType": "Parameter", "ResourceId": name}
    try:
        answer = run.aws.call("ssm", "ListTagsForResource", request, doing=f"look whose parameter {name} is")
    except NotFoundError:
        return None
    tags = from_tags(answer["TagList"])
    require_ours(run.mark, tags, f"parameter {name}")
    written = parameter.get("Version", FIRST_VERSION) > FIRST_VERSION
    spec = {"secret": parameter["Type"] == "SecureString", "written": written, "tags": tags}
    return Live(parameter_key(name.rpartition("/")[2]), "parameter", name, name, spec)
