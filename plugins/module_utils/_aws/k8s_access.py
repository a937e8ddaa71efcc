# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a cluster's API server, and into the user's kubeconfig, by what its control plane publishes. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import _kubeconfig
from .._cluster_api import ClusterApi, Connect
from .._errors import ConflictError, NotFoundError, NotOursError, SchedulersError
from .._plan import Live, Ref, Spec, Step, Wanted
from .._wait import wait_until
from .addresses import ADDRESS, find_addresses
from .control_plane import halted, read_control_plane
from .k8s_cluster_options import API_PORT
from .k8s_parameters import ADMIN, PENDING, PROGRESS, Progress, read_value
from .run import Run

KUBECONFIG = "kubeconfig"  # key of a plan
OWN_FILE = "Give this cluster a file of its own."
LATER = "(known once the control plane is up)"


def context_name(cluster: str) -> str:
    """The name of cluster, user and context in a kubeconfig, as in the chapter."""
    return f"aws_{cluster}"


class Access:
    """What the control plane has published, read when it is first needed.

    Args:
        connect: makes the client for a kubeconfig.
        hide: keeps values out of results and errors.
    """

    def __init__(self, run: Run, cluster: str, connect: Connect, hide: Callable[[Iterable[Any]], None]) -> None:
        self._run = run
        self._cluster = cluster
        self._connect = connect
        self._hide = hide
        self._document: _kubeconfig.Document | None = None
        self._api: ClusterApi | None = None

    def document(self) -> _kubeconfig.Document | None:
        """A kubeconfig with the cluster's entries as they are now, None as long as nothing is published."""
        published = read_value(self._run.aws, self._cluster, ADMIN)
        address = next(iter(find_addresses(self._run)), None)
        if published == PENDING or address is None:
            return None
        self._hide([published])
        document = _kubeconfig.parse(published, f"what the control plane of {self._cluster} has published")
        server = f"https://{address.value('public_ip')}:{API_PORT}"
        found = _kubeconfig.entries(document, context_name(self._cluster), server, self._run.aws.region)
        self._hide(found["users"][0]["user"].values())
        self._document = found
        return found

    def api(self) -> ClusterApi:
        """The API server.

        Raises:
            NotFoundError: the control plane has not published how to get there.
        """
        if self._api is None:
            document = self._document or self.document()
            if document is None:
                raise NotFoundError(f"the control plane of cluster {self._cluster} has published no credentials yet")
            self._api = self._connect(document)
        return self._api


def read_kubeconfig(path: Path, cluster: str, region: str) -> Live | None:
    """The cluster's entries in a file.

    Raises:
        InputError: the file is not a kubeconfig.
        NotOursError: the entries of the name are those of a cluster in another region.
    """
    document, name = _kubeconfig.load(path), context_name(cluster)
    entry = _kubeconfig.fingerprint(document, name)
    if not entry:
        return None
    other = _kubeconfig.region_of(document, name)
    if other and other != region:
        raise NotOursError(
            f"kubeconfig: the context {name} in {path} is that of cluster {cluster} in {other}", hint=OWN_FILE
        )
    clusters = (one.get("cluster") or {} for one in document.get("clusters") or () if one.get("name") == name)
    server = str(next(clusters, {}).get("server", ""))
    spec = {
        "address": urlsplit(server).hostname,
        "entry": entry,
        "current": document.get("current-context") == name,
    }
    return Live(KUBECONFIG, "kubeconfig", name, str(path), spec, {"region": other})


def leads_elsewhere(entry: Live, address: Live | None) -> bool:
    """Whether entries of the cluster's name do not say where their cluster is, and have not its address. Pure."""
    return not entry.attributes["region"] and entry.spec["address"] != (address and address.value("public_ip"))


def refuse_stranger(live: Mapping[str, Live]) -> None:
    """Refuse to overwrite entries that somebody else has written for something else.

    Raises:
        NotOursError: there are such entries.
    """
    entry = live.get(KUBECONFIG)
    if entry and leads_elsewhere(entry, live.get(ADDRESS)):
        raise NotOursError(
            f"kubeconfig: the context {entry.name} in {entry.id} leads to {entry.spec['address'] or 'nowhere'}, "
            f"which is not this cluster",
            hint=OWN_FILE,
        )


def wanted_kubeconfig(cluster: str, published: _kubeconfig.Document | None, *, current: bool) -> Wanted:
    """The entries as they should be.

    Args:
        published: what the control plane has published, if it has.
        current: whether its context is to be the current one; if not, whichever is stays.
    """
    name = context_name(cluster)
    spec = {
        "address": Ref(ADDRESS, "public_ip"),
        "entry": _kubeconfig.fingerprint(published, name) if published else LATER,
        "current": True if current else None,
    }
    return Wanted(KUBECONFIG, "kubeconfig", name, spec)


class Kubeconfigs:
    """Entries with spec ``{address, entry, current}``. They can be made once the control plane has booted."""

    def __init__(self, run: Run, access: Access, cluster: str, path: Path) -> None:
        self._run = run
        self._access = access
        self._cluster = cluster
        self._path = path

    def create(self, step: Step, spec: Spec) -> Live:
        await_booted(self._run, self._cluster)
        document = self._access.document()
        if document is None:
            raise ConflictError("the control plane is up and has published no credentials", doing=step.sentence)
        self._change(lambda there: _with(there, document, current=bool(spec.get("current"))))
        live = read_kubeconfig(self._path, self._cluster, self._run.aws.region)
        if live is None:
            raise ConflictError(f"{self._path} does not hold what was written to it", doing=step.sentence)
        return live

    def update(self, step: Step, spec: Spec, _live: Live) -> Live:
        return self.create(step, spec)

    def delete(self, _step: Step, live: Live) -> None:
        self._change(lambda there: _kubeconfig.without(there, live.name))

    def _change(self, how: Callable[[_kubeconfig.Document], _kubeconfig.Document]) -> None:
        try:
            _kubeconfig.change(self._path, how)
        except OSError as error:
            raise SchedulersError(f"kubeconfig: {self._path} cannot be written ({error})") from error


def _with(there: _kubeconfig.Document, ours: _kubeconfig.Document, *, current: bool) -> _kubeconfig.Document:
    """A kubeconfig with the cluster's entries; its context becomes the current one if it is to, or if there is none."""
    new = _kubeconfig.merged(there, ours)
    chosen = there.get("current-context")
    return {**new, "current-context": chosen} if chosen and not current else new


def await_booted(run: Run, cluster: str) -> None:
    """Until the control plane has said that it is up.

    Raises:
        StateFailedError: it has said that it failed, and at what; or it does not run any more.
        WaitTimeoutError: it has said neither; the message has the last step.
    """

    def look() -> tuple[Live | None, Progress]:
        return read_control_plane(run), Progress.parse(read_value(run.aws, cluster, PROGRESS))

    def ours(found: tuple[Live | None, Progress]) -> Progress:
        instance, progress = found
        return progress if instance and progress.instance == instance.id else Progress()

    wait_until(
        look,
        ready=lambda found: ours(found).state == "done",
        failed=lambda found: _hopeless(cluster, found[0], ours(found)),
        describe=lambda found: f"the step '{ours(found).step}'" if ours(found).step else "no word from the instance",
        deadline=run.deadline,
        doing=f"wait for the control plane of cluster {cluster}",
        hint="The console of the instance (ec2 get-console-output) shows how far it came.",
        pace=run.pace,
    )


def _hopeless(cluster: str, instance: Live | None, progress: Progress) -> str | None:
    """Why a control plane will not come up, and what to do: as it never was up, nothing is lost with it. Pure."""
    if instance is None:
        return f"the control plane of {cluster} is gone"
    failure = progress.failure()
    remedy = "Nothing is on it yet: terminate it, and run the task again"
    return halted(instance) or (f"{failure}. {remedy}" if failure else None)
