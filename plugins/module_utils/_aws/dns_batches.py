# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes in as few requests as Route 53 allows. Pure.

A request is carried out as a whole or not at all. It has at most 1,000 values and 32,000 characters of values, and an
UPSERT counts twice ("Limits" in the reference of ChangeResourceRecordSets). PRIVATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from .._plan import Step
from .dns_records import change_of, name_of

MOST_VALUES = 1000
MOST_CHARACTERS = 32_000


def batches(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """The steps, in their order, in as few batches as possible. Steps of one name are never torn apart."""
    batch: list[Step] = []
    values = characters = 0
    for _name, group in groupby(steps, key=lambda step: name_of(step.key)):
        together = list(group)
        more_values, more_characters = (sum(sizes) for sizes in zip(*map(_size, together), strict=True))
        full = values + more_values > MOST_VALUES or characters + more_characters > MOST_CHARACTERS
        if batch and full:
            yield batch
            batch, values, characters = [], 0, 0
        batch = [*batch, *together]
        values, characters = values + more_values, characters + more_characters
    if batch:
        yield batch


def _size(step: Step) -> tuple[int, int]:
    """What a step counts: values (an alias as one) and characters."""
    change = change_of(step)
    texts = [one["Value"] for one in change["ResourceRecordSet"].get("ResourceRecords", ())]
    weight = 2 if change["Action"] == "UPSERT" else 1
    return weight * max(1, len(texts)), weight * sum(map(len, texts))
