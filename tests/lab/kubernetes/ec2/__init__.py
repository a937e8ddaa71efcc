# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters whose nodes are instances of the lab's EC2: kubeadm in their user data starts a real control plane."""
