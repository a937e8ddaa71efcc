# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests to an API server are called in journal and fault rules, and how it says no. Pure."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from lab.faults import Rule
from lab.messages import Answer, Call, Request, json_answer

SERVICE = "kubernetes"
_APPLY = "application/apply-patch"
_OF_ONE = {"GET": "Get", "HEAD": "Get", "PUT": "Update", "PATCH": "Patch", "DELETE": "Delete", "POST": "Create"}
_OF_ALL = {"GET": "List", "HEAD": "List", "DELETE": "DeleteAll", "POST": "Create"}
_TALKS = ("exec", "attach", "portforward", "proxy")
_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def name_call(request: Request) -> Call:
    """`ListPods`, `WatchPods`, `ApplyDeployments`, `DryRunApplySecrets`, `PatchDeploymentsScale`, `ExecPods`."""
    return Call(SERVICE, _action(request), "", "rest-json", {}, 1, request)


def is_talk(request: Request) -> bool:
    """Does its answer go on for as long as both like?"""
    query = dict(parse_qsl(request.query))
    return "upgrade" in request.headers or any(query.get(name) in ("1", "true") for name in ("watch", "follow"))


def _place(request: Request) -> tuple[list[str], str, list[str]]:
    """The words of the path; the namespace; and what is asked for in it: the resource, a name, a part of it."""
    words = [word for word in request.path.split("/") if word]
    # /api/VERSION/... or /apis/GROUP/VERSION/...
    places = words[{"api": 2, "apis": 3}.get(words[0] if words else "", len(words)) :]
    if places[:1] != ["namespaces"] or len(places) < 2:
        return words, "", places
    within = len(places) > 2 and places[2] not in ("finalize", "status")
    return words, places[1], places[2:] if within else places


def _action(request: Request) -> str:
    query = dict(parse_qsl(request.query))
    words, _namespace, places = _place(request)
    if not places:
        return f"{_OF_ONE.get(request.method, request.method)}{words[0].capitalize() if words else 'Root'}"
    kind, part = places[0].capitalize(), places[2] if len(places) > 2 else ""
    if part in _TALKS:
        return f"{part.capitalize()}{kind}"
    verb = (_OF_ONE if len(places) > 1 else _OF_ALL).get(request.method, request.method)
    if query.get("watch") in ("1", "true"):
        verb = "Watch"
    if request.headers.get("content-type", "").startswith(_APPLY):
        verb = "Apply"
    return f"{'DryRun' if 'dryRun' in query else ''}{verb}{kind}{part.capitalize()}"


def refusal(call: Call, rule: Rule) -> Answer:
    """The Status that a rule asks for."""
    if rule.kind == "deny":
        return _status(403, _forbidden(call.request))
    if rule.kind == "expire":
        return _status(401, "Unauthorized")
    if rule.kind == "throttle":
        return _status(429, "too many requests, please try again later", {"Retry-After": "1"})
    return _status(rule.status, rule.message)


def _forbidden(request: Request) -> str:
    """The API server's own words: who may not do what, where."""
    words, namespace, places = _place(request)
    fields = dict(pair for part in request.peer.get("subject", ()) for pair in part)
    user = fields.get("commonName", "system:anonymous")
    if not places:
        return f'forbidden: User "{user}" cannot {request.method.lower()} path "{request.path}"'
    resource, name, part = (*places, "", "")[:3]
    group = words[1] if words[0] == "apis" else ""
    verb = (_OF_ONE if name else _OF_ALL)[request.method].lower()
    if dict(parse_qsl(request.query)).get("watch") in ("1", "true"):
        verb = "watch"
    thing = f"{resource}.{group}" if group else resource
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    asked = f"{resource}/{part}" if part else resource
    named = f' "{name}"' if name else ""
    return f'{thing}{named} is forbidden: User "{user}" cannot {verb} resource "{asked}" in API group "{group}" {where}'


def broken(code: str, message: str) -> Answer:
    """The Status for what the lab cannot do."""
    return _status(501, f"{code}: {message}")


def reason_of(answer: Answer) -> str:
    """Why the API server refuses, "" if it does not."""
    if answer.status < 400:
        return ""
    try:
        return str(json.loads(answer.body).get("reason") or f"HTTP {answer.status}")
    except (ValueError, AttributeError):  # not everything that it says is JSON
        return f"HTTP {answer.status}"


def _status(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(status, "Unknown"),
        "code": status,
    }
    answer = json_answer(document, status)
    return Answer(status, answer.body, {**answer.headers, **(headers or {})})
