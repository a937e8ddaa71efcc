# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of the lab and their keys: plain words that nobody can take for real ones."""

from __future__ import annotations

ACCOUNT = "123456789012"
ACCESS_KEY_ID = "LABNOTASECRET0000001"
SECRET_ACCESS_KEY = "lab-not-a-secret-000001"  # long on purpose: Ansible masks a secret's text wherever it appears
DIGITALOCEAN_TOKEN = "lab-not-a-secret-000002"
GITHUB_CLIENT_ID = "LABNOTASECRET0000003"
GITHUB_CLIENT_SECRET = "lab-not-a-secret-000003"
