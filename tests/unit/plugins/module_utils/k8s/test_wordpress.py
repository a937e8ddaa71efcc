# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""k8s_wordpress as a whole, on a cluster in a dictionary, with wp-cli as a function."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    ConflictError,
    InputError,
    NotFoundError,
    NotOursError,
    PartialError,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress import ensure
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress_options import (
    NOTE,
    WORDPRESS,
    effective,
)
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress_site import site_pod_state
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress_storage import refuse_other_claims
from ansible_collections.container.schedulers.plugins.module_utils._module import Context, Outcome
from lab.kubernetes.kubelet import http_probe
from lab.kubernetes.kubelet.database import Database
from lab.kubernetes.kubelet.wordpress import Site, command, page
from unit.api_server import Call, Status, api_server, thing
from unit.clock import FakeClock
from unit.plugins.module_utils.k8s.contexts import context
from unit.returned import as_documented
from unit.small_cluster import SmallCluster, crashing_soon, labelled, running, small_cluster

DEFAULT = "/api/v1/namespaces/default"
SITE = {"title": "Containers", "admin_email": "admin@example.com"}
SAME = dict.fromkeys(("site_volume", "database_volume"), "vol-01234567")
VOLUMES = {"site_volume": "vol-0123456789abcdef0", "database_volume": "vol-0123456789abcdef1"}


class Wp:
    """wp-cli, and the site that it knows."""

    def __init__(self) -> None:
        self.installed = False
        self.calls: list[str] = []
        self.passwords: list[str] = []
        self.database_comes = 0
        self.languages = [""]
        self.refuses: list[str] = []

    def __call__(self, _pod: str, container: str, words: list[str], given: str) -> tuple[str, str, int]:
        assert container == "wp-cli"
        self.calls.append(" ".join(words[1:3]))
        if words[1:3] == ["core", "is-installed"]:
            if self.database_comes:
                self.database_comes -= 1
                return "", "Error: Error establishing a database connection.\n", 1
            return "", "", int(not self.installed)
        if self.calls[-1] in self.refuses:
            return "", "Error: not today\n", 1
        if words[1:3] == ["core", "install"]:
            self.installed = True
        if given:
            self.passwords.append(given.strip())
        known = words[1:3] != ["language", "core"] or words[4] in self.languages
        return ("", "", 0) if known else ("", "Error: not today\n", 1)


def site_of(cluster: SmallCluster, **options: Any) -> Outcome:
    given = {"site": SITE, "verify": {"http": False}, **options}
    return as_documented(ensure, ensure(context(cluster, WORDPRESS, **given)))


def sentences(outcome: Outcome) -> list[str]:
    assert outcome.plan is not None
    return outcome.plan.sentences()


def secrets_of(cluster: SmallCluster) -> dict[str, Any]:
    found = [cluster.get("Secret", name) for name in ("wordpress-credentials", "wordpress-salts")]
    return {one["metadata"]["name"]: one["data"] for one in found if one}


@contextmanager
def ready(wp: Wp) -> Iterator[SmallCluster]:
    with small_cluster() as cluster:
        cluster.controllers = running
        cluster.command = wp
        yield cluster


def test_what_was_made_is_told_even_if_the_pods_may_not_be_looked_at_any_more() -> None:
    wp = Wp()
    with ready(wp) as cluster:

        def last(*asked: Any) -> tuple[str, str, int]:
            if asked[2][1:3] == ["core", "install"]:
                cluster.expire(f"{DEFAULT}/pods", after="Deployment")
            return wp(*asked)

        cluster.command = last
        with pytest.raises(PartialError, match="may have expired") as failed:
            site_of(cluster)
    assert failed.value.details["steps_done"][-1] == "create site default/wordpress"


def test_the_life_of_a_site() -> None:
    wp = Wp()
    wp.database_comes = 1
    with ready(wp) as cluster:
        would = site_of(cluster, check=True)
        made = site_of(cluster)
        passwords = secrets_of(cluster)
        again = site_of(cluster)
        left_out = site_of(cluster, site=None)
        removed = site_of(cluster, state="absent")
        back = site_of(cluster, site=None)
        assert secrets_of(cluster) == passwords
        everything = site_of(cluster, state="absent", delete_data=True)
        assert secrets_of(cluster) == {}
    assert sentences(would) == sentences(made)
    assert sentences(made)[:2] == [
        "create Secret default/wordpress-credentials",
        "create Secret default/wordpress-salts",
    ]
    assert sentences(made)[-1] == "create site default/wordpress"
    assert made.result["site"]["url"] == "http://lb.example.com"
    assert len(made.result["site"]["pods"]) == 2
    assert wp.calls.count("core install") == 1
    assert base64.b64decode(passwords["wordpress-credentials"]["admin-password"]).decode() == wp.passwords[0]
    assert sentences(again) == sentences(left_out) == []
    assert removed.result["kept"] == [
        "PersistentVolumeClaim default/wordpress-database",
        "PersistentVolumeClaim default/wordpress-site",
        "Secret default/wordpress-credentials",
        "Secret default/wordpress-salts",
    ]
    assert back.result["site"]["title"] == "Containers"
    assert everything.result["kept"] == []


def test_a_clone_of_the_site_is_not_taken_for_it() -> None:
    """Its pods have the labels of the site's, and are newer."""
    asked: set[str] = set()
    wp = Wp()

    def note(pod: str, container: str, words: list[str], given: str) -> tuple[str, str, int]:
        asked.add(pod)
        return wp(pod, container, words, given)

    with ready(wp) as cluster:
        site_of(cluster)
        clone = copy.deepcopy(cluster.objects[("Deployment", "default", "wordpress")])
        clone["metadata"] |= {"name": "staging", "labels": {}}
        cluster.write(clone)
        cluster.command = note
        changed = site_of(cluster, site={**SITE, "title": "Ships"})
    assert asked == {"wordpress-0"}
    assert sorted(one["name"] for one in changed.result["site"]["pods"]) == ["wordpress-0", "wordpress-database-0"]


class LabWp:
    """The lab's wp-cli, and its site, behind a load balancer whose name the test gives."""

    def __init__(self, folder: Path) -> None:
        self.site = wordpress_of({"env": []}, folder)
        self.balancer = "lb-1.example.com"
        self.dies_before = ""

    def __call__(self, _pod: str, _container: str, words: list[str], given: str) -> tuple[str, str, int | None]:
        if self.dies_before and " ".join(words[1:]).startswith(self.dies_before):
            return "", "", None
        return command(self.site, words[1:], given, lambda path: self.site.files / path.lstrip("/"))

    def controllers(self, cluster: SmallCluster, one: dict[str, Any]) -> None:
        running(cluster, one)
        if one["kind"] == "Service" and one["spec"]["type"] == "LoadBalancer":
            cluster.put({**one, "status": {"loadBalancer": {"ingress": [{"hostname": self.balancer}]}}})

    def publish(self, url: str) -> None:
        """A post as the editor with blocks writes it."""
        (self.site.files / "ship.gif").write_bytes(b"GIF89a")
        self("", "", ["wp", "media", "import", "ship.gif"], "")
        tables = self.site.tables()
        assert tables is not None
        picture = tables["posts"][-1]["guid"]
        assert picture.startswith(url)
        block = "<!-- wp:x " + json.dumps({"url": picture}).replace("/", "\\/") + " -->"
        content = f'{block}<img src="{picture}"><a href="{url}.invalid/">elsewhere</a>'
        self("", "", ["wp", "post", "create", f"--post_content={content}", "--post_status=publish"], "")

    def shown(self) -> str:
        return page(self.site, "c", "GET", "/", {"host": self.balancer}, b"").body


@contextmanager
def lab(wp: LabWp) -> Iterator[SmallCluster]:
    with ready(Wp()) as cluster:
        cluster.controllers, cluster.command = wp.controllers, wp
        yield cluster


@pytest.mark.parametrize("dies_before", ["", "option update", "search-replace"])
def test_behind_another_load_balancer_the_pictures_are_there(tmp_path: Path, dies_before: str) -> None:
    wp = LabWp(tmp_path)
    with lab(wp) as cluster:
        site_of(cluster)
        wp.publish("http://lb-1.example.com")
        site_of(cluster, state="absent")
        wp.balancer, wp.dies_before = "lb-2.example.com", dies_before
        if dies_before:
            with pytest.raises(PartialError):
                site_of(cluster)
            wp.dies_before = ""
        address = wp("", "", ["wp", "option", "get", "home"], "")[0].strip()
        assert address == f"http://lb-{2 if dies_before == 'search-replace' else 1}.example.com"
        site_of(cluster)
    pictures = re.findall(r'<img src="(.*?)"', wp.shown())
    assert [one.partition("/wp-content")[0] for one in pictures] == ["http://lb-2.example.com"]
    assert '"http:\\/\\/lb-2.example.com\\/wp-content' in wp.shown()
    assert "http://lb-1.example.com.invalid/" in wp.shown()  # somebody else's
    assert page(wp.site, "c", "GET", urlsplit(pictures[0]).path, {}, b"").content == b"GIF89a"


def test_a_site_that_came_with_its_volumes_speaks_of_its_new_address(tmp_path: Path) -> None:
    wp = LabWp(tmp_path)
    wp.site.install("http://lb-0.example.com/", "Boxes", "admin", "secret", "a@example.com")
    wp.publish("http://lb-0.example.com")
    with lab(wp) as cluster:
        site_of(cluster)
    assert '<img src="http://lb-1.example.com/wp-content' in wp.shown()


def test_an_address_within_the_old_one_is_not_put_there_twice(tmp_path: Path) -> None:
    wp = LabWp(tmp_path)
    with lab(wp) as cluster:
        site_of(cluster)
        wp.publish("http://lb-1.example.com")
        site_of(cluster, site={"url": "http://lb-1.example.com/blog"})
    assert "/blog/wp-content" not in wp.shown()


@pytest.mark.parametrize("enough", [True, False])
def test_moving_a_large_database_may_take_as_long_as_the_run(enough: bool) -> None:
    wp, clock = Wp(), FakeClock()
    with ready(wp) as cluster:

        def slow(pod: str, container: str, words: list[str], given: str) -> tuple[str, str, int]:
            if words[1] != "search-replace":
                return wp(pod, container, words, given)
            clock.sleep(200)
            return "Success: Made 7 replacements.\n", "", 0

        moved: dict[str, Any] = {"site": {**SITE, "url": "https://example.com"}, "verify": {"http": False}}
        given = context(cluster, WORDPRESS, **moved, wait_timeout=600 if enough else 150)
        site_of(cluster)
        cluster.command = slow
        if enough:
            assert ensure(replace(given, clock=clock)).plan
        else:
            with pytest.raises(PartialError, match=r"still runs after 150 seconds.*Raise wait_timeout\."):
                ensure(replace(given, clock=clock))


def test_what_differs_is_set() -> None:
    wp = Wp()
    with ready(wp) as cluster:
        site_of(cluster)
        wp.calls.clear()
        changed = site_of(
            cluster,
            image="wordpress:7",
            site={"title": "Boxes", "admin_password": "open-sesame", "url": "https://example.com"},
        )
        again = site_of(cluster, site={"admin_password": "open-sesame"})
    assert sentences(changed)[-1] == "update site default/wordpress (title, url, image, admin_password)"
    moved = [one for one in wp.calls if one.startswith("search-replace http")]
    assert moved == ["search-replace http://lb.example.com/", r"search-replace http:\/\/lb.example.com\/"]
    others = sorted(one for one in wp.calls if one not in moved)
    assert others == sorted(["option update"] * 3 + ["core update-db", "user update"])
    assert wp.passwords[-1] == "open-sesame"
    assert "open-sesame" not in str(changed)
    assert sentences(again) == []


def test_secrets_are_hidden_from_results() -> None:
    with ready(Wp()) as cluster:
        hidden: list[Any] = []
        given = context(cluster, WORDPRESS, site=SITE, verify={"http": False})
        ensure(Context(given.params, False, given.warn, hide=hidden.extend))
        found = secrets_of(cluster)
        hidden_again: list[Any] = []
        gone = context(cluster, WORDPRESS, state="absent")
        ensure(Context(gone.params, False, gone.warn, hide=hidden_again.extend))
    values = {value for data in found.values() for value in data.values()}
    values |= {base64.b64decode(value).decode() for value in values}
    assert values <= set(hidden)
    assert values <= set(hidden_again)


def test_a_command_that_dies_does_not_tell_what_it_was_prompted_for() -> None:
    """wp-cli writes it to its output, quoted, so that nobody would know it again."""
    wp = Wp()
    with ready(wp) as cluster:

        def killed(*asked: Any) -> tuple[str, str, int]:
            if asked[2][1:3] != ["core", "install"]:
                return wp(*asked)
            quoted = asked[3].strip().replace("'", "'\\''")
            return f"wp core install --admin_password='{quoted}'\n", "", 137

        cluster.command = killed
        with pytest.raises(PartialError, match="wp-cli says: exit code 137") as failed:
            site_of(cluster, site={**SITE, "admin_password": "it's-open-sesame"})
    assert "open-sesame" not in str(failed.value)


def test_a_site_that_somebody_installed_is_not_installed_again() -> None:
    wp = Wp()
    wp.installed = True
    with ready(wp) as cluster:
        site_of(cluster)
        kept = secrets_of(cluster)["wordpress-credentials"]["admin-password"]
    assert "core install" not in wp.calls
    assert wp.calls.count("option update") == 4
    assert wp.calls.count("user update") == 1
    assert wp.passwords == [base64.b64decode(kept).decode()]  # what the Secret says opens it


def test_the_administrator_cannot_be_renamed() -> None:
    wp = Wp()
    with ready(wp) as cluster:
        site_of(cluster)
        wp.calls.clear()
        with pytest.raises(InputError, match="was installed with 'admin', and WordPress renames nobody"):
            site_of(cluster, site={**SITE, "title": "Boxes", "admin_user": "root"})
    assert wp.calls == []


def unready(wp: Wp) -> Callable[[SmallCluster, dict[str, Any]], None]:
    """Controllers of a site whose pod is not ready before the site is installed."""

    def controllers(cluster: SmallCluster, one: dict[str, Any]) -> None:
        running(cluster, one)
        if one["metadata"]["name"] == "wordpress" and one["kind"] == "Deployment" and not wp.installed:
            cluster.put({**one, "status": {"observedGeneration": one["metadata"]["generation"], "replicas": 1}})

    return controllers


INLINE = {"mode": "inline", "site_volume": "vol-00000001", "database_volume": "vol-00000002"}
WITHIN = {"type": "ClusterIP"}


def test_a_site_that_was_installed_on_other_volumes_is_not_waited_for() -> None:
    wp = Wp()
    with ready(wp) as cluster:
        site_of(cluster, storage={**INLINE, "database_volume": "vol-00000009"}, service=WITHIN)
        site_of(cluster, state="absent")
        wp.installed = False
        cluster.controllers = unready(wp)
        with pytest.raises(PartialError) as caught:
            site_of(cluster, storage=INLINE, service=WITHIN, wait_timeout=20)
    assert (
        "Secret default/wordpress-credentials says that the site was installed, but there is none in its database on "
        "volume vol-00000002. Give the volumes"
    ) in str(caught.value)
    assert wp.calls.count("core install") == 1


def test_a_pod_that_is_not_ready_for_another_reason_is_waited_for() -> None:
    """A plugin breaks wp-cli: that says nothing about what is installed."""
    wp = Wp()
    with ready(wp) as cluster:
        site_of(cluster, service=WITHIN)
        site_of(cluster, state="absent")
        wp.installed = False
        cluster.controllers = unready(wp)
        cluster.command = lambda *_given: ("", "Fatal error: plugin\n", 1)
        with pytest.raises(PartialError, match="not ready after 2 seconds"):
            site_of(cluster, service=WITHIN, wait_timeout=2)


def test_a_database_that_does_not_answer_is_explained_by_its_pod() -> None:
    wp = Wp()
    wp.database_comes = 99
    with ready(wp) as cluster:
        cluster.controllers, cluster.logs = crashing_soon("wordpress-database"), "no space left"
        with pytest.raises(PartialError, match=r"Error establishing a database connection.*no space left") as caught:
            site_of(cluster, service=WITHIN, wait_timeout=1)
    assert [one["code"] for one in caught.value.details["diagnosis"]] == ["crash_loop"]


def test_a_site_that_does_not_answer_is_explained_by_its_pods() -> None:
    with ready(Wp()) as cluster, api_server(Call("GET", "/", Status(503))) as balancer:
        site_of(cluster)
        crashing_soon("wordpress")(cluster, cluster.objects[("Deployment", "default", "wordpress")])
        cluster.logs = "no space left"
        with pytest.raises(PartialError, match=r"HTTP 503.*no space left") as caught:
            site_of(cluster, wait_timeout=0, verify={"http_proxy": balancer.url})
    assert {one["code"] for one in caught.value.details["diagnosis"]} == {"crash_loop"}


def test_a_password_is_never_made_up_twice() -> None:
    """The answer to the create was lost, and the Secret is there."""
    with ready(Wp()) as cluster:
        lost: list[str] = []

        def lose(method: str, path: str, body: Any) -> tuple[int, dict[str, Any]] | None:
            if method == "POST" and path.endswith("/secrets") and not lost:
                lost.append(cluster.write(body)["data"].get("password", ""))
                return 503, {"reason": "ServiceUnavailable", "message": "lost"}
            return None

        cluster.refuse = lose
        site_of(cluster)
        assert secrets_of(cluster)["wordpress-credentials"]["password"] == lost[0]


def test_a_site_whose_secrets_are_gone_is_not_touched() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster)
        cluster.remove("Secret", "wordpress-credentials")
        with pytest.raises(ConflictError, match="new passwords would not open the database"):
            site_of(cluster)


def test_a_secret_without_its_password_is_not_repaired() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster)
        secret = cluster.get("Secret", "wordpress-credentials")
        assert secret is not None
        del secret["data"]["admin-password"]
        with pytest.raises(ConflictError, match="has no admin-password"):
            site_of(cluster, site={"admin_password": "open-sesame"})


def test_a_refusal_of_wp_cli_is_told() -> None:
    with (
        ready(Wp()) as cluster,
        pytest.raises(PartialError, match="Could not run wp language core: wp-cli says: Error: not today") as caught,
    ):
        site_of(cluster, site={**SITE, "language": "xx"})
    assert "create Deployment default/wordpress" in caught.value.details["steps_done"]


def test_a_site_that_was_installed_and_no_more_gets_its_language_later() -> None:
    wp = Wp()
    with ready(wp) as cluster:
        with pytest.raises(PartialError, match="not today"):
            site_of(cluster, site={**SITE, "language": "de_DE"})
        wp.languages.append("de_DE")
        wp.calls.clear()
        again = site_of(cluster, site={**SITE, "language": "de_DE"})
    assert sentences(again) == ["create site default/wordpress"]
    assert "core install" not in wp.calls
    assert wp.calls[-1] == "language core"


def test_a_password_that_is_given_after_a_run_that_did_not_install_the_site_is_kept() -> None:
    wp = Wp()
    wp.refuses = ["core install"]
    with ready(wp) as cluster:
        given = {**SITE, "admin_password": "open-sesame"}
        with pytest.raises(PartialError, match="not today"):
            site_of(cluster)
        wp.refuses = []
        site_of(cluster, site=given)
        kept = secrets_of(cluster)["wordpress-credentials"]["admin-password"]
        again = site_of(cluster, site=given)
    assert wp.passwords[-1] == base64.b64decode(kept).decode() == "open-sesame"
    assert sentences(again) == []


def test_what_was_given_is_known_though_the_run_went_no_further_than_the_secrets() -> None:
    with ready(Wp()) as cluster:

        def refuse(method: str, path: str, body: Any) -> tuple[int, dict[str, Any]] | None:
            salts = method == "POST" and path.endswith("/secrets") and body["metadata"]["name"] == "wordpress-salts"
            return (403, {"reason": "Forbidden", "message": "no"}) if salts else None

        cluster.refuse = refuse
        with pytest.raises(PartialError):
            site_of(cluster, storage={"mode": "existing", "size": "5Gi", **VOLUMES})
        cluster.refuse = lambda *_request: None
        site_of(cluster, site=None)
        volume = cluster.get("PersistentVolume", "default-wordpress-site", "")
    assert volume is not None
    assert volume["spec"]["csi"]["volumeHandle"] == VOLUMES["site_volume"]


def cut_off(cluster: SmallCluster, refused: str, **options: Any) -> None:
    """A run that gets as far as the first write of a kind, after the dry run."""
    tried: list[str] = []

    def refuse(method: str, path: str, _body: Any) -> tuple[int, dict[str, Any]] | None:
        if method == "PATCH" and f"/{refused}/" in path:
            tried.append(path)
        return (403, {"reason": "Forbidden", "message": "no"}) if tried.count(path) > 1 else None

    cluster.refuse = refuse
    with pytest.raises(PartialError):
        site_of(cluster, **options)
    cluster.refuse = lambda *_request: None


EXISTING = {"mode": "existing", "zone": "eu-west-1c", **VOLUMES}


def test_another_mode_is_no_contradiction_to_the_volumes_of_a_run_that_was_cut_off() -> None:
    with ready(Wp()) as cluster:
        cut_off(cluster, "persistentvolumes", storage=EXISTING)
        made = site_of(cluster, storage={"mode": "dynamic"})
        again = site_of(cluster)
    assert made.result["site"]["storage"] == {"mode": "dynamic", "size": "10Gi"}
    assert sentences(again) == []


def test_a_volume_that_is_kept_for_a_claim_is_not_bound_unasked() -> None:
    with ready(Wp()) as cluster:
        cut_off(cluster, "persistentvolumeclaims", storage=EXISTING)
        with pytest.raises(InputError, match=r"PersistentVolume default-wordpress-\w+ with vol-\w+ is kept for claim"):
            site_of(cluster, storage={"mode": "dynamic"})
        assert sentences(site_of(cluster))[0].startswith("create PersistentVolumeClaim")
        site_of(cluster, state="absent", delete_data=True)
        released = {"claimRef": {"namespace": "default", "name": "wordpress-site", "uid": "of a claim that is gone"}}
        cluster.put({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "x"}, "spec": released})
        made = site_of(cluster, storage={"mode": "dynamic"})
    assert made.result["site"]["storage"]["mode"] == "dynamic"


def test_source_ranges_outlive_a_time_without_a_load_balancer() -> None:
    ranges = ["203.0.113.0/24"]
    with ready(Wp()) as cluster:
        site_of(cluster, service={"source_ranges": ranges})
        within = site_of(cluster, service=WITHIN)
        back = site_of(cluster, service={"type": "LoadBalancer"})
        with pytest.raises(InputError, match=r"service\.source_ranges needs service\.type LoadBalancer"):
            site_of(cluster, service={**WITHIN, "source_ranges": ranges})
    assert within.result["site"]["service"]["source_ranges"] == []
    assert back.result["site"]["service"]["source_ranges"] == ranges


@pytest.mark.parametrize("first", [WITHIN, {"type": "LoadBalancer", "load_balancer": "nlb", "annotations": {"a": 1}}])
def test_what_of_the_service_is_left_out_stays_and_its_port_is_part_of_the_address(first: dict[str, Any]) -> None:
    with ready(Wp()) as cluster:
        site_of(cluster, service=first)
        moved = site_of(cluster, check=True, service={"port": 8080})
    assert sentences(moved) == [
        "update Service default/wordpress (spec.ports[http].port)",
        "update site default/wordpress (url)",
    ]
    assert moved.result["site"]["url"].endswith(":8080")


def test_an_image_that_is_empty_is_not_given() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster, image="wordpress:6")
        assert sentences(site_of(cluster, check=True, image="", database_image="")) == []


def test_volumes_that_are_there() -> None:
    with ready(Wp()) as cluster:
        made = site_of(cluster, storage={"mode": "existing", "zone": "eu-west-1c", **VOLUMES})
        volume = cluster.get("PersistentVolume", "default-wordpress-database", "")
        removed = site_of(cluster, state="absent", delete_data=True)
    assert "create PersistentVolume default-wordpress-site" in sentences(made)
    assert volume is not None
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert volume["spec"]["csi"]["volumeHandle"] == VOLUMES["database_volume"]
    assert "eu-west-1c" in str(volume["spec"]["nodeAffinity"])
    assert "delete PersistentVolume default-wordpress-site" in sentences(removed)


def test_volumes_named_in_the_pods_come_with_a_warning() -> None:
    with ready(Wp()) as cluster:
        warnings: list[str] = []
        given = context(cluster, WORDPRESS, site=SITE, storage={"mode": "inline", **VOLUMES})
        outcome = ensure(Context(given.params, True, warnings.append))
    assert "as the first versions of Kubernetes did" in warnings[0]
    assert outcome.plan is not None
    steps = {step.sentence: step for step in outcome.plan.steps}
    spec = steps["create Deployment default/wordpress-database"].spec["spec"]
    assert spec["template"]["spec"]["volumes"][0]["awsElasticBlockStore"]["volumeID"] == VOLUMES["database_volume"]


def test_volumes_named_in_the_pods_get_nodes_in_their_zone_if_it_is_given() -> None:
    with ready(Wp()) as cluster:
        warnings: list[str] = []
        given = context(cluster, WORDPRESS, site=SITE, storage={"mode": "inline", "zone": "eu-west-1c", **VOLUMES})
        outcome = ensure(Context(given.params, True, warnings.append))
    assert warnings == []
    assert outcome.plan is not None
    steps = {step.sentence: step for step in outcome.plan.steps}
    for name in ("wordpress", "wordpress-database"):
        pod = steps[f"create Deployment default/{name}"].spec["spec"]["template"]["spec"]
        assert pod["nodeSelector"] == {"topology.kubernetes.io/zone": "eu-west-1c"}


OTHERS = {"site_volume": "vol-0123456789abcdef2", "database_volume": "vol-0123456789abcdef3"}


@pytest.mark.parametrize(
    ("first", "later", "says"),
    [
        ({}, {"mode": "inline", **VOLUMES}, "claims, as in mode dynamic"),
        ({}, {"mode": "existing", **VOLUMES}, "claims, as in mode dynamic"),
        ({"mode": "existing", **VOLUMES}, {"mode": "inline", **VOLUMES}, "claims, as in mode existing"),
        ({"mode": "existing", **VOLUMES}, dict.fromkeys(VOLUMES, "") | {"mode": "dynamic"}, "mode existing"),
        ({"mode": "inline", **VOLUMES}, dict.fromkeys(VOLUMES, "") | {"mode": "dynamic"}, "vol-0123456789abcdef0"),
        ({"mode": "inline", **VOLUMES}, {"mode": "existing"}, "vol-0123456789abcdef0"),
        ({"mode": "inline", **VOLUMES}, {"database_volume": OTHERS["database_volume"]}, "vol-0123456789abcdef1"),
        ({"mode": "inline", **VOLUMES}, {"site_volume": OTHERS["site_volume"]}, "vol-0123456789abcdef0"),
    ],
)
def test_the_data_of_a_site_stays_where_it_is(first: dict[str, Any], later: dict[str, Any], says: str) -> None:
    with ready(Wp()) as cluster:
        site_of(cluster, storage=first)
        before = list(cluster.written)
        with pytest.raises(InputError, match=f"storage cannot be changed .* {says}"):
            site_of(cluster, storage=later)
        assert cluster.written == before
        assert sentences(site_of(cluster, storage=first)) == []
        assert sentences(site_of(cluster)) == []


DYNAMIC = {"mode": "dynamic", "size": "10Gi"}


def claim(**spec: Any) -> dict[str, Any]:
    return thing("PersistentVolumeClaim", "c", "default", spec={"resources": {"requests": {"storage": "10Gi"}}, **spec})


@pytest.mark.parametrize(
    ("first", "later", "says"),
    [
        (DYNAMIC, {"size": "9Gi"}, "size is 10Gi and cannot be changed to 9Gi"),
        (DYNAMIC, {"size": "11Gi"}, ""),
        (DYNAMIC, {"size": "10240Mi"}, ""),
        (DYNAMIC, {"storage_class": "slow"}, "storage_class is fast and cannot be changed to slow"),
        (DYNAMIC, {"storage_class": "fast"}, ""),
        (EXISTING, {"size": "11Gi"}, "size is 10Gi and cannot be changed to 11Gi"),
        (EXISTING, {"size": "10240Mi"}, ""),
        (EXISTING, {"zone": "eu-west-1a"}, "zone is eu-west-1c and cannot be changed to eu-west-1a"),
        (EXISTING, {"zone": ""}, "zone is eu-west-1c and cannot be changed to nothing"),
        ({**EXISTING, "zone": None}, {"zone": "a"}, ""),  # the server takes a place for a volume that has none
        (EXISTING, OTHERS, "site_volume is vol-0123456789abcdef0 and cannot be changed to vol-0123456789abcdef2"),
    ],
)
def test_claims_stay_as_they_are(first: dict[str, Any], later: dict[str, Any], says: str) -> None:
    options = {"storage": {"size": "10Gi", **first, **later}}
    with pytest.raises(InputError, match=rf"storage\.{says} for a site that exists") if says else nullcontext():
        refuse_other_claims(options, first, [thing("Deployment", "d"), claim(storageClassName="fast")])


def test_a_claim_that_waits_for_a_class_takes_one() -> None:
    refuse_other_claims({"storage": {**DYNAMIC, "storage_class": "fast"}}, DYNAMIC, [claim()])


def test_a_growth_that_nobody_could_carry_out_may_be_taken_back() -> None:
    asked = claim(resources={"requests": {"storage": "100Gi"}})
    there = {**asked, "status": {"capacity": {"storage": "10Gi"}}}
    refuse_other_claims({"storage": {**DYNAMIC, "size": "20Gi"}}, DYNAMIC, [there])
    with pytest.raises(InputError, match=r"storage\.size is 100Gi") as refused:
        refuse_other_claims({"storage": DYNAMIC}, DYNAMIC, [asked])
    assert refused.value.hint == "Give storage.size: 100Gi."


@pytest.mark.parametrize("storage", [DYNAMIC, EXISTING], ids=["dynamic", "existing"])
@pytest.mark.parametrize(("asked", "held"), [("10G", "10Gi"), ("10Gi", "20Gi"), ("10Gi", "10Gi")])
def test_a_volume_may_be_larger_than_was_asked_for(storage: dict[str, Any], asked: str, held: str) -> None:
    there = {**claim(resources={"requests": {"storage": asked}}), "status": {"capacity": {"storage": held}}}
    refuse_other_claims({"storage": {**storage, "size": asked}}, storage, [there])


def test_a_zone_that_was_noted_for_claims_is_no_wish() -> None:
    noted = {"metadata": {"annotations": {NOTE: json.dumps({"storage": {**DYNAMIC, "zone": "a"}})}}}
    with ready(Wp()) as cluster:
        params = context(cluster, WORDPRESS, site=SITE).params
    assert effective(params, noted)["storage"]["zone"] is None


def test_a_secret_that_was_put_back_goes_with_its_site() -> None:
    """kubectl has written it last, as somebody else's copy would be; but it has the name of the site's own."""
    with ready(Wp()) as cluster:
        site_of(cluster)
        one = cluster.objects["Secret", "default", "wordpress-credentials"]
        cluster.put(
            {**one, "metadata": {**one["metadata"], "managedFields": [labelled("kubectl", one["metadata"]["labels"])]}}
        )
        site_of(cluster, state="absent", delete_data=True)
        assert not [name for kind, _place, name in cluster.objects if kind == "Secret"]


def test_the_volumes_of_a_site_stay_while_others_can_grow() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster)
        grown = site_of(cluster, check=True, storage={"size": "11Gi"})
        before = list(cluster.written)
        with pytest.raises(InputError, match=r"storage\.size is 10Gi and cannot be changed to 9Gi"):
            site_of(cluster, storage={"size": "9Gi"})
        assert cluster.written == before
    assert sentences(grown)[0].endswith("default/wordpress-database (spec.resources.requests.storage)")


@pytest.mark.parametrize(("path", "fails"), [(f"{DEFAULT}/services", True), ("/api/v1/persistentvolumes", False)])
def test_a_site_is_not_gone_if_what_it_consists_of_may_not_be_listed(path: str, fails: bool) -> None:
    refusal = (403, {"reason": "Forbidden", "message": f"cannot list {path}"})
    with ready(Wp()) as cluster:
        site_of(cluster)
        cluster.refuse = lambda method, asked, _body: refusal if method == "GET" and asked == path else None
        with pytest.raises(AuthError, match=f"cannot list {path}") if fails else nullcontext():
            site_of(cluster, state="absent")
        assert bool(cluster.get("Service", "wordpress")) is fails


def test_who_may_not_see_volumes_is_told_what_was_not_looked_at() -> None:
    refusal = (403, {"reason": "Forbidden", "message": "cannot list volumes"})
    warnings: list[str] = []
    with ready(Wp()) as cluster:
        cluster.refuse = lambda _method, path, _body: refusal if path == "/api/v1/persistentvolumes" else None
        gone: dict[str, Any] = {"state": "absent", "delete_data": True}
        for more in ({}, gone, gone):
            given = context(cluster, WORDPRESS, site=SITE, verify={"http": False}, **more)
            ensure(replace(given, warn=warnings.append))
    assert warnings == [
        "The persistentvolumes are not looked at before the site is made: cannot list volumes",
        "persistentvolumes of default.wordpress are not looked for: cannot list volumes",
        "The claims are deleted, and it is not waited until their volumes are: cannot list volumes",
        "persistentvolumes of default.wordpress are not looked for: cannot list volumes",
    ]


def test_the_data_of_a_site_that_is_absent_stays_where_it_is() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster)
        site_of(cluster, state="absent")
        with pytest.raises(InputError, match="storage cannot be changed"):
            site_of(cluster, storage={"mode": "inline", **VOLUMES})
        assert cluster.get("Deployment", "wordpress") is None


def test_a_site_on_volumes_named_in_its_pods_finds_a_copy_of_them_after_it_was_absent() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster, storage={"mode": "inline", **VOLUMES})
        site_of(cluster, state="absent")
        back = site_of(cluster, storage={"mode": "inline", **OTHERS})
    assert back.result["site"]["storage"]["site_volume"] == OTHERS["site_volume"]


def test_the_load_balancer_of_a_site_stays_where_it_is() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster)
        with pytest.raises(InputError, match=r"service\.internal is false and cannot be changed to true"):
            site_of(cluster, service={"type": "LoadBalancer", "internal": True})


def web_container(outcome: Outcome) -> dict[str, Any]:
    """The container of WordPress, as the plan makes it."""
    assert outcome.plan is not None
    steps = {step.sentence: step for step in outcome.plan.steps}
    pod = steps["create Deployment default/wordpress"].spec["spec"]["template"]["spec"]
    found: dict[str, Any] = next(one for one in pod["containers"] if one["name"] == "wordpress")
    return found


def wordpress_of(container: dict[str, Any], folder: Path) -> Site:
    """The lab's WordPress in that container."""
    assert Database(folder / "data").initialise({"ROOT_PASSWORD": "r", "DATABASE": "wordpress"})
    environment = {one["name"]: one.get("value", "") for one in container["env"]}
    site = Site(environment, folder / "files", lambda: Database(folder / "data").connect("root", "r", "wordpress", "c"))
    site.unpack()
    return site


HTTPS = {**SITE, "url": "https://blog.example.com"}


@pytest.mark.parametrize("balancer", ["classic", "nlb"])
@pytest.mark.parametrize("site", [SITE, HTTPS])
def test_the_probes_pass_before_and_after_the_installation(site: dict[str, Any], balancer: str, tmp_path: Path) -> None:
    """Also while the site is still at the other address: a new pod has to be ready before that can be changed."""
    with ready(Wp()) as cluster:
        container = web_container(site_of(cluster, check=True, site=site, service={"load_balancer": balancer}))
    there = wordpress_of(container, tmp_path)

    def passes(kind: str) -> bool:
        probe = container[kind]["httpGet"]
        headers = {one["name"].lower(): one["value"] for one in probe["httpHeaders"]}
        return http_probe.failure(lambda path, sent: page(there, "c", "GET", path, sent, b""), "10.244.0.7:80",
                                  probe["path"], headers) is None  # fmt: skip

    kinds = ("startupProbe", "readinessProbe")
    assert all(passes(kind) for kind in kinds)
    for url in ("http://old.example.com", "https://old.example.com"):
        there.install(url, "Containers", "admin", "secret", "a@example.com")
        assert all(passes(kind) for kind in kinds)


@pytest.mark.parametrize(
    ("site", "service", "knows"),
    [
        (HTTPS, {"load_balancer": "nlb"}, True),
        (SITE, {"load_balancer": "nlb", "port": 443}, True),
        (SITE, {"load_balancer": "nlb"}, False),
        (HTTPS, {"load_balancer": "classic"}, True),  # with a certificate it passes on TCP, if it is not told otherwise
        (SITE, {"load_balancer": "classic"}, False),
        (HTTPS, {"type": "ClusterIP"}, False),  # what is before it can say it itself, for each request
    ],
)
def test_behind_a_load_balancer_of_its_own_the_site_knows_that_it_is_at_https(
    site: dict[str, Any], service: dict[str, Any], knows: bool, tmp_path: Path
) -> None:
    with ready(Wp()) as cluster:
        container = web_container(site_of(cluster, check=True, site=site, service=service))
    assert wordpress_of(container, tmp_path).is_ssl({}) is knows


def test_within_the_cluster_only() -> None:
    with ready(Wp()) as cluster:
        made = site_of(cluster, service={"type": "ClusterIP", "port": 8080})
    assert made.result["site"]["url"] == "http://wordpress.default.svc:8080"


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"name": "A_b"}, InputError, "name is 'A_b'"),
        ({"name": "a" * 41}, InputError, "up to 40"),
        ({"name": "a\n"}, InputError, "name is 'a.n'"),
        ({"namespace": "a b"}, InputError, "namespace: 'a b' is no name for a namespace"),
        ({"site": {**SITE, "admin_email": "a@b\n"}}, InputError, "is no e-mail address"),
        ({"site": {**SITE, "admin_user": "a\n"}}, InputError, "is no name for a user"),
        ({"storage": {"size": "10 Gi"}}, InputError, r"storage\.size is '10 Gi'"),
        ({"site": None}, InputError, r"a new site needs site\.title"),
        ({"site": {"title": "a"}}, InputError, r"a new site needs site\.admin_email"),
        ({"site": {**SITE, "admin_email": "nobody"}}, InputError, "is no e-mail address"),
        ({"site": {**SITE, "admin_user": "a;b"}}, InputError, "is no name for a user"),
        ({"site": {**SITE, "url": "example.com"}}, InputError, "has to begin with http"),
        ({"storage": {"size": "10m"}}, InputError, r"storage\.size is '10m', which is less than 1Mi"),
        ({"storage": {"size": "much"}}, InputError, r"storage\.size is 'much'"),
        ({"storage": {"site_volume": "vol-1"}}, InputError, "for the modes existing and inline"),
        ({"storage": {"zone": "eu-west-1c"}}, InputError, r"storage\.zone is for the modes existing and inline"),
        ({"storage": {"mode": "existing"}}, InputError, "needs the id of an EBS volume"),
        ({"storage": {"mode": "inline", **SAME}}, InputError, "the same volume"),
        ({"service": {"type": "none"}}, InputError, "without visitors"),
        ({"resources": {"requests": {"cpu": "x"}}}, InputError, r"requests\.cpu"),
        ({"namespace": "nowhere"}, NotFoundError, "namespace nowhere does not exist"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_before_the_first_change(
    options: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with small_cluster() as cluster:
        with pytest.raises(kind, match=says):
            site_of(cluster, **options)
        assert cluster.written == []


def test_what_is_somebody_elses_is_refused() -> None:
    with small_cluster() as cluster:
        cluster.put(thing("Deployment", "wordpress", "default", api_version="apps/v1"))
        with pytest.raises(NotOursError):
            site_of(cluster)


def test_without_waiting_an_installed_site_is_not_looked_at() -> None:
    with ready(Wp()) as cluster:
        site_of(cluster)
        assert site_of(cluster, wait=False).result["site"]["pods"] == []


def container(name: str, *, ready: bool, runs: bool = True) -> dict[str, Any]:
    return {"name": name, "ready": ready, "state": {"running": {}} if runs else {"waiting": {}}}


@pytest.mark.parametrize(
    ("containers", "able"),
    [
        ([container("wp-cli", ready=False), container("wordpress", ready=True)], True),
        ([container("wp-cli", ready=False, runs=False), container("wordpress", ready=True)], False),
        ([container("wp-cli", ready=False), container("wordpress", ready=False)], False),
        ([], False),
    ],
)
def test_when_wp_cli_can_work(containers: list[dict[str, Any]], able: bool) -> None:
    pods = [thing("Pod", "a", status={"containerStatuses": containers})]
    assert site_pod_state({}, pods).ready is able


@pytest.mark.parametrize("mode", ["existing", "inline"])
def test_volumes_that_no_pod_could_use_are_refused_before_the_first_change(mode: str) -> None:
    with ready(Wp()) as cluster:
        spec = {"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": VOLUMES["database_volume"]}}
        claim = {"claimRef": {"namespace": "shop", "name": "blog-database"}}
        zone = {"topology.kubernetes.io/zone": "eu-west-1c"}
        cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": zone}})
        with pytest.raises(InputError, match=r"storage\.zone is 'eu-west-1a', but the nodes are in eu-west-1c"):
            site_of(cluster, storage={"mode": mode, "zone": "eu-west-1a", **VOLUMES})
        cluster.put({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "x"}, "spec": spec | claim})
        with pytest.raises(InputError, match="is PersistentVolume x already, of claim shop/blog-database"):
            site_of(cluster, storage={"mode": mode, "zone": "eu-west-1c", **VOLUMES})
        assert secrets_of(cluster) == {}


TAKEN = VOLUMES["database_volume"]


def naming(volume: str) -> dict[str, Any]:
    return {"volumes": [{"name": "disk", "awsElasticBlockStore": {"volumeID": volume}}]}


@pytest.mark.parametrize("mode", ["existing", "inline"])
@pytest.mark.parametrize(
    ("user", "says"),
    [
        (thing("Deployment", "blog", spec={"template": {"spec": naming(TAKEN)}}), "used by Deployment shop/blog"),
        (thing("Pod", "mysql", spec=naming(TAKEN)), "used by Pod shop/mysql"),
        (
            thing(
                "PersistentVolume", "x", "", spec={"awsElasticBlockStore": {"volumeID": f"aws://eu-west-1c/{TAKEN}"}}
            ),
            "PersistentVolume x",
        ),
    ],
)
def test_no_two_databases_get_one_volume(user: dict[str, Any], says: str, mode: str) -> None:
    with ready(Wp()) as cluster:
        cluster.put(user)
        with pytest.raises(InputError, match=rf"storage\.database_volume: {TAKEN} is {says} already"):
            site_of(cluster, storage={"mode": mode, **VOLUMES})
        assert cluster.written == []


def test_a_pod_that_has_ended_or_is_of_the_site_itself_is_not_in_the_way() -> None:
    above = {"kind": "ReplicaSet", "name": "wordpress-database-1a", "uid": "u", "controller": True}
    own = {"labels": {"pod-template-hash": "1a"}, "ownerReferences": [above], "deletionTimestamp": "now"}
    with ready(Wp()) as cluster:
        cluster.put(thing("Pod", "backup", spec=naming(TAKEN), status={"phase": "Succeeded"}))
        cluster.put(thing("Pod", "old", "default", spec=naming(TAKEN), metadata=own))
        site_of(cluster, storage={"mode": "inline", **VOLUMES})


def test_who_may_see_one_namespace_only_does_not_give_its_volumes_away() -> None:
    refusal = (403, {"reason": "Forbidden", "message": "no"})
    warnings: list[str] = []
    with ready(Wp()) as cluster:
        cluster.refuse = lambda _method, path, _body: None if "/default" in path or path == "/readyz" else refusal
        site_of(cluster, name="blog", storage={"mode": "inline", **VOLUMES})
        given = context(cluster, WORDPRESS, site=SITE, storage={"mode": "inline", **VOLUMES})
        with pytest.raises(InputError, match="is used by Deployment default/blog-database already"):
            ensure(replace(given, warn=warnings.append))
    assert "The deployments of other namespaces are not looked at before the site is made: no" in warnings


@pytest.mark.parametrize(
    ("mode", "zones", "warned"), [("existing", "ac", True), ("existing", "c", False), ("dynamic", "ac", False)]
)
def test_volumes_whose_zone_is_not_given_come_with_a_warning(mode: str, zones: str, warned: bool) -> None:
    warnings: list[str] = []
    with ready(Wp()) as cluster:
        for zone in zones:
            labels = {"topology.kubernetes.io/zone": f"eu-west-1{zone}"}
            cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": zone, "labels": labels}})
        storage = {"mode": mode, **({} if mode == "dynamic" else VOLUMES)}
        ensure(Context(context(cluster, WORDPRESS, site=SITE, storage=storage).params, True, warnings.append))
    told = "storage.zone is not given, and the nodes are in eu-west-1a, eu-west-1c"
    assert [one for one in warnings if one.startswith(told)] == warnings
    assert bool(warnings) is warned


def test_an_autoscaler_may_bring_a_node_into_the_zone_of_the_volumes() -> None:
    with ready(Wp()) as cluster:
        labels = {"topology.kubernetes.io/zone": "eu-west-1c"}
        cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": labels}})
        status = {"name": "cluster-autoscaler-status", "namespace": "kube-system"}
        cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": status})
        warnings: list[str] = []
        storage = {"mode": "existing", "zone": "eu-west-1a", **VOLUMES}
        given = context(cluster, WORDPRESS, site=SITE, storage=storage)
        ensure(Context(given.params, True, warnings.append))
    told = "storage.zone is 'eu-west-1a', but the nodes are in eu-west-1c. The cluster's autoscaler has to bring one"
    assert [one for one in warnings if one.startswith(told)] == warnings != []
