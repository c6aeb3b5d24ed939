"""What a unit, a UCD or an identifier has to look like, whoever writes it: a description file, a data file, an editor.

Each returns the value in the form that is stored, and raises ValueError with a sentence. astropy, which knows units
and UCDs, is loaded at the first of these: processes that serve pages need it for nothing.
"""

from __future__ import annotations

import re

_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>#%{}|\\^`\x00-\x1f]{1,180}")
_ROR = re.compile(r"0[a-hj-km-np-tv-z0-9]{6}\d{2}")
_ROR_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
_EPOCH = re.compile(r"J\d{4}(\.\d{1,4})?")


def unit(value: str) -> str:
    """A VOUnit (VOUnits 1.1), or empty."""
    from astropy import units  # noqa: PLC0415 - see above

    try:
        units.Unit(value, format="vounit", parse_strict="raise")
    except ValueError as error:
        raise ValueError(f"{value!r} is no VOUnit") from error
    return value


def ucd(value: str) -> str:
    """A UCD1+ of words of the list, or empty."""
    from astropy.io.votable.ucd import check_ucd  # noqa: PLC0415 - see above

    if value and not check_ucd(value, check_controlled_vocabulary=True, has_colon=True):
        raise ValueError(f"{value!r} is no UCD1+")
    return value


def epoch(value: str) -> str:
    """A Julian year such as J2016.0, or empty."""
    if value and not _EPOCH.fullmatch(value):
        raise ValueError(f"{value!r} is no Julian year such as J2016.0")
    return value


def orcid(value: str) -> str:
    """An ORCID, with or without its address. ISO 7064 11,2: the last character checks the others."""
    value = _bare(value, "orcid.org")
    if not _ORCID.fullmatch(value):
        raise ValueError(f"{value!r} is no ORCID such as 0000-0002-1825-0097")
    digits = value.replace("-", "")
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    if "0123456789X"[(12 - total % 11) % 11] != digits[-1]:
        raise ValueError(f"{value} is no ORCID: its check digit is wrong")
    return value


def ror(value: str) -> str:
    """The identifier of an organisation (ror.org), with or without its address. ISO 7064 97,10 checks it."""
    value = _bare(value, "ror.org")
    if not _ROR.fullmatch(value):
        raise ValueError(f"{value!r} is no ROR such as 03mrbr458")
    number = 0
    for letter in value[:7]:
        number = number * 32 + _ROR_DIGITS.index(letter)
    if 98 - number * 100 % 97 != int(value[7:]):
        raise ValueError(f"{value} is no ROR: its check digits are wrong")
    return value


def doi(value: str) -> str:
    """A DOI, with or without its address or `doi:` before it."""
    value = _bare(value.removeprefix("doi:"), "doi.org", "dx.doi.org")
    if not _DOI.fullmatch(value):
        raise ValueError(f"{value!r} is no DOI such as 10.5270/esa-qa4lep3")
    return value


def _bare(value: str, *hosts: str) -> str:
    """An identifier without the address of the site that resolves it."""
    for host in hosts:
        value = re.sub(rf"^https?://(www\.)?{re.escape(host)}/", "", value)
    return value
