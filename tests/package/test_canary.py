# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets go in and never come out.

Values that stand nowhere else are given to every secret option and to the environment, in tasks that succeed and tasks
that fail, with everything switched on that makes Ansible talk. Afterwards they are looked for wherever a run leaves
something: output, job events, log, results, diffs, tracebacks, process arguments, files.

Besides the files of the job itself, two have them: the credentials file, which the role aws_cli is there to write; and
AnsiballZ_*.py, the module with its arguments, where Ansible packs it and is told to keep it. Others may read that one,
but not the folder that it is in. A module that runs where it is installed has no such file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from environment import ROOT
from package.leaks import ALLOWED, is_public, run_job
from package.surroundings import Lab
from unit.module_specs import NAMES, spec_of

WRONG_KEY = "lab-not-a-secret-canary-key-000404"
TOKEN = "lab-not-a-secret-canary-token-000405"
KEY = ROOT / "tests" / "faults" / "key.pub"
CREDENTIALS = "job/aws/credentials"

PLAYBOOK = """
- name: Secrets in every place that takes them
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/container.schedulers.aws: "{{ credentials[how] }}"
    group/container.schedulers.digitalocean: "{{ digitalocean[how] }}"
    group/container.schedulers.rancher: "{{ rancher[how] }}"
    group/container.schedulers.kubernetes: "{{ kubernetes[how] }}"
  vars:
    secret: "{{ lookup('ansible.builtin.env', 'CANARY_TOKEN') }}"
    password: "{{ lookup('ansible.builtin.env', 'CANARY_KEY') }}"
    region: eu-west-1
    credentials:
      environment: {region: "{{ region }}"}
      options:
        region: "{{ region }}"
        access_key: "{{ lookup('ansible.builtin.env', 'AWS_ACCESS_KEY_ID') }}"
        secret_key: "{{ lookup('ansible.builtin.env', 'AWS_SECRET_ACCESS_KEY') }}"
      wrong:
        region: "{{ region }}"
        access_key: NOSUCHKEY
        secret_key: "{{ lookup('ansible.builtin.env', 'CANARY_KEY') }}"
        session_token: "{{ lookup('ansible.builtin.env', 'CANARY_TOKEN') }}"
    digitalocean:
      environment: {}
      options:
        api_token: "{{ lookup('ansible.builtin.env', 'DIGITALOCEAN_ACCESS_TOKEN') }}"
      wrong:
        api_token: "{{ lookup('ansible.builtin.env', 'CANARY_TOKEN') }}"
    rancher:
      environment: {}
      options: {url: "{{ lookup('ansible.builtin.env', 'RANCHER_URL') }}"}
      wrong: {access_key: NOSUCHKEY, secret_key: "{{ secret }}"}
    # never a cluster that answers: what is shown of what it is asked with is what matters here
    kubernetes:
      environment: {kubeconfig: "{{ kubeconfig }}", context: lost}
      options: {kubeconfig: "{{ kubeconfig }}", request_timeout: no number}
      wrong:
        host: "https://127.0.0.1:1"
        api_key: "{{ secret }}"
        username: NOSUCHKEY
        password: "{{ password }}"
        proxy: "{{ proxy }}"
    proxy: "http://me:{{ password }}@127.0.0.1:1"
    kubeconfig:
      current-context: canary
      clusters: [{name: canary, cluster: {server: "https://127.0.0.1:1"}}]
      users: [{name: canary, user: {token: "{{ secret }}", client-key-data: "{{ password }}"}}]
      contexts: [{name: canary, context: {cluster: canary, user: canary}}]
  tasks:
    - name: Rancher, by a GitHub that does not know the secret
      container.schedulers.rancher_access_control:
        client_id: NOSUCHKEY
        client_secret: "{{ secret }}"
        code: "{{ password }}"
      register: github
      ignore_errors: true

    - name: Rancher, secured and opened again
      container.schedulers.rancher_access_control:
        provider: local
        username: admin
        password: "{{ password }}"
        api_key_file: "{{ key_folder }}/rancher.json"
        state: "{{ item }}"
      loop: [present, absent]
      register: access
      ignore_errors: true

    - name: Hosts, of which none is made
      container.schedulers.rancher_hosts:
        driver: digitalocean
        pattern: canary-{n}
        count: 1
        driver_config: {region: lon1, size: s-1vcpu-1gb, image: ubuntu-22-04-x64}
        driver_secrets: {access_token: "{{ secret }}"}
      check_mode: true
      register: hosts
      ignore_errors: true

    - name: Services with a secret
      container.schedulers.rancher_stack:
        name: canary
        services: [{name: web, image: nginx, secret_environment: {DOOR: "{{ password }}"}}]
        wait: false
        state: "{{ state }}"
      register: services
      ignore_errors: true

    - name: A stack with a secret answer
      container.schedulers.rancher_stack:
        name: answers
        docker_compose: "web: {image: nginx, environment: {DOOR: '${door}'}}"
        secret_answers: {door: "{{ password }}"}
        wait: false
        state: "{{ state }}"
      register: answers
      ignore_errors: true

    - name: Secrets of Kubernetes
      container.schedulers.k8s_apply:
        owner: "{{ 'No Name' if item == 'list' else 'canary' }}"
        definition: "{{ definitions[item] }}"
      loop: [manifest, list, text, broken]  # what is in it would be in the results, too
      vars:
        manifest: {apiVersion: v1, kind: Secret, metadata: {name: keys}, stringData: {door: "{{ password }}"}}
        definitions:
          manifest: "{{ manifest }}"
          list: "{{ [manifest] }}"
          text: "{{ manifest | to_nice_yaml }}"
          broken: "{{ manifest | to_nice_yaml }}: }"
      register: secrets
      ignore_errors: true

    - name: A Secret with a password that is made up
      container.schedulers.k8s_secret: {name: keys, namespaces: [canary], generate: [door]}
      register: made_up
      ignore_errors: true

    - name: A command that reads a secret
      container.schedulers.k8s_exec: {app: canary, argv: [cat], stdin: "{{ password }}"}
      register: command
      ignore_errors: true

    - name: A Kubernetes cluster, of which nothing is made
      container.schedulers.k8s_aws_cluster:
        name: canary
        zone: "{{ region }}a"
        node_count: 1
        kubeconfig: "{{ key_folder }}/kubeconfig"
      check_mode: true
      register: cluster
      ignore_errors: true

    - name: WordPress
      container.schedulers.k8s_wordpress:
        name: canary
        database_password: "{{ secret }}"
        site: {title: Canary, admin_password: "{{ password }}", admin_email: canary@example.com}
        verify: {http_proxy: "{{ proxy }}"}
      register: site
      ignore_errors: true

    - name: An app that is asked through a proxy
      container.schedulers.k8s_cluster_app: {name: canary, image: canary, verify: {http_proxy: "{{ proxy }}"}}
      register: asked
      ignore_errors: true

    - name: A cluster
      container.schedulers.ecs_cluster: {name: canary, state: "{{ state }}", desired_count: "{{ count }}"}
      register: done
      ignore_errors: true

    - name: An app
      container.schedulers.ecs_cluster_app: {name: web, cluster: canary, image: web, memory: 32, state: "{{ state }}"}
      when: state == 'present'
      register: app
      ignore_errors: true

    - name: Record sets
      container.schedulers.route53_records:
        zone: canary.example.com
        state: "{{ state }}"
        records: [{name: www, type: A, values: [192.0.2.1]}]
      register: records
      ignore_errors: true

    - name: Droplets
      container.schedulers.digitalocean_droplets:
        name: canary
        count: "{{ count }}"
        state: "{{ state }}"
        region: lon1
        size: s-1vcpu-1gb
        image: ubuntu-24-04-x64
        ssh_public_key_files: ["{{ key_file }}"]
        user_data: "#!/bin/sh\n# {{ password }}\n"
        settle_seconds: 0
      register: droplets
      ignore_errors: true

    - name: All droplets
      container.schedulers.digitalocean_droplets_info:
      register: all
      ignore_errors: true

    - name: No droplets
      container.schedulers.digitalocean_droplets: {name: canary, state: absent, settle_seconds: 0}
      when: state == 'absent'
      register: no_droplets

    - name: A profile of the command line interface, which is not run
      ansible.builtin.include_role: {name: container.schedulers.aws_cli}
      vars:
        aws_cli_install: false
        aws_cli_verify: false
        aws_cli_config_directory: "{{ key_folder }}/aws"
        aws_cli_region: "{{ region }}"
        aws_cli_access_key: NOSUCHKEY
        aws_cli_secret_key: "{{ password }}"
        aws_cli_session_token: "{{ secret }}"

    - name: What is left
      container.schedulers.scheduler_leftovers_info:
        rancher_url: "{{ lookup('ansible.builtin.env', 'RANCHER_URL') }}"
        rancher_access_key: "{{ rancher[how].access_key | default(omit) }}"
        rancher_secret_key: "{{ rancher[how].secret_key | default(omit) }}"
      register: left
      ignore_errors: true

    - name: All that was returned
      ansible.builtin.debug:
        msg:
          - ["{{ done }}", "{{ app }}", "{{ records }}", "{{ droplets }}", "{{ all }}", "{{ left }}"]
          - ["{{ access }}", "{{ github }}", "{{ hosts }}", "{{ services }}", "{{ answers }}"]
          - ["{{ secrets }}", "{{ made_up }}", "{{ command }}", "{{ cluster }}", "{{ site }}", "{{ asked }}"]
"""
RUNS = (
    {"how": "wrong", "state": "present", "count": 1},
    {"how": "options", "state": "present", "count": 1},
    {"how": "environment", "state": "present", "count": 1},
    {"how": "options", "state": "present", "count": -1},
    {"how": "options", "state": "absent", "count": 0},
)


@pytest.fixture(params=[True, False], ids=["packed and kept", "in place"])
def keeps_modules(request: pytest.FixtureRequest) -> bool:
    """Whether Ansible is told to keep the modules, which it packs then."""
    return bool(request.param)


def test_secrets_go_in_and_never_come_out(lab: Lab, keeps_modules: bool, tmp_path: Path) -> None:
    own = (lab.exports["AWS_SECRET_ACCESS_KEY"], lab.exports["DIGITALOCEAN_ACCESS_TOKEN"])
    secrets = [value.encode() for value in (*own, WRONG_KEY, TOKEN)]
    play = {"ansible.builtin.import_playbook": "play.yml"}
    walk = [
        {"name": f"Run {number}", **play, "vars": {**run, "key_file": str(KEY), "key_folder": str(tmp_path / "job")}}
        for number, run in enumerate(RUNS)
    ]
    given = {
        "CANARY_KEY": WRONG_KEY,
        "CANARY_TOKEN": TOKEN,
        "K8S_AUTH_API_KEY": TOKEN,
        "K8S_AUTH_PASSWORD": WRONG_KEY,
        "K8S_AUTH_USERNAME": "NOSUCHKEY",
    }
    plays = {"canary.yml": json.dumps(walk), "play.yml": PLAYBOOK}
    job = run_job(tmp_path, plays, {**given, **lab.exports}, keeps_modules=keeps_modules)

    for sign in (
        b"steps_done",
        b"does not accept the credentials",
        b"does not accept the api_token",
        b"create droplets canary-1",
        b"NOSUCHKEY",
        b"could_not_look",
        b"create stack canary",
        b"has no context lost",
        b"127.0.0.1:1 ",
        b"owner is 'No Name'",
        b"definition is not YAML",
        b"create control plane kubernetes-canary",
        b"Traceback",
    ):
        assert sign in job.output  # what was looked through is really all of it
    assert job.told(secrets) == []

    holding = job.holding(secrets)
    kept = [path for path in holding if str(path).endswith((*ALLOWED, CREDENTIALS))]
    assert [path for path in holding if path not in kept and not path.name.startswith("AnsiballZ_")] == []
    assert [path for path in kept if is_public(path)] == []
    assert len(kept) == len(ALLOWED) + 1  # the search does find what is there
    assert any(path.name.startswith("AnsiballZ_") for path in holding) is keeps_modules
    assert (tmp_path / "ansible.log").stat().st_size > 10_000
    assert job.events > len(RUNS) * 5


@pytest.mark.parametrize("name", NAMES)
def test_every_secret_option_gets_one(name: str) -> None:
    """By a task with the module, or by the defaults of one of its groups."""
    spec, (play,) = spec_of(name), yaml.safe_load(PLAYBOOK)
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    given = {path for task in play["tasks"] for path in paths(task.get(f"container.schedulers.{name}"))}
    for group, defaults in play["module_defaults"].items():
        if name in groups[group.rpartition(".")[2]]:
            variable = defaults.removeprefix("{{ ").removesuffix("[how] }}")
            given |= {option for way in play["vars"][variable].values() for option in way}
    assert {*secret_options(spec.options), *spec.finders} - given == set()


def secret_options(options: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The options that are not to be logged, at any depth."""
    for name, option in options.items():
        if option.get("no_log"):
            yield above + name
        yield from secret_options(option.get("options") or {}, f"{above}{name}.")


def paths(given: Any, above: str = "") -> Iterator[str]:
    """The options that a task gives, at any depth."""
    for one in given if isinstance(given, list) else [given]:
        for name, value in one.items() if isinstance(one, dict) else ():
            yield above + name
            yield from paths(value, f"{above}{name}.")
