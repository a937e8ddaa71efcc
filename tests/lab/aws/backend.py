# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS as a backend of the lab: the guards that parts of the lab put in front of moto, then moto."""

from __future__ import annotations

from lab import credentials
from lab.aws.moto_app import MotoApp
from lab.aws.patching import AwsError
from lab.errors import error_answer, error_code
from lab.faults import Rule
from lab.messages import Answer, Call, Request
from lab.naming import name_call
from lab.world import World


class AwsBackend:
    """All services of AWS, at one endpoint."""

    alone = True

    def __init__(self, world: World) -> None:
        self._world = world
        self._moto = MotoApp()

    def name(self, request: Request) -> Call:
        return name_call(request)

    def work(self, call: Call) -> Answer:
        try:
            for check in self._world.checks:
                answer = check(call)
                if answer is not None:
                    return answer
            return self._moto(call.request)
        except AwsError as error:
            return error_answer(call, error)

    def fault(self, call: Call, rule: Rule) -> Answer:
        if rule.kind == "deny":
            return error_answer(call, credentials.denial(call, "arn:aws:iam::000000000000:user/lab"))
        if rule.kind == "expire":
            return error_answer(call, credentials.refusal("expired", call))
        return error_answer(call, rule.error(call))

    def broken(self, call: Call, code: str, message: str) -> Answer:
        return error_answer(call, AwsError(call.service, code, message, 501))

    def error_code(self, answer: Answer) -> str:
        return error_code(answer)
