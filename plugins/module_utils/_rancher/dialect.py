# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the two APIs of Rancher 1.x in names alone. PRIVATE."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """The words of one version of the API.

    Attributes:
        stacks: the collection of stacks; /v1 calls them environments.
        stack_id: the field of a service that names its stack.
        hosts: the collection that takes a host to be made by a machine driver.
        host_name: the field of it that has the name.
    """

    stacks: str
    stack_id: str
    hosts: str
    host_name: str


DIALECTS = {
    "v1": Dialect("environments", "environmentId", "machines", "name"),
    "v2-beta": Dialect("stacks", "stackId", "hosts", "hostname"),
}
