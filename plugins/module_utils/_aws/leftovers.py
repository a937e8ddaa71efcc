# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look in AWS for what is left: one place per API, so that one that refuses hides nothing else. PRIVATE."""

from __future__ import annotations

from functools import partial

from .._leftovers import Place
from . import leftovers_ec2, leftovers_kubernetes, leftovers_services, leftovers_tagged
from .api import Aws


def places(aws: Aws, owner: str) -> dict[str, Place]:
    """All places in a region, and IAM, which has none."""
    services = leftovers_services
    found = {
        "ec2": (tuple(kind.name for kind in leftovers_ec2.KINDS.values()), leftovers_ec2.find),
        "autoscaling": (("auto_scaling_group",), services.scaling_groups),
        "roles": (("role",), services.roles),
        "instance profiles": (("instance_profile",), services.instance_profiles),
        "ecs": (("cluster", "service"), services.clusters),
        "classic load balancers": (("classic_load_balancer",), services.classic_load_balancers),
        "load balancers": (("load_balancer",), services.load_balancers),
        "target groups": (("target_group",), services.target_groups),
        "services of kubernetes clusters": (("load_balancer_of_a_service",), leftovers_kubernetes.find),
        "tagging": ((*leftovers_tagged.ASKED, "whatever else has tags"), leftovers_tagged.find),
    }
    return {name: Place(kinds, partial(find, aws, owner)) for name, (kinds, find) in found.items()}
