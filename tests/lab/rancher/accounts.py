# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts and projects ("environments" in the web page): members, what a new one gets, how one goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lab.rancher.context import Caller, Context
from lab.rancher.errors import RancherError, invalid
from lab.rancher.schema import LESSER
from lab.rancher.server import RancherServer
from lab.rancher.store import Resource
from lab.rancher.views import show

_OWNED = (
    "environment", "service", "instance", "host", "physicalHost", "credential", "volume", "storagePool", "port",
    "ipAddress", "serviceConsumeMap", "serviceExposeMap", "projectMember", "mount", "network",
)  # fmt: skip
_LINKS = {
    "environments": "environment",
    "stacks": "environment",
    "physicalhosts": "physicalHost",
    "ipaddresses": "ipAddress",
    "storagepools": "storagePool",
    "serviceconsumemaps": "serviceConsumeMap",
    "serviceexposemaps": "serviceExposeMap",
    "projectmembers": "projectMember",
}
_ORCHESTRATIONS = ("kubernetes", "swarm", "mesos")
_PORTS = {"type": "servicesPortRange", "startPort": 49153, "endPort": 65535}


def install(server: RancherServer) -> Accounts:
    accounts = Accounts(server)
    server.on_create("project", accounts.create_project)
    server.on_create("account", accounts.create_account)
    server.on_create("network", accounts.create_network)
    server.on_select("project", accounts.lists)
    server.on_action("project", "setmembers", accounts.set_members)
    server.on_action("project", "delete", lambda context, project, _body: accounts.delete(context, project, {}))
    server.on_delete("project", accounts.delete)
    server.on_change("project", accounts.change)
    server.on_show("account", accounts.show)
    server.on_show("projectMember", lambda _context, member: {"projectId": member.project})
    server.on_link("projectMember", "project", lambda _context, member: [server.store.need("project", member.project)])
    for kind in ("project", "account"):
        for base in _OWNED:
            name = next((link for link, found in _LINKS.items() if found == base), base.lower() + "s")
            server.on_link(kind, name, accounts.owned(base))
            if base == "environment":
                server.on_link(kind, "stacks", accounts.owned(base))
    for base in _OWNED:
        server.on_link(base, "account", accounts.account_of)
    for kind in ("account", "network"):
        server.processes.follow(kind, "create", "activate")
    server.processes.on_work("account", "remove", accounts.empty, then="purge")
    server.processes.follow("projectMember", "create", "activate")
    return accounts


class Accounts:
    """The accounts that a fresh server has, and all later ones."""

    def __init__(self, server: RancherServer) -> None:
        self._server = server
        store = server.store
        self.admin = store.create("account", name="admin", kind="admin", state="active", uuid="admin")
        for name, kind in (("system", "system"), ("service", "service"), ("token", "token")):
            store.create("account", name=name, kind=kind, state="active", uuid=name)
        default = store.create("project", name="Default", uuid="adminProject", state="active", **_defaults(server))
        self._set_members(default, [_member_of(self.admin)])

    # Who may see what

    def projects(self, caller: Caller) -> list[Resource]:
        """Those that the caller works in."""
        if caller.project is not None:
            return [caller.project]
        return [one for one in self._server.store.live("project") if self.may_see(caller, one.id)]

    def may_see(self, caller: Caller, project_id: str) -> bool:
        if caller.project is not None:
            return project_id == caller.project.id
        if caller.role == "admin":
            return True
        return caller.account is not None and (
            project_id == caller.account.id or self._role(caller.account, project_id) is not None
        )

    def role_in(self, caller: Caller, project_id: str) -> str:
        """What its types are for the caller: project, or for members who may do less, readonly or restricted."""
        role = None if caller.role == "admin" or caller.account is None else self._role(caller.account, project_id)
        return role if role in LESSER else "project"

    def lists(self, context: Context, project: Resource, query: Mapping[str, str]) -> bool:
        """Is it in a list? An administrator may see every project, and has to ask for those of others."""
        caller = context.caller
        if caller.role != "admin" or caller.account is None or "id" in query or "uuid" in query:
            return True
        return query.get("all", "").lower() == "true" or self._role(caller.account, project.id) is not None

    def reaches(self, account: Resource, project_id: str) -> bool:
        """May somebody with a key of this account use the project?"""
        if account.kind == "project":
            return account.id == project_id
        role = "admin" if account["kind"] == "admin" else "user"
        return self.may_see(Caller(role, account), project_id)

    def knows(self, caller: Caller, resource: Resource) -> bool:
        """Things without an owner: projects and accounts, and what belongs to the server."""
        if resource.kind == "project":
            return self.may_see(caller, resource.id)
        if resource.base == "account":
            return resource is caller.account
        return True

    def home(self, caller: Caller) -> Resource:
        """Where things are made when no project is named."""
        found = [one for one in self.projects(caller) if one.state == "active"]
        if not found:
            raise RancherError(403)
        return found[0]

    def _role(self, account: Resource, project_id: str) -> str | None:
        identities = {(account["externalIdType"], account["externalId"]), ("rancher_id", account.id)}
        identities |= set(account["groups"] or ())
        for member in self._server.store.live("projectMember", accountId=project_id):
            if (member["externalIdType"], member["externalId"]) in identities:
                return str(member["role"])
        return None

    # Projects

    def create_project(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        members = fields.pop("members", None)
        secure = self._server.parts["logins"].secure
        if not members and context.caller.account is not None:
            members = [_member_of(context.caller.account)]
        if secure and not any(member.get("role") == "owner" for member in members or ()):
            raise invalid("MissingRequired", "members")
        chosen = {name: value for name, value in fields.items() if value is not None}
        fields = {**_defaults(self._server), **chosen, **self._orchestration(fields)}
        project = self._server.store.create(kind, **fields)
        self._set_members(project, members or [])
        self._server.processes.start(project, "create")
        return project

    def make_default(self, account: Resource, name: str) -> Resource:
        """The environment of a new user."""
        project = self._server.store.create("project", name=name, state="active", **_defaults(self._server))
        self._set_members(project, [_member_of(account)])
        return project

    def _orchestration(self, fields: dict[str, Any]) -> dict[str, Any]:
        """/v1 says it with booleans, /v2-beta with a template."""
        template = self._server.store.get("projectTemplate", fields.get("projectTemplateId"))
        if template is not None:
            name = template.name.lower()
            return {"orchestration": name, **({name: True} if name in _ORCHESTRATIONS else {})}
        return {"orchestration": next((name for name in _ORCHESTRATIONS if fields.get(name)), "cattle")}

    def create_account(self, _context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        account = self._server.store.create(kind, **{k: v for k, v in fields.items() if v is not None})
        self._server.processes.start(account, "create")
        return account

    def create_network(self, context: Context, kind: str, fields: dict[str, Any]) -> Resource:
        chosen = {name: value for name, value in fields.items() if value is not None}
        network = self._server.store.create(kind, **{**chosen, "accountId": context.owner().id})
        self._server.processes.start(network, "create")
        return network

    def set_members(self, context: Context, project: Resource, body: dict[str, Any]) -> dict[str, Any]:
        members = body["members"]
        if self._server.parts["logins"].secure and not any(one.get("role") == "owner" for one in members):
            raise invalid("InvalidFormat", "members", "Every project must have at least one owner")
        self._set_members(project, members)
        shown = [show(context, one) for one in self._server.store.live("projectMember", accountId=project.id)]
        return {"type": "setProjectMembersInput", "members": shown, "links": {}, "actions": {}}

    def _set_members(self, project: Resource, members: Iterable[dict[str, Any]]) -> None:
        store = self._server.store
        wanted = {(one.get("externalIdType"), one.get("externalId")): one for one in members}
        for member in store.live("projectMember", accountId=project.id):
            key = (member["externalIdType"], member["externalId"])
            if key in wanted:
                member["role"] = wanted.pop(key).get("role", "member")
            else:
                self._server.parts["cleaner"].forget(member)
        for (id_type, external_id), one in wanted.items():
            store.create(
                "projectMember",
                accountId=project.id,
                externalIdType=id_type,
                externalId=external_id,
                role=one.get("role", "member"),
                name=one.get("name"),
                state="active",
            )

    def owns(self, caller: Caller, project: Resource) -> bool:
        """May they change the project itself? Other members are offered no actions of it."""
        return caller.role != "user" or (
            caller.account is not None and self._role(caller.account, project.id) == "owner"
        )

    def change(self, context: Context, project: Resource, _changes: dict[str, Any]) -> None:
        if not self.owns(context.caller, project):
            raise RancherError(404)  # as if they could not see it

    def delete(self, context: Context, project: Resource, _body: dict[str, Any]) -> None:
        if not self.owns(context.caller, project):
            raise RancherError(403)
        if not self._server.processes.find(project, "remove"):
            raise RancherError(405)
        self._server.processes.start(project, "remove")

    def empty(self, project: Resource) -> None:
        """Everything in a removed project goes with it."""
        for base in ("environment", "service", "host", "physicalHost", "instance", "credential", "projectMember"):
            for resource in self._server.store.live(base, accountId=project.id):
                self._server.parts["cleaner"].remove(resource)

    # What is shown

    def show(self, context: Context, account: Resource) -> dict[str, Any]:
        if account.kind != "project":
            return {}
        members = self._server.store.live("projectMember", accountId=account.id)
        shown = [show(context, member) for member in members] if context.version == "v1" else None
        return {"members": shown or None, "healthState": self._health(account)}

    def _health(self, project: Resource) -> str:
        health = self._server.parts["services"].health
        return str(
            health.summary(
                [health.of_stack(one) for one in self._server.store.live("environment", accountId=project.id)]
            )
        )

    def owned(self, base: str) -> Any:
        return lambda _context, account: [one for one in self._server.store.all(base) if one.project == account.id]

    def account_of(self, _context: Context, resource: Resource) -> list[Resource]:
        found = self._server.store.get("account", resource.project)
        return [found] if found else []


def _defaults(server: RancherServer) -> dict[str, Any]:
    return {
        "kind": "project",
        "orchestration": "cattle",
        "servicesPortRange": dict(_PORTS),
        "version": "2" if server.era == "1.6" else "0",
        **dict.fromkeys((*_ORCHESTRATIONS, "virtualMachine", "publicDns"), False),
    }


def _member_of(account: Resource) -> dict[str, Any]:
    if account["externalId"]:
        return {"externalId": account["externalId"], "externalIdType": account["externalIdType"], "role": "owner"}
    return {"externalId": account.id, "externalIdType": "rancher_id", "role": "owner"}
