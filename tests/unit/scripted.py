# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS as a script: the calls that a test expects, with their answers. A call too many or too few fails the test.

The calls of one operation are answered in the order of the script; different operations may come in any order, as
independent reads run in parallel. Errors are botocore's own, so their translation is tested along the way. Parameters
are held against the models of the services, as botocore does before it sends anything.

    with scripted(
        Call("ec2", "DescribeVpcs", {"Vpcs": []}),
        Call("ec2", "CreateVpc", failure("VpcLimitExceeded"), {"CidrBlock": "10.0.0.0/16"}),
    ) as aws: ...
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ansible_collections.container.schedulers.plugins.module_utils._aws.api import Aws, Connection
from ansible_collections.container.schedulers.plugins.module_utils._retry import RetryPolicy
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import ParamValidator
from unit.clock import FakeClock

Matcher = Mapping[str, Any] | Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Call:
    """One expected call.

    Attributes:
        answer: what AWS answers, or the exception that botocore raises.
        params: the parameters that matter, or a predicate over all of them.
        times: how many such calls are expected.
    """

    service: str
    operation: str
    answer: Mapping[str, Any] | Exception = field(default_factory=dict)
    params: Matcher = field(default_factory=dict)
    times: int = 1

    def matches(self, params: Mapping[str, Any]) -> bool:
        if callable(self.params):
            return self.params(params)
        return all(params.get(name) == value for name, value in self.params.items())


def failure(code: str, message: str = "", status: int = 400) -> ClientError:
    """An error answer of AWS."""
    answer = {"Error": {"Code": code, "Message": message or code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "scripted")


class ScriptedAws(Aws):
    """The real ``Aws`` with scripted clients: retries, paging and translation are those of production."""

    def __init__(self, calls: tuple[Call, ...], region: str = "eu-west-1", clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self._connection = Connection()
        self.policy = RetryPolicy(clock=self.clock, random=lambda: 0.0)
        self.region = region
        self._script = [call for call in calls for _unused in range(call.times)]
        self._turn = threading.Lock()
        self.unexpected: list[str] = []
        self.made: list[tuple[str, dict[str, Any]]] = []

    def _client(self, service: str) -> Any:
        return _Client(self, service)

    def answer(self, service: str, operation: str, params: dict[str, Any]) -> Mapping[str, Any]:
        """The scripted answer to a call."""
        refuse_unknown(service, operation, params)
        with self._turn:
            self.made.append((operation, params))
            for index, call in enumerate(self._script):
                named = (call.service, xform_name(call.operation)) == (service, operation)
                if named and call.matches(params):
                    del self._script[index]
                    if isinstance(call.answer, Exception):
                        raise call.answer
                    return call.answer
            self.unexpected.append(f"{service}.{operation}({params})")
        raise AssertionError(f"unexpected call {service}.{operation}({params})")

    def finish(self) -> None:
        """Complain about calls that did not come, or should not have come."""
        missing = [f"{call.service}.{call.operation}({call.params})" for call in self._script]
        assert not self.unexpected, f"unexpected calls: {self.unexpected}"
        assert not missing, f"expected calls that were not made: {missing}"


class _Client:
    def __init__(self, aws: ScriptedAws, service: str) -> None:
        self._aws = aws
        self._service = service

    def __getattr__(self, operation: str) -> Callable[..., Mapping[str, Any]]:
        def send(**params: Any) -> Mapping[str, Any]:
            return self._aws.answer(self._service, operation, params)

        return send


def refuse_unknown(service: str, operation: str, params: dict[str, Any]) -> None:
    """Fail on parameters that the operation does not have, lacks, or has with another type; names may be short."""
    encoded = {"UserData": ""} if "UserData" in params else {}  # botocore encodes the bytes before it looks
    report = ParamValidator().validate({**params, **encoded}, input_shapes(service)[operation]).generate_report()
    wrong = [line for line in report.splitlines() if not line.startswith("Invalid length")]
    assert not wrong, f"{service}.{operation}: {wrong}"


@cache
def input_shapes(service: str) -> dict[str, Any]:
    """What the operations of a service take, by their names in Python."""
    model = get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name).input_shape for name in model.operation_names}


@contextmanager
def scripted(*calls: Call, region: str = "eu-west-1", clock: FakeClock | None = None) -> Iterator[ScriptedAws]:
    """AWS for one test, which checks at its end that all calls came."""
    aws = ScriptedAws(calls, region, clock)
    yield aws
    aws.finish()
