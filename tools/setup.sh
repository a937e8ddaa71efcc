#!/bin/sh
# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Find a Python that is new enough, and let it do the set-up. Each candidate is run: a pyenv shim whose version is
# not active is on the PATH, but does not run.
# usage: [PYTHON=python3.12] tools/setup.sh demo|test
set -eu
candidates=${PYTHON:-python3.13 python3.12 python3.11 python3}
for python in $candidates; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$python" "$(dirname "$0")/setup.py" "$@"
  fi
done
echo "Python 3.11 or newer is needed, and none of these is one: $candidates. Install it, or name it: make PYTHON=/path/to/python" >&2
exit 1
