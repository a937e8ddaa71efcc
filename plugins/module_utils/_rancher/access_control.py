# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control on or off, in the one order that locks nobody out: first a key that works afterwards, then the door.

Once access control is on, a request without a key of an administrator is refused, ours among them. So the key is made,
written down and usable before anything is switched on. PRIVATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from .._checks import writable
from .._errors import ConflictError, InputError, NotFoundError, SchedulersError
from .._http import Http, HttpSettings
from .._module import Context, Outcome
from .._ownership import Mark
from .._plan import Live, Plan, Spec, Step, Wanted, apply, decide, dismantle
from .access_api import PROVIDERS, AccessApi
from .access_options import GITHUB, LOCAL, AccessOptions
from .api import Connection, Object, Rancher
from .api_keys import OPTION, Keys, Pair, alone_with_keys, read_pair, usable, write_pair

MARK = Mark("rancher/server")
ACCESS, KEY, STALE_KEY, FILE = "access_control", "api_key", "stale_api_key", "api_key_file"
GRAPH: Mapping[str, tuple[str, ...]] = {KEY: (), STALE_KEY: (), FILE: (KEY,), ACCESS: (KEY, STALE_KEY, FILE)}
PUBLIC_API = "https://api.github.com"
NOT_OURS = "This module knows github and local only, and leaves it as it is. Switch it off in Rancher's pages."
# what Rancher's own page sends where the administrator is none of the matter: the name is not looked at then
NOBODY = {"name": "", "username": "", "password": ""}
CODE_REFUSED = "codeInvalid"
KINDS = {"users": "github_user", "orgs": "github_org"}
Asker = Callable[[str], Object]


def ensure(context: Context) -> Outcome:
    """What the module does."""
    options = AccessOptions.from_params(context.params)
    connection = Connection.from_params(context.params)
    with _alone(context, options):
        pair = read_pair(options.key_file)
        rancher = Rancher(_with_key(connection, pair))
        case = AccessCase(context, options, rancher, AccessApi(rancher), pair)
        return case.present() if context.params["state"] == "present" else case.absent()


def _alone(context: Context, options: AccessOptions) -> AbstractContextManager[None]:
    """What is only looked at, and what is not there and shall not be, needs no lock."""
    path = options.key_file
    if path is None or context.check_mode:
        return nullcontext()
    if context.params["state"] == "absent" and not Path(path).parent.is_dir():
        return nullcontext()
    return alone_with_keys(path)


def _with_key(connection: Connection, pair: Pair | None) -> Connection:
    """The key that was written down, if no other is given."""
    if connection.access_key or not pair:
        return connection
    return replace(connection, access_key=pair.public, secret_key=pair.secret)


@dataclass(frozen=True)
class AccessCase:
    """What is asked for, and where."""

    context: Context
    options: AccessOptions
    rancher: Rancher
    api: AccessApi
    pair: Pair | None

    def absent(self) -> Outcome:
        """Off, whichever provider it is on with; and then the key goes that was made to get it on.

        Not before: as long as it is on, the key is what opens the door.
        """
        provider = provider_of(self.api.status())
        if provider and provider not in PROVIDERS:
            raise ConflictError(
                f"access control is on with {provider}",
                doing="switch it off",
                hint=NOT_OURS,
            )
        if not provider:
            self.come_as_anybody()
        keys = self._keys()
        doomed = self._key_and_file(keys)
        spec: Spec = {}
        if provider:
            access = self._live(provider, on=True)
            doomed.append(access)
            spec = access.spec
        plan = dismantle(doomed, GRAPH)
        if self.context.check_mode:
            return Outcome({"access_control": told(spec, provider)}, plan)
        maker = KeyMaker(keys, self.options.key_file, self.rancher.connection.server)
        handlers: dict[str, Any] = {ACCESS: Door(self), FILE: maker, KEY: maker}
        apply(plan, handlers, {one.key: one for one in doomed})
        return Outcome({"access_control": told({}, None)}, plan)

    def come_as_anybody(self) -> None:
        """While access control is off, everybody is the administrator, and a key may be one that is gone."""
        self.rancher.use_key("", "")

    def _key_and_file(self, keys: Keys) -> list[Live]:
        """The keys that we have made, and the file if what it has is one of them."""
        listed = keys.list()
        doomed = [Live(f"{KEY}/{one['id']}", KEY, keys.name, one["id"], {}, {"raw": one}) for one in listed]
        path = self.options.key_file
        if path and self.pair and self.pair.public in [one.get("publicValue") for one in listed]:
            doomed.append(Live(FILE, FILE, path, path, {}))
        return doomed

    def present(self) -> Outcome:
        """On, as the options say."""
        options = self.options
        provider = provider_of(self.api.status())
        if provider and provider != options.provider:
            raise ConflictError(
                f"access control is on with {provider}",
                doing=f"switch it on with {options.provider}",
                hint="Switch it off first, with state: absent." if provider in PROVIDERS else NOT_OURS,
            )
        on = provider == options.provider
        live = {ACCESS: self._live(options.provider, on=on)}
        spec = self._wanted(live[ACCESS].spec, on=on)
        keys = self._keys() if options.key_file or not on else None
        wanted = [Wanted(ACCESS, ACCESS, options.provider, spec)]
        stale: list[Live] = []
        if keys:
            mine, stale = _sorted_keys(keys, self.pair, self.context.params["access_key"])
            live |= {one.key: one for one in mine}
            wanted.append(Wanted(KEY, KEY, options.key_name, {}))
        plan = decide(wanted, live, GRAPH) + dismantle(stale, GRAPH)
        if options.key_file and any(step.key == KEY for step in plan.steps):
            writable(OPTION, Path(options.key_file))
        if self.context.check_mode:
            return Outcome({"access_control": told(live[ACCESS].spec, provider)}, plan)
        maker = KeyMaker(keys, options.key_file, self.rancher.connection.server) if keys else None
        handlers: dict[str, Any] = {ACCESS: Door(self), **({KEY: maker, STALE_KEY: maker} if maker else {})}
        applied = apply(_key_last(plan), handlers, live)
        result: dict[str, Any] = {"access_control": told(applied.live[ACCESS].spec, options.provider)}
        if maker and maker.made:
            with applied.then("use the new API key"):
                self.rancher.list("/v1/projects", doing="use the new API key")
            # one place for a secret is enough
            secret = {} if options.key_file else {"secret_value": maker.made.secret}
            result["api_key"] = {"public_value": maker.made.public, **secret}
        return Outcome(result, plan)

    def _keys(self) -> Keys:
        account = str(self.api.administrator()["id"])
        return Keys(self.rancher, account, self.options.key_name, MARK, self.context.deadline(), self.context.pace())

    def _live(self, provider: str, *, on: bool) -> Live:
        config = self.api.config(provider)
        return Live(ACCESS, ACCESS, provider, provider, {**spec_of(config), "enabled": on}, {"raw": config})

    def _wanted(self, live: Spec, *, on: bool) -> dict[str, Any]:
        options = self.options
        spec: dict[str, Any] = {"enabled": True, "access_mode": options.access_mode}
        if options.provider != GITHUB:
            if on:  # the server tells nothing of its administrator
                return spec
            options.need("username", "password", to=f"switch access control on with {options.provider}")
            return {**spec, "username": options.username, "display_name": options.display_name}
        if not on:
            options.need("client_id", "client_secret", to=f"switch access control on with {options.provider}")
        spec |= {"client_id": options.client_id, "hostname": options.hostname}
        if options.hostname:
            spec["scheme"] = options.scheme
        spec["allowed"] = self._allowed(live, on=on)
        mode = options.access_mode or (live["access_mode"] if on else "restricted")
        if not on:
            spec["access_mode"] = mode
        allowed = live["allowed"] if spec["allowed"] is None else spec["allowed"]
        if mode != "unrestricted" and not (allowed or options.code):
            raise InputError(
                f"allowed_users or allowed_organizations is needed with access_mode {mode}",
                hint="Otherwise nobody could log in. With code, the user who has got it is among them.",
            )
        return spec

    def _allowed(self, live: Spec, *, on: bool) -> list[str] | None:
        """The identities that may log in, None if they are not managed.

        Whose code it was is known once it is used: that user is the administrator now, and stays allowed. Who was
        allowed before it was switched on comes back with nothing else, but not with some others.
        """
        options = self.options
        given = {"users": options.users, "orgs": options.organizations}
        if not any(names is not None for names in given.values()):
            return None
        known, ask, there = live["known"], partial(self._ask_github, live), [*live["allowed"]] if on else []
        owner = {identity_of_account(self.api.administrator())} & {*there} if options.code else set()
        found = {*owner}
        for collection, names in given.items():
            if names is None:
                found |= {one for one in there if one.startswith(f"{KINDS[collection]}:")}
            else:
                found |= {identity_of(collection, name, known, ask) for name in names}
        return sorted(found)

    def _ask_github(self, live: Spec, path: str) -> Object:
        """Public facts of GitHub, which everybody may ask for: of the one that is given, or else of the server's."""
        options, connection = self.options, self.rancher.connection
        where = (live["scheme"], live["hostname"]) if options.hostname is None else (options.scheme, options.hostname)
        scheme, host = where
        url = f"{scheme}{host}/api/v3" if host else PUBLIC_API
        http = Http(HttpSettings(url, validate_certs=connection.validate_certs, ca=connection.ca))
        found: Object = http.request("GET", path, doing=f"ask GitHub for {path}").json()
        return found


def provider_of(status: Object) -> str | None:
    """The provider that access control is on with, None if it is off. Pure."""
    if not status.get("security"):
        return None
    named = str(status.get("authProvider") or "").lower()
    return next((ours for ours, theirs in PROVIDERS.items() if theirs == named), named or "something else")


def spec_of(config: Object) -> dict[str, Any]:
    """A configuration as it is compared. Pure."""
    identities = config.get("allowedIdentities") or ()
    return {
        "access_mode": config.get("accessMode") or "unrestricted",
        "client_id": config.get("clientId") or "",
        "hostname": config.get("hostname") or "",
        "scheme": config.get("scheme") or "https://",
        "username": config.get("username") or "",
        "display_name": config.get("name") or "",
        "allowed": sorted(f"{one['externalIdType']}:{one['externalId']}" for one in identities),
        "known": {str(one.get("login")): f"{one['externalIdType']}:{one['externalId']}" for one in identities},
    }


def identity_of(collection: str, name: str, known: Mapping[str, str], ask: Asker) -> str:
    """A user or an organization as Rancher knows it: by the number that GitHub has for it.

    Raises:
        InputError: GitHub knows nobody of the name, or cannot be asked.
    """
    kind = KINDS[collection]
    if name.startswith(f"{kind}:"):
        return name
    if name.isdigit():
        return f"{kind}:{name}"
    if known.get(name, "").startswith(f"{kind}:"):
        return known[name]
    option = "allowed_users" if collection == "users" else "allowed_organizations"
    try:
        return f"{kind}:{ask(f'/{collection}/{name}')['id']}"
    except NotFoundError as error:
        raise InputError(f"{option}: GitHub knows no {name!r}") from error
    except (SchedulersError, KeyError, TypeError) as error:
        raise InputError(
            f"{option}: GitHub does not tell who {name!r} is", hint=f"Give the number that GitHub has for it: {error}"
        ) from error


def identity_of_account(account: Object) -> str:
    """Who an account is with its provider. Pure."""
    return f"{account.get('externalIdType')}:{account.get('externalId')}"


def told(spec: Spec, provider: str | None) -> dict[str, Any]:
    """What the module tells. Pure."""
    shown = ("access_mode", "client_id", "hostname", "username", "allowed")
    return {
        "enabled": provider is not None,
        "provider": provider,
        **{name: (spec.get(name) or None) if provider else None for name in shown},
    }


def _sorted_keys(keys: Keys, pair: Pair | None, given: str | None) -> tuple[list[Live], list[Live]]:
    """The key that can be used, and those whose secret is lost: not the one that the run was given, it seems."""
    listed = keys.list()
    mine = usable(listed, pair)
    lost = [one for one in listed if one is not mine and one.get("publicValue") != given]
    stale = [Live(f"{STALE_KEY}/{one['id']}", STALE_KEY, one["id"], one["id"], {}, {"raw": one}) for one in lost]
    return ([Live(KEY, KEY, str(mine.get("name")), mine["id"], {}, {"raw": mine})] if mine else []), stale


def _key_last(plan: Plan) -> Plan:
    """A key whose secret is lost goes once all is done: it is the one thing that a run can take away."""
    others = frozenset(step.key for step in plan.steps if step.kind != STALE_KEY)
    return Plan(tuple(replace(step, needs=others) if step.kind == STALE_KEY else step for step in plan.steps))


class KeyMaker:
    """Makes the key that is needed, writes it down at once, and removes those that nobody can or need use.

    Attributes:
        made: the key, if one was made.
    """

    def __init__(self, keys: Keys, path: str | None, url: str) -> None:
        self._keys = keys
        self._path = path
        self._url = url
        self.made: Pair | None = None

    def create(self, step: Step, spec: Spec) -> Live:
        key, self.made = self._keys.create(doing=step.sentence)
        if self._path:
            write_pair(self._path, self._url, self.made)
        self._keys.rancher.use_key(self.made.public, self.made.secret)
        return Live(step.key, step.kind, step.name, key["id"], spec, {"raw": key})

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        """A key has nothing that could be changed."""
        del step, spec
        return live

    def delete(self, step: Step, live: Live) -> None:
        if step.kind == FILE:
            Path(step.name).unlink(missing_ok=True)
        else:
            self._keys.remove(live.attributes["raw"], doing=step.sentence)


class Door:
    """Switches access control on, changes it, and switches it off."""

    def __init__(self, case: AccessCase) -> None:
        self._case = case

    def create(self, step: Step, spec: Spec) -> Live:
        raise ValueError(f"{step.sentence}: {spec} is always there, on or off")

    def update(self, step: Step, spec: Spec, live: Live) -> Live:
        options, api = self._case.options, self._case.api
        wanted = {**live.spec, **spec}
        prepared = self._github if options.provider == GITHUB else self._local
        config = prepared(wanted, live, step)
        answer = api.configure(options.provider, config, doing=step.sentence)
        return Live(step.key, step.kind, step.name, live.id, {**spec_of(answer), "enabled": True}, {"raw": answer})

    def delete(self, step: Step, live: Live) -> None:
        local = {"accessMode": "unrestricted", **NOBODY}
        config = _as_sent(live.spec, live.spec["allowed"]) if live.id == GITHUB else local
        self._case.api.configure(live.id, {**config, "enabled": False}, doing=step.sentence)
        self._case.come_as_anybody()

    def _local(self, wanted: Spec, live: Live, step: Step) -> dict[str, Any]:
        """The administrator is made, or their password looked at, while the door is still open.

        Rancher first changes whether it is on, and only then refuses the password.
        """
        config = {"accessMode": wanted["access_mode"], "enabled": True}
        if live.spec["enabled"]:
            return {**config, **NOBODY}
        options = self._case.options
        administrator = {
            "name": options.display_name or options.username,
            "username": options.username,
            "password": options.password,
        }
        self._case.api.configure(LOCAL, {**config, **administrator, "enabled": False}, doing=step.sentence)
        return {**config, **administrator}

    def _github(self, wanted: Spec, live: Live, step: Step) -> dict[str, Any]:
        options = self._case.options
        allowed = list(wanted["allowed"])
        config = _as_sent(wanted, allowed)
        if options.client_secret:
            config["clientSecret"] = options.client_secret
        if options.code and not live.spec["enabled"]:
            allowed.append(self._log_in(config, step))
            config = {**config, "allowedIdentities": _identities(allowed)}
        return {**config, "enabled": True}

    def _log_in(self, config: Mapping[str, Any], step: Step) -> str:
        """Whoever logs in while the server is still open becomes its administrator."""
        api, options = self._case.api, self._case.options
        closed = {**config, "enabled": False, "accessMode": "unrestricted"}
        api.configure(GITHUB, closed, doing=step.sentence)
        try:
            token = api.log_in(GITHUB, str(options.code), doing="log in with the code of GitHub")
        except SchedulersError as error:
            if error.code == CODE_REFUSED:
                error.hint = self._who_used_it()
            elif error.code.isdigit() and api.has_service():  # it has this one answer for whatever goes wrong
                error.hint = f"Perhaps the code was used, or is too old. {self._who_used_it()}"
            raise
        identity = token.get("userIdentity") or {}
        if not identity.get("externalId"):
            raise SchedulersError("the answer names no user", doing="log in with the code of GitHub")
        return f"{identity['externalIdType']}:{identity['externalId']}"

    def _who_used_it(self) -> str:
        """A code is good once; if it was an earlier run's, whose it was is the administrator already."""
        again = "A code is good once: give a new one"
        kind, _colon, number = identity_of_account(self._case.api.administrator()).partition(":")
        if kind != KINDS["users"]:
            return f"{again}."
        return f"{again}; or, if {kind}:{number}, who is the administrator now, has used it, allowed_users: [{number}]."


def _as_sent(spec: Spec, allowed: list[str]) -> dict[str, Any]:
    return {
        "clientId": spec["client_id"],
        "hostname": spec["hostname"] or None,
        "scheme": spec["scheme"],
        "accessMode": spec["access_mode"],
        "allowedIdentities": _identities(allowed),
    }


def _identities(allowed: list[str]) -> list[dict[str, str]]:
    pairs = [one.split(":", 1) for one in sorted({*allowed})]
    return [{"type": "identity", "externalIdType": kind, "externalId": number} for kind, number in pairs]
