# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Terminate one EC2 instance behind everybody's back, as a failure would, in the region that the modules work in.

usage: terminate_instance.py INSTANCE_ID
"""

import os
import sys

import boto3

region = os.environ.get("AWS_REGION") or None  # boto3 knows AWS_DEFAULT_REGION and the profile's only
boto3.client("ec2", region_name=region).terminate_instances(InstanceIds=[sys.argv[1]])
