# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster query language, as far as people use it: comparisons, in, exists, joined by and, or, not, parentheses."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<sign>==|!=|=~|!~|>=|<=|>|<|!|\(|\)|\[|\]|,)|\"(?P<quoted>[^\"]*)\"|(?P<word>[^\s()\[\],=!<>~]+))"
)
_SYNONYMS = {
    "equals": "==",
    "not_equals": "!=",
    "matches": "=~",
    "not_matches": "!~",
    "&&": "and",
    "||": "or",
    "!": "not",
}


class ExpressionError(ValueError):
    """The expression is not in the cluster query language."""


def matches(expression: str, facts: Mapping[str, str | None]) -> bool:
    """Is the expression true of something with these facts? `attribute:NAME` is looked up as NAME."""
    parser = _Parser(expression, facts)
    verdict = parser.either()
    if parser.rest():
        raise ExpressionError(f"Invalid expression: {expression}")
    return verdict


class _Parser:
    def __init__(self, expression: str, facts: Mapping[str, str | None]) -> None:
        self._expression = expression
        self._facts = facts
        self._tokens = self._split(expression)

    def rest(self) -> list[str]:
        return self._tokens

    def either(self) -> bool:
        verdict = self._both()
        while self._take("or"):
            verdict = self._both() or verdict
        return verdict

    def _both(self) -> bool:
        verdict = self._single()
        while self._take("and"):
            verdict = self._single() and verdict
        return verdict

    def _single(self) -> bool:
        if self._take("not"):
            return not self._single()
        if self._take("("):
            verdict = self.either()
            self._must(")")
            return verdict
        return self._comparison()

    def _comparison(self) -> bool:
        name = self._next().removeprefix("attribute:")
        if name not in self._facts and f"ecs.{name}" in self._facts:
            name = f"ecs.{name}"
        fact = self._facts.get(name)
        if self._take("exists"):
            return name in self._facts
        if self._take("not_exists"):
            return name not in self._facts
        if self._take("in"):
            return fact in self._values()
        if self._take("not_in"):
            return fact not in self._values()
        return _compare(self._next(), fact, self._next(), self._expression)

    def _values(self) -> list[str]:
        self._must("[")
        values = [self._next()]
        while self._take(","):
            values.append(self._next())
        self._must("]")
        return values

    def _split(self, expression: str) -> list[str]:
        tokens, position = [], 0
        text = expression.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise ExpressionError(f"Invalid expression: {expression}")
            token = found["sign"] or (found["quoted"] if found["quoted"] is not None else found["word"])
            tokens.append(_SYNONYMS.get(token, token))
            position = found.end()
        return tokens

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False

    def _must(self, token: str) -> None:
        if not self._take(token):
            raise ExpressionError(f"Invalid expression: {self._expression}")

    def _next(self) -> str:
        if not self._tokens:
            raise ExpressionError(f"Invalid expression: {self._expression}")
        return self._tokens.pop(0)


def _compare(sign: str, fact: str | None, value: str, expression: str) -> bool:
    if sign in ("==", "!="):
        return (fact == value) == (sign == "==")
    if sign in ("=~", "!~"):
        return (fact is not None and re.fullmatch(value, fact) is not None) == (sign == "=~")
    if sign in (">", ">=", "<", "<="):
        if fact is None:
            return False
        left, right = _orderable(fact, value)
        return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[sign]
    raise ExpressionError(f"Invalid expression: {expression}")


def _orderable(left: str, right: str) -> tuple[tuple[float, str], tuple[float, str]]:
    try:
        return (float(left), ""), (float(right), "")
    except ValueError:
        return (0.0, left), (0.0, right)
