"""`almagest-app val`: says what the metadata of tables, or of a metadata file, have missing or wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from almagest.ingest import description
from almagest.ingest.errors import IngestError
from almagest.ingest.remarks import Remark, SaidOfColumn, SaidOfTable, remarks

ENDINGS = (".yaml", ".yml")


def val(words: Sequence[str], *, as_json: bool) -> int:
    """Judge each metadata file (by its ending) and table that is named, or every table; returns the exit code.

    1 when there is an error, 2 when something cannot be judged at all.
    """
    try:
        found = [remark for word in words if word.endswith(ENDINGS) for remark in _of_file(word)]
        tables = [word for word in words if not word.endswith(ENDINGS)]
        if tables or not words:
            from almagest.ingest.published import of_tables  # noqa: PLC0415 - a file is judged without any database

            found += of_tables(tables)
    except IngestError as error:
        print(f"almagest-app val: {error}", file=sys.stderr)
        return 2
    _tell(found, as_json=as_json)
    return int(any(remark.severity == "error" for remark in found))


def print_schema() -> int:
    """Write the JSON Schema of a metadata file."""
    json.dump(description.Description.model_json_schema(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
    return 0


def needs_database(words: Sequence[str]) -> bool:
    """Whether something other than files is asked for."""
    return not words or not all(word.endswith(ENDINGS) for word in words)


def _tell(found: Sequence[Remark], *, as_json: bool) -> None:
    if as_json:
        json.dump([asdict(remark) for remark in found], sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    for remark in found:
        sys.stdout.write(f"{remark}\n")
    errors = sum(remark.severity == "error" for remark in found)
    sys.stdout.write(f"{errors} errors, {len(found) - errors} warnings\n")


def _of_file(word: str) -> Iterator[Remark]:
    """What is wrong with a metadata file; what is missing in it only when nothing is wrong."""
    path = Path(word)
    problems = description.problems(path)
    for problem in problems:
        yield Remark("error", f"{word}, line {problem.line}", f"{problem.key}: {problem.message}")
    if not problems:
        yield from remarks(_said(word, description.read(path)))


def _said(word: str, written: description.Description) -> SaidOfTable:
    columns = [
        SaidOfColumn(name, column.datatype, column.unit or "", column.ucd or "", column.description or "")
        for name, column in written.columns.items()
    ]
    return SaidOfTable(
        name=word.rpartition("/")[2].partition(".")[0],
        title=written.table.title,
        description=written.table.description,
        position=written.table.position,
        epoch=written.table.epoch,
        columns=columns,
        schema_description=written.data.description or "",
        licence=written.data.licence or "",
        creators=[creator.name for creator in written.data.creators or ()],
        complete=False,
    )
