# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of clusters start from: the module's options, and a run on a scripted AWS."""

from __future__ import annotations

from typing import Any

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws.names import cluster_mark
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._aws.run import Run
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline
from ansible_collections.container.schedulers.plugins.modules.ecs_cluster import SPEC
from unit.scripted import ScriptedAws

OWNER = "container.schedulers/owner"
PART = "container.schedulers/part"


def params(**given: Any) -> dict[str, Any]:
    """The options of the module as AnsibleModule hands them over: these, and the defaults of the others."""
    options = SPEC.merge(STATE, wait_options(900), CONNECTION).options
    unknown = {*given} - {*options}
    assert not unknown, unknown
    return {**{name: option.get("default") for name, option in options.items()}, "name": "web", **given}


def a_run(aws: ScriptedAws, cluster: str = "web", seconds: float = 900, **tags: str) -> Run:
    """A run for a cluster, on the clock of its AWS."""
    return Run(aws, cluster_mark(cluster), Deadline(aws.clock, seconds), tags=tags)


def marks(part: str, cluster: str = "web") -> list[dict[str, str]]:
    """The tags of something that belongs to a cluster."""
    return [{"Key": OWNER, "Value": f"ecs/{cluster}"}, {"Key": PART, "Value": part}]
