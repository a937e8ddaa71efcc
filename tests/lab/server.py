# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the lab together: the providers, the control API, an HTTP server for each, the ticker."""

from __future__ import annotations

import gc
import importlib
import logging
import tempfile
import threading
from functools import partial
from pathlib import Path

from lab.aws import patching, speed
from lab.aws.backend import AwsBackend
from lab.control import PREFIX, Control
from lab.http_server import HttpServer
from lab.messages import Answer, Backend, Request
from lab.pipeline import Pipeline
from lab.world import Settings, World

log = logging.getLogger("lab")
_TICK_SECONDS = 0.2
PARTS = (
    "lab.aws.moto_settings",
    "lab.aws.speed",
    "lab.credentials",
    "lab.tokens",
    "lab.aws.consistency",
    "lab.aws.paging",
    "lab.aws.ec2",
    "lab.aws.ebs",
    "lab.aws.launch_templates",
    "lab.aws.instances",
    "lab.aws.autoscaling",
    "lab.aws.iam",
    "lab.aws.elb",
    "lab.aws.elbv2",
    "lab.aws.route53",
    "lab.aws.ssm",
    "lab.aws.logs",
    "lab.aws.application_autoscaling",
    "lab.aws.tagging",
    "lab.aws.ecs.api",
    "lab.boot",
    "lab.kubernetes.ec2.clusters",
    "lab.balancers",
    "lab.inventory",
    "lab.digitalocean.backend",
    "lab.github",
    "lab.rancher.rancher",
)
"""Each has install(world). Order matters where two wrap the same moto method: the later one is outside."""


class Lab:
    """A running simulation; use it as a context manager, or start() and stop()."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pipeline = Pipeline(world)
        world.answer = self._respond
        self._control = Control(self.pipeline)
        self._backends: dict[str, Backend] = {"aws": AwsBackend(world), **world.backends}
        self._servers: list[HttpServer] = []
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        return self.world.addresses["aws"]

    def start(self, port: int = 0) -> None:
        """Listen: for AWS and the control API on the given port, for every other provider on any free one."""
        for name, backend in self._backends.items():
            server = HttpServer(
                partial(self._respond, backend), port if name == "aws" else 0, tls=self.world.tls.get(name)
            )
            self._servers.append(server)
            self.world.addresses[name] = server.url
            threading.Thread(target=server.serve_forever, args=(0.05,), name=f"lab-{name}", daemon=True).start()
        self.world.addresses["control"] = self.url + PREFIX
        threading.Thread(target=self._tick, name="lab-ticker", daemon=True).start()

    def warm_up(self) -> None:
        """Load what the first calls would wait for, in the background."""
        threading.Thread(target=speed.warm_up, args=(self.world,), name="lab-warm-up", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self.pipeline.faults.release(drop=True)
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.world.stop()

    def __enter__(self) -> Lab:
        self.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.stop()

    def _respond(self, backend: Backend, request: Request) -> Answer:
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return self._control.answer(request)
        return self.pipeline.answer(backend, request)

    def _tick(self) -> None:
        while not self._stopping.wait(_TICK_SECONDS):
            try:
                self.world.step()
            except Exception:
                log.exception("a step of the simulation failed")


def build(settings: Settings | None = None) -> Lab:
    """A lab that is not listening yet. Only one per process: it patches moto in place."""
    patching.restore()
    world = World(settings or Settings(scratch=Path(tempfile.mkdtemp(prefix="lab-"))))
    for part in PARTS:
        importlib.import_module(part).install(world)
    gc.collect()
    gc.freeze()  # moto and botocore are a million objects that stay: looking at them again and again takes seconds
    return Lab(world)
