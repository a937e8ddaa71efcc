# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance metadata service: what an instance is told about itself, and the credentials of its role."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from moto.sts.models import sts_backends

from lab.account import ACCOUNT
from lab.aws.ecs import access
from lab.messages import Answer, Request

LIFETIME = 6 * 3600
_TOKEN = "lab-metadata-token"
_LIFETIME = "x-aws-ec2-metadata-token-ttl-seconds"


class Metadata:
    """One instance's service. Version 2 wants a token first; version 1 answers unless the instance forbids it."""

    def __init__(self, instance: Any) -> None:
        self._instance = instance
        self._assumed: Any = None

    def answer(self, request: Request) -> Answer:
        options = self._instance.metadata_options
        if options.http_endpoint == "disabled":
            return _text("", 403)
        if (request.method, request.path) == ("PUT", "/latest/api/token"):
            seconds = request.headers.get(_LIFETIME)
            if not seconds:
                return _text("", 400)
            token = _TOKEN + hashlib.sha256(self._instance.id.encode()).hexdigest()[:24]
            return Answer(200, token.encode(), {"Content-Type": "text/plain", _LIFETIME: seconds})
        if not request.headers.get("x-aws-ec2-metadata-token", "").startswith(_TOKEN) and (
            "x-aws-ec2-metadata-token" in request.headers or options.http_tokens == "required"
        ):
            return _text("", 401)
        found = self.find(request.path)
        return _text("", 404) if found is None else _text(found)

    def find(self, path: str) -> str | None:
        """The text at a path; a folder is its entries."""
        parts = [part for part in path.split("/") if part]
        if parts[1:] == ["user-data"]:
            given = self._instance.user_data
            return base64.b64decode(str(given)).decode(errors="replace") if given else None
        if parts[1:] == ["dynamic", "instance-identity", "document"]:
            return self._document()
        if parts[1:2] != ["meta-data"]:
            return None
        found: Any = self._tree()
        for part in parts[2:]:
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        if isinstance(found, dict):
            return "\n".join(f"{name}/" if isinstance(value, dict) else name for name, value in sorted(found.items()))
        return str(found() if callable(found) else found)

    def role(self) -> Any | None:
        return access.role_of_instance(self._instance.ec2_backend, self._instance)

    def credentials(self) -> dict[str, str] | None:
        """Temporary keys of the instance's role; None without one."""
        role = self.role()
        if role is None:
            return None
        if self._assumed is None or self._assumed.role_arn != role.arn:
            self._assumed = sts_backends[ACCOUNT]["aws"].assume_role(
                self._instance.region_name, self._instance.id, role.arn, "", LIFETIME, ""
            )
        return {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": "2026-01-01T00:00:00Z",
            "AccessKeyId": self._assumed.access_key_id,
            "SecretAccessKey": self._assumed.secret_access_key,
            "Token": self._assumed.session_token,
            "Expiration": self._assumed.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _tree(self) -> dict[str, Any]:
        instance = self._instance
        nic = instance.nics[0] if instance.nics else None
        mac = getattr(nic, "mac_address", "02:00:00:00:00:01")
        tree: dict[str, Any] = {
            "ami-id": instance.image_id,
            "instance-id": instance.id,
            "instance-type": instance.instance_type,
            "instance-life-cycle": "on-demand",
            "local-ipv4": instance.private_ip,
            "local-hostname": instance.private_dns_name,
            "hostname": instance.private_dns_name,
            "mac": mac,
            "placement": {
                "availability-zone": instance.availability_zone,
                "region": instance.region_name,
            },
            "security-groups": "\n".join(group.name for group in instance.security_groups),
            "services": {"domain": "amazonaws.com", "partition": "aws"},
            "network": {
                "interfaces": {
                    "macs": {
                        mac: {
                            "local-ipv4s": instance.private_ip,
                            "subnet-id": instance.subnet_id,
                            "vpc-id": instance.vpc_id,
                            "interface-id": getattr(nic, "id", ""),
                            "device-number": "0",
                        }
                    }
                }
            },
        }
        if instance.public_ip:
            tree.update({"public-ipv4": instance.public_ip, "public-hostname": instance.public_dns_name})
        role = self.role()
        if role is not None:
            tree["iam"] = {
                "info": json.dumps({"Code": "Success", "InstanceProfileArn": role.arn}),
                "security-credentials": {role.name: lambda: json.dumps(self.credentials())},
            }
        return tree

    def _document(self) -> str:
        instance = self._instance
        return json.dumps(
            {
                "accountId": ACCOUNT,
                "architecture": instance.architecture,
                "availabilityZone": instance.availability_zone,
                "imageId": instance.image_id,
                "instanceId": instance.id,
                "instanceType": instance.instance_type,
                "privateIp": instance.private_ip,
                "region": instance.region_name,
                "version": "2017-09-30",
            }
        )


def _text(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/plain"})
