# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by all modules that wait. The default of wait_timeout is the module's own."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of waiting."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the thing is really usable, or really gone.
      - A state that can never become ready fails at once, whatever O(wait_timeout) is.
      - O(wait_timeout) is from 0 to 604800, which is seven days.
    type: bool
    default: true
  wait_sleep:
    description: The longest pause between two looks, in seconds. Pauses are short at first. From 1 to 3600.
    type: int
    default: 10
"""
