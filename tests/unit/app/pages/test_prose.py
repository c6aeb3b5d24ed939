"""Texts that people wrote, as HTML."""

from __future__ import annotations

import pytest

from almagest.pages.templatetags.prose import linked


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("see (https://x.org/a), then", 'see (<a href="https://x.org/a">https://x.org/a</a>), then'),
        ("at http://x.org/a?b=1&c=2.", 'at <a href="http://x.org/a?b=1&amp;c=2">http://x.org/a?b=1&amp;c=2</a>.'),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('https://x.org/"onclick="', '<a href="https://x.org/">https://x.org/</a>&quot;onclick=&quot;'),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_addresses_become_links_and_nothing_else_changes(text: str, html: str) -> None:
    assert linked(text) == html
