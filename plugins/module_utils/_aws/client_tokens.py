# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client tokens that follow from what is asked for: two runs that ask for the same make one thing.

That also holds when the first run was killed before it had its answer. EC2 remembers a token for longer than what was
made with it may live, and refuses it then, or answers with what it stands for; so what turns out to be gone is made
anew, with the token after it. PRIVATE.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from .._errors import SchedulersError
from .._plan import Live

GENERATIONS = 20
# what EC2 says of a token whose volume, or instance, is gone
USED_UP = frozenset({"IdempotentParameterMismatch", "IdempotentInstanceTerminated"})


def client_token(request: Mapping[str, Any], generation: int) -> str:
    """The token of a request. Pure."""
    text = json.dumps([generation, request], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def made_once(
    request: Mapping[str, Any], make: Callable[[dict[str, str]], Live | None], *, otherwise: str, doing: str
) -> Live:
    """Make something with the first token whose thing is not gone.

    Args:
        request: what the token follows from.
        make: takes the token as parameters of the call; gives None if the answer is about something that is gone.
        otherwise: what is said when all tokens are used up.
        doing: verb phrase for the error message.

    Raises:
        SchedulersError: all are; and what ``make`` raises.
    """
    for generation in range(GENERATIONS):
        try:
            made = make({"ClientToken": client_token(request, generation)})
        except SchedulersError as error:
            if error.code not in USED_UP:
                raise
            continue
        if made:
            return made
    raise SchedulersError(f"{otherwise}, {GENERATIONS} times", doing=doing, hint="Wait a day.")
