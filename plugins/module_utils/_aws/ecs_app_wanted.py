# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources that an app's options ask for, given what is there already. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._errors import InputError
from .._ownership import PART
from .._plan import Live, Ref, Wanted
from .app_options import AppOptions, check_percents
from .balancer_options import Balancer, balanced_port
from .load_balancer_classic import LOAD_BALANCER, PLAIN, instance_port, listener_to, own_spec, shared_spec
from .load_balancer_v2 import LISTENER, PROTOCOLS, TARGET_GROUP, group_spec
from .log_group import LOG_GROUP
from .names import LOAD_BALANCER_LIMIT, LONG_LIMIT, cluster_mark, derived_name
from .run import Run
from .security_groups import Opening, allowed, is_ours
from .service import SERVICE, circuit_breaker, refuse_new_classic_balancer
from .service_scaling import SCALING, resource_id
from .task_definition import TASK_DEFINITION
from .task_definition_spec import own_container, wanted_definition

BALANCER_GROUP = "load-balancer-security-group"  # key in a plan
BALANCER_GROUP_KIND = "load_balancer_security_group"
DYNAMIC_PORTS = (32768, 65535)  # what ECS picks a host port from


@dataclass(frozen=True)
class Place:
    """Where the instances of the cluster are; references stand for what is not there yet.

    Attributes:
        subnet_ids: only looked up for a load balancer that has to be made.
    """

    vpc_id: str | Ref
    instance_group_id: str | Ref
    subnet_ids: Sequence[str] | Ref = field(default_factory=tuple)


NOWHERE = Place(Ref("the cluster", "vpc_id"), Ref("the cluster", "security_group_id"), Ref("the cluster", "subnets"))


def wanted_app(
    run: Run, options: AppOptions, live: Mapping[str, Live], place: Place, unserved: Collection[int] = ()
) -> list[Wanted]:
    """Everything that the options speak of.

    Args:
        unserved: ports of the instances through which no app is reached, whatever listens for them.

    Raises:
        InputError: the options do not fit together, or not to what is there.
    """
    tags = run.tags_for(TASK_DEFINITION)
    definition = wanted_definition(options, live.get(TASK_DEFINITION), run.aws.region, tags)
    container = own_container(definition["containers"], options)
    balancer = options.balancer
    balancing = (
        _Balancing(run, options, balancer, live, place=place, container=container, unserved=unserved)
        if balancer
        else None
    )
    return [
        Wanted(TASK_DEFINITION, "task_definition", str(options.family), definition),
        *_log_group(run, options),
        *(balancing.wanted() if balancing else ()),
        _service(run, options, live, balancing.behind() if balancing else None),
        *_scaling(options),
    ]


def _log_group(run: Run, options: AppOptions) -> list[Wanted]:
    if not options.log:
        return []
    spec = {"retention_days": options.log.retention_days, "tags": run.tags_for(LOG_GROUP)}
    return [Wanted(LOG_GROUP, "log_group", options.log.group, spec)]


def _scaling(options: AppOptions) -> list[Wanted]:
    if not options.scaling:
        return []
    scaling = options.scaling
    spec = {
        "resource": resource_id(options.cluster, options.name),
        "min": scaling.min,
        "max": scaling.max,
        "cpu_percent": scaling.cpu_percent,
    }
    return [Wanted(SCALING, "service_scaling", f"of {options.name}", spec)]


def _service(run: Run, options: AppOptions, live: Mapping[str, Live], behind: Sequence[Any] | None) -> Wanted:
    there = live.get(SERVICE)
    before: Mapping[str, Any] = there.spec if there else {}
    balanced = before.get("load_balancers", ()) if behind is None else behind
    spec = {
        **options.service,
        "circuit_breaker": circuit_breaker(options.service.get("circuit_breaker"), balanced, new=there is None),
        "scheduling": "REPLICA",
        "task_definition": Ref(TASK_DEFINITION),
        "load_balancers": behind,
        "health_check_grace_period": options.balancer.grace_period if options.balancer else None,
        "tags": run.tags_for(SERVICE),
    }
    if there is None:
        spec.setdefault("desired_count", options.scaling.min if options.scaling else 1)
    elif behind is not None:
        refuse_new_classic_balancer(options.name, there.spec, behind)
    check_percents(
        *(
            options.service.get(name, before.get(name, default))
            for name, default in (("minimum_healthy_percent", 100), ("maximum_percent", 200))
        )
    )
    return Wanted(SERVICE, "service", options.name, spec)


class _Balancing:
    """The load balancer of an app and all that goes with it."""

    def __init__(
        self,
        run: Run,
        options: AppOptions,
        balancer: Balancer,
        live: Mapping[str, Live],
        *,
        place: Place,
        container: Mapping[str, Any],
        unserved: Collection[int],
    ) -> None:
        self._run = run
        self._options = options
        self._live = live
        self._place = place
        self._container = container
        self._balancer = balancer
        self._unserved = unserved

    def wanted(self) -> list[Wanted]:
        if self._balancer.type == "none":
            return []
        refuse_other_vpc(self._balancer.name, self._live.get(LOAD_BALANCER), self._place.vpc_id)
        above = [self._classic()] if self._balancer.classic else [self._application(), self._group(), self._listener()]
        return [self._security_group(), self._ingress_rule(), *above]

    def behind(self) -> list[dict[str, Any]]:
        """The service's side of it."""
        if self._balancer.type == "none":
            return []
        port = self._port["container_port"]
        where = (
            {"load_balancer": self._balancer.name}
            if self._balancer.classic
            else {"target_group": Ref(TARGET_GROUP, "arn")}
        )
        return [{**where, "container": self._container["name"], "port": port}]

    @property
    def _port(self) -> Mapping[str, Any]:
        return balanced_port(self._balancer, self._container["ports"])

    def _security_group(self) -> Wanted:
        port = self._balancer.listener_port
        openings = {str(Opening("tcp", port, port, source)) for source in self._balancer.allowed_cidrs}
        there = self._live.get(BALANCER_GROUP)
        described = there.attributes["described"] if there else {}
        # what other apps have opened stays open, each has a port of its own; and so does what somebody else has
        openings |= {
            text
            for text, words in described.items()
            if not text.startswith(f"tcp {port} from ") and (self._balancer.shared or not is_ours(words))
        }
        name = there.name if there else self._group_name()
        spec = {
            "vpc_id": self._place.vpc_id,
            "ingress": allowed(openings),
            "tags": self._tags(group_part(self._balancer.name), name, there),
        }
        return Wanted(BALANCER_GROUP, BALANCER_GROUP_KIND, name, spec)

    def _group_name(self) -> str:
        return derived_name("ecs", self._options.cluster, "load-balancer", self._balancer.name, limit=LONG_LIMIT)

    def _ingress_rule(self) -> Wanted:
        first, last = port_range(self._port["host_port"])
        spec = {
            "group_id": self._place.instance_group_id,
            "source_group_id": Ref(BALANCER_GROUP),
            "protocol": "tcp",
            "first": first,
            "last": last,
        }
        name = f"of {self._balancer.name} to tcp {first}-{last} of the instances"
        return Wanted(ingress_key(first, last), "ingress_rule", name, spec)

    def _above(self, there: Live | None) -> dict[str, Any]:
        """What all kinds of load balancers have in common."""
        given = list(self._balancer.subnets) or None
        return {
            "vpc_id": self._place.vpc_id,
            "scheme": self._balancer.scheme,
            "security_groups": [Ref(BALANCER_GROUP)],
            "subnets": given if there else given or self._place.subnet_ids,
            "tags": self._tags(LOAD_BALANCER, "", there),
        }

    def _classic(self) -> Wanted:
        there, host_port = self._live.get(LOAD_BALANCER), self._port["host_port"]
        own = own_spec(self._balancer, host_port)
        if self._balancer.shared:
            own = shared_spec(own, there.spec if there else None, {host_port, *self._unserved})
        elif there:
            own["listeners"] = {**self._listeners_of_others(there, host_port), **own["listeners"]}
        spec = {**self._above(there), **own}
        return Wanted(LOAD_BALANCER, "classic_load_balancer", self._balancer.name, spec)

    def _application(self) -> Wanted:
        spec = {"type": self._balancer.type, **self._above(self._live.get(LOAD_BALANCER))}
        return Wanted(LOAD_BALANCER, "load_balancer", self._balancer.name, spec)

    def _listeners_of_others(self, there: Live, host_port: int) -> dict[str, str]:
        """Those of a classic load balancer of the app's own that somebody else has made, to speak TLS for example.

        For each of ours we have opened a port, and it leads to the app, if no earlier listener did. A run that was
        killed may have closed the port of an earlier one: for plain HTTP, one of others needs a port that they opened.
        """
        group = self._live.get(BALANCER_GROUP)
        attributes = group.attributes if group else {"described": {}, "ports_of_others": ()}
        described = attributes["described"]
        opened = {str(Opening.parse(text).first) for text, words in described.items() if is_ours(words)}

        def is_theirs(port: str, text: str) -> bool:
            if port in opened or text == listener_to(host_port):
                return False
            return not text.startswith(PLAIN) or any(int(port) in ports for ports in attributes["ports_of_others"])

        listeners: Mapping[str, str] = there.spec["listeners"]
        return {port: text for port, text in listeners.items() if is_theirs(port, text)}

    def _group(self) -> Wanted:
        spec = {
            "vpc_id": self._place.vpc_id,
            **group_spec(self._balancer),
            "tags": self._run.tags_for(TARGET_GROUP),
        }
        return Wanted(TARGET_GROUP, "target_group", target_group_name(self._options), spec)

    def _listener(self) -> Wanted:
        port = self._balancer.listener_port
        spec = {
            "load_balancer": Ref(LOAD_BALANCER, "arn"),
            "port": port,
            "protocol": PROTOCOLS[self._balancer.type],
            "target_group": Ref(TARGET_GROUP, "arn"),
            "tags": self._run.tags_for(LISTENER),
        }
        return Wanted(LISTENER, "listener", f"{port} of {self._balancer.name}", spec)

    def _tags(self, part: str, name: str, there: Live | None) -> dict[str, str]:
        """A shared thing carries the cluster's mark; the user's tags are those of the app that made it."""
        if not self._balancer.shared:
            return self._run.tags_for(part, name)
        shared = sharing(self._run, self._options)
        return (replace(shared, tags={}) if there else shared).tags_for(part, name)


def sharing(run: Run, options: AppOptions) -> Run:
    """The run that makes load balancers and their security groups: for the cluster, if they are shared."""
    if options.shares_balancer:
        return replace(run, mark=cluster_mark(options.cluster))
    return run


def port_range(host_port: int) -> tuple[int, int]:
    """The ports of the instances, first and last, that a rule for a host port opens; 0 is whichever ECS picks."""
    return (host_port, host_port) if host_port else DYNAMIC_PORTS


def ingress_key(first: int, last: int) -> str:
    """The key of a rule in a plan: a rule for other ports is another rule."""
    return f"ingress-rule/{first}-{last}"


def group_part(balancer: str) -> str:
    """The part, in the mark, of the security group of a load balancer: apps of a cluster may share several."""
    return f"{BALANCER_GROUP}/{balancer}"


def balancer_of(group: Live) -> str:
    """The name of the load balancer whose security group this is."""
    return str(group.spec["tags"][PART]).removeprefix(group_part(""))


def target_group_name(options: AppOptions) -> str:
    """The name of the app's target group."""
    return derived_name("ecs", options.cluster, options.name, limit=LOAD_BALANCER_LIMIT, plain=True)


def refuse_other_vpc(name: str, balancer: Live | None, vpc_id: str | Ref) -> None:
    """Refuse a load balancer that could not reach the instances.

    Raises:
        InputError: it is in another VPC.
    """
    if balancer and balancer.spec["vpc_id"] != vpc_id:
        raise InputError(
            f"load_balancer: {name} is in VPC {balancer.spec['vpc_id']}, the instances of the cluster are in {vpc_id}",
            hint="Choose another name.",
        )


def without_listeners_to(balancer: Live, host_ports: Collection[int]) -> Wanted | None:
    """A classic load balancer without the listeners that lead to ports which nobody uses any more; None: has none.

    Its one health check must not go on looking at such a port, or the instances would be out of service for all others.
    """
    gone = {listener_to(port) for port in host_ports}
    listeners = balancer.spec["listeners"]
    kept = {port: listener for port, listener in listeners.items() if listener not in gone}
    if kept == listeners:
        return None
    spec: dict[str, Any] = {"listeners": kept}
    check = balancer.spec["health_check"]
    if kept and instance_port(check["target"]) in host_ports:
        spec["health_check"] = {**check, "target": f"TCP:{instance_port(kept[min(kept)])}"}
    return Wanted(balancer.key, balancer.kind, balancer.name, spec)


def ports_behind(definition: Mapping[str, Any], balanced: Sequence[Mapping[str, Any]]) -> set[int]:
    """The ports of the instances that lead to tasks of a definition.

    Args:
        definition: spec of a task definition.
        balanced: the service's side: which containers, which of their ports.
    """
    wanted = {(one["container"], one["port"]) for one in balanced}
    return {
        port["host_port"]
        for container in definition["containers"]
        for port in container["ports"]
        if (container["name"], port["container_port"]) in wanted
    }
