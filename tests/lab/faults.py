# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fault rules: which requests go wrong, and how. Pure bookkeeping; the pipeline does the harm."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lab.aws.patching import AwsError
from lab.messages import Call

KINDS = {
    "throttle": "the service's own throttling error, nothing done",
    "error": "any error (status, code, message), nothing done",
    "deny": "the service's own refusal of a right that is missing, nothing done",
    "expire": "the provider's own refusal of credentials that have expired, from this request on at all that follow",
    "reset_before": "connection reset, nothing done",
    "reset_after": "work done, connection reset instead of the answer",
    "delay": "work done, answered `seconds` later",
    "hang": "nothing done and no answer, until the client gives up",
    "stale": "a read is answered as the same read was last answered before",
    "pause_before": "held before the work until released; if the client dies meanwhile the work is not done",
    "pause_after": "held after the work, before the answer, until released or the client is gone",
    "empty": "DigitalOcean: a list is answered without its entries",
    "swallow": "DigitalOcean: a delete is accepted, and never carried out",
    "fail_later": "DigitalOcean: accepted; the action that it started ends as errored",
}

ANSWERS = ("throttle", "error", "deny", "expire")
"""Kinds that are an answer of the provider, in place of the work."""
_OTHERS = ("digitalocean", "kubernetes", "rancher")
"""Services that are providers of their own; all the others are AWS's."""

_THROTTLES = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    **dict.fromkeys(
        ("autoscaling", "iam", "elb", "elbv2", "route53", "sts", "cloudwatch", "cloudformation"),
        ("Throttling", "Rate exceeded", 400),
    ),
}


class RuleError(ValueError):
    """A rule that cannot be meant; the message is one sentence for who wrote it."""


@dataclass(frozen=True)
class Rule:
    """Which requests: the `call`-th since the journal was cleared, or by `service`, `action`, `query` (regexes)."""

    kind: str
    service: str = ".*"
    action: str = ".*"
    query: str = ".*"
    """Fits one of the parameters of the query string (`page=2`)."""
    agent: str = ""
    """Is part of the caller's User-Agent: the controllers of a cluster ask AWS too, whenever they like."""
    call: int | None = None
    skip: int = 0
    """Let so many matching requests pass first."""
    times: int = 1
    """Then hit so many; 0 = every one from then on."""
    seconds: float = 5.0
    status: int = 503
    code: str = "ServiceUnavailable"
    message: str = "The service is temporarily unavailable (a fault switched on in the lab)."

    @classmethod
    def parse(cls, document: object) -> Rule:
        if not isinstance(document, Mapping):
            raise RuleError(f"a rule is a JSON object, not {document!r}")
        unknown = set(document) - set(cls.__dataclass_fields__)
        if unknown:
            raise RuleError(f"no such field in a rule: {', '.join(sorted(unknown))}")
        if document.get("kind") not in KINDS:
            raise RuleError(f"kind is one of {', '.join(KINDS)}, not {document.get('kind')!r}")
        for name, value in document.items():
            _check_field(name, value)
        return cls(**document)

    def matches(self, call: Call, number: int) -> bool:
        if self.call is not None and number != self.call:
            return False
        if self.agent not in call.request.headers.get("user-agent", ""):
            return False
        named = re.fullmatch(self.service, call.service) and re.fullmatch(self.action, call.action)
        return bool(named and any(re.fullmatch(self.query, one) for one in call.request.query.split("&")))

    def from_now_on(self, service: str) -> Rule:
        """The same for all that the provider of this service is asked."""
        whole = service if service in _OTHERS else f"(?!{'|'.join(_OTHERS)}).*"
        return replace(self, service=whole, action=".*", query=".*", call=None, skip=0, times=0)

    def error(self, call: Call) -> AwsError:
        if self.kind == "throttle":
            code, message, status = _THROTTLES.get(call.service, ("ThrottlingException", "Rate exceeded", 400))
            return AwsError(call.service, code, message, status)
        return AwsError(call.service, self.code, self.message, self.status)


def _check_field(name: str, value: object) -> None:
    if name in ("call", "skip", "times", "status"):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise RuleError(f"{name} is a whole number, not {value!r}")
    elif name == "seconds":
        if not isinstance(value, int | float) or value < 0:
            raise RuleError(f"seconds is a number, not {value!r}")
    elif not isinstance(value, str):
        raise RuleError(f"{name} is a text, not {value!r}")
    elif name in ("service", "action", "query"):
        try:
            re.compile(value)
        except re.error as error:
            raise RuleError(f"{name} is a regular expression, and {value!r} is none: {error}") from error


class Held:
    """A request that waits for POST /_lab/faults/release."""

    def __init__(self, number: int, call: Call, point: str) -> None:
        self.description = {"number": number, "service": call.service, "action": call.action, "point": point}
        self.done = threading.Event()
        self.dropped = False


class Faults:
    """The rules in force, how often each has matched, and which requests are held."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Rule, itertools.count[int]]] = []
        self._held: list[Held] = []

    def replace(self, rules: list[Rule]) -> None:
        """Only these from now on; their counters start at nothing."""
        with self._lock:
            self._rules = [(rule, itertools.count()) for rule in rules]

    def match(self, call: Call, number: int) -> Rule | None:
        """The first rule that hits this request. Every rule that it matches counts it."""
        hit: Rule | None = None
        with self._lock:
            for rule, seen in self._rules:
                if not rule.matches(call, number):
                    continue
                nth = next(seen) - rule.skip
                if hit is None and nth >= 0 and (rule.times == 0 or nth < rule.times):
                    hit = rule
            if hit and hit.kind == "expire" and hit.times:
                self._rules.insert(0, (hit.from_now_on(call.service), itertools.count()))
        return hit

    def hold(self, number: int, call: Call, point: str) -> bool:
        """Wait until released (True), or until the client is gone or the request is dropped (False)."""
        held = Held(number, call, point)
        with self._lock:
            self._held.append(held)
        try:
            while not held.done.wait(0.02):
                if call.request.client_gone():
                    return False
            return not held.dropped and not call.request.client_gone()
        finally:
            with self._lock:
                self._held.remove(held)

    def release(self, drop: bool = False) -> int:
        """Let the held requests go on, or drop them: their connections are cut."""
        with self._lock:
            for held in self._held:
                held.dropped = drop
                held.done.set()
            return len(self._held)

    def describe(self) -> dict[str, Any]:
        with self._lock:
            rules = [{**vars(rule)} for rule, _unused in self._rules]
            return {"rules": rules, "held": [held.description for held in self._held], "kinds": KINDS}
