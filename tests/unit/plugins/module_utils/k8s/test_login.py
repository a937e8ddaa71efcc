# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API server is and as whom to speak to it."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.container.schedulers.plugins.module_utils._errors import AuthError, InputError
from ansible_collections.container.schedulers.plugins.module_utils._k8s import login as login_file
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login, log_in
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport, tls_context

CA = "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n"


def kubeconfig(**user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [
            {"name": "c", "cluster": {"server": "https://10.0.0.1:6443/", "certificate-authority-data": coded(CA)}}
        ],
        "users": [{"name": "u", "user": user}],
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
            {"name": "two", "context": {"cluster": "c"}},
            {"name": "lost", "context": {"cluster": "nowhere"}},
        ],
    }


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(folder: Path, document: Any, name: str = "config") -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return str(path)


def test_a_token_of_a_kubeconfig(tmp_path: Path) -> None:
    found = log_in({"kubeconfig": written(tmp_path, kubeconfig(token="t"))}, {})
    assert found.server == "https://10.0.0.1:6443"
    assert found.ca == CA
    assert found.namespace == "shop"
    assert found.authorization() == {"Authorization": "Bearer t"}
    assert "t" not in repr(found).split("token")[-1]


def test_certificates_in_a_kubeconfig_and_beside_it(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("KEY")
    user = {"client-certificate-data": coded("CERT"), "client-key": "key.pem"}
    found = log_in({"kubeconfig": written(tmp_path, kubeconfig(**user))}, {})
    assert (found.client_cert, found.client_key) == ("CERT", "KEY")
    assert found.authorization() == {}


def test_a_token_file_is_read_with_every_use(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one\n")
    found = log_in({"kubeconfig": written(tmp_path, kubeconfig(tokenFile="token"))}, {})
    assert found.token() == "one"
    (tmp_path / "token").write_text("two\n")
    assert found.token() == "two"
    assert found.renew


def test_a_user_and_a_password() -> None:
    found = log_in({"kubeconfig": kubeconfig(username="joe", password="secret")}, {})
    assert found.authorization()["Authorization"].startswith("Basic ")


def test_another_context_than_the_current_one() -> None:
    found = log_in({"kubeconfig": kubeconfig(token="t"), "context": "two"}, {})
    assert found.token() == ""
    assert found.namespace == ""


def test_options_come_before_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("OTHER")
    params = {
        "kubeconfig": kubeconfig(token="t"),
        "host": "https://other:6443/",
        "api_key": "k",
        "ca_cert": str(tmp_path / "ca.pem"),
        "validate_certs": False,
        "proxy": "http://proxy:3128",
        "impersonate_user": "jane",
        "impersonate_groups": ["a", "b"],
    }
    found = log_in(params, {})
    assert (found.server, found.ca, found.verify, found.token()) == ("https://other:6443", "OTHER", False, "k")
    assert found.proxy == "http://proxy:3128"
    assert found.headers == (("Impersonate-User", "jane"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"))


def test_the_environment_of_kubernetes_core() -> None:
    environment = {
        "K8S_AUTH_HOST": "https://env:6443",
        "K8S_AUTH_API_KEY": "k",
        "K8S_AUTH_VERIFY_SSL": "no",
        "K8S_AUTH_IMPERSONATE_GROUPS": "a,b",
        "K8S_AUTH_USERNAME": "joe",
    }
    found = log_in({}, environment)
    assert (found.server, found.token(), found.verify) == ("https://env:6443", "k", False)
    assert len(found.headers) == 2


def test_several_files_are_one_and_the_first_counts(tmp_path: Path) -> None:
    first = {"current-context": "one", "users": [{"name": "u", "user": {"token": "first"}}]}
    paths = f"{written(tmp_path, first, 'a')}:{written(tmp_path, kubeconfig(token='second'), 'b')}:/nowhere"
    assert log_in({}, {"KUBECONFIG": paths}).token() == "first"


def test_within_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("pod")
    (tmp_path / "ca.crt").write_text("CA")
    monkeypatch.setattr(login_file, "SERVICE_ACCOUNT", tmp_path)
    environment = {
        "KUBERNETES_SERVICE_HOST": "fd00::1",
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBECONFIG": "/nowhere",
    }
    found = log_in({}, environment)
    assert (found.server, found.token(), found.ca) == ("https://[fd00::1]:443", "pod", "CA")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"kubeconfig": "/nowhere"}, "kubeconfig /nowhere does not exist"),
        ({}, "there is no kubeconfig"),
        ({"kubeconfig": kubeconfig(), "context": "three"}, "has no context three"),
        ({"kubeconfig": kubeconfig(), "context": "lost"}, "has no cluster nowhere"),
        ({"kubeconfig": {"clusters": []}}, "has no current context"),
        ({"kubeconfig": kubeconfig(**{"client-certificate-data": "***"})}, "is not base64"),
        ({"kubeconfig": kubeconfig(**{"client-certificate": "/nowhere"})}, "/nowhere cannot be read"),
        ({"host": "https://a", "ca_cert": "/nowhere"}, "ca_cert: /nowhere cannot be read"),
    ],
)
def test_what_cannot_work_is_one_sentence(params: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        log_in(params, {"KUBECONFIG": "/nowhere"})


@pytest.mark.parametrize(("text", "says"), [("a: [b", "is not YAML"), ("just text", "is not a kubeconfig")])
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        log_in({"kubeconfig": written(tmp_path, text)}, {})


def test_a_cluster_without_a_server() -> None:
    document = kubeconfig(token="t")
    document["clusters"][0]["cluster"] = {}
    with pytest.raises(InputError, match="has no server"):
        log_in({"kubeconfig": document}, {})


def program(folder: Path, text: str) -> dict[str, Any]:
    script = folder / "login.py"
    script.write_text(text)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script)],
            "interactiveMode": "Never",
        }
    }


def test_a_program_that_gives_a_token(tmp_path: Path) -> None:
    """It is run again once its token was refused: how long that is good for, it need not say."""
    (tmp_path / "token").write_text("one")
    text = (
        f"import json, pathlib\nfolder = pathlib.Path({str(tmp_path)!r})\n"
        'with (folder / "runs").open("a") as file:\n    file.write("x")\n'
        'print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", '
        '"status": {"token": (folder / "token").read_text()}}))'
    )
    found = log_in({"kubeconfig": kubeconfig(**program(tmp_path, text))}, {})
    (tmp_path / "token").write_text("two")
    assert found.token() == "one"
    assert found.renew
    found.renew("one")
    assert found.token() == "two"
    found.renew("one")  # another thread was refused at the same time
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_program_that_fails(tmp_path: Path) -> None:
    with pytest.raises(AuthError, match="gave no credentials"):
        log_in({"kubeconfig": kubeconfig(**program(tmp_path, "raise SystemExit(1)"))}, {})


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([], r"\(kubernetes >= 29\.0\.0\)"),
        (["28.1.0"], r"kubernetes 28\.1\.0 is too old: 29\.0\.0 or newer is needed"),
    ],
)
def test_a_program_without_the_library_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: list[str], sentence: str
) -> None:
    for version in found:
        installed = tmp_path / f"kubernetes-{version}.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: kubernetes\nVersion: {version}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(InputError, match=sentence) as error:
        log_in({"kubeconfig": kubeconfig(**program(tmp_path, ""))}, {})
    assert sys.executable in str(error.value)


@pytest.mark.parametrize(
    ("login", "environment", "proxy"),
    [
        (Login("https://api"), {}, None),
        (Login("https://api"), {"HTTPS_PROXY": "proxy:3128"}, "proxy:3128"),
        (Login("https://api.example.com"), {"https_proxy": "http://p", "NO_PROXY": "localhost,.example.com"}, None),
        (Login("https://api", proxy="http://p", no_proxy="*"), {}, None),
        (Login("https://api", proxy="http://p", no_proxy="other"), {}, "p:80"),
    ],
)
def test_which_proxy_is_used(
    login: Login, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = Transport(login).proxy
    assert (str(found) if found else None) == proxy


@pytest.mark.parametrize(
    ("login", "says"),
    [
        (Login("https://127.0.0.1:1", ca="no certificate"), "is not a PEM certificate"),
        (Login("https://127.0.0.1:1", client_cert="no certificate", client_key="no key"), "do not fit together"),
    ],
)
def test_certificates_that_are_none(login: Login, says: str) -> None:
    with pytest.raises(InputError, match=says):
        tls_context(login)
