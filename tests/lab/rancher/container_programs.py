# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that look at a container of the lab, or change it: its name, its processes, its network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lab.rancher.images import Task
from lab.rancher.runtime import Running, Visit, host_name
from lab.rancher.store import Resource
from lab.shell.run import Call, Program

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer

_SIGNALS = re.compile(r"-(?:s\s*)?(?:SIG)?([A-Z]+|\d+)")
_SUPERVISOR = "supervisord"


class ContainerPrograms:
    """The programs of one container."""

    def __init__(self, server: RancherServer, instance: Resource, running: Running) -> None:
        self._server = server
        self._instance = instance
        self._running = running
        self._network = server.parts["instances"].network

    def table(self) -> dict[str, Program]:
        found: dict[str, Program] = {
            "hostname": self._hostname,
            "uname": self._uname,
            "date": self._date,
            "ps": self._ps,
            "kill": self._kill,
            "killall": self._killall,
            "pkill": self._killall,
            "pgrep": self._pgrep,
            "pidof": self._pgrep,
            "ping": self._ping,
            "getent": self._getent,
            "nslookup": self._nslookup,
            "wget": self._http,
            "curl": self._http,
        }
        if any("nginx" in task.command for task in self._running.first_tasks):
            found["nginx"] = self._nginx
        if any(_SUPERVISOR in task.command for task in self._running.first_tasks):
            found["supervisorctl"] = self._supervisorctl
        return {**found, **self._server.parts["sites"].programs(self._instance)}

    # Who am I

    def _hostname(self, call: Call) -> int:
        if call.words[1:2] in (["-i"], ["-I"]):
            call.say(str(self._instance["primaryIpAddress"] or ""))
        else:
            call.say(host_name(self._instance))
        return 0

    def _date(self, call: Call) -> int:
        call.say(self._server.world.clock.utc().strftime("%a %b %d %H:%M:%S UTC %Y"))
        return 0

    def _uname(self, call: Call) -> int:
        everything = f"Linux {host_name(self._instance)} 4.4.0 #1 SMP x86_64 GNU/Linux"
        call.say(
            {"-n": host_name(self._instance), "-r": "4.4.0", "-m": "x86_64", "-a": everything}.get(
                "".join(call.words[1:2]), "Linux"
            )
        )
        return 0

    # Processes

    def _ps(self, call: Call) -> int:
        call.say("USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND")
        tasks = [*self._running.tasks, Task(76, "sh"), Task(77, " ".join(call.words))]
        for task in tasks:
            call.say(f"{task.user:<8} {task.pid:>5}  0.0  0.1  21312  2184 ?        Ss   00:00   0:00 {task.command}")
        return 0

    def _kill(self, call: Call) -> int:
        words = [
            word
            for word in call.words[1:]
            if not _SIGNALS.fullmatch(word) and word not in ("-s", "KILL", "TERM", "QUIT")
        ]
        if not words:
            return call.complain("usage: kill [-s SIGNAL | -SIGNAL] PID...", 2)
        code = 0
        for word, task in [(word, self._task(word)) for word in words]:
            if task is None:
                code = call.complain(f"can't kill pid {word}: No such process")
            elif "-0" not in call.words:
                self._end(task)
        return code

    def _task(self, pid: str) -> Task | None:
        return next((one for one in self._running.tasks if str(one.pid) == pid), None)

    def _killall(self, call: Call) -> int:
        names = [word for word in call.words[1:] if not word.startswith("-") and word not in ("KILL", "TERM")]
        tasks = [
            task
            for task in self._running.tasks
            if any(_is_called(task, name, call.words[0] == "pkill") for name in names)
        ]
        for task in tasks:
            self._end(task)
        return 0 if tasks else call.complain(f"{' '.join(names)}: no process found")

    def _pgrep(self, call: Call) -> int:
        names = [word for word in call.words[1:] if not word.startswith("-")]
        tasks = [
            task for task in self._running.tasks if any(_is_called(task, name, "-f" in call.words) for name in names)
        ]
        for task in tasks:
            call.say(str(task.pid))
        return 0 if tasks else 1

    def _end(self, task: Task) -> None:
        """A master takes its workers along, and replaces a worker; without the first process there is no container."""
        tasks = self._running.tasks
        if task not in tasks:
            return
        tasks.remove(task)
        if "master process" in task.command:
            program = task.command.partition(":")[0]
            tasks[:] = [one for one in tasks if not one.command.startswith(f"{program}: worker")]
        elif "worker process" in task.command:
            tasks.append(Task(max(one.pid for one in tasks) + 20, task.command, task.user, task.port))
        if task.pid == 1:
            tasks.clear()
            self._server.parts["instances"].ended(self._instance)

    def _nginx(self, call: Call) -> int:
        order = call.words[2] if call.words[1:2] == ["-s"] and len(call.words) > 2 else ""
        master = next((one for one in self._running.tasks if one.command.startswith("nginx: master")), None)
        if order in ("stop", "quit"):
            if master is None:
                return call.complain('[error] open() "/run/nginx.pid" failed (2: No such file or directory)')
            self._end(master)
        elif order == "" and master is None:
            self._begin_nginx()
        elif order not in ("", "reload", "reopen"):
            return call.complain(f'[emerg] invalid option: "-s {order}"')
        return 0

    def _begin_nginx(self) -> None:
        self._running.tasks.extend(task for task in self._running.first_tasks if task.command.startswith("nginx"))

    def _supervisorctl(self, call: Call) -> int:
        """nginx has put itself into the background: to stop the program that supervisord knows leaves it running."""
        order, name = (*call.words[1:3], "", "")[:2]
        if order == "status":
            state = "STOPPED" if "nginx" in self._running.stopped_programs else "RUNNING"
            call.say(f"{'nginx':<33}{state}")
        elif order == "stop":
            self._running.stopped_programs.add(name)
            call.say(f"{name}: stopped")
        elif order in ("start", "restart"):
            self._running.stopped_programs.discard(name)
            if name == "nginx" and not self._running.answers(80):
                self._begin_nginx()
            call.say(f"{name}: started")
        else:
            return call.complain(f"*** Unknown syntax: {' '.join(call.words[1:])}")
        return 0

    # The network

    def _ping(self, call: Call) -> int:
        count, target = 4, ""
        words = call.words[1:]
        while words:
            word = words.pop(0)
            if word in ("-c", "-w", "-W", "-i", "-s") and words:
                value = words.pop(0)
                count = int(value) if word == "-c" and value.isdigit() else count
            elif not word.startswith("-"):
                target = word
        address = next(iter(self._network.resolve(self._instance, target)), None)
        if address is None:
            return call.complain(f"bad address '{target}'")
        alive = self._network.reachable(address)
        call.say(f"PING {target} ({address}) 56(84) bytes of data.")
        for number in range(1, count + 1 if alive else 1):
            call.say(f"64 bytes from {address}: icmp_seq={number} ttl=62 time=0.{400 + number} ms")
        call.say("")
        call.say(f"--- {target} ping statistics ---")
        received = count if alive else 0
        call.say(f"{count} packets transmitted, {received} received, {0 if alive else 100}% packet loss")
        return 0 if alive else 1

    def _getent(self, call: Call) -> int:
        found = self._network.resolve(self._instance, call.words[2]) if len(call.words) > 2 else []
        for address in found:
            call.say(f"{address}  {call.words[2]}")
        return 0 if found else 2

    def _nslookup(self, call: Call) -> int:
        found = self._network.resolve(self._instance, call.words[1]) if len(call.words) > 1 else []
        if not found:
            return call.complain(f"can't resolve '{' '.join(call.words[1:2])}'")
        call.say("Server:    169.254.169.250")
        for address in found:
            call.say(f"Address: {address} {call.words[1]}")
        return 0

    def _http(self, call: Call) -> int:
        url = urlsplit(next((word for word in call.words[1:] if "://" in word), "") or "http://" + call.words[-1])
        quiet = call.words[0] == "wget" and not any(word.endswith("O-") or word == "-" for word in call.words)
        address = next(iter(self._network.resolve(self._instance, url.hostname or "")), None)
        target = self._network.find(address) if address else None
        if url.hostname in ("localhost", "127.0.0.1"):
            target = self._instance
        own = str(self._instance["primaryIpAddress"])
        visit = Visit(url.path or "/", headers={"host": url.netloc}, client=own)
        page = self._network.visit(target, url.port or 80, visit) if target else None
        if page is None:
            return call.complain(
                f"can't connect to {url.hostname}: Connection refused", 7 if call.words[0] == "curl" else 1
            )
        if page.status >= 400 and (call.words[0] == "wget" or "-f" in "".join(call.words[1:3])):
            return call.complain(f"server returned error: HTTP/1.1 {page.status}", 22 if call.words[0] == "curl" else 1)
        if not quiet:
            call.output.append(page.body)
        return 0


def _is_called(task: Task, name: str, anywhere: bool) -> bool:
    first = task.command.partition(":")[0].partition(" ")[0].rpartition("/")[2]
    return first == name or (anywhere and name in task.command)
