# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles ask by HTTP goes through the proxy of the environment, which an empty variable would switch off."""

from __future__ import annotations

from pathlib import Path

import yaml
from unit.roles.rendering import rendered

ROLES = Path(__file__).resolve().parents[3] / "roles"
ASKING = ("ecs_app/tasks/ask.yml", "kubernetes_app/tasks/ask.yml", "kubernetes_wordpress/tasks/verify.yml")


def test_a_proxy_is_set_only_if_one_is_given() -> None:
    tasks = [yaml.safe_load((ROLES / path).read_text())[0] for path in ASKING]
    environments = ", ".join(task["environment"].removeprefix("{{").removesuffix("}}") for task in tasks)
    given = "http://proxy.test:3128"
    names = {"ecs_app_http_proxy": given, "__proxy": given, "kubernetes_wordpress_verify": {"http_proxy": given}}
    none = {"ecs_app_http_proxy": "", "__proxy": ""}
    answers = rendered(ROLES / "kubernetes_wordpress", f"{{{{ [{environments}] }}}}", [none, names])
    assert answers == [[{}] * 3, [{"http_proxy": given, "https_proxy": given}] * 3]
