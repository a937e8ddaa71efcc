# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubeconfig of a Kubernetes environment: no resource of the server, but a key and the address that takes it.

Rancher 1.0 and 1.1 take a key of the environment as user and password; later ones take a key of an account in a token.
A file that works is left alone: a new key at every run is what users of other tools complain about. PRIVATE.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._errors import InputError
from .api import Connection
from .api_keys import Pair

OPTION = "kubeconfig"
THROUGH_RANCHER = "/r/projects/"
HTTP_PORT = 80


def cluster_address(connection: Connection, environment: str, *, v1: bool) -> str:
    """Where the API server of an environment is reached: through Rancher, and always by TLS. Pure.

    kubectl sends no credentials without it. A Rancher server takes it on the same port, with a certificate of its own.
    """
    server = connection.server
    if _is_plain(connection):
        parts = urlsplit(server)
        port = "" if parts.port else f":{HTTP_PORT}"  # https means another one, where none is said
        server = parts._replace(scheme="https", netloc=parts.netloc.removesuffix(":") + port).geturl()
    return f"{server}{THROUGH_RANCHER}{environment}/kubernetes{'' if v1 else ':6443'}"


def _is_plain(connection: Connection) -> bool:
    return urlsplit(connection.server).scheme == "http"


def kubeconfig(
    connection: Connection, environment: str, name: str, pair: Pair, *, v1: bool, ca: str | None = None
) -> dict[str, Any]:
    """The content of a kubeconfig. Pure.

    Args:
        ca: the certificates of the CA, as text.
    """
    cluster: dict[str, Any] = {"server": cluster_address(connection, environment, v1=v1)}
    if ca and not _is_plain(connection):
        cluster["certificate-authority-data"] = b64encode(ca.encode()).decode()
    elif _is_plain(connection) or not connection.validate_certs:
        cluster["insecure-skip-tls-verify"] = True  # nobody has signed the certificate that a server has by itself
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": _user(pair, v1=v1)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def _user(pair: Pair, *, v1: bool) -> dict[str, str]:
    if v1:
        return {"username": pair.public, "password": pair.secret}
    basic = b64encode(f"{pair.public}:{pair.secret}".encode()).decode()
    return {"token": b64encode(f"Basic {basic}".encode()).decode()}


def pair_of(content: Mapping[str, Any]) -> Pair | None:
    """The key in a kubeconfig of ours, None if it is another one. Pure."""
    try:
        user = content["users"][0]["user"]
        if "token" in user:
            basic = b64decode(user["token"]).decode().removeprefix("Basic ")
            public, _colon, secret = b64decode(basic).decode().partition(":")
            return Pair(public, secret)
        return Pair(str(user["username"]), str(user["password"]))
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def server_of(content: Mapping[str, Any]) -> str | None:
    """The address in a kubeconfig. Pure."""
    try:
        return str(content["clusters"][0]["cluster"]["server"])
    except (KeyError, IndexError, TypeError):
        return None


def is_ours(content: Mapping[str, Any], name: str, address: str | None) -> bool:
    """Whether a kubeconfig is one of this environment, or has nothing in it. Pure.

    A server that was made again has another address, and its environment of the same name another id.

    Args:
        address: where its API server is reached, None if there is no such environment.
    """
    clusters, server = content.get("clusters") or [], server_of(content)
    if not clusters:
        return not content.get("users")
    if len(clusters) > 1 or server is None:
        return False
    return server == address or (clusters[0].get("name") == name and THROUGH_RANCHER in server)


def read_kubeconfig(path: str, name: str, address: str | None) -> Mapping[str, Any] | None:
    """The file's content, None if there is no file.

    Args:
        name: the environment's, by which the file is known to be ours, as by its address.

    Raises:
        InputError: it is the kubeconfig of another cluster, or no kubeconfig at all.
    """
    import yaml  # noqa: PLC0415

    if not Path(path).exists():
        return None
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError: no UTF-8, or a date that there is not
        raise InputError(f"{OPTION}: {path} cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("kind") != "Config" or not is_ours(content, name, address):
        raise InputError(f"{OPTION}: {path} is a file of somebody else's, and is left alone", hint="Give another path.")
    return content


def rendered(content: Mapping[str, Any]) -> str:
    """The file's text. Pure."""
    import yaml  # noqa: PLC0415

    return str(yaml.safe_dump(dict(content), sort_keys=False))
