# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a WordPress site: those of Ansible, what is assumed for a new site, what was given before. PRIVATE.

What an earlier run was given is noted on the Secret with the passwords, which lives as long as the data does: so an
option that is left out later means "as it is", also after the site was absent for a while.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .._argspec import ArgumentSpec
from .._errors import InputError
from .app_argspec import SERVICE, VERIFY, secrets_in_verify
from .app_wanted import NAME, checked_service
from .manifests import checked_namespace
from .objects import Object
from .pod_options import RESOURCES, resources
from .quantities import MIB, amount

NOTE = "container.schedulers/options"
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
EBS_VOLUME = re.compile(r"vol-[0-9a-f]{8,17}")
USER = re.compile(r"[A-Za-z0-9 _.@-]{1,60}")
LONGEST_NAME = 40  # "-credentials" and the like follow, and the hash of pods

STORAGE: dict[str, Any] = {
    "mode": {"type": "str", "choices": ["dynamic", "existing", "inline"]},
    "size": {"type": "str"},
    "storage_class": {"type": "str"},
    "site_volume": {"type": "str"},
    "database_volume": {"type": "str"},
    "zone": {"type": "str"},
}
SITE: dict[str, Any] = {
    "title": {"type": "str"},
    "url": {"type": "str"},
    "admin_user": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "admin_email": {"type": "str"},
    "language": {"type": "str"},
}
POD_RESOURCES: dict[str, Any] = {
    "requests": {"type": "dict", "options": RESOURCES},
    "limits": {"type": "dict", "options": RESOURCES},
}
# without defaults: what is left out is what an earlier run was given
_SERVICE = {name: {key: one[key] for key in one if key != "default"} for name, one in SERVICE.items()}
WORDPRESS = ArgumentSpec(
    {
        "name": {"type": "str", "default": "wordpress"},
        "namespace": {"type": "str", "default": "default"},
        "site": {"type": "dict", "options": SITE},
        "image": {"type": "str"},
        "cli_image": {"type": "str"},
        "database_image": {"type": "str"},
        "database_password": {"type": "str", "no_log": True},
        "resources": {"type": "dict", "options": POD_RESOURCES},
        "database_resources": {"type": "dict", "options": POD_RESOURCES},
        "storage": {"type": "dict", "options": STORAGE},
        "service": {"type": "dict", "options": _SERVICE},
        "verify": {"type": "dict", "options": VERIFY},
        "delete_data": {"type": "bool", "default": False},
        "adopt": {"type": "bool", "default": False},
    },
    finders={"verify": secrets_in_verify},
)
# options that are noted, with what is assumed for a new site
ASSUMED: Mapping[str, Any] = {
    "site": {"admin_user": "admin"},
    "image": "wordpress:7.1.3-php8.3-apache",
    "cli_image": "wordpress:cli-2.12.0-php8.3",
    "database_image": "mariadb:11.8.9",
    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    "database_resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    "storage": {"mode": "dynamic", "size": "10Gi"},
    "service": {"type": "LoadBalancer", "load_balancer": "classic", "internal": False},
}
VOLUMES = ("site_volume", "database_volume")
PLACES = (*VOLUMES, "zone")  # options of volumes that are there
SECRET = frozenset({"admin_password"})


def checked_name(params: Mapping[str, Any]) -> None:
    """Refuse a name, or a namespace, that cannot be one.

    Raises:
        InputError: it cannot.
    """
    if not NAME.fullmatch(params["name"]) or len(params["name"]) > LONGEST_NAME:
        raise InputError(
            f"name is {params['name']!r}, but has to be up to {LONGEST_NAME} lower case letters, digits and hyphens, "
            f"a letter first and no hyphen last"
        )
    checked_namespace("namespace", params["namespace"])


def effective(params: Mapping[str, Any], secret: Object | None) -> dict[str, Any]:
    """The options that count: given before noted before assumed. Pure.

    Args:
        secret: that of the passwords, if it is there.

    Raises:
        InputError: a value cannot work.
    """
    noted = _noted(secret)
    options: dict[str, Any] = {}
    for name, value in ASSUMED.items():
        options[name] = _over(_over(value, noted.get(name)), params.get(name) or None)
    if options["storage"]["mode"] == "dynamic":
        # no wish that mode comes with, but one for the mode before
        given = params.get("storage") or {}
        options["storage"] = {**options["storage"], **{name: given.get(name) for name in PLACES}}
    # ranges as they are given: they outlive a time without a load balancer
    checked_service({**(params.get("service") or {}), "type": options["service"]["type"]})
    options |= {name: params[name] for name in ("name", "namespace")}
    _check(options)
    return options


def _over(below: Any, above: Any) -> Any:
    """What is given comes before what was; within a group of options each for itself, but resources as a whole."""
    if above is None:
        return below
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        given = {name: value for name, value in above.items() if value is not None and name not in SECRET}
        return {**below, **given}
    return above


def noted_options(secret: Object | None) -> str:
    """What is noted; empty if nothing is."""
    return str(((secret or {"metadata": {}})["metadata"].get("annotations") or {}).get(NOTE, ""))


def _noted(secret: Object | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(noted_options(secret) or "{}")
    return found


def noted_storage(secret: Object | None) -> dict[str, Any]:
    """Where an earlier run was told to have the data; empty if there was none."""
    found: dict[str, Any] = _noted(secret).get("storage") or {}
    return found


def note_of(options: Mapping[str, Any]) -> str:
    """The options as they are noted."""
    return json.dumps({name: options[name] for name in ASSUMED}, sort_keys=True)


def _check(options: Mapping[str, Any]) -> None:
    _check_site(options["site"])
    for name in ("resources", "database_resources"):
        resources(options[name].get("requests"), options[name].get("limits"))
    if options["service"]["type"] == "none":
        raise InputError("service.type none leaves the site without visitors", hint="Use ClusterIP.")
    _check_storage(options["storage"])


def _check_site(site: Mapping[str, Any]) -> None:
    for name in ("title", "admin_email"):
        if not site.get(name):
            raise InputError(f"a new site needs site.{name}")
    if not EMAIL.fullmatch(site["admin_email"]):
        raise InputError(f"site.admin_email is {site['admin_email']!r}, which is no e-mail address")
    if not USER.fullmatch(site["admin_user"]):
        raise InputError(f"site.admin_user is {site['admin_user']!r}, which is no name for a user of WordPress")
    if site.get("url") and not site["url"].startswith(("http://", "https://")):
        raise InputError(f"site.url is {site['url']!r}, but has to begin with http:// or https://")


def _check_storage(storage: Mapping[str, Any]) -> None:
    try:
        positive = amount(storage["size"]) > 0
    except ValueError:
        positive = False
    if not positive:
        raise InputError(f"storage.size is {storage['size']!r}, but has to be an amount such as 10Gi")
    if amount(storage["size"]) < MIB:
        raise InputError(
            f"storage.size is {storage['size']!r}, which is less than 1Mi",
            hint="10m is a hundredth of a byte, 10Mi are 10 MiB.",
        )
    if storage["mode"] == "dynamic":
        unfit = next((name for name in PLACES if storage.get(name)), None)
        if unfit:
            raise InputError(f"storage.{unfit} is for the modes existing and inline", hint="Set storage.mode.")
        return
    for name in VOLUMES:
        volume = storage.get(name)
        if not volume or not EBS_VOLUME.fullmatch(volume):
            raise InputError(f"storage.{name} is {volume!r}, but mode {storage['mode']} needs the id of an EBS volume")
    if storage["site_volume"] == storage["database_volume"]:
        raise InputError("storage.site_volume and storage.database_volume are the same volume")
