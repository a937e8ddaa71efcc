# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cases of the crash matrix are part of every test run."""

from __future__ import annotations

from collections import Counter

from faults.flows import FLOWS
from faults.injections import INJECTIONS
from faults.laboratory import Call
from faults.matrix import cases_of, sample_of
from faults.trials import Undisturbed

UNDISTURBED = Undisturbed(tuple(Call("a.Call", nth, is_write=True) for nth in range(1, 9)), Counter(), frozenset())


def test_a_sample_has_every_flow_and_every_injection() -> None:
    cases = [case for flow in FLOWS for case in cases_of(flow, UNDISTURBED)]
    chosen = sample_of(cases, 75)
    assert len(chosen) == 75
    assert {case.flow for case in chosen} == FLOWS.keys()
    assert {case.injection for case in chosen} == INJECTIONS.keys()
