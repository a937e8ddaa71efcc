# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A title is found on a page of WordPress, which writes it in its own way (wptexturize, convert_chars, esc_html)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unit.roles.rendering import rendered

ROLES = Path(__file__).resolve().parents[3] / "roles"
SHOWN = {
    "Container schedulers": "Container schedulers",
    'Tom & Jerry\'s "blog"': "Tom &amp; Jerry&#8217;s &#8220;blog&#8221;",
    "Käpt'n -- Größe 2x4...": "Käpt&#8217;n &#8211; Größe 2&#215;4&#8230;",
    "My Wordpress (a<b)": "My WordPress (a&lt;b)",
}
OTHERS = {"Container schedulers": "WordPress &rsaquo; Installation", "Tom & Jerry": "Tom Jerry"}


PATTERNS: dict[str, Callable[[str], dict[str, Any]]] = {
    "__rancher_wordpress_title_pattern": lambda title: {"rancher_wordpress_site": {"title": title}},
    "__kubernetes_wordpress_title_pattern": lambda title: {"kubernetes_wordpress_result": {"site": {"title": title}}},
    "__kubernetes_wordpress_post_pattern": lambda title: {"kubernetes_wordpress_post_title": title},
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_title_is_found_as_wordpress_writes_it(pattern: str) -> None:
    role = ROLES / re.sub(r"__([a-z]+_wordpress)_.*", r"\1", pattern)
    pages = [(title, page, True) for title, page in SHOWN.items()] + [(*one, False) for one in OTHERS.items()]
    variables = [{"page": f"<title>{page}</title>", **PATTERNS[pattern](title)} for title, page, *_rest in pages]
    answers = rendered(role, f"{{{{ page is search({pattern}, ignorecase=true) }}}}", variables)

    assert answers == [page[-1] for page in pages]
