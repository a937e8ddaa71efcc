# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs what syntax.py has read. Programs are functions; nothing of the computer that the lab runs on can be touched."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lab.shell import syntax
from lab.shell.syntax import Group, If, Pipeline, Sequence, ShellSyntaxError, Simple, Word

_EXPANSION = re.compile(
    r"\$(?:\((?P<command>(?:[^()]|\([^()]*\))*)\)|\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<name>\w+|[?#@*$]))|`(?P<old>[^`]*)`"
)
NOT_FOUND = 127


class Files(Protocol):
    """The files that a shell sees."""

    def read(self, path: str) -> str | None: ...

    def write(self, path: str, text: str, append: bool) -> str | None: ...

    def remove(self, path: str) -> bool: ...

    def names(self, directory: str) -> list[str]: ...


class ExitError(Exception):
    """`exit`: the shell ends with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Call:
    """One program's start: its words, what comes in, and where to write."""

    words: list[str]
    input: str
    shell: Shell
    output: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.output.append(text + "\n")

    def complain(self, text: str, code: int = 1) -> int:
        self.errors.append(f"{self.words[0]}: {text}\n")
        return code


Program = Callable[[Call], int]


class Shell:
    """One shell with its variables. Output and errors go to `write`, mixed, as on a terminal."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        files: Files,
        variables: Mapping[str, str],
        write: Callable[[str], None],
        arguments: tuple[str, ...] = ("sh",),
    ) -> None:
        self.programs = programs
        self.files = files
        self.variables = dict(variables)
        self.arguments = arguments
        self.code = 0
        self._write = write

    def run(self, text: str) -> int:
        """A command line, or a script; its exit code."""
        try:
            self._sequence(syntax.parse(text), "", self._write)
        except ShellSyntaxError as error:
            self._write(f"{error}\n")
            self.code = 2
        except ExitError as end:
            self.code = end.code
        return self.code

    def interactive_line(self, text: str) -> None:
        """As run(), but `exit` is let through."""
        try:
            self._sequence(syntax.parse(text), "", self._write)
        except ShellSyntaxError as error:
            self._write(f"{error}\n")
            self.code = 2

    def execute(
        self, words: list[str], given: str, write: Callable[[str], None], complain: Callable[[str], None]
    ) -> int:
        """One program with its arguments."""
        name = words[0].rpartition("/")[2]
        program = self.programs.get(name)
        if program is None or ("/" in words[0] and self.files.read(words[0]) is None):
            complain(f"sh: {words[0]}: not found\n")
            return NOT_FOUND
        call = Call(words, given, self)
        try:
            code = program(call)
        finally:
            if call.output:
                write("".join(call.output))
            if call.errors:
                complain("".join(call.errors))
        return code

    def child(self, arguments: tuple[str, ...], write: Callable[[str], None]) -> Shell:
        return Shell(self.programs, self.files, self.variables, write, arguments)

    def _sequence(self, sequence: Sequence, given: str, write: Callable[[str], None]) -> None:
        for operator, pipeline in sequence.parts:
            if (operator == "&&" and self.code) or (operator == "||" and not self.code):
                continue
            self._pipeline(pipeline, given, write)

    def _pipeline(self, pipeline: Pipeline, given: str, write: Callable[[str], None]) -> None:
        for command in pipeline.commands[:-1]:
            caught: list[str] = []
            self._below(command, given, caught.append)
            given = "".join(caught)
        self._command(pipeline.commands[-1], given, write)
        if pipeline.negated:
            self.code = 0 if self.code else 1

    def _command(self, command: Simple | Group | If, given: str, write: Callable[[str], None]) -> None:
        if isinstance(command, Group) and command.subshell:
            self._below(Group(command.body, subshell=False), given, write)
        elif isinstance(command, Group):
            self._sequence(command.body, given, write)
        elif isinstance(command, If):
            self._if(command, given, write)
        else:
            self._simple(command, given, write)

    def _below(self, command: Simple | Group | If, given: str, write: Callable[[str], None]) -> None:
        """In a process of its own: `exit` ends only that."""
        try:
            self._command(command, given, write)
        except ExitError as end:
            self.code = end.code

    def _if(self, command: If, given: str, write: Callable[[str], None]) -> None:
        for condition, body in command.branches:
            self._sequence(condition, given, write)
            if self.code == 0:
                self._sequence(body, given, write)
                return
        self.code = 0
        if command.otherwise is not None:
            self._sequence(command.otherwise, given, write)

    def _simple(self, command: Simple, given: str, write: Callable[[str], None]) -> None:
        words = [text for word in command.words for text in self._expand(word)]
        while words and re.match(r"[A-Za-z_]\w*=", words[0]):
            name, _unused, value = words.pop(0).partition("=")
            self.variables[name] = value
        output: list[str] = []
        errors: list[str] = []
        self.code = 0
        try:
            if words:
                self.code = self.execute(words, self._input(command, given), output.append, errors.append)
        finally:  # also when that was the end of the shell
            self._deliver(command, "".join(output), "".join(errors), write)

    def _input(self, command: Simple, given: str) -> str:
        for operator, target in command.redirections:
            if operator == "<" and target is not None:
                return self.files.read(self._expand(target)[0]) or ""
        return given

    def _deliver(self, command: Simple, output: str, errors: str, write: Callable[[str], None]) -> None:
        """Output and errors, where the redirections send them."""
        merged = any(operator == "2>&1" for operator, _unused in command.redirections)
        for operator, target in command.redirections:
            if target is not None and operator != "<":
                text = {"2>": errors, "2>>": errors, "&>": output + errors}.get(
                    operator, output + (errors if merged else "")
                )
                problem = self.files.write(self._expand(target)[0], text, append=operator.endswith(">>"))
                if operator in ("2>", "2>>", "&>") or merged:
                    errors = ""
                if operator not in ("2>", "2>>"):
                    output = ""
                if problem:
                    errors, self.code = f"sh: {problem}\n", 1
        if output:
            write(output)
        if errors:
            (write if merged else self._write)(errors)

    # Words

    def _expand(self, word: Word) -> list[str]:
        """One word becomes none, one or several."""
        if word.pieces == (('"', "$@"),):
            return list(self.arguments[1:])
        fields: list[str] = [""]
        quoted = False
        for quote, text in word.pieces:
            if quote:
                fields[-1] += text if quote == "'" else self._inside_quotes(text)
                quoted = True
                continue
            parts = re.split(r"[ \t\n]+", self._substitute(text)) if "$" in text or "`" in text else [text]
            fields[-1] += parts[0]
            fields.extend(parts[1:])
        found = [one for one in fields if one or quoted]
        if not quoted and any(character in one for one in found for character in "*?["):
            return [name for one in found for name in self._globbed(one)]
        return found

    def _globbed(self, pattern: str) -> list[str]:
        directory, slash, last = pattern.rpartition("/")
        names = [name for name in self.files.names(directory or "/") if fnmatch.fnmatchcase(name, last)]
        return [f"{directory}{slash}{name}" for name in sorted(names)] or [pattern]

    def _inside_quotes(self, text: str) -> str:
        parts = re.split(r"\\([$`\"\\])", text)
        return "".join(part if index % 2 else self._substitute(part) for index, part in enumerate(parts))

    def _substitute(self, text: str) -> str:
        return _EXPANSION.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        command = found["command"] if found["command"] is not None else found["old"]
        if command is not None:
            caught: list[str] = []
            inner = self.child(self.arguments, caught.append)
            self.code = inner.run(command)
            return "".join(caught).rstrip("\n")
        name = found["braced"] or found["name"]
        if name.isdigit():
            return self.arguments[int(name)] if int(name) < len(self.arguments) else ""
        special = {"?": str(self.code), "#": str(len(self.arguments) - 1), "$": "77"}
        if name in special:
            return special[name]
        if name in ("@", "*"):
            return " ".join(self.arguments[1:])
        return self.variables.get(name) or found["default"] or ""
