# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in an image, as far as the lab is concerned: can it be pulled, does it keep running, what does it serve?

A few images are known by name and answer with their own page. Any other well-formed name is an image too, of a web
server on whatever port the task maps. `does-not-exist` in a repository or tag means that it does not; an image called
`crash...` ends at once with code 1, and one called `no-command...` does not say what to run. Every page carries the
container's host name, so that rotation can be seen.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

_REFERENCE = re.compile(
    r"(?:(?P<registry>[a-zA-Z0-9.-]+(?:\.[a-zA-Z0-9-]+|:\d+)|localhost)/)?"
    r"(?P<repository>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@sha256:(?P<digest>[0-9a-f]{64}))?"
)
_WEB_SERVERS = ("httpd", "nginx", "amazon-ecs-sample", "cluster", "php", "wordpress", "ghost", "hello-world-nginx")
"""Images whose program listens on port 80, whatever the task maps."""


@dataclass(frozen=True)
class Program:
    """What was started: an image with a command, under a host name."""

    image: str
    host_name: str
    command: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    """Container ports that the task maps."""


@dataclass(frozen=True)
class Page:
    """An HTTP answer of a container."""

    status: int
    body: str
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    """Others, such as Location and Set-Cookie."""
    raw: bytes | None = None
    """The body of what is no text."""

    @property
    def content(self) -> bytes:
        return self.body.encode() if self.raw is None else self.raw


def pull_error(image: str) -> str | None:
    """Why docker cannot pull the image, in its words, or None."""
    found = _REFERENCE.fullmatch(image)
    if found is None:
        return "invalid reference format"
    if "does-not-exist" in found["repository"]:
        return (
            f"Error response from daemon: pull access denied for {bare_name(image)}, repository does not exist or may "
            "require 'docker login': denied: requested access to the resource is denied"
        )
    if "does-not-exist" in (found["tag"] or ""):
        return f"Error response from daemon: manifest for {image} not found: manifest unknown: manifest unknown"
    return None


def has_command(image: str) -> bool:
    """Does it say itself what to run?"""
    return not _last_part(image).startswith("no-command")


def digest(image: str) -> str:
    return "sha256:" + hashlib.sha256(image.encode()).hexdigest()


def exit_code(program: Program) -> int | None:
    """The code with which the program ends at once, or None if it keeps running."""
    if _last_part(program.image).startswith("crash"):
        return 1
    words = list(program.command)
    if words[:1] and re.fullmatch(r"(/usr)?/?(bin/)?(ba)?sh", words[0]):
        words = words[-1].split()
    if words in (["false"], ["/bin/false"]):
        return 1
    if words in (["true"], ["/bin/true"]):
        return 0
    if len(words) == 2 and words[0] == "exit" and words[1].isdigit():
        return int(words[1])
    return None


def listens(program: Program, port: int) -> bool:
    """Does the program accept connections on this port of the container?"""
    if _last_part(program.image) in _WEB_SERVERS:
        return port == 80
    return port in program.ports


def health_check_passes(program: Program, command: Sequence[str]) -> bool:
    """The verdict of a health check: a URL on localhost is asked for, `false` and `exit N` are what they say."""
    text = " ".join(command[1:] if command[:1] in (["CMD"], ["CMD-SHELL"]) else command)
    url = re.search(r"https?://(?:localhost|127\.0\.0\.1)(?::(\d+))?(/[^\s'\"|;]*)?", text)
    if url:
        return listens(program, int(url[1] or 80)) and page(program, url[2] or "/").status == 200
    return text.strip() not in ("false", "/bin/false") and not re.fullmatch(r"\s*exit [1-9]\d*\s*", text)


def first_lines(program: Program) -> Sequence[str]:
    """What the program writes to its log when it starts."""
    code = exit_code(program)
    if code:
        return (f"{_last_part(program.image)}: fatal: cannot start, exit code {code}",)
    return (f"{_last_part(program.image)}: started on {program.host_name}",)


def access_line(client: str, method: str, path: str, page: Page) -> str:
    return f'{client} - - "{method} {path} HTTP/1.1" {page.status} {len(page.content)}'


def page(program: Program, path: str) -> Page:
    """The answer to GET path."""
    if "missing" in path:
        return Page(
            404, _document("404 Not Found", f"<h1>Not Found</h1>\n<p>{html.escape(path)} is not here.</p>", program)
        )
    text = " ".join(program.command)
    if "Amazon ECS Sample App" in text or _last_part(program.image) == "amazon-ecs-sample":
        body = "<h1>Amazon ECS Sample App</h1>\n<h2>Congratulations!</h2>\n"
        body += "<p>Your application is now running on a container in Amazon ECS.</p>"
        return Page(200, _document("Amazon ECS Sample App", body, program))
    if bare_name(program.image).endswith("russmckendrick/cluster"):
        return Page(200, _document("Cluster", f"<h1>Hello from {program.host_name}</h1>", program))
    name = html.escape(_last_part(program.image))
    return Page(200, _document(name, f"<h1>{name}</h1>\n<p>It works!</p>", program))


def _document(title: str, body: str, program: Program) -> str:
    return (
        f"<!DOCTYPE html>\n<html><head><title>{html.escape(title)}</title></head>\n<body>\n{body}\n"
        f"<p>Container host name: {program.host_name}</p>\n</body></html>\n"
    )


def bare_name(image: str) -> str:
    """The image without tag and digest."""
    head, _unused, last = image.partition("@")[0].rpartition("/")
    return "/".join(filter(None, (head, last.split(":")[0])))


def _last_part(image: str) -> str:
    return bare_name(image).rpartition("/")[2]
