# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets of a hosted zone: read, decide, change in batches, wait until all name servers know. PRIVATE."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .._clock import Deadline
from .._errors import InputError, NotFoundError, PartialError
from .._module import Context, Outcome
from .._plan import Applied, Live, Plan, Wanted
from .._wait import Acceptor, Pace, success, wait_until
from .api import Aws, Connection
from .dns_batches import batches
from .dns_names import bare_id, canonical_name
from .dns_records import (
    change_of,
    decide_absent,
    decide_present,
    live_record,
    name_of,
    to_result,
    unwanted_keys,
    wanted_records,
)
from .dns_zones import Zone, ZoneChoice, find_zone, read_records

HOME_REGION = "us-east-1"  # Route 53 is one service for all regions; the region only serves to find its endpoint
IN_SYNC = (Acceptor("ChangeInfo.Status", "INSYNC"),)  # of a change as it is sent, and as it is looked at
TRIES = 3


def ensure(context: Context) -> Outcome:
    """The module route53_records."""
    choice, waiting = ZoneChoice.from_params(context.params), Waiting.of(context)
    if choice.name:
        Request.from_params(context.params, choice.name)  # what cannot be is refused before the first call
    aws = Aws(Connection.from_params(context.params), default_region=HOME_REGION)
    zone = find_zone(aws, choice)
    if zone is None:
        return _without_zone(context, choice)
    request = Request.from_params(context.params, zone.name)
    live = read_records(aws, zone, request.names)
    plan = request.plan(live)
    if not context.check_mode:
        live = Changes(aws, zone, request, waiting).make(plan, live)
    records = [to_result(live[want.key]) for want in request.wanted if want.key in live]
    return Outcome({"zone": zone.name, "zone_id": zone.id, "records": records}, plan)


def _without_zone(context: Context, choice: ZoneChoice) -> Outcome:
    """A zone that is not there has no record sets, which is all that absent asks for."""
    plan = Plan()
    if context.params["state"] == "present":
        if not (context.check_mode and choice.name):
            raise NotFoundError(
                f"the {choice.label} does not exist",
                hint="Make it first, or give the name of the zone that the records are in.",
            )
        context.warn(f"The {choice.label} does not exist yet. It has to be there when this is not a check.")
        plan = Request.from_params(context.params, choice.name).plan({})
    return Outcome({"zone": choice.name, "zone_id": choice.id, "records": []}, plan)


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        zone: the name of the zone.
        wanted: record sets that should be there.
        unwanted: keys of record sets that should not.
        purge: whether all record sets that are not wanted should go.
    """

    zone: str
    wanted: tuple[Wanted, ...] = ()
    unwanted: frozenset[str] = frozenset()
    purge: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any], zone: str) -> Request:
        """The request that the module's options describe.

        Raises:
            InputError: it cannot be.
        """
        if params["state"] == "absent":
            if params["purge"]:
                raise InputError(
                    "purge and state: absent exclude one another",
                    hint="Give state: present with the records that should stay; records: [] if none.",
                )
            return cls(zone, unwanted=frozenset(unwanted_keys(params["records"], zone)))
        if params["purge"] and canonical_name(params["purge_confirm"]) != zone:
            raise InputError(
                f"purge_confirm is {params['purge_confirm']!r}, but the zone is {zone}",
                hint="purge deletes all record sets that are not listed: purge_confirm has to name the zone.",
            )
        return cls(zone, tuple(wanted_records(params["records"], zone)), purge=params["purge"])

    @property
    def keys(self) -> frozenset[str]:
        """All record sets that are spoken of."""
        return self.unwanted | {want.key for want in self.wanted}

    @property
    def names(self) -> frozenset[str] | None:
        """The names that have to be read, None for all."""
        return None if self.purge else frozenset(map(name_of, self.keys))

    def plan(self, live: Mapping[str, Live]) -> Plan:
        """What has to be changed."""
        if self.unwanted:
            return decide_absent(self.unwanted, live)
        return decide_present(self.wanted, live, self.zone, purge=self.purge)


@dataclass(frozen=True)
class Waiting:
    """Whether and how long to wait for the name servers."""

    wanted: bool
    deadline: Deadline
    pace: Pace

    @classmethod
    def of(cls, context: Context) -> Waiting:
        """As the module's options say."""
        return cls(context.params["wait"], context.deadline(), context.pace())


@dataclass(frozen=True)
class Changes:
    """Carries plans out, in batches.

    Attributes:
        done: the steps that were carried out.
        pending: ids of changes that not all name servers know yet.
    """

    aws: Aws
    zone: Zone
    request: Request
    waiting: Waiting
    done: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)

    def make(self, plan: Plan, live: Mapping[str, Live]) -> dict[str, Live]:
        """Make the changes and wait until they are known. Returns the record sets as they are then."""
        now = dict(live)
        for _again in range(TRIES - 1):
            try:
                self._send(plan, now)
                break
            except PartialError as error:
                if error.code != "InvalidChangeBatch":
                    raise
                # The zone is not as it was read: another run was faster, or a request was sent again because the answer
                # to the first one, which had worked, was lost. What is still to do then is another plan.
                now = read_records(self.aws, self.zone, self.request.names)
                rest = self.request.plan(now)
                if rest == plan:
                    raise
                plan = rest
        else:
            self._send(plan, now)
        if self.waiting.wanted:
            self._wait()
        return now

    def _send(self, plan: Plan, now: dict[str, Live]) -> None:
        for batch in batches(plan.steps):
            doing = f"change {len(batch)} record sets of {self.zone.name}"
            changes = [change_of(step) for step in batch]
            request = {"HostedZoneId": self.zone.id, "ChangeBatch": {"Changes": changes}}
            with self._so_far(doing):
                answer = self.aws.call("route53", "ChangeResourceRecordSets", request, doing=doing)
            self.done.extend(step.sentence for step in batch)
            if not success(IN_SYNC)(answer):
                self.pending.append(bare_id(answer["ChangeInfo"]["Id"]))
            for step, change in zip(batch, changes, strict=True):
                if step.action == "delete":
                    del now[step.key]
                else:
                    now[step.key] = live_record(change["ResourceRecordSet"])

    def _wait(self) -> None:
        doing = f"wait until all name servers of {self.zone.name} know the changes"
        with self._so_far(doing):
            for change in self.pending:
                wait_until(
                    partial(self.aws.call, "route53", "GetChange", {"Id": change}, doing=doing, settles=True),
                    ready=success(IN_SYNC),
                    describe=lambda answer: answer["ChangeInfo"]["Status"],
                    hint="Route 53 has taken the change and goes on by itself, usually for less than a minute.",
                    deadline=self.waiting.deadline,
                    doing=doing,
                    pace=self.waiting.pace,
                )

    def _so_far(self, doing: str) -> AbstractContextManager[None]:
        return Applied(tuple(self.done), {}).then(doing)
