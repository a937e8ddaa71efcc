# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by all AWS modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options of AWS."""

    DOCUMENTATION = r"""
requirements:
  - boto3 >= 1.35.66
  - jmespath >= 1.0.0
options:
  region:
    description:
      - The AWS region.
      - If not set, E(AWS_REGION), E(AWS_DEFAULT_REGION) or the profile decide.
    type: str
    aliases: [aws_region]
  profile:
    description: A named profile of the AWS configuration files. If not set, E(AWS_PROFILE) decides.
    type: str
    aliases: [aws_profile]
  access_key:
    description:
      - The access key id.
      - If not set, the usual places are used, in boto3's order, the environment, the profile, the role of the machine.
    type: str
    aliases: [aws_access_key]
  secret_key:
    description: The secret access key that goes with O(access_key).
    type: str
    aliases: [aws_secret_key]
  session_token:
    description: The session token of temporary credentials. It goes with O(access_key) and O(secret_key).
    type: str
    aliases: [aws_session_token]
  endpoint_url:
    description:
      - Another address for all AWS APIs, for example of a test service.
      - If not set, E(AWS_ENDPOINT_URL) decides.
    type: str
    aliases: [aws_endpoint_url]
  ca_bundle:
    description: A file of CA certificates to trust for the APIs. If not set, E(AWS_CA_BUNDLE), the profile or
      E(REQUESTS_CA_BUNDLE) decide.
    type: path
    aliases: [aws_ca_bundle]
  validate_certs:
    description: Whether to verify TLS certificates.
    type: bool
    default: true
  request_timeout:
    description: Seconds to wait for the answer to one API request. From 1 to 3600.
    type: int
    default: 60
"""
