"""Files that claim what they do not hold: a reader says what is wrong and neither fails otherwise nor grows."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.ingest.errors import IngestError
from almagest.ingest.readers.decoded import FitsSource, ParquetSource
from almagest.ingest.readers.hdf5 import Hdf5Source


def fits_file() -> bytes:
    columns = [
        fits.Column("a", "J", null=-1, array=np.arange(100)),
        fits.Column("b", "8A", array=np.array(["word"] * 100)),
    ]
    out = io.BytesIO()
    fits.BinTableHDU.from_columns(columns).writeto(out)
    return out.getvalue()


FITS = fits_file()


@pytest.mark.parametrize("word", ["NAXIS1", "NAXIS2", "PCOUNT", "TFIELDS"])
@pytest.mark.parametrize("claim", ["-1", "7", "99999", "999999999999", "'words'", "1.5", "T"])
def test_fits_headers_that_lie_are_named(tmp_path: Path, word: str, claim: str) -> None:
    at = FITS.index(f"{word:8}= ".encode(), 2880)
    card = f"{word:8}= {claim:>20}".ljust(80).encode()
    (tmp_path / "rows.fits").write_bytes(FITS[:at] + card + FITS[at + 80 :])
    with suppress(IngestError):
        assert sum(len(block) for block in FitsSource(tmp_path / "rows.fits", "rows.fits", {}).blocks()) <= len(FITS)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(2880, 2 * 2880), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_a_fits_header_of_noise_is_an_error_or_a_table(
    tmp_path_factory: pytest.TempPathFactory, noise: list[tuple[int, bytes]]
) -> None:
    content = bytearray(FITS)
    for at, octets in noise:
        content[at : at + len(octets)] = octets
    path = tmp_path_factory.mktemp("noise") / "rows.fits"
    path.write_bytes(content)
    with suppress(IngestError):
        assert sum(len(block) for block in FitsSource(path, "rows.fits", {}).blocks()) <= len(FITS)


def test_a_truncated_fits_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.fits").write_bytes(FITS[: 2 * 2880 + 40])
    with pytest.raises(IngestError, match=r"^rows\.fits"):
        list(FitsSource(tmp_path / "rows.fits", "rows.fits", {}).blocks())


def test_hdf5_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file.create_dataset("a", (10**13,), "f8", chunks=(1 << 16,))
    with pytest.raises(IngestError, match=r"^rows\.h5: the dataset /a claims 80,000,000,000,000 bytes"):
        Hdf5Source(tmp_path / "rows.h5", "rows.h5", {})


def test_hdf5_opens_nothing_but_itself(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"root:x:0:0" * 80)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["a"] = np.arange(10)
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["a"] = h5py.ExternalLink("other.h5", "/a")
    with h5py.File(tmp_path / "soft.h5", "w") as file:
        file["a"] = h5py.SoftLink("/b")
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file.create_dataset("a", (100,), "i8", external=[(str(tmp_path / "secret"), 0, 800)])
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        virtual = h5py.VirtualLayout((10,), "i8")
        virtual[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", (10,))
        file.create_virtual_dataset("a", virtual)
    for name in ("linked.h5", "soft.h5"):
        with pytest.raises(IngestError, match="is a link, which is not followed"):
            Hdf5Source(tmp_path / name, name, {})
    for name in ("raw.h5", "virtual.h5"):
        with pytest.raises(IngestError, match="keeps its values in other files"):
            Hdf5Source(tmp_path / name, name, {})


@pytest.mark.parametrize(("reader", "name"), [(ParquetSource, "rows.parquet"), (Hdf5Source, "rows.h5")])
def test_a_broken_file_is_named(tmp_path: Path, reader: type, name: str) -> None:
    magic = b"PAR1" if name.endswith("parquet") else b"\x89HDF\r\n\x1a\n"
    (tmp_path / name).write_bytes(magic + b"\xff" * 400 + magic)
    with pytest.raises(IngestError, match=f"^{name}"):
        reader(tmp_path / name, name, {})
