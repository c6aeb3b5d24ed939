"""Texts that people wrote, as HTML."""

from __future__ import annotations

import pytest

from almagest.catalogue import Table
from almagest.pages.templatetags.prose import first_query, linked, number, percent, shell, web


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


@pytest.mark.parametrize(
    ("sent", "link"),
    [
        ("https://x.org/a?b", "https://x.org/a?b"),
        ("http://x.org", "http://x.org"),
        ("javascript:alert(1)", ""),
        (" https://x.org", ""),
        ("//x.org", ""),
        ("data:text/html,x", ""),
        ("", ""),
    ],
)
def test_a_link_leads_to_the_web_or_nowhere(sent: str, link: str) -> None:
    assert web(sent) == link


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("-118322", "−118322"),
        ("6917525386512234240", "6917525386512234240"),
        ("359.99980000000001", "359.9998"),
        ("1e-05", "1e−05"),
        ("2016-01-01T00:00:00", "2016-01-01T00:00:00"),
        ("", ""),
    ],
)
def test_an_extreme_is_read_at_a_glance_and_whole_numbers_whole(sent: str, shown: str) -> None:
    assert number(sent) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.00001, "under 0.1 %"), (5, "5 %"), (12.34, "12.3 %"), (99.99, "over 99.9 %"), (100, "100 %")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_a_first_query_writes_names_as_queries_do() -> None:
    table = Table("a", "Select", (), position=("ra", "table"))
    assert first_query(table) == 'SELECT TOP 100 *\nFROM a."Select"'
    assert 'POINT(ra, "table")' in first_query(table, "cone")
    assert shell(first_query(table, "line")) == "'SELECT TOP 5 * FROM a.\"Select\"'"
