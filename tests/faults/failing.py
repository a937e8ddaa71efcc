# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that is meant to fail and to say why: as a success, so that a flow can be made of it.

Any other failure is one, and so is a success.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path


def main() -> None:
    arguments = Path(sys.argv[1])
    options = json.loads(arguments.read_text())["ANSIBLE_MODULE_ARGS"]
    module, told = options.pop("module"), options.pop("told")
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    result = json.loads(output.getvalue())
    if told in result.get("msg", ""):
        result |= {"failed": False, "changed": False}
    elif not result.get("failed"):
        result |= {"failed": True, "msg": "the module succeeded"}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
