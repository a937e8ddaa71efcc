# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by all modules for Rancher 1.x."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options of Rancher."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - The address of the Rancher server, like V(https://rancher.example.com:8080). A version at its end is left out.
      - If not set, E(RANCHER_URL) decides.
    type: str
  access_key:
    description:
      - The access key, which is the public half of an API key. Not needed as long as access control is off.
      - If not set, E(RANCHER_ACCESS_KEY) decides.
    type: str
  secret_key:
    description: The secret half of the API key. If not set, E(RANCHER_SECRET_KEY) decides.
    type: str
  api_version:
    description:
      - Which API to use. V(auto) takes the newest one that the server offers.
      - Rancher 1.0 and 1.1 have V(v1) only, Rancher 1.2 to 1.6 have both.
    type: str
    choices: [auto, v1, v2-beta]
    default: auto
  ca:
    description:
      - A file of CA certificates to trust in place of those of the system.
      - If not set, E(RANCHER_CA) decides.
    type: path
  validate_certs:
    description: Whether to verify TLS certificates.
    type: bool
    default: true
  request_timeout:
    description: Seconds to wait for the answer to one API request. From 1 to 3600.
    type: int
    default: 30
"""

    # for modules that work within an environment
    ENVIRONMENT = r"""
options:
  environment:
    description:
      - The environment, by its name or id. The API calls it a project.
      - If not set, E(RANCHER_ENVIRONMENT) decides; then the only one that the API key can see, or the one called
        C(Default).
    type: str
    aliases: [project]
"""

    # for modules that wait: Rancher answers quickly, so the looks are closer together than at a cloud
    WAITING = r"""
options:
  wait:
    description:
      - Whether to wait until the thing is really usable.
      - A state that can never become ready fails at once, whatever O(wait_timeout) is.
      - What is deleted, and an upgrade, is always waited for.
    type: bool
    default: true
  wait_sleep:
    description:
      - The longest pause between two looks, in seconds.
      - Where the server tells of changes (its event stream, if websocket-client is installed), a change ends the pause
        at once, and without one a look every five seconds is enough.
    type: int
    default: 1
"""
