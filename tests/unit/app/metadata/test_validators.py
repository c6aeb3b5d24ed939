"""What a unit, a UCD and an identifier may be."""

from __future__ import annotations

import pytest

from almagest.metadata import validators
from almagest.metadata.citation import bibtex, line
from almagest.metadata.works import Author, Work


@pytest.mark.parametrize(
    ("check", "sent", "stored"),
    [
        ("unit", "mas/yr", "mas/yr"),
        ("unit", "", ""),
        ("ucd", "phot.mag;em.opt.B", "phot.mag;em.opt.B"),
        ("ucd", "", ""),
        ("epoch", "J2016.0", "J2016.0"),
        ("orcid", "https://orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("orcid", "0000-0002-1694-233X", "0000-0002-1694-233X"),
        ("ror", "https://ror.org/03mrbr458", "03mrbr458"),
        ("ror", "02nv7yv05", "02nv7yv05"),
        ("doi", "https://doi.org/10.5270/esa-qa4lep3", "10.5270/esa-qa4lep3"),
        ("doi", "doi:10.17876/gaia/dr.3(1)", "10.17876/gaia/dr.3(1)"),
    ],
)
def test_what_is_right_is_stored_without_an_address(check: str, sent: str, stored: str) -> None:
    assert getattr(validators, check)(sent) == stored


@pytest.mark.parametrize(
    ("check", "sent"),
    [
        ("unit", "lightyears"),
        ("ucd", "phot.colour"),
        ("epoch", "2016"),
        ("orcid", "0000-0002-1825-0098"),
        ("orcid", "https://evil.example.org/0000-0002-1825-0097"),
        ("ror", "03mrbr459"),
        ("ror", '"><b>'),
        ("doi", "10.1/x y"),
        ("doi", '10.1234/"><script>'),
        ("doi", "https://evil.example.org/10.1234/x"),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(check: str, sent: str) -> None:
    with pytest.raises(ValueError, match="is no "):
        getattr(validators, check)(sent)


WORK = Work(
    "Stars & 100 % of {them}",
    (Author("Müller, A."), Author("Gaia Collaboration")),
    "",
    "",
    "",
    "https://survey.example.org/{x}",
    publication_year=2022,
)


def test_a_work_is_cited_as_a_line_of_references() -> None:
    assert (
        line(WORK) == "Müller, A.; Gaia Collaboration (2022). Stars & 100 % of {them}. https://survey.example.org/{x}"
    )


def test_bibtex_takes_nothing_for_markup() -> None:
    assert bibtex("gaia dr3}", WORK, "A_B") == (
        "@misc{gaiadr3,\n"
        "  author = {Müller, A. and {Gaia Collaboration}},\n"
        r"  title = {{Stars \& 100 \% of \{them\}}}," + "\n"
        "  year = {2022},\n"
        r"  publisher = {A\_B}," + "\n"
        "  url = {https://survey.example.org/%7Bx%7D}\n}\n"
    )
