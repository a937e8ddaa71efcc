# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tagging API shows what it shows on AWS: more than moto knows, but neither IAM roles nor auto scaling groups.

It learns late of what is made and of what is deleted, if that is switched on; how late, AWS does not promise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import moto.resourcegroupstaggingapi.models
from moto.core.resource_tagging import TaggedResource, make_tag_matcher, match_resource_type
from moto.ec2.models import EC2Backend
from moto.ecs.models import EC2ContainerServiceBackend
from moto.elb.models import ELBBackend
from moto.logs.models import LogsBackend
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
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
    _Index(world).install()


class _Index:
    """What the tagging API knows late, by region: since when each thing has been there, or gone."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[str, dict[str, tuple[TaggedResource, float]]] = {}
        self._gone: dict[str, dict[str, tuple[TaggedResource, float]]] = {}
        self._regions: set[str] = set()

    def install(self) -> None:
        self._world.on_call(lambda call: self._regions.add(call.region))
        self._world.on_step(self._look)
        self._world.on_reset(self._clear)

        @replaces(ResourceGroupsTaggingAPIBackend, "_get_resources_generator")
        def _get_resources_generator(
            original: Original,
            backend: Any,
            tag_filters: Any = None,
            resource_type_filters: Any = None,
            resource_arn_list: Any = None,
        ) -> Iterator[TaggedResource]:
            new, gone = self._late(self._seen, backend.region_name), self._late(self._gone, backend.region_name)
            found = original(backend, tag_filters, resource_type_filters, resource_arn_list)
            yield from (one for one in found if one.arn not in new)
            matches = make_tag_matcher(tag_filters)
            for arn, one in gone.items():
                fits = match_resource_type(one.resource_type, resource_type_filters) and matches(one.tags)
                if fits and arn in (resource_arn_list or gone):
                    yield one

    def _clear(self) -> None:
        self._seen.clear()
        self._gone.clear()

    def _late(self, times: Mapping[str, Any], region: str) -> dict[str, TaggedResource]:
        since = self._world.clock.now() - self._world.settings.tagging_seconds
        return {arn: one for arn, (one, then) in times.get(region, {}).items() if then > since}

    def _look(self) -> None:
        if self._world.settings.tagging_seconds <= 0:
            return
        now = self._world.clock.now()
        for region in self._regions:
            backends = moto.resourcegroupstaggingapi.models.iter_taggable_backends(self._world.account, region)
            there = {one.arn: one for backend in backends for one in backend.iter_tagged_resources() if one.tags}
            seen, gone = self._seen.setdefault(region, {}), self._gone.setdefault(region, {})
            gone.update({arn: (seen.pop(arn)[0], now) for arn in {*seen} - {*there}})
            seen.update({arn: (one, seen.get(arn, (one, now))[1]) for arn, one in there.items()})


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
