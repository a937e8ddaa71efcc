# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends an instance; ends itself when that is gone."""

from __future__ import annotations

import sys

import boto3

if __name__ == "__main__":
    client = boto3.client("ec2")
    client.terminate_instances(InstanceIds=sys.argv[1:])
    client.get_waiter("instance_terminated").wait(InstanceIds=sys.argv[1:], WaiterConfig={"Delay": 2})
