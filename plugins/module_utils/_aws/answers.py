# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only a whole answer counts.

botocore takes an answer that was cut off after its headers, and a web page where JSON or XML is expected, for an answer
with nothing in it: "there is no cluster" instead of "could not ask". PRIVATE.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .._http import TOO_MANY_REQUESTS
from .._proxy import WANTS_CREDENTIALS, refused_by

NO_CONTENT = 204
_WEB_PAGE = re.compile(rb"(<\?xml[^>]*>|<!--(?:(?!-->).)*-->|\s)*<(!doctype\s+)?html\b", re.IGNORECASE | re.DOTALL)
JSON_PROTOCOLS = frozenset({"json", "rest-json"})


def broken(status: int, headers: Mapping[str, str], body: bytes, protocol: str) -> str:
    """What is wrong with an answer, or the empty string. Pure."""
    if status == NO_CONTENT:
        return ""
    return _cut(headers, body) or _foreign(status, body, protocol)


def _cut(headers: Mapping[str, str], body: bytes) -> str:
    declared = headers.get("content-length")
    if declared is not None and int(declared) != len(body):
        return f"the answer was cut off: {len(body)} of {declared} bytes came"
    if declared is None and not body and "transfer-encoding" not in headers:
        return "the answer was cut off before it began"
    return ""


def _foreign(status: int, body: bytes, protocol: str) -> str:
    """What shows that it is not AWS who answers."""
    if status != TOO_MANY_REQUESTS and _WEB_PAGE.match(body):
        return f"the answer is a web page (HTTP {status})"
    if 300 <= status < 400:
        return f"the answer leads to another address (HTTP {status})"
    if protocol in JSON_PROTOCOLS and status < 300 and body:
        try:
            json.loads(body)
        except ValueError:
            return "the answer is not JSON"
    return ""


def watch(client: Any) -> None:
    """Make a botocore client refuse broken answers."""
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    model = client.meta.service_model
    protocol = str(getattr(model, "resolved_protocol", model.protocol))

    def check(event_name: str, response_dict: Mapping[str, Any] | None = None, **_others: Any) -> None:
        body = (response_dict or {}).get("body")
        if response_dict is None or not isinstance(body, bytes) or ".Head" in event_name:
            return
        if response_dict["status_code"] == WANTS_CREDENTIALS:
            raise refused_by(None)
        reason = broken(response_dict["status_code"], response_dict["headers"], body, protocol)
        if reason:
            raise ResponseParserError(reason)

    client.meta.events.register("before-parse.*.*", check)
