# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubeconfig that belongs to others, too: entries are put in and taken out, and nothing else changes."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._kubeconfig import (
    change,
    entries,
    fingerprint,
    load,
    merged,
    parse,
    save,
    without,
)

ADMIN: dict[str, Any] = {
    "clusters": [
        {"name": "kubernetes", "cluster": {"server": "https://172.20.0.9:6443", "certificate-authority-data": "Q0E="}}
    ],
    "users": [{"name": "kubernetes-admin", "user": {"client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}}],
    "contexts": [{"name": "x", "context": {"cluster": "kubernetes", "user": "kubernetes-admin"}}],
}
OTHER: dict[str, Any] = {
    "preferences": {"colors": True},
    "clusters": [{"name": "other", "cluster": {"server": "https://other"}}],
    "users": [{"name": "other", "user": {"token": "t"}}],
    "contexts": [{"name": "other", "context": {"cluster": "other", "user": "other"}}],
    "current-context": "other",
}
OURS = entries(ADMIN, "aws_one", "https://192.0.2.9:6443", "eu-west-1")


def test_what_kubeadm_says_gets_our_names_and_the_public_address() -> None:
    assert OURS["clusters"] == [
        {"name": "aws_one", "cluster": {"server": "https://192.0.2.9:6443", "certificate-authority-data": "Q0E="}}
    ]
    assert OURS["users"][0]["user"] == ADMIN["users"][0]["user"]
    where = {"name": "container.schedulers", "extension": {"region": "eu-west-1"}}
    context = {"cluster": "aws_one", "user": "aws_one", "extensions": [where]}
    assert OURS["contexts"] == [{"name": "aws_one", "context": context}]
    assert OURS["current-context"] == "aws_one"


@pytest.mark.parametrize("document", [{}, {"clusters": []}, {"clusters": [{"cluster": {}}], "users": None}])
def test_what_is_no_kubeconfig_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="is no kubeconfig"):
        entries(document, "aws_one", "https://a", "eu-west-1")


@pytest.mark.parametrize(
    ("cluster", "user", "named"),
    [
        ({}, {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh"}}, "exec"),
        ({}, {"auth-provider": {"name": "gcp", "config": {"cmd-path": "sh"}}}, "auth-provider"),
        ({}, {"tokenFile": "/etc/passwd"}, "tokenFile"),
        ({}, {"token": "t"}, "token"),
        ({}, {"client-key": "/root/.ssh/id_rsa"}, "client-key"),
        ({}, {"client-key-data": None}, "client-key-data"),
        ({}, {"client-key-data": ""}, "client-key-data"),
        ({"proxy-url": "http://192.0.2.66:3128"}, {}, "proxy-url"),
        ({"insecure-skip-tls-verify": True}, {}, "insecure-skip-tls-verify"),
        ({"certificate-authority": "/etc/passwd"}, {}, "certificate-authority"),
        ({"certificate-authority-data": {"a": 1}}, {}, "certificate-authority-data"),
    ],
)
def test_who_is_root_on_the_control_plane_does_not_get_further(
    cluster: dict[str, Any], user: dict[str, Any], named: str
) -> None:
    published = {
        "clusters": [{"name": "x", "cluster": {**ADMIN["clusters"][0]["cluster"], **cluster}}],
        "users": [{"name": "x", "user": {**ADMIN["users"][0]["user"], **user}}],
    }

    with pytest.raises(InputError, match=f"not what kubeadm writes.*{named}"):
        entries(published, "aws_one", "https://192.0.2.9:6443", "eu-west-1")


@pytest.mark.parametrize("user", [None, "sh", {}, {"client-certificate-data": "Q0VSVA=="}])
def test_a_client_certificate_that_is_not_there_is_missed(user: Any) -> None:
    with pytest.raises(InputError, match="not what kubeadm writes"):
        entries({**ADMIN, "users": [{"user": user}]}, "aws_one", "https://192.0.2.9:6443", "eu-west-1")


def test_without_a_certificate_authority_there_is_nobody_to_trust() -> None:
    with pytest.raises(InputError, match="nothing instead of certificate-authority-data"):
        entries({**ADMIN, "clusters": [{"cluster": {"server": "https://a"}}]}, "aws_one", "https://a", "eu-west-1")


def test_entries_are_put_in_and_taken_out_and_others_stay() -> None:
    both = merged(OTHER, OURS)

    assert [one["name"] for one in both["users"]] == ["other", "aws_one"]
    assert both["preferences"] == {"colors": True}
    assert both["current-context"] == "aws_one"
    assert merged(both, OURS) == both
    assert without(both, "aws_one") == {**OTHER, "apiVersion": "v1", "kind": "Config", "current-context": ""}


def test_a_fingerprint_tells_states_apart_and_names_nothing() -> None:
    renewed = {**ADMIN["users"][0]["user"], "client-key-data": "TkVX"}
    other_key = merged(
        OURS,
        entries({**ADMIN, "users": [{"user": renewed}]}, "aws_one", "https://192.0.2.9:6443", "eu-west-1"),
    )

    assert fingerprint(OURS, "aws_one") == fingerprint(merged(OTHER, OURS), "aws_one")
    assert fingerprint(OURS, "aws_one") != fingerprint(other_key, "aws_one")
    assert fingerprint(OURS, "other") == ""


@pytest.mark.parametrize(
    ("text", "says"), [("a: [", "is not YAML"), ("- 1", "is not a kubeconfig"), ("clusters: 3", "is not a kubeconfig")]
)
def test_a_malformed_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)

    with pytest.raises(InputError, match=says):
        load(path)


def test_an_empty_file_is_a_kubeconfig_and_a_missing_one_too(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert load(tmp_path / "empty") == {}
    assert load(tmp_path / "missing") == {}
    assert parse("clusters: null", "x") == {"clusters": None}


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)


def test_only_the_owner_can_read_it_however_it_was_before(tmp_path: Path) -> None:
    path = tmp_path / "kube" / "config"
    save(path, OURS)
    os.chmod(path, 0o644)
    save(path, merged(OTHER, OURS))

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["config"]
    assert load(path) == merged(OTHER, OURS)


def test_what_a_link_points_to_is_written(tmp_path: Path) -> None:
    save(tmp_path / "real", OTHER)
    (tmp_path / "link").symlink_to("real")
    save(tmp_path / "link", OURS)

    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "real") == OURS


def test_the_last_entry_goes_from_where_a_link_points_to(tmp_path: Path) -> None:
    save(tmp_path / "real", OURS)
    (tmp_path / "link").symlink_to("real")
    change(tmp_path / "link", lambda there: without(there, "aws_one"))

    assert not (tmp_path / "real").exists()
    assert load(tmp_path / "link") == {}


def test_two_runs_that_change_a_file_at_once_lose_nothing(tmp_path: Path) -> None:
    path, link, loaded, go_on = tmp_path / "config", tmp_path / "elsewhere" / "link", Event(), Event()
    link.parent.mkdir()
    link.symlink_to(path)

    def slowly(there: dict[str, Any]) -> dict[str, Any]:
        loaded.set()
        go_on.wait(60)
        return merged(there, OURS)

    first = Thread(target=change, args=(path, slowly))
    second = Thread(target=change, args=(link, lambda there: merged(there, OTHER)))
    first.start()
    loaded.wait(60)
    second.start()
    second.join(0.3)  # it would be through by then
    go_on.set()
    first.join(60)
    second.join(60)

    assert [one["name"] for one in load(path)["users"]] == ["aws_one", "other"]


def test_a_file_without_any_entry_goes(tmp_path: Path) -> None:
    path = tmp_path / "config"
    save(path, OURS)
    save(path, without(load(path), "aws_one"))

    assert not path.exists()


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "config"
    save(path, OTHER)

    with pytest.raises(yaml.YAMLError):
        save(path, {**OURS, "users": [object()]})

    assert load(path) == OTHER
    assert [one.name for one in tmp_path.iterdir()] == ["config"]
