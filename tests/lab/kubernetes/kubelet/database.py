# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL as far as anybody here looks: a file in the data directory, passwords, and what WordPress keeps.

The data directory is on a volume or it is not; so what is in the database outlives the pod, or does not.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = "lab-mariadb.json"
DATA = "/var/lib/mysql"
PORT = 3306
_lock = threading.RLock()
UNINITIALIZED = (
    "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified",
    "    You need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD, ...",
)


class RefusedError(Exception):
    """The server refuses: number, SQL state and sentence, as the client prints them."""

    def __init__(self, number: int, state: str, message: str) -> None:
        super().__init__(f"ERROR {number} ({state}): {message}")


class Database:
    """The server whose data directory this is."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def initialise(self, setting: Mapping[str, str]) -> bool:
        """What the image's entrypoint does on an empty data directory; False if it is told no password."""
        if self._path.exists():
            return True
        root = setting.get("ROOT_PASSWORD", "")
        if not root and setting.get("RANDOM_ROOT_PASSWORD"):
            root = secrets.token_urlsafe(24)
        if not root and not setting.get("ALLOW_EMPTY_ROOT_PASSWORD") and not setting.get("ALLOW_EMPTY_PASSWORD"):
            return False
        users = {"root": {"password": root, "databases": ["*"]}}
        name, user = setting.get("DATABASE"), setting.get("USER")
        if user:
            users[user] = {"password": setting.get("PASSWORD", ""), "databases": [name] if name else []}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._write({"users": users, "databases": {name: {}} if name else {}})
        return True

    def connect(self, user: str, password: str, name: str | None, client: str) -> Session:
        document = self._read()
        known = document["users"].get(user)
        if known is None or known["password"] != password:
            using = "YES" if password else "NO"
            raise RefusedError(1045, "28000", f"Access denied for user '{user}'@'{client}' (using password: {using})")
        if name and name not in document["databases"]:
            if "*" in known["databases"]:
                raise RefusedError(1049, "42000", f"Unknown database '{name}'")
            raise RefusedError(1044, "42000", f"Access denied for user '{user}'@'%' to database '{name}'")
        if name and not {"*", name} & set(known["databases"]):
            raise RefusedError(1044, "42000", f"Access denied for user '{user}'@'%' to database '{name}'")
        return Session(self, name or "")

    def _read(self) -> dict[str, Any]:
        with _lock:
            document: dict[str, Any] = json.loads(self._path.read_text())
        return document

    def _write(self, document: dict[str, Any]) -> None:
        with _lock:
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(document, indent=1))
            temporary.replace(self._path)


class Session:
    """A connection to one database; tables are whatever is put there."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def load(self, prefix: str) -> dict[str, Any] | None:
        """What WordPress keeps under a table prefix, or None if it never was installed."""
        tables: dict[str, Any] | None = self._database._read()["databases"].get(self._name, {}).get(prefix)
        return tables

    def save(self, prefix: str, tables: dict[str, Any]) -> None:
        with _lock:
            document = self._database._read()
            document["databases"].setdefault(self._name, {})[prefix] = tables
            self._database._write(document)

    def execute(self, statement: str) -> list[str]:
        """Rows of the few statements that scripts use."""
        text = statement.strip().rstrip(";")
        if re.fullmatch(r"(?i)select\s+(\d+)(\s+as\s+\w+)?", text):
            return [text.split()[1]]
        if re.fullmatch(r"(?i)show\s+databases", text):
            return sorted(["information_schema", *self._database._read()["databases"]])
        if found := re.fullmatch(r"(?i)create\s+database\s+(if\s+not\s+exists\s+)?`?(\w+)`?.*", text):
            return self._create(found[2], quietly=bool(found[1]))
        if found := re.fullmatch(r"(?i)drop\s+database\s+(if\s+exists\s+)?`?(\w+)`?", text):
            return self._drop(found[2])
        if re.fullmatch(r"(?i)show\s+tables", text):
            prefixes = self._database._read()["databases"].get(self._name, {})
            return [f"{prefix}{table}" for prefix in prefixes for table in ("options", "posts", "users")]
        raise RefusedError(1064, "42000", f"the lab does not simulate this statement: {text[:80]}")

    def _create(self, name: str, quietly: bool) -> list[str]:
        with _lock:
            document = self._database._read()
            if name in document["databases"] and not quietly:
                raise RefusedError(1007, "HY000", f"Can't create database '{name}'; database exists")
            document["databases"].setdefault(name, {})
            self._database._write(document)
        return []

    def _drop(self, name: str) -> list[str]:
        with _lock:
            document = self._database._read()
            document["databases"].pop(name, None)
            self._database._write(document)
        return []


# The client


Connect = Callable[[str, int, str, str, str | None], Session]
"""(host, port, user, password, database) -> a session; RefusedError or ConnectionError if there is none."""
_SHORT = {"-h": "host", "-P": "port", "-u": "user", "-p": "password", "-e": "execute", "-D": "database"}


def client(
    program: str, arguments: Sequence[str], stdin: str, environment: Mapping[str, str], connect: Connect
) -> tuple[str, str, int]:
    """What `mariadb`, `mysql` and their dumps write, to where, and their exit code."""
    options, words = client_options(arguments)
    password = options.get("password") or environment.get("MYSQL_PWD", "")
    name = options.get("database") or (words[0] if words else None)
    statements = options.get("execute") or stdin
    try:
        host, port = options.get("host", ""), int(options.get("port") or PORT)
        session = connect(host, port, options.get("user", "root"), password, name)
        if program.endswith("dump"):
            return f"-- MariaDB dump of {name}\n", "", 0
        rows = [row for statement in statements.split(";") if statement.strip() for row in session.execute(statement)]
    except (RefusedError, ConnectionError) as error:
        text = str(error) if str(error).startswith("ERROR") else f"ERROR 2002 (HY000): {error}"
        return "", f"{text}\n", 1
    return "".join(f"{row}\n" for row in rows), "", 0


def client_options(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Options of the MariaDB programs (-uroot, -u root, --user=root, --user root), and the other words."""
    options: dict[str, str] = {}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            takes = name in _SHORT.values() and name != "password"
            options[name] = value if equals else rest.pop(0) if takes and rest else ""
        elif word[:2] in _SHORT:
            value = word[2:]
            options[_SHORT[word[:2]]] = value if value or word[:2] == "-p" or not rest else rest.pop(0)
        elif not word.startswith("-"):
            words.append(word)
    return options, words
