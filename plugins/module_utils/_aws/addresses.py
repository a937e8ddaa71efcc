# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Elastic IP: an address that is known before its instance is there, and stays when it restarts. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._ownership import only_one
from .._plan import Live, Spec, Step, keyed
from .._retry import create_once
from .api import from_tags, tag_filter, tag_specifications
from .ec2 import awaited, retag
from .run import Run

ADDRESS = "address"  # keys of a plan, and parts in the mark
ADDRESS_ASSOCIATION = "address-association"


def read_address(run: Run) -> dict[str, Live]:
    """Our address, and what it is associated with, by key.

    Raises:
        ConflictError: there are several.
    """
    found = find_addresses(run)
    only_one([one.id for one in found], f"the address of {run.mark.owner}")
    if not found:
        return {}
    address = found[0]
    instance = address.attributes["instance"]
    return {ADDRESS: address} | keyed(_association(address.name, address.id, instance) if instance else None)


def find_addresses(run: Run) -> list[Live]:
    """All our addresses; the first is the one to keep, if runs that did not know of each other have made several."""
    filters = {"Filters": tag_filter(run.mark.tags(ADDRESS))}
    doing = f"look for the address of {run.mark.owner}"
    found = run.aws.call("ec2", "DescribeAddresses", filters, doing=doing)["Addresses"]
    return sorted(map(live_address, found), key=_less_needed)


def _less_needed(address: Live) -> tuple[bool, str]:
    """That of the control plane is needed more than others, of which it does not matter which one is kept."""
    return (not address.attributes["instance"], address.id)


def live_address(address: Mapping[str, Any]) -> Live:
    """An address of DescribeAddresses."""
    public_ip = address["PublicIp"]
    spec = {"tags": from_tags(address.get("Tags"))}
    attributes = {"public_ip": public_ip, "instance": address.get("InstanceId")}
    return Live(ADDRESS, "address", public_ip, address["AllocationId"], spec, attributes)


def _association(name: str, allocation: str, instance: str) -> Live:
    spec = {"allocation": allocation, "instance": instance}
    return Live(ADDRESS_ASSOCIATION, "address_association", name, allocation, spec)


class Addresses:
    """Addresses have neither a name nor a client token: something else has to say who may allocate one.

    Args:
        patience: seconds for which another run may still be allocating it.
    """

    def __init__(self, run: Run, patience: Callable[[], float]) -> None:
        self._run = run
        self._patience = patience

    def create(self, step: Step, spec: Spec) -> Live:
        request = {"Domain": "vpc", "TagSpecifications": tag_specifications("elastic-ip", spec["tags"])}

        def create() -> Live:
            return live_address(self._run.aws.call("ec2", "AllocateAddress", request, doing=step.sentence))

        there = awaited(self._run, self._find, self._patience(), "address")
        return there or self._without_twin(step, create_once(create, self._find, self._run.aws.policy))

    def _without_twin(self, step: Step, made: Live) -> Live:
        """The one address to keep: two runs that go on with what an earlier one has begun both allocate one."""
        kept = min([made, *find_addresses(self._run)], key=_less_needed)
        if kept.id != made.id:
            self.delete(step, made)
        return kept

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        retag(self._run, step, spec["tags"], live.id)
        return live

    def delete(self, step: Step, live: Live) -> None:
        run, request = self._run, {"AllocationId": live.id}
        run.aws.delete("ec2", "ReleaseAddress", request, doing=step.sentence, deadline=run.deadline, pace=run.pace)

    def _find(self) -> Live | None:
        return next(iter(find_addresses(self._run)), None)


class AddressAssociations:
    """Associations with spec ``{allocation, instance}``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(self, step: Step, spec: Spec) -> Live:
        request = {"AllocationId": spec["allocation"], "InstanceId": spec["instance"], "AllowReassociation": True}
        self._run.aws.call("ec2", "AssociateAddress", request, doing=step.sentence, settles=True)
        return _association(step.name, spec["allocation"], spec["instance"])

    def update(self, step: Step, spec: Spec, _live: Live) -> Live:
        return self.create(step, spec)

    def delete(self, step: Step, live: Live) -> None:
        """Nothing to do: it goes with its instance."""
