# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a WordPress site consists of, as manifests. Pure. PRIVATE.

The core of WordPress stays in its image, and only what a site adds (uploads, themes, plugins) is on the volume: so a
new image is a new version of WordPress, which it is not when the whole of /var/www/html is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._texts import texts
from .app_wanted import balancer_annotations, refuse_another_balancer, source_ranges
from .manifests import Manifest
from .objects import Object
from .pod_options import resources
from .wordpress_storage import placing, pod_volume, storage_manifests

DATABASE, USER = "wordpress", "wordpress"
HTML = "/var/www/html"
CLI = "wp-cli"
WEB_ID, DATABASE_ID = 33, 999  # www-data and mysql of the official images
SALTS = tuple(f"{name}_{part}" for part in ("KEY", "SALT") for name in ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"))
EXTRA = "define('DISALLOW_FILE_EDIT', true); define('FS_METHOD', 'direct'); define('WP_AUTO_UPDATE_CORE', false);"
HTTPS = "$_SERVER['HTTPS'] = 'on';"


def credentials_name(options: Mapping[str, Any]) -> str:
    """The Secret with the passwords."""
    return f"{options['name']}-credentials"


def salts_name(options: Mapping[str, Any]) -> str:
    """The Secret with the keys that sign cookies."""
    return f"{options['name']}-salts"


def database_name(options: Mapping[str, Any]) -> str:
    """The Deployment and the service of the database."""
    return f"{options['name']}-database"


def manifests(options: Mapping[str, Any], live_service: Object | None = None) -> list[Manifest]:
    """Everything but the Secrets, which are made once and then left alone.

    Raises:
        InputError: the load balancer would have to change.
    """
    return [
        *storage_manifests(options),
        _database(options),
        _database_service(options),
        _database_policy(options),
        _site(options),
        _site_service(options, live_service),
    ]


def _labels(options: Mapping[str, Any], component: str, app: str) -> dict[str, str]:
    return {
        "app": app,
        "app.kubernetes.io/name": "wordpress" if component == "site" else "mariadb",
        "app.kubernetes.io/instance": options["name"],
        "app.kubernetes.io/component": component,
    }


def _deployment(options: Mapping[str, Any], name: str, component: str, pod: Mapping[str, Any]) -> Manifest:
    labels = _labels(options, component, name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": options["namespace"], "labels": labels},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},  # two pods cannot have one volume
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"automountServiceAccountToken": False, "enableServiceLinks": False, **placing(options), **pod},
            },
        },
    }


def _from_secret(variable: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _confined() -> dict[str, Any]:
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def _user(number: int) -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": number,
        "runAsGroup": number,
        "fsGroup": number,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _resources(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    return resources(options[name].get("requests"), options[name].get("limits")) or {}


def _database(options: Mapping[str, Any]) -> Manifest:
    secret = credentials_name(options)
    alive = {"exec": {"command": ["healthcheck.sh", "--connect"]}, "timeoutSeconds": 5}
    ready = {"exec": {"command": ["healthcheck.sh", "--connect", "--innodb_initialized"]}, "timeoutSeconds": 5}
    container = {
        "name": "mariadb",
        "image": options["database_image"],
        "env": [
            {"name": "MARIADB_DATABASE", "value": DATABASE},
            {"name": "MARIADB_USER", "value": USER},
            _from_secret("MARIADB_PASSWORD", secret, "password"),
            _from_secret("MARIADB_ROOT_PASSWORD", secret, "root-password"),
            {"name": "MARIADB_AUTO_UPGRADE", "value": "1"},
        ],
        "ports": [{"name": "mysql", "containerPort": 3306, "protocol": "TCP"}],
        "startupProbe": {**ready, "periodSeconds": 2, "failureThreshold": 300},
        "readinessProbe": {**ready, "periodSeconds": 10},
        "livenessProbe": {**alive, "periodSeconds": 20, "failureThreshold": 6},
        "resources": _resources(options, "database_resources"),
        "securityContext": _confined(),
        # a fresh volume has lost+found in it, and the server wants an empty directory
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/mysql", "subPath": "mysql"}],
    }
    pod = {
        "securityContext": _user(DATABASE_ID),
        "terminationGracePeriodSeconds": 60,
        "containers": [container],
        "volumes": [pod_volume(options, "database")],
    }
    return _deployment(options, database_name(options), "database", pod)


def _database_service(options: Mapping[str, Any]) -> Manifest:
    name = database_name(options)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": options["namespace"], "labels": _labels(options, "database", name)},
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": name},
            "ports": [{"name": "mysql", "port": 3306, "targetPort": 3306, "protocol": "TCP"}],
        },
    }


def _database_policy(options: Mapping[str, Any]) -> Manifest:
    """Only the site may speak to the database, where the cluster's network has policies."""
    name = database_name(options)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": options["namespace"]},
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": {"app": options["name"]}}}],
                    "ports": [{"port": 3306, "protocol": "TCP"}],
                }
            ],
        },
    }


def _site(options: Mapping[str, Any]) -> Manifest:
    secret, salts = credentials_name(options), salts_name(options)
    environment = [
        {"name": "WORDPRESS_DB_HOST", "value": database_name(options)},
        {"name": "WORDPRESS_DB_NAME", "value": DATABASE},
        {"name": "WORDPRESS_DB_USER", "value": USER},
        _from_secret("WORDPRESS_DB_PASSWORD", secret, "password"),
        *(_from_secret(f"WORDPRESS_{name}", salts, name) for name in SALTS),
        {"name": "WORDPRESS_CONFIG_EXTRA", "value": _extra(options)},
    ]
    mounts = [
        {"name": "html", "mountPath": HTML},
        {"name": "data", "mountPath": f"{HTML}/wp-content", "subPath": "wp-content"},
    ]
    pod = {
        "securityContext": {
            **_user(WEB_ID),
            "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
        },
        "terminationGracePeriodSeconds": 30,
        "containers": [_web_container(options, environment, mounts), _cli_container(options, environment, mounts)],
        "volumes": [{"name": "html", "emptyDir": {}}, pod_volume(options, "site")],
    }
    return _deployment(options, options["name"], "site", pod)


def _extra(options: Mapping[str, Any]) -> str:
    """PHP for wp-config.php. The image believes X-Forwarded-Proto, which load balancers that pass on TCP do not send.

    So do those of the network, and classic ones with a certificate, unless an annotation says that the pods speak HTTP.
    """
    service, url = options["service"], options["site"].get("url")
    https = url.startswith("https:") if url else service.get("port") == 443
    return f"{EXTRA} {HTTPS}" if https and service["type"] == "LoadBalancer" else EXTRA


def _web_container(
    options: Mapping[str, Any], environment: list[dict[str, Any]], mounts: list[dict[str, Any]]
) -> dict[str, Any]:
    # A site at https sends who logs in by http away, and the kubelet follows only to the host that it asked: under any
    # other name, being sent away counts as an answer, now and when the address of the site changes.
    get = {
        "path": "/wp-login.php",
        "port": 80,
        "scheme": "HTTP",
        "httpHeaders": [{"name": "Host", "value": options["name"]}],
    }
    answers = {"httpGet": get, "timeoutSeconds": 10}
    return {
        "name": "wordpress",
        "image": options["image"],
        "env": environment,
        "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}],
        "startupProbe": {**answers, "periodSeconds": 2, "failureThreshold": 150},
        "readinessProbe": {**answers, "periodSeconds": 10},
        "livenessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 20, "failureThreshold": 6},
        # the load balancer needs a moment to notice that the pod ends
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
        "resources": _resources(options, "resources"),
        "securityContext": _confined(),
        "volumeMounts": mounts,
    }


def _cli_container(
    options: Mapping[str, Any], environment: list[dict[str, Any]], mounts: list[dict[str, Any]]
) -> dict[str, Any]:
    """wp-cli beside the site. The pod is not ready before the site is installed: nobody else reaches the installer."""
    return {
        "name": CLI,
        "image": options["cli_image"],
        "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"],
        "env": [*environment, {"name": "HOME", "value": "/tmp"}],  # noqa: S108 - in the container
        "startupProbe": {
            "exec": {"command": ["wp", "core", "is-installed"]},
            "periodSeconds": 2,
            "timeoutSeconds": 10,
            "failureThreshold": 1800,
        },
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": _confined(),
        "volumeMounts": mounts,
    }


def _site_service(options: Mapping[str, Any], live: Object | None) -> Manifest:
    given, name = options["service"], options["name"]
    annotations = texts("service.annotations", given.get("annotations") or {})
    spec: dict[str, Any] = {
        "type": given["type"],
        "selector": {"app": name},
        "ports": [{"name": "http", "port": given.get("port") or 80, "targetPort": 80, "protocol": "TCP"}],
    }
    if given["type"] == "LoadBalancer":
        annotations |= balancer_annotations(given)
        refuse_another_balancer(annotations, live)
        if ranges := source_ranges(given.get("source_ranges") or [], live):
            spec["loadBalancerSourceRanges"] = ranges
    metadata = {"name": name, "namespace": options["namespace"], "labels": _labels(options, "site", name)}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**metadata, **({"annotations": annotations} if annotations else {})},
        "spec": spec,
    }
