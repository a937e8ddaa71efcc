# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account in the lab for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.digitalocean import Ground


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    made = Ground(tmp_path, monkeypatch)
    yield made
    made.stop()
