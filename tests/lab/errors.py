# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWS error in the protocol of the service that was asked."""

from __future__ import annotations

import json
import re
from functools import cache
from xml.sax.saxutils import escape

from moto.core.errors import ErrorLookupFactory
from moto.core.utils import get_service_model

from lab.aws.patching import AwsError
from lab.messages import Answer, Call

_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


def error_answer(call: Call, error: AwsError) -> Answer:
    status = error.status or model_status(call.service, error.code) or 400
    if call.protocol in ("json", "rest-json"):
        body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
        return Answer(
            status, body.encode(), {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}
        )
    return Answer(status, _xml(call, error, status).encode(), {"Content-Type": "text/xml"})


def error_code(answer: Answer) -> str:
    """The AWS error code in an answer, "" if it is none."""
    if answer.status < 400:
        return ""
    header = next((value for name, value in answer.headers.items() if name.lower() == "x-amzn-errortype"), "")
    found = re.search(rb'<Code>([^<]+)</Code>|"__type": ?"([^"]+)"', answer.body)
    code = header or ((found[1] or found[2]).decode() if found else "")
    return code.rsplit("#", 1)[-1] or f"HTTP {answer.status}"


@cache
def model_status(service: str, code: str) -> int | None:
    """The HTTP status that the service's API model gives this error code, if it knows the code."""
    try:
        shape = ErrorLookupFactory().for_service(get_service_model(service)).from_code(code)
    except Exception:  # no such service
        return None
    status = shape.metadata.get("error", {}).get("httpStatusCode") if shape else None
    return int(status) if status else None


def _xml(call: Call, error: AwsError, status: int) -> str:
    code, message = escape(error.code), escape(error.message)
    if call.protocol == "ec2":
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{_REQUEST_ID}</RequestID></Response>"
        )
    if call.service == "s3":
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{_REQUEST_ID}</RequestId></Error>"
        )
    fault = "Sender" if status < 500 else "Receiver"
    return (
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        f"<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    )
