# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates: no version or list loses anything, and an instance gets everything the template says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplateBackend
from moto.ec2.responses.launch_templates import LaunchTemplates

from lab.aws.patching import aws_error, replaces
from lab.world import World

Original = Callable[..., Any]
_EVERYTHING = 10**6


def install(world: World) -> None:
    _create()
    _describe()
    _delete()


def template_version(backend: Any, specification: dict[str, Any]) -> Any:
    """The version that {LaunchTemplateId|LaunchTemplateName, Version} names, or EC2's error."""
    template_id, name = specification.get("LaunchTemplateId"), specification.get("LaunchTemplateName")
    template_id = template_id or backend.launch_template_name_to_ids.get(name)
    template = backend.launch_templates.get(template_id)
    if template is None:
        raise _not_found(specification.get("LaunchTemplateId"), name)
    version = str(specification.get("Version") or "$Default")
    if version.lower() not in ("$default", "$latest") and version not in {str(v.number) for v in template.versions}:
        message = f"Could not find the specified version {version} for the launch template with ID {template.id}."
        raise aws_error("ec2", "InvalidLaunchTemplateId.VersionNotFound", message)
    return template.get_version(version)


def merged(backend: Any, image_id: str | None, user_data: Any, options: dict[str, Any]) -> tuple[str | None, Any, Any]:
    """Put into `options` (moto's run_instances keywords) what the template says and the request does not.

    Returns (image id, user data, the template's instance profile or None).
    """
    specification = options.get("launch_template") or {}
    if not specification:
        return image_id, user_data, None
    version = template_version(backend, specification)
    data = copy.deepcopy(version.data)
    options["launch_template"] = {"LaunchTemplateId": version.template.id, "Version": str(version.number)}
    for option, field in _FIELDS.items():
        if not options.get(option) and data.get(field):
            options[option] = data[field]
    if options.get("is_instance_type_default", True) and data.get("InstanceType"):
        options.update(instance_type=data["InstanceType"], is_instance_type_default=False)
    if (data.get("Monitoring") or {}).get("Enabled"):
        options["monitoring_state"] = "enabled"
    tags = options.setdefault("tags", {})
    for tag_specification in data.get("TagSpecifications", []):
        wanted = {tag["Key"]: tag["Value"] for tag in tag_specification.get("Tags", [])}
        kind = tag_specification["ResourceType"]
        tags[kind] = {**wanted, **tags.get(kind, {})}
    named = options.get("iam_instance_profile_name") or options.get("iam_instance_profile_arn")
    profile = None if named else data.get("IamInstanceProfile")
    return image_id or data.get("ImageId"), user_data or data.get("UserData"), profile


_FIELDS = {
    "key_name": "KeyName",
    "security_group_ids": "SecurityGroupIds",
    "nics": "NetworkInterfaces",
    "metadata_options": "MetadataOptions",
    "block_device_mappings": "BlockDeviceMappings",
    "ebs_optimized": "EbsOptimized",
    "disable_api_termination": "DisableApiTermination",
    "disable_api_stop": "DisableApiStop",
    "instance_initiated_shutdown_behavior": "InstanceInitiatedShutdownBehavior",
}


def _create() -> None:
    @replaces(LaunchTemplateBackend, "create_launch_template")
    def _create_launch_template(
        original: Original, backend: Any, name: str, description: Any, template_data: Any, tag_spec: Any
    ) -> Any:
        """moto mixes the template's own tags into its data."""
        specifications = template_data.get("TagSpecifications", [])
        kept = [one for one in specifications if one.get("ResourceType") not in tag_spec]
        if specifications:
            template_data["TagSpecifications"] = kept
            if not kept:
                del template_data["TagSpecifications"]
        return original(backend, name, description, template_data, tag_spec)

    @replaces(LaunchTemplates, "create_launch_template_version")
    def _create_launch_template_version(original: Original, response: Any) -> Any:
        source = response._get_param("SourceVersion")
        if source:
            specification = {
                "LaunchTemplateId": response._get_param("LaunchTemplateId"),
                "LaunchTemplateName": response._get_param("LaunchTemplateName"),
                "Version": source,
            }
            given = response.params.get("LaunchTemplateData") or {}
            base = copy.deepcopy(template_version(response.ec2_backend, specification).data)
            if isinstance(base.get("UserData"), Base64EncodedString):
                base["UserData"] = str(base["UserData"])
            response.params["LaunchTemplateData"] = {**{k: v for k, v in base.items() if v is not None}, **given}
        return original(response)


def _describe() -> None:
    @replaces(LaunchTemplates, "describe_launch_templates")
    def _describe_launch_templates(original: Original, response: Any) -> Any:
        """moto cuts the list at 15; the general paging of the lab cuts it as AWS does, with a token."""
        known = response.ec2_backend.launch_templates
        for template_id in response._get_param("LaunchTemplateIds", []):
            if template_id not in known:
                raise _not_found(template_id, None)
        return _with_everything(original, response)

    @replaces(LaunchTemplates, "describe_launch_template_versions")
    def _describe_launch_template_versions(original: Original, response: Any) -> Any:
        return _with_everything(original, response)


def _with_everything(original: Original, response: Any) -> Any:
    page = response.params.get("MaxResults")
    response.params["MaxResults"] = _EVERYTHING
    try:
        return original(response)
    finally:
        if page is None:
            del response.params["MaxResults"]
        else:
            response.params["MaxResults"] = page


def _delete() -> None:
    @replaces(LaunchTemplateBackend, "delete_launch_template")
    def _delete_launch_template(original: Original, backend: Any, name: str, tid: str | None) -> Any:
        known = name in backend.launch_template_name_to_ids if name else tid in backend.launch_templates
        if (name or tid) and not known:
            raise _not_found(tid, name)
        return original(backend, name, tid)


def _not_found(template_id: str | None, name: str | None) -> Exception:
    if template_id:
        message = f"The specified launch template, with template ID {template_id}, does not exist."
        return aws_error("ec2", "InvalidLaunchTemplateId.NotFound", message)
    message = f"The specified launch template, with template name {name}, does not exist."
    return aws_error("ec2", "InvalidLaunchTemplateName.NotFoundException", message)
