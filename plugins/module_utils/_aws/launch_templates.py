# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates: how instances are started, in numbered versions that never change.

What is safe is not an option: metadata only with a session token and not across a network hop, volumes encrypted.
Nor is what an account may have other defaults for: with tags in the metadata, EC2 refuses to start instances with ours,
whose keys have a slash.
``template_data`` and ``template_spec`` are each other's inverse, so that reading tells whether a new version is needed.
PRIVATE.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._errors import NotFoundError
from .._ownership import PART, require_ours
from .._plan import Live, Rule, Script, Spec, Step, Wanted, decide
from .._retry import create_once
from .._wait import wait_until
from .api import from_tags, tag_filter, tag_specifications, to_tags
from .ec2 import NOT_ENDING, describe_instances, own_volumes, retag
from .run import Run
from .user_data import decoded, encoded

LAUNCH_TEMPLATE = "launch-template"  # key of a plan, and part in the mark
INSTANCE = "instance"
NEWEST = "$Latest"  # what EC2 calls the newest version
# a changed template is a new version, which the auto scaling group has to take; the tags are those of its instances
TEMPLATE_RULE = Rule(renews=True, subset=frozenset({"instance_tags"}))


def template_data(spec: Spec) -> dict[str, Any]:
    """A spec as EC2 takes it. Pure."""
    interface = {"DeviceIndex": 0, "Groups": list(spec["security_group_ids"]), "DeleteOnTermination": True}
    if spec.get("public_ip"):
        interface["AssociatePublicIpAddress"] = True
    data = {
        "ImageId": spec["image_id"],
        "InstanceType": spec["instance_type"],
        "IamInstanceProfile": {"Name": spec["profile"]},
        "UserData": encoded(spec["user_data"]),
        "MetadataOptions": {
            "HttpEndpoint": "enabled",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": spec["metadata_hops"],
            "InstanceMetadataTags": "disabled",
        },
        "BlockDeviceMappings": _disks(spec),
        "NetworkInterfaces": [interface],
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": to_tags(spec["instance_tags"])},
            {"ResourceType": "volume", "Tags": to_tags({**spec["instance_tags"], PART: "volume"})},
        ],
    }
    return {**data, "KeyName": spec["key_name"]} if spec.get("key_name") else data


def _disks(spec: Spec) -> list[dict[str, Any]]:
    """The volumes. Those that an image has beside its root are as it says, unless they are named here."""
    common = {"Encrypted": spec["encrypted"], "DeleteOnTermination": True}
    if spec.get("volume_kms_key"):
        common["KmsKeyId"] = spec["volume_kms_key"]
    root = {"VolumeType": "gp3", **common}
    if spec.get("volume_size"):
        root["VolumeSize"] = spec["volume_size"]
    more = {device: {**common, "VolumeSize": size} for device, size in sorted(spec["more_volumes"].items())}
    return [{"DeviceName": device, "Ebs": disk} for device, disk in ({spec["root_device"]: root} | more).items()]


def template_spec(data: Mapping[str, Any]) -> dict[str, Any]:
    """The spec that a version's data stands for. Pure."""
    disks = {one["DeviceName"]: one.get("Ebs", {}) for one in data.get("BlockDeviceMappings", ())}
    # which of them is the root only the image knows; the others keep the type that it gives them
    root = next((device for device, disk in disks.items() if "VolumeType" in disk), None)
    volume = disks.get(root, {})
    interface: Mapping[str, Any] = next(iter(data.get("NetworkInterfaces", ())), {})
    metadata = data.get("MetadataOptions", {})
    return {
        "image_id": data.get("ImageId"),
        "instance_type": data.get("InstanceType"),
        "profile": data.get("IamInstanceProfile", {}).get("Name"),
        "user_data": Script(decoded(data.get("UserData", ""))),
        "metadata_hops": metadata.get("HttpPutResponseHopLimit") if metadata.get("HttpTokens") == "required" else None,
        "root_device": root,
        "more_volumes": {device: disk.get("VolumeSize") for device, disk in disks.items() if device != root},
        "encrypted": bool(disks) and all(disk.get("Encrypted") for disk in disks.values()),
        "volume_size": volume.get("VolumeSize"),
        "volume_kms_key": volume.get("KmsKeyId"),
        "security_group_ids": sorted(interface.get("Groups", ())),
        "public_ip": bool(interface.get("AssociatePublicIpAddress")),
        "key_name": data.get("KeyName"),
        "instance_tags": _instance_tags(data),
    }


def read_launch_template(run: Run, name: str, *, adopt: bool = False) -> Live | None:
    """The newest version, if there is a template of this name. Whose it is, its instances' own tags say.

    Raises:
        NotOursError: there is one of this name that is not ours.
    """
    return _read_version(run, name, NEWEST, adopt=adopt)


def with_version_in_use(
    run: Run, live: Mapping[str, Live], group: Live | None, *, adopt: bool = False
) -> Mapping[str, Live]:
    """What there is, with the template as its group uses it, which is asked for only if that is not the newest version.

    The newest may be one that a killed run or somebody at the console has made, and that nobody wants any more. It is
    remembered, as it counts where it is what is wanted: see ``continued``.
    """
    newest = live.get(LAUNCH_TEMPLATE)
    used = group.spec["template_version"] if group and newest and group.spec["template_id"] == newest.id else None
    if newest is None or used in (None, NEWEST, newest.attributes["version"]):
        return live
    in_use = _read_version(run, newest.name, used, adopt=adopt)
    if in_use is None:
        return live
    return {**live, LAUNCH_TEMPLATE: replace(in_use, attributes={**in_use.attributes, NEWEST: newest})}


def continued(wanted: Iterable[Wanted], live: Mapping[str, Live]) -> Mapping[str, Live]:
    """What there is, with the newest version of the template if that is what is wanted, and the one in use is not."""
    newest = live[LAUNCH_TEMPLATE].attributes.get(NEWEST) if LAUNCH_TEMPLATE in live else None
    if newest is None:
        return live
    template, rules = [one for one in wanted if one.key == LAUNCH_TEMPLATE], {"launch_template": TEMPLATE_RULE}
    with_newest = {**live, LAUNCH_TEMPLATE: newest}
    in_use_fits = not decide(template, live, {}, rules).changed
    return live if in_use_fits or decide(template, with_newest, {}, rules).changed else with_newest


def _read_version(run: Run, name: str, version: str, *, adopt: bool) -> Live | None:
    request, doing = {"LaunchTemplateName": name, "Versions": [version]}, f"look for launch template {name}"

    def versions() -> list[Any]:
        answer = run.aws.call("ec2", "DescribeLaunchTemplateVersions", request, doing=doing)
        return list(answer["LaunchTemplateVersions"])

    try:
        # of one made a moment ago, the name may be known before the version is
        found = wait_until(versions, ready=bool, deadline=run.deadline, doing=doing, pace=run.pace)[0]
    except NotFoundError:
        return None
    require_ours(run.mark, _instance_tags(found["LaunchTemplateData"]), f"launch template {name}", adopt=adopt)
    return _live(name, found["LaunchTemplateId"], found["VersionNumber"], template_spec(found["LaunchTemplateData"]))


class LaunchTemplates:
    """Templates with the spec that ``template_data`` takes."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {
            "LaunchTemplateName": step.name,
            "LaunchTemplateData": template_data(spec),
            "TagSpecifications": tag_specifications(LAUNCH_TEMPLATE, self._run.tags_for(LAUNCH_TEMPLATE, step.name)),
        }

        def create() -> Live:
            answer = self._call("CreateLaunchTemplate", request, step)["LaunchTemplate"]
            return _live(step.name, answer["LaunchTemplateId"], answer["LatestVersionNumber"], spec)

        return create_once(create, lambda: read_launch_template(self._run, step.name), self._run.aws.policy)

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        """A new version with all of the data. Its token tells two runs that mean the same from two changes."""
        if any(one.field == "instance_tags" for one in step.differences):
            self._retag(step, live)
        data = template_data({**live.spec, **spec})
        token = json.dumps([live.id, live.attributes["version"], data], sort_keys=True)
        request = {
            "LaunchTemplateId": live.id,
            "LaunchTemplateData": data,
            "ClientToken": hashlib.sha256(token.encode()).hexdigest()[:32],
        }
        answer = self._call("CreateLaunchTemplateVersion", request, step)["LaunchTemplateVersion"]
        return _live(live.name, live.id, answer["VersionNumber"], {**live.spec, **spec})

    def _retag(self, step: Step, live: Live) -> None:
        """The user's tags for what was started before, too: what it costs is counted by them. First of all, so that a
        run that is killed begins with it again."""
        run = self._run
        if not run.tags:
            return
        filters = [*tag_filter(run.mark.tags(INSTANCE)), NOT_ENDING]
        instances = describe_instances(run.aws, filters, f"look for the instances of {run.mark.owner}")
        volumes = [volume for one in instances for volume in own_volumes(one)]
        for ids in ([live.id], [one["InstanceId"] for one in instances], volumes):
            retag(run, step, run.tags, *ids)

    def delete(self, step: Step, live: Live) -> None:
        request, run = {"LaunchTemplateId": live.id}, self._run
        run.aws.delete("ec2", "DeleteLaunchTemplate", request, doing=step.sentence, deadline=run.deadline)

    def _call(self, operation: str, request: Mapping[str, Any], step: Step) -> dict[str, Any]:
        return self._run.aws.call("ec2", operation, request, doing=step.sentence, settles=True)


def _live(name: str, template_id: str, version: int, spec: Spec) -> Live:
    return Live(LAUNCH_TEMPLATE, "launch_template", name, template_id, spec, {"version": str(version)})


def _instance_tags(data: Mapping[str, Any]) -> dict[str, str]:
    specifications = data.get("TagSpecifications", ())
    return from_tags(next((one["Tags"] for one in specifications if one["ResourceType"] == INSTANCE), ()))
