# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell that the lab's containers have."""

from __future__ import annotations

import pytest
from lab.rancher.container_files import ContainerFiles
from lab.shell.programs import builtins
from lab.shell.run import Shell


def run(line: str, *arguments: str, files: dict[str, str] | None = None) -> str:
    said: list[str] = []
    own = files if files is not None else {"/etc/hosts": "one\ntwo\n", "/etc/os-release": "ID=lab\n"}
    programs = builtins()
    shell = Shell(programs, ContainerFiles(own, [], set(programs)), {"NAME": "value"}, said.append, ("sh", *arguments))
    shell.run(line)
    return "".join(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("echo a  b", "a b\n"),
        ("echo 'a  b' \"$NAME\" $NAME '$NAME'", "a  b value value $NAME\n"),
        ("false; echo $?", "1\n"),
        ("false && echo no || echo yes", "yes\n"),
        ("true && echo yes || echo no", "yes\n"),
        ("nosuch", "sh: nosuch: not found\n"),
        ("nosuch >/dev/null 2>&1; echo $?", "127\n"),
        ("cat /etc/hosts | grep two", "two\n"),
        ("cat /etc/hosts | wc -l", "2\n"),
        ("cat /etc/*release", "ID=lab\n"),
        ("cat /nowhere", "cat: /nowhere: No such file or directory\n"),
        ("echo x > /tmp/f; echo y >> /tmp/f; cat /tmp/f", "x\ny\n"),
        ("(exit 3); echo $?", "3\n"),
        ("{ echo a; echo b; } | head -n 1", "a\n"),
        ("exit 4; echo never", ""),
        ("X=$(echo inner); echo [$X]", "[inner]\n"),
        ("if [ -f /etc/hosts ]; then echo yes; else echo no; fi", "yes\n"),
        ("if [ a = b ]; then echo 1; elif true; then echo 2; fi", "2\n"),
        ("printf '%s-%s\\n' a b c", "a-b\nc-\n"),
        ("sh -c 'echo $0 $1' name first", "name first\n"),
        ("! false && echo yes", "yes\n"),
        ("echo a; # echo b", "a\n"),
        ("echo ${NOBODY:-default}", "default\n"),
        ("echo 'open", "sh: syntax error: unterminated quoted string\n"),
        ("echo )", 'sh: syntax error: unexpected ")"\n'),
        ("[ -x /bin/sh ] && exec sh -c 'echo inside'", "inside\n"),
    ],
)
def test_lines(line: str, said: str) -> None:
    assert run(line) == said


def test_arguments_stay_whole() -> None:
    assert run('echo "$#:$1"; sh -c \'"$@"\' sh echo "$2"', "first", "a b") == "2:first\na b\n"


def test_files_are_kept() -> None:
    files: dict[str, str] = {}
    run("echo kept > /data", files=files)
    assert files == {"/data": "kept\n"}
