#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An EBS volume for data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_volume
short_description: An Amazon EBS volume that holds the data of an app
version_added: "1.0.0"
description:
  - Makes, changes, enlarges or deletes one EBS volume. It is found by its name and by the mark that this collection
    puts on it, never by its name alone.
  - It is tagged for the EBS CSI driver with C(ebs.csi.aws.com/cluster=true), and, with O(cluster), as belonging to that
    Kubernetes cluster. One that M(container.schedulers.k8s_aws_cluster) made may attach only volumes that carry both
    tags. For a volume without O(cluster), give O(tags) C(KubernetesCluster) with the name of the cluster.
  - Attaching is left to Kubernetes. The module says where the volume is attached, and refuses to delete it meanwhile.
  - An option that is not given is not managed. What an existing volume has in its place, stays.
  - It needs permission for C(ec2:CreateVolume), C(ec2:ModifyVolume), C(ec2:DeleteVolume), C(ec2:DescribeVolumes),
    C(ec2:DescribeVolumesModifications), C(ec2:DescribeAvailabilityZones) and C(ec2:CreateTags), for O(snapshot) also
    for C(ec2:CreateSnapshot), C(ec2:DescribeSnapshots) and C(ec2:DeleteSnapshot).
extends_documentation_fragment:
  - container.schedulers.aws
  - container.schedulers.wait
  - container.schedulers.attributes
  - container.schedulers.attributes.aws
author:
  - the container.schedulers authors (@container-schedulers)
options:
  name:
    description: The name of the volume, up to 128 letters, digits, dots, hyphens and underscores.
    type: str
    required: true
  state:
    description:
      - V(present) makes the volume, or changes it to what the options say.
      - V(absent) deletes it, with all that is on it. Consider O(snapshot).
    type: str
    choices: [present, absent]
    default: present
  cluster:
    description:
      - The Kubernetes cluster that the volume belongs to. Two clusters may each have a volume of one name.
      - The volume is found by it, too. Without it, another volume is meant, and O(state=absent) leaves this one.
      - Deleting the cluster keeps the volume, unless it is told to delete data.
    type: str
  zone:
    description: The availability zone, needed for a new volume. A volume can be attached to instances of its zone only.
    type: str
  size:
    description:
      - The size in GiB, needed for a new volume unless O(snapshot_id) is given.
      - A volume can grow while it is in use, at most once in six hours, and never shrinks. The file system on it is not
        enlarged by this module.
    type: int
  type:
    description: The type of the volume. If not given, a new one gets V(gp3).
    type: str
    choices: [gp2, gp3, io1, io2, sc1, st1, standard]
  iops:
    description:
      - The operations a second to pay for. For types V(gp3), V(io1) and V(io2); the latter two need it.
      - A volume that gets another of these types keeps its number, if that type can have it.
    type: int
  throughput:
    description: The throughput to pay for in MiB/s. For type V(gp3).
    type: int
  encrypted:
    description: Whether the volume is encrypted. If not given, a new one is. It cannot be changed later.
    type: bool
  kms_key:
    description: The ARN of the KMS key to encrypt with, AWS's key for EBS by default. It cannot be changed later.
    type: str
  snapshot_id:
    description: The snapshot that a new volume starts from.
    type: str
  snapshot:
    description:
      - Whether O(state=absent) takes a snapshot first, and deletes the volume only once that is complete.
      - A run that was killed between the two leaves its snapshot, and the next run takes another. EC2 does not tell
        whether a volume was attached, and written to, in between, so the first may lack the newest data. Snapshots are
        incremental, so one of an unchanged volume takes next to no space of its own.
    type: bool
    default: false
  tags:
    description: Tags for the volume. Other tags that are there stay.
    type: dict
  wait_timeout:
    description: The most seconds that the whole task may wait.
    type: int
    default: 600
seealso:
  - module: container.schedulers.k8s_aws_cluster
"""

EXAMPLES = r"""
- name: Ten encrypted gigabytes for the database of a cluster
  container.schedulers.ebs_volume:
    name: mysql
    cluster: kubernetes
    zone: eu-west-1c
    size: 10
  register: mysql

- name: Make it larger, while it is in use
  container.schedulers.ebs_volume:
    name: mysql
    cluster: kubernetes
    size: 20

- name: Delete it, and keep a snapshot
  container.schedulers.ebs_volume:
    name: mysql
    cluster: kubernetes
    state: absent
    snapshot: true
"""

RETURN = r"""
volume:
  description: The volume. All but its name is null or empty if it is not there, and with O(state=absent), in check mode
    too.
  returned: success
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: vol-0a1b2c3d4e5f60718
    name:
      description: Its name.
      type: str
    state:
      description: Whether it is attached.
      type: str
      sample: available
    zone:
      description: Its availability zone.
      type: str
    size:
      description: Its size in GiB.
      type: int
    type:
      description: Its type.
      type: str
    iops:
      description: Its operations a second.
      type: int
    throughput:
      description: Its throughput in MiB/s, for V(gp3).
      type: int
    encrypted:
      description: Whether it is encrypted.
      type: bool
    kms_key:
      description: The ARN of the key that it is encrypted with.
      type: str
    tags:
      description: Its tags.
      type: dict
    attachments:
      description: Where it is attached.
      type: list
      elements: dict
      contains:
        instance_id:
          description: The instance.
          type: str
        device:
          description: The device on it.
          type: str
        state:
          description: How far the attachment is.
          type: str
          sample: attached
snapshot_id:
  description: The snapshot that was taken before the volume was deleted, null if none was.
  returned: success
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
  sample: ["create volume mysql"]
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

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, ArgumentSpec, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._aws.ebs_volume import ensure
from ansible_collections.container.schedulers.plugins.module_utils._aws.options import CONNECTION, LIBRARIES
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "cluster": {"type": "str"},
        "zone": {"type": "str"},
        "size": {"type": "int"},
        "type": {"type": "str", "choices": ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"]},
        "iops": {"type": "int"},
        "throughput": {"type": "int"},
        "encrypted": {"type": "bool"},
        "kms_key": {"type": "str", "no_log": False},
        "snapshot_id": {"type": "str"},
        "snapshot": {"type": "bool", "default": False},
        "tags": {"type": "dict"},
    }
)


def main() -> None:
    """The module."""
    run_module(SPEC.merge(STATE, wait_options(600), CONNECTION), ensure, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
