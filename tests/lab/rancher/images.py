# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in the images that Rancher's users meet: processes, and ports that answer. Others: see containers.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab import containers

_SUPERVISED = ("cluster",)
"""Images whose programs run under supervisord, as the chapter's."""
_PORTS = {
    "bitnami/mariadb": (3306,),
    "bitnami/wordpress": (80, 443),
    "rancher/convoy-agent": (10241,),
    "rancher/external-dns": (1000,),
    "rancher/load-balancer-service": (42,),
    "rancher/lb-service-haproxy": (42,),
    "rancher/galera": (3306,),
    "rancher/galera-leader-proxy": (3307,),
    "rancher/glusterfs": (24007,),
    "rancher/etcd": (2378, 2379),
    "rancher/k8s": (80, 6443, 10250, 10251, 10252),
    "rancher/kubectld": (8091,),
    "rancher/kubernetes-agent": (10240,),
    "rancher/ingress-controller": (10241,),
    "mariadb": (3306,),
    "mysql": (3306,),
    "redis": (6379,),
    "postgres": (5432,),
    "memcached": (11211,),
}
_BALANCERS = ("rancher/load-balancer-service", "rancher/lb-service-haproxy")


@dataclass(frozen=True)
class Task:
    """One process in a container."""

    pid: int
    command: str
    user: str = "root"
    port: int = 0
    """The port that stops answering when this process is gone."""


def image_of(config: Mapping[str, Any]) -> str:
    return str(config.get("imageUuid") or "").removeprefix("docker:")


def starts_once(config: Mapping[str, Any]) -> bool:
    """A sidekick that does its work and ends, and is fine so."""
    return str((config.get("labels") or {}).get("io.rancher.container.start_once", "")).lower() == "true"


def is_balancer(image: str) -> bool:
    return containers.bare_name(image) in _BALANCERS


def ports_of(image: str, also: tuple[int, ...]) -> tuple[int, ...]:
    """The ports that the image's program listens on: its own if it is known, else whatever is mapped or exposed."""
    name = containers.bare_name(image).removeprefix("library/")
    return _PORTS.get(name, also)


def tasks_of(image: str, command: tuple[str, ...], ports: tuple[int, ...]) -> list[Task]:
    """The processes that run after the start, as `ps aux` shows them."""
    last = containers.bare_name(image).rpartition("/")[2]
    if last in _SUPERVISED:
        return [
            Task(1, "/usr/bin/python /usr/bin/supervisord -n"),
            Task(11, "php-fpm: master process (/etc/php-fpm.conf)"),
            Task(12, "nginx: master process /usr/sbin/nginx", port=80),
            Task(13, "nginx: worker process", "nginx", port=80),
        ]
    if last == "nginx":
        return [
            Task(1, "nginx: master process nginx -g daemon off;", port=80),
            Task(7, "nginx: worker process", "nginx", port=80),
        ]
    first = " ".join(command) or {"wordpress": "apache2 -DFOREGROUND", "httpd": "httpd -DFOREGROUND"}.get(last, last)
    return [Task(1, first, port=ports[0] if ports else 0)]
