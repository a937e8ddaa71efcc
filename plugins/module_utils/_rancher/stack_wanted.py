# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack and its services as they should be. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import InputError
from .._ownership import Mark
from .._plan import Live, Ref, Wanted
from .api import Object
from .links import Target, in_v1_order, v2_ports
from .marks import managed_description, require_marked
from .ports import Claim
from .ready import GLOBAL
from .service_options import ServiceOptions
from .services import BALANCER_TYPE, PART, kind_of, links_key, service_key
from .stack_content import Content
from .stack_options import StackOptions
from .stack_read import World
from .stacks import STACK
from .veil import Veil

# kind -> the kinds that it needs
STACK_GRAPH: Mapping[str, tuple[str, ...]] = {
    STACK: (),
    "service": (STACK,),
    "load_balancer": (STACK, "service"),
    "service_links": ("service", "load_balancer"),
}


def manages(options: StackOptions, content: Content | None) -> bool:
    """Whether the options say anything of the stack but its name."""
    return options.services is not None or content is not None or options.description is not None


def wanted_stack(
    options: StackOptions, content: Content | None, stack: Object | None, mark: Mark, veil: Veil
) -> Wanted:
    """The stack itself.

    Raises:
        NotOursError: there is one of its name which is somebody else's.
    """
    if stack:
        require_marked(mark, stack, f"stack {options.name}", adopt=options.adopt)
    # a stack of Rancher's own services that is not called one would be among the user's
    system = options.system or bool(content and content.is_system) or None
    spec = {
        "description": managed_description(options.description, stack, mark, STACK),
        "system": options.system if stack else system,
        "upgrade": None if stack is None else "none",
        **(content.spec(veil) if content else {}),
    }
    return Wanted(STACK, STACK, options.name, spec)


def wanted_services(options: StackOptions, world: World, mark: Mark) -> list[Wanted]:
    """The services, the load balancers, and the links between them.

    Raises:
        InputError: a new service has no image, or one of the name is of another kind.
        NotOursError: there is one of the name which is somebody else's.
    """
    there = {one["name"]: one for one in world.services_of(world.stack(options.name))}
    wanted: list[Wanted] = []
    for service in options.services or ():
        raw = there.get(service.name)
        _refuse(service, raw, mark, options)
        wanted.append(_wanted_service(service, raw, mark, world))
        if service.links or (service.links is not None and raw):
            wanted.append(_wanted_links(service, world))
    return wanted


def _refuse(service: ServiceOptions, raw: Object | None, mark: Mark, options: StackOptions) -> None:
    if raw is None:
        if not service.is_balancer and not service.spec.get("image"):
            raise InputError(f"services: {service.name} is new and needs an image")
        return
    require_marked(mark, raw, f"service {service.name} of stack {options.name}", adopt=options.adopt)
    if service.is_balancer is not (raw.get("type") == BALANCER_TYPE):
        what = kind_of(raw).replace("_", " ") if raw.get("type") in ("service", BALANCER_TYPE) else raw.get("type")
        raise InputError(
            f"services: {service.name} is a {what} already, and cannot become another kind of service",
            hint="Choose another name, or delete it first.",
        )


def _wanted_service(service: ServiceOptions, raw: Object | None, mark: Mark, world: World) -> Wanted:
    spec: dict[str, Any] = {
        **service.spec,
        "stack": Ref(STACK),
        "description": managed_description(service.description, raw, mark, PART),
        "started": True if raw else None,
        "upgrade": "none" if raw else None,
    }
    if service.rules is not None:
        rules = [{**rule, "service": _reference(rule["service"], world)} for rule in service.rules]
        spec["rules"] = in_v1_order(rules) if world.v1 else rules
        if not world.v1:  # there, a run that was cut short may have changed what is published, and not the rules
            spec["ports"] = sorted(v2_ports(rules))
    kind = "load_balancer" if service.is_balancer else "service"
    return Wanted(service_key(service.name), kind, service.name, spec)


def _wanted_links(service: ServiceOptions, world: World) -> Wanted:
    links = {link.alias: _reference(link.target, world) for link in service.links or ()}
    spec = {"service": Ref(service_key(service.name)), "links": links}
    return Wanted(links_key(service.name), "service_links", service.name, spec)


def _reference(target: Target, world: World) -> Any:
    """The id of a service, or what stands for it until it is made."""
    found = world.service(target)
    return found["id"] if found else Ref(service_key(target.service))


def claims(options: StackOptions, content: Content | None, world: World) -> list[Claim]:
    """The ports of hosts that services want which do not run yet, or with other ports."""
    there = {one["name"]: one for one in world.services_of(world.stack(options.name))}
    wanted: list[Claim] = []
    for service in options.services or ():
        ports = service.spec.get("ports") or sorted({f"{one['source_port']}:1" for one in service.rules or ()})
        wanted.append(_claim(service.name, ports, service.spec, there))
    if content is None:
        return wanted
    for name, ports in content.compose.host_ports(content.answers).items():
        said = content.compose.services[name]
        labels = said.get("labels")
        everywhere = isinstance(labels, Mapping) and str(labels.get(GLOBAL)).lower() == "true"
        scale = said.get("scale") if isinstance(said.get("scale"), int) else 1
        wanted.append(_claim(name, ports, {"global": everywhere, "scale": scale}, there))
    return wanted


def _claim(name: str, ports: Iterable[str], spec: Mapping[str, Any], there: Mapping[str, Object]) -> Claim:
    raw = there.get(name)
    scale = spec.get("scale") or (raw.get("scale") if raw else None) or 1
    return Claim(name, list(ports), None if spec.get("global") else scale, [raw["id"]] if raw else [])


def unwanted_services(options: StackOptions, live: Mapping[str, Live], mark: Mark) -> list[Live]:
    """Services of ours that are not in the list any more."""
    if not options.purge or options.services is None:
        return []
    named = {service_key(one.name) for one in options.services}
    return [
        one
        for key, one in live.items()
        if one.kind in ("service", "load_balancer") and key not in named and mark.owns(one.attributes["tags"])
    ]
