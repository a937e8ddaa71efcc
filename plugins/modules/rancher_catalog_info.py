#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at the catalog of Rancher 1.x: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_catalog_info
short_description: The templates of the catalog of Rancher 1.x, with their questions
version_added: "1.0.0"
description:
  - Lists the templates that stacks can be made from with M(container.schedulers.rancher_stack).
  - For one template, it also tells what a version of it asks for, and the files that it is made of.
  - Versions that need a newer Rancher than the server are left out, as on Rancher's own pages.
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.attributes.info
  - container.schedulers.attributes.rancher
author:
  - the container.schedulers authors (@container-schedulers)
options:
  catalog:
    description: The catalog whose templates to list, like V(community). All, if not given.
    type: str
  environment:
    description:
      - The environment whose own catalogs are looked at too, by its name or id. Rancher 1.0 and 1.1 have none such.
      - If not set, E(RANCHER_ENVIRONMENT) decides; then only the catalogs that all environments have are looked at.
    type: str
    aliases: [project]
  template:
    description: The template to look at, like V(community:galera), or with the number of a version.
    type: str
  template_version:
    description: The name or number of the version. The template's default, if not given.
    type: str
seealso:
  - module: container.schedulers.rancher_stack
"""

EXAMPLES = r"""
- name: List all templates
  container.schedulers.rancher_catalog_info:

- name: What does Galera ask for?
  container.schedulers.rancher_catalog_info:
    template: community:galera
  register: galera

- name: The answers that have to be given
  ansible.builtin.debug:
    msg: "{{ galera.templates[0].questions | selectattr('required') | map(attribute='variable') }}"
"""

RETURN = r"""
templates:
  description: The templates, by id.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the template.
      type: str
      sample: community:galera
    catalog:
      description: The catalog that it is in.
      type: str
    name:
      description: Its name.
      type: str
      sample: Galera DB
    category:
      description: What kind of thing it is, null if it does not say.
      type: str
    description:
      description: What it is, null if it does not say.
      type: str
    default_version:
      description: The name of the version that a new stack gets, null if it does not say.
      type: str
    versions:
      description: The names of all versions, the oldest first.
      type: list
      elements: str
    version:
      description: The name of the version that was looked at.
      returned: with O(template)
      type: str
    version_id:
      description: The id of that version.
      returned: with O(template)
      type: str
      sample: community:galera:0
    questions:
      description: What that version asks for.
      returned: with O(template)
      type: list
      elements: dict
      contains:
        variable:
          description: The name that an answer is given by.
          type: str
        label:
          description: What the question is called on Rancher's pages, null if it does not say.
          type: str
        description:
          description: What the answer is for, null if it does not say.
          type: str
        type:
          description: What kind of answer it takes.
          type: str
          sample: enum
        required:
          description: Whether there has to be an answer.
          type: bool
        default:
          description: The answer if none is given, null if it does not say.
          type: str
        options:
          description: The answers to choose from, null for other kinds.
          type: list
          elements: str
    files:
      description: The files that it is made of, by name.
      returned: with O(template)
      type: dict
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: NotUnique
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.info import look_at_catalog
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION, ENVIRONMENT

SPEC = ArgumentSpec(
    {"catalog": {"type": "str"}, "template": {"type": "str"}, "template_version": {"type": "str"}},
    mutually_exclusive=(("catalog", "template"),),
    required_by={"template_version": ("template",)},
)


def main() -> None:
    """The module."""
    run_module(SPEC.merge(CONNECTION, ENVIRONMENT), look_at_catalog)


if __name__ == "__main__":
    main()
