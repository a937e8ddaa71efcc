# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab kubernetes build|start|run|restart|status|exports|stop`: a cluster without the lab's AWS."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from lab.http_server import HttpServer
from lab.kubernetes import nodes, programs
from lab.kubernetes.client import ApiError
from lab.kubernetes.cloud import NoCloud
from lab.kubernetes.cluster import Cluster, Options
from lab.kubernetes.control_plane import ControlPlaneError
from lab.kubernetes.nodes import Machine
from lab.messages import Answer, Request, json_answer

START_SECONDS = 180.0
STOP_SECONDS = 60.0
ANSWER_SECONDS = 30.0
FILE = "kubernetes.json"


class CommandError(Exception):
    """What went wrong, as one sentence for the terminal."""


def add_commands(parser: argparse.ArgumentParser, state: Path) -> None:
    commands = parser.add_subparsers(dest="verb", required=True)
    for name, summary in (
        ("build", "build the programs of the control plane, once"),
        ("start", "start a cluster in the background and wait until it can be used"),
        ("run", "the same in the foreground, until interrupted"),
        ("restart", "end the API server as a crash would, and start it again"),
        ("status", "what runs where"),
        ("exports", "shell lines that point clients at it"),
        ("stop", "stop it"),
    ):
        command = commands.add_parser(name, help=summary, description=summary)
        if name != "build":
            command.add_argument("--state", type=Path, default=state, metavar="DIR", help="default: %(default)s")
        if name in ("start", "run"):
            _add_options(command)
        if name == "restart":
            command.add_argument(
                "--down", type=float, default=0, metavar="SECONDS", help="stay away so long (default 0)"
            )


def _add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--nodes", type=int, default=2, help="how many (default: %(default)s)")
    command.add_argument("--cpu", default="2", help="of each node (default: %(default)s)")
    command.add_argument("--memory", default="4Gi", help="of each node (default: %(default)s)")
    command.add_argument(
        "--zone", action="append", default=[], help="of the nodes in turn; may be repeated (default: eu-west-1c)"
    )
    command.add_argument("--instance-type", default="t3.medium", help="label of the nodes (default: %(default)s)")
    command.add_argument(
        "--speed", type=float, default=Options.speed, help="kubelet seconds in a real one (default: %(default)s)"
    )
    command.add_argument(
        "--ready-seconds",
        type=float,
        default=Options.ready_seconds,
        help="kubelet seconds from a container's start until it is ready (default: %(default)s)",
    )


def main(options: argparse.Namespace) -> int:
    verb = options.verb
    if verb == "build":
        return programs.main()
    state = options.state.resolve()
    try:
        if verb in ("start", "run"):
            return _start(state, options) if verb == "start" else _run(state, options)
        return (
            {"stop": stop, "status": status, "exports": exports}[verb](state)
            if verb != "restart"
            else restart(state, options.down)
        )
    except (CommandError, ControlPlaneError, programs.ProgramsError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _machines(options: argparse.Namespace) -> list[Machine]:
    zones = options.zone or ["eu-west-1c"]
    return [
        Machine(
            f"node-{number + 1}",
            cpu=options.cpu,
            memory=options.memory,
            zone=zones[number % len(zones)],
            instance_type=options.instance_type,
        )
        for number in range(options.nodes)
    ]


def _run(state: Path, options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. What starts processes is done in this thread: they end with it."""
    state.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=state / "lab.log", filemode="w", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_unused: jobs.put(None))
    cluster = Cluster(state, Options(options.speed, options.ready_seconds))
    cluster.start(_machines(options))
    control = HttpServer(_Control(cluster, jobs).answer)
    threading.Thread(target=control.serve_forever, args=(0.05,), name="lab-control", daemon=True).start()
    information = {
        "pid": os.getpid(),
        "kubeconfig": str(cluster.kubeconfig),
        "control": control.url,
        "proxy": cluster.proxy.url,
    }
    try:
        _write_atomically(state / FILE, json.dumps(information, indent=2) + "\n")
        while (job := jobs.get()) is not None:
            job()
    finally:
        (state / FILE).unlink(missing_ok=True)
        control.shutdown()
        cluster.stop()
    return 0


class _Control:
    """The cluster's own control API."""

    def __init__(self, cluster: Cluster, jobs: queue.Queue[Callable[[], None] | None]) -> None:
        self._cluster = cluster
        self._jobs = jobs

    def answer(self, request: Request) -> Answer:
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        first, _unused, name = request.path.strip("/").partition("/")
        try:
            match request.method, first:
                case "GET", "":
                    return json_answer({"pid": os.getpid(), "ended": self._cluster.control_plane.ended()})
                case "POST", "restart":
                    return self._in_main_thread(
                        lambda: self._cluster.control_plane.restart_api_server(float(query.get("down", 0)))
                    )
                case "GET", "journal":
                    return json_answer({"entries": self._cluster.journal.entries()})
                case "DELETE", "journal":
                    self._cluster.journal.clear()
                    return json_answer({"entries": []})
                case "POST", "settings":
                    return self._set(**json.loads(request.body or b"{}"))
                case "POST", "volumes":
                    return self._know_volume(name, json.loads(request.body or b"{}"))
                case "POST" | "DELETE", "nodes":
                    nodes.speak(self._cluster.client, name, request.method == "POST")
                    return json_answer({"node": name, "heard": request.method == "POST"})
        except (ValueError, TypeError, ApiError) as error:
            return json_answer({"error": str(error)}, 400)
        return json_answer({"error": f"no such control: {request.method} {request.path}"}, 404)

    def _set(self, ready_seconds: float) -> Answer:
        """How long pods take, from now on."""
        self._cluster.here.ready_seconds = float(ready_seconds)
        return json_answer({"ready_seconds": ready_seconds})

    def _know_volume(self, volume: str, facts: dict[str, Any]) -> Answer:
        """An EBS volume that was made by hand: its zone, and the instance that it is attached to, if any."""
        cloud = self._cluster.cloud
        if isinstance(cloud, NoCloud):
            cloud.know_volume(volume, **facts)
        return json_answer({"volume": volume, **facts})

    def _in_main_thread(self, job: Callable[[], None]) -> Answer:
        done = threading.Event()
        problems: list[str] = []

        def work() -> None:
            try:
                job()
            except Exception as error:
                problems.append(str(error))
            done.set()

        self._jobs.put(work)
        done.wait()
        return json_answer({"error": problems[0]}, 500) if problems else json_answer({"done": True})


def _start(state: Path, options: argparse.Namespace) -> int:
    if _answers(_read(state)):
        print(f"lab: a cluster runs already, state in {state}")
        return status(state)
    programs.build(lambda line: print(f"lab: {line}", flush=True))
    state.mkdir(parents=True, exist_ok=True)
    (state / FILE).unlink(missing_ok=True)
    command = [sys.executable, "-m", "lab", "kubernetes", "run", "--state", str(state)]
    given = ("nodes", "cpu", "memory", "instance_type", "speed", "ready_seconds")
    command += [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in given]
    command += [f"--zone={zone}" for zone in options.zone]
    begun = time.monotonic()
    with (state / "output.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    while not _answers(_read(state)):
        if process.poll() is not None:
            words = (state / "output.log").read_text(errors="replace")[-2000:].removeprefix("lab: ").strip()
            raise CommandError(words or "it ended at once")
        if time.monotonic() > begun + START_SECONDS:
            process.terminate()
            raise CommandError(f"it was not ready within {START_SECONDS:.0f} s; see {state / 'logs'}")
        time.sleep(0.05)
    print(f"lab: ready after {time.monotonic() - begun:.1f} s")
    return status(state)


def stop(state: Path) -> int:
    """Ends the cluster whose state this is; one that does not run is not an error."""
    information = _read(state)
    if not _answers(information):
        print("lab: no cluster runs")
        return 0
    pid: int = information["pid"]
    deadline = time.monotonic() + STOP_SECONDS
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while (state / FILE).exists() or _alive(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)  # the kernel ends its children with it
                break
            time.sleep(0.05)
    (state / FILE).unlink(missing_ok=True)
    print("lab: the cluster is stopped")
    return 0


def restart(state: Path, down: float) -> int:
    information = _running(state)
    request = urllib.request.Request(f"{information['control']}/restart?down={down}", method="POST", data=b"")
    begun = time.monotonic()
    try:
        with _direct().open(request, timeout=down + START_SECONDS):
            print(f"lab: the API server was away for {time.monotonic() - begun:.1f} s")
    except urllib.error.HTTPError as error:
        raise CommandError(f"the API server did not come back: {error.read().decode()}") from error
    return 0


def status(state: Path) -> int:
    information = _running(state)
    print(f"lab: a real control plane with simulated nodes, process {information['pid']}")
    print(f"  kubeconfig {information['kubeconfig']}")
    print(f"  logs       {state / 'logs'}")
    return 0


def exports(state: Path) -> int:
    information = _running(state)
    found = programs.need()
    values = {
        "LAB_KUBECONFIG": information["kubeconfig"],
        "KUBECONFIG": information["kubeconfig"],
        "LAB_KUBERNETES_CONTROL": information["control"],
        "LAB_KUBECTL": found["kubectl"],
    }
    if "proxy" in information:
        values["LAB_PROXY"] = information["proxy"]
    for name, value in values.items():
        print(f"export {name}={value}")
    return 0


def _running(state: Path) -> dict[str, Any]:
    information = _read(state)
    if not _answers(information):
        raise CommandError(f"no cluster runs (state in {state}); start it first")
    return information


def _read(state: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads((state / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return document


def _answers(information: dict[str, Any]) -> bool:
    try:
        with _direct().open(information["control"], timeout=ANSWER_SECONDS) as answer:
            return bool(json.load(answer)["pid"] == information["pid"])
    except (OSError, ValueError, KeyError):
        return False


def _direct() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _write_atomically(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    temporary.replace(path)
