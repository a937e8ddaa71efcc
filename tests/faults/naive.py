# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the matrix is checked with: a VPC made as a quick script would, and deleted so too.

It looks before it makes one, but leaves it to boto3 to repeat a call whose answer was lost, which makes a second one;
and it deletes the first one that it finds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from faults.laboratory import AGENT

_TAG = {"Key": "Name", "Value": "naive"}


def present(ec2: Any) -> bool:
    if _found(ec2):
        return False
    ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [_TAG]}])
    return True


def absent(ec2: Any) -> bool:
    found = _found(ec2)
    if found:
        ec2.delete_vpc(VpcId=found[0])
    return bool(found)


def _found(ec2: Any) -> list[str]:
    answer = ec2.describe_vpcs(Filters=[{"Name": f"tag:{_TAG['Key']}", "Values": [_TAG["Value"]]}])
    return [vpc["VpcId"] for vpc in answer["Vpcs"]]


def main() -> None:
    state = json.loads(Path(sys.argv[1]).read_text())["ANSIBLE_MODULE_ARGS"]["state"]
    changed = {"present": present, "absent": absent}[state](boto3.client("ec2", config=Config(user_agent_extra=AGENT)))
    print(json.dumps({"changed": changed}))


if __name__ == "__main__":
    main()
