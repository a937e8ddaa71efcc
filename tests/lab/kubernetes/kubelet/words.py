# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kubelet and containerd say, in their own words."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from lab import containers


class Event(NamedTuple):
    """An event about a pod, or about one of its containers."""

    type: str
    reason: str
    message: str
    field: str = ""


def reference(image: str) -> str:
    """The image as containerd names it: with registry, library and tag."""
    name, at, digest = image.partition("@")
    first = name.partition("/")[0]
    if "/" not in name:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    if not at and ":" not in name.rpartition("/")[2]:
        name += ":latest"
    return f"{name}{at}{digest}"


def pull_error(image: str) -> str | None:
    """Why containerd cannot pull the image, or None. Which images exist, containers.py says."""
    reason = containers.pull_error(image)
    if reason is None:
        return None
    full = reference(image)
    start = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}"'
    if "manifest" in reason:
        return f"rpc error: code = NotFound desc = {start}: {full}: not found"
    return (
        f"rpc error: code = Unknown desc = {start}: pull access denied, repository does not exist or may require "
        "authorization: server message: insufficient_scope: authorization failed"
    )


def invalid_image(image: str) -> str | None:
    """What the kubelet says of a name that is no image name, or None."""
    if containers.pull_error(image) != "invalid reference format":
        return None
    lower = "repository name must be lowercase" if image != image.lower() else "invalid reference format"
    return f"Failed to apply default image tag {quoted(image)}: couldn't parse image name {quoted(image)}: {lower}"


def image_name(image: str) -> str:
    """The image as a pod's status names it."""
    return reference(image)


def image_id(image: str) -> str:
    return f"{reference(image).partition('@')[0].rpartition(':')[0]}@{containers.digest(image)}"


def backing_off(image: str, error: str) -> str:
    return f"Back-off pulling image {quoted(image)}: ErrImagePull: {error}"


def restarting(seconds: int, container: str, pod: str) -> str:
    span = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
    return f"back-off {span} restarting failed container={container} pod={pod}"


def no_command(seed: str) -> str:
    """Of an image that does not say what to run: containerd has an id for the container already."""
    container = hashlib.sha256(seed.encode()).hexdigest()
    return f"failed to generate container {quoted(container)} spec: failed to generate spec: no command specified"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
