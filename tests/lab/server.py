# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the lab together: moto, the guards round it, the control API, the HTTP server, the ticker."""

from __future__ import annotations

import gc
import importlib
import logging
import tempfile
import threading
from pathlib import Path

from lab.aws import patching, speed
from lab.aws.moto_app import MotoApp
from lab.control import PREFIX, Control
from lab.http_server import HttpServer
from lab.messages import Answer, Request
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
)
"""Each has install(world). Order matters where two wrap the same moto method: the later one is outside."""


class Lab:
    """A running simulation; use it as a context manager, or start() and stop()."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pipeline = Pipeline(world, MotoApp())
        self._control = Control(self.pipeline)
        self._http: HttpServer | None = None
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        return self.world.addresses["aws"]

    def start(self, port: int = 0) -> None:
        self._http = HttpServer(self._respond, port)
        self.world.addresses.update(aws=self._http.url, control=self._http.url + PREFIX)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), name="lab-http", daemon=True).start()
        threading.Thread(target=self._tick, name="lab-ticker", daemon=True).start()

    def warm_up(self) -> None:
        """Load what the first calls would wait for, in the background."""
        threading.Thread(target=speed.warm_up, args=(self.world,), name="lab-warm-up", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self.pipeline.faults.release(drop=True)
        if self._http:
            self._http.shutdown()
            self._http.server_close()
        self.world.stop()

    def __enter__(self) -> Lab:
        self.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.stop()

    def _respond(self, request: Request) -> Answer:
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return self._control.answer(request)
        return self.pipeline.answer(request)

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
