# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by all DigitalOcean modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options of DigitalOcean."""

    DOCUMENTATION = r"""
requirements:
  - python-digitalocean >= 1.17.0
  - requests >= 2.25.0
options:
  api_token:
    description:
      - The API token.
      - If not set, E(DIGITALOCEAN_ACCESS_TOKEN), E(DIGITALOCEAN_TOKEN), E(DO_API_TOKEN) or E(DO_API_KEY) is used.
    type: str
    aliases: [digitalocean_token]
  api_url:
    description:
      - Another address of the API, with or without its version, for example of a test service.
      - If not set, E(DIGITALOCEAN_API_URL) decides.
    type: str
    default: https://api.digitalocean.com
    aliases: [digitalocean_api_url]
  request_timeout:
    description: Seconds to wait for the answer to one API request. From 1 to 3600.
    type: int
    default: 60
"""
