# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes environment of a Rancher server, before it has hosts."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from unit.roles.rancher_lab import RancherLab

ROLE = Path(__file__).resolve().parents[3] / "roles" / "rancher_kubernetes"
NO_HOSTS = {"rancher_kubernetes_count": 1, "rancher_hosts_driver": "no-such-driver"}
OWNER = {"identity": "github_org:9919", "role": "owner"}


def listed(lab: RancherLab, path: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{lab.addresses['rancher']}/v2-beta/{path}", timeout=20) as answer:
        return list(json.load(answer)["data"])


def test_it_has_the_description_and_the_members_that_are_given(new_server: RancherLab, tmp_path: Path) -> None:
    given = {"rancher_kubernetes_description": "Ours", "rancher_kubernetes_members": [OWNER], **NO_HOSTS}
    role = {"ansible.builtin.import_role": {"name": "container.schedulers.rancher_kubernetes"}, "vars": given}
    said = new_server.play(tmp_path, role)[1]

    (made,) = [one for one in listed(new_server, "projects?all=true") if one["name"] == "Kubernetes"]
    assert made["description"].startswith("Ours ["), said
    (member,) = listed(new_server, f"projects/{made['id']}/projectmembers")
    assert (member["externalIdType"], member["externalId"], member["role"]) == ("github_org", "9919", "owner")


def test_the_app_of_the_example_is_deployed_on_the_cluster_that_was_made() -> None:
    """And not on the one that ~/.kube/config leads to."""
    example = re.findall(r"^```yaml\n(.*?)^```", (ROLE / "README.md").read_text(), re.DOTALL | re.MULTILINE)[0]
    (play,) = yaml.safe_load(example)
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())

    way = play["module_defaults"]["group/container.schedulers.kubernetes"]
    assert way == {"kubeconfig": defaults["rancher_kubernetes_kubeconfig"]}
