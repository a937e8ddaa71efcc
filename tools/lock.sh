#!/bin/sh
# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Write requirements*.txt from requirements*.in: every package with its exact version, in one file that holds for
# every Python from 3.11 on (uv puts environment markers where versions differ).
set -eu
cd "$(dirname "$0")"
uv=../.cache/uv/bin/uv
[ -x "$uv" ] || ../.venv/bin/python -m venv ../.cache/uv
../.cache/uv/bin/python -m pip install --quiet uv==0.13.9
for name in requirements requirements-test; do
  "$uv" pip compile --quiet --universal --python-version 3.11 --no-annotate --upgrade \
    --custom-compile-command "make lock" --output-file "$name.txt" "$name.in"
done
