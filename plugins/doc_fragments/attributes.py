# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules promise about check mode, diff mode and action groups."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules."""

    # for modules that change things
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Says what would be done, and does nothing.
    support: full
  diff_mode:
    description: Says which field of which resource differs.
    support: full
  idempotent:
    description: When run twice with the same options, the second run changes nothing.
    support: full
  platform:
    description: Where the module itself runs.
    support: full
    platforms: posix
"""

    # for modules that only look
    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Does the same in check mode, as it changes nothing.
    support: full
  diff_mode:
    description: There is never a difference to show.
    support: N/A
  idempotent:
    description: Never changes anything.
    support: full
  platform:
    description: Where the module itself runs.
    support: full
    platforms: posix
"""

    AWS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/container.schedulers.aws) or C(group/container.schedulers.all) in C(module_defaults).
    support: full
    membership:
      - container.schedulers.aws
      - container.schedulers.all
"""

    KUBERNETES = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/container.schedulers.kubernetes) or C(group/container.schedulers.all) in C(module_defaults).
    support: full
    membership:
      - container.schedulers.kubernetes
      - container.schedulers.all
"""

    DIGITALOCEAN = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/container.schedulers.digitalocean) or C(group/container.schedulers.all) in C(module_defaults).
    support: full
    membership:
      - container.schedulers.digitalocean
      - container.schedulers.all
"""

    RANCHER = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/container.schedulers.rancher) or C(group/container.schedulers.all) in C(module_defaults).
    support: full
    membership:
      - container.schedulers.rancher
      - container.schedulers.all
"""
