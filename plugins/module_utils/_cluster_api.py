# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the making and unmaking of a cluster needs of its API server: the seam between two providers.

Who makes clusters asks it, who speaks to API servers implements it, and neither knows the other. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ._clock import Deadline
from ._wait import Pace


@dataclass(frozen=True)
class Node:
    """A node as the API server knows it.

    Attributes:
        instance: the id of its EC2 instance, empty as long as it does not say.
        initialised: whether the cloud controller has been there.
        leaving: a run has begun to empty it, to take it away.
        problem: why it is not ready, in its own words.
    """

    name: str
    instance: str
    ready: bool
    initialised: bool
    version: str = ""
    problem: str = ""
    leaving: bool = False

    @property
    def usable(self) -> bool:
        """Whether pods can be put on it."""
        return self.ready and self.initialised


class ClusterApi(Protocol):
    """Every call but a glance may raise a ``SchedulersError``: the server does not answer, or refuses."""

    def nodes(self) -> Sequence[Node]:
        """All nodes, with that of the control plane."""

    def glance(self) -> Sequence[Node] | None:
        """All nodes, for a caller who can do without: asked once, for a few seconds. None: the server does not say."""

    def dns_problem(self) -> str:
        """Why names cannot be resolved, the empty string if they can."""

    def troubles(self) -> Sequence[str]:
        """Why pods of the cluster itself do not run, in sentences; as much as can be found out."""

    def drain(self, node: str, deadline: Deadline, pace: Pace) -> None:
        """No new pods for the node, and those that are there end or move."""

    def uncordon(self, node: str) -> None:
        """The node stays after all: pods may be put on it again."""

    def delete_node(self, node: str) -> None:
        """Its machine is gone for good."""

    def load_balancer_services(self) -> Sequence[str]:
        """Services that have load balancers in AWS, as "namespace/name"."""

    def claims(self) -> Sequence[str]:
        """Claims for volumes, as "namespace/name"."""

    def delete_service(self, name: str, deadline: Deadline, pace: Pace) -> None:
        """Ends when its load balancer is gone, too."""

    def delete_claim(self, name: str) -> None:
        """Asked for only: a claim that a pod uses goes with its pod."""


# from the content of a kubeconfig
Connect = Callable[[Mapping[str, Any]], ClusterApi]
