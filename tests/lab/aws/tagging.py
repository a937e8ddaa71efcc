# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tagging API shows what it shows on AWS: more than moto knows, but neither IAM roles nor auto scaling groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import moto.resourcegroupstaggingapi.models
from moto.core.resource_tagging import TaggedResource
from moto.ec2.models import EC2Backend
from moto.ecs.models import EC2ContainerServiceBackend
from moto.elb.models import ELBBackend
from moto.logs.models import LogsBackend
from moto.route53.models import route53_backends

from lab.aws.patching import replaces
from lab.world import World

Original = Callable[..., Any]
_REGION_OF_GLOBAL_SERVICES = "us-east-1"


def install(world: World) -> None:
    @replaces(EC2Backend, "iter_tagged_resources")
    def _iter_tagged_resources(original: Original, backend: Any) -> Iterator[TaggedResource]:
        yield from original(backend)
        yield from _more_of_ec2(backend)

    @replaces(EC2ContainerServiceBackend, "iter_tagged_resources")
    def _iter_tagged_resources_2(original: Original, backend: Any) -> Iterator[TaggedResource]:
        yield from original(backend)
        for instances in backend.container_instances.values():
            for instance in instances.values():
                tags = {tag["key"]: tag["value"] for tag in getattr(instance, "tags", None) or []}
                yield TaggedResource(instance.container_instance_arn, tags, "ecs:container-instance")

    _rename(ELBBackend, "elasticloadbalancing:loadbalancer")
    _rename(LogsBackend, "logs:log-group")
    _hosted_zones()


def _more_of_ec2(backend: Any) -> Iterator[TaggedResource]:
    more = {
        "elastic-ip": [address.allocation_id for address in backend.addresses],
        "key-pair": [pair.id for pair in backend.key_pairs.values()],
        "launch-template": list(backend.launch_templates),
        "security-group-rule": [
            rule.id
            for groups in backend.groups.values()
            for group in groups.values()
            for rule in [*group.ingress_rules, *group.egress_rules]
        ],
        "vpc-endpoint": list(backend.vpc_end_points),
    }
    start = f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}"
    for kind, ids in more.items():
        for thing in ids:
            yield TaggedResource(f"{start}:{kind}/{thing}", dict(backend.tags.get(thing, {})), f"ec2:{kind}")


def _rename(backend_class: type, kind: str) -> None:
    """AWS's own name for the type, and nothing that never had a tag."""

    @replaces(backend_class, "iter_tagged_resources")
    def _iter_tagged_resources_3(original: Original, backend: Any) -> Iterator[TaggedResource]:
        for resource in original(backend):
            yield dataclasses.replace(resource, resource_type=kind)


def _hosted_zones() -> None:
    @replaces(moto.resourcegroupstaggingapi.models, "iter_taggable_backends")
    def _iter_taggable_backends(original: Original, account: str, region: str) -> Iterator[Any]:
        yield from original(account, region)
        if region == _REGION_OF_GLOBAL_SERVICES and account in route53_backends:
            yield _HostedZones(route53_backends[account]["aws"])


class _HostedZones:
    """Route 53 as one of moto's taggable services."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def owns_arn(self, arn: str) -> bool:
        return arn.startswith("arn:aws:route53:::hostedzone/")

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for zone_id in self._backend.zones:
            tags = dict(self._backend.resource_tags.get(zone_id, {}))
            yield TaggedResource(f"arn:aws:route53:::hostedzone/{zone_id}", tags, "route53:hostedzone")

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        self._backend.resource_tags[arn.rsplit("/", 1)[1]].update(tags)

    def untag_resource(self, arn: str, keys: list[str]) -> None:
        for key in keys:
            self._backend.resource_tags[arn.rsplit("/", 1)[1]].pop(key, None)
