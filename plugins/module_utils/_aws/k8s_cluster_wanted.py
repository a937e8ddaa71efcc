# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster as a list of wanted resources, and what depends on what in it. Pure. PRIVATE."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import InputError
from .._ownership import OWNER, PART
from .._plan import Graph, Live, Ref, Rule, Script, Wanted
from .addresses import ADDRESS, ADDRESS_ASSOCIATION
from .control_plane import CONTROL_PLANE, CONTROL_PLANE_RULE, setting_tag
from .identity import IDENTITY_GRAPH, attached
from .images import Image, architecture_of
from .k8s_addons import cloud_controller, flannel
from .k8s_addons_ebs import ebs_driver
from .k8s_boot import Boot, node_script
from .k8s_cluster_options import (
    ANYWHERE,
    API_PORT,
    DEFAULTS,
    ClusterOptions,
    check_ranges,
    check_room,
    check_zone_of_region,
)
from .k8s_manifests import Manifest
from .k8s_parameters import PARAMETERS, SECRETS, parameter_key, parameter_name
from .k8s_policies import control_plane_policy, node_policy
from .kubernetes_names import LEGACY_TAG, KubernetesNames
from .launch_templates import INSTANCE, LAUNCH_TEMPLATE, TEMPLATE_RULE
from .network import DEFAULT_ROUTE, INTERNET_GATEWAY, NETWORK_GRAPH, NETWORK_RULES, subnet_key
from .node_group import UNJOINED, surplus
from .run import Run
from .scaling_groups import SCALING_GROUP, wanted_members
from .security_groups import SECURITY_GROUP_RULE, Opening, allowed
from .vpcs import VPC

NODES = "nodes"
SIDES = (CONTROL_PLANE, NODES)
CLAIM = "claim"  # the part in the mark of a volume that the CSI driver has made
HOST = 8  # the place of the control plane in its subnet: 172.20.0.9, as in the chapter

GRAPH: Graph = {
    **IDENTITY_GRAPH,
    **NETWORK_GRAPH,
    "vpc": ("role",),  # IAM lets one run only make a role of a name: that run may make VPC and address
    "address": ("role",),
    "parameter": (),
    "security_group": ("vpc",),
    "ingress_rule": ("security_group",),
    "launch_template": ("instance_profile", "security_group"),
    "control_plane": ("instance_profile", "ingress_rule", "subnet", "default_route", "address", "parameter"),
    "address_association": ("control_plane",),
    # after the control plane, lest a node is given the address that is meant for it
    "auto_scaling_group": ("launch_template", "control_plane"),
    "kubeconfig": ("address_association",),
    UNJOINED: ("auto_scaling_group", "kubeconfig"),
    "node": ("auto_scaling_group", "kubeconfig", UNJOINED),
}
RULES: Mapping[str, Rule] = {
    **NETWORK_RULES,
    "security_group": SECURITY_GROUP_RULE,
    "launch_template": TEMPLATE_RULE,
    "control_plane": CONTROL_PLANE_RULE,
}


def role_key(side: str) -> str:
    """Key in a plan, and part in the mark, of a side's role."""
    return f"role-{side}"


def profile_key(side: str) -> str:
    """That of its instance profile."""
    return f"instance-profile-{side}"


def group_key(side: str) -> str:
    """That of its security group."""
    return f"security-group-{side}"


def rule_key(source: str, target: str) -> str:
    """Key in a plan of the rule that lets one side reach another."""
    return f"rule-{source}-{target}"


@dataclass(frozen=True)
class Settings:
    """What a cluster is made with: what is given, else what there is, else the defaults."""

    cluster: str
    zone: str
    version: str
    cidr: str
    subnet_cidr: str
    pod_network: str
    pod_cidr: str
    service_cidr: str

    @property
    def api_address(self) -> str:
        """The private address of the control plane, by which nodes reach it."""
        network = ipaddress.ip_network(self.subnet_cidr)
        return str(network.network_address + HOST + 1)

    def boot(self) -> Boot:
        """What the instances are told."""
        return Boot(
            self.cluster,
            self.version,
            self.api_address,
            self.pod_network,
            self.pod_cidr,
            self.service_cidr,
        )

    def addons(self, region: str, owner: str) -> list[Manifest]:
        """What the control plane applies."""
        tags = {OWNER: owner, PART: CLAIM, LEGACY_TAG: self.cluster}
        routes = self.pod_network == "routes"
        return [
            *cloud_controller(self.cluster, self.version, self.pod_cidr, routes=routes),
            *([] if routes else flannel(self.pod_cidr)),
            *ebs_driver(region, self.cluster, tags),
        ]


def settings(options: ClusterOptions, live: Mapping[str, Live], region: str) -> Settings:
    """What the cluster is, or will be, made with.

    Raises:
        InputError: a new cluster is not told where to be, or its address ranges overlap or are too small.
    """
    made = live[CONTROL_PLANE].spec if CONTROL_PLANE in live else {}
    subnet = next((one for one in live.values() if one.kind == "subnet"), None)
    check_zone_of_region(options.zone, region)
    begun_in = made.get("zone") or (subnet.spec["zone"] if subnet else None)
    if options.zone and begun_in and options.zone != begun_in:
        raise InputError(f"zone: cluster {options.name} is in {begun_in} and cannot be moved to {options.zone}")
    control_type = made.get("instance_type")
    if options.control_plane_type and control_type and options.control_plane_type != control_type:
        raise InputError(
            f"control_plane_type: that of cluster {options.name} is {control_type} and cannot be changed to "
            f"{options.control_plane_type}"
        )
    zone = options.zone or begun_in
    if not zone:
        raise InputError(f"zone: cluster {options.name} is not there yet, and a new one needs an availability zone")
    cidr = live[VPC].spec["cidr"] if VPC in live else options.cidr or DEFAULTS.cidr
    fixed = {
        one: getattr(options, one) or made.get(one) or getattr(DEFAULTS, one)
        for one in ("version", "pod_network", "pod_cidr", "service_cidr")
    }
    check_ranges({"cidr": cidr, "pod_cidr": fixed["pod_cidr"], "service_cidr": fixed["service_cidr"]})
    check_room(fixed["pod_cidr"], options.node_count or 0)
    return Settings(
        cluster=options.name,
        zone=zone,
        cidr=cidr,
        subnet_cidr=subnet.spec["cidr"] if subnet else first_subnet(cidr),
        **fixed,
    )


def first_subnet(cidr: str) -> str:
    """The range of the one subnet: as in the chapter a /24, if there is room for it. Pure."""
    network = ipaddress.ip_network(cidr)
    return str(next(network.subnets(new_prefix=max(24, network.prefixlen))))


@dataclass(frozen=True)
class Scene:
    """All that is known when a cluster is planned.

    Attributes:
        live: what there is.
        made_with: its settings.
        images: by architecture, for what has to be started from another one than it has.
    """

    run: Run
    options: ClusterOptions
    live: Mapping[str, Live]
    made_with: Settings
    images: Mapping[str, Image]

    @property
    def names(self) -> KubernetesNames:
        return KubernetesNames(self.options.name, self.run.aws.region)

    def tags(self, part: str, name: str = "") -> dict[str, str]:
        """All tags of a resource."""
        return self.run.tags_for(part, name)

    def spec(self, key: str) -> Mapping[str, Any]:
        """What there is of a resource, nothing if it is not there."""
        return self.live[key].spec if key in self.live else {}


def wanted(scene: Scene) -> list[Wanted]:
    """All resources of the cluster in AWS as they should be."""
    name = scene.names.network
    associated = {"allocation": Ref(ADDRESS), "instance": Ref(CONTROL_PLANE)}
    return [
        *_identity(scene),
        *_network(scene),
        *_security_groups(scene),
        *(_parameter(scene, word) for word in PARAMETERS),
        Wanted(ADDRESS, "address", name, {"tags": scene.tags(ADDRESS, name)}),
        _control_plane(scene),
        Wanted(ADDRESS_ASSOCIATION, "address_association", name, associated),
        _template(scene),
        _group(scene),
        *_replaced(scene),
    ]


def _identity(scene: Scene) -> list[Wanted]:
    region = scene.run.aws.region
    cluster = scene.options.name
    documents = {CONTROL_PLANE: control_plane_policy(region, cluster), NODES: node_policy(region, cluster)}
    given: dict[str, tuple[str, ...] | None] = {CONTROL_PLANE: (), NODES: scene.options.node_policies}
    resources = []
    for side in SIDES:
        there, policies = scene.spec(role_key(side)).get("policies", ()), given[side]
        spec = {
            "policies": attached(there if policies is None else policies),
            "inline": documents[side],
            "tags": scene.tags(role_key(side)),
        }
        profile = {"role": Ref(role_key(side)), "tags": scene.tags(profile_key(side))}
        resources.append(Wanted(role_key(side), "role", scene.names.role(side), spec))
        resources.append(Wanted(profile_key(side), "instance_profile", scene.names.role(side), profile))
    return resources


def _network(scene: Scene) -> list[Wanted]:
    name, key = scene.names.network, subnet_key(scene.made_with.zone)
    subnet_name = scene.names.named(scene.made_with.zone)
    # the cloud controller puts load balancers into subnets, and routes into the one table, that carry these tags
    subnet_tags = {**scene.tags(key, subnet_name), "kubernetes.io/role/elb": "1"}
    return [
        Wanted(VPC, "vpc", name, {"cidr": scene.options.cidr or scene.made_with.cidr, "tags": scene.tags(VPC, name)}),
        Wanted(INTERNET_GATEWAY, "internet_gateway", name, {"vpc_id": Ref(VPC)}),
        Wanted(
            DEFAULT_ROUTE,
            "default_route",
            name,
            {"vpc_id": Ref(VPC), "gateway_id": Ref(INTERNET_GATEWAY), "tags": scene.tags(DEFAULT_ROUTE, name)},
        ),
        Wanted(
            key,
            "subnet",
            subnet_name,
            {
                "vpc_id": Ref(VPC),
                "zone": scene.made_with.zone,
                "cidr": scene.made_with.subnet_cidr,
                "tags": subnet_tags,
            },
        ),
    ]


def _unopened(scene: Scene) -> bool:
    """Whether the control plane's group has never been opened: there is none, or a run that made it was cut short."""
    group = scene.live.get(group_key(CONTROL_PLANE))
    return group is None or (CONTROL_PLANE not in scene.live and not group.spec["ingress"])


def _security_groups(scene: Scene) -> list[Wanted]:
    """One for each side; all of both may reach all of both. From outside, only the API server can be reached."""
    anyone = [str(Opening("tcp", API_PORT, API_PORT, source)) for source in ANYWHERE]
    api = scene.options.ingress if scene.options.ingress is not None else anyone if _unopened(scene) else None
    # what load balancers may reach on nodes, the cloud controller writes there
    ingress: dict[str, Sequence[str] | None] = {CONTROL_PLANE: api, NODES: None}
    groups = [
        Wanted(
            group_key(side),
            "security_group",
            scene.names.security_group(side),
            {
                "vpc_id": Ref(VPC),
                "ingress": None if opened is None else allowed(opened),
                "tags": scene.tags(group_key(side), scene.names.security_group(side)),
            },
        )
        for side, opened in ingress.items()
    ]
    rules = [
        Wanted(
            rule_key(source, target),
            "ingress_rule",
            f"from {source} to {target}",
            {
                "group_id": Ref(group_key(target)),
                "source_group_id": Ref(group_key(source)),
                "protocol": "-1",
                "first": 0,
                "last": 65535,
            },
        )
        for source in SIDES
        for target in SIDES
    ]
    return [*groups, *rules]


def _parameter(scene: Scene, word: str) -> Wanted:
    key = parameter_key(word)
    written = None if CONTROL_PLANE in scene.live else False  # of one that is gone nothing may be believed any more
    spec = {"secret": word in SECRETS, "written": written, "tags": scene.tags(key)}
    return Wanted(key, "parameter", parameter_name(scene.options.name, word), spec)


def _control_plane(scene: Scene) -> Wanted:
    name = scene.names.named(CONTROL_PLANE)
    fixed = {one: getattr(scene.made_with, one) for one in ("version", "pod_network", "pod_cidr", "service_cidr")}
    tags = {**scene.tags(CONTROL_PLANE, name), **{setting_tag(one): value for one, value in fixed.items()}}
    given = {"zone": scene.options.zone, "instance_type": scene.options.control_plane_type, **fixed, "tags": tags}
    if CONTROL_PLANE in scene.live:
        return Wanted(CONTROL_PLANE, "control_plane", name, given)
    instance_type = scene.options.control_plane_type or DEFAULTS.instance_type
    image = scene.images[architecture_of(instance_type)]
    spec = {
        **given,
        "zone": scene.made_with.zone,
        "instance_type": instance_type,
        "image_id": image.id,
        "root_device": image.root_device,
        "more_volumes": image.more_volumes,
        "volume_size": scene.options.volume_size or DEFAULTS.volume_size,
        "encrypted": True,
        "key_name": scene.options.key_name,
        "metadata_hops": 1,
        "profile": Ref(profile_key(CONTROL_PLANE)),
        "security_group_ids": [Ref(group_key(CONTROL_PLANE))],
        "subnet_id": Ref(subnet_key(scene.made_with.zone)),
        "private_ip": scene.made_with.api_address,
        "address": Ref(ADDRESS, "public_ip"),
    }
    return Wanted(CONTROL_PLANE, "control_plane", name, spec)


def _template(scene: Scene) -> Wanted:
    there = scene.spec(LAUNCH_TEMPLATE)
    instance_type = scene.options.node_type or there.get("instance_type") or DEFAULTS.instance_type
    image = scene.images.get(architecture_of(instance_type)) if needs_image(scene.options, there) else None
    spec: dict[str, Any] = {
        "image_id": image.id if image else None,
        "root_device": image.root_device if image else None,
        "more_volumes": image.more_volumes if image else None,
        "instance_type": instance_type,
        "profile": Ref(profile_key(NODES)),
        "security_group_ids": [Ref(group_key(NODES))],
        "public_ip": True,
        "user_data": Script(node_script(scene.made_with.boot())),
        "metadata_hops": 1,
        "encrypted": True,
        "volume_size": scene.options.volume_size or (None if there else DEFAULTS.volume_size),
        "key_name": scene.options.key_name,
        "instance_tags": scene.tags(INSTANCE, scene.names.named(NODES)),
    }
    return Wanted(LAUNCH_TEMPLATE, "launch_template", scene.names.launch_template(NODES), spec)


def needs_image(options: ClusterOptions, template: Mapping[str, Any]) -> bool:
    """Whether the nodes' template has to be given another image than it has."""
    if not template or (options.ami and options.ami != template["image_id"]):
        return True
    wanted_type = options.node_type or template["instance_type"]
    return architecture_of(wanted_type) != architecture_of(template["instance_type"])


def _group(scene: Scene) -> Wanted:
    template = scene.live.get(LAUNCH_TEMPLATE)
    count = scene.options.node_count if SCALING_GROUP in scene.live else scene.options.node_count or DEFAULTS.node_count
    spec = {
        **dict.fromkeys(("min_size", "max_size", "desired_count"), count),
        "subnet_ids": [Ref(subnet_key(scene.made_with.zone))],
        "template_id": template.id if template else Ref(LAUNCH_TEMPLATE),
        "template_version": Ref(LAUNCH_TEMPLATE, "version"),
        "tags": scene.tags(SCALING_GROUP, scene.names.named(NODES)),
    }
    return Wanted(SCALING_GROUP, "auto_scaling_group", scene.names.auto_scaling_group, spec)


def _replaced(scene: Scene) -> list[Wanted]:
    """Nodes that never joined are replaced, and, if that is wanted, those of another version of the template.

    One that an earlier run has begun to empty, and that stays, takes pods again.

    A group that shrinks takes some away first; which, it has decided by what there is now, too.
    """
    count = scene.options.node_count
    group = scene.live.get(SCALING_GROUP)
    leaving = surplus(group, count) if group and count else []
    staying = [one for one in scene.live.values() if one.kind in ("node", UNJOINED) and one.id not in leaving]
    return wanted_members(staying, replace_outdated=scene.options.replace_outdated)
