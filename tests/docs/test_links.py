"""Links of the docs lead to pages of the docs, since these alone are on the site."""

import re

import pytest

from docs.generate import DOCS

LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_every_link_leads_to_a_page_of_the_docs(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target:
            path = (page.parent / target).resolve()
            assert path.is_relative_to(DOCS) and path.is_file(), f"{page.name}: {target}"
