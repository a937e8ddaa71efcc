# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker-machine's DigitalOcean driver, as the server runs it: real requests to the lab's DigitalOcean, with the token
that was given. It leaves an SSH key and a droplet behind, and takes both away again.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from lab.world import World

log = logging.getLogger("lab")
_AGENT = "docker-machine/0.8 (lab)"
_TRIES = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_PATIENCE = 600.0


class DriverError(Exception):
    """What the driver says went wrong. `made` is what it leaves behind."""

    def __init__(self, message: str, made: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.made = made


class Driver:
    """Works in threads of its own: the world goes on meanwhile."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(
        self,
        name: str,
        config: dict[str, Any],
        said: Callable[[str], None],
        made: Callable[[dict[str, Any]], None],
        failed: Callable[[DriverError], None],
    ) -> None:
        def work() -> None:
            try:
                made(self._create(name, config, said))
            except DriverError as error:
                failed(error)

        threading.Thread(target=work, name=f"lab-driver-{name}", daemon=True).start()

    def remove(
        self,
        config: dict[str, Any],
        droplet: dict[str, Any],
        unmade: Callable[[], None],
        failed: Callable[[DriverError], None],
    ) -> None:
        def work() -> None:
            try:
                for path in (f"droplets/{droplet['id']}", f"account/keys/{droplet['key']}"):
                    if not path.endswith("/None"):
                        self._ask(config, "DELETE", path, accepted=(404,))
                unmade()
            except DriverError as error:
                failed(error)

        threading.Thread(target=work, name="lab-driver-remove", daemon=True).start()

    def _create(self, name: str, config: dict[str, Any], said: Callable[[str], None]) -> dict[str, Any]:
        if not config.get("accessToken"):
            raise DriverError("Error creating machine: digitalocean driver requires an access token")
        regions = self._ask(config, "GET", "regions?per_page=200")["regions"]
        if config.get("region") not in [region["slug"] for region in regions]:
            raise DriverError("Error creating machine: digitalocean requires a valid region")
        said(f"({name}) Creating SSH key...")
        droplet: dict[str, Any] = {"id": None, "key": None, "address": None}
        try:
            key = self._ask(config, "POST", "account/keys", {"name": name, "public_key": _public_key(name)})
            droplet["key"] = key["ssh_key"]["id"]
            said(f"({name}) Creating Digital Ocean droplet...")
            droplet["id"] = self._ask(config, "POST", "droplets", _wanted(name, config, droplet["key"]))["droplet"][
                "id"
            ]
            said(f"({name}) Waiting for IP address to be assigned to the Droplet...")
            droplet["address"] = self._address(config, droplet["id"])
        except DriverError as error:
            raise DriverError(str(error), droplet) from None
        return droplet

    def _address(self, config: dict[str, Any], droplet_id: int) -> str:
        """Look at the droplet until it has a public address."""
        pause, started = _FIRST_PAUSE, time.monotonic()
        while time.monotonic() - started < _PATIENCE:
            droplet = self._ask(config, "GET", f"droplets/{droplet_id}")["droplet"]
            for network in droplet["networks"]["v4"]:
                if network["type"] == "public" and droplet["status"] == "active":
                    return str(network["ip_address"])
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise DriverError("Error creating machine: the droplet did not become active")

    def _ask(
        self, config: dict[str, Any], method: str, path: str, body: object = None, accepted: tuple[int, ...] = ()
    ) -> dict[str, Any]:
        """One request. A create is not tried again: docker-machine does not look what became of the first."""
        url = f"{self._world.addresses['digitalocean']}/v2/{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {config['accessToken']}",
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
        }
        why = ""
        for attempt in range(1 if method == "POST" else _TRIES):
            if attempt:
                time.sleep(min(_FIRST_PAUSE * 4**attempt, _LONGEST_PAUSE))
            try:
                request = urllib.request.Request(url, data, headers, method=method)
                with urllib.request.urlopen(request, timeout=30) as answer:
                    found: dict[str, Any] = json.loads(answer.read() or b"{}")
                    return found
            except urllib.error.HTTPError as error:
                if error.code in accepted:
                    return {}
                why = _refusal(method, url, error)
                if error.code != 429 and error.code < 500:
                    break
            except (OSError, http.client.HTTPException) as error:
                why = f"Error creating machine: {method} {url}: {error}"
        raise DriverError(why)


def _refusal(method: str, url: str, error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return "Error creating machine: Invalid access token"
    try:
        message = json.load(error)["message"]
    except (ValueError, KeyError):
        message = error.reason
    return f"Error creating machine: Error in driver during machine creation: {method} {url}: {error.code} {message}"


def _wanted(name: str, config: dict[str, Any], key: int) -> dict[str, Any]:
    return {
        "name": name,
        "region": config["region"],
        "size": config["size"],
        "image": config["image"],
        "backups": bool(config.get("backups")),
        "ipv6": bool(config.get("ipv6")),
        "private_networking": bool(config.get("privateNetworking")),
        "ssh_keys": [key],
        "user_data": config.get("userdata") or "",
    }


def _public_key(name: str) -> str:
    """A key that nobody has the other half of: different each time, and well-formed."""
    seed = hashlib.sha256(f"{name} {time.monotonic_ns()}".encode()).digest()
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + seed
    return f"ssh-ed25519 {b64encode(blob).decode()} {name}"
