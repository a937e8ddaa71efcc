# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster has in its cloud by way of its own objects: load balancers and volumes.

A cluster that is taken down has to let go of them first, through its controllers: later nobody deletes them. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._errors import NotFoundError
from .._parallel import gather
from .api import Api, Object
from .kinds import POD, SERVICE, VOLUME, VOLUME_CLAIM, Kind
from .objects import controller_of, key_of, name_of, namespace_of, place_of
from .ready import address_of
from .run import Run
from .waiting import wait_gone


@dataclass(frozen=True)
class CloudObjects:
    """What of a cluster lives in its cloud.

    Attributes:
        services: those with a load balancer.
        claims: those whose volume was made for them.
        volumes: what they are bound to, by the claim's namespace and name.
        pods: the pods that use the claims.
    """

    services: list[Object]
    claims: list[Object]
    volumes: dict[str, Object]
    pods: list[Object]

    def facts(self) -> dict[str, Any]:
        """The same as results show it."""
        return {
            "load_balancers": [{"service": place_of(one), "address": address_of(one)} for one in self.services],
            "volumes": [
                {"claim": place, "volume": name_of(one), "handle": handle_of(one)}
                for place, one in self.volumes.items()
            ],
        }


def find_cloud_objects(api: Api) -> CloudObjects:
    """Look at all namespaces."""
    kinds = (SERVICE, VOLUME_CLAIM, VOLUME, POD)
    reads: dict[str, Callable[[], list[Object]]] = {kind.kind: partial(_all, api, kind) for kind in kinds}
    found = gather(reads)
    return chosen(*(found[kind.kind] for kind in kinds))


def _all(api: Api, kind: Kind) -> list[Object]:
    return api.list(kind).items


def chosen(
    services: Iterable[Object], claims: Iterable[Object], volumes: Iterable[Object], pods: Iterable[Object]
) -> CloudObjects:
    """What of all objects lives in the cloud. Pure."""
    bound = {place: one for one in volumes if (place := _claim_of(one)) and _goes_with_claim(one)}
    doomed = [one for one in claims if place_of(one) in bound]
    places = {place_of(one) for one in doomed}
    return CloudObjects(
        [one for one in services if (one.get("spec") or {}).get("type") == "LoadBalancer"],
        doomed,
        bound,
        [one for one in pods if places & set(claims_of(one))],
    )


def _claim_of(volume: Object) -> str:
    reference = (volume.get("spec") or {}).get("claimRef") or {}
    return f"{reference.get('namespace')}/{reference.get('name')}" if reference else ""


def _goes_with_claim(volume: Object) -> bool:
    return (volume.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Delete"


def claims_of(pod: Object) -> list[str]:
    """The claims that a pod uses, as namespace and name."""
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    names = [one["persistentVolumeClaim"]["claimName"] for one in volumes if one.get("persistentVolumeClaim")]
    names += [f"{name_of(pod)}-{one['name']}" for one in volumes if one.get("ephemeral")]
    return [f"{namespace_of(pod)}/{name}" for name in names]


def handle_of(volume: Object) -> str:
    """What the cloud calls a volume; empty if it is none of a cloud's."""
    spec = volume.get("spec") or {}
    handle = (spec.get("csi") or {}).get("volumeHandle") or (spec.get("awsElasticBlockStore") or {}).get("volumeID")
    return str(handle or "").rpartition("/")[2]


def release(run: Run, *, claims: bool) -> CloudObjects:
    """Delete all services with a load balancer and, if told, all claims whose volume goes with them.

    A claim in use does not go: so what runs the pods that use it goes before. Ends when the cluster's controllers have
    let go of everything.

    Raises:
        WaitTimeoutError: something is still there; says what holds it.
    """
    found = find_cloud_objects(run.api)
    doomed: list[tuple[Kind, Object]] = [(SERVICE, one) for one in found.services]
    if claims:
        doomed += [*_runners(run.api, found.pods), *((VOLUME_CLAIM, one) for one in found.claims)]
    gather({f"{kind.kind} {place_of(one)}": partial(_delete, run.api, kind, one) for kind, one in doomed})
    wait_gone(run, doomed)
    if claims:
        wait_gone(run, [(VOLUME, one) for one in found.volumes.values()])
    return found


def _delete(api: Api, kind: Kind, thing: Object) -> bool:
    foreground = kind not in (SERVICE, VOLUME_CLAIM, POD)
    return api.delete(kind, name_of(thing), namespace_of(thing), uid=thing["metadata"]["uid"], foreground=foreground)


def _runners(api: Api, pods: Iterable[Object]) -> list[tuple[Kind, Object]]:
    """What keeps pods running: the controller of the controller, or the pod itself."""
    found: dict[str, tuple[Kind, Object]] = {}
    for pod in pods:
        kind, thing = POD, pod
        while above := controller_of(thing):
            try:
                upper = api.kind(above["apiVersion"], above["kind"])
            except NotFoundError:
                break
            owner = api.get(upper, above["name"], namespace_of(thing))
            if owner is None:
                break
            kind, thing = upper, owner
        found[key_of(thing)] = (kind, thing)
    return list(found.values())
