# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of marked machines, as ansible-inventory reads it from a lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from unit.lab_process import running_lab

TOKEN = "lab-not-a-secret-000002"
KEYS = {"access_key": "LABNOTASECRET0000001", "secret_key": "lab-not-a-secret-000001"}
PLUGIN = "container.schedulers.schedulers"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Ground:
    """A lab with machines in it, and the folder of a user who looks at them."""

    addresses: Mapping[str, str]
    instances: Mapping[str, str]  # id by owner and part
    environment: Mapping[str, str] = field(default_factory=dict)

    def read(self, folder: Path, *flags: str, name: str = "schedulers.yml", **options: Any) -> tuple[int, str, str]:
        """What ansible-inventory says of a file with these options."""
        file = folder / name
        file.write_text(yaml.safe_dump({"plugin": PLUGIN, **options}))
        command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(file), "--list", *flags]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DO_"))},
            "AWS_ENDPOINT_URL": self.addresses["aws"],
            "DIGITALOCEAN_API_URL": self.addresses["digitalocean"],
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
            **self.environment,
        }
        finished = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        return finished.returncode, finished.stdout, " ".join(finished.stderr.split())

    def listed(self, folder: Path, *flags: str, **options: Any) -> dict[str, Any]:
        code, out, said = self.read(folder, *flags, **options)
        assert code == 0, said
        return dict(json.loads(out, object_hook=plain))

    def aws(self) -> dict[str, Any]:
        return {"providers": ["aws"], "region": REGION, **KEYS}

    def digitalocean(self) -> dict[str, Any]:
        return {"providers": ["digitalocean"], "api_token": TOKEN}


def plain(value: dict[str, Any]) -> Any:
    """Text that Ansible shows as not to be taken for a template, as text."""
    return value.get("__ansible_unsafe", value)


def droplet(addresses: Mapping[str, str], name: str, *tags: str) -> None:
    body = {"name": name, "region": "lon1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", "tags": tags}
    request = urllib.request.Request(
        f"{addresses['digitalocean']}/v2/droplets",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30):
        pass


def instance(ec2: Any, **tags: str) -> str:
    marked = [{"Key": f"container.schedulers/{key}", "Value": value} for key, value in tags.items()]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image,
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": marked or [{"Key": "Name", "Value": "theirs"}]}],
    )
    return str(made["Instances"][0]["InstanceId"])


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with running_lab(tmp_path_factory.mktemp("inventory-lab")) as addresses:
        ec2 = boto3.client(
            "ec2",
            region_name=REGION,
            endpoint_url=addresses["aws"],
            aws_access_key_id=KEYS["access_key"],
            aws_secret_access_key=KEYS["secret_key"],
        )
        instances = {
            "ecs": instance(ec2, owner="ecs/default", part="instance"),
            "node": instance(ec2, owner="kubernetes/web-1", part="node"),
            "theirs": instance(ec2),
            "gone": instance(ec2, owner="ecs/default", part="instance"),
        }
        ec2.terminate_instances(InstanceIds=[instances["gone"]])
        ec2.stop_instances(InstanceIds=[instances["node"]])
        droplet(addresses, "web-1", "container-schedulers:digitalocean:web", "blue")
        droplet(addresses, "twin", "container-schedulers:digitalocean:web")
        droplet(addresses, "twin", "container-schedulers:digitalocean:other")
        droplet(addresses, "theirs")
        yield Ground(addresses, instances)


def test_instances_with_our_mark_are_in_the_groups_of_their_owners(ground: Ground, tmp_path: Path) -> None:
    found = ground.listed(tmp_path, **ground.aws())
    ecs, node = ground.instances["ecs"], ground.instances["node"]
    assert set(found["_meta"]["hostvars"]) == {ecs, node}
    assert set(found["aws"]["hosts"]) == {ecs, node}
    assert found["ecs"]["hosts"] == found["ecs_default"]["hosts"] == found["ecs_default_instance"]["hosts"] == [ecs]
    assert found["kubernetes_web_1_node"]["hosts"] == [node]


def test_their_variables_say_what_and_where_they_are(ground: Ground, tmp_path: Path) -> None:
    found = ground.listed(tmp_path, **ground.aws())["_meta"]["hostvars"]
    ecs = found[ground.instances["ecs"]]
    assert ecs["ansible_host"] == ecs["scheduler_public_ip"]
    assert ecs["scheduler_owner"] == "ecs/default"
    assert (ecs["scheduler_type"], ecs["scheduler_region"]) == ("t3.small", REGION)
    assert ecs["scheduler_tags"]["container.schedulers/part"] == "instance"
    assert found[ground.instances["node"]]["scheduler_state"] == "stopped"


def test_the_private_address_if_that_is_wanted(ground: Ground, tmp_path: Path) -> None:
    found = ground.listed(tmp_path, **ground.aws(), address="private")["_meta"]["hostvars"]
    ecs = found[ground.instances["ecs"]]
    assert ecs["ansible_host"] == ecs["scheduler_private_ip"] != ecs["scheduler_public_ip"]


def test_regions_and_owners_narrow_it_down(ground: Ground, tmp_path: Path) -> None:
    elsewhere = ground.listed(tmp_path, **ground.aws(), regions=["us-east-1"])
    # what is named twice is looked at once
    twice = {**ground.aws(), "providers": ["aws", "aws"], "regions": ["us-east-1", REGION, REGION]}
    owned = ground.listed(tmp_path, **twice, owners=["kubernetes/web-1"])
    assert elsewhere["_meta"]["hostvars"] == {}
    assert set(owned["_meta"]["hostvars"]) == {ground.instances["node"]}


def test_droplets_of_one_name_are_told_apart(ground: Ground, tmp_path: Path) -> None:
    found = ground.listed(tmp_path, **ground.digitalocean())
    hosts = found["_meta"]["hostvars"]
    twins = sorted(name for name in hosts if name.startswith("twin-"))
    assert sorted(hosts) == sorted([*twins, "web-1"])
    assert [name == f"twin-{hosts[name]['scheduler_id']}" for name in twins] == [True, True]
    assert len(found["digitalocean_web"]["hosts"]) == 2
    assert "blue" in hosts["web-1"]["scheduler_tags"]


def test_both_providers_and_what_every_inventory_can_compose(ground: Ground, tmp_path: Path) -> None:
    both = {**ground.aws(), **ground.digitalocean(), "providers": ["aws", "digitalocean"]}
    composed = {
        "compose": {"ansible_user": "'root'"},
        "groups": {"off": "scheduler_state == 'stopped'"},
        "keyed_groups": [{"key": "scheduler_region", "prefix": "in"}],
    }
    found = ground.listed(tmp_path, **both, **composed)
    assert found["off"]["hosts"] == [ground.instances["node"]]
    assert set(found["in_lon1"]["hosts"]) == set(found["digitalocean"]["hosts"])
    assert {one["ansible_user"] for one in found["_meta"]["hostvars"].values()} == {"root"}


def test_a_secret_may_be_looked_up(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", TOKEN)
    looked_up = "{{ lookup('ansible.builtin.env', 'ELSEWHERE') }}"
    assert ground.listed(tmp_path, providers=["digitalocean"], api_token=looked_up)["_meta"]["hostvars"]


@contextmanager
def out_of_order(control: str) -> Iterator[None]:
    """DigitalOcean refuses everything."""
    rule = {"service": "digitalocean", "kind": "error", "status": 403, "message": "out of order", "times": 0}

    def put(rules: list[dict[str, Any]]) -> None:
        with urllib.request.urlopen(f"{control}/faults", json.dumps(rules).encode(), timeout=30):
            pass

    put([rule])
    try:
        yield
    finally:
        put([])


def test_a_cache_is_read_until_it_is_flushed_or_something_else_is_asked(ground: Ground, tmp_path: Path) -> None:
    kept = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "kept")}
    looked_up = "{{ lookup('ansible.builtin.env', 'ELSEWHERE') }}"
    options: dict[str, Any] = {"providers": ["aws", "digitalocean"], **KEYS, "api_token": looked_up, **kept}
    ours = {"AWS_REGION": REGION, "ELSEWHERE": TOKEN}
    here = replace(ground, environment=ours)
    first = here.listed(tmp_path, **options)
    with out_of_order(ground.addresses["control"]):
        assert here.listed(tmp_path, **options) == first
        elsewhere = replace(ground, environment={**ours, "AWS_REGION": "us-east-1"})
        another = replace(ground, environment={**ours, "ELSEWHERE": "lab-not-a-secret-000404"})
        asked = [here.read(tmp_path, "--flush-cache", **options)]
        asked += [one.read(tmp_path, **options) for one in (elsewhere, another)]
    assert [(code != 0, "out of order" in said) for code, _out, said in asked] == [(True, True)] * 3
    other = here.listed(tmp_path, **options, owners=["digitalocean/other"])
    assert len(other["_meta"]["hostvars"]) == 1
    assert [TOKEN in file.read_text() for file in (tmp_path / "kept").iterdir()] == [False, False]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"providers": ["aws"], "region": "eu-west-9", **KEYS}, "eu-west-9"),
        ({"providers": ["digitalocean"], "api_token": "lab-not-a-secret-000404"}, "does not accept"),
        ({"providers": ["digitalocean"]}, "api_token is empty"),
        ({"providers": ["nowhere"]}, "nowhere"),
        ({"providers": []}, "providers is empty"),
        ({}, "providers"),
        ({"providers": ["aws"], "regoin": REGION, **KEYS}, "there is no option regoin"),
    ],
)
def test_what_cannot_be_read_is_no_empty_inventory(
    ground: Ground, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    code, _out, said = ground.read(tmp_path, **options)
    assert code != 0
    assert sentence in said
    assert "Traceback" not in said
    assert KEYS["secret_key"] not in said


def test_the_password_of_a_proxy_is_not_told(ground: Ground, tmp_path: Path) -> None:
    behind = replace(ground, environment={**ground.environment, "HTTPS_PROXY": "http://me:eu-west-9@proxy.test:3128"})
    _code, _out, said = behind.read(tmp_path, **{**ground.aws(), "region": "eu-west-9"})
    assert "VALUE_HIDDEN' is no AWS region" in said
    assert "eu-west-9" not in said


def test_a_file_of_another_name_is_left_to_others(ground: Ground, tmp_path: Path) -> None:
    _code, _out, said = ground.read(tmp_path, name="mine.yml", **ground.aws())
    assert "does not accept" not in said
    assert ground.instances["ecs"] not in _out
