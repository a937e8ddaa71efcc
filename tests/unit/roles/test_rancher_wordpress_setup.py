# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WordPress without a configuration asks whoever comes first for its database: the role answers, or says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from lab.containers import Page
from lab.kubernetes.kubelet import wordpress
from lab.kubernetes.kubelet.database import Database
from unit.http_server import answering
from unit.roles.playing import play

SETUP = {"name": "wordpress", "user": "root", "password": "lab-not-a-secret-9", "host": "mysql"}


class Wordpress:
    """The lab's, whose database is on a server with a root password and nothing else."""

    def __init__(self, folder: Path, *, database: str = "wordpress", stranger: bool = False) -> None:
        self.database = Database(folder)
        self.database.initialise({"ROOT_PASSWORD": SETUP["password"], "DATABASE": database})
        self.login: tuple[str, str, str] | None = None
        self.stranger = stranger
        self.files = folder

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
        if self.stranger and method == "POST":
            self.login = ("root", SETUP["password"], "wordpress")
        if self.login is None:
            return wordpress.wizard(self.configure, "host", path, headers, body)
        login = self.login
        site = wordpress.Site({}, self.files, lambda: self.database.connect(*login, "c"))
        return wordpress.page(site, "host", method, path, headers, body)

    def configure(self, form: Mapping[str, str]) -> None:
        login = form["uname"], form["pwd"], form["dbname"]
        self.database.connect(*login, "c")
        self.login = login


@contextmanager
def serving(site: Wordpress | Page) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            page = site if isinstance(site, Page) else site.answer(self.command, self.path, headers, body)
            self.send_response(page.status)
            for name, value in (
                ("Content-Type", "text/html"),
                ("Content-Length", str(len(page.content))),
                *page.headers,
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.content)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing to tell."""

    with answering(Handler) as url:
        yield url


def test_an_open_wizard_that_cannot_be_answered_is_told_of(tmp_path: Path) -> None:
    """Before, what was no installer counted as a finished site. How it is answered, the walk shows."""
    none, bare = Wordpress(tmp_path / "none"), Wordpress(tmp_path / "bare", database="")
    theirs = Wordpress(tmp_path / "theirs", stranger=True)
    cases: list[tuple[Wordpress | Page, object, str]] = [
        (Page(200, "<h1>It works!</h1>"), SETUP, "What answers at"),
        (
            none,
            None,
            "asks whoever comes first for its database, and stays open. Set rancher_wordpress_setup to a mapping",
        ),
        (
            bare,
            str(SETUP),
            "has not taken rancher_wordpress_setup. Either there is no such database",
        ),  # a survey gives text
        (theirs, SETUP, "or somebody else has answered it just before"),
    ]
    install = {"name": "container.schedulers.rancher_wordpress", "tasks_from": "install"}
    tasks: list[dict[str, Any]] = []
    with ExitStack() as servers:
        for number, (site, setup, _said) in enumerate(cases):
            given = {"rancher_wordpress_url": servers.enter_context(serving(site)), "rancher_wordpress_setup": setup}
            say = {"msg": f"case {number} is refused: {{{{ ansible_failed_result.msg }}}}"}
            role = {"ansible.builtin.import_role": install, "vars": {**given, "rancher_wordpress_wait_timeout": 0}}
            tasks.append({"block": [role], "rescue": [{"ansible.builtin.debug": say}]})
        code, said = play(tmp_path, tasks, {})
    assert code == 0, said
    refusals = [said.partition(f"case {number} is refused: ")[2].partition('"')[0] for number in range(len(cases))]
    assert [one for one, (_site, _setup, wanted) in zip(refusals, cases, strict=True) if wanted not in one] == []
    assert SETUP["password"] not in said
