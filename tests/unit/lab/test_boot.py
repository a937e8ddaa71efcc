# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data is run for real, in a root of its own: what it may see, change, start, and leave behind."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import lab
import pytest
from lab import boot
from lab.boot import Boot, Equipment, Result, script_of
from unit.waiting import eventually

TESTS = Path(lab.__file__).resolve().parents[1]


def run(directory: Path, user_data: str, time_limit: float = 60) -> Result:
    started = Boot(directory / "one", user_data.encode(), "ip-10-0-0-1.ec2.internal", time_limit)
    result = wait(started)
    started.remove()
    assert result.obstacle is None
    return result


def wait(started: Boot) -> Result:
    return eventually(started.poll, "it does not end", pause=0.005)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("#!/bin/bash\necho ECS_CLUSTER=demo >> /etc/ecs/ecs.config\n", "ECS_CLUSTER=demo\n"),
        ("#!/bin/sh\nname=de; printf 'ECS_CLUSTER=%s\n' \"${name}mo\" > /etc/ecs/ecs.config", "ECS_CLUSTER=demo\n"),
        ("#!/bin/bash\n# echo ECS_CLUSTER=demo > /etc/ecs/ecs.config\n", ""),
        ("#!/bin/bash\nset -e\nfalse\necho ECS_CLUSTER=demo > /etc/ecs/ecs.config\n", ""),
        ("#!/bin/bash\ncat <<'END' > /etc/ecs/ecs.config\nA=1\nA=2\nEND\n", "A=1\nA=2\n"),
        ("#!/bin/bash\nmkdir /opt/c; echo A=1 > /opt/c/e; ln -sf /opt/c/e /etc/ecs/ecs.config\n", "A=1\n"),
        ("echo ECS_CLUSTER=demo > /etc/ecs/ecs.config\n", ""),
    ],
)
def test_only_what_the_script_leaves_counts(tmp_path: Path, script: str, expected: str) -> None:
    assert run(tmp_path, script).agent_config == expected


def test_the_script_sees_an_instance_and_not_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("here")
    console = run(
        tmp_path,
        "#!/bin/bash\nexec > >(tee /var/log/user-data.log) 2>&1\n"
        f"id -un; hostname; cat {secret}; ls /home; echo $PATH\n"
        ". /etc/os-release; echo $NAME; awk 'BEGIN { print 6 * 7 }'\n",
    ).console
    assert "root\nip-10-0-0-1.ec2.internal\n" in console
    assert "No such file" in console
    assert "ec2-user\n/usr/local/sbin:" in console
    assert "Amazon Linux\n42\n" in console


def test_nothing_outside_can_be_changed(tmp_path: Path) -> None:
    swappiness = Path("/proc/sys/vm/swappiness").read_text()
    console = run(
        tmp_path,
        "#!/bin/bash\n"
        "touch /usr/bin/lab-was-here /lab-was-here\n"
        "echo 1 > /proc/sys/vm/swappiness\n"
        "mknod /dev/disk b 8 0 || mount -t tmpfs none /mnt || chroot / true || echo refused\n"
        "kill -9 -1; echo alive\n",
    ).console
    assert "Read-only file system" in console
    assert "refused" in console
    assert not Path("/usr/bin/lab-was-here").exists()
    assert not Path("/lab-was-here").exists()
    assert Path("/proc/sys/vm/swappiness").read_text() == swappiness


def test_there_is_no_network(tmp_path: Path) -> None:
    console = run(
        tmp_path, "#!/bin/bash\necho > /dev/tcp/127.0.0.1/22 || echo none; cat /proc/net/route | wc -l\n"
    ).console
    assert "Network is unreachable\nnone\n" in console.replace("/dev/tcp/127.0.0.1/22: ", "")


def test_processes_end_with_the_script(tmp_path: Path) -> None:
    name = f"lab-sleeper-{os.getpid()}"
    assert "finished" in run(tmp_path, f"#!/bin/bash\n(exec -a {name} sleep 300) &\necho finished\n").console
    until(lambda: not any(name.encode() in command for command in commands()))


def commands() -> list[bytes]:
    """Of all processes of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            found.append(path.read_bytes())
    return found


def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    eventually(holds, "it does not come to that", seconds, pause=0.005)


def test_a_script_that_never_ends_is_killed(tmp_path: Path) -> None:
    """After its time, but not before it has done something: what it did counts no more."""
    started = time.monotonic()
    script = b"#!/bin/bash\necho ECS_CLUSTER=demo > /etc/ecs/ecs.config\nsleep 3000\n"
    one = Boot(tmp_path / "one", script, "ip-10-0-0-1.ec2.internal", time_limit=0.5)
    until(lambda: one.file("etc/ecs/ecs.config") != b"")
    result = wait(one)
    one.remove()
    assert result.obstacle is None
    assert time.monotonic() - started < 300
    assert result.agent_config == ""
    assert "killed after 0.5 seconds" in result.console


def test_a_failing_script_says_so_as_cloud_init_does(tmp_path: Path) -> None:
    result = run(tmp_path, "#!/bin/bash\necho before\nexit 3\n")
    assert "before\n" in result.console
    assert "Failed running /var/lib/cloud/instance/scripts/part-001 [3]" in result.console


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("systemctl enable --now --no-block ecs", "on"),
        ("systemctl disable --now ecs.service", "off"),
        ("start ecs", "on"),
        ("stop ecs", "off"),
        ("yum install -y ecs-init", "on"),
        ("yum install -y jq", None),
        ("systemctl restart docker", None),
    ],
)
def test_stand_ins_note_what_concerns_the_agent(tmp_path: Path, line: str, state: str | None) -> None:
    result = run(tmp_path, f"#!/bin/bash\nset -e\n{line}\n")
    assert result.agent_state == state
    assert f"lab: {line} (a stand-in, nothing done)" in result.console


def test_what_cloud_init_runs() -> None:
    message = MIMEMultipart()
    message.attach(MIMEText("#!/bin/bash\necho script\n", "x-shellscript"))
    message.attach(MIMEText("#cloud-boothook\n#!/bin/sh\necho hook\n", "cloud-boothook"))
    message.attach(MIMEText("#cloud-config\npackages: [jq]\n", "cloud-config"))
    parts = script_of(message.as_bytes())
    assert [part.splitlines()[-1] for part in parts.parts] == [b"echo hook", b"echo script"]
    assert "text/cloud-config is not simulated" in parts.remarks[0]
    assert script_of(gzip.compress(b"#!/bin/sh\n")).parts == (b"#!/bin/sh\n",)
    assert script_of(b"") == script_of(b" \n")
    assert "Unhandled non-multipart" in script_of(b"ECS_CLUSTER=demo\n").remarks[0]
    assert "#cloud-config is not simulated" in script_of(b"#cloud-config\n").remarks[0]


def test_boots_run_side_by_side_and_leave_nothing(tmp_path: Path) -> None:
    """None of them ends before all have begun."""
    meeting, folder = tmp_path / "meeting", tmp_path / "boots"
    meeting.mkdir()
    script = (
        "#!/bin/bash\nmkdir -m 0 /var/locked\ntouch /mnt/meeting/{}\n"
        "while [ $(ls /mnt/meeting | wc -l) -lt 5 ]; do sleep 0.05; done\n"
        "echo ECS_CLUSTER=demo > /etc/ecs/ecs.config\n"
    )
    boots = [
        Boot(
            folder / str(number),
            script.format(number).encode(),
            "host",
            equipment=Equipment(binds={"mnt/meeting": meeting}),
        )
        for number in range(5)
    ]
    assert {wait(one).agent_config for one in boots} == {"ECS_CLUSTER=demo\n"}
    for one in boots:
        one.remove()
    assert list(folder.iterdir()) == []


def test_a_machine_that_cannot_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot.obstacle(tmp_path) is None
    monkeypatch.setattr(boot, "ENTER", "echo unshare failed: Operation not permitted >&2; exit 1")
    sentence = boot.obstacle(tmp_path)
    assert sentence is not None
    assert sentence.endswith("no instance gets past its boot: unshare failed: Operation not permitted.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can do without a capability")
def test_a_demo_on_such_a_machine_ends_before_it_waits(tmp_path: Path) -> None:
    program = "import pathlib, sys, demo; demo.check_machine(pathlib.Path(sys.argv[1]))"
    told = subprocess.run(
        ["setpriv", "--bounding-set=-sys_admin", sys.executable, "-c", program, tmp_path],
        env={**os.environ, "PYTHONPATH": str(TESTS.parent / "tools")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "no instance gets past its boot: unshare: unshare failed: Operation not permitted." in told.stderr
    assert "Linux with util-linux is needed" in told.stderr


PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin")


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("runuser") or not PYTHON, reason="only root can become nobody"
)
def test_an_ordinary_user_can_boot_too() -> None:
    """In a copy of the lab, and with a Python, that this user can read."""
    program = (
        "import sys, time; from pathlib import Path; from lab.boot import Boot\n"
        "one = Boot(Path(sys.argv[1]), b'#!/bin/bash\\nid -un; echo A=1 >/etc/ecs/ecs.config', 'host')\n"
        "while (result := one.poll()) is None: time.sleep(0.01)\n"
        "one.remove(); print(result)"
    )
    place = Path(tempfile.mkdtemp(prefix="lab-nobody-"))
    try:
        shutil.copytree(TESTS / "lab", place / "lab", ignore=shutil.ignore_patterns("__pycache__", "aws"))
        place.chmod(0o755)
        scratch = place / "scratch"
        scratch.mkdir()
        shutil.chown(scratch, "nobody")
        command = ["runuser", "-u", "nobody", "--", str(PYTHON), "-B", "-c", program, str(scratch / "one")]
        environment = {"PYTHONPATH": str(place), "PATH": os.environ["PATH"]}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
        assert "root\\n" in done.stdout
        assert "agent_config='A=1\\n'" in done.stdout
        assert list(scratch.iterdir()) == []
    finally:
        shutil.rmtree(place)
