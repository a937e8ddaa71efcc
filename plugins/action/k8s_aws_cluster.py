# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the module of this name is run."""

from ansible_collections.container.schedulers.plugins.plugin_utils._in_place import ActionModule

__all__ = ("ActionModule",)
