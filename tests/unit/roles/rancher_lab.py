# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose Rancher server has hosts, and a DigitalOcean where those are made, as roles meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unit.lab_process import LabProcess
from unit.roles.playing import play
from unit.waiting import eventually

TOKEN = "lab-not-a-secret-000002"
PLACE = {"region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYi1ub3QtYS1rZXktbGFiLW5vdC1hLWtleS0w somebody"
API_KEY_FILE = "api.json"
ADMINISTRATOR = {"name": "Admin", "username": "admin", "password": "lab-not-a-secret-7"}


class RancherLab(LabProcess):
    """The lab, and what is played against it."""

    def droplets(self) -> list[str]:
        items = self.control("GET", "/inventory")["items"]
        return sorted(one["name"] for one in items if one["kind"] == "droplet")

    def secure(self, folder: Path) -> None:
        """Switch access control on, by another client than ours; the folder gets the administrator's API key."""
        key = self.call("rancher", "POST", "/v1/apikeys", {"name": "administrator"})
        eventually(
            lambda: self.call("rancher", "GET", f"/v1/apikeys/{key['id']}")["state"] == "active",
            "the key opens nothing",
        )
        login = {"access_key": key["publicValue"], "secret_key": key["secretValue"]}
        (folder / API_KEY_FILE).write_text(json.dumps({"url": self.addresses["rancher"], **login}))
        secured = {**ADMINISTRATOR, "accessMode": "unrestricted", "enabled": True}
        self.call("rancher", "POST", "/v1/localauthconfig", secured)

    def play(self, folder: Path, *tasks: dict[str, Any], options: tuple[str, ...] = ()) -> tuple[int, str]:
        """Play tasks, with the server's API key if there is one in the folder; see ``playing.play``."""
        file = folder / API_KEY_FILE
        key = json.loads(file.read_text()) if file.exists() else {}
        login = {name: key[name] for name in ("access_key", "secret_key") if key}
        defaults = {
            "group/container.schedulers.digitalocean": {"api_url": self.addresses["digitalocean"], "api_token": TOKEN},
            "container.schedulers.digitalocean_droplets": {"settle_seconds": 0, "wait_sleep": 1},
            "group/container.schedulers.rancher": {"url": self.addresses["rancher"], "request_timeout": 1, **login},
            "container.schedulers.rancher_hosts": {"wait_sleep": 1},
        }
        return play(folder, list(tasks), {}, *options, module_defaults=defaults)
