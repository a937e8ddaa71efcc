# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Terminate one EC2 instance behind everybody's back, as a failure would. boto3 finds region and credentials as usual.

usage: terminate_instance.py INSTANCE_ID
"""

import sys

import boto3

boto3.client("ec2").terminate_instances(InstanceIds=[sys.argv[1]])
