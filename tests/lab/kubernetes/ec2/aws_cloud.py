# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's EC2 as the EBS CSI driver uses it: through its API, with the role of the instance that it runs on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.kubernetes.cloud import CloudError

Credentials = Callable[[], Mapping[str, str] | None]
AGENT = "aws-ebs-csi-driver/v1.64.0"


class AwsCloud:
    """A cloud that refuses as EC2 does."""

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self._region = region
        self.credentials: Credentials = lambda: None
        """Whose role is used: that of the instance with the driver's controller."""

    def create_volume(self, zone: str, gibibytes: int, parameters: Mapping[str, str], tags: Mapping[str, str]) -> str:
        known = self._call(
            "describe_volumes", Filters=[{"Name": "tag:CSIVolumeName", "Values": [tags["CSIVolumeName"]]}]
        )
        for volume in known["Volumes"]:
            return str(volume["VolumeId"])
        request: dict[str, Any] = {
            "AvailabilityZone": zone,
            "Size": gibibytes,
            "VolumeType": parameters.get("type", "gp3"),
            "Encrypted": parameters.get("encrypted", "false") == "true",
            "TagSpecifications": [
                {"ResourceType": "volume", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            ],
        }
        if parameters.get("kmsKeyId"):
            request["KmsKeyId"] = parameters["kmsKeyId"]
        return str(self._call("create_volume", **request)["VolumeId"])

    def delete_volume(self, volume: str) -> None:
        try:
            self._call("delete_volume", VolumeId=volume)
        except CloudError as error:
            if error.code != "InvalidVolume.NotFound":
                raise

    def grow_volume(self, volume: str, gibibytes: int) -> None:
        self._call("modify_volume", VolumeId=volume, Size=gibibytes)

    def attach_volume(self, volume: str, instance: str) -> None:
        attached = self._call("describe_volumes", VolumeIds=[volume])["Volumes"][0]["Attachments"]
        if any(one["InstanceId"] == instance for one in attached):
            return
        used = self._devices(instance)
        device = next(name for name in _names() if name not in used)
        self._call("attach_volume", VolumeId=volume, InstanceId=instance, Device=device)

    def detach_volume(self, volume: str, instance: str) -> None:
        try:
            self._call("detach_volume", VolumeId=volume, InstanceId=instance)
        except CloudError as error:
            if error.code not in ("IncorrectState", "InvalidVolume.NotFound", "InvalidAttachment.NotFound"):
                raise

    def _devices(self, instance: str) -> set[str]:
        found = self._call("describe_instances", InstanceIds=[instance])["Reservations"]
        return {
            mapping["DeviceName"]
            for reservation in found
            for one in reservation["Instances"]
            for mapping in one.get("BlockDeviceMappings", ())
        }

    def _call(self, operation: str, **request: Any) -> Any:
        keys = self.credentials()
        name = "".join(part.capitalize() for part in operation.split("_"))
        if keys is None:
            message = "get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"
            raise CloudError(name, "NoCredentials", message)
        client = boto3.client(
            "ec2",
            region_name=self._region,
            endpoint_url=self._endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["Token"],
            config=Config(retries={"mode": "standard", "max_attempts": 3}, user_agent=AGENT, read_timeout=30),
        )
        try:
            return getattr(client, operation)(**request)
        except ClientError as error:
            details = error.response["Error"]
            raise CloudError(name, details["Code"], details["Message"]) from error


def _names() -> Iterator[str]:
    """/dev/xvdaa to /dev/xvddx, as the driver picks them."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return (f"/dev/xvd{first}{second}" for first, second in itertools.product("abcd", letters))
