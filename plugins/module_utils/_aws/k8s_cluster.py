# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster on EC2 and all that it needs: read, decide, apply, wait. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import _kubeconfig
from .._checks import writable
from .._cluster_api import Connect
from .._errors import InputError
from .._module import Context, Outcome
from .._parallel import gather
from .._plan import Live, apply, decide
from .api import Aws, Connection
from .control_plane import CONTROL_PLANE, halted
from .k8s_access import KUBECONFIG, Access, wanted_kubeconfig
from .k8s_boot import control_plane_script
from .k8s_cluster_handlers import Tools, cluster_handlers
from .k8s_cluster_lookup import look_up
from .k8s_cluster_options import ClusterOptions
from .k8s_cluster_read import read
from .k8s_cluster_ready import Readiness, Standing, amiss, never_join, outlived
from .k8s_cluster_result import to_result
from .k8s_cluster_teardown import ensure_absent
from .k8s_cluster_wanted import GRAPH, RULES, Scene, role_key, settings, wanted
from .k8s_parameters import read_failed
from .kubernetes_names import KubernetesNames, cluster_tags, kubernetes_mark
from .launch_templates import continued
from .run import Run
from .scaling_groups import SCALING_GROUP


def ensure(context: Context, connect: Connect) -> Outcome:
    """What the module does."""
    absent = context.params["state"] == "absent"
    return ensure_absent(context, connect) if absent else ensure_present(context, connect)


def ensure_present(context: Context, connect: Connect) -> Outcome:
    """The cluster as its options say, with its nodes ready."""
    options, wait = ClusterOptions.from_params(context.params), context.params["wait"]
    if wait and options.ingress == ():
        raise InputError(
            "allowed_cidrs: without any, nobody can reach the API server, and so this task would wait for it in vain",
            hint="Name the addresses that this computer is seen with, or give wait: false.",
        )
    aws = Aws(Connection.from_params(context.params))
    tags = {**options.tags, **cluster_tags(options.name)}
    run = Run(aws, kubernetes_mark(options.name), context.deadline(), context.pace(), tags)
    names, path = KubernetesNames(options.name, aws.region), Path(context.params["kubeconfig"]).expanduser()
    found = read(run, names, path)
    made_with = settings(options, found, aws.region)
    images = look_up(run, options, found, made_with)
    access = Access(run, options.name, connect, context.hide)
    published, live = _told(run, options.name, found, access, wait=wait)
    if CONTROL_PLANE not in found and wait:  # without waiting, a later run does it, which can ask the API server
        live = {**live, **outlived(live)}
    resources = wanted(Scene(run, options, live, made_with, images))
    if published or wait:
        asked = context.params["set_context"]
        current = KUBECONFIG not in live if asked is None else asked
        resources.append(wanted_kubeconfig(options.name, published, current=current))
    there, live = live, continued(resources, live)
    plan = decide(resources, live, GRAPH, RULES)
    if any(step.kind == "kubeconfig" for step in plan.steps):
        writable("kubeconfig", path)
    readiness = Readiness(run, options.name, names.auto_scaling_group, access.api)
    if context.check_mode:
        return Outcome(to_result(options.name, there, Standing(there.get(SCALING_GROUP)), path), plan)

    def user_data(address: str) -> str:
        return control_plane_script(made_with.boot(), address, made_with.addons(aws.region, run.mark.owner))

    tools = Tools(run, names, access, path, live.get(role_key(CONTROL_PLANE)), user_data)
    applied = apply(plan, cluster_handlers(tools), live)
    with applied.then(f"wait for the nodes of cluster {options.name}"):
        standing = _standing(readiness, applied.live, wait=wait)
    return Outcome(to_result(options.name, applied.live, standing, path), plan)


def _told(
    run: Run, cluster: str, found: Mapping[str, Live], access: Access, *, wait: bool
) -> tuple[_kubeconfig.Document | None, Mapping[str, Live]]:
    """What the control plane has published, and what there is, with what is amiss with nodes as it knows them."""
    if CONTROL_PLANE not in found:
        return None, found
    reads = {"access": access.document, "failed": lambda: read_failed(run.aws, cluster)}
    answers: dict[str, Any] = gather(reads)
    if halted(found[CONTROL_PLANE]) or not (answers["access"] or wait):
        return answers["access"], found
    # a control plane that has published nothing yet knows no nodes; those that are older are of one that was lost
    known = access.api().glance() if answers["access"] else ()
    if known is None:  # the wait for the nodes says why
        return answers["access"], found
    lost = never_join(run, found, known, answers["failed"])
    return answers["access"], {**found, **amiss(found, known, lost)}


def _standing(readiness: Readiness, live: Mapping[str, Live], *, wait: bool) -> Standing:
    """How the nodes are; without ``wait``, as far as the API server can be asked already."""
    if wait:
        return readiness.await_ready()
    return readiness.look() if KUBECONFIG in live else Standing(live.get(SCALING_GROUP))
