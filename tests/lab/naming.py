# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operation of which AWS service is this request? (Everything arrives at one endpoint.)"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from lab.aws.moto_app import wsgi_environ
from lab.messages import Call, Request

_SERVICES = {"tagging": "resourcegroupstaggingapi", "monitoring": "cloudwatch", "states": "stepfunctions"}
_ELBV2_VERSION = "2015-12-01"
_CREDENTIAL = re.compile(r"Credential=([^/,\s]*)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_UNSIGNED = "unknown"
_BY_VERSION = {"2016-11-15": "ec2", "2010-05-08": "iam", "2011-06-15": "sts", "2011-01-01": "autoscaling"}
"""A request without a signature does not name its service; some are known by the version of their API."""


def credential_scope(request: Request) -> tuple[str, str, str] | None:
    """(access key id, region, signing name) out of the header or the presigned URL; None if there is no signature."""
    text = request.headers.get("authorization", "")
    if not text and "X-Amz-Credential" in request.query:
        text = "Credential=" + unquote(dict(parse_qsl(request.query)).get("X-Amz-Credential", ""))
    found = _CREDENTIAL.search(text)
    return (found[1], found[2], found[3]) if found else None


def name_call(request: Request) -> Call:
    scope = credential_scope(request)
    region, signing_name = (scope[1], scope[2]) if scope else ("us-east-1", "")
    attempt = re.search(r"attempt=(\d+)", request.headers.get("amz-sdk-request", ""))
    protocol, service, action, params = _operation(request, signing_name)
    return Call(
        service=service,
        action=action,
        region=region,
        protocol=protocol,
        params=params,
        attempt=int(attempt[1]) if attempt else 1,
        request=request,
    )


def _operation(request: Request, signing_name: str) -> tuple[str, str, str, dict[str, Any]]:
    """(protocol, service, action, parameters)."""
    service = _SERVICES.get(signing_name, signing_name or _UNSIGNED)
    target = request.headers.get("x-amz-target")
    if target:
        return "json", service, target.rsplit(".", 1)[-1], _json(request.body)
    params = _form(request)
    if "Action" in params:
        if service == _UNSIGNED:
            service = _BY_VERSION.get(params.get("Version", ""), service)
        if signing_name == "elasticloadbalancing":
            service = "elbv2" if params.get("Version") == _ELBV2_VERSION else "elb"
        return "ec2" if service == "ec2" else "query", service, params["Action"], params
    service = "s3" if service == _UNSIGNED else service
    return _rest_protocol(service), service, _rest_action(request, service), {}


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return dict(parse_qsl(request.query, keep_blank_values=True))


def _rest_protocol(service: str) -> str:
    try:
        return str(get_service_model(service).protocol)
    except Exception:  # a service botocore does not know: any protocol will do for the error
        return "rest-json"


def _rest_action(request: Request, service: str) -> str:
    try:
        operation, _unused = get_service_router(service).match(MotoRequest(wsgi_environ(request)))
    except Exception:  # no such path, or no such service: named by what was asked
        return f"{request.method} {request.path}"
    return str(operation.name)
