# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All clusters of the lab's AWS: instances make them by kubeadm, join them, and take them along when they go."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import logging
import queue
import secrets
import shutil
import ssl
import string
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from moto.ec2.models.instance_types import INSTANCE_TYPES

from lab.aws.ecs import access
from lab.boot import Equipment, script_of
from lab.http_server import HttpServer
from lab.kubernetes import nodes, programs
from lab.kubernetes.client import ApiError, Client
from lab.kubernetes.cluster import Cluster, Options
from lab.kubernetes.ec2 import addons, kubeadm, stand_ins
from lab.kubernetes.ec2.aws_cloud import AwsCloud
from lab.kubernetes.ec2.driver import Driver
from lab.kubernetes.ec2.front import Front
from lab.kubernetes.ec2.kubeadm import Init, Join, KubeadmError, Registration
from lab.kubernetes.ec2.link import Link
from lab.kubernetes.ec2.metadata import Metadata
from lab.kubernetes.inventory import Inventory
from lab.kubernetes.kubelet.life import Program
from lab.kubernetes.kubelet.programs import Command
from lab.kubernetes.kubelet.surroundings import Running
from lab.kubernetes.network import RefusedError, Visit
from lab.messages import Answer, Request
from lab.world import Item, World

log = logging.getLogger("lab")
METADATA = "169.254.169.254"
CLIENTS = ("203.0.113.250/32", "127.0.0.1/32")
"""Whose connections to public addresses these are, for security groups."""
BOOT_SECONDS = 900.0
SPEED = 10.0
"""Seconds on an instance (sleep, kubeadm's patience) and of kubelets in a real one."""
UNINITIALIZED = {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
CONTROL_PLANE_LABELS = {
    "node-role.kubernetes.io/control-plane": "",
    "node.kubernetes.io/exclude-from-external-load-balancers": "",
}


@dataclass(eq=False)
class Machine:
    """An instance whose user data may call kubeadm."""

    instance: Any
    root: Path
    metadata: Metadata
    link: Link | None = None
    made: Made | None = None
    """The cluster whose control plane it is."""
    joined: Made | None = None
    node: str = ""


@dataclass(eq=False)
class Made:
    """A cluster that kubeadm made."""

    machine: Machine
    init: Init
    cluster: Cluster
    names: dict[str, str] = field(default_factory=dict)
    """Instance id -> node name."""
    fronts: dict[tuple[str, int], Front] = field(default_factory=dict)
    metadata_server: HttpServer | None = None
    inventory: Inventory | None = None
    """What is in it; there once kubeadm has done its part."""

    @property
    def api_port(self) -> int:
        return self.cluster.control_plane.layout.api_port


class Clusters:
    """Kept per world. What starts processes is done in one thread that lives as long as the lab."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._machines: dict[str, Machine] = {}
        self._made: dict[str, Made] = {}
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue()
        self._worker: threading.Thread | None = None
        world.equippers.append(self._equip)
        world.watchers.append(self._watch)
        world.servers.append(self)
        world.on_step(self._open_fronts)
        world.on_inventory(self._inventory)
        world.on_reset(self.clear)
        world.on_stop(self.clear)

    # What instances get

    def _equip(self, instance: Any, user_data: bytes, folder: Path) -> Equipment | None:
        """User data that asks for metadata or calls kubeadm gets a socket to the lab; all other needs none."""
        parts = script_of(user_data).parts
        if not any(word in part for part in parts for word in (METADATA.encode(), b"kubeadm")):
            return None
        found = programs.find()
        if found is None:
            return None
        machine = Machine(instance, folder / "root", Metadata(instance))
        self._machines[instance.id] = machine
        folder.mkdir(parents=True, exist_ok=True)
        machine.link = Link(
            folder / "lab.sock",
            machine.metadata.answer,
            {"aws": lambda: self._aws_port(instance), "api": lambda: machine.made.api_port if machine.made else None},
            lambda question: self._run(machine, question),
        )
        return _equipment(instance, machine.link.path, found)

    def _aws_port(self, instance: Any) -> int | None:
        """AWS's endpoints, if the instance has a way to the internet."""
        if access.no_way_out(instance.ec2_backend, instance):
            return None
        return int(self._world.addresses["aws"].rpartition(":")[2])

    # Programs on instances

    def _run(self, machine: Machine, question: dict[str, Any]) -> dict[str, Any]:
        words = [str(word) for word in question.get("arguments") or ()]
        try:
            if question["program"] == "lab-network":
                lost = access.no_way_out(machine.instance.ec2_backend, machine.instance)
                return {"output": "", "error": "", "code": 1 if lost else 0}
            return {"output": self._kubeadm(machine, words, question), "error": "", "code": 0}
        except KubeadmError as error:
            text = f"error: {error}\nTo see the stack trace of this error execute with --v=5 or higher\n"
            return {"output": "", "error": text, "code": 1}
        except Exception as error:
            log.exception("%s of %s broke the lab", question["program"], machine.instance.id)
            return {"output": "", "error": f"lab: {error!r}\n", "code": 1}

    def _kubeadm(self, machine: Machine, words: list[str], question: dict[str, Any]) -> str:
        names = [word for word in words if not word.startswith("-")]
        verb = " ".join(names[:2])
        installed = (machine.root / "var/lib/lab/kubernetes-version").read_text().strip()
        if names[:1] == ["version"]:
            return f"v{installed}\n"
        if verb in ("config images"):
            wanted = _option(words, "--kubernetes-version") or installed
            return "".join(f"{image}\n" for image in kubeadm.images(wanted))
        name, address = machine.instance.private_dns_name, machine.instance.private_ip
        if names[:1] == ["init"]:
            return self._init(machine, kubeadm.init(self._config(machine, words, question), name, address), installed)
        if names[:1] == ["join"]:
            return self._join(machine, kubeadm.join(self._config(machine, words, question), name), installed)
        if verb == "token create":
            return self._token(machine, words, names)
        if names[:1] == ["reset"]:
            return "[reset] nothing of it is simulated\n"
        raise KubeadmError(f'unknown command "{verb}" for "kubeadm" (the lab knows init, join, token create, version, '
                           "config images)")  # fmt: skip

    def _config(self, machine: Machine, words: list[str], question: dict[str, Any]) -> str:
        name = _option(words, "--config")
        if name is None:
            raise KubeadmError("the lab's kubeadm wants its settings from a file: --config FILE")
        if name == "-":
            return str(question.get("input") or "")
        path = machine.root / Path(question.get("directory") or "/", name).as_posix().lstrip("/")
        if not path.is_file():
            raise KubeadmError(f"unable to read config from {name!r}: open {name}: no such file or directory")
        return path.read_text()

    def _init(self, machine: Machine, init: Init, installed: str) -> str:
        cpus, mebibytes = _size(machine.instance)
        kubeadm.preflight(cpus, mebibytes, init.ignored)
        if init.version.rpartition(".")[0] != installed.rpartition(".")[0]:
            raise KubeadmError(
                f"this version of kubeadm (v{installed}) does not deploy control planes of version v{init.version}"
            )
        if machine.made is not None:
            raise KubeadmError("[preflight] Some fatal errors occurred:\n\t[ERROR Port-6443]: Port 6443 is in use")
        made = self._do(lambda: self._start(machine, init))
        client = made.cluster.client
        addons.install(client, init, made.cluster.state / "pki" / "ca.crt")
        for token in init.tokens:
            document = addons.token_secret(str(token["token"]), kubeadm.seconds(str(token.get("ttl") or "24h0m0s")))
            client.create("/api/v1/namespaces/kube-system/secrets", document)
        taints = init.registration.taints
        self._register(
            made, machine, init.registration, installed, CONTROL_PLANE_LABELS,
            (CONTROL_PLANE,) if taints is None else taints,
        )  # fmt: skip
        made.inventory = Inventory(Client(made.cluster.control_plane.own_kubeconfig))
        self._hand_over(machine, made)
        success = "Your Kubernetes control-plane has initialized successfully!"
        return f"[init] Using Kubernetes version: v{init.version}\n{success}\n"

    def _start(self, machine: Machine, init: Init) -> Made:
        state = self._world.settings.scratch / "kubernetes" / machine.instance.id
        shutil.rmtree(state, ignore_errors=True)
        given = machine.root / "etc/kubernetes/pki"
        if (given / "ca.key").exists():
            shutil.copytree(given, state / "pki")
        region = machine.instance.region_name
        cloud = AwsCloud(self._world.addresses["aws"], region)
        cluster = Cluster(
            state,
            Options(speed=SPEED, storage=False),
            cloud,
            self._world.settings.scratch / "volumes",
            hosts=init.names,
            pods=init.pods,
            services=init.services,
        )
        made = Made(machine, init, cluster)
        cluster.applications.daemon = lambda running, now: self._daemon(made, running, now)
        cluster.on_started = lambda: cluster.agent.on_change(
            Driver(cluster.client, cluster.informer, cluster.storage, cloud, self._keys).take
        )
        cluster.start()
        self._made[machine.instance.id] = made
        machine.made = made
        return made

    def _hand_over(self, machine: Machine, made: Made) -> None:
        """What kubeadm leaves in /etc/kubernetes."""
        folder, state = machine.root / "etc/kubernetes", made.cluster.state
        (folder / "pki").mkdir(parents=True, exist_ok=True)
        for name in ("ca.crt", "ca.key", "sa.pub", "sa.key"):
            shutil.copyfile(state / "pki" / name, folder / "pki" / name)
            (folder / "pki" / name).chmod(0o600 if name.endswith(".key") else 0o644)
        name = made.init.cluster_name
        document = json.loads(made.cluster.kubeconfig.read_text())
        document["clusters"][0].update(name=name)
        document["clusters"][0]["cluster"]["server"] = f"https://{made.init.endpoint}"
        document["users"][0]["name"] = "kubernetes-admin"
        context = f"kubernetes-admin@{name}"
        document["contexts"] = [{"name": context, "context": {"cluster": name, "user": "kubernetes-admin"}}]
        document["current-context"] = context
        for target in ("admin.conf", "super-admin.conf"):
            (folder / target).touch(mode=0o600)
            (folder / target).write_text(yaml.safe_dump(document))

    def _join(self, machine: Machine, join: Join, installed: str) -> str:
        """Wait for the API server as kubeadm does, prove who it is, show the token, and be a node."""
        deadline = time.monotonic() + join.discovery_seconds / SPEED
        while True:
            problem = self._discover(machine, join)
            if isinstance(problem, Made):
                made = problem
                break
            if not machine.instance.state == "running" or time.monotonic() > deadline:
                raise KubeadmError(f"couldn't validate the identity of the API Server: {problem}")
            time.sleep(0.5)
        registration = join.registration
        there = made.cluster.informer.get("nodes", registration.name)
        if there is not None and nodes.is_ready(there):
            raise KubeadmError(
                f'a Node with name "{registration.name}" and status "Ready" already exists in the cluster. You must '
                "delete the existing Node or change the name of this new joining Node"
            )
        self._register(made, machine, registration, installed, {}, registration.taints or ())
        return "This node has joined the cluster\n"

    def _discover(self, machine: Machine, join: Join) -> Made | str:
        host, _unused, port = join.endpoint.rpartition(":")
        path = "api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s"
        failed = f'failed to request the cluster-info ConfigMap: Get "https://{join.endpoint}/{path}": '
        found = [made for made in list(self._made.values()) if _reaches(machine.instance, made, host)]
        if not found:
            return f"{failed}dial tcp {join.endpoint}: i/o timeout"
        made = found[0]
        if int(port) != made.init.port:
            return f"{failed}dial tcp {join.endpoint}: connect: connection refused"
        if not join.unsafe and _pin(made) not in join.hashes:
            raise KubeadmError(
                "couldn't validate the identity of the API Server: cluster CA found in cluster-info ConfigMap is "
                f"invalid: none of the public keys {json.dumps(_pin(made))} are pinned"
            )
        try:
            if _accepts(made, join.token):
                return made
        except OSError as error:
            return f"{failed}{error}"
        return f'could not find a JWS signature in the cluster-info ConfigMap for token ID "{join.token[:6]}"'

    def _register(
        self,
        made: Made,
        machine: Machine,
        registration: Registration,
        version: str,
        labels: Mapping[str, str],
        taints: tuple[Mapping[str, str], ...],
    ) -> None:
        instance = machine.instance
        cpus, mebibytes = _size(instance)
        node = nodes.Machine(
            registration.name,
            cpu=str(cpus),
            memory=f"{mebibytes * 95 // 100}Mi",
            zone=instance.availability_zone,
            instance_type=instance.instance_type,
            instance_id=instance.id,
            address=registration.node_ip or instance.private_ip,
            labels=labels,
            taints=(*taints, *((UNINITIALIZED,) if registration.external_cloud else ())),
            provider_id=registration.provider_id or "",
            external_cloud=registration.external_cloud,
        )
        nodes.register(made.cluster.client, node, f"v{version}", with_storage=False)
        made.names[instance.id] = registration.name
        machine.joined, machine.node = made, registration.name

    def _token(self, machine: Machine, words: list[str], names: list[str]) -> str:
        if machine.made is None:
            raise KubeadmError(
                "failed to load admin kubeconfig: open /etc/kubernetes/admin.conf: no such file or directory"
            )
        letters = string.ascii_lowercase + string.digits
        made = "".join(secrets.choice(letters) for _unused in range(6)) + "."
        made += "".join(secrets.choice(letters) for _unused in range(16))
        ttl = _option(words, "--ttl") or "24h0m0s"
        token = next((name for name in names[2:] if kubeadm.TOKEN.fullmatch(name)), made)
        client = Client(machine.made.cluster.control_plane.own_kubeconfig)
        document = addons.token_secret(token, kubeadm.seconds(ttl) if ttl != "0" else None)
        if client.create("/api/v1/namespaces/kube-system/secrets", document) is None:
            raise KubeadmError(f'a token with id "{token[:6]}" already exists')
        if "--print-join-command" in words:
            pin = _pin(machine.made)
            return f"kubeadm join {machine.made.init.endpoint} --token {token} --discovery-token-ca-cert-hash {pin}\n"
        return f"{token}\n"

    # What runs in clusters

    def _daemon(self, made: Made, running: Running, now: float) -> Program | None:
        """The AWS cloud controller runs for real: as its service account, with its node's role, against the lab."""
        if "cloud-controller-manager" not in running.program.image.rpartition("/")[2]:
            return None
        found = programs.need()
        if programs.CLOUD not in found:
            return None
        instance = self._instance_of(made, running.life.pod["spec"]["nodeName"])
        kubeconfig = _account_kubeconfig(made, running)
        words = [word for word in running.program.command if word.startswith("-")]
        words = [_inside(running, word) for word in words]
        own = [f"--kubeconfig={kubeconfig}", "--secure-port=0", "--leader-elect=false"]
        environment = {
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL": self._world.addresses["aws"],
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._metadata_server(made, instance),
        }
        return Command(running.folder, [found[programs.CLOUD], *words, *own], now, None, environment)

    def _metadata_server(self, made: Made, machine: Machine | None) -> str:
        if made.metadata_server is None and machine is not None:
            made.metadata_server = HttpServer(machine.metadata.answer)
            threading.Thread(target=made.metadata_server.serve_forever, args=(0.2,), daemon=True).start()
        return made.metadata_server.url if made.metadata_server else "http://127.0.0.1:9"

    def _instance_of(self, made: Made, node: str) -> Machine | None:
        return next((self._machines.get(one) for one, name in made.names.items() if name == node), None)

    def _keys(self, instance_id: str, host_network: bool) -> Mapping[str, str] | None:
        """Credentials as a pod gets them: a hop further than the host, and the hop limit may be one."""
        machine = self._machines.get(instance_id)
        if machine is None or machine.instance.metadata_options.http_endpoint == "disabled":
            return None
        if not host_network and int(machine.instance.metadata_options.http_put_response_hop_limit or 1) < 2:
            return None
        return machine.metadata.credentials()

    # What listens

    def listens(self, instance_id: str, port: int) -> bool:
        """Every node listens on the ports of all services."""
        made = self._of(instance_id)
        return made is not None and made.cluster.network.has_node_port(port, made.names.get(instance_id, ""))

    def answer(self, instance_id: str, port: int, request: Request) -> Answer | None:
        made = self._of(instance_id)
        if made is None:
            return None
        path = request.path + (f"?{request.query}" if request.query else "")
        visit = Visit(request.method, path, request.headers, request.body, CLIENTS[0].partition("/")[0])
        try:
            page = made.cluster.network.to_node_port(port, visit, made.names.get(instance_id, ""))
        except RefusedError:
            return None
        return Answer(page.status, page.content, {"Content-Type": page.content_type, **dict(page.headers)})

    def _of(self, instance_id: str) -> Made | None:
        machine = self._machines.get(instance_id)
        return machine.joined if machine else None

    def _open_fronts(self) -> None:
        """API servers are reached by the public addresses of their instances, whichever these are now."""
        for made in list(self._made.values()):
            instance = made.machine.instance
            public = instance.public_ip if instance.state == "running" else None
            wanted = {(str(public), made.init.port)} if public else set()
            for key in [key for key in made.fronts if key not in wanted]:
                made.fronts.pop(key).close()
            for address, port in wanted - set(made.fronts):
                try:
                    made.fronts[address, port] = self._front(address, port, made)
                except OSError as error:
                    log.warning("nothing can listen on %s:%s: %s", address, port, error)

    def _front(self, address: str, port: int, made: Made) -> Front:
        return Front(address, port, made.cluster.control_plane, self._world.answer, lambda: _admitted(made))

    def _inventory(self) -> Iterator[Item]:
        for made in list(self._made.values()):
            if made.inventory is not None:
                yield from made.inventory.items()

    # Comings and goings

    def _watch(self, instance: Any, what: str) -> None:
        machine = self._machines.get(instance.id)
        if machine is None:
            return
        if what == "terminated":
            self._machines.pop(instance.id)
            if machine.link:
                machine.link.close()
        if machine.made is not None and what in ("stopped", "terminated"):
            made = self._made.pop(instance.id, None)
            if made is not None:
                self._end(made)
        elif machine.joined is not None:
            self._jobs_put(lambda: _speak(machine, what == "started"))

    def _end(self, made: Made) -> None:
        """The control plane's instance is gone; nothing of the cluster is kept but what is on its volumes."""
        for front in made.fronts.values():
            front.close()
        made.fronts.clear()
        if made.metadata_server:
            made.metadata_server.shutdown()
        self._jobs_put(made.cluster.stop)
        self._jobs_put(lambda: shutil.rmtree(made.cluster.state, ignore_errors=True))

    def clear(self) -> None:
        made = list(self._made.values())
        for machine in self._machines.values():
            if machine.link:
                machine.link.close()
        self._machines.clear()
        self._made.clear()
        for one in made:
            self._end(one)
        if made:
            self._do(lambda: None)  # until the processes are gone
        shutil.rmtree(self._world.settings.scratch / "volumes", ignore_errors=True)

    def _do(self, job: Callable[[], Any]) -> Any:
        """Do it in the worker's thread, and wait."""
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)

        self._jobs_put(work)
        return future.result()

    def _jobs_put(self, job: Callable[[], None]) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="lab-clusters", daemon=True)
            self._worker.start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            try:
                self._jobs.get()()
            except Exception:
                log.exception("a job of a cluster failed")


def install(world: World) -> None:
    Clusters(world)


def _equipment(instance: Any, socket: Path, found: programs.Programs) -> Equipment:
    """A Debian or Ubuntu with everything that user data of a node calls."""
    image = getattr(instance.ec2_backend.amis.get(instance.image_id), "name", "") or ""
    system = next((name for name in stand_ins.BY_IMAGE if name in image), None)
    forwards = {f"{METADATA}:80": "metadata", "127.0.0.1:4566": "aws"}
    forwards.update({f"{instance.private_ip}:{port}": "api" for port in (6443, 443)})
    scripts = {"apt-get": stand_ins.APT_GET, "curl": stand_ins.CURL, "gpg": stand_ins.GPG, "sleep": stand_ins.SLEEP}
    links = dict.fromkeys(stand_ins.IDLE, "lab-stand-in")
    links.update(dict.fromkeys(("lab-network", "lab-forward"), "/run/lab/program"))
    binds = {
        "run/lab/program": Path(found[programs.KUBELET]).resolve(),
        "run/lab/kubernetes": Path(found["kubectl"]).resolve(),
        "run/lab/lab.sock": socket,
    }
    if not Path("/usr/bin/python3").exists():
        scripts["python3"] = stand_ins.PYTHON
        binds["run/lab/python"] = Path(sys.base_prefix)
    arguments = " ".join(f"{address}={name}" for address, name in forwards.items())
    return Equipment(
        files=stand_ins.BY_IMAGE[system] if system else {},
        directories=stand_ins.DIRECTORIES,
        programs={**(scripts if system else {}), **links},
        binds=binds,
        environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
        addresses=(METADATA, instance.private_ip),
        prelude=stand_ins.PRELUDE.replace("@FORWARDS@", arguments),
        time_limit=BOOT_SECONDS,
    )


def _size(instance: Any) -> tuple[int, int]:
    """Processors and MiB."""
    facts = INSTANCE_TYPES[instance.instance_type]
    return int(facts["VCpuInfo"]["DefaultVCpus"]), int(facts["MemoryInfo"]["SizeInMiB"])


def _option(words: list[str], name: str) -> str | None:
    for number, word in enumerate(words):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and number + 1 < len(words):
            return words[number + 1]
    return None


def _reaches(instance: Any, made: Made, host: str) -> bool:
    """Is `host` the control plane's private address, and do its security groups let the instance in?"""
    control = made.machine.instance
    if control.vpc_id != instance.vpc_id or host not in (control.private_ip, made.init.endpoint.rpartition(":")[0]):
        return False
    groups = [group.id for group in instance.security_groups]
    return access.admits(control.security_groups, made.init.port, groups, [f"{instance.private_ip}/32"])


def _admitted(made: Made) -> bool:
    return access.admits(made.machine.instance.security_groups, made.init.port, (), CLIENTS)


def _pin(made: Made) -> str:
    """The hash by which a joining node knows the cluster's authority."""
    certificate = x509.load_pem_x509_certificate((made.cluster.state / "pki" / "ca.crt").read_bytes())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return (
        "sha256:" + hashlib.sha256(certificate.public_key().public_bytes(serialization.Encoding.DER, form)).hexdigest()
    )


def _accepts(made: Made, token: str) -> bool:
    """Does the API server know the token? It says so itself."""
    context = ssl.create_default_context(cafile=str(made.cluster.state / "pki" / "ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", made.api_port, timeout=10, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/nodes", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status != 401


def _speak(machine: Machine, alive: bool) -> None:
    """A node is heard of as long as its instance runs."""
    if machine.joined is None:
        return
    with contextlib.suppress(ApiError, OSError):
        nodes.speak(machine.joined.cluster.client, machine.node, alive)


def _account_kubeconfig(made: Made, running: Running) -> Path:
    """A kubeconfig of the pod's service account, so that its permissions are looked at."""
    metadata, spec = running.life.pod["metadata"], running.life.pod["spec"]
    account = spec.get("serviceAccountName") or "default"
    path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
    client = Client(made.cluster.control_plane.own_kubeconfig)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 86400}}
    token = client.request("POST", path, request)["status"]["token"]
    document = json.loads(made.cluster.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    target = running.folder / "kubeconfig"
    target.touch(mode=0o600)
    target.write_text(json.dumps(document))
    return target


def _inside(running: Running, word: str) -> str:
    """A flag that names a file of the container names the same file on this machine."""
    flag, equals, value = word.partition("=")
    if value.startswith("/") and running.path(value).exists():
        return f"{flag}{equals}{running.path(value)}"
    return word
