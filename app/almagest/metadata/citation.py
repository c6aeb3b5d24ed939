"""A work as a paper cites it. Pure."""

from __future__ import annotations

import re

from almagest.metadata.works import Work

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: f"\\{letter}" for letter in "&%$#_"},
}
"""What TeX would take for something else than the letter."""


def line(work: Work) -> str:
    """The work as a list of references has it: authors, year, title, publication."""
    authors = "; ".join(work.creators)
    year = f" ({work.publication_year})" if work.publication_year else ""
    parts = [f"{authors}{year}" if authors else year.strip(), work.title, work.doi_url or work.reference_url]
    return ". ".join(part for part in parts if part)


def bibtex(key: str, work: Work, publisher: str) -> str:
    """An entry of a BibTeX file. key: what the paper's author cites it by; publisher: of the archive."""
    entries = {
        "author": " and ".join(_author(name) for name in work.creators),
        "title": f"{{{_tex(work.title)}}}" if work.title else "",
        "year": str(work.publication_year or ""),
        "publisher": _tex(publisher),
        "doi": work.doi,
        "url": _without_braces(work.doi_url or work.reference_url),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in entries.items() if value]
    return ",\n".join([f"@misc{{{re.sub('[^A-Za-z0-9_:.-]', '', key) or 'work'}", *lines]) + "\n}\n"


def _author(name: str) -> str:
    """A person is "Surname, Given"; any other name is one of a group, which BibTeX must not take apart."""
    return _tex(name) if "," in name else f"{{{_tex(name)}}}"


def _tex(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


def _without_braces(address: str) -> str:
    return address.replace("{", "%7B").replace("}", "%7D")
