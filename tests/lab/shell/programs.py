# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that every container has, and that need nothing but a shell's files and variables."""

from __future__ import annotations

import re

from lab.shell.run import NOT_FOUND, Call, ExitError, Program


def builtins() -> dict[str, Program]:
    return {
        "true": lambda _call: 0,
        ":": lambda _call: 0,
        "false": lambda _call: 1,
        "sleep": lambda _call: 0,
        "sync": lambda _call: 0,
        "exit": _exit,
        "echo": _echo,
        "printf": _printf,
        "export": _export,
        "env": _env,
        "printenv": _printenv,
        "sh": _sh,
        "bash": _sh,
        "exec": _exec,
        "command": _command,
        "which": _command,
        "test": _test,
        "[": _test,
        "cat": _cat,
        "ls": _ls,
        "touch": _touch,
        "mkdir": lambda _call: 0,
        "rm": _rm,
        "grep": _grep,
        "wc": _wc,
        "head": _head,
        "tail": _tail,
        "sort": _sort,
        "tee": _tee,
        "id": _id,
        "whoami": _says("root"),
        "pwd": _says("/"),
        "cd": lambda _call: 0,
    }


def _says(text: str) -> Program:
    def program(call: Call) -> int:
        call.say(text)
        return 0

    return program


def _exit(call: Call) -> int:
    raise ExitError(int(call.words[1]) if call.words[1:2] and call.words[1].isdigit() else call.shell.code)


def _echo(call: Call) -> int:
    words = call.words[1:]
    no_line = words[:1] == ["-n"]
    text = " ".join(words[1:] if words[:1] in (["-n"], ["-e"]) else words)
    call.output.append(text + ("" if no_line else "\n"))
    return 0


def _printf(call: Call) -> int:
    """The format with its arguments; as often as there are arguments left."""
    if len(call.words) < 2:
        return call.complain("usage: printf FORMAT [ARGUMENT]...", 2)
    pieces = re.split(r"%[sdi]", call.words[1].encode().decode("unicode_escape"))
    values, places = call.words[2:], len(pieces) - 1
    while True:
        given = [*values[:places], *[""] * places][:places]
        text = "".join(piece + value for piece, value in zip(pieces, [*given, ""], strict=True))
        call.output.append(text.replace("%%", "%"))
        values = values[places:]
        if not values or not places:
            return 0


def _export(call: Call) -> int:
    for word in call.words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            call.shell.variables[name] = value
    return 0


def _env(call: Call) -> int:
    for name, value in sorted(call.shell.variables.items()):
        call.say(f"{name}={value}")
    return 0


def _printenv(call: Call) -> int:
    if not call.words[1:]:
        return _env(call)
    value = call.shell.variables.get(call.words[1])
    if value is None:
        return 1
    call.say(value)
    return 0


def _sh(call: Call) -> int:
    words = [word for word in call.words[1:] if word not in ("-e", "-l", "-x")]
    if words[:1] in (["-c"], ["-lc"], ["-ec"]):
        arguments = tuple(words[2:]) or ("sh",)
        return call.shell.child(arguments, call.output.append).run(words[1] if len(words) > 1 else "")
    if words:
        script = call.shell.files.read(words[0])
        if script is None:
            return call.complain(f"0: Can't open {words[0]}", NOT_FOUND)
        return call.shell.child(tuple(words), call.output.append).run(script)
    return call.shell.child(("sh",), call.output.append).run(call.input)


def _exec(call: Call) -> int:
    if not call.words[1:]:
        return 0
    raise ExitError(call.shell.execute(call.words[1:], call.input, call.output.append, call.errors.append))


def _command(call: Call) -> int:
    names = [word for word in call.words[1:] if not word.startswith("-")]
    code = 0
    for name in names:
        if name in call.shell.programs:
            call.say(name if name in ("exit", "export", "cd", "command") else f"/usr/bin/{name}")
        else:
            code = 1
    return code


def _test(call: Call) -> int:
    words = call.words[1:-1] if call.words[0] == "[" else call.words[1:]
    if words[:1] == ["!"]:
        return 0 if not _holds(call, words[1:]) else 1
    return 0 if _holds(call, words) else 1


def _holds(call: Call, words: list[str]) -> bool:
    files = call.shell.files
    if len(words) == 2:
        operator, value = words
        if operator == "-n":
            return bool(value)
        if operator == "-z":
            return not value
        if operator == "-d":
            return bool(files.names(value))
        if operator in ("-e", "-f", "-r", "-s", "-x", "-w"):
            return files.read(value) is not None or (operator in ("-e", "-r", "-w") and bool(files.names(value)))
        return False
    if len(words) == 3:
        left, operator, right = words
        if operator in ("=", "==", "!="):
            return (left == right) is (operator != "!=")
        comparisons = {
            "-eq": int.__eq__,
            "-ne": int.__ne__,
            "-lt": int.__lt__,
            "-gt": int.__gt__,
            "-le": int.__le__,
            "-ge": int.__ge__,
        }
        if operator in comparisons and left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
            return bool(comparisons[operator](int(left), int(right)))
    return bool(words and words[0])


def _texts(call: Call, words: list[str]) -> tuple[list[str], int]:
    """The contents of the named files, or the input."""
    names = [word for word in words if not word.startswith("-") or word == "-"]
    if not names:
        return [call.input], 0
    texts: list[str] = []
    code = 0
    for name in names:
        text = call.input if name == "-" else call.shell.files.read(name)
        if text is None:
            code = call.complain(f"{name}: No such file or directory")
        else:
            texts.append(text)
    return texts, code


def _cat(call: Call) -> int:
    texts, code = _texts(call, call.words[1:])
    call.output.extend(texts)
    return code


def _ls(call: Call) -> int:
    paths = [word for word in call.words[1:] if not word.startswith("-")] or ["/"]
    code = 0
    for path in paths:
        names = call.shell.files.names(path)
        if names:
            for name in sorted(names):
                call.say(name)
        elif call.shell.files.read(path) is not None:
            call.say(path)
        else:
            code = call.complain(f"cannot access '{path}': No such file or directory", 2)
    return code


def _touch(call: Call) -> int:
    for path in call.words[1:]:
        problem = call.shell.files.write(path, "", append=True)
        if problem:
            return call.complain(problem)
    return 0


def _rm(call: Call) -> int:
    flags = "".join(word[1:] for word in call.words[1:] if word.startswith("-"))
    code = 0
    for path in [word for word in call.words[1:] if not word.startswith("-")]:
        if not call.shell.files.remove(path):
            code = code if "f" in flags else call.complain(f"cannot remove '{path}': No such file or directory")
    return code


def _grep(call: Call) -> int:
    flags = "".join(word[1:] for word in call.words[1:] if word.startswith("-"))
    rest = [word for word in call.words[1:] if not word.startswith("-")]
    if not rest:
        return call.complain("usage: grep [OPTION]... PATTERN [FILE]...", 2)
    texts, _unused = _texts(call, rest[1:])
    pattern = re.compile(re.escape(rest[0]) if "F" in flags else rest[0], re.IGNORECASE if "i" in flags else 0)
    lines = [line for text in texts for line in text.splitlines() if bool(pattern.search(line)) is ("v" not in flags)]
    if "c" in flags:
        call.say(str(len(lines)))
    elif "q" not in flags:
        for line in lines:
            call.say(line)
    return 0 if lines else 1


def _wc(call: Call) -> int:
    texts, code = _texts(call, call.words[1:])
    text = "".join(texts)
    counts = {"-l": text.count("\n"), "-w": len(text.split()), "-c": len(text.encode())}
    wanted = [word for word in call.words[1:] if word in counts] or list(counts)
    call.say(" ".join(str(counts[word]) for word in wanted))
    return code


def _lines_wanted(call: Call) -> tuple[int, list[str]]:
    words, count, rest = call.words[1:], 10, []
    while words:
        word = words.pop(0)
        if word == "-n" and words:
            count = int(words.pop(0))
        elif re.fullmatch(r"-n?\d+", word):
            count = int(word.lstrip("-n"))
        else:
            rest.append(word)
    return count, rest


def _head(call: Call) -> int:
    count, rest = _lines_wanted(call)
    texts, code = _texts(call, rest)
    call.output.extend(line + "\n" for line in "".join(texts).splitlines()[:count])
    return code


def _tail(call: Call) -> int:
    count, rest = _lines_wanted(call)
    texts, code = _texts(call, rest)
    call.output.extend(line + "\n" for line in "".join(texts).splitlines()[-count:])
    return code


def _sort(call: Call) -> int:
    texts, code = _texts(call, call.words[1:])
    call.output.extend(line + "\n" for line in sorted("".join(texts).splitlines()))
    return code


def _tee(call: Call) -> int:
    call.output.append(call.input)
    for path in [word for word in call.words[1:] if not word.startswith("-")]:
        call.shell.files.write(path, call.input, append="-a" in call.words)
    return 0


def _id(call: Call) -> int:
    call.say("0" if "-u" in call.words else "uid=0(root) gid=0(root) groups=0(root)")
    return 0
