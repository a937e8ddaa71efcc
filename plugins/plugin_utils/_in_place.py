# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module from where the collection is installed, if the play runs it on the control node itself.

Ansible sends a module to its host as one file: it parses all code that the module imports and packs it, and the module
unpacks and compiles it. That is most of the time of a task that changes nothing, and of no use where the host is the
control node and its Python the one that runs ansible-playbook: the code is there, compiled. So the file that is sent
imports it. All else is Ansible's: a process of its own, environment, asynchronous tasks, temporary files, results.

Elsewhere, and in releases of ansible-core that this has not been tried with, Ansible packs the module.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import ansible
from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.release import __version__

TRIED: Final = ("2.19", "2.20", "2.21")
"""What is inner to ansible-core may change: a release is added when the tests have run on it."""

try:
    from ansible._internal._ansiballz._builder import ExtensionManager
    from ansible.executor.module_common import _BuiltModule
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:
    IS_KNOWN = False
else:
    IS_KNOWN = ".".join(__version__.split(".")[:2]) in TRIED

_COLLECTION: Final = Path(__file__).parents[2]
_MODULES: Final = _COLLECTION / "plugins" / "modules"
_COLLECTIONS: Final = str(_COLLECTION.parents[1])
_PACKAGES: Final = (
    ("ansible", str(Path(ansible.__file__).parent)),
    ("ansible_collections", _COLLECTIONS),
    ("ansible_collections.container", str(_COLLECTION.parent)),
    ("ansible_collections.container.schedulers", str(_COLLECTION)),
)
"""Where the module's imports lead: to what ansible-playbook itself runs, whatever else its Python would find."""

_PROFILE: Final = "legacy"  # Ansible's word for modules that do not say how their values are written as JSON
_LAUNCHER: Final = """\
#!{python}
import os, sys
script = sys.argv[0]
folders = ("", ".", os.path.dirname(script), os.path.dirname(os.path.realpath(script)))
sys.path[:] = [entry for entry in sys.path if entry not in folders]
import types
for name, folder in {packages!r}:
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [folder]
    package.__file__ = os.path.join(folder, "__init__.py")
from ansible.module_utils._internal._ansiballz._loader import run_module
options = {options!r}
run_module(json_params=options, profile={profile!r}, module_fqn={name!r}, modlib_path={folder!r}, extensions={{}})
"""  # options have a line of their own, as tracebacks show the line of a call


class ActionModule(NormalAction):  # type: ignore[misc]
    """What Ansible does for a module without an action plugin, but for the file that is sent."""

    _path: Path | None = None  # the module's, where it is to run in place

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task's module."""
        self._path = self._path_of_ours() if self._is_here(task_vars or {}) else None
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result

    def _configure_module(self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> Any:
        if not self._path or module_name != self._task.action:  # for an asynchronous task, Ansible sends two
            return super()._configure_module(module_name, module_args, task_vars)
        sent = _BuiltModule(
            b_module_data=_launcher(self._path.stem, module_args),
            module_style="new",
            shebang=f"#!{sys.executable}",
            serialization_profile=_PROFILE,
        )
        return sent, str(self._path)

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Through a pipe, so that no file has the options. Ansible does not by default, for the sake of ``sudo``."""
        return bool(self._path and not wrap_async) or bool(super()._is_pipelining_enabled(module_style, wrap_async))

    def _path_of_ours(self) -> Path | None:
        """The module's, unless its short name is that of another collection's."""
        found = self._shared_loader_obj.module_loader.find_plugin_with_context(
            self._task.action, collection_list=self._task.collections
        )
        path = Path(found.plugin_resolved_path or "")
        return path if path.parent == _MODULES else None

    def _is_here(self, task_vars: Mapping[str, Any]) -> bool:
        """Whether it would run in this Python, on this machine, as this user, and nobody asked for the packed file."""
        if not IS_KNOWN or self._connection.transport != "local" or self._connection.become:
            return False
        delegated = self._task.delegate_to
        host = task_vars["ansible_delegated_vars"][delegated] if delegated else task_vars
        try:
            return (
                self._setting("INTERPRETER_PYTHON", host) == sys.executable
                and not self._setting("PYTHON_MODULE_RLIMIT_NOFILE", host)
                and not constants.DEFAULT_KEEP_REMOTE_FILES
                and not ExtensionManager.create(task_vars=host).extension_names
            )
        except AnsibleError:  # of a template: Ansible says what is wrong with it, or knows that it may be omitted
            return False

    def _setting(self, name: str, host: Mapping[str, Any]) -> Any:
        return self._templar.template(constants.config.get_config_value(name, variables=host))


def _launcher(module: str, options: Mapping[str, Any]) -> bytes:
    """The file that is sent: it imports the module, where Ansible's brings it along."""
    encoder = get_module_encoder(_PROFILE, Direction.CONTROLLER_TO_MODULE)
    try:
        encoded = json.dumps({"ANSIBLE_MODULE_ARGS": options}, cls=encoder)
    except TypeError as error:
        raise AnsibleError(f"Failed to serialize arguments for the {module!r} module.") from error
    return _LAUNCHER.format(
        python=sys.executable,
        packages=_PACKAGES,
        options=encoded.encode(),
        profile=_PROFILE,
        name=f"ansible_collections.container.schedulers.plugins.modules.{module}",
        folder=_COLLECTIONS,
    ).encode()
