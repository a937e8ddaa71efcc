# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and WordPress of the lab's pods: what is on the volumes is all that there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lab.containers import Page
from lab.kubernetes.kubelet import http_probe, wordpress
from lab.kubernetes.kubelet.database import Database, RefusedError, Session
from lab.kubernetes.kubelet.wordpress import Site

SETTING = {"ROOT_PASSWORD": "r", "USER": "wp", "PASSWORD": "s", "DATABASE": "wordpress"}
HOST = {"host": "blog.example.com"}
INSTALL = ("core", "install", "--url=http://blog.example.com", "--title=Blog", "--admin_user=admin",
           "--admin_email=a@example.com", "--prompt=admin_password")  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert Database(tmp_path / "data").initialise(SETTING)
    return tmp_path / "data"


@pytest.fixture
def site(tmp_path: Path, data: Path) -> Site:
    made = Site({}, tmp_path / "files", lambda: Database(data).connect("wp", "s", "wordpress", "10.0.0.1"))
    made.unpack()
    return made


def wp(site: Site, *words: str, stdin: str = "") -> tuple[str, str, int]:
    return wordpress.command(site, words, stdin, lambda path: site.files / path.lstrip("/"))


def get(site: Site, path: str, headers: dict[str, str] | None = None) -> Page:
    return wordpress.page(site, "pod-1", "GET", path, headers or HOST, b"")


def test_an_empty_data_directory_wants_a_password(tmp_path: Path) -> None:
    assert not Database(tmp_path).initialise({})
    assert Database(tmp_path).initialise({"RANDOM_ROOT_PASSWORD": "1"})


def test_a_data_directory_keeps_its_first_passwords(data: Path) -> None:
    assert Database(data).initialise({**SETTING, "PASSWORD": "other"})
    assert isinstance(Database(data).connect("wp", "s", "wordpress", "c"), Session)


@pytest.mark.parametrize(
    ("user", "password", "name", "number"),
    [
        ("wp", "x", "wordpress", "1045"),
        ("root", "r", "nope", "1049"),
        ("wp", "s", "nope", "1044"),
        ("no", "", None, "1045"),
    ],
)
def test_the_database_refuses(data: Path, user: str, password: str, name: str | None, number: str) -> None:
    with pytest.raises(RefusedError, match=f"ERROR {number} "):
        Database(data).connect(user, password, name, "10.0.0.1")


def test_statements(data: Path) -> None:
    session = Database(data).connect("root", "r", None, "c")
    assert session.execute("SELECT 1;") == ["1"]
    session.execute("CREATE DATABASE IF NOT EXISTS more")
    assert "more" in session.execute("SHOW DATABASES")
    with pytest.raises(RefusedError, match="does not simulate"):
        session.execute("SELECT * FROM secrets")


def test_the_installer_comes_first_and_goes_away(site: Site) -> None:
    assert wp(site, "core", "is-installed")[2] == 1
    assert dict(get(site, "/").headers)["Location"] == "http://blog.example.com/wp-admin/install.php"
    repeated, success = wp(site, *INSTALL, stdin="it's\n")[0].splitlines()
    assert repeated.startswith("wp core install --url='http://blog.example.com' --title='Blog' ")
    assert repeated.endswith(r" --admin_password='it'\''s'")
    assert success == "Success: WordPress installed successfully."
    assert wp(site, *INSTALL, stdin="secret\n")[0].splitlines()[1:] == ["WordPress is already installed."]
    assert wp(site, "core", "is-installed")[2] == 0
    assert "Hello world!" in get(site, "/").body
    assert "already installed" in get(site, "/wp-admin/install.php").body


def test_the_installer_can_be_filled_in(site: Site) -> None:
    form = b"weblog_title=Mine&user_name=me&admin_password=p&admin_password2=p&admin_email=a%40b.c"
    assert "weblog_title" not in get(site, "/wp-admin/install.php").body  # first it asks for the language
    assert "weblog_title" in get(site, "/wp-admin/install.php?step=1").body
    wrong = wordpress.page(site, "pod-1", "POST", "/wp-admin/install.php?step=2", HOST, form.replace(b"%40", b""))
    assert "install-success" not in wrong.body
    answer = wordpress.page(site, "pod-1", "POST", "/wp-admin/install.php?step=2", HOST, form)
    assert "Success!" in answer.body
    assert wp(site, "option", "get", "blogname")[0] == "Mine\n"
    assert wp(site, "option", "get", "siteurl")[0] == "http://blog.example.com\n"


def test_posts_and_pictures_are_kept_in_database_and_files(site: Site, tmp_path: Path, data: Path) -> None:
    wp(site, *INSTALL, stdin="secret\n")
    number = wp(site, "post", "create", "--post_title=Survivor", "--post_status=publish", "--porcelain")[0].strip()
    (site.files / "cat.png").write_bytes(b"\x89PNG\xff")
    assert wp(site, "media", "import", "/cat.png", f"--post_id={number}", "--porcelain")[2] == 0
    page = get(site, "/")
    assert "Survivor" in page.body
    picture = page.body.partition('<img src="http://blog.example.com')[2].partition('"')[0]
    assert get(site, picture).content == b"\x89PNG\xff"
    again = Site({}, tmp_path / "files", lambda: Database(data).connect("wp", "s", "wordpress", "c"))
    titles = wp(again, "post", "list", "--field=post_title")[0]
    assert titles == "Hello world!\nSurvivor\n"
    assert json.loads(wp(again, "post", "list", "--format=json", "--title=Survivor")[0])[0]["ID"] == int(number)


def test_a_text_is_replaced_everywhere_but_in_columns_that_are_left_out(site: Site) -> None:
    wp(site, *INSTALL, stdin="secret\n")
    content = 'See http://blog.example.com/a and "http:\\/\\/blog.example.com\\/b"'
    wp(site, "post", "create", "--post_title=Links", f"--post_content={content}", "--post_status=publish")
    (site.files / "cat.png").write_bytes(b"\x89PNG\xff")
    number = wp(site, "media", "import", "/cat.png", "--post_id=3", "--porcelain")[0].strip()
    old, new = "http://blog.example.com/", "https://other.example.com/"
    said = wp(site, "search-replace", old, new, "--skip-columns=guid")
    assert said == ("Success: Made 1 replacement.\n", "", 0)
    assert wp(site, "post", "get", number, "--field=guid")[0].startswith(old)
    assert f"See {new}a" in get(site, "/").body
    assert "http:\\/\\/blog.example.com\\/b" in get(site, "/").body
    wp(site, "option", "update", "siteurl", "https://other.example.com")
    assert (
        '<img src="https://other.example.com/wp-content/uploads/' in get(site, "/", {"host": "other.example.com"}).body
    )
    assert wp(site, "search-replace", old, new, "--dry-run")[2] == 1


def test_without_its_database_there_is_an_error_page(tmp_path: Path, data: Path) -> None:
    wrong = Site({}, tmp_path / "files", lambda: Database(data).connect("wp", "x", "wordpress", "c"))
    wrong.unpack()
    assert get(wrong, "/wp-login.php").status == 500
    assert "Error establishing a database connection" in wp(wrong, "core", "is-installed")[1]


def test_logging_in(site: Site) -> None:
    wp(site, *INSTALL, stdin="secret\n")
    login = wordpress.page(site, "pod-1", "POST", "/wp-login.php", HOST, b"log=admin&pwd=secret")
    cookie = dict(login.headers)["Set-Cookie"].partition(";")[0]
    assert get(site, "/wp-admin/", {**HOST, "cookie": cookie}).status == 200
    assert get(site, "/wp-admin/").status == 302
    assert "login_error" in wordpress.page(site, "pod-1", "POST", "/wp-login.php", HOST, b"log=admin&pwd=no").body


def test_another_host_name_is_sent_to_the_site_s_own(site: Site) -> None:
    wp(site, *INSTALL, stdin="secret\n")
    assert dict(get(site, "/?p=1", {"host": "other"}).headers)["Location"] == "http://blog.example.com/?p=1"
    assert get(site, "/wp-login.php", {"host": "10.244.0.7"}).status == 200


def probe(site: Site, **headers: str) -> str | None:
    return http_probe.failure(lambda path, sent: get(site, path, dict(sent)), "10.244.0.7:80", "/wp-login.php", headers)


SAYS_HTTPS = {"x-forwarded-proto": "https"}


def test_before_it_is_installed_a_probe_ends_at_the_installer(site: Site) -> None:
    assert probe(site) is None
    assert probe(site, **SAYS_HTTPS) == (
        'Get "https://10.244.0.7:80/wp-admin/install.php": http: server gave HTTP response to HTTPS client'
    )
    assert probe(site, **SAYS_HTTPS, host="blog") is None


def test_a_site_at_https_wants_that_for_logging_in(site: Site) -> None:
    wp(site, *(one.replace("http:", "https:") for one in INSTALL), stdin="secret\n")
    assert dict(get(site, "/wp-login.php").headers)["Location"] == "https://blog.example.com/wp-login.php"
    assert dict(get(site, "/wp-admin/").headers)["Location"] == "https://blog.example.com/wp-admin/"
    assert get(site, "/wp-login.php", {**HOST, **SAYS_HTTPS}).status == 200
    assert get(site, "/").status == 200
    assert probe(site) == 'Get "https://10.244.0.7:80/wp-login.php": http: server gave HTTP response to HTTPS client'
    assert probe(site, **SAYS_HTTPS) is None
    assert probe(site, host="blog") is None


def test_a_probe_follows_a_few_redirects_within_its_port() -> None:
    def send_to(location: str) -> str | None:
        page = Page(302, "", headers=(("Location", location),))
        return http_probe.failure(lambda _path, _headers: page, "10.244.0.7:80", "/", {})

    assert send_to("/again") == 'Get "http://10.244.0.7:80/again": stopped after 10 redirects'
    assert send_to("http://10.244.0.7:81/") == (
        'Get "http://10.244.0.7:81/": dial tcp 10.244.0.7:81: connect: connection refused'
    )


def test_files_outside_of_the_site_are_not_served(site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    assert get(site, "/wp-content/../../secret").status == 404


def test_what_is_not_simulated_is_an_error(site: Site) -> None:
    wp(site, *INSTALL, stdin="secret\n")
    assert wp(site, "plugin", "install", "x") == ("", "Error: the lab does not simulate `wp plugin install`.\n", 1)
