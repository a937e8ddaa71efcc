# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a shell command line: words with their quotes, pipelines, lists, groups, `if`. As much of sh as people type."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_OPERATORS = ("&&", "||", ";;", ">>", "2>&1", "2>>", "2>", "1>&2", ">&2", "&>", "|", "&", ";", "(", ")", ">", "<", "\n")
_LIST_ENDS = (";", "&", "\n")
_REDIRECTIONS = (">", ">>", "2>", "2>>", "&>", "<", "2>&1", "1>&2", ">&2")


class ShellSyntaxError(Exception):
    """What sh would say of the line."""


@dataclass(frozen=True)
class Operator:
    text: str


@dataclass(frozen=True)
class Word:
    """Pieces of text, each with how it is quoted: `'` literally, `"` expanded, "" expanded and split."""

    pieces: tuple[tuple[str, str], ...]

    @property
    def plain(self) -> str | None:
        """The text, if no piece is quoted."""
        return "".join(text for quote, text in self.pieces) if all(not quote for quote, _text in self.pieces) else None


@dataclass
class Simple:
    """A command with its arguments."""

    words: list[Word] = field(default_factory=list)
    redirections: list[tuple[str, Word | None]] = field(default_factory=list)


@dataclass
class Group:
    """`( ... )`, which `exit` only leaves, or `{ ...; }`."""

    body: Sequence
    subshell: bool


@dataclass
class If:
    branches: list[tuple[Sequence, Sequence]]
    otherwise: Sequence | None


@dataclass
class Pipeline:
    commands: list[Simple | Group | If]
    negated: bool = False


@dataclass
class Sequence:
    """Pipelines, each with the operator before it: ; && or ||."""

    parts: list[tuple[str, Pipeline]] = field(default_factory=list)


def parse(text: str) -> Sequence:
    reader = _Reader(tokens(text))
    found = reader.sequence(())
    if not reader.done:
        raise ShellSyntaxError(f'sh: syntax error: unexpected "{reader.peek_text()}"')
    return found


def tokens(text: str) -> list[Word | Operator]:
    found: list[Word | Operator] = []
    position = 0
    while position < len(text):
        if text[position] in " \t" or text.startswith("\\\n", position):
            position += 2 if text[position] == "\\" else 1
            continue
        if text[position] == "#" and (position == 0 or text[position - 1] in " \t\n;"):
            position = (text + "\n").index("\n", position)
            continue
        operator = next((one for one in _OPERATORS if text.startswith(one, position)), None)
        if operator:
            found.append(Operator(operator))
            position += len(operator)
            continue
        word, position = _word(text, position)
        found.append(word)
    return found


def _word(text: str, position: int) -> tuple[Word, int]:
    pieces: list[tuple[str, str]] = []
    while position < len(text) and text[position] not in " \t\n;|&()<>":
        character = text[position]
        if character == "'":
            end = _closing(text, position + 1, "'")
            pieces.append(("'", text[position + 1 : end]))
            position = end + 1
        elif character == '"':
            end = _double(text, position + 1)
            pieces.append(('"', text[position + 1 : end]))
            position = end + 1
        elif character == "\\":
            pieces.append(("'", text[position + 1 : position + 2]))
            position += 2
        elif text.startswith("$(", position):
            end = _parenthesis(text, position + 2)
            pieces.append(("", text[position : end + 1]))
            position = end + 1
        else:
            matched = re.match(r"[^ \t\n;|&()<>'\"\\$]+|\$", text[position:])
            length = len(matched[0]) if matched else 1
            pieces.append(("", text[position : position + length]))
            position += length
    return Word(tuple(_joined(pieces))), position


def _joined(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """`$` and the name behind it are one piece again."""
    found: list[tuple[str, str]] = []
    for quote, text in pieces:
        if found and not quote and not found[-1][0]:
            found[-1] = ("", found[-1][1] + text)
        else:
            found.append((quote, text))
    return found


def _closing(text: str, position: int, mark: str) -> int:
    end = text.find(mark, position)
    if end < 0:
        raise ShellSyntaxError("sh: syntax error: unterminated quoted string")
    return end


def _double(text: str, position: int) -> int:
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == '"':
            return position
        elif text.startswith("$(", position):
            position = _parenthesis(text, position + 2) + 1
        else:
            position += 1
    raise ShellSyntaxError("sh: syntax error: unterminated quoted string")


def _parenthesis(text: str, position: int) -> int:
    depth = 1
    while position < len(text):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
        position += 1
    raise ShellSyntaxError('sh: syntax error: end of file unexpected (expecting ")")')


class _Reader:
    def __init__(self, found: list[Word | Operator]) -> None:
        self._tokens = found
        self._position = 0

    @property
    def done(self) -> bool:
        return self._position >= len(self._tokens)

    def peek_text(self) -> str:
        token = None if self.done else self._tokens[self._position]
        if isinstance(token, Operator):
            return token.text
        return (token.plain or "") if isinstance(token, Word) else ""

    def _is(self, *texts: str) -> bool:
        """Is the next token one of these operators or reserved words?"""
        return not self.done and self.peek_text() in texts

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise ShellSyntaxError(
                f'sh: syntax error: unexpected "{self.peek_text() or "end of file"}" (expecting "{text}")'
            )
        self._position += 1

    def sequence(self, ends: tuple[str, ...]) -> Sequence:
        """Up to one of the words or operators in `ends`, which is left there."""
        found = Sequence()
        operator = ";"
        while not self.done:
            while self._is(*_LIST_ENDS):
                self._position += 1
            if self.done or self._is(*ends):
                break
            if self._is(")", "}", ";;"):
                break
            found.parts.append((operator, self._pipeline()))
            operator = ";"
            if self._is("&&", "||"):
                operator = self.peek_text()
                self._position += 1
                while self._is("\n"):
                    self._position += 1
        return found

    def _pipeline(self) -> Pipeline:
        negated = self._is("!")
        if negated:
            self._position += 1
        commands = [self._command()]
        while self._is("|"):
            self._position += 1
            commands.append(self._command())
        return Pipeline(commands, negated)

    def _command(self) -> Simple | Group | If:
        if self._is("(", "{"):
            end = {"(": ")", "{": "}"}[self.peek_text()]
            self._position += 1
            body = self.sequence((end,))
            self._expect(end)
            return Group(body, subshell=end == ")")
        if self._is("if"):
            return self._if()
        return self._simple()

    def _if(self) -> If:
        branches: list[tuple[Sequence, Sequence]] = []
        otherwise: Sequence | None = None
        self._position += 1
        while True:
            condition = self.sequence(("then",))
            self._expect("then")
            branches.append((condition, self.sequence(("elif", "else", "fi"))))
            if self._is("elif"):
                self._position += 1
                continue
            if self._is("else"):
                self._position += 1
                otherwise = self.sequence(("fi",))
            self._expect("fi")
            return If(branches, otherwise)

    def _simple(self) -> Simple:
        found = Simple()
        while not self.done:
            token = self._tokens[self._position]
            if isinstance(token, Word):
                found.words.append(token)
                self._position += 1
            elif token.text in _REDIRECTIONS:
                self._position += 1
                found.redirections.append((token.text, None if token.text.endswith(("&1", "&2")) else self._target()))
            else:
                break
        if not found.words and not found.redirections:
            raise ShellSyntaxError(f'sh: syntax error: unexpected "{self.peek_text() or "end of file"}"')
        return found

    def _target(self) -> Word:
        token = None if self.done else self._tokens[self._position]
        if not isinstance(token, Word):
            raise ShellSyntaxError("sh: syntax error: unexpected redirection")
        self._position += 1
        return token
