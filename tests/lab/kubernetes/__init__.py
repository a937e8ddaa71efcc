# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Kubernetes: a real control plane as processes; nodes and pods are simulated."""
