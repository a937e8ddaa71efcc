# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is inside an error of boto3 or requests, both of which stand on urllib3, and what it means. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ._proxy import REFUSAL

if TYPE_CHECKING:
    import ssl

NEVER_CONNECTED = frozenset({"ConnectTimeoutError", "NameResolutionError", "NewConnectionError"})


def causes(error: BaseException, seen: frozenset[int] = frozenset()) -> Iterator[BaseException]:
    """The errors that an error wraps, from the outside in: as arguments, as reasons, or as what it was raised from."""
    seen |= {id(error)}
    named = (getattr(error, "reason", None), (getattr(error, "kwargs", None) or {}).get("error"))
    # not __context__: that may be an error of another request, after which this one was made
    for inner in (*error.args, *named, error.__cause__):
        if isinstance(inner, BaseException) and id(inner) not in seen:
            yield inner
            yield from causes(inner, seen)


def was_sent(error: BaseException) -> bool:
    """Whether the request may have arrived.

    Neither class nor text of the outermost error tells: urllib3 1.26 has "Cannot connect to proxy" for a connection
    that breaks after the request, and one kind of error for all failures of TLS, whenever they come.
    """
    import socket  # noqa: PLC0415 - a module that fails on its options needs none of it
    import ssl  # noqa: PLC0415

    refused = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
    return not any(
        isinstance(one, refused) or type(one).__name__ in NEVER_CONNECTED or REFUSAL.search(str(one))
        for one in (error, *causes(error))
    )


def untrusted(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refusal of the server's certificate, if it is one."""
    import ssl  # noqa: PLC0415

    return next((one for one in causes(error) if isinstance(one, ssl.SSLCertVerificationError)), None)


def reason(error: BaseException) -> str:
    """What the system says of it: the words of the innermost error that is the system's, or the end of those of any."""
    inside = [*causes(error)]
    told = [str(getattr(one, "strerror", None) or one) for one in inside if isinstance(one, OSError)]
    said = told[-1] if told else str([error, *inside][-1]).rpartition(": ")[2]
    return said.split("\n", 1)[0]
