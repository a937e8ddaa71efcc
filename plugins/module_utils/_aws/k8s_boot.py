# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user data of a Kubernetes cluster's instances: settings, programs, and nothing that is secret. Pure. PRIVATE."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import k8s_boot_texts as texts
from .k8s_instance_program import INSTANCE_PROGRAM
from .k8s_parameters import ADMIN, JOIN, NODE_PROGRESS, PROGRESS, parameter_name

CONTAINERD_VERSION = "2.2.*"  # 2.3.0 to 2.3.3 lose the sandbox image (containerd issue 13529); 1.x is too old


@dataclass(frozen=True)
class Boot:
    """What every instance of a cluster is told.

    Attributes:
        version: of Kubernetes, with its patch level.
        api_address: the private address of the control plane.
        pod_network: "routes" or "flannel".
    """

    cluster: str
    version: str
    api_address: str
    pod_network: str
    pod_cidr: str
    service_cidr: str

    def settings(self) -> dict[str, str]:
        """The shell variables that both kinds of instances get."""
        return {
            "KUBERNETES_VERSION": self.version,
            "KUBERNETES_MINOR": self.version.rpartition(".")[0],
            "CONTAINERD_VERSION": CONTAINERD_VERSION,
            "API_ADDRESS": self.api_address,
            "POD_NETWORK": self.pod_network,
            "POD_CIDR": self.pod_cidr,
            "JOIN_PARAMETER": parameter_name(self.cluster, JOIN),
        }


def control_plane_script(boot: Boot, public_ip: str, addons: Sequence[Mapping[str, Any]]) -> str:
    """What the control plane runs.

    Args:
        public_ip: the address that the API server is reached by from outside.
        addons: manifests to apply once it is up.
    """
    settings = {
        **boot.settings(),
        "CLUSTER": boot.cluster,
        "SERVICE_CIDR": boot.service_cidr,
        "PUBLIC_IP": public_ip,
        "ADMIN_PARAMETER": parameter_name(boot.cluster, ADMIN),
        "PROGRESS_PARAMETER": parameter_name(boot.cluster, PROGRESS),
        "REPORT": "steps",
    }
    manifests = {"apiVersion": "v1", "kind": "List", "items": list(addons)}
    files = {"instance.py": INSTANCE_PROGRAM, "addons.json": json.dumps(manifests, sort_keys=True)}
    return _script(settings, files, texts.ADDRESS + texts.PREPARE + texts.CONTROL_PLANE)


def node_script(boot: Boot) -> str:
    """What a node runs. Nodes share a parameter for their progress, so only failures are told there."""
    settings = {
        **boot.settings(),
        "PROGRESS_PARAMETER": parameter_name(boot.cluster, NODE_PROGRESS),
        "REPORT": "failures",
    }
    return _script(settings, {"instance.py": INSTANCE_PROGRAM}, texts.PREPARE + texts.NODE)


def _script(settings: Mapping[str, str], files: Mapping[str, str], work: str) -> str:
    assignments = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    written = "".join(_file(name, content) for name, content in files.items())
    return f'#!/bin/bash\n{assignments}{texts.COMMON}\ninstall -d -m 0755 "$PROGRAMS"\n{written}{work}'


def _file(name: str, content: str) -> str:
    end = f"END-OF-{name}"
    return f"cat >\"$PROGRAMS/{name}\" <<'{end}'\n{content.rstrip()}\n{end}\n"
