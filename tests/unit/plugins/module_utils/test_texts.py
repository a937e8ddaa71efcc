# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that have to be text, wherever an option has some: none of them is ever written down as "None"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.app_options import AppOptions
from ansible_collections.container.schedulers.plugins.module_utils._aws.ecs_cluster_options import shared_tags
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._k8s import app_wanted
from ansible_collections.container.schedulers.plugins.module_utils._k8s.made_secret import Wanted
from ansible_collections.container.schedulers.plugins.module_utils._rancher.execute import words_of
from ansible_collections.container.schedulers.plugins.module_utils._rancher.host_options import HostOptions
from ansible_collections.container.schedulers.plugins.module_utils._rancher.service_options import read_service
from ansible_collections.container.schedulers.plugins.module_utils._rancher.veil import Veil
from ansible_collections.container.schedulers.plugins.module_utils._texts import texts, words
from unit.module_specs import params_of, spec_of

NO_TEXTS = [
    (None, 'is null and must be text. An empty text is ""'),
    (True, "is True and must be text. Quote it, or end its template with | string | lower"),
    (["x"], "is a list and must be text"),
    ({"x": "y"}, "is a mapping and must be text"),
]


def rancher_service(**options: Any) -> Any:
    return read_service("shop", {"name": "web", **options}, Veil())


def kubernetes_app(**options: Any) -> None:
    app_wanted.checked(params_of("k8s_cluster_app", name="web", **options))


OPTIONS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "tags": shared_tags,
    "environment": lambda values: AppOptions.from_params(
        params_of("ecs_cluster_app", name="web", cluster="c", environment=values)
    ),
    "pod_labels": lambda values: kubernetes_app(pod_labels=values),
    "pod_annotations": lambda values: kubernetes_app(pod_annotations=values),
    "node_selector": lambda values: kubernetes_app(node_selector=values),
    "environment ": lambda values: kubernetes_app(environment=values),
    "service.annotations": lambda values: kubernetes_app(service={"type": "ClusterIP", "annotations": values}),
    "data": lambda values: Wanted.from_params(params_of("k8s_secret", name="s", namespaces=["a"], data=values)),
    "services: web: labels": lambda values: rancher_service(labels=values),
    "services: web: environment": lambda values: rancher_service(environment=values),
    "services: web: secret_environment": lambda values: rancher_service(secret_environment=values),
    "labels": lambda values: HostOptions.from_params(params_of("rancher_hosts", names=["a"], labels=values)),
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(("value", "why"), NO_TEXTS)
def test_what_is_no_text_is_refused(option: str, value: Any, why: str) -> None:
    with pytest.raises(InputError) as refused:
        OPTIONS[option]({"A": value})
    assert str(refused.value) == f"{option.strip()}: A {why}."


@pytest.mark.parametrize("command", [words_of, lambda value: words("command", value)])
@pytest.mark.parametrize(("value", "why"), NO_TEXTS)
def test_a_word_of_a_command_is_a_text(command: Callable[[Any], list[str]], value: Any, why: str) -> None:
    with pytest.raises(InputError) as refused:
        command(["ls", value])
    assert str(refused.value) == f"command[1] {why}."


LINE = "nginx -g 'daemon off;'"


def test_a_command_given_as_a_line_is_taken_apart_by_every_module() -> None:
    wanted = ["nginx", "-g", "daemon off;"]
    ecs = params_of("ecs_cluster_app", name="web", cluster="c", command=LINE, entry_point=LINE)
    assert {**AppOptions.from_params(ecs).container} == {"command": wanted, "entry_point": wanted}
    times = dict.fromkeys(("path", "port", "initial_delay", "period", "timeout", "failure_threshold"))
    kubernetes = params_of(
        "k8s_cluster_app",
        name="web",
        command=LINE,
        args=LINE,
        liveness_probe={"enabled": True, "command": LINE, **times},
    )
    fields = app_wanted.container_fields(kubernetes, {})
    assert (fields["command"], fields["args"]) == (wanted, wanted)
    assert fields["livenessProbe"]["exec"] == {"command": wanted}
    assert rancher_service(command=LINE).spec["command"] == wanted


@pytest.mark.parametrize(
    "line", ["nginx,-g,daemon off;", '["nginx", "-g", "daemon off;"]', " [nginx]", "CMD-SHELL,true"]
)
def test_a_list_written_as_a_text_is_no_command(line: str) -> None:
    with pytest.raises(InputError) as refused:
        words("command", line)
    assert str(refused.value) == "command looks like a list that was written as a text. Give a list."


def test_a_line_may_have_commas_and_brackets_behind_the_program() -> None:
    assert words("command", "sh -c '[ -f a ] && cut -d, -f1 a'") == ["sh", "-c", "[ -f a ] && cut -d, -f1 a"]
    assert words("command", "") == []


@pytest.mark.parametrize("line", ["[ -f /tmp/ready ]", "--hosts=a,b -v", "a:9092,b:9092", "--set a,b", "A=1,2 x"])
def test_a_bracket_is_a_program_and_options_have_commas(line: str) -> None:
    assert words("args", line) == line.split()


@pytest.mark.parametrize("module", ["ecs_cluster_app", "k8s_cluster_app"])
def test_ansible_takes_no_command_apart(module: str) -> None:
    options = spec_of(module).options
    assert {options[name]["type"] for name in ("command", "args", "entry_point") if name in options} == {"raw"}


def test_texts_and_numbers() -> None:
    assert texts("tags", {"a": "true", "b": 1, "c": 1.5, "d": ""}) == {"a": "true", "b": "1", "c": "1.5", "d": ""}
    assert words("command", ["sleep", 5]) == ["sleep", "5"]
