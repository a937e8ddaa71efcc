# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets go in, or are made up, and never come out: a Kubernetes cluster in its whole life, and what runs on it.

What is made up is read from where it is kept while it is there: the Secrets of the cluster, and the key of its
administrator (its SSM parameters have the same key, and the token of one of the Secrets). A kubeconfig may have that
key in it. The arguments of commands in pods are looked for in the addresses that they are asked for by.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from package.leaks import ALLOWED, is_public, run_job
from package.surroundings import Lab

GIVEN = {name: f"lab-not-a-secret-canary-{name.lower()}" for name in ("DATABASE", "ADMIN", "CHANGED", "DOOR", "STDIN")}
TOKEN = "bootstrap.kubernetes.io/token"
KUBECONFIG = "project/another-kubeconfig"
KEPT = (
    "keys/door",
    "made-up/door",
    "made-up-credentials/admin-password",
    "given-credentials/password",
    "given-salts/AUTH_KEY",
)
SIGNS = (
    b"update auto scaling group kubernetes-canary-nodes",
    b"delete control plane",
    b"update Secret default/keys",
    b"expected map, got &{VALUE_HIDDEN}",
    b"namespace nowhere does not exist",
    b"exit code 3: VALUE_HIDDEN",
    b"create site default/made-up",
    b"update site default/given (admin_password)",
    b"example.com/hint",
    b"WordPress renames nobody",
    b"me:********@",
    b"Traceback",
)

PLAYBOOK = """
- name: A cluster, and secrets in every place on it that takes them
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/container.schedulers.aws: {region: eu-west-1}
    group/container.schedulers.kubernetes: {kubeconfig: "{{ kubeconfig }}"}
    container.schedulers.k8s_aws_cluster:
      name: canary
      region: eu-west-1
      kubeconfig: "{{ kubeconfig }}"
      wait_sleep: 1
  vars:
    given: "{{ lookup('ansible.builtin.env', 'CANARY_GIVEN') | from_json }}"
    made_up: "{{ lookup('ansible.builtin.env', 'CANARY_MADE_UP') }}"
    kubeconfig: "{{ playbook_dir }}/kubeconfig"
    proxy: "{{ lookup('ansible.builtin.env', 'LAB_PROXY') | regex_replace('//', '//me:' ~ given.DOOR ~ '@') }}"
  tasks:
    - name: A cluster
      container.schedulers.k8s_aws_cluster: {zone: eu-west-1a, node_count: 1}
      register: up

    - name: A larger one, with a kubeconfig that will stay
      container.schedulers.k8s_aws_cluster: {node_count: 2, kubeconfig: "{{ playbook_dir }}/another-kubeconfig"}
      register: larger

    - name: A Secret, made and changed, and what is none
      container.schedulers.k8s_apply: {owner: canary, namespace: default, definition: "{{ definitions[item] }}"}
      loop: [made, changed, nested, text]  # what is in it would be in the results, too
      vars:
        secret: {apiVersion: v1, kind: Secret, metadata: {name: keys}}
        definitions:
          made: "{{ secret | combine({'stringData': {'door': given.DOOR}}) }}"
          changed: "{{ secret | combine({'stringData': {'door': given.CHANGED}}) | to_yaml }}"
          nested: "{{ secret | combine({'stringData': {'door': {'inner': [given.DOOR]}}}) }}"
          text: "{{ secret | combine({'stringData': given.DOOR}) }}"
      register: secrets
      ignore_errors: true

    - name: A Secret that is made up, and one that has no namespace
      container.schedulers.k8s_secret: {name: made-up, namespaces: "{{ item }}", generate: [door]}
      loop:
        - [default]
        - [default, nowhere]
      register: made
      ignore_errors: true

    - name: An app that is asked through a proxy
      container.schedulers.k8s_cluster_app:
        name: web
        image: nginx
        port: 80
        replicas: 1
        service: {type: LoadBalancer}
        secrets: {DOOR: made-up/door}
        verify: {http_proxy: "{{ proxy }}"}
      register: app

    - name: Commands that read a secret
      container.schedulers.k8s_exec: {app: web, argv: "{{ item }}", stdin: "{{ given.STDIN }}"}
      loop:
        - [cat]
        - [sh, -c, cat >&2; exit 3]
      register: commands
      ignore_errors: true

    - name: A site with passwords that are made up
      container.schedulers.k8s_wordpress:
        name: made-up
        site: {title: Canary, admin_email: canary@example.com}
        service: {type: ClusterIP}
      register: site_made_up

    - name: A site with passwords that are given
      container.schedulers.k8s_wordpress:
        name: given
        site: {title: Canary, admin_email: canary@example.com, admin_password: "{{ given.ADMIN }}"}
        database_password: "{{ given.DATABASE }}"
        verify: {http_proxy: "{{ proxy }}"}
      register: site_given

    - name: Another password, and one that is told in the wrong place
      container.schedulers.k8s_wordpress:
        name: given
        site: {admin_password: "{{ given.CHANGED }}"}
        service: {annotations: {example.com/hint: "{{ given.DATABASE }}"}}
        verify: {http_proxy: "{{ proxy }}"}
      register: site_changed

    - name: Another administrator
      container.schedulers.k8s_wordpress: {name: given, site: {admin_user: nobody}}
      register: refused
      ignore_errors: true

    - name: What all of it looks like
      container.schedulers.k8s_cluster_info:
      register: look

    - name: Where everything is that was made up
      ansible.builtin.shell: |
        umask 077
        cp '{{ kubeconfig }}' kubeconfig
        "$LAB_KUBECTL" --kubeconfig '{{ kubeconfig }}' get secrets --all-namespaces --output json > secrets
      args: {chdir: "{{ made_up }}"}
      changed_when: false

    - name: No sites
      container.schedulers.k8s_wordpress: {name: "{{ item }}", state: absent, delete_data: true}
      loop: [made-up, given]
      register: no_sites

    - name: No app
      container.schedulers.k8s_cluster_app: {name: web, state: absent}
      register: no_app

    - name: A smaller cluster
      container.schedulers.k8s_aws_cluster: {node_count: 1}
      register: smaller

    - name: No cluster
      container.schedulers.k8s_aws_cluster: {state: absent, delete_data: true}
      register: down

    - name: All that was returned
      ansible.builtin.debug:
        msg:
          - ["{{ up }}", "{{ larger }}", "{{ smaller }}", "{{ down }}", "{{ look }}", "{{ app }}", "{{ no_app }}"]
          - ["{{ secrets }}", "{{ made }}", "{{ commands }}"]
          - ["{{ site_made_up }}", "{{ site_given }}", "{{ site_changed }}", "{{ refused }}", "{{ no_sites }}"]
"""


def test_secrets_of_a_cluster_never_come_out(
    lab: Lab, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made_up = tmp_path_factory.mktemp("made-up")
    given = {"CANARY_GIVEN": json.dumps(GIVEN), "CANARY_MADE_UP": str(made_up)}
    job = run_job(tmp_path, {"canary.yml": PLAYBOOK}, {**given, **lab.exports})
    kept = dict(values(made_up / "secrets"))
    assert {*KEPT} <= {*kept}
    known = (lab.exports["AWS_SECRET_ACCESS_KEY"], *GIVEN.values(), *kept.values())
    encoded = (base64.b64encode(value.encode()).decode() for value in known)
    secrets = {value.encode() for value in (*known, *encoded, *keys(made_up / "kubeconfig"))}

    for sign in SIGNS:
        assert sign in job.output  # what was looked through is really all of it
    assert job.told(secrets) == []
    asked = lab.addresses()
    assert any("/exec?command=wp" in one for one in asked)
    assert [one for one in asked if any(secret in one.encode() for secret in secrets)] == []

    holding = {str(path.relative_to(job.folder)): path for path in job.holding(secrets)}
    assert {*holding} == {*ALLOWED, KUBECONFIG}  # the search does find what is there
    assert [name for name, path in holding.items() if is_public(path)] == []
    assert (tmp_path / "ansible.log").stat().st_size > 10_000
    assert job.events > 20


def values(path: Path) -> Iterator[tuple[str, str]]:
    """The secret values of all Secrets, as kubectl prints them; that of a token has others, too."""
    for secret in json.loads(path.read_text())["items"]:
        for key, value in secret["data"].items():
            if secret["type"] != TOKEN or key == "token-secret":
                yield f"{secret['metadata']['name']}/{key}", base64.b64decode(value).decode()


def keys(path: Path) -> Iterator[str]:
    """The key in a kubeconfig, as it is there, and line by line, as it would be in any other file."""
    for one in yaml.safe_load(path.read_text())["users"]:
        written = one["user"]["client-key-data"]
        lines = base64.b64decode(written).decode().splitlines()[1:-1]
        yield from (written, *(line for line in lines if len(line) > 40))  # the last one may be of a few letters
