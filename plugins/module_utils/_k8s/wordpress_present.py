# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_wordpress`` with state present: read, decide, apply, install the site, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import AuthError, InputError, NotFoundError
from .._module import Context, Outcome
from .._parallel import gather
from .._plan import Applied, Plan, Step
from .answering import wait_until_answers
from .api import FORBIDDEN, Object
from .app_result import address, pod_facts, service_facts
from .carrying_out import CarriedOut, carry_out
from .kinds import CONFIG_MAP, DEPLOYMENT, NAMESPACE, NODE, POD, SECRET, SERVICE, VOLUME, VOLUME_CLAIM, Kind
from .object_set import Survey, decide, items_of
from .objects import key_of, label_of, name_of, place_of, runs
from .ready import address_of, state_of
from .run import Run
from .surveying import require_ours, survey
from .waiting import explaining, wait_ready
from .wordpress_options import NOTE, effective, note_of, noted_options, noted_storage
from .wordpress_secrets import make, names, refuse_new_ones, steps, value_of, wanted_secrets
from .wordpress_site import LATER, Site, deployments_of, noted, prepare, require_installed, settings_of, site_steps
from .wordpress_storage import (
    PARTS,
    claim_name,
    data_places,
    refuse_left_behind,
    refuse_other_claims,
    refuse_other_storage,
    refuse_taken,
    zone_to_give,
    zone_without_nodes,
)
from .wordpress_wanted import database_name, manifests

INLINE_WARNING = (
    "storage.mode inline names the volumes in the pods, as the first versions of Kubernetes did: the scheduler does "
    "not know in which zone they are, so a pod may end on a node that cannot attach them. Give storage.zone."
)


@dataclass(frozen=True)
class There:
    """What of a site is there."""

    site: Object | None
    service: Object | None
    secrets: Mapping[str, Object]
    others: list[Object]


def present(context: Context, run: Run) -> Outcome:
    """Make the site, or change it to what the options say."""
    params = context.params
    there = _read(run, params)
    options = effective(params, there.secrets.get(names(params)[0]))
    if options["storage"]["mode"] == "inline" and not options["storage"].get("zone"):
        run.warn(INLINE_WARNING)
    things = [one for one in (there.site, *there.others) if one]
    places = data_places(options, things)
    refuse_other_storage(options, places)
    refuse_other_claims(options, noted_storage(there.secrets.get(names(params)[0])), there.others)
    if options["storage"]["mode"] == "dynamic" and not places:
        refuse_left_behind(options, _seen(run, VOLUME))
    elif not places:
        _refuse_zone(run, options)
        refuse_taken(options, _others(run, options))
    given = params["site"] or {}
    chosen = {"admin-password": given.get("admin_password"), "password": params["database_password"]}
    wanted = wanted_secrets(run, options, chosen)
    missing = [one for one in wanted if one["metadata"]["name"] not in there.secrets]
    refuse_new_ones(missing, things)
    context.hide([value for one in (*missing, *there.secrets.values()) for value in _values(one)])
    items = items_of(run, manifests(options, there.service), options["namespace"])
    found = survey(run, items, adopt=params["adopt"], force=True)
    secret = there.secrets.get(names(options)[0])
    service = found.merged.get(_service_key(options))  # as it will be: its port is part of the address
    site = Site(settings_of(options, _url(options, service)), given.get("admin_password"), given.get("language"))
    todo = site_steps(options, site, secret)
    objects = decide(found)
    plan = Plan((*steps(missing), *objects.steps, *todo))
    if run.check_mode:
        return Outcome({"site": _told(options, site.settings, found.live, [])}, plan)
    done = _apply(run, found, objects, missing)
    secrets = {**there.secrets, **done.secrets}
    with done.carried.applied.then("note the options"):
        _note(run, options, secrets[names(options)[0]])
    return Outcome(_finish(run, params, options, _Made(done.carried, secrets, site, todo)), plan)


def _seen(run: Run, kind: Kind, namespace: str = "") -> list[Object]:
    """All of a kind in the cluster: not everybody may see them.

    Args:
        namespace: where they may be seen in any case.
    """
    try:
        return run.api.list(kind).items
    except AuthError as error:
        if error.code != FORBIDDEN:
            raise
        which = f"{kind.plural} of other namespaces" if namespace else kind.plural
        run.warn(f"The {which} are not looked at before the site is made: {error.message}")
    return run.api.list(kind, namespace).items if namespace else []


def _others(run: Run, options: Mapping[str, Any]) -> list[Object]:
    """What else in the cluster may use volumes of EBS."""
    own = deployments_of(options)
    there = [one for kind in (POD, DEPLOYMENT) for one in _seen(run, kind, options["namespace"])]
    others = [one for one in there if not any(label_of(app) == label_of(one) or runs(app, one) for app in own)]
    return [*others, *_seen(run, VOLUME)]


def _refuse_zone(run: Run, options: Mapping[str, Any]) -> None:
    """A zone in which no node is: only an autoscaler can bring one. Where none is given, and should be, say so.

    Raises:
        InputError: there is none, so that the pods would never run.
    """
    nodes = _seen(run, NODE)
    blind, told = zone_to_give(options, nodes), zone_without_nodes(options, nodes)
    if blind:
        run.warn(blind)
    if not told:
        return
    if not _has_autoscaler(run):
        raise InputError(told)
    run.warn(f"{told}. The cluster's autoscaler has to bring one there.")


def _has_autoscaler(run: Run) -> bool:
    """Whether there is a Cluster Autoscaler, by its status, or Karpenter (EKS Auto Mode, too), by its kind."""
    try:
        if run.api.get(CONFIG_MAP, "cluster-autoscaler-status", "kube-system"):
            return True
    except AuthError as error:
        if error.code != FORBIDDEN:
            raise
    try:
        run.api.kind("karpenter.sh/v1", "NodePool")
    except NotFoundError:
        return False
    return True


def _note(run: Run, options: Mapping[str, Any], secret: Object) -> None:
    """Keep what was given, for the runs that leave it out. What it leads to is in the plan already."""
    if noted_options(secret) != note_of(options):
        change = {"metadata": {"annotations": {NOTE: note_of(options)}}}
        run.api.patch(SECRET, secret["metadata"]["name"], change, options["namespace"])


@dataclass(frozen=True)
class _Applied:
    carried: CarriedOut
    secrets: Mapping[str, Object]


@dataclass(frozen=True)
class _Made:
    """What is there once all objects are; the site itself may still have to be installed."""

    carried: CarriedOut
    secrets: Mapping[str, Object]
    site: Site
    todo: list[Step]


def _values(secret: Object) -> list[str]:
    data = secret.get("data") or {}
    return [*data.values(), *(value_of(secret, name) for name in data)]


def _read(run: Run, params: Mapping[str, Any]) -> There:
    name, namespace = params["name"], params["namespace"]
    looks: list[tuple[Kind, str]] = [
        (DEPLOYMENT, name),
        (SERVICE, name),
        *((SECRET, one) for one in names(params)),
        (DEPLOYMENT, database_name(params)),
        *((VOLUME_CLAIM, claim_name(params, part)) for part in PARTS),
    ]
    reads: dict[str, Callable[[], Object | None]] = {
        f"{kind.kind}/{one}": partial(run.api.get, kind, one, namespace) for kind, one in looks
    }
    reads["namespace"] = partial(run.api.get, NAMESPACE, namespace)
    found = gather(reads)
    if found.pop("namespace") is None:
        raise NotFoundError(f"namespace {namespace} does not exist")
    for thing in found.values():
        if thing is not None:
            require_ours(run, thing, adopt=params["adopt"])
    secrets = {one: thing for one in names(params) if (thing := found[f"Secret/{one}"])}
    rest = [found[f"{kind.kind}/{one}"] for kind, one in looks[4:]]
    return There(
        found[f"Deployment/{name}"], found[f"Service/{name}"], secrets, [thing for thing in rest if thing is not None]
    )


def _service_key(options: Mapping[str, Any]) -> str:
    return f"/Service/{options['namespace']}/{options['name']}"


def _url(options: Mapping[str, Any], service: Object | None) -> str:
    """Where the site is: what is given, or the load balancer, or its name within the cluster."""
    if options["site"].get("url"):
        return str(options["site"]["url"]).rstrip("/")
    if options["service"]["type"] != "LoadBalancer":
        port = options["service"].get("port") or 80
        return f"http://{options['name']}.{options['namespace']}.svc" + ("" if port == 80 else f":{port}")
    found = address([service]) if service and address_of(service) else None
    return found.rstrip("/") if found else LATER


def _apply(run: Run, found: Survey, objects: Plan, missing: list[dict[str, Any]]) -> _Applied:
    """Secrets first: nothing may start with other passwords than those that are kept."""
    made: dict[str, Object] = {}
    sentences: list[str] = []
    for one, step in zip(missing, steps(missing), strict=True):
        with Applied(tuple(sentences), {}).then(step.sentence):
            made[one["metadata"]["name"]] = make(run, one)
        sentences.append(step.sentence)
    before = Applied(tuple(sentences), {})
    with before.then("make the objects"):
        carried = carry_out(run, found, objects, force=True)
    return _Applied(CarriedOut(carried.objects, Applied((*before.done, *carried.applied.done), {})), made)


def _finish(run: Run, params: Mapping[str, Any], options: Mapping[str, Any], made: _Made) -> dict[str, Any]:
    """Wait for what the site needs, install it, wait for the site."""
    if not params["wait"] and not made.todo:
        return {"site": _told(options, made.site.settings, made.carried.objects, [])}
    objects = {f"{one['kind']}/{one['metadata']['name']}": one for one in made.carried.objects.values()}
    site, service = objects[f"Deployment/{options['name']}"], objects[f"Service/{options['name']}"]
    below: list[tuple[Kind, Object]] = [
        (DEPLOYMENT, objects[f"Deployment/{database_name(options)}"]),
        (SERVICE, service),
    ]
    below += [(VOLUME_CLAIM, one) for one in objects.values() if one["kind"] == VOLUME_CLAIM.kind]
    doing = f"make the site {options['name']} usable"
    with made.carried.applied.then(doing):
        latest = wait_ready(run, below)
        service = latest.get(service["metadata"]["uid"], service)
        settings = settings_of(options, _url(options, service))
        secret = made.secrets[names(options)[0]]
        if noted(secret) and not state_of(site).ready:
            require_installed(run, options)
        if made.todo:
            step, ready = made.todo[0], Site(settings, made.site.password, made.site.language)
            prepare(run, options, step, ready, secret)
    prepared = Applied((*made.carried.applied.done, *(step.sentence for step in made.todo)), {})
    with prepared.then(doing):
        now = run.api.get(DEPLOYMENT, options["name"], options["namespace"]) or site
        wait_ready(run, [(DEPLOYMENT, now)])
        with explaining(run, [now, *(thing for _kind, thing in below)]):
            _verify(run, params, service)
        own = deployments_of(options)
        labelled = run.api.list(POD, options["namespace"], labels=f"app in ({','.join(map(name_of, own))})").items
    pods = [one for one in labelled if any(runs(app, one) for app in own)]
    changed = {key_of(service): service}
    return {"site": _told(options, settings, {**made.carried.objects, **changed}, pods)}


def _verify(run: Run, params: Mapping[str, Any], service: Object) -> None:
    verify = params["verify"] or {"http": True, "path": "/", "http_proxy": None}
    url = address([service])
    if verify["http"] and url:
        wait_until_answers(run, url.rstrip("/") + "/" + verify["path"].lstrip("/"), verify["http_proxy"])


def _told(
    options: Mapping[str, Any], settings: Mapping[str, str], objects: Mapping[str, Object], pods: list[Object]
) -> dict[str, Any]:
    """The site as results show it."""
    service = objects.get(_service_key(options))
    url = settings["url"]
    return {
        "name": options["name"],
        "namespace": options["namespace"],
        "url": None if url == LATER else url,
        "title": settings["title"],
        "admin_user": settings["admin_user"],
        "admin_email": settings["admin_email"],
        "credentials_secret": names(options)[0],
        "images": {name: options[name] for name in ("image", "cli_image", "database_image")},
        "storage": {name: value for name, value in options["storage"].items() if value is not None},
        "claims": [place_of(one) for one in objects.values() if one["kind"] == VOLUME_CLAIM.kind],
        "service": service_facts(service) if service else None,
        "pods": [pod_facts(one) for one in pods if not one["metadata"].get("deletionTimestamp")],
    }
