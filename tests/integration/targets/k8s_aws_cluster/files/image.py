# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the id of an image on which a boot must fail: Amazon Linux has no apt."""

from __future__ import annotations

import boto3

NAME = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"

if __name__ == "__main__":
    print(boto3.client("ssm").get_parameter(Name=NAME)["Parameter"]["Value"])
