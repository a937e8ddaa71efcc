# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the account and would be billed or in the way: counted out of moto's memory, by no API of AWS.

What moto makes by itself in each region (the default VPC and its parts, Amazon's images, IAM's managed policies) is not
counted. ECS counts its own part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.autoscaling.models import autoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.eks.models import eks_backends
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.route53.models import route53_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from lab.world import Item, World


def install(world: World) -> None:
    account = world.account
    for backends, items in (
        (ec2_backends, _network),
        (ec2_backends, _compute),
        (autoscaling_backends, _scaling),
        (elb_backends, _classic_balancers),
        (elbv2_backends, _balancers),
        (iam_backends, _identities),
        (route53_backends, _dns),
        (ssm_backends, _parameters),
        (logs_backends, _log_groups),
        (secretsmanager_backends, _secrets),
        (applicationautoscaling_backends, _scalable_targets),
        (cloudwatch_backends, _alarms),
        (eks_backends, _kubernetes),
        (s3_backends, _buckets),
    ):

        def count(backends: Any = backends, items: Any = items) -> Iterator[Item]:
            if account in backends:
                for backend in list(backends[account].values()):
                    yield from items(backend)

        world.on_inventory(count)


def _tags(pairs: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """[{Key, Value}] or [{key, value}]."""
    return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value", ""))) for tag in pairs or []}


def _ec2(backend: Any, kind: str, thing_id: str, name: str = "") -> Item:
    tags = dict(backend.tags.get(thing_id, {}))
    return Item(kind, thing_id, name or tags.get("Name", ""), tags)


def _network(backend: Any) -> Iterator[Item]:
    default = {vpc.id for vpc in backend.vpcs.values() if str(vpc.is_default).lower() == "true"}
    subnets = [subnet for zone in backend.subnets.values() for subnet in zone.values()]
    groups = [group for known in backend.groups.values() for group in known.values()]
    gateways = backend.internet_gateways.values()
    found = {
        "vpc": [vpc_id for vpc_id in backend.vpcs if vpc_id not in default],
        "subnet": [one.id for one in subnets if one.vpc_id not in default or str(one.default_for_az).lower() != "true"],
        "internet-gateway": [one.id for one in gateways if one.vpc is None or one.vpc.id not in default],
        "route-table": [one.id for one in backend.route_tables.values() if not one.main_association_id],
        "nat-gateway": [one.id for one in backend.nat_gateways.values() if one.state != "deleted"],
        "vpc-endpoint": [one.id for one in backend.vpc_end_points.values() if one.state != "deleted"],
    }
    yield from (_ec2(backend, kind, thing_id) for kind, ids in found.items() for thing_id in ids)
    yield from (_ec2(backend, "security-group", one.id, one.name) for one in groups if one.name != "default")
    names = {one.id: one.name for one in groups}
    yield from (_rule(rule, one.name, names) for one in groups if one.name != "default" for rule in one.ingress_rules)
    yield from (_ec2(backend, "elastic-ip", one.allocation_id, one.public_ip) for one in backend.addresses)
    yield from (_ec2(backend, "network-interface", one.id, one.description) for one in backend.enis.values())


def _rule(rule: Any, group: str, names: Mapping[str, str]) -> Item:
    """A way in that stays open, though nothing is billed for it."""
    source = str((rule.source_group or {}).get("GroupId", ""))
    ranges = rule.ip_range or {}
    whence = names.get(source, source) or ranges.get("CidrIp") or ranges.get("CidrIpv6")
    ports = f"{rule.ip_protocol} {rule.from_port}-{rule.to_port}"
    return Item("security-group-rule", rule.id, f"{group}: {ports} from {whence}", {})


def _compute(backend: Any) -> Iterator[Item]:
    instances = [instance for run in backend.reservations.values() for instance in run.instances]
    yield from (_ec2(backend, "instance", one.id) for one in instances if one.state != "terminated")
    yield from (_ec2(backend, "volume", volume_id) for volume_id in backend.volumes)
    for kind, things in (("snapshot", backend.snapshots), ("image", backend.amis)):
        yield from (_ec2(backend, kind, one.id) for one in things.values() if one.owner_id == backend.account_id)
    yield from (_ec2(backend, "launch-template", one.id, one.name) for one in backend.launch_templates.values())
    yield from (_ec2(backend, "key-pair", one.id, one.key_name) for one in backend.key_pairs.values())


def _scaling(backend: Any) -> Iterator[Item]:
    for group in backend.autoscaling_groups.values():
        yield Item("auto-scaling-group", group.arn, group.name, _tags(group.tags))
    for name in backend.launch_configurations:
        yield Item("launch-configuration", name, name)


def _classic_balancers(backend: Any) -> Iterator[Item]:
    for balancer in backend.load_balancers.values():
        yield Item("classic-load-balancer", balancer.name, balancer.name, dict(balancer.tags or {}))


def _balancers(backend: Any) -> Iterator[Item]:
    tags = backend.tagging_service.get_tag_dict_for_resource
    for balancer in backend.load_balancers.values():
        yield Item("load-balancer", balancer.arn, balancer.name, tags(balancer.arn))
    for group in backend.target_groups.values():
        yield Item("target-group", group.arn, group.name, tags(group.arn))


def _identities(backend: Any) -> Iterator[Item]:
    for role in backend.roles.values():
        if not role.path.startswith("/aws-service-role/"):
            yield Item("iam-role", role.arn, role.name, _tags(role.tags))
    for profile in backend.instance_profiles.values():
        yield Item("iam-instance-profile", profile.arn, profile.name, _tags(profile.tags))
    for policy in backend.managed_policies.values():
        if ":iam::aws:" not in policy.arn:
            yield Item("iam-policy", policy.arn, policy.name, _tags(policy.tags))
    for user in backend.users.values():
        yield Item("iam-user", user.arn, user.name)


def _dns(backend: Any) -> Iterator[Item]:
    for zone in backend.zones.values():
        tags = dict(backend.resource_tags.get(zone.resource_id, {}))
        yield Item("hosted-zone", zone.resource_id, zone.name, tags)
        for record in zone.rrsets:
            if record.type not in ("NS", "SOA") or record.name != zone.name:
                identifier = f" {record.set_identifier}" if record.set_identifier else ""
                yield Item("record-set", f"{zone.resource_id} {record.type} {record.name}{identifier}", record.name)


def _parameters(backend: Any) -> Iterator[Item]:
    for name in list(backend._parameters):
        if not name.startswith("/aws/"):
            tags = dict(backend.list_tags_for_resource("Parameter", name) or {})
            yield Item("ssm-parameter", name, name, tags)


def _log_groups(backend: Any) -> Iterator[Item]:
    for group in backend.groups.values():
        yield Item("log-group", group.arn, group.name, backend.tagger.get_tag_dict_for_resource(group.arn))


def _secrets(backend: Any) -> Iterator[Item]:
    for secret in backend.secrets.values():
        yield Item("secret", secret.arn, secret.name, _tags(secret.tags))


def _scalable_targets(backend: Any) -> Iterator[Item]:
    for targets in backend.targets.values():
        for target in targets.values():
            yield Item("scalable-target", target.arn, target.resource_id, getattr(target, "lab_tags", {}))


def _alarms(backend: Any) -> Iterator[Item]:
    for alarm in backend.alarms.values():
        yield Item("cloudwatch-alarm", alarm.alarm_arn, alarm.name)


def _kubernetes(backend: Any) -> Iterator[Item]:
    for cluster in backend.clusters.values():
        yield Item("eks-cluster", cluster.arn, cluster.name, dict(cluster.tags or {}))


def _buckets(backend: Any) -> Iterator[Item]:
    for name in backend.buckets:
        yield Item("s3-bucket", name, name)
