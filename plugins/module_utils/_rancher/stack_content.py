# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stack is made from, if it is made from files: the user's, or a catalog template's. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .._errors import InputError
from .api import Object
from .catalog import Template, answer_text, complete_answers, secret_questions
from .compose import Compose, comparable, read_compose, refuse_unusable
from .stack_options import StackOptions
from .veil import Veil


@dataclass(frozen=True)
class Content:
    """Files and the answers to their variables, ready to be sent.

    Attributes:
        answers: all of them.
        external_id: the template; empty for files of the user's own.
        secret_names: the answers that must not be shown.
        is_system: whether the template is one of Rancher's own services.
    """

    docker: str
    rancher: str
    answers: Mapping[str, str] = field(repr=False)
    external_id: str = ""
    secret_names: frozenset[str] = frozenset()
    compose: Compose = field(default_factory=Compose)
    is_system: bool = False

    def body(self) -> dict[str, Any]:
        """As create and upgrade take it."""
        return {
            "dockerCompose": self.docker,
            "rancherCompose": self.rancher,
            "environment": dict(self.answers),
            "externalId": self.external_id,
        }

    def spec(self, veil: Veil) -> dict[str, Any]:
        """As it is compared."""
        return {
            "docker_compose": comparable("docker_compose", self.docker, veil, self.secret_names),
            "rancher_compose": comparable("rancher_compose", self.rancher, veil, self.secret_names),
            "answers": veil.hide_some(self.answers, self.secret_names),
            "template": self.external_id,
        }


def content_of(
    options: StackOptions, template: Template | None, stack: Object | None, has_service: Callable[[str], bool]
) -> Content | None:
    """What the stack is to be made from, None if that is not managed, or is a list of services.

    Raises:
        InputError: the answers are not those to the template's questions, or the user's files name what is not there.
    """
    live = (stack or {}).get("environment") or {}
    if template:
        answers = complete_answers(template, options.answers, live, has_service)
        secret = options.secret_names | secret_questions(template.questions)
        # not judged: what a catalog's author writes is the catalog's business, ports in it are all that is of interest
        compose = Compose(_services_of(template))
        return Content(
            template.docker,
            template.rancher,
            answers,
            template.external_id,
            frozenset(secret),
            compose,
            template.makes_system,
        )
    if options.compose is None:
        return None
    given = {str(name): answer_text(name, one) for name, one in options.answers.items()}
    answers = {**{str(name): str(one) for name, one in live.items()}, **given}
    refuse_unusable(options.compose, options.name, answers, has_service)
    return Content(options.docker, options.rancher, answers, "", options.secret_names, options.compose)


def _services_of(template: Template) -> Mapping[str, Mapping[str, Any]]:
    """As far as they can be read: ports are in the first of the two files."""
    for rancher in (template.rancher, None):
        with suppress(InputError):
            return read_compose(template.docker, rancher).services
    return {}
