# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``k8s_wordpress``: chooses present or absent, and carries out absent: what runs goes, data stays unless told.

PRIVATE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._module import Context, Outcome
from .._plan import Plan
from .api import Object
from .carrying_out import carry_out
from .claimed_volumes import claims_of, wait_until_deleted
from .kinds import DEPLOYMENT, SECRET, SERVICE, VOLUME, VOLUME_CLAIM, known
from .object_set import Survey, deletions
from .objects import key_of, secrets_in
from .run import Owner, Run
from .surveying import survey_removal
from .wordpress_options import checked_name
from .wordpress_present import present
from .wordpress_secrets import names
from .wordpress_storage import PARTS, claim_name, volume_name
from .wordpress_wanted import database_name

POLICY = known("NetworkPolicy", "networking.k8s.io/v1")
DATA = frozenset({SECRET.kind, VOLUME.kind, VOLUME_CLAIM.kind})


def ensure(context: Context) -> Outcome:
    """The site as the options say."""
    params = context.params
    checked_name(params)
    run = Run.of(context, Owner("wordpress", f"{params['namespace']}.{params['name']}"))
    if params["state"] == "absent":
        return _absent(context, run)
    return present(context, run)


def _absent(context: Context, run: Run) -> Outcome:
    """What runs goes; what holds data, and the passwords that open it, stays unless told."""
    params = context.params
    kinds = (DEPLOYMENT, SERVICE, POLICY, SECRET, VOLUME_CLAIM)
    needed = [(kind, params["namespace"]) for kind in kinds]
    # volumes are in no namespace: who may not see them has made none
    found = survey_removal(run, others=[*needed, (VOLUME, "")], names=_names(params), needed=needed)
    context.hide(secrets_in(found.extra))  # wherever else somebody wrote them
    doomed = [one for one in found.extra if params["delete_data"] or one["kind"] not in DATA]
    kept = [one for one in found.extra if one not in doomed]
    chosen = Survey((), extra=doomed, kinds=found.kinds)
    plan = Plan(tuple(deletions(doomed)))
    if not run.check_mode:
        done = carry_out(run, chosen, plan, wait=params["wait"])
        if params["delete_data"] and params["wait"]:
            with done.applied.then("wait until the volumes are deleted"):
                claims = [(params["namespace"], claim_name(params, part)) for part in PARTS]
                wait_until_deleted(run, claims, just_now=bool(claims_of(doomed)))
    return Outcome({"site": None, "kept": sorted(_label(one) for one in kept)}, plan)


def _names(params: Mapping[str, Any]) -> set[str]:
    """What a site's own objects are called, also one that a backup has put back."""
    of_parts = {name(params, part) for name in (claim_name, volume_name) for part in PARTS}
    return {params["name"], database_name(params), *names(params), *of_parts}


def _label(thing: Object) -> str:
    return f"{thing['kind']} {key_of(thing).split('/', 2)[2].lstrip('/')}"
