# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in an image, for pods: containers.py knows most; databases and WordPress have a life of their own."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab import containers
from lab.containers import Page
from lab.kubernetes.kubelet import database, telemetry, wordpress
from lab.kubernetes.kubelet.database import Database, Session
from lab.kubernetes.kubelet.folders import ANSWERED

if TYPE_CHECKING:
    from lab.kubernetes.kubelet.life import Program
    from lab.kubernetes.kubelet.surroundings import Running

REAL = ("sh", "bash", "dash", "ash", "env", "cat", "echo", "cp", "chown", "chmod", "mkdir", "test", "sleep", "true",
        "false", "touch", "ls", "hostname", "sed", "install", "ln", "rm", "mv")  # fmt: skip
"""Programs of a command that ends which are run for real, beside those which the lab answers."""
CLIENTS = ("mariadb", "mysql")
FindServer = Callable[[str, int, str], "Running | None"]
"""(name, port, namespace) -> the container that answers there."""


def _copies_from_image(running: Running, words: Sequence[str]) -> bool:
    """Does it copy what only the image would have, as who installs a network plug-in on a node does?"""
    sources = [word for word in words[1:-1] if not word.startswith("-")]
    there = all(running.path(one).exists() or Path(one).exists() for one in sources)
    return words[0].rpartition("/")[2] == "cp" and not there


class Applications:
    """Behaviour by image."""

    def __init__(self) -> None:
        self.find_server: FindServer = lambda _name, _port, _namespace: None
        """Set by whoever knows the cluster's network."""
        self.fetch: Callable[[str, str], Page | None] = lambda _url, _namespace: None
        """(URL, namespace) -> the page that is there."""
        self.sight: telemetry.Sight | None = None
        """Set by whoever knows the cluster."""
        self.shippers: Callable[[Running], list[telemetry.Shipper]] = lambda _running: []
        """Every Fluent Bit, as the container sees it to which it may send."""
        self.daemon: Callable[[Running, float], Program | None] = lambda _running, _now: None
        """Starts what is run for real whatever its kind: a cloud controller."""

    def start(self, running: Running) -> int | None:
        """The code with which the program ends at once, or None if it runs."""
        code = containers.exit_code(running.program)
        if code is None and is_database(running):
            return None if Database(running.path(database.DATA)).initialise(_settings(running)) else 1
        if code is None and is_wordpress(running):
            self._site(running).unpack()
        return code

    def first_lines(self, running: Running, code: int | None) -> Sequence[str]:
        name = _last_part(running.program.image)
        if is_database(running):
            return ("mariadbd: ready for connections.",) if code is None else database.UNINITIALIZED
        if code is None:
            return containers.first_lines(running.program)
        return (f"{name}: fatal: cannot start, exit code {code}",) if code else (f"{name}: done",)

    def command(self, running: Running) -> Sequence[str] | None:
        """The command to run for real in a container that ends; None if the lab cannot run it."""
        words = list(running.program.command)
        if words and is_wp_cli(running) and words[0] != "wp" and words[0].rpartition("/")[2] not in REAL:
            words.insert(0, "wp")  # as the image's entrypoint does
        if not words or words[0].rpartition("/")[2] not in (*REAL, *ANSWERED) or _copies_from_image(running, words):
            return None
        return words

    def listens(self, running: Running, port: int) -> bool:
        if is_database(running):
            return port == database.PORT
        if is_wp_cli(running):
            return False
        return containers.listens(running.program, port)

    def page(self, running: Running, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
        if is_wordpress(running):
            return wordpress.page(self._site(running), running.program.host_name, method, path, headers, body)
        if self.sight is not None and _last_part(running.program.image) in ("prometheus", "loki"):
            return self._telemetry(running, self.sight, path)
        return containers.page(running.program, path.partition("?")[0])

    def command_fails(self, running: Running, command: Sequence[str]) -> str | None:
        """What an exec probe prints when it fails, or None."""
        text = " ".join(command)
        if is_database(running) or any(word in text for word in ("healthcheck.sh", "mariadb-admin", "mysqladmin")):
            return None if is_database(running) else f"command {text!r} not found"
        if is_wp_cli(running) and command[0] == "wp":
            output, error, code = self.answer(running, "wp", command[1:], "")
            return (error or output or f"exit code {code}") if code else None
        if containers.health_check_passes(running.program, ["CMD", *command]):
            return None
        return f"command {shlex.join(command)!r} failed"

    def work_dir(self, running: Running) -> str:
        return wordpress.FILES if is_wordpress(running) or is_wp_cli(running) else "/"

    def answer(self, running: Running, program: str, arguments: Sequence[str], stdin: str) -> tuple[str, str, int]:
        """Output, errors and exit code of a program which the lab answers."""
        if program == "wp" and is_wp_cli(running):
            return wordpress.command(self._site(running), arguments, stdin, running.path)
        if program in ("mariadb-admin", "mysqladmin"):
            return self._admin(running, program, arguments)
        if program in (*CLIENTS, "mariadb-dump", "mysqldump"):
            return self._client(running, program, arguments, stdin)
        if program == "healthcheck.sh" and is_database(running):
            return "", "", 0
        if program in ("curl", "wget"):
            return self._fetch(running, program, arguments)
        if program in ("nc", "nslookup"):
            return self._look_up(running, program, arguments)
        return "", f'exec: "{program}": executable file not found in $PATH\n', 127

    # WordPress

    def _site(self, running: Running) -> wordpress.Site:
        environment = _with_files(running)

        def connect() -> Session:
            host, _unused, port = environment.get("WORDPRESS_DB_HOST", "mysql").partition(":")
            return self._connect(
                running, host, int(port or database.PORT), environment.get("WORDPRESS_DB_USER", "example username"),
                environment.get("WORDPRESS_DB_PASSWORD", "example password"),
                environment.get("WORDPRESS_DB_NAME", "wordpress"),
            )  # fmt: skip

        return wordpress.Site(
            environment, running.path(wordpress.FILES), connect, running.path(f"{wordpress.FILES}/wp-content")
        )

    # Metrics and logs

    def _telemetry(self, running: Running, sight: telemetry.Sight, path: str) -> Page:
        path, _mark, query = path.partition("?")
        if _last_part(running.program.image) == "loki":
            return telemetry.loki(path, self.shippers(running), sight.logs())
        namespace = running.life.pod["metadata"]["namespace"]

        def accepts(host: str, port: int) -> bool:
            # not 127.0.0.1, which is the address of nodes that are on no network
            return self.listens(running, port) if host == "localhost" else sight.accepts(host, port, namespace)

        return telemetry.prometheus(given_file(running, "--config.file"), path, query, sight.nodes(), accepts)

    # Databases

    def _connect(self, running: Running, host: str, port: int, user: str, password: str, name: str | None) -> Session:
        local = host in ("localhost", "127.0.0.1", "")
        server = running if local and is_database(running) else None
        if server is None:
            server = self.find_server(host, port, running.life.pod["metadata"]["namespace"])
        if server is None or not is_database(server):
            raise ConnectionRefusedError(f"Can't connect to server on '{host}' (115)")
        client = "localhost" if local else running.address
        return Database(server.path(database.DATA)).connect(user, password, name, client)

    def _client(self, running: Running, program: str, arguments: Sequence[str], stdin: str) -> tuple[str, str, int]:
        connect = partial(self._connect, running)
        return database.client(program, arguments, stdin, running.environment, connect)

    def _admin(self, running: Running, program: str, arguments: Sequence[str]) -> tuple[str, str, int]:
        options, words = database.client_options(arguments)
        try:
            self._connect(running, options.get("host", ""), int(options.get("port") or database.PORT), "", "", None)
        except database.RefusedError:
            pass  # a server that refuses is alive
        except ConnectionError as error:
            return (
                "",
                f"{program}: connect to server at '{options.get('host', 'localhost')}' failed\nerror: '{error}'\n",
                1,
            )
        return ("mysqld is alive\n" if "ping" in words else ""), "", 0

    # The network

    def _fetch(self, running: Running, program: str, arguments: Sequence[str]) -> tuple[str, str, int]:
        url = next((word for word in arguments if "://" in word), "")
        page = self.fetch(url, running.life.pod["metadata"]["namespace"])
        if page is None:
            return "", f"{program}: (7) Failed to connect to {url}\n", 7 if program == "curl" else 4
        fails = program == "wget" or any(word.startswith("-") and "f" in word for word in arguments)
        if page.status >= 400 and fails:
            return "", f"{program}: (22) The requested URL returned error: {page.status}\n", 22
        return page.content.decode(errors="replace"), "", 0

    def _look_up(self, running: Running, program: str, arguments: Sequence[str]) -> tuple[str, str, int]:
        words = [word for word in arguments if not word.startswith("-")]
        namespace = running.life.pod["metadata"]["namespace"]
        port = int(words[1]) if len(words) > 1 and words[1].isdigit() else database.PORT
        there = bool(words) and self.find_server(words[0], port, namespace) is not None
        return "", "" if there else f"{program}: {' '.join(words)}: no answer\n", 0 if there else 1


def is_shipper(running: Running) -> bool:
    return _last_part(running.program.image) == "fluent-bit"


def given_file(running: Running, option: str) -> str:
    """The text of the file that an option of the program names; empty, if there is none."""
    named = (word.partition("=")[2] for word in running.program.command if word.startswith(f"{option}="))
    path = running.path(next(named, ""))
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def is_database(running: Running) -> bool:
    return _last_part(running.program.image) in CLIENTS and _is_server(running, ("mariadbd", "mysqld"))


def is_wp_cli(running: Running) -> bool:
    image = running.program.image
    tagged = _last_part(image) == "wordpress" and image.rpartition(":")[2].startswith("cli")
    return tagged or "wp-cli" in image


def is_wordpress(running: Running) -> bool:
    image = _last_part(running.program.image)
    return image == "wordpress" and not is_wp_cli(running) and _is_server(running, ("apache2-foreground", "php-fpm"))


def _is_server(running: Running, servers: Sequence[str]) -> bool:
    """Does the image's own server run, or did the pod name another command?"""
    words = running.program.command
    return not words or words[0].startswith("-") or words[0].rpartition("/")[2] in ("docker-entrypoint.sh", *servers)


def _last_part(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _settings(running: Running) -> dict[str, str]:
    """MARIADB_X and MYSQL_X as X; the first wins."""
    found: dict[str, str] = {}
    for name, value in _with_files(running).items():
        for prefix in ("MARIADB_", "MYSQL_"):
            if name.startswith(prefix):
                found.setdefault(name.removeprefix(prefix), value)
    return found


def _with_files(running: Running) -> dict[str, str]:
    """The environment; NAME_FILE names a file that holds NAME."""
    found = dict(running.environment)
    for name, value in running.environment.items():
        if name.endswith("_FILE") and name.removesuffix("_FILE") not in running.environment:
            path: Path = running.path(value)
            if path.is_file():
                found[name.removesuffix("_FILE")] = path.read_text().rstrip("\n")
    return found
