# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module returns alike stands in the documentation of each: RETURN knows no fragments."""

from __future__ import annotations

import pytest
import yaml
from unit.module_specs import NAMES, module_of, spec_of

WAITING = {"last_state", "last_events", "waited_seconds"}
REFUSED_BY_DIGITALOCEAN = {"request_id"}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_edge_adds_is_documented(name: str) -> None:
    documented = {*yaml.safe_load(module_of(name).RETURN)}
    assert "error_code" in documented
    assert documented & WAITING == (WAITING if "wait" in spec_of(name).options else set())
    assert documented & REFUSED_BY_DIGITALOCEAN == (
        REFUSED_BY_DIGITALOCEAN if "api_token" in spec_of(name).options else set()
    )
