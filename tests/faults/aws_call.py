# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One AWS API call that takes its arguments and prints its result as a module does: makes what modules start from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import boto3


def main() -> None:
    options = json.loads(Path(sys.argv[1]).read_text())["ANSIBLE_MODULE_ARGS"]
    client = boto3.client(options["service"])
    getattr(client, options["operation"])(**options["request"])
    print(json.dumps({"changed": True}))


if __name__ == "__main__":
    main()
