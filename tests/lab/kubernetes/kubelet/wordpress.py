# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WordPress as its visitors and as wp-cli see it: a site in a database, and uploads among its files."""

from __future__ import annotations

import datetime
import hashlib
import html
import json
import mimetypes
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from lab.containers import Page
from lab.kubernetes.kubelet.database import RefusedError, Session

FILES = "/var/www/html"
VERSION = "6.9.1"
NO_DATABASE = "Error establishing a database connection"
WIZARD = "/wp-admin/setup-config.php"
Connect = Callable[[], Session]
"""Connects to the site's database; RefusedError or ConnectionError if it cannot."""
Configure = Callable[[Mapping[str, str]], None]
"""Keeps what the wizard was told, if that leads to the database; RefusedError or ConnectionError if it does not."""


class Site:
    """One WordPress: its settings (environment), its files, and its way to the database."""

    def __init__(
        self, environment: Mapping[str, str], files: Path, connect: Connect, content: Path | None = None
    ) -> None:
        self.prefix = environment.get("WORDPRESS_TABLE_PREFIX") or "wp_"
        self.files = files
        self.content = content or files / "wp-content"  # may be a mount of its own
        self._connect = connect
        extra = environment.get("WORDPRESS_CONFIG_EXTRA", "")
        home = re.search(r"WP_HOME['\"]\s*,\s*['\"]([^'\"]+)", extra)
        self._home = home[1] if home else None
        self._always_https = bool(re.search(r"\$_SERVER\['HTTPS'\]\s*=\s*'on'", extra))

    def unpack(self) -> None:
        """What the image's entrypoint copies into an empty folder."""
        (self.content / "uploads").mkdir(parents=True, exist_ok=True)
        for name in ("index.php", "wp-config.php", "wp-login.php"):
            if not (self.files / name).exists():
                (self.files / name).write_text(f"<?php // the lab's stand-in for {name}\n")

    @property
    def unpacked(self) -> bool:
        return (self.files / "wp-config.php").exists()

    def tables(self) -> dict[str, Any] | None:
        return self._connect().load(self.prefix)

    def save(self, tables: dict[str, Any]) -> None:
        self._connect().save(self.prefix, tables)

    def url(self, tables: dict[str, Any]) -> str:
        return str(self._home or tables["options"]["siteurl"]).rstrip("/")

    def is_ssl(self, headers: Mapping[str, str]) -> bool:
        """Whether it takes a request for one by https: wp-config.php of the image believes a proxy that says so."""
        return self._always_https or "https" in headers.get("x-forwarded-proto", "")

    def install(self, url: str, title: str, user: str, password: str, email: str) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
        if "://" not in url:
            url = f"http://{url}"
        hello = "Welcome to WordPress. This is your first post. Edit or delete it, then start writing!"
        self.save(
            {
                "options": {"siteurl": url, "home": url, "blogname": title, "admin_email": email},
                "users": [{"ID": 1, "user_login": user, "user_email": email, "user_pass": hashed(password),
                           "roles": "administrator"}],
                "posts": [
                    post(1, "Hello world!", hello, "publish", "post", now),
                    post(2, "Sample Page", "This is an example page.", "publish", "page", now),
                ],
            }
        )  # fmt: skip

    def attach(self, source: Path, name: str, parent: int, title: str) -> dict[str, Any]:
        """A file becomes an upload and a post of type attachment."""
        tables = self.tables()
        assert tables is not None
        month = datetime.datetime.now(datetime.UTC).strftime("%Y/%m")
        place = self.content / "uploads" / month
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place / name)
        made = self.add(tables, title or name.rpartition(".")[0], "", "inherit", "attachment")
        made.update(post_parent=parent, guid=f"{self.url(tables)}/wp-content/uploads/{month}/{name}")
        self.save(tables)
        return made

    def add(self, tables: dict[str, Any], title: str, content: str, status: str, kind: str) -> dict[str, Any]:
        number = max((one["ID"] for one in tables["posts"]), default=0) + 1
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
        made = post(number, title, content, status, kind, now)
        tables["posts"].append(made)
        return made


def post(number: int, title: str, content: str, status: str, kind: str, now: str) -> dict[str, Any]:
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return {
        "ID": number, "post_title": title, "post_content": content, "post_status": status, "post_type": kind,
        "post_name": name, "post_date": now, "post_parent": 0, "guid": "", "thumbnail": 0,
    }  # fmt: skip


def hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


# What visitors see


def page(site: Site, host_name: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
    """The answer to one request."""
    url = urlsplit(path)
    if url.path.startswith("/wp-content/"):
        return _file(site, url.path)
    if url.path == WIZARD:
        text = 'The file wp-config.php already exists. You may try <a href="install.php">installing now</a>.'
        return _page(409, "WordPress &rsaquo; Error", text, host_name)
    try:
        tables = site.tables()
    except (RefusedError, ConnectionError):
        return _page(500, "Database Error", f"<h1>{NO_DATABASE}</h1>", host_name)
    if tables is None:
        return _installer(site, host_name, url.path, dict(parse_qsl(url.query)).get("step"), headers, body)
    if _wants_https(url.path, tables) and not site.is_ssl(headers):
        return _redirect(302, f"https://{headers.get('host', host_name)}{path}")
    if url.path == "/wp-login.php":
        return _login(tables, host_name, method, body)
    if url.path.startswith("/wp-json"):
        return _json(tables, url.path)
    if url.path.startswith("/wp-admin"):
        return _admin(tables, site.url(tables), host_name, url.path, headers)
    wanted, host = urlsplit(site.url(tables)), headers.get("host", "")
    if host and wanted.netloc and host.lower() != wanted.netloc.lower():
        return _redirect(301, f"{site.url(tables)}{path}")
    return _blog(site, tables, host_name, url.path, dict(parse_qsl(url.query)))


def wizard(configure: Configure, host_name: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
    """The answer of a WordPress without wp-config.php: its wizard makes that, for whoever comes first."""
    url, title = urlsplit(path), "WordPress &rsaquo; Setup Configuration File"
    if url.path != WIZARD:
        return _redirect(302, f"http://{headers.get('host', host_name)}{WIZARD}")
    step = dict(parse_qsl(url.query)).get("step")
    if step not in ("1", "2"):
        text = '<form id="setup" method="post" action="?step=0"><select name="language"></select></form>'
        return _page(200, title, text, host_name)
    if step == "1":
        inputs = "".join(f'<input name="{field}">' for field in ("dbname", "uname", "pwd", "dbhost", "prefix"))
        return _page(200, title, f'<form method="post" action="setup-config.php?step=2">{inputs}</form>', host_name)
    form = {name: values[-1].strip() for name, values in parse_qs(body.decode(errors="replace")).items()}
    refusal = _refusal(configure, form)
    if refusal:
        again = '<p class="step"><a href="setup-config.php?step=1">Try Again</a></p>'
        return _page(500, "WordPress &rsaquo; Error", f"{refusal}\n{again}", host_name)
    text = (
        '<h1>Successful database connection</h1>\n<p class="step"><a href="install.php?language=en_US">Run it</a></p>'
    )
    return _page(200, title, text, host_name)


def _refusal(configure: Configure, form: Mapping[str, str]) -> str | None:
    """Why the wizard does not take what it is told."""
    if not re.fullmatch(r"\w+", form.get("prefix", ""), re.ASCII):
        return '<strong>Error:</strong> "Table Prefix" can only contain numbers, letters, and underscores.'
    try:
        configure(form)
    except RefusedError as refused:
        return f"<h1>{NO_DATABASE if '1045' in str(refused) else 'Cannot select database'}</h1>"
    except ConnectionError:
        return f"<h1>{NO_DATABASE}</h1>"
    return None


def _wants_https(path: str, tables: dict[str, Any]) -> bool:
    """A site whose address is https wants that for all that needs a login."""
    needs_login = path == "/wp-login.php" or (path.startswith("/wp-admin") and path != "/wp-admin/install.php")
    return needs_login and str(tables["options"]["siteurl"]).startswith("https:")


def _file(site: Site, path: str) -> Page:
    place = (site.content / path.removeprefix("/wp-content/")).resolve()
    if not place.is_relative_to(site.content.resolve()) or not place.is_file():
        return Page(404, "<h1>Not Found</h1>\n")
    kind = mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    return Page(200, "", kind, raw=place.read_bytes())


def _installer(
    site: Site, host_name: str, path: str, step: str | None, headers: Mapping[str, str], body: bytes
) -> Page:
    """First it asks for the language, unless it is sent on to the next step."""
    if path != "/wp-admin/install.php":
        scheme = "https" if site.is_ssl(headers) else "http"
        return _redirect(302, f"{scheme}://{headers.get('host', host_name)}/wp-admin/install.php")
    form = {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}
    if step not in ("1", "2"):
        text = '<form id="setup" method="post" action="?step=1"><select name="language"></select></form>'
        return _page(200, "WordPress &rsaquo; Installation", text, host_name)
    if step == "1" or not form.get("user_name") or "@" not in form.get("admin_email", ""):
        fields = ("weblog_title", "user_name", "admin_password", "admin_password2", "admin_email")
        inputs = "".join(f'<input name="{field}">' for field in fields)
        text = f'<h1>Welcome</h1>\n<form id="setup" method="post" action="install.php?step=2">{inputs}</form>'
        return _page(200, "WordPress &rsaquo; Installation", text, host_name)
    site.install(
        headers.get("host", host_name), form.get("weblog_title", ""), form["user_name"],
        form.get("admin_password", ""), form["admin_email"],
    )  # fmt: skip
    done = '<h1>Success!</h1>\n<p>WordPress has been installed.</p>\n<table class="form-table install-success"></table>'
    return _page(200, "WordPress &rsaquo; Installation", done, host_name)


def _login(tables: dict[str, Any], host_name: str, method: str, body: bytes) -> Page:
    title = html.escape(tables["options"]["blogname"])
    if method != "POST":
        form = '<form id="loginform" method="post"><input name="log"><input name="pwd" type="password"></form>'
        return _page(200, f"Log In &lsaquo; {title} &#8212; WordPress", form, host_name)
    form_fields = {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}
    for user in tables["users"]:
        if user["user_login"] == form_fields.get("log") and user["user_pass"] == hashed(form_fields.get("pwd", "")):
            cookie = f"wordpress_logged_in_lab={user['user_login']}|{user['user_pass'][:32]}; path=/; HttpOnly"
            target = form_fields.get("redirect_to") or "/wp-admin/"
            return Page(302, "", headers=(("Location", target), ("Set-Cookie", cookie)))
    text = '<div id="login_error"><strong>Error:</strong> The username or password you entered is incorrect.</div>'
    return _page(200, f"Log In &lsaquo; {title} &#8212; WordPress", text, host_name)


def _admin(tables: dict[str, Any], site_url: str, host_name: str, path: str, headers: Mapping[str, str]) -> Page:
    if path == "/wp-admin/install.php":
        text = "<h1>Already Installed</h1>\n<p>You appear to have already installed WordPress.</p>"
        text += f'<p class="step"><a href="{site_url}/wp-login.php">Log In</a></p>'
        return _page(200, "WordPress &rsaquo; Installation", text, host_name)
    for user in tables["users"]:
        if f"wordpress_logged_in_lab={user['user_login']}|{user['user_pass'][:32]}" in headers.get("cookie", ""):
            return _page(
                200, "Dashboard", f"<h1>Dashboard</h1>\n<p>Howdy, {html.escape(user['user_login'])}</p>", host_name
            )
    return _redirect(302, "/wp-login.php?redirect_to=%2Fwp-admin%2F&reauth=1")


def _json(tables: dict[str, Any], path: str) -> Page:
    kind = "application/json; charset=UTF-8"
    if path.rstrip("/") == "/wp-json":
        options = tables["options"]
        return Page(200, json.dumps({"name": options["blogname"], "url": options["siteurl"]}), kind)
    if path.rstrip("/") == "/wp-json/wp/v2/posts":
        posts = [
            {"id": one["ID"], "title": {"rendered": one["post_title"]}, "content": {"rendered": one["post_content"]}}
            for one in reversed(_published(tables))
        ]
        return Page(200, json.dumps(posts), kind)
    return Page(404, json.dumps({"code": "rest_no_route", "data": {"status": 404}}), kind)


def _blog(site: Site, tables: dict[str, Any], host_name: str, path: str, query: Mapping[str, str]) -> Page:
    posts = list(reversed(_published(tables)))
    if "p" in query:
        posts = [one for one in posts if str(one["ID"]) == query["p"]]
    elif path not in ("/", "/index.php"):
        name = path.strip("/").rpartition("/")[2]
        posts = [one for one in tables["posts"] if one["post_name"] == name and one["post_status"] == "publish"]
    title = html.escape(tables["options"]["blogname"])
    if not posts and path not in ("/", "/index.php"):
        return _page(404, f"Page not found &#8211; {title}", "<h1>Page not found</h1>", host_name)
    text = "\n".join(_article(site, tables, one) for one in posts)
    return _page(200, title, f'<h1 class="wp-block-site-title">{title}</h1>\n{text}', host_name)


def _article(site: Site, tables: dict[str, Any], one: dict[str, Any]) -> str:
    home = site.url(tables)
    images = [
        f'<img src="{html.escape(home + urlsplit(other["guid"]).path)}" alt="{html.escape(other["post_title"])}">'
        for other in tables["posts"]
        if other["post_type"] == "attachment" and one["ID"] == other["post_parent"]
    ]
    link = f"{home}/?p={one['ID']}"
    title = html.escape(one["post_title"])
    heading = f'<h2><a href="{link}">{title}</a></h2>'
    return f'<article id="post-{one["ID"]}">{heading}\n{one["post_content"]}\n{"".join(images)}</article>'


def _published(tables: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in tables["posts"] if one["post_type"] == "post" and one["post_status"] == "publish"]


def _page(status: int, title: str, body: str, host_name: str) -> Page:
    generator = f'<meta name="generator" content="WordPress {VERSION}">'
    return Page(
        status,
        f"<!DOCTYPE html>\n<html><head><title>{title}</title>{generator}</head>\n<body>\n{body}\n"
        f"<p>Container host name: {host_name}</p>\n</body></html>\n",
    )


def _redirect(status: int, target: str) -> Page:
    return Page(status, "", headers=(("Location", target),))


# wp-cli


class CommandError(Exception):
    """What wp prints after `Error: `."""


def command(site: Site, words: Sequence[str], stdin: str, find: Callable[[str], Path]) -> tuple[str, str, int]:
    """Output, errors and exit code of `wp WORDS`. `find` finds a file of the container."""
    names = [word for word in words if not word.startswith("--")]
    options = _options([word for word in words if word.startswith("--")])
    prompted, repeated = str(options.pop("prompt", "")), ""
    if prompted and prompted != "True":
        options.update(zip(prompted.split(","), stdin.splitlines(), strict=False))
        repeated = f"wp {' '.join(names[:2])} {_quoted(options)}\n"
    try:
        output, errors, code = Commands(site, names, options, stdin, find).run()
    except CommandError as error:
        return "", f"Error: {error}\n", 1
    except (RefusedError, ConnectionError) as error:
        return "", f"Error: {NO_DATABASE}. {error}\n", 1
    return repeated + output, errors, code


def _quoted(options: Mapping[str, Any]) -> str:
    """The options as wp repeats them once it has prompted for some, which it does not keep for itself."""
    texts = {name: str(value).replace("'", "'\\''") for name, value in options.items()}
    return " ".join(f"--{name}" if options[name] is True else f"--{name}='{text}'" for name, text in texts.items())


def _options(words: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word[2:].partition("=")
        found[name] = value if equals else True
    return found


class Commands:
    """One call of wp."""

    def __init__(
        self, site: Site, names: list[str], options: dict[str, Any], stdin: str, find: Callable[[str], Path]
    ) -> None:
        self._site = site
        self._names = names
        self._options = options
        self._stdin = stdin
        self._find = find

    def run(self) -> tuple[str, str, int]:
        if not self._site.unpacked:
            raise CommandError(
                "This does not seem to be a WordPress installation.\nThe used path is: /var/www/html/\n"
                "Pass --path=`path/to/wordpress` or run `wp core download`."
            )
        verb = " ".join(self._names[:2])
        known: dict[str, Callable[[dict[str, Any]], str]] = {
            "option get": self._option_get,
            "option update": self._option_update,
            "post create": self._post_create,
            "post update": self._post_update,
            "post list": lambda tables: self._list(tables["posts"], "post"),
            "post get": self._post_get,
            "post delete": self._post_delete,
            "media import": self._media_import,
            "user list": lambda tables: self._list(tables["users"], "user"),
            "user update": self._user_update,
            "user check-password": self._check_password,
            "search-replace": self._search_replace,
            "rewrite structure": lambda _unused: "Success: Rewrite structure set.\n",
            "rewrite flush": lambda _unused: "Success: Rewrite rules flushed.\n",
            "cache flush": lambda _unused: "Success: The cache was flushed.\n",
        }
        if verb == "core version":
            return f"{VERSION}\n", "", 0
        if verb in ("db check", "db ping"):
            self._site.tables()
            return "Success: Database checked.\n", "", 0
        if verb == "core is-installed":
            return "", "", 0 if self._site.tables() is not None else 1
        if verb == "core update-db":
            return "Success: WordPress database already at latest db version.\n", "", 0
        if verb == "core install":
            return self._install(), "", 0
        if self._names[:1] == ["search-replace"]:
            verb = "search-replace"
        if verb not in known:
            raise CommandError(f"the lab does not simulate `wp {verb}`.")
        tables = self._site.tables()
        if tables is None:
            raise CommandError(
                "The site you have requested is not installed.\nRun `wp core install` to create database tables."
            )
        return known[verb](tables), "", 0

    def _install(self) -> str:
        missing = [name for name in ("url", "title", "admin_user", "admin_email") if not self._options.get(name)]
        if missing:
            raise CommandError("Parameter errors:\n" + "\n".join(f" missing --{name} parameter" for name in missing))
        if self._site.tables() is not None:
            return "WordPress is already installed.\n"
        given = {name: str(self._options.get(name, "")) for name in ("url", "title", "admin_user", "admin_email")}
        password = str(self._options.get("admin_password") or "")
        self._site.install(given["url"], given["title"], given["admin_user"], password, given["admin_email"])
        return "Success: WordPress installed successfully.\n"

    def _option_get(self, tables: dict[str, Any]) -> str:
        name = self._names[2]
        if name not in tables["options"]:
            raise CommandError(f"Could not get '{name}' option. Does it exist?")
        return f"{tables['options'][name]}\n"

    def _option_update(self, tables: dict[str, Any]) -> str:
        name = self._names[2]
        value = self._names[3] if len(self._names) > 3 else self._stdin.rstrip("\n")
        if tables["options"].get(name) == value:
            return f"Success: Value passed for '{name}' option is unchanged.\n"
        tables["options"][name] = value
        self._site.save(tables)
        return f"Success: Updated '{name}' option.\n"

    def _search_replace(self, tables: dict[str, Any]) -> str:
        """Every text in every table but the columns that are left out."""
        unknown = {*self._options} - {"skip-columns", "all-tables-with-prefix"}
        if len(self._names) < 3 or unknown:
            raise CommandError(f"the lab simulates `wp search-replace <old> <new>` only, without {sorted(unknown)}.")
        old, new = self._names[1:3]
        left_out = str(self._options.get("skip-columns") or "").split(",")
        count = 0
        for row in (tables["options"], *tables["posts"], *tables["users"]):
            for column, value in row.items():
                if isinstance(value, str) and old in value and column not in left_out:
                    row[column] = value.replace(old, new)
                    count += 1
        self._site.save(tables)
        return f"Success: Made {count} replacement{'' if count == 1 else 's'}.\n"

    def _post_create(self, tables: dict[str, Any]) -> str:
        content = str(self._options.get("post_content") or "")
        if len(self._names) > 2:
            content = self._stdin if self._names[2] == "-" else self._find(self._names[2]).read_text()
        made = self._site.add(
            tables, str(self._options.get("post_title") or ""), content,
            str(self._options.get("post_status") or "draft"), str(self._options.get("post_type") or "post"),
        )  # fmt: skip
        if self._options.get("post_name"):
            made["post_name"] = self._options["post_name"]
        self._site.save(tables)
        return f"{made['ID']}\n" if self._options.get("porcelain") else f"Success: Created post {made['ID']}.\n"

    def _post_update(self, tables: dict[str, Any]) -> str:
        found = self._post(tables)
        found.update({name: value for name, value in self._options.items() if name in found})
        self._site.save(tables)
        return f"Success: Updated post {found['ID']}.\n"

    def _post_get(self, tables: dict[str, Any]) -> str:
        found = self._post(tables)
        field = self._options.get("field")
        return f"{found.get(str(field), '')}\n" if field else json.dumps(found) + "\n"

    def _post_delete(self, tables: dict[str, Any]) -> str:
        found = self._post(tables)
        tables["posts"].remove(found)
        self._site.save(tables)
        return f"Success: Deleted post {found['ID']}.\n"

    def _post(self, tables: dict[str, Any]) -> dict[str, Any]:
        number = self._names[2] if len(self._names) > 2 else ""
        for one in tables["posts"]:
            if str(one["ID"]) == number:
                found: dict[str, Any] = one
                return found
        raise CommandError(f"Could not find the post with ID {number}.")

    def _media_import(self, tables: dict[str, Any]) -> str:
        name = self._names[2] if len(self._names) > 2 else ""
        source = self._find(name)
        if "://" in name or not source.is_file():
            reason = "the lab's containers have no network" if "://" in name else "File doesn't exist."
            raise CommandError(f"Unable to import file '{name}'. Reason: {reason}")
        parent = int(self._options.get("post_id") or 0)
        made = self._site.attach(source, name.rpartition("/")[2], parent, str(self._options.get("title") or ""))
        if self._options.get("porcelain"):
            return f"{made['ID']}\n"
        return f"Imported file '{name}' as attachment ID {made['ID']}.\nSuccess: Imported 1 of 1 items.\n"

    def _user_update(self, tables: dict[str, Any]) -> str:
        user = self._user(tables)
        if self._options.get("user_pass"):
            user["user_pass"] = hashed(str(self._options["user_pass"]))
        if self._options.get("user_email"):
            user["user_email"] = self._options["user_email"]
        self._site.save(tables)
        return f"Success: Updated user {user['ID']}.\n"

    def _check_password(self, tables: dict[str, Any]) -> str:
        given = self._names[3] if len(self._names) > 3 else self._stdin.rstrip("\n")
        if self._user(tables)["user_pass"] != hashed(given):
            raise CommandError("The password is wrong.")
        return ""

    def _user(self, tables: dict[str, Any]) -> dict[str, Any]:
        name = self._names[2] if len(self._names) > 2 else ""
        for user in tables["users"]:
            if name in (str(user["ID"]), user["user_login"], user["user_email"]):
                found: dict[str, Any] = user
                return found
        raise CommandError(f"Invalid user ID, email or login: '{name}'")

    def _list(self, rows: list[dict[str, Any]], kind: str) -> str:
        filters = {name: value for name, value in self._options.items() if rows and name in rows[0]}
        if kind == "post":
            filters.setdefault("post_type", "post")
        if "title" in self._options:
            filters["post_title"] = self._options["title"]
        if "name" in self._options:
            filters["post_name"] = self._options["name"]
        if filters.get("post_type") == "any":
            del filters["post_type"]
        chosen = [one for one in rows if all(str(one[name]) in str(value).split(",") or str(one[name]) == str(value)
                                             for name, value in filters.items())]  # fmt: skip
        default = (
            "ID,post_title,post_name,post_date,post_status" if kind == "post" else "ID,user_login,user_email,roles"
        )
        return _formatted(chosen, str(self._options.get("fields") or default).split(","), self._options)


def _formatted(rows: list[dict[str, Any]], fields: list[str], options: Mapping[str, Any]) -> str:
    form = options.get("format", "table")
    if form == "count":
        return f"{len(rows)}\n"
    if form == "ids":
        return " ".join(str(row["ID"]) for row in rows) + "\n"
    if options.get("field"):
        return "".join(f"{row.get(str(options['field']), '')}\n" for row in rows)
    if form == "json":
        return json.dumps([{field: row.get(field, "") for field in fields} for row in rows]) + "\n"
    separator = "," if form == "csv" else "\t"
    lines = [separator.join(fields), *(separator.join(str(row.get(field, "")) for field in fields) for row in rows)]
    return "\n".join(lines) + "\n"
