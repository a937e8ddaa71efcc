# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fresh Rancher server for each test; `old` is one of the chapter's time, which has /v1 only."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.rancher.ground import Ground


@pytest.fixture
def ground(lab: Any) -> Ground:
    return Ground(lab)


@pytest.fixture
def new(lab: Any) -> Ground:
    """The same server through /v2-beta."""
    return Ground(lab, version="v2-beta")


@pytest.fixture
def old(lab: Any) -> Ground:
    return Ground(lab, server="v1.1.4")
