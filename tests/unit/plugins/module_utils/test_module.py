# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge, in a real module process: what Ansible gets back, whatever happens inside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from ansible import release
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._module import Context
from ansible_collections.container.schedulers.plugins.module_utils._wait import Pace
from unit.clock import FakeClock

PYTHON = sys.executable
SECRET = "lab-not-a-secret-000001"
# from 2.21 on only if they are asked for, and older ones do not know the question
OPTIONS_IN_RESULT = {"_ansible_inject_invocation": True} if release.__version__.split(".")[:2] >= ["2", "21"] else {}
PROGRAM = """
import os, signal, sys, threading
from importlib import metadata
from ansible.module_utils.testing import patch_module_args
import ansible_collections.container.schedulers.plugins.module_utils as package
from ansible_collections.container.schedulers.plugins.module_utils import _module
from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec, Library, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._errors import *
from ansible_collections.container.schedulers.plugins.module_utils._module import Outcome, run_module
from ansible_collections.container.schedulers.plugins.module_utils._plan import Live, Wanted, Plan, apply, decide
PROBE = {{"type": "dict", "aliases": ["check"], "options": {{"path": {{"type": "str"}}, "port": {{"type": "int"}}}}}}
SPEC = wait_options(600).merge(
    ArgumentSpec({{"secret_key": {{"type": "str", "no_log": True}}}}),
    ArgumentSpec(
        {{"login": {{"type": "raw", "no_log": False, "aliases": ["account"]}}}},
        finders={{"login": lambda login: [login["key"]]}},
    ),
    ArgumentSpec(
        {{
            "ports": {{"type": "list", "elements": "dict", "options": {{"inside": {{"type": "int"}}, "probe": PROBE}}}},
            "probe": PROBE,
            "store": {{"type": "dict", "options": {{"password": {{"type": "str", "no_log": True}}}}}},
        }}
    ),
)
GRAPH = {{"network": (), "host": ("network",)}}
WANTED = [Wanted("network", "network", "web", {{"range": "x"}}), Wanted("host", "host", "web", {{"size": 1}})]
LIBRARIES = []
class Handler:
    def create(self, step, spec):
        return Live(step.key, step.kind, step.name, "id", spec)
def plan():
    return decide(WANTED, {{}}, GRAPH)
{body}
import json
with patch_module_args(json.loads(os.environ["MODULE_ARGS"])):
    run_module(SPEC, run, libraries=LIBRARIES)
"""


def start(body: str, **options: Any) -> subprocess.Popen[str]:
    program = PROGRAM.format(body=textwrap.dedent(body))
    environment = {
        **os.environ,
        "MODULE_ARGS": json.dumps({"secret_key": SECRET, **OPTIONS_IN_RESULT, **options}),
        "PYTHONWARNINGS": "ignore",
    }
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finish(process: subprocess.Popen[str], code: int) -> dict[str, Any]:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == code, out + errors
    assert "Traceback" not in errors, errors
    assert SECRET not in errors
    result: dict[str, Any] = json.loads(out)
    assert SECRET not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
    assert SECRET not in json.dumps(result.get("invocation", {}))
    return result


def module(body: str, code: int = 0, **options: Any) -> dict[str, Any]:
    return finish(start(body, **options), code)


APPLYING = """
def run(context):
    there = {} if context.check_mode else apply(plan(), {"network": Handler(), "host": Handler()}, {}).live
    return Outcome({"hosts": sorted(there)}, plan())
"""


def test_changed_diff_and_steps_come_from_the_plan() -> None:
    result = module(APPLYING, _ansible_diff=True)
    assert result["changed"] is True
    assert result["hosts"] == ["host", "network"]
    assert result["steps_done"] == ["create network web", "create host web"]
    assert result["diff"] == {"before": {}, "after": {"network web": {"range": "x"}, "host web": {"size": 1}}}


def test_check_mode_says_the_same_and_does_nothing() -> None:
    result = module(APPLYING, _ansible_check_mode=True)
    assert result["changed"] is True
    assert result["hosts"] == []
    assert result["steps_planned"] == ["create network web", "create host web"]
    assert "diff" not in result


def test_the_password_of_a_proxy_in_the_environment_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cr%40t@proxy.test")
    said = "raise SchedulersError(f'{os.environ[\"HTTPS_PROXY\"]} or s3cr@t')"
    result = module(f"def run(context): {said}", code=1)
    assert result["msg"] == "http://me:VALUE_HIDDEN@proxy.test or VALUE_HIDDEN."
    assert "s3cr" not in json.dumps(result)


def test_a_module_that_only_looks_never_changes_anything() -> None:
    result = module("def run(context): return Outcome({'things': [], 'changed': True})", _ansible_diff=True)
    assert result["changed"] is False
    assert result["things"] == []
    assert not {"diff", "steps_done", "steps_planned"} & {*result}


def test_a_diff_of_its_own() -> None:
    result = module("def run(context): return Outcome({}, Plan(), {'before': 'a', 'after': 'b'})", _ansible_diff=True)
    assert result["diff"] == {"before": "a", "after": "b"}
    assert result["changed"] is False


def test_secrets_are_nowhere_in_the_result() -> None:
    result = module(
        """
        def run(context):
            secret = context.params["secret_key"]
            context.warn(f"careful with {secret}")
            return Outcome({"found": {"deep": [f"x{secret}"]}, "password": "p"}, Plan(), {"after": {"key": secret}})
        """,
        _ansible_diff=True,
    )
    assert result["found"] == {"deep": ["xVALUE_HIDDEN"]}
    assert result["password"] == "VALUE_HIDDEN"
    assert result["diff"]["after"] == {"key": "VALUE_HIDDEN"}
    assert "careful with VALUE_HIDDEN" in json.dumps(result["warnings"])


@pytest.mark.parametrize(
    ("body", "options", "code"),
    [
        ("def run(context): return Outcome({'found': context.params['login']})", {}, 0),
        ("def run(context): raise InputError('refused')", {}, 1),
        ("LIBRARIES.append(Library('no-such-library', '1'))\ndef run(context): pass", {}, 1),
        ("def run(context): pass", {"wait_sleep": "no number"}, 1),
        ("def run(context): pass", {"no_such_option": 1}, 1),
    ],
)
@pytest.mark.parametrize("name", ["login", "account"])
def test_secrets_within_an_option_are_nowhere_in_the_result(
    name: str, body: str, options: dict[str, Any], code: int
) -> None:
    process = start(body, **options, **{"secret_key": "lab-not-a-secret-000002", name: {"user": "ann", "key": SECRET}})
    result = finish(process, code)
    assert result["invocation"]["module_args"][name]["user"] == "ann"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"probe": True}, "probe is True, but has to be a mapping of path, port."),
        ({"check": 8}, "check is 8, but has to be a mapping of path, port."),
        ({"probe": "http"}, "probe is 'http', but has to be a mapping of path, port."),
        ({"probe": []}, "probe is a list, but has to be a mapping of path, port."),
        ({"ports": 80}, "ports is 80, but has to be a list of mappings of inside, probe."),
        ({"ports": {"inside": 80}}, "ports is a mapping, but has to be a list of mappings of inside, probe."),
        ({"ports": ["80:80"]}, "ports[0] is '80:80', but has to be a mapping of inside, probe."),
        ({"ports": "80:80"}, "ports[0] is '80:80', but has to be a mapping of inside, probe."),
        ({"ports": [{"inside": 80}, None]}, "ports[1] is null, but has to be a mapping of inside, probe."),
        ({"ports": [{"probe": False}]}, "ports[0].probe is False, but has to be a mapping of path, port."),
        ({"ports": ['{"probe": 1.5}']}, "ports[0].probe is 1.5, but has to be a mapping of path, port."),
        ({"store": f"pass {SECRET}"}, "store is a text, but has to be a mapping of password."),
        ({"store": {"password": SECRET}, "probe": 1}, "probe is 1, but has to be a mapping of path, port."),
    ],
)
def test_what_is_no_mapping_where_one_belongs_is_named(options: dict[str, Any], sentence: str) -> None:
    assert module("def run(context): pass", 1, **options)["msg"] == sentence


@pytest.mark.parametrize("probe", [{"port": 8}, '{"port": 8}', "port=8", "path='',port=8", None])
def test_mappings_may_be_given_as_ansible_takes_them(probe: Any) -> None:
    result = module("def run(context): return Outcome({'found': context.params['probe']})", probe=probe)
    assert (result["found"] or {"port": 8})["port"] == 8


def test_secrets_within_an_option_are_not_in_the_syslog() -> None:
    process = start(f"{SYSLOG}\ndef run(context): return Outcome({{}})", login={"user": "ann", "key": SECRET})
    _out, errors = process.communicate(timeout=120)
    assert "'user': 'ann'" in errors
    assert SECRET not in errors


def test_an_error_is_a_sentence_a_code_and_details() -> None:
    result = module(
        """
        def run(context):
            raise AuthError("no entry with " + context.params["secret_key"], doing="list zones", code="AccessDenied",
                            details={"zones": ["a"]})
        """,
        code=1,
    )
    assert result["failed"] is True
    assert result["changed"] is False
    assert result["msg"] == "Could not list zones: no entry with VALUE_HIDDEN."
    assert result["error_code"] == "AccessDenied"
    assert result["zones"] == ["a"]
    assert "exception" not in result


def test_a_failure_half_way_has_changed_something() -> None:
    result = module(
        """
        class Failing:
            def create(self, step, spec):
                raise ConflictError("no address is left")
        def run(context):
            apply(plan(), {"network": Handler(), "host": Failing()}, {})
        """,
        code=1,
    )
    assert result["changed"] is True
    assert result["steps_done"] == ["create network web"]
    assert result["step_failed"] == "create host web"
    assert result["msg"] == "Could not create host web: no address is left."


@pytest.mark.parametrize(
    "where", ["raise KeyError(context.params['secret_key'])", "apply(plan(), {'network': Handler()}, {})"]
)
def test_a_defect_is_a_sentence_too(where: str) -> None:
    result = module(f"def run(context): {where}", code=1)
    assert "Unexpected KeyError" in result["msg"]
    assert "This is a defect of container.schedulers; please report it" in result["msg"]
    assert "exception" not in result
    assert result["changed"] is ("apply" in where)


@pytest.mark.parametrize("kind", ["KeyError", "SchedulersError"])
def test_a_traceback_that_is_asked_for_has_no_secrets(kind: str) -> None:
    result = module(
        f"""
        def run(context):
            try:
                raise ValueError("the cause knows " + context.params["secret_key"])
            except ValueError as error:
                raise {kind}(context.params["secret_key"]) from error
        """,
        code=1,
        _ansible_tracebacks_for=["error"],
    )
    assert "ValueError: the cause knows VALUE_HIDDEN" in result["exception"]


SYSLOG = """
from ansible.module_utils import basic
basic.has_journal = False
basic.syslog.syslog = lambda priority, text: print(text, file=sys.stderr)
"""
LOOPING = """
def run(context):
    print("ready", file=sys.stderr, flush=True)
    while True:
        threading.Event().wait(0.05)
"""
# botocore turns every Exception that comes up during a request into one of its own, which is worth a retry
SWALLOWING = """
def run(context):
    print("ready", file=sys.stderr, flush=True)
    for again in range(200):
        try:
            threading.Event().wait(0.05)
        except Exception:
            continue
    return Outcome({})
"""
# the step ends when the run has noted the signal: no time would be long enough for a busy machine
MAKING = """
from ansible_collections.container.schedulers.plugins.module_utils._plan import _Run
noted, fail = threading.Event(), _Run.fail
def note(run, step, error):
    fail(run, step, error)
    noted.set()
_Run.fail = note
class Slow(Handler):
    def create(self, step, spec):
        if step.kind == "network":
            print("ready", file=sys.stderr, flush=True)
            noted.wait(60)
        return super().create(step, spec)
def run(context):
    slow = Slow()
    return Outcome({}, plan() if apply(plan(), {"network": slow, "host": slow}, {}) else None)
"""
WAITING = """
from ansible_collections.container.schedulers.plugins.module_utils._clock import Deadline, SystemClock
from ansible_collections.container.schedulers.plugins.module_utils._retry import Effect, RetryPolicy
from ansible_collections.container.schedulers.plugins.module_utils._wait import Pace, wait_until
def wait():
    deadline = Deadline(SystemClock(), 600)
    wait_until(lambda: False, ready=bool, deadline=deadline, doing="wait", pace=Pace(first=PAUSE, cap=PAUSE))
def retry():
    def refused():
        raise ThrottledError("no", retry_after=60)
    RetryPolicy(total_seconds=600).run(refused, Effect.READ)
class Waiting(Handler):
    def create(self, step, spec):
        if step.kind == "host":
            print("ready", file=sys.stderr, flush=True)
            WAIT()
        return super().create(step, spec)
def run(context):
    waiting = Waiting()
    return Outcome({}, plan() if apply(plan(), {"network": waiting, "host": waiting}, {}) else None)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("wait", "pause"), [("wait", 0.01), ("wait", 60), ("retry", 60)])
def test_a_signal_ends_what_waits_on_another_thread(number: signal.Signals, wait: str, pause: float) -> None:
    process = start(WAITING.replace("WAIT()", f"{wait}()").replace("PAUSE", str(pause)))
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    process.send_signal(number)
    result = finish(process, 1)
    assert result["msg"].startswith(f"the run was ended by {number.name}. Run the same task again to converge")
    assert result["steps_done"] == ["create network web"]
    assert result["step_failed"] == "create host web"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("body", "steps"), [(LOOPING, None), (SWALLOWING, None), (MAKING, ["create network web"])], ids=["l", "s", "m"]
)
def test_a_signal_ends_the_run_with_a_result(number: signal.Signals, body: str, steps: list[str] | None) -> None:
    process = start(body)
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    process.send_signal(number)
    process.send_signal(number)  # an impatient user
    result = finish(process, 1)
    assert result["msg"].startswith(f"the run was ended by {number.name}. Run the same task again to converge")
    assert result.get("steps_done") == steps
    assert result["changed"] is bool(steps)


@pytest.mark.parametrize("no_log", [False, True])
def test_what_a_signal_ended_is_in_the_syslog_without_secrets(no_log: bool) -> None:
    """The signal ends Ansible's worker too, and nobody reads the result."""
    named = f"WANTED[:1] = [Wanted('network', 'network', '{SECRET}', {{}})]"
    body = WAITING.replace("WAIT()", "wait()").replace("PAUSE", "60")
    process = start(f"{SYSLOG}\n{named}\n{body}", _ansible_no_log=no_log)
    assert process.stdout is not None
    assert process.stderr is not None
    while process.stderr.readline() != "ready\n":
        pass
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    told = [json.loads(line) for line in process.stderr if line.startswith("{")]
    process.wait(timeout=120)
    assert [(one["steps_done"], one["step_failed"]) for one in told] == (
        [] if no_log else [(["create network VALUE_HIDDEN"], "create host web")]
    )
    assert all(one["msg"].startswith("the run was ended by SIGTERM. Run the same task again") for one in told)


@pytest.mark.parametrize(
    ("found", "needed", "sentence"),
    [
        (
            "'1.20.5'",
            "1.34.0",
            f"boto3 1.20.5 is too old: 1.34.0 or newer is needed by this module, in the Python that runs it, {PYTHON}.",
        ),
        ("'1.34.0rc1'", "1.35", "boto3 1.34.0rc1 is too old"),
        ("'1.34'", "1.34.0", None),
        ("'1.34.0'", "1.34", None),
        ("'1.100.0'", "1.34.0", None),
        ("'2.dev5'", "1.34.0", None),
        ("missing()", "1.34.0", "boto3 >= 1.34.0"),
        ("missing()", "1.34.0", PYTHON),
    ],
)
def test_a_library_that_is_missing_or_too_old(found: str, needed: str, sentence: str | None) -> None:
    result = module(
        f"""
        LIBRARIES.append(Library("boto3", "{needed}"))
        def missing():
            raise metadata.PackageNotFoundError("boto3")
        metadata.version = lambda name: {found}
        def run(context): return Outcome({{}})
        """,
        code=1 if sentence else 0,
    )
    assert (sentence or "") in result.get("msg", "")


def test_check_of_libraries_does_not_import_them() -> None:
    result = module(
        """
        LIBRARIES.append(Library("boto3", "1.34.0"))
        def run(context): return Outcome({"loaded": [name for name in sys.modules if name.startswith("boto")]})
        """
    )
    assert result["loaded"] == []


def test_what_is_needed_may_depend_on_the_options() -> None:
    result = module(
        """
        LIBRARIES = lambda params: [Library("no-such-library", "1.0")] if params["wait"] else []
        def run(context): return Outcome({})
        """,
        code=1,
    )
    assert "no-such-library" in result["msg"]


@pytest.mark.parametrize("ending", ["return Outcome({})", "raise ConflictError('no address is left')"])
@pytest.mark.parametrize(
    ("options", "told"), [({}, True), ({"wait": False}, False), ({"_ansible_check_mode": True}, False)]
)
def test_how_long_a_run_that_waits_took(ending: str, options: dict[str, Any], told: bool) -> None:
    body = f"def run(context):\n    context.clock.sleep(0.2)\n    {ending}"
    result = module(body, code=int(ending.startswith("raise")), **options)
    assert ("waited_seconds" in result) is told
    assert 0.2 <= result.get("waited_seconds", 0.2) < 60


def test_the_context_knows_how_long_to_wait() -> None:
    context = Context({"wait_timeout": 30, "wait_sleep": 4}, clock=FakeClock())
    assert context.deadline().left() == 30.0
    assert context.pace() == Pace(cap=4.0)
    context.warn("nobody listens")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"wait_timeout": -1, "wait_sleep": 1}, "wait_timeout is -1, but has to be at least 0."),
        ({"wait_timeout": 1, "wait_sleep": 0}, "wait_sleep is 0, but has to be at least 1."),
    ],
)
def test_waits_that_cannot_work(params: dict[str, int], sentence: str) -> None:
    context = Context(params)
    with pytest.raises(InputError) as failed:
        (context.deadline(), context.pace())
    assert str(failed.value) == sentence


def test_no_other_file_of_the_engine_knows_ansible() -> None:
    folder = Path(sys.modules[Context.__module__].__file__ or "").parent
    knowing = {path.name for path in folder.rglob("*.py") if "import AnsibleModule" in path.read_text()}
    assert knowing == {"_module.py"}
