# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of the lab's EC2 make clusters and join them, by what their user data does."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab.kubernetes import programs
from lab.kubernetes.client import Client
from lab.kubernetes.ec2.metadata import Metadata
from lab.messages import Request
from moto.ec2.models import ec2_backends
from unit.waiting import eventually

IMAGE = "/aws/service/debian/release/13/latest/amd64"
VERSION = "2012-10-17"
PATIENCE = 300.0
TOKEN = "abcdef.0123456789abcdef"
PACKAGES = """#!/bin/bash
set -e
apt-get update
apt-get install -y curl gpg
curl -fsSL -o /etc/apt/keyrings/k.asc https://pkgs.k8s.io/core:/stable:/v1.36/deb/Release.key
gpg --show-keys --with-colons /etc/apt/keyrings/k.asc | grep -q DE15B14486CD377B9E876E1A234654DA9A296436
repository=https://pkgs.k8s.io/core:/stable:/v1.36/deb/
echo "deb [signed-by=/etc/apt/keyrings/k.asc] $repository /" >/etc/apt/sources.list.d/k.list
printf 'Package: kubeadm kubelet kubectl\\nPin: version 1.36.3-*\\nPin-Priority: 1001\\n' >/etc/apt/preferences.d/k
apt-get update
apt-get install -y kubeadm kubelet kubectl
test "$(kubeadm version -o short)" = v1.36.3
metadata() {
    token=$(curl -sX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
    curl -s -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}
"""
REGISTRATION = """nodeRegistration:
  kubeletExtraArgs:
  - {name: cloud-provider, value: external}
  - {name: provider-id, value: "aws:///us-east-1a/INSTANCE"}
"""
INIT = f"""
cat >/root/kubeadm.yaml <<END
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens: [{{token: {TOKEN}, ttl: 1h0m0s}}]
{REGISTRATION}---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
networking: {{podSubnet: 10.244.0.0/16}}
apiServer: {{certSANs: [PUBLIC]}}
END
sed -i "s/INSTANCE/$(metadata instance-id)/; s/PUBLIC/$(metadata public-ipv4)/" /root/kubeadm.yaml
kubeadm init --config /root/kubeadm.yaml
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl apply -f /root/addons.yaml
"""
JOIN = f"""
cat >/root/kubeadm.yaml <<END
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken: {{apiServerEndpoint: "CONTROL:6443", token: {TOKEN}, unsafeSkipCAVerification: true}}
timeouts: {{discovery: 50m0s}}
{REGISTRATION}END
sed -i "s/INSTANCE/$(metadata instance-id)/" /root/kubeadm.yaml
kubeadm join --config /root/kubeadm.yaml
"""
ADDONS = [
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ccm", "namespace": "kube-system"}},
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "ccm"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "ccm", "namespace": "kube-system"}],
    },
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "ccm", "namespace": "kube-system"},
        "spec": {
            "serviceAccountName": "ccm",
            "hostNetwork": True,
            "nodeSelector": {"node-role.kubernetes.io/control-plane": ""},
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {
                    "name": "ccm",
                    "image": "registry.k8s.io/provider-aws/cloud-controller-manager:v1.36.1",
                    "args": ["--cloud-provider=aws", "--cluster-name=c", "--configure-cloud-routes=false"],
                }
            ],
        },
    },
]
APP = [
    {
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]},
    },
    {
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    },
]


@pytest.fixture(autouse=True)
def built() -> None:
    if programs.find() is None:
        reason = "the control plane is not built: `PYTHONPATH=tests python -m lab kubernetes build` (make test does it)"
        warnings.warn(f"NOT TESTED: {__name__}, {reason}", stacklevel=1)
        pytest.skip(reason)


class Site:
    """A VPC with a way out, a security group that is open, and a role for its instances."""

    def __init__(self, lab: Any) -> None:
        self.lab, self.ec2 = lab, lab.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a")[
            "Subnet"
        ]["SubnetId"]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnet)
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.vpc)["GroupId"]
        everyone = {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[everyone])
        self.tags = [{"Key": "kubernetes.io/cluster/c", "Value": "owned"}]
        self.ec2.create_tags(Resources=[self.subnet, self.group, self.table], Tags=self.tags)
        self.image = lab.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"]
        self._role()

    def _role(self) -> None:
        iam = self.lab.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": VERSION, "Statement": [trust]}))
        allowed = {"Effect": "Allow", "Action": ["ec2:*", "elasticloadbalancing:*"], "Resource": "*"}
        iam.put_role_policy(
            RoleName="r", PolicyName="p", PolicyDocument=json.dumps({"Version": VERSION, "Statement": [allowed]})
        )
        iam.create_instance_profile(InstanceProfileName="p")
        iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")

    def launch(self, user_data: str, kind: str = "t3.medium") -> Any:
        nic = {"DeviceIndex": 0, "SubnetId": self.subnet, "Groups": [self.group], "AssociatePublicIpAddress": True}
        made = self.ec2.run_instances(
            ImageId=self.image,
            InstanceType=kind,
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[nic],
            UserData=user_data,
            IamInstanceProfile={"Name": "p"},
            MetadataOptions={"HttpTokens": "required"},
            TagSpecifications=[{"ResourceType": "instance", "Tags": self.tags}],
        )["Instances"][0]
        found = self.ec2.describe_instances(InstanceIds=[made["InstanceId"]])
        return found["Reservations"][0]["Instances"][0]

    def console(self, instance: Any) -> str:
        return str(self.ec2.get_console_output(InstanceId=instance["InstanceId"]).get("Output") or "")

    def root(self, instance: Any) -> Path:
        scratch: Path = self.lab.world.settings.scratch
        return scratch.joinpath("instances", instance["InstanceId"], "root")

    def balancers(self) -> list[Any]:
        return list(self.lab.client("elb").describe_load_balancers()["LoadBalancerDescriptions"])


@pytest.fixture
def site(lab: Any) -> Site:
    return Site(lab)


def wait(look: Callable[[], Any]) -> Any:
    return eventually(look, "it did not happen", PATIENCE, pause=0.2)


def get(lab: Any, url: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": lab.world.addresses["proxy"]}))
    try:
        with opener.open(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def kubeconfig(site: Site, control: Any, tmp_path: Path) -> Path:
    """The administrator's, as the instance has it, by the public address."""
    document = yaml.safe_load((site.root(control) / "etc/kubernetes/admin.conf").read_text())
    document["clusters"][0]["cluster"]["server"] = f"https://{control['PublicIpAddress']}:6443"
    (tmp_path / "kubeconfig").write_text(json.dumps(document))
    return tmp_path / "kubeconfig"


def test_a_cluster_from_its_user_data_to_its_load_balancer_and_back(lab: Any, site: Site, tmp_path: Path) -> None:
    addons = "cat >/root/addons.yaml <<'END'\n" + yaml.safe_dump_all(ADDONS) + "END\n"
    control = site.launch(PACKAGES + addons + INIT)
    node = site.launch(PACKAGES + JOIN.replace("CONTROL", control["PrivateIpAddress"]))
    wait(lambda: "has initialized successfully" in site.console(control) or "failed" in site.console(control).lower())
    client = Client(kubeconfig(site, control, tmp_path))

    def initialised() -> bool:
        nodes = client.get("/api/v1/nodes")["items"]
        taints = [taint["key"] for one in nodes for taint in one["spec"].get("taints", ())]
        return len(nodes) == 2 and not any("uninitialized" in key for key in taints)

    assert wait(initialised), site.console(node)
    found = client.get(f"/api/v1/nodes/{node['PrivateDnsName']}")
    assert found["spec"]["providerID"] == f"aws:///us-east-1a/{node['InstanceId']}"
    assert found["metadata"]["labels"]["topology.kubernetes.io/zone"] == "us-east-1a"
    assert found["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "t3.medium"
    assert found["status"]["capacity"]["cpu"] == "2"

    client.create("/api/v1/namespaces/default/pods", APP[0])
    client.create("/api/v1/namespaces/default/services", APP[1])
    balancer = wait(lambda: next((one for one in site.balancers() if one["Instances"]), None))
    assert [one["InstanceId"] for one in balancer["Instances"]] == [node["InstanceId"]]
    wait(lambda: get(lab, f"http://{balancer['DNSName']}/")[0] == 200)
    assert "Container host name: web" in get(lab, f"http://{balancer['DNSName']}/")[1]

    client.delete("/api/v1/namespaces/default/services/web")
    assert wait(lambda: not site.balancers())
    site.ec2.terminate_instances(InstanceIds=[node["InstanceId"]])
    wait(lambda: client.find(f"/api/v1/nodes/{node['PrivateDnsName']}") is None)
    site.ec2.terminate_instances(InstanceIds=[control["InstanceId"]])
    with pytest.raises(OSError, match=r"refused|reset|closed|timed out|EOF"):
        wait(lambda: client.get("/version") is None)


@pytest.mark.parametrize(
    ("script", "kind", "expected"),
    [
        ("apt-get install -y kubeadm", "t3.medium", "E: Unable to locate package kubeadm"),
        ("kubeadm version", "t3.medium", "kubeadm: command not found"),
        (PACKAGES + "touch /root/addons.yaml" + INIT, "t3.micro", "[ERROR Mem]: the system RAM (1024 MB)"),
        (PACKAGES + INIT.replace("v1beta4", "v1beta3"), "t3.medium", "no kind 'InitConfiguration' is registered"),
        (PACKAGES + "kubeadm token create", "t3.medium", "failed to load admin kubeconfig"),
    ],
)
def test_what_cannot_work_says_so_on_the_console(site: Site, script: str, kind: str, expected: str) -> None:
    text = script if script.startswith("#!") else f"#!/bin/bash\nset -e\n{script}\n: 169.254.169.254\n"
    instance = site.launch(text, kind)
    assert expected in wait(lambda: "Failed running" in site.console(instance) and site.console(instance))


def test_without_a_way_out_there_are_no_packages(site: Site) -> None:
    site.ec2.delete_route(RouteTableId=site.table, DestinationCidrBlock="0.0.0.0/0")
    instance = site.launch(PACKAGES)
    told = wait(lambda: "Failed running" in site.console(instance) and site.console(instance))
    assert "W: Failed to fetch" in told  # which is no failure to apt
    assert "E: Unable to locate package curl" in told


def test_a_node_with_a_wrong_token_does_not_get_in(site: Site) -> None:
    control = site.launch(PACKAGES + "echo '{}' >/root/addons.yaml" + INIT.replace("kubectl apply", ": kubectl apply"))
    wait(lambda: "has initialized successfully" in site.console(control))
    join = (
        JOIN.replace("CONTROL", control["PrivateIpAddress"])
        .replace("50m0s", "10s")
        .replace(TOKEN, "abcdef." + 16 * "z")
    )
    instance = site.launch(PACKAGES + join)
    text = wait(lambda: "Failed running" in site.console(instance) and site.console(instance))
    assert 'could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"' in text


def ask(metadata: Metadata, method: str, path: str, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = metadata.answer(Request(method, path, "", named, b""))
    return answer.status, answer.body.decode()


def test_metadata_wants_a_token_and_tells_the_role_s_credentials(lab: Any, site: Site) -> None:
    launched = site.launch("#!/bin/sh\n")
    account = lab.world.account
    metadata = Metadata(ec2_backends[account]["us-east-1"].get_instance(launched["InstanceId"]))
    assert ask(metadata, "GET", "/latest/meta-data/instance-id")[0] == 401
    assert ask(metadata, "PUT", "/latest/api/token")[0] == 400
    token = ask(metadata, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60")[1]
    held = {"x_aws_ec2_metadata_token": token}
    assert ask(metadata, "GET", "/latest/meta-data/instance-id", **held) == (200, launched["InstanceId"])
    assert ask(metadata, "GET", "/latest/meta-data/public-ipv4", **held) == (200, launched["PublicIpAddress"])
    assert ask(metadata, "GET", "/latest/meta-data/nothing", **held)[0] == 404
    assert ask(metadata, "GET", "/latest/meta-data/iam/security-credentials/", **held) == (200, "r")
    keys = json.loads(ask(metadata, "GET", "/latest/meta-data/iam/security-credentials/r", **held)[1])
    made = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["Token"],
    }
    assert lab.client("ec2", **made).describe_vpcs()["Vpcs"]
    with pytest.raises(Exception, match="not authorized to perform: ssm:GetParameter"):
        lab.client("ssm", **made).get_parameter(Name=IMAGE)
