# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real control plane: etcd, API server, controller manager and scheduler as processes, and kwok for the nodes."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.kubernetes import pki, settings
from lab.kubernetes.client import ApiError, Client
from lab.kubernetes.processes import Process, free_port
from lab.kubernetes.programs import KUBELET, Programs

READY_SECONDS = 120.0
"""Far more than it takes, for machines that do other things too."""


class ControlPlaneError(Exception):
    """Why the control plane does not run: one sentence."""


class ControlPlane:
    """One cluster's control plane; several can run at once, each with a state folder of its own.

    Call start(), restart_api_server() and stop() from a thread that lives as long as the processes shall.
    """

    def __init__(
        self,
        state: Path,
        programs: Programs,
        *,
        address: str = "127.0.0.1",
        api_port: int = 0,
        hosts: Iterable[str] = (),
        pods: str = settings.PODS,
        services: str = settings.SERVICES,
    ) -> None:
        self.state = state.resolve()
        self._programs = programs
        self.layout = settings.Layout(
            state=self.state,
            address=address,
            api_port=api_port or free_port(address),
            etcd_port=free_port(),
            peer_port=free_port(),
            controllers_port=free_port(),
            scheduler_port=free_port(),
            kwok_port=free_port(),
            services=services,
            pods=pods,
        )
        inside = (self.layout.first_service, "kubernetes", "kubernetes.default", "kubernetes.default.svc")
        self._hosts = list(dict.fromkeys([address, "127.0.0.1", "localhost", *inside, *hosts]))
        self._processes: dict[str, Process] = {}
        self.kubeconfig = self.state / "admin.kubeconfig"
        """What an administrator gets, as kubeadm makes it."""
        self.front = self.state / "pki" / "front-proxy" / f"{settings.FRONT}.crt"
        """Who shows this may say on whose behalf it asks; its key is beside it."""
        self.own_kubeconfig = self.state / "lab.kubeconfig"
        """What the lab's own controllers use: no permission is missing there."""

    def start(self) -> Client:
        """Start everything, and wait until the API can be used."""
        shutil.rmtree(self.state / "etcd", ignore_errors=True)
        (self.state / "logs").mkdir(parents=True, exist_ok=True)
        (self.state / "pods").mkdir(exist_ok=True)
        self._write_certificates()
        try:
            for name in ("etcd", KUBELET, "kube-apiserver"):
                self._processes[name].start()
            client = self._await_api()
            for name in ("kube-controller-manager", "kube-scheduler", "kwok"):
                self._processes[name].start()
            self._set_up(client)
            self._await(lambda: self._has_default_account(client), "the controller manager does not work")
        except BaseException:
            self.stop()
            raise
        return client

    def stop(self) -> None:
        """End all processes. Nothing of theirs is kept, so none is asked twice."""
        for process in reversed(self._processes.values()):
            process.kill()

    def restart_api_server(self, down_seconds: float = 0.0) -> None:
        """End the API server as a crash would, and start it again."""
        process = self._processes["kube-apiserver"]
        process.kill()
        time.sleep(down_seconds)
        process.start()
        self._await_api()

    def ended(self) -> list[str]:
        """Programs that should run and do not."""
        return [process.name for process in self._processes.values() if process.ended]

    def _write_certificates(self) -> None:
        folder = self.state / "pki"
        authority = pki.Authority(folder)
        files = authority.files
        accounts = pki.service_account_keys(folder)
        serving = authority.sign("apiserver", "kube-apiserver", hosts=self._hosts)
        to_kubelet = authority.sign("apiserver-kubelet-client", "kube-apiserver-kubelet-client", ["system:masters"])
        fronts = pki.Authority(folder / "front-proxy", "front-proxy-ca")
        fronts.sign(settings.FRONT, settings.FRONT)
        kubelet = authority.sign("kubelet", "system:node:lab", ["system:nodes"], hosts=["127.0.0.1", "localhost"])
        users = {
            "admin": (settings.ADMINISTRATOR, ["kubeadm:cluster-admins"]),
            "lab": ("lab", ["system:masters"]),
            "controller-manager": ("system:kube-controller-manager", []),
            "scheduler": ("system:kube-scheduler", []),
        }
        configs = {
            name: pki.write_kubeconfig(
                self.state / f"{name}.kubeconfig",
                "lab",
                self.layout.url,
                files.certificate,
                authority.sign(name, user, groups),
            )
            for name, (user, groups) in users.items()
        }
        settings.write_files(self.layout, configs["scheduler"])
        self._plan("etcd", settings.etcd(self.layout))
        self._plan(
            KUBELET,
            [
                f"--egress={settings.SOCKETS['egress']}",
                f"--socket={settings.SOCKETS['lab']}",
                "--pods=pods",
                f"--client-ca-file={files.certificate}",
                f"--tls-cert-file={kubelet.certificate}",
                f"--tls-private-key-file={kubelet.key}",
            ],
        )
        self._plan(
            "kube-apiserver",
            settings.api_server(
                self.layout, serving, to_kubelet, files.certificate, accounts, fronts.files.certificate
            ),
        )
        self._plan(
            "kube-controller-manager",
            settings.controller_manager(self.layout, configs["controller-manager"], files, accounts),
        )
        self._plan("kube-scheduler", settings.scheduler(self.layout, configs["scheduler"]))
        self._plan("kwok", settings.kwok(self.layout, configs["lab"]))

    def _plan(self, name: str, flags: list[str]) -> None:
        log = self.state / "logs" / f"{name}.log"
        self._processes[name] = Process(name, [self._programs[name], *flags], log, self.state)

    def _await_api(self) -> Client:
        """The API server is ready when its own check says so."""
        client = Client(self.own_kubeconfig)
        self._await(lambda: client.get("/readyz") == "ok", "the API server does not become ready")
        return client

    def _await(self, ready: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(OSError, ApiError):
                if ready():
                    return
            for process in self._processes.values():
                if process.ended:
                    raise ControlPlaneError(f"{process.name} ended: {process.last_words()}")
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"{problem} within {READY_SECONDS:.0f} s; see {self.state / 'logs'}")
            time.sleep(0.05)

    @staticmethod
    def _has_default_account(client: Client) -> bool:
        return client.find("/api/v1/namespaces/default/serviceaccounts/default") is not None

    @staticmethod
    def _set_up(client: Client) -> None:
        """What kubeadm would have done: its administrators are administrators."""
        client.create(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            {
                "metadata": {"name": "kubeadm:cluster-admins"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [
                    {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "kubeadm:cluster-admins"}
                ],
            },
        )
