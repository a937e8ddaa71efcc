# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One app gone from its cluster, with everything that was only its own, and a look at the end. PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence

from .._module import Context, Outcome
from .._plan import Live, Plan, after, apply, dismantle
from .api import Aws, Connection
from .app_options import AppOptions, default_log_group
from .ecs_app import APP_GRAPH, Names, app_handlers, find_app
from .ecs_app_read import Group, app_groups, security_groups
from .ecs_app_result import to_result
from .ecs_app_shared import Ports, shared_parts
from .ecs_app_wanted import BALANCER_GROUP_KIND, balancer_of, target_group_name
from .load_balancer_v2 import refuse_others_behind
from .marked import await_gone
from .names import app_mark
from .run import Run
from .service import SERVICE

TELLING_KINDS = ("service", "listener", "classic_load_balancer")  # which tell what the app has of shared load balancers


def ensure_absent(context: Context) -> Outcome:
    """No app, and nothing left of it. What it shared with others stays."""
    options = AppOptions.from_params(context.params)
    aws = Aws(Connection.from_params(context.params))
    run = Run(aws, app_mark(options.cluster, options.name), context.deadline(), context.pace())
    groups = security_groups(run)
    live = _find(run, options, groups)
    refuse_others_behind(run, live.values())
    ports = Ports(run, options, live.get(SERVICE))
    shared = shared_parts(run, options, live, groups, ports)
    # once the service is gone nobody knows any more which of the listeners was its own
    plan = shared + after(dismantle(live.values(), APP_GRAPH), shared, TELLING_KINDS)
    if plan.changed and not context.check_mode:
        handlers = app_handlers(run)
        applied = apply(plan, handlers, live)
        doing = f"look whether anything is left of app {options.name}"
        with applied.then(doing):
            # of two apps that go at the same time, each has spared what the other was there for
            late = shared_parts(run, options, live, security_groups(run), ports.once_more()) if ports.spared else Plan()
            plan += late
            with apply(late, handlers, live).then(doing):
                await_gone(run, lambda: _find(run, options, security_groups(run)).values(), doing)
    return Outcome(to_result(options.name, options.cluster, None, front=None, tasks=[]), plan)


def _find(run: Run, options: AppOptions, groups: Sequence[Group]) -> dict[str, Live]:
    own = app_groups(run, groups)
    return {one.key: one for one in (*find_app(run, options.cluster, _names(options, own)), *own)}


def _names(options: AppOptions, groups: Sequence[Live]) -> Names:
    """What the app's things are called, if an earlier run made them so late that the tagging API does not know them.

    Args:
        groups: the security groups of its own load balancers, each of which is made before the load balancer.
    """
    given = options.balancer if options.balancer and options.balancer.type != "none" else None
    balancers = {balancer_of(one) for one in groups if one.kind == BALANCER_GROUP_KIND}
    balancers |= {given.name} if given and not given.shared else set()
    grouped = not given.classic if given else bool(balancers)
    return Names(
        families=frozenset({str(options.with_family(None).family)}),
        balancers=frozenset(balancers),
        target_groups=frozenset({target_group_name(options)} if grouped else ()),
        log_groups=frozenset({options.log.group if options.log else default_log_group(options.cluster, options.name)}),
    )
