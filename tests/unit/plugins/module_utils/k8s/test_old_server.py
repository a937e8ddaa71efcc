# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes as environments of Rancher 1.6 have it: without server-side apply, and without dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._errors import PartialError, SchedulersError
from ansible_collections.container.schedulers.plugins.module_utils._k8s import app_present, apply_set, made_secret
from ansible_collections.container.schedulers.plugins.module_utils._k8s import wordpress as site
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_argspec import APP
from ansible_collections.container.schedulers.plugins.module_utils._k8s.apply_set import APPLY
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress_options import WORDPRESS
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from ansible_collections.container.schedulers.plugins.modules.k8s_secret import SPEC as SECRET
from unit.api_server import Status
from unit.plugins.module_utils.k8s.contexts import context
from unit.small_cluster import SmallCluster, small_cluster

# what go-restful says, for kinds of the API server itself, and what its handler says, for those of definitions
NO_APPLY = Status(415, "UnsupportedMediaType", "415: Unsupported Media Type")
NO_DRY_RUN = Status(400, "BadRequest", "the dryRun alpha feature is disabled")
OLD = "v1.12.10"
SAYS = (
    r"^Could not apply \w+ \S+: the API server runs Kubernetes 1\.12\.10, which has no server-side apply\. "
    r"Kubernetes 1\.22 and newer have it\.$"
)
SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
COLOURS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "colours", "namespace": "shop"}}

Ensure = Callable[[Context], Outcome]
APPLYING = [
    (apply_set.ensure, APPLY, {"owner": "shop", "definition": [SHOP, COLOURS]}),
    (app_present.ensure, APP, {"name": "web", "image": "nginx", "port": 80}),
    (site.ensure, WORDPRESS, {"site": {"title": "Containers", "admin_email": "admin@example.com"}}),
]


@contextmanager
def old_cluster(refusal: Status, version: Any = OLD) -> Iterator[SmallCluster]:
    """A cluster whose API server refuses every apply; its version may be a refusal, too."""

    def refuse(method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
        if path == "/version":
            return (version.code, version.body()) if isinstance(version, Status) else (200, {"gitVersion": version})
        return (refusal.code, refusal.body()) if method == "PATCH" else None

    with small_cluster("default", "one", "two") as cluster:
        cluster.refuse = refuse
        yield cluster


@pytest.mark.parametrize("refusal", [NO_APPLY, NO_DRY_RUN, Status(415)], ids=["1.12", "definition", "1.2"])
@pytest.mark.parametrize(("ensure", "spec", "given"), APPLYING, ids=["apply", "app", "wordpress"])
def test_a_server_without_apply_is_named_before_the_first_change(
    ensure: Ensure, spec: ArgumentSpec, given: dict[str, Any], refusal: Status
) -> None:
    with old_cluster(refusal) as cluster, pytest.raises(SchedulersError, match=SAYS) as failed:
        ensure(context(cluster, spec, **given))
    assert not isinstance(failed.value, PartialError)
    assert cluster.written == []
    assert cluster.requests.count(("GET", "/version")) == 1
    assert {method for method, _path in cluster.requests} == {"GET", "PATCH"}


def test_a_set_of_nothing_that_it_knows_ends_the_same() -> None:
    with old_cluster(Status(404, message="404 page not found")) as cluster, pytest.raises(SchedulersError, match=SAYS):
        apply_set.ensure(context(cluster, APPLY, owner="shop", definition=[SHOP]))
    assert cluster.written == []


@pytest.mark.parametrize("version", ["v1.36.4", "v1.22.0-rc.1", "main", None, Status(403, "Forbidden", "no")])
def test_what_another_server_refuses_is_told_in_its_own_words(version: Any) -> None:
    """Such as one behind the API server, whose kinds cannot be applied."""
    says = "415: Unsupported Media Type"
    with old_cluster(NO_APPLY, version) as cluster, pytest.raises(SchedulersError, match=says):
        apply_set.ensure(context(cluster, APPLY, owner="shop", definition=[SHOP]))


def test_a_secret_that_was_made_by_its_dry_run_is_told() -> None:
    """By a server that does not know ``dryRun``."""
    tried: list[str] = []

    def make(method: str, path: str, body: Any) -> tuple[int, dict[str, Any]] | None:
        if method != "POST" or path in tried or "/typo/" in path:
            return None
        tried.append(path)
        return 201, cluster.write(body)

    with small_cluster("one") as cluster:
        cluster.refuse = make
        given = context(cluster, SECRET, name="db", namespaces=["one", "typo"], generate=["password"])
        with pytest.raises(PartialError, match="namespace typo does not exist") as failed:
            made_secret.ensure(given)
    assert failed.value.details["steps_done"] == ["create Secret one/db"]
    assert cluster.written == [("Secret", "db")]


def test_a_secret_is_made_where_dry_runs_are_refused() -> None:
    def refuse(method: str, _path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
        return (400, NO_DRY_RUN.body()) if method == "POST" and len(cluster.requests) <= 4 else None

    with small_cluster("one", "two") as cluster:
        cluster.refuse = refuse
        made_secret.ensure(context(cluster, SECRET, name="db", namespaces=["one", "two"], generate=["password"]))
    assert cluster.written == [("Secret", "db")] * 2
