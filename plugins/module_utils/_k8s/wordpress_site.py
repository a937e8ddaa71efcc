# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site itself: installed and kept as the options say, by wp-cli in its own pod.

What was set is noted on the Secret with the passwords, which lives as long as the data does; so a plan is made without
asking a pod that may not run. PRIVATE.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._compare import Difference, differences
from .._errors import AnswerLostError, ConflictError, InputError, SchedulersError, UnreachableError
from .._plan import Step
from .._wait import Pace, wait_until
from .api import Object
from .exec_module import best
from .executing import Ran, execute
from .kinds import DEPLOYMENT, POD, SECRET
from .objects import conditions_of, name_of, runs
from .ready import State
from .run import Run
from .waiting import explaining, wait_ready
from .wordpress_secrets import encoded, value_of
from .wordpress_storage import claim_name
from .wordpress_wanted import CLI, credentials_name, database_name

NOTE = "container.schedulers/site"
KEY = "site"
LEAST_SECONDS = 120.0  # for a command, however little is left of the run
LATER = "(the address of the load balancer)"
NO_ANSWER_YET = ("Error establishing a database connection", "does not seem to be a WordPress installation")


@dataclass(frozen=True)
class Site:
    """The site as it should be.

    Attributes:
        settings: title, url, admin_user, admin_email, image; as they are noted.
        password: of the administrator, if it was given.
        language: for a new site.
    """

    settings: Mapping[str, str]
    password: str | None = None
    language: str | None = None


def settings_of(options: Mapping[str, Any], url: str) -> dict[str, str]:
    """What is noted of a site. Pure."""
    site = options["site"]
    return {
        "title": site["title"],
        "url": url,
        "admin_user": site["admin_user"],
        "admin_email": site["admin_email"],
        "image": options["image"],
    }


def noted(secret: Object | None) -> dict[str, str]:
    """What an earlier run has set; empty if there was none that came so far."""
    text = ((secret or {"metadata": {}})["metadata"].get("annotations") or {}).get(NOTE, "{}")
    found: dict[str, str] = json.loads(text)
    return found


def site_steps(options: Mapping[str, Any], site: Site, secret: Object | None) -> list[Step]:
    """What has to be done to the site. Pure.

    Raises:
        InputError: its administrator should have another name.
    """
    name, there = f"{options['namespace']}/{options['name']}", noted(secret)
    if not there:
        return [Step("create", KEY, KEY, name, dict(site.settings))]
    if there.get("admin_user", site.settings["admin_user"]) != site.settings["admin_user"]:
        raise InputError(
            f"site.admin_user is {site.settings['admin_user']!r}, but {name} was installed with "
            f"{there['admin_user']!r}, and WordPress renames nobody",
            hint="Leave it as it was. k8s_exec with 'wp user create' makes another administrator.",
        )
    found = list(differences(site.settings, there))
    if secret is not None and site.password and value_of(secret, "admin-password") != site.password:
        found.append(Difference("admin_password", "VALUE_HIDDEN", "VALUE_HIDDEN (another one)"))
    return [Step("update", KEY, KEY, name, dict(site.settings), differences=tuple(found))] if found else []


def prepare(run: Run, options: Mapping[str, Any], step: Step, site: Site, secret: Object) -> None:
    """Install the site, or set what differs; the Secret with the note of it.

    Raises:
        StateFailedError: its pod cannot run.
        SchedulersError: wp-cli refuses.
    """
    wp = _Wp(run, options)
    wp.wait_for_pod()
    settings = site.settings
    if step.action == "create":
        password = site.password or value_of(secret, "admin-password")
        if not wp.is_installed():
            wp.install(settings, password)
        else:  # by an earlier run; or it came with its volumes, and what the Secret says has to open it
            wp.move(wp.option("siteurl"), settings["url"])
            wp.set({name: settings[name] for name in SETTINGS})
            wp.set_password(settings["admin_user"], password)
        if site.language:
            wp.speak(site.language)
        _note(run, options, settings, site.password)
        return
    changed = {one.path for one in step.differences}
    wp.set({name: settings[name] for name in changed if name in SETTINGS})
    if "image" in changed:
        wp.run("core", "update-db")
    if "admin_password" in changed and site.password:
        wp.set_password(settings["admin_user"], site.password)
    if "url" in changed:  # it takes longest, and until the note is written every run begins it anew
        wp.move(noted(secret).get("url", ""), settings["url"])
    _note(run, options, settings, site.password)


def require_installed(run: Run, options: Mapping[str, Any]) -> None:
    """Do not wait for a site that its Secret says was installed, and whose database has none: it never gets ready.

    Raises:
        ConflictError: its database is another one, or was emptied.
    """
    wp = _Wp(run, options)
    wp.wait_for_pod()
    if not wp.says_not_installed():
        return
    storage, secret = options["storage"], f"{options['namespace']}/{credentials_name(options)}"
    claim = f"PersistentVolumeClaim {options['namespace']}/{claim_name(options, 'database')}"
    place = claim if storage["mode"] == "dynamic" else f"volume {storage['database_volume']}"
    raise ConflictError(
        f"Secret {secret} says that the site was installed, but there is none in its database on {place}",
        hint="Give the volumes that it was installed on. To install it anew on these, take the annotation "
        f"{NOTE} from the Secret.",
    )


# what is noted -> the options of WordPress that it is
SETTINGS: Mapping[str, Sequence[str]] = {
    "title": ("blogname",),
    "url": ("siteurl", "home"),
    "admin_email": ("admin_email",),
}


def _note(run: Run, options: Mapping[str, Any], settings: Mapping[str, str], password: str | None) -> None:
    change: dict[str, Any] = {"metadata": {"annotations": {NOTE: json.dumps(dict(settings), sort_keys=True)}}}
    if password:
        change["data"] = {"admin-password": encoded(password)}
    run.api.patch(SECRET, credentials_name(options), change, options["namespace"])


def site_pod_state(_deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> State:
    """Whether wp-cli can work: its container runs, and that of WordPress has unpacked its files and answers. Pure."""
    for pod in pods:
        containers = {
            one["name"]: one for one in (pod.get("status") or {}).get("containerStatuses") or () if "name" in one
        }
        cli, web = containers.get(CLI, {}), containers.get("wordpress", {})
        if "running" in (cli.get("state") or {}) and web.get("ready") and not pod["metadata"].get("deletionTimestamp"):
            return State(ready=True, text="its pod can install the site")
    return State(ready=False, text="its pod does not run yet")


class _Wp:
    """wp-cli in the pod of the site."""

    def __init__(self, run: Run, options: Mapping[str, Any]) -> None:
        self._run = run
        self._options = options

    def wait_for_pod(self) -> None:
        name, namespace = self._options["name"], self._options["namespace"]
        deployment = self._run.api.get(DEPLOYMENT, name, namespace)
        if deployment is not None:
            wait_ready(self._run, [(DEPLOYMENT, deployment)], site_pod_state)

    def is_installed(self) -> bool:
        """Whether somebody, such as an earlier run, has installed the site. Waits for the database to answer."""
        return self._asked().rc == 0

    def says_not_installed(self) -> bool:
        """Whether it is sure that the site is not installed: wp-cli says no more then. A fatal error proves nothing."""
        ran = self._asked()
        return ran.rc == 1 and not (ran.stdout + ran.stderr).strip()

    def _asked(self) -> Ran:

        def look() -> Ran:
            return self._execute("core", "is-installed")

        with explaining(self._run, deployments_of(self._options)):
            return wait_until(
                look,
                ready=lambda ran: ran.rc == 0 or not any(one in ran.stderr + ran.stdout for one in NO_ANSWER_YET),
                describe=_last,
                deadline=self._run.deadline,
                doing=f"see whether {self._options['name']} is installed",
                pace=Pace(first=0.3, cap=3.0),
            )

    def install(self, settings: Mapping[str, str], password: str) -> None:
        """Install it; a lost answer is no reason to do it twice."""
        arguments = [
            f"--url={settings['url']}",
            f"--title={settings['title']}",
            f"--admin_user={settings['admin_user']}",
            f"--admin_email={settings['admin_email']}",
            "--skip-email",
            "--prompt=admin_password",
        ]
        try:
            self.run("core", "install", *arguments, stdin=password)
        except (AnswerLostError, UnreachableError):
            if not self.is_installed():
                self.run("core", "install", *arguments, stdin=password)

    def speak(self, language: str) -> None:
        """Let the site speak a language; one that it has already is only switched to."""
        self.run("language", "core", "install", language, "--activate")

    def option(self, name: str) -> str:
        """An option of WordPress. What a plugin says comes before it."""
        return self.run("option", "get", name).stdout.strip().rpartition("\n")[2]

    def move(self, old: str, new: str) -> None:
        """Let the content speak of the new address: pictures and links have all of it, in blocks with escaped slashes.

        The slash behind it keeps a longer host name out. An address within the old one stays: a repetition, such as
        after a lost answer, would put it there twice. What identifies a post to feed readers stays by rule.
        """
        before, after = f"{old.rstrip('/')}/", f"{new}/"
        if not old.startswith("http") or after.startswith(before):
            return
        for one, other in ((before, after), (before.replace("/", "\\/"), after.replace("/", "\\/"))):
            self.run("search-replace", one, other, "--all-tables-with-prefix", "--skip-columns=guid")

    def set(self, values: Mapping[str, str]) -> None:
        """Set options of WordPress."""
        for name, value in values.items():
            for option in SETTINGS[name]:
                self.run("option", "update", option, value)

    def set_password(self, user: str, password: str) -> None:
        """Set the password of a user, who has to be there."""
        self.run("user", "update", user, "--skip-email", "--prompt=user_pass", stdin=password)

    def run(self, *words: str, stdin: str | None = None) -> Ran:
        """One call of wp, which has to work."""
        ran = self._execute(*words, stdin=stdin)
        if ran.rc:
            # a command that it has prompted for is repeated in its output with the answer, quoted as for a shell
            said = _last(ran) if stdin is None else _last_line(ran.stderr) or f"exit code {ran.rc}"
            raise SchedulersError(f"wp-cli says: {said}", doing=f"run wp {' '.join(words[:2])}")
        return ran

    def _execute(self, *words: str, stdin: str | None = None) -> Ran:
        name, namespace = self._options["name"], self._options["namespace"]
        pods = self._run.api.list(POD, namespace, labels=f"app={name}").items
        pod = best(_usable([one for one in pods if runs(deployment_of(name, namespace), one)]))
        if pod is None:
            raise UnreachableError(f"no pod of {name} runs")
        return execute(
            self._run.api,
            name_of(pod),
            namespace,
            ["wp", *words],
            container=CLI,
            stdin=None if stdin is None else f"{stdin}\n",
            timeout=max(LEAST_SECONDS, self._run.deadline.left()),  # a database may be large
            option="wait_timeout",
            clock=self._run.deadline.clock,
        )


def deployment_of(name: str, namespace: str) -> Object:
    """A Deployment, as far as its pods are told by it: those of its clones have the same labels."""
    return {"kind": DEPLOYMENT.kind, "metadata": {"name": name, "namespace": namespace}}


def deployments_of(options: Mapping[str, Any]) -> list[Object]:
    """Those of a site and of its database, as far as their pods are told by them."""
    return [deployment_of(one, options["namespace"]) for one in (options["name"], database_name(options))]


def _usable(pods: Sequence[Object]) -> list[Object]:
    return [one for one in pods if conditions_of(one).get("Initialized", {}).get("status") != "False"]


def _last(ran: Ran) -> str:
    return _last_line(ran.stderr) or _last_line(ran.stdout) or f"exit code {ran.rc}"


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip()
