# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the lab's control API that takes its arguments and prints its result as a module does."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path


def main() -> None:
    options = json.loads(Path(sys.argv[1]).read_text())["ANSIBLE_MODULE_ARGS"]
    url = f"{os.environ['LAB_CONTROL']}/{options['path']}"
    with urllib.request.urlopen(url, json.dumps(options["document"]).encode(), timeout=60) as answer:
        answer.read()
    print(json.dumps({"changed": True}))


if __name__ == "__main__":
    main()
