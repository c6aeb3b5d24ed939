"""PURE. What strangers send, decoded: bytes of an untrusted file → typed columns and blocks of rows.

Nothing in a file is believed before it is there: no decoder opens what a file points at, allocates what a header
claims, or holds more than a few blocks of rows, however large the file is.
"""

from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.table import Bounds, Decoded

__all__ = ["Bounds", "Decoded", "DecodingError", "TooMuchError"]
