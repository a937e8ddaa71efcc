#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster on EC2, and all that it needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_aws_cluster
short_description: A Kubernetes cluster on Amazon EC2 that is ready for apps
version_added: "1.0.0"
description:
  - Makes a Kubernetes cluster of one control plane and a number of nodes, and all that they need. That is a VPC with
    one public subnet, security groups, two IAM roles, an Elastic IP, SSM parameters, the instance of the control plane,
    a launch template, and an auto scaling group of nodes.
  - The instances set themselves up with kubeadm when they boot. Nobody logs in to them, and their user data holds no
    secrets. What they have to hand on goes through SSM parameters which only the right role can read. They also report
    there how far they are, so that a boot that fails ends the task at once, with the step and the end of its log.
  - The cluster has AWS's cloud controller manager (load balancers for services, routes for pods), the EBS CSI driver
    with an encrypted default storage class, and CoreDNS.
  - It is ready when its API answers, as many nodes as wanted take pods, and CoreDNS is available.
  - An instance that is no node is replaced if its boot has failed, if it is older than 45 minutes, or if it is older
    than the control plane. The latter is never replaced. If it is lost, the next run makes another one, which is empty,
    and replaces the nodes, too.
  - With O(state=absent), all of it is removed again, with the load balancers of its services. Volumes that hold data
    stay, unless O(delete_data=true).
  - Everything is tagged as belonging to the cluster in the call that makes it. What does not carry these tags is
    neither changed nor deleted.
  - An option that is not given is not managed. What an existing cluster has in its place, stays.
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.aws
requirements:
  - PyYAML >= 6.0
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the cluster, up to 63 lower-case letters, digits, and hyphens between them.
    type: str
    required: true
  state:
    description:
      - V(present) makes the cluster, or changes it to what the options say.
      - V(absent) removes it, with everything that runs on it.
    type: str
    choices: [present, absent]
    default: present
  zone:
    description: The availability zone, needed for a new cluster. It cannot be changed later.
    type: str
  node_count:
    description:
      - How many nodes there should be. If not given, a new cluster gets two.
      - When there are too many, outdated ones go first. Each is drained, so that its pods move to the others; pods that
        nothing controls are lost.
      - A node that a run has begun to drain, and that stays after all, takes pods again.
    type: int
  control_plane_type:
    description:
      - The instance type of the control plane, with at least two CPUs and 1700 MiB of memory, as kubeadm wants.
      - If not given, a new cluster gets V(t3.medium). It cannot be changed later.
    type: str
  node_type:
    description: The instance type of the nodes. If not given, a new cluster gets V(t3.medium).
    type: str
  version:
    description:
      - The version of Kubernetes, a release of 1.35, 1.36 or 1.37.
      - If not given, a new cluster gets V(1.36.4). It cannot be changed later.
    type: str
  pod_network:
    description:
      - How pods reach one another. V(routes) gives each node a route in the VPC, as in the chapter; a VPC has 50 of
        them unless AWS allows more. V(flannel) needs none.
      - If not given, a new cluster gets V(routes). It cannot be changed later.
    type: str
    choices: [routes, flannel]
  cidr:
    description: The address range of the VPC, V(172.20.0.0/16) for a new cluster. It cannot be changed later.
    type: str
  pod_cidr:
    description:
      - The address range of pods, V(10.244.0.0/16) for a new cluster. Each node gets a /24 of it. It cannot be changed
        later.
    type: str
  service_cidr:
    description: The address range of services, V(10.96.0.0/16) for a new cluster. It cannot be changed later.
    type: str
  allowed_cidrs:
    description:
      - The address ranges from which the API server can be reached. It asks for a client certificate or a token.
      - If not given, a new cluster can be reached from anywhere. An empty list closes it, and needs O(wait=false).
    type: list
    elements: str
  ami:
    description:
      - The image of new instances, with Debian or Ubuntu and cloud-init.
      - If not given, a new cluster gets the image of Debian 13 of the day.
    type: str
  replace_outdated:
    description:
      - Whether to replace nodes that were started from an older launch template, one by one, each drained before.
      - If V(false), they are only named in RV(outdated_nodes).
    type: bool
    default: false
  key_name:
    description: The key pair of new instances. Without one, nobody can log in; no port for it is opened either way.
    type: str
  volume_size:
    description: The size of the root volumes of new instances in GiB. If not given, a new cluster gets V(30).
    type: int
  node_policies:
    description: ARNs of managed policies for the role of the nodes, besides what they need to join.
    type: list
    elements: str
  kubeconfig:
    description:
      - The file that gets the cluster, with the context C(aws_<name>). Other clusters in it stay.
      - With O(state=absent), the cluster is taken out of this file, and of no other that it was written to.
      - Only its owner can read it afterwards.
    type: path
    default: ~/.kube/config
  set_context:
    description: Whether the cluster's context is the current one. If not given, it becomes so when it is first written.
    type: bool
  tags:
    description:
      - Tags for everything that is made. Other tags that are there stay.
      - Nodes that run get new ones in place. As their launch template changes, they count as outdated all the
        same, and O(replace_outdated=true) replaces them.
      - At most 40, of what all services take, which is letters, numbers, spaces and C(_.:/=+-@).
    type: dict
  delete_data:
    description:
      - Whether O(state=absent) also deletes volumes that hold data. These are the ones that
        M(container.schedulers.ebs_volume) made for the cluster, and those of claims.
      - If V(false), they are named in RV(kept_volumes).
    type: bool
    default: false
  wait_timeout:
    description: The most seconds that the whole task may wait.
    type: int
    default: 1800
notes:
  - There is one control plane, and its data is on its root volume. It survives a restart of the instance, not its loss.
  - The IAM permissions that are needed are listed in the README of the role
    P(container.schedulers.kubernetes_cluster#role).
seealso:
  - module: container.schedulers.k8s_aws_cluster_info
  - module: container.schedulers.ebs_volume
"""

EXAMPLES = r"""
- name: The chapter's cluster
  container.schedulers.k8s_aws_cluster:
    name: kubernetes
    zone: eu-west-1c
    node_count: 2

- name: Larger nodes, an API for the office only, and a kubeconfig of its own
  container.schedulers.k8s_aws_cluster:
    name: shop
    zone: eu-central-1a
    node_count: 5
    node_type: m7g.large
    control_plane_type: t4g.medium
    allowed_cidrs: [198.51.100.0/24]
    kubeconfig: ~/.kube/shop

- name: One node less
  container.schedulers.k8s_aws_cluster:
    name: shop
    node_count: 4

- name: Remove the cluster, but keep its data
  container.schedulers.k8s_aws_cluster:
    name: shop
    state: absent
"""

RETURN = r"""
cluster:
  description: The cluster. All but its name and the counts is null if there is none, and with O(state=absent), in check
    mode too.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: kubernetes
    version:
      description: The version of Kubernetes that it was made with.
      type: str
      sample: 1.36.4
    zone:
      description: Its availability zone.
      type: str
    pod_network:
      description: How its pods reach one another.
      type: str
    endpoint:
      description: The address of its API server.
      type: str
      sample: https://203.0.113.9:6443
    node_count:
      description: How many nodes it should have.
      type: int
    ready_count:
      description: How many of them take pods.
      type: int
kubeconfig:
  description: How to get in. The credentials themselves are never returned. Both are null as long as there is none.
  returned: success
  type: dict
  contains:
    path:
      description: The file.
      type: str
    context:
      description: The context in it.
      type: str
      sample: aws_kubernetes
control_plane:
  description: The instance of the control plane. Its values are null if there is none.
  returned: success
  type: dict
  contains:
    instance_id:
      description: Its id.
      type: str
    instance_type:
      description: Its type.
      type: str
    private_ip:
      description: The address by which nodes reach it.
      type: str
    public_ip:
      description: Its Elastic IP.
      type: str
nodes:
  description: The nodes, without the control plane.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id:
      description: The id of the EC2 instance.
      type: str
    instance_type:
      description: Its type.
      type: str
    zone:
      description: Its availability zone.
      type: str
    name:
      description: What Kubernetes calls it, null as long as it has not joined.
      type: str
    ready:
      description: Whether it takes pods.
      type: bool
    version:
      description: The version of its kubelet, null as long as it has not joined.
      type: str
    outdated:
      description: Whether it was started from an older version of the launch template.
      type: bool
outdated_nodes:
  description: The ids of instances that O(replace_outdated=true) would replace.
  returned: success
  type: list
  elements: str
network:
  description: Where the cluster is. Its values are null if there is none.
  returned: success
  type: dict
  contains:
    vpc_id:
      description: The VPC.
      type: str
    subnet_id:
      description: The subnet.
      type: str
    control_plane_security_group_id:
      description: The security group of the control plane.
      type: str
    node_security_group_id:
      description: The security group of the nodes.
      type: str
auto_scaling_group:
  description: The name of what keeps the number of nodes, null if there is none.
  returned: success
  type: str
launch_template:
  description: What nodes are started from. Its values are null if there is none.
  returned: success
  type: dict
  contains:
    id:
      description: The id of the launch template.
      type: str
    version:
      description: The version that instances are started from.
      type: str
    image_id:
      description: The image.
      type: str
    instance_type:
      description: The instance type.
      type: str
kept_volumes:
  description: Volumes with data that O(state=absent) has left.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: str
    name:
      description: The name.
      type: str
    size:
      description: The size in GiB.
      type: int
    zone:
      description: The availability zone.
      type: str
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
last_events:
  description: What AWS said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: ["create role kubernetes-kubernetes-eu-west-1-nodes", "create vpc kubernetes-kubernetes"]
steps_planned:
  description: What would be done.
  returned: in check mode
  type: list
  elements: str
step_failed:
  description: What was being done when the task failed.
  returned: failure once a step was begun
  type: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: AccessDenied
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from functools import partial

from ansible_collections.container.schedulers.plugins.module_utils._argspec import (
    STATE,
    ArgumentSpec,
    Library,
    wait_options,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.k8s_cluster import ensure
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._k8s.cluster_admin import connect
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "zone": {"type": "str"},
        "node_count": {"type": "int"},
        "control_plane_type": {"type": "str"},
        "node_type": {"type": "str"},
        "version": {"type": "str"},
        "pod_network": {"type": "str", "choices": ["routes", "flannel"]},
        "cidr": {"type": "str"},
        "pod_cidr": {"type": "str"},
        "service_cidr": {"type": "str"},
        "allowed_cidrs": {"type": "list", "elements": "str"},
        "ami": {"type": "str"},
        "replace_outdated": {"type": "bool", "default": False},
        "key_name": {"type": "str", "no_log": False},
        "volume_size": {"type": "int"},
        "node_policies": {"type": "list", "elements": "str"},
        "kubeconfig": {"type": "path", "default": "~/.kube/config"},
        "set_context": {"type": "bool"},
        "tags": {"type": "dict"},
        "delete_data": {"type": "bool", "default": False},
    }
)


def main() -> None:
    """The module. It is what brings the two providers together: who makes the cluster, and who speaks to it."""
    spec = SPEC.merge(STATE, wait_options(1800), CONNECTION)
    run_module(spec, partial(ensure, connect=connect), libraries=(*LIBRARIES, Library("PyYAML", "6.0")))


if __name__ == "__main__":
    main()
