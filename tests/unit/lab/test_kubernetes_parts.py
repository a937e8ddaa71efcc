# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the lab's Kubernetes that need no control plane: programs, names, quantities, certificates, clouds."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from lab.kubernetes import nodes, pki, programs, settings
from lab.kubernetes.cloud import CloudError, NoCloud
from lab.kubernetes.journal import Journal
from lab.kubernetes.kubelet import agent
from lab.kubernetes.kubelet.references import _expanded
from lab.kubernetes.kubelet.volumes import volume_id
from lab.kubernetes.processes import Process, free_port
from lab.kubernetes.services import admits, host_name
from lab.kubernetes.storage import quantity
from unit.waiting import eventually

FAKE_GO = """#!/bin/sh
# Says that it is new enough, counts its builds, and writes an executable where -o says.
[ "$1" != env ] || {{ echo go1.26.0; exit; }}
echo call >>"{calls}"
while [ $# -gt 0 ]; do [ "$1" != -o ] || {{ shift; printf '#!/bin/sh\\n' >"$1"; chmod 755 "$1"; }}; shift; done
echo some/package >&2
"""


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a Go that compiles in no time."""
    (tmp_path / "bin").mkdir()
    go = tmp_path / "bin" / "go"
    go.write_text(FAKE_GO.format(calls=tmp_path / "calls"))
    go.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for name in (programs.GIVEN, programs.CACHE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_programs_are_built_once_even_by_two(no_programs: Path) -> None:
    assert programs.find() is None
    with pytest.raises(programs.ProgramsError, match="lab kubernetes build"):
        programs.need()
    threads = [threading.Thread(target=programs.build, args=(lambda _line: None,)) for _unused in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (no_programs / "calls").read_text().count("call") == 2  # the kubelet, and all the others as one
    assert {Path(programs.need()[name]).parent for name in programs.CONTROL_PLANE} == {programs.cache()}


def test_the_cache_is_named_by_its_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go.sum").write_text("a")
    monkeypatch.setattr(programs, "SOURCES", tmp_path)
    before = programs.cache()
    (tmp_path / "README").write_text("no source")
    assert programs.cache() == before
    (tmp_path / "go.sum").write_text("b")
    assert programs.cache() != before


def test_programs_that_are_given_are_used(no_programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(programs.GIVEN, str(no_programs))
    with pytest.raises(programs.ProgramsError, match=r"etcd, kube-apiserver.* is not in it"):
        programs.find()
    for name in (*programs.CONTROL_PLANE, programs.KUBELET):
        (no_programs / name).write_text("#!/bin/sh\n")
        (no_programs / name).chmod(0o755)
    found = programs.find()
    assert found is not None
    assert found["etcd"] == str(no_programs / "etcd")
    assert programs.CLOUD not in found


def test_a_control_plane_on_path_is_not_built(no_programs: Path) -> None:
    """But the lab's own kubelet is, which nobody else has."""
    for name in programs.CONTROL_PLANE:
        (no_programs / "bin" / name).write_text("#!/bin/sh\n")
        (no_programs / "bin" / name).chmod(0o755)
    found = programs.build(lambda _line: None)
    assert (no_programs / "calls").read_text().count("call") == 1
    assert found["etcd"] == str(no_programs / "bin" / "etcd")
    assert found[programs.KUBELET] == str(programs.cache() / programs.KUBELET)


def test_a_process_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """The parent is killed, so that it cannot clean up."""
    code = (
        "import os, signal, sys; from pathlib import Path; from lab.kubernetes.processes import Process\n"
        f"p = Process('s', ['sleep', '300'], Path({str(tmp_path / 'log')!r}), Path('/')); p.start()\n"
        "print(p._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    tests = Path(programs.__file__).parents[2]
    finished = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(tests), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    stat = Path(f"/proc/{finished.stdout.strip()}/stat")
    eventually(
        lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z", "it is still there", 20
    )


def test_a_process_that_ended_is_noticed(tmp_path: Path) -> None:
    process = Process("f", ["sh", "-c", "echo last words; exit 3"], tmp_path / "log", tmp_path)
    assert not process.ended
    process.start()
    eventually(lambda: process.ended, "it has not ended", 20)
    assert process.last_words() == "last words"


def test_a_port_in_use_is_not_given() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        assert taken.getsockname()[1] not in [free_port() for _unused in range(200)]  # all of them, twice


def test_ports_are_none_that_clients_get() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert free_port() < max(lowest, 30_000)


def test_certificates_fit_together(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path)
    pair = authority.sign("server", "server", hosts=["127.0.0.1", "api.example.com"])
    assert pki.Authority(tmp_path).files == authority.files  # found again, not made anew
    assert pair.key.stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=str(authority.files.certificate))
    context.load_cert_chain(pair.certificate, pair.key)
    openssl = ["openssl", "verify", "-x509_strict", "-CAfile", str(authority.files.certificate), str(pair.certificate)]
    assert subprocess.run(openssl, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "expected"), [("10Gi", 10 * 2**30), ("1500M", 1_500_000_000), ("1.5Ki", 1536), ("7", 7)]
)
def test_quantities(text: str, expected: int) -> None:
    assert quantity(text) == expected


@pytest.mark.parametrize("text", ["", "10Xi", "-1Gi", "Gi"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity(text)


@pytest.mark.parametrize("text", ["vol-1", "aws:///vol-1", "aws://eu-west-1c/vol-1"])
def test_ids_of_volumes_come_in_three_forms(text: str) -> None:
    assert volume_id(text) == "vol-1"


def service(annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    uid = "0a1b2c3d-0000-4000-8000-0123456789ab"
    return {"metadata": {"uid": uid, "annotations": annotations or {}}, "spec": spec}


def test_names_of_load_balancers_are_made_as_by_the_cloud_controller() -> None:
    classic = host_name(service(), "eu-west-1")
    assert classic.startswith("a0a1b2c3d0000400080000123456789a-")
    assert classic.endswith(".eu-west-1.elb.amazonaws.com")
    nlb = host_name(service({"service.beta.kubernetes.io/aws-load-balancer-type": "nlb"}), "eu-west-1")
    assert nlb.endswith(".elb.eu-west-1.amazonaws.com")


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [(None, True), (["203.0.113.0/24"], True), (["127.0.0.1/32"], True), (["10.0.0.0/8"], False)],
)
def test_source_ranges(ranges: list[str] | None, expected: bool) -> None:
    assert admits(service(loadBalancerSourceRanges=ranges)) is expected


def test_volumes_without_a_cloud_obey_its_rules() -> None:
    cloud = NoCloud()
    cloud.know_instance("i-1", "eu-west-1a")
    cloud.know_instance("i-2", "eu-west-1b")
    volume = cloud.create_volume("eu-west-1a", 5, {}, {"Name": "n"})
    assert cloud.create_volume("eu-west-1a", 5, {}, {"Name": "n"}) == volume
    with pytest.raises(CloudError, match="not in the same availability zone"):
        cloud.attach_volume(volume, "i-2")
    cloud.attach_volume(volume, "i-1")
    cloud.attach_volume(volume, "i-1")
    with pytest.raises(CloudError, match="VolumeInUse"):
        cloud.delete_volume(volume)
    cloud.know_volume("vol-elsewhere", "eu-west-1a", instance="i-9")
    with pytest.raises(CloudError, match="already attached"):
        cloud.attach_volume("vol-elsewhere", "i-1")
    cloud.detach_volume(volume, "i-1")
    cloud.delete_volume(volume)


def test_a_node_behind_a_cloud_controller_does_not_say_where_it_is() -> None:
    inside = nodes.node(nodes.Machine("n", external_cloud=True, provider_id="aws:///z/i-1", address="10.0.0.4"), "v1")
    assert not any("topology" in label for label in inside["metadata"]["labels"])
    assert inside["spec"]["providerID"] == "aws:///z/i-1"
    alone = nodes.node(nodes.Machine("n", zone="eu-west-1c"), "v1")
    assert alone["metadata"]["labels"]["topology.kubernetes.io/region"] == "eu-west-1"
    assert alone["spec"]["providerID"].startswith("aws:///eu-west-1c/i-")


def test_ranges_reach_the_programs(tmp_path: Path) -> None:
    layout = settings.Layout(tmp_path, "127.0.0.1", 1, 2, 3, 4, 5, 6, services="10.200.0.0/16", pods="10.201.0.0/16")
    assert layout.first_service == "10.200.0.1"
    pair = pki.Pair(tmp_path, tmp_path)
    assert "--cluster-cidr=10.201.0.0/16" in settings.controller_manager(layout, tmp_path, pair, pair)
    assert "--service-cluster-ip-range=10.200.0.0/16" in settings.api_server(
        layout, pair, pair, tmp_path, pair, tmp_path
    )


@pytest.mark.parametrize(("text", "expected"), [("$(A)/x", "1/x"), ("$(B)", "$(B)"), ("$$(A)", "$(A)"), ("$A", "$A")])
def test_variables_are_expanded_as_kubernetes_does(text: str, expected: str) -> None:
    assert _expanded(text, {"A": "1"}) == expected


def test_a_kubelet_reports_when_the_api_server_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    answers = iter([ConnectionRefusedError()] * 20)
    reported: list[bool] = []

    def report() -> None:
        for error in answers:
            raise error
        reported.append(True)

    agent._until_done(report)
    assert reported == [True]
    assert len(pauses) == 20


def test_the_journal_names_requests_out_of_the_audit_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("the run before\n")
    journal = Journal(log)
    deployment = {"resource": "deployments", "namespace": "shop", "name": "web"}
    path = "/apis/apps/v1/namespaces/shop/deployments/web"
    events = [
        {"verb": "get", "requestURI": "/apis?timeout=32s", "userAgent": "kubectl"},
        {"verb": "patch", "requestURI": f"{path}?dryRun=All&force=true", "objectRef": deployment},
        {"verb": "patch", "requestURI": f"{path}?force=true", "objectRef": deployment},
        {"verb": "get", "requestURI": "/x", "objectRef": {"resource": "pods", "subresource": "exec"}},
    ]
    with log.open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
        file.write('{"verb": "ge')
    found = [(one["number"], one["action"], one["write"]) for one in journal.entries()]
    assert found == [
        (1, "GetApis", False),
        (2, "DryRunPatchDeployments", False),
        (3, "PatchDeployments", True),
        (4, "GetPodsExec", False),
    ]
    journal.clear()
    assert journal.entries() == []
