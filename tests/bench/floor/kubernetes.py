# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of the Kubernetes jobs: kubectl, everything at once, waiting by watches for everything at once.

usage: kubernetes.py up|down NAMESPACE FILES DEPLOYMENTS SERVICES (each separated by commas, and may be empty)
"""

from __future__ import annotations

import os
import subprocess
import sys

PATIENCE = "--timeout=300s"
ADDRESS = "--for=jsonpath={.status.loadBalancer.ingress}"


def up(files: list[str], deployments: list[str], services: list[str]) -> None:
    kubectl("apply", "--server-side", *(f"--filename={one}" for one in files))
    if deployments:
        kubectl("rollout", "status", PATIENCE, *(f"deployment/{one}" for one in deployments))
    if services:
        kubectl("wait", PATIENCE, ADDRESS, *(f"service/{one}" for one in services))


def down(files: list[str], deployments: list[str], _services: list[str]) -> None:
    """What runs nothing is gone when its deletion is answered: asking for each once more takes kubectl a minute."""
    waits = ["--wait=true", "--cascade=foreground", PATIENCE] if deployments else ["--wait=false"]
    kubectl("delete", *waits, *(f"--filename={one}" for one in files))


def kubectl(*words: str) -> None:
    subprocess.run([os.environ["LAB_KUBECTL"], f"--namespace={sys.argv[2]}", *words], check=True)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]](*(list(filter(None, words.split(","))) for words in sys.argv[3:]))
