# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment runs by itself: a network agent on each host of old servers, the stacks of its template on new
ones, Kubernetes where it was asked for; and the way to that Kubernetes, through the server.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

import yaml

from lab.containers import Page
from lab.messages import Answer, Request
from lab.rancher.clusters import Clusters
from lab.rancher.errors import RancherError
from lab.rancher.runtime import Running
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource

_TEMPLATES = Path(__file__).with_name("catalog") / "project-templates"
_NETWORK_AGENT = "rancher/agent-instance:v0.8.3"
_API_SERVER = "kube-apiserver"
_KUBELET = "kubelet"
_NO_CGROUPS = "failed to run Kubelet: mountpoint for cpu not found"
_OLD_STACKS = {"kubernetes": ("Kubernetes", "library:kubernetes:7")}


def install(server: RancherServer) -> Orchestration:
    orchestration = Orchestration(server)
    server.on_route("/r/projects/", orchestration.forward)
    server.on_step(orchestration.step)
    return orchestration


class Orchestration:
    """System stacks of all environments of one server."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        self._clusters = Clusters(server.world, server.name)
        server.on_stop(self._clusters.stop)
        self._templates: dict[str, list[dict[str, str]]] = {}
        for path in sorted(_TEMPLATES.glob("*.yml")):
            template = yaml.safe_load(path.read_text(encoding="utf-8"))
            self._templates[template["name"].lower()] = template["stacks"]
            server.store.create(
                "projectTemplate",
                name=template["name"],
                description=template["description"],
                externalId=f"catalog://library:project*{path.stem}:0",
                stacks=[{"type": "catalogTemplate", **stack} for stack in template["stacks"]],
                state="active",
            )

    def step(self) -> None:
        """Once a project has a host, what belongs to it is started there."""
        for project in self._server.store.all("project"):
            if project.gone:
                self._clusters.drop(project.id)
                continue
            hosts = self._server.parts["hosts"].usable(project.id)
            if not hosts or project.state != "active":
                continue
            if self._server.era == "1.1":
                for host in hosts:
                    self._network_agent(project, host)
            if project["orchestration"] == "kubernetes":
                self._run_cluster(project, hosts)
            if not project["systemStacks"]:
                project["systemStacks"] = True
                for name, template_id in self._stacks(project):
                    self._start(project, name, template_id)

    def _stacks(self, project: Resource) -> list[tuple[str, str]]:
        kind = str(project["orchestration"])
        if self._server.era == "1.1":
            return [_OLD_STACKS[kind]] if kind in _OLD_STACKS else []
        return [(stack["name"], stack["templateId"]) for stack in self._templates.get(kind, ())]

    def _start(self, project: Resource, name: str, template_id: str) -> None:
        found = self._server.parts["catalog"].find(template_id)
        if found is None:
            return
        template, version = found
        scheme = "system-catalog" if self._server.era == "1.1" else "catalog"
        stack = self._server.store.create(
            "environment",
            name=name,
            accountId=project.id,
            system=True,
            startOnCreate=True,
            externalId=f"{scheme}://{template.id}:{version.number}",
            dockerCompose=version.files["docker-compose.yml"],
            rancherCompose=version.files["rancher-compose.yml"],
            environment={},
        )
        self._server.processes.start(stack, "create")

    def _network_agent(self, project: Resource, host: Resource) -> None:
        for one in self._server.store.live("instance", hostId=host.id):
            if one["systemContainer"] == "NetworkAgent":
                return
        self._server.parts["instances"].create(
            project.id,
            "Network Agent",
            {"imageUuid": f"docker:{_NETWORK_AGENT}", "privileged": True},
            labels={"io.rancher.container.system": "NetworkAgent"},
            hostId=host.id,
            systemContainer="NetworkAgent",
            publishedPorts=["500:500/udp", "4500:4500/udp"],
        )

    # Kubernetes

    def equip(self, instance: Resource, running: Running) -> None:
        """The API server's health check passes once the real one is ready, if there is to be one."""
        program = (instance["command"] or ())[:1]
        if _API_SERVER in program and self._clusters.possible:
            running.responders[80] = lambda _visit: self._health(str(instance.project))
        if _KUBELET in program and not self._suits(self._server.store.get("host", instance["hostId"])):
            running.log.append((self._server.world.clock.utc(), _NO_CGROUPS))
            self._server.agenda.after(0, lambda: self._server.parts["instances"].ended(instance))

    def _suits(self, host: Resource | None) -> bool:
        """A kubelet before 1.19 does not run on a system that has booted with version 2 of control groups."""
        machine = self._server.parts["hosts"].machine_of(host) if host else None
        return machine is None or machine.cgroups == 1

    def _health(self, project_id: str) -> Page:
        if self._clusters.ready(project_id):
            return Page(200, "ok", "text/plain")
        return Page(500, self._clusters.problem(project_id) or "starting", "text/plain")

    def _run_cluster(self, project: Resource, hosts: list[Resource]) -> None:
        if self._clusters.possible:
            suiting = filter(self._suits, hosts)
            named = [(str(host["hostname"]), str(self._server.parts["hosts"].address(host))) for host in suiting]
            self._clusters.want(project.id, named)

    def forward(self, request: Request, rest: str) -> Answer:
        """/r/projects/ID/kubernetes[:6443]/...: the environment's API server, for keys of this server."""
        found = re.match(r"(?P<project>[^/]+)/kubernetes(?::6443)?(?P<path>/.*)?$", rest)
        if found is None:
            raise RancherError(404)
        project = self._server.store.get("project", found["project"])
        account = self._account(request.headers.get("authorization", ""))
        accounts = self._server.parts["accounts"]
        if self._server.parts["logins"].secure and (account is None or not accounts.reaches(account, found["project"])):
            raise RancherError(401)
        if project is None or project["orchestration"] != "kubernetes" or not self._ready(project):
            raise RancherError(503)
        if not self._clusters.ready(project.id):
            raise NotImplementedError("the Kubernetes behind an environment, unless its programs are built")
        return self._clusters.forward(project.id, request, found["path"] or "/")

    def _account(self, authorization: str) -> Resource | None:
        """Basic `public:secret`, or the same again as a bearer's token."""
        scheme, _unused, value = authorization.partition(" ")
        text = _decoded(value)
        if scheme.lower() == "bearer":
            text = _decoded(text.removeprefix("Basic "))
        public, _unused, secret = text.partition(":")
        found: Resource | None = self._server.parts["keys"].account_of(public, secret)
        return found

    def _ready(self, project: Resource) -> bool:
        """Is its API server's service healthy?"""
        services = self._server.parts["services"]
        found = services.find(project.id, "kubernetes/kubernetes")
        return found is not None and services.health.of_service(found) == "healthy"


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip()).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
