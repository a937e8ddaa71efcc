# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog, and the chapter's stacks out of it: how many containers they are, and what works once they do."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from lab.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from unit.lab.rancher.ground import Document, Ground, page

PASSWORDS: dict[str, Any] = {
    "mysql_root_password": "r",
    "mysql_database": "wp",
    "mysql_user": "u",
    "mysql_password": "p",
}


def launch(ground: Ground, template_id: str, name: str, healthy: bool = True, **answers: str) -> Document:
    """A stack from a template, with the answers that it does not know by itself."""
    version = ground.get(f"/v1-catalog/templates/{template_id}")
    given = {one["variable"]: answers.get(one["variable"], one["default"]) for one in version["questions"]}
    stack = ground.make(
        "environments",
        name=name,
        startOnCreate=True,
        dockerCompose=version["files"]["docker-compose.yml"],
        rancherCompose=version["files"]["rancher-compose.yml"],
        environment=given,
        externalId=f"catalog://{template_id}",
    )
    return ground.until(stack, "active", healthy=healthy)


def containers(ground: Ground, stack: Document) -> list[str]:
    """Their states."""
    services = ground.listed(stack["links"]["services"])
    return [one["state"] for service in services for one in ground.containers(service)]


def test_what_there_is(ground: Ground, old: Ground) -> None:
    found = {one["id"] for one in old.listed("/v1-catalog/templates")}
    assert found == {
        "community:convoy-gluster", "community:galera", "community:glusterfs", "community:wordpress",
        "library:kubernetes", "library:route53",
    }  # fmt: skip
    ground.lab.settings(rancher_version="v1.6.30", rancher_catalog_today=True)
    today = {one["id"] for one in ground.listed("/v1-catalog/templates")}
    assert "library:infra*route53" in today
    assert {one for one in found if one.startswith("community:")} - today == {
        "community:convoy-gluster", "community:glusterfs",
    }  # fmt: skip
    assert ground.ask("GET", "/v1-catalog/templates/community:glusterfs")[0] == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("catalogId=community", 4),
        ("category_ne=system&catalogId=library", 1),
        ("minimumRancherVersion_lte=v0.50.0", 4),
        ("nosuch=x&catalogId=community", 4),
    ],
)
def test_filters_of_templates(old: Ground, query: str, count: int) -> None:
    assert len(old.listed(f"/v1-catalog/templates?{query}")) == count


@pytest.mark.parametrize(
    ("server", "template", "listed", "single"),
    [
        ("v1.1.0", "library:kubernetes", ["minimumRancherVersion_lte"], ["minimumRancherVersion_lte"]),
        ("v1.6.12", "library:infra*route53", ["minimumRancherVersion_lte", "rancherVersion"], ["rancherVersion"]),
    ],
)
def test_versions_for_a_newer_server_are_left_out_on_demand(
    lab: Any, server: str, template: str, listed: list[str], single: list[str]
) -> None:
    ground = Ground(lab, server=server)
    for name in ("minimumRancherVersion_lte", "rancherVersion"):
        there = {one["id"] for one in ground.listed(f"/v1-catalog/templates?{name}={server}")}
        assert (template not in there) is (name in listed)
        shown = ground.get(f"/v1-catalog/templates/{template}?{name}={server}")
        assert (shown["versionLinks"] == {}) is (name in single)
        assert shown["defaultVersion"]


def test_a_template_and_its_versions(old: Ground) -> None:
    template = old.get("/v1-catalog/templates/community:convoy-gluster")
    assert set(template["versionLinks"]) == {"v0.1", "v0.2"}
    version = old.get(template["versionLinks"]["v0.1"])
    assert version["upgradeVersionLinks"] == {"v0.2": template["versionLinks"]["v0.2"]}
    assert {one["variable"] for one in version["questions"]} == {"VOLUME_POOL", "HOST_LABEL", "GLUSTERFS_SERVICE"}
    assert all(isinstance(one["default"], str) for one in version["questions"])


def test_what_there_is_not_has_another_form_of_error(old: Ground) -> None:
    status, error, _unused = old.ask("GET", "/v1-catalog/templates/community:nothing:0")
    assert (status, error["status"]) == (404, "404")
    assert old.ask("POST", "/v1-catalog/templates?action=refresh")[0] == 204


def test_before_files_had_names(lab: Any) -> None:
    ground = Ground(lab, server="v1.0.2")
    version = ground.get("/v1-catalog/templates/community:wordpress:0")
    assert "files" not in version
    assert "mariadb" in version["dockerCompose"]


def test_wordpress_takes_a_host_whose_port_is_free(old: Ground) -> None:
    old.hosts("a", "b")
    stack = old.stack()
    balancer = old.service(stack, "lb", launchConfig={"imageUuid": "docker:nginx", "ports": ["80:80"]})
    wordpress = launch(old, "community:wordpress:0", "wordpress")
    assert containers(old, wordpress) == ["running"] * 2
    web = next(one for one in old.listed(wordpress["links"]["services"]) if one["name"] == "wordpress")
    assert web["publicEndpoints"][0]["ipAddress"] != balancer["publicEndpoints"][0]["ipAddress"]
    assert "WordPress &rsaquo; Setup Configuration File" in old.page(web)


def test_todays_wordpress_does_not_find_its_database_by_a_link(old: Ground) -> None:
    """Its wizard has to be told, and MariaDB's image makes no database from a root password alone."""
    old.hosts("a")
    launch(old, "community:wordpress:0", "wordpress")
    services = {one["name"]: one for one in old.listed("services")}
    (endpoint,) = services["wordpress"]["publicEndpoints"]
    site = f"http://{endpoint['ipAddress']}:{endpoint['port']}"
    told = {"dbname": "wordpress", "uname": "root", "pwd": "example", "dbhost": "mysql", "prefix": "wp_"}

    def ask(path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with urllib.request.urlopen(f"{site}/wp-admin/{path}", data, timeout=60) as answer:
                return answer.status, answer.url.removeprefix(f"{site}/wp-admin/"), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, "", error.read().decode()

    assert ask("install.php?step=1")[:2] == (200, "setup-config.php")
    assert 'name="dbname"' in ask("setup-config.php?step=1")[2]
    status, _url, page = ask("setup-config.php?step=2", told)
    assert (status, "Cannot select database" in page) == (500, True)
    (server,) = old.containers(services["db"])
    create = "CREATE DATABASE IF NOT EXISTS wordpress"
    assert "ERROR 1045" in old.run(server, "mariadb", "-u", "root", "--password=wrong", "-e", create)
    assert old.run(server, "mariadb", "-u", "root", "--password=example", "-e", create) == ""
    assert "not found" in old.run(server, "mysql", "--version")

    status, _url, page = ask("setup-config.php?step=2", {**told, "pwd": "wrong"})
    assert (status, "Error establishing a database connection" in page) == (500, True)
    assert ask("setup-config.php?step=2", {**told, "dbhost": "db2"})[0] == 500
    assert ask("setup-config.php?step=2", {**told, "prefix": "wp-"})[0] == 500
    assert ask("install.php")[1] == "setup-config.php"
    assert 'href="install.php' in ask("setup-config.php?step=2", told)[2]
    assert ask("setup-config.php?step=2", told)[0] == 409
    assert 'name="weblog_title"' in ask("install.php?step=1")[2]
    form = {"weblog_title": "Ours", "user_name": "me", "admin_password": "x", "admin_email": "me@example.org"}
    assert "Success!" in ask("install.php?step=2", form)[2]
    assert f'<a href="{site}/wp-login.php">' in ask("install.php?step=1")[2]


def test_todays_wordpress_is_another_one(ground: Ground) -> None:
    """Of 2017; old servers read it, too, as the catalog is the same for all."""
    ground.hosts("a", "b")
    template = ground.get("/v1-catalog/templates/community:wordpress")
    assert template["defaultVersion"] == "v0.2-bitnami"
    assert template["versionLinks"].keys() == {"v0.1-educaas1", "v0.2-bitnami"}
    stack = launch(ground, "community:wordpress:1", "blog")
    services = {one["name"]: one for one in ground.listed(stack["links"]["services"])}
    assert services.keys() == {"mariadb", "wordpress", "wordpress-lb"}
    assert containers(ground, stack) == ["running"] * 3
    assert [one["port"] for one in services["wordpress-lb"]["publicEndpoints"]] == [80]


def test_gluster_convoy_galera_and_a_service_that_uses_them(old: Ground) -> None:
    old.hosts("a", "b", "c")
    gluster = launch(old, "community:glusterfs:0", "glusterfs")
    assert sorted(containers(old, gluster)) == ["running"] * 6 + ["stopped"] * 6
    assert old.listed("storagepools?kind=storagePool") == []
    convoy = launch(old, "community:convoy-gluster:1", "convoy-gluster", GLUSTERFS_SERVICE="glusterfs/glusterfs-server")
    assert containers(old, convoy) == ["running"] * 4
    (pool,) = old.eventually(lambda: old.listed("storagepools?kind=storagePool"))
    assert pool["driverName"] == "convoy-gluster"
    galera = launch(old, "community:galera:0", "galera", **PASSWORDS)
    assert len(containers(old, galera)) == 13
    config = {
        "imageUuid": "docker:wordpress",
        "dataVolumes": ["wpcontent:/var/www/html/wp-content"],
        "volumeDriver": "convoy-gluster",
    }
    site = old.service(old.stack("site"), scale=2, launchConfig=config)
    first, second = old.containers(site)
    assert first["hostId"] != second["hostId"]
    old.run(first, "sh", "-c", "echo picture > /var/www/html/wp-content/p")
    assert old.run(second, "cat", "/var/www/html/wp-content/p") == "picture\r\n"
    old.ask("DELETE", site["links"]["self"])
    old.until(site, "removed")
    (volume,) = old.listed("volumes?name=wpcontent")
    assert (volume["driver"], volume["state"]) == ("convoy-gluster", "inactive")


def test_a_site_on_the_cluster_is_the_same_from_every_container(old: Ground) -> None:
    old.hosts("a", "b", "c")
    galera = launch(old, "community:galera:0", "galera", **PASSWORDS)
    balancer = next(one for one in old.listed(galera["links"]["services"]) if one["name"] == "galera-lb")
    names = {"HOST": "galera-lb", "USER": "u", "PASSWORD": "p", "NAME": "wp"}
    environment = {f"WORDPRESS_DB_{name}": value for name, value in names.items()}
    stack = old.stack("WordPress")
    config = {"imageUuid": "docker:wordpress", "ports": ["80/tcp"], "environment": environment}
    site = old.service(stack, "WordPress", scale=2, launchConfig=config)
    first, second = site["publicEndpoints"]
    with pytest.raises(urllib.error.HTTPError, match="500"):
        page(first)
    old.act(site, "setservicelinks", serviceLinks=[{"serviceId": balancer["id"], "name": "galera-lb"}])
    form = {"weblog_title": "Ours", "user_name": "me", "admin_password": "x", "admin_email": "me@example.org"}
    url = f"http://{first['ipAddress']}:{first['port']}/wp-admin/install.php?step=2"
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=60) as answer:
        assert "Success!" in answer.read().decode()
    request = urllib.request.Request(
        f"http://{second['ipAddress']}:{second['port']}/",
        headers={"Host": f"{first['ipAddress']}:{first['port']}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert "<title>Ours</title>" in answer.read().decode()


def test_a_driver_without_its_volume_never_becomes_healthy(old: Ground) -> None:
    old.hosts("a")
    launch(old, "community:glusterfs:0", "glusterfs")
    answers = {"GLUSTERFS_SERVICE": "glusterfs/glusterfs-server", "VOLUME_POOL": "other"}
    convoy = launch(old, "community:convoy-gluster:1", "convoy-gluster", healthy=False, **answers)
    old.lab.advance(10, steps=5)
    assert old.again(convoy)["healthState"] == "initializing"
    assert old.listed("storagepools") == []


@pytest.mark.parametrize(
    ("server", "template", "ttl"), [("v1.1.4", "library:route53:6", 299), ("v1.6.30", "library:infra*route53:17", 60)]
)
def test_route53_has_a_record_for_each_published_service(lab: Any, server: str, template: str, ttl: int) -> None:
    ground = Ground(lab, server=server)
    hosts = ground.hosts("a", "b")
    addresses = {ground.listed(host["links"]["ipAddresses"])[0]["address"] for host in hosts}
    route53 = lab.client("route53")
    zone = route53.create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
    service = ground.service(ground.stack(), "MyClusterApp", scale=2)
    keys: dict[str, Any] = {
        "AWS_ACCESS_KEY": ACCESS_KEY_ID,
        "AWS_SECRET_KEY": SECRET_ACCESS_KEY,
        "ROOT_DOMAIN": "example.org",
    }
    launch(ground, template, "route53", **keys)

    def records() -> list[dict[str, Any]]:
        found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [one for one in found if one["Type"] == "A"]

    (record,) = ground.eventually(records)
    assert (record["Name"], record["TTL"]) == ("myclusterapp.default.default.example.org.", ttl)
    assert {one["Value"] for one in record["ResourceRecords"]} == addresses
    ground.eventually(lambda: ground.again(service)["fqdn"] == "myclusterapp.default.default.example.org")
    ground.ask("DELETE", service["links"]["self"])
    ground.eventually(lambda: not records())


def test_route53_with_keys_that_are_wrong_is_never_healthy(old: Ground) -> None:
    old.hosts("a")
    old.service(old.stack())
    keys: dict[str, Any] = {"AWS_ACCESS_KEY": "nobody", "AWS_SECRET_KEY": "x", "ROOT_DOMAIN": "example.org"}
    stack = launch(old, "library:route53:6", "route53", healthy=False, **keys)

    def failing() -> bool:
        old.lab.advance(2)
        return bool(old.again(stack)["healthState"] != "healthy")

    old.eventually(failing)
