# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances run when they boot: right as shell, small enough, without secrets, and able to say what went wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.container.schedulers.plugins.module_utils._aws import k8s_boot_texts
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_boot import (
    Boot,
    control_plane_script,
    node_script,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster_wanted import Settings
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_instance_program import INSTANCE_PROGRAM
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_parameters import PENDING
from ansible_collections.container.schedulers.plugins.module_utils._aws.user_data import LIMIT, packed
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from unit.http_server import answering

NAME = "a" * 63
KEYS = {"AccessKeyId": "AKID", "SecretAccessKey": "not-a-secret", "Token": "token"}
METADATA = {
    "instance-id": "i-1",
    "placement/region": "eu-west-1",
    "services/domain": "amazonaws.com",
    "iam/security-credentials/": "the-role",
    "iam/security-credentials/the-role": json.dumps(KEYS),
    "local-hostname": "ip-172-20-0-9.eu-west-1.compute.internal other",
}


def made_with(pod_network: str) -> Settings:
    return Settings(
        NAME, "eu-west-1c", "1.36.4", "172.20.0.0/16", "172.20.0.0/24", pod_network, "10.244.0.0/16", "10.96.0.0/16"
    )


def scripts() -> dict[str, str]:
    found = {"node": node_script(made_with("routes").boot())}
    for network in ("routes", "flannel"):
        settings = made_with(network)
        addons = settings.addons("eu-west-1", f"kubernetes/{NAME}")
        found[f"control plane with {network}"] = control_plane_script(settings.boot(), "192.0.2.9", addons)
    return found


@pytest.mark.parametrize("which", ["node", "control plane with routes", "control plane with flannel"])
def test_the_shell_is_right_and_small_enough(which: str, tmp_path: Path) -> None:
    script = scripts()[which]
    path = tmp_path / "user-data"
    path.write_text(script)

    checker = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([checker, path], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout
    assert len(packed(script)) < LIMIT * 3 / 4  # there is room for more


@pytest.mark.parametrize("killed", [0, 1])
def test_certificates_are_renewed_and_published_before_what_runs_takes_them_up(tmp_path: Path, killed: int) -> None:
    """At a boot, too, when nothing runs yet that could be killed, or could say what keys the cluster has."""
    script = scripts()["control plane with routes"]
    begin = 'cat >"$PROGRAMS/renew-certificates" <<EOF\n'
    configuration = "/etc/kubernetes/boot/kubeadm.yaml"
    assert "enable --now publish-join-data.timer renew-certificates.timer\n" in script
    assert f"kubeadm init --config {configuration} " in script
    program = script.split(begin, 1)[1].split("\nEOF\n", 1)[0].replace("\\$", "$")
    for name, code in (("kubeadm", 0), ("python3", 0), ("pkill", killed)):
        stand_in = tmp_path / name
        stand_in.write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/done\nexit {code}\n')
        stand_in.chmod(0o755)
    program = program.replace("/etc/kubernetes/admin.conf", "/dev/null")
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PROGRAMS": "/p", "ADMIN_PARAMETER": "/kubernetes/a/admin"}

    subprocess.run(["bash", "-c", program], check=True, env=variables)

    processes = "etcd|kube-apiserver|kube-controller|kube-scheduler"
    assert (tmp_path / "done").read_text().splitlines() == [
        f"kubeadm certs renew all --config {configuration}",
        "python3 /p/instance.py put /kubernetes/a/admin",
        f"pkill -x {processes}",
    ]


def test_certificates_of_a_quarter_that_began_meanwhile_are_renewed_once_there_is_a_network() -> None:
    unit = scripts()["control plane with routes"].split("renew-certificates.service <<EOF\n", 1)[1].split("EOF", 1)[0]

    assert "After=network-online.target\nWants=network-online.target\n" in unit


def test_what_pods_send_to_others_than_pods_has_the_address_of_their_node(tmp_path: Path) -> None:
    """The VPC's DNS server, too: it answers only addresses of its VPC (kubernetes/kubernetes, issue 17084)."""
    program = scripts()["node"].split('cat >"$PROGRAMS/masquerade" <<EOF\n', 1)[1].split("\nEOF\n", 1)[0]
    iptables = tmp_path / "iptables"
    # -C fails as long as there is no such rule
    iptables.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *" -C "*) grep -qxF -e "$(echo "$*" | sed "s/ -C / -A /")" {tmp_path}/rules;;\n'
        f'*) echo "$*" >>{tmp_path}/rules;; esac\n'
    )
    iptables.chmod(0o755)
    (tmp_path / "rules").touch()
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "POD_CIDR": "10.244.0.0/16"}

    for _start in range(2):
        subprocess.run(["sh", "-c", program], check=True, env=variables)

    assert (tmp_path / "rules").read_text().splitlines() == [
        "-w -t nat -A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE"
    ]


def test_both_know_where_the_api_is_and_neither_knows_a_secret() -> None:
    for script in scripts().values():
        assert "API_ADDRESS=172.20.0.9\n" in script
        assert f"JOIN_PARAMETER=/kubernetes/{NAME}/join\n" in script
        assert not [line for line in script.splitlines() if "PRIVATE KEY" in line or "client-key-data" in line]
    assert "ADMIN_PARAMETER" not in scripts()["node"]


def test_values_are_quoted() -> None:
    boot = Boot("one", "1.36.4", "a b; rm", "routes", "", "")

    assert "API_ADDRESS='a b; rm'\n" in node_script(boot)


# the program that talks to AWS


class Aws:
    """Metadata and SSM on loopback; SSM checks signatures with botocore's own code."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {"/kubernetes/one/join": "abcdef.0123456789abcdef\nsha256:00"}
        self.refusals = 0
        self.url = ""
        self.unready: list[tuple[str, str]] = []
        """What the metadata say first: path and text, until each was said once."""

    def ssm(self, headers: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        if headers["authorization"] != self._signature(headers, body):
            return 400, {"__type": "SignatureDoesNotMatch"}
        if self.refusals:
            self.refusals -= 1
            return 400, {"__type": "AccessDeniedException"}
        request = json.loads(body)
        if headers["x-amz-target"] == "AmazonSSM.GetParameter":
            return 200, {"Parameter": {"Value": self.parameters[request["Name"]]}}
        self.parameters[request["Name"]] = request["Value"]
        return 200, {"Version": 2}

    def _signature(self, headers: Any, body: bytes) -> str:
        signed = {
            name: headers[name] for name in ("content-type", "x-amz-date", "x-amz-security-token", "x-amz-target")
        }
        request = AWSRequest("POST", f"{self.url}/", data=body, headers=signed)
        request.context["timestamp"] = headers["x-amz-date"]
        signer = SigV4Auth(Credentials(KEYS["AccessKeyId"], KEYS["SecretAccessKey"]), "ssm", "eu-west-1")
        request.headers["host"] = headers["host"]
        text = signer.string_to_sign(request, signer.canonical_request(request))
        names = signer.signed_headers(signer.headers_to_sign(request))
        scope = f"{KEYS['AccessKeyId']}/{signer.credential_scope(request)}"
        return (
            f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signer.signature(text, request)}"
        )


@contextmanager
def aws_on_loopback() -> Iterator[Aws]:
    aws = Aws()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._send(200, "session")

        def do_GET(self) -> None:
            allowed = self.headers["x-aws-ec2-metadata-token"] == "session"
            path = self.path.removeprefix("/latest/meta-data/")
            found = METADATA.get(path)
            if aws.unready and aws.unready[0][0] == path:
                found = aws.unready.pop(0)[1]
            self._send(401 if not allowed else 404 if found is None else 200, found or "")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = aws.ssm(self.headers, body)
            self._send(status, json.dumps(answer))

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: Any) -> None:
            pass

    with answering(Handler) as aws.url:
        yield aws


def run_program(tmp_path: Path, aws: Aws, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    program = tmp_path / "instance.py"
    program.write_text(INSTANCE_PROGRAM.replace("time.sleep(3)", "time.sleep(0.01)"))
    addresses = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.url, "AWS_ENDPOINT_URL_SSM": aws.url}
    return subprocess.run(
        [sys.executable, "-I", program, *arguments],
        input=given,
        env={"PATH": os.environ["PATH"], "no_proxy": "127.0.0.1", **addresses},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_parameter_is_read_as_the_role(tmp_path: Path) -> None:
    with aws_on_loopback() as aws:
        done = run_program(tmp_path, aws, "get", "/kubernetes/one/join")

    assert done.stdout.splitlines() == ["abcdef.0123456789abcdef", "sha256:00"]


def test_a_value_is_written_from_standard_input_and_again_while_the_role_is_not_known_yet(tmp_path: Path) -> None:
    with aws_on_loopback() as aws:
        aws.refusals = 2
        done = run_program(tmp_path, aws, "put", "/kubernetes/one/admin", given="é secret\n")

    assert (done.returncode, done.stderr) == (0, "")
    assert aws.parameters["/kubernetes/one/admin"] == "é secret\n"


def test_credentials_that_ec2_does_not_have_yet_are_asked_for_again(tmp_path: Path) -> None:
    """It says so with status 200 (botocore, InstanceMetadataFetcher)."""
    refused = {"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role the-role."}
    with aws_on_loopback() as aws:
        aws.unready = [
            ("iam/security-credentials/", ""),
            ("iam/security-credentials/the-role", json.dumps(refused)),
        ]
        done = run_program(tmp_path, aws, "get", "/kubernetes/one/join")

    assert (done.returncode, done.stdout.splitlines()[0], aws.unready) == (0, "abcdef.0123456789abcdef", [])


def test_metadata_is_the_first_word(tmp_path: Path) -> None:
    with aws_on_loopback() as aws:
        done = run_program(tmp_path, aws, "metadata", "local-hostname")

    assert done.stdout == "ip-172-20-0-9.eu-west-1.compute.internal\n"


@pytest.mark.parametrize("log", ["short\n", 'long "quoted" line é\n' * 500])
def test_a_report_fits_into_a_parameter_and_has_the_end_of_the_log(tmp_path: Path, log: str) -> None:
    with aws_on_loopback() as aws:
        run_program(tmp_path, aws, "report", "/p", "failed", "install packages", given=log)

    told = json.loads(aws.parameters["/p"])
    assert len(aws.parameters["/p"]) <= 4096
    assert {**told, "log": ""} == {"instance": "i-1", "state": "failed", "step": "install packages", "log": ""}
    assert log.endswith(told["log"])
    assert len(told["log"]) >= min(len(log), 1500)


# the shell around it

RECORDER = """import sys
open(sys.argv[0] + ".calls", "a").write(repr((sys.argv[1:], sys.stdin.read())) + "\\n")
"""


def run_shell(tmp_path: Path, work: str, reports: str) -> tuple[int, str, list[Any]]:
    """The common part and some work, in a folder instead of the whole machine."""
    (tmp_path / "instance.py").write_text(RECORDER)
    common = k8s_boot_texts.COMMON.replace("/usr/local/lib/kubernetes-boot", str(tmp_path))
    common = common.replace("/var/log", str(tmp_path))
    settings = f"PROGRESS_PARAMETER=/p\nREPORT={reports}\n"
    done = subprocess.run(
        ["bash", "-c", settings + common + work], capture_output=True, text=True, check=False, timeout=120
    )
    calls = tmp_path / "instance.py.calls"
    told = [eval(line) for line in calls.read_text().splitlines()] if calls.exists() else []
    return done.returncode, done.stdout, told


def test_each_step_is_reported_and_a_failure_with_the_end_of_the_log(tmp_path: Path) -> None:
    code, console, told = run_shell(tmp_path, "step 'do it'\necho because\n(exit 7)\necho never\n", "steps")

    assert code == 7
    assert [arguments for arguments, _given in told] == [
        ["report", "/p", "running", "do it"],
        ["report", "/p", "failed", "do it"],
    ]
    assert told[1][1].splitlines() == ["== do it", "because"]
    assert "kubernetes boot: failed at: do it" in console
    assert "never" not in console


def test_a_node_reports_failures_only(tmp_path: Path) -> None:
    assert run_shell(tmp_path, "step 'do it'\n", "failures") == (0, "kubernetes boot: do it\n", [])

    _code, _console, told = run_shell(tmp_path, "step 'do it'\n: $UNSET\n", "failures")
    assert told[0][0] == ["report", "/p", "failed", "do it"]
    assert "UNSET" in told[0][1]


def test_lists_of_packages_are_fetched_until_they_are_there(tmp_path: Path) -> None:
    """A server that cannot be reached is no error to apt-get update, unless --error-on=any says so."""
    stand_ins = {
        "apt-get": f"#!/bin/sh\necho >>{tmp_path}/tries\n"
        f"[ $(wc -l <{tmp_path}/tries) -le 2 ] || {{ touch {tmp_path}/lists; exit 0; }}\n"
        'case "$*" in *--error-on=any*) exit 100;; esac\n',
        "sleep": "#!/bin/sh\n",
    }
    for name, text in stand_ins.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    code, _console, _told = run_shell(tmp_path, f"PATH={tmp_path}:$PATH\nupdate_lists\n", "failures")

    assert code == 0
    assert (tmp_path / "lists").exists()


def run_node(tmp_path: Path, *published: str) -> tuple[str, int]:
    """What a node joins with, and how often it has waited: it finds one of these values after the other."""
    folder = str(tmp_path)
    answers = "".join(f"[ $n -gt {number} ] || {{ printf '{one}'; exit; }}\n" for number, one in enumerate(published))
    ask = f"#!/bin/bash\nn=$(cat {folder}/asked || echo 0)\necho $((n + 1)) >{folder}/asked\n{answers}"
    stand_ins = {
        "python3": ask,
        "sleep": f"#!/bin/sh\necho >>{folder}/slept\n",
        "kubeadm": f'#!/bin/sh\ncat "$3" >{folder}/joined\n',
    }
    for name, text in stand_ins.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    work = k8s_boot_texts.NODE.replace("/etc/kubernetes", folder)
    known = f"PATH={folder}:$PATH JOIN_PARAMETER=/j API_ADDRESS=a NODE_NAME=n ZONE=z INSTANCE=i PRIVATE_IP=p\n"
    code, console, _told = run_shell(tmp_path, known + work, "failures")
    assert code == 0, console
    slept = tmp_path / "slept"
    return (tmp_path / "joined").read_text(), len(slept.read_text().splitlines()) if slept.exists() else 0


def test_a_node_joins_with_what_it_finds(tmp_path: Path) -> None:
    joined, slept = run_node(tmp_path, "abcdef.0\\nsha256:00\\n")

    assert "token: abcdef.0\n" in joined
    assert 'caCertHashes: ["sha256:00"]' in joined
    assert slept == 0


def test_a_node_waits_however_long_the_control_plane_takes(tmp_path: Path) -> None:
    joined, slept = run_node(tmp_path, *["pending\\n"] * 400, "abcdef.0\\nsha256:00\\n")

    assert "token: abcdef.0\n" in joined
    assert slept == 400


def run_control_plane(tmp_path: Path, cluster: str) -> tuple[int, dict[str, Any], list[Any]]:
    """How a control plane ends whose kubeadm gives up, what kubeadm was told by kind, and what was told to AWS."""
    (tmp_path / "kubeadm").write_text(f'#!/bin/sh\ncat "$3" >{tmp_path}/told\nexit 9\n')
    (tmp_path / "kubeadm").chmod(0o755)
    known = f"PATH={tmp_path}:$PATH JOIN_PARAMETER=/j NODE_NAME=n ZONE=z INSTANCE=i PRIVATE_IP=p PUBLIC_IP=p\n"
    network = f"CLUSTER={cluster} KUBERNETES_VERSION=1 API_ADDRESS=a POD_CIDR=p SERVICE_CIDR=s\n"
    work = k8s_boot_texts.CONTROL_PLANE.replace("/etc/kubernetes", str(tmp_path))
    code, _console, told = run_shell(tmp_path, known + network + work, "failures")
    return code, {one["kind"]: one for one in yaml.safe_load_all((tmp_path / "told").read_text())}, told


def test_a_control_plane_takes_back_what_another_has_published_before_it_makes_its_own(tmp_path: Path) -> None:
    code, _configuration, told = run_control_plane(tmp_path, "c")

    assert code == 9
    assert told[0] == (["put", "/j"], PENDING)  # in one line, even after the newline that comes with each answer


@pytest.mark.parametrize("name", ["kubernetes", "2026", "true", "1e3"])
def test_a_cluster_may_have_a_name_that_yaml_takes_for_something_else(name: str, tmp_path: Path) -> None:
    _code, configuration, _told = run_control_plane(tmp_path, name)

    assert configuration["ClusterConfiguration"]["clusterName"] == name


def test_the_log_is_for_root_only(tmp_path: Path) -> None:
    run_shell(tmp_path, "step 'do it'\n", "failures")

    assert (tmp_path / "kubernetes-boot.log").stat().st_mode & 0o777 == 0o600
