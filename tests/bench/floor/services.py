# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of looking at all services of a cluster: pages of 100 names, ten services described in a call.

usage: services.py CLUSTER
"""

from __future__ import annotations

import sys
from typing import Any

import boto3

ecs = boto3.session.Session().client("ecs")


def services(cluster: str) -> list[Any]:
    pages = ecs.get_paginator("list_services").paginate(cluster=cluster, PaginationConfig={"PageSize": 100})
    arns = [arn for page in pages for arn in page["serviceArns"]]
    return [
        service
        for start in range(0, len(arns), 10)
        for service in ecs.describe_services(cluster=cluster, services=arns[start : start + 10])["services"]
    ]


if __name__ == "__main__":
    print(len(services(sys.argv[1])))
