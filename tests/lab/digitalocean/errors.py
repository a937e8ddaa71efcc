# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's refusals: a status, an id, a sentence."""

from __future__ import annotations

from collections.abc import Mapping


class DigitalOceanError(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def not_found() -> DigitalOceanError:
    return DigitalOceanError(404, "not_found", "The resource you were accessing could not be found.")


def unauthorized() -> DigitalOceanError:
    return DigitalOceanError(401, "unauthorized", "Unable to authenticate you")


def forbidden(message: str = "You are not authorized to perform this operation") -> DigitalOceanError:
    return DigitalOceanError(403, "forbidden", message)


def conflict(message: str) -> DigitalOceanError:
    return DigitalOceanError(409, "conflict", message)


def unprocessable(message: str) -> DigitalOceanError:
    return DigitalOceanError(422, "unprocessable_entity", message)


def too_many_requests(message: str, headers: Mapping[str, str] | None = None) -> DigitalOceanError:
    return DigitalOceanError(429, "too_many_requests", message, headers)
