"""PURE. A large result in an order: an index, and a sample of it by which any place is found without what is before."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from almagest.query.browsing import statements
from almagest.query.browsing.selection import Key, Order
from almagest.query.browsing.statements import NUMBER_NAME, Sample, Stored

CHARACTERS = 200
"""Of a text in a sample; where there are longer ones no sample is kept, and places are counted from the beginning."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index. order: of its rows; rows: in all; nulls: those whose first key is NULL; samples: in its order."""

    order: Order
    rows: int
    nulls: int
    samples: tuple[Sample, ...]

    @classmethod
    def read(cls, order: Order, comment: str) -> Index:
        """What `comment` wrote."""
        told = json.loads(comment)
        samples = tuple(Sample(place, tuple(values), number) for place, number, *values in told["samples"])
        return cls(order, told["rows"], told["nulls"], samples)

    def addresses(self, stored: Stored, wanted: Order, offset: int, count: int) -> sql.Composable:
        """The addresses of a page in an order that this index is of, in either direction."""
        pieces = []
        for first, some in self.spans(wanted, offset, count):
            sample = self.before(first)
            skipped = first - (sample.place if sample else 0)
            pieces.append(statements.addresses_from(stored, self.order, sample, skipped, some))
        return pieces[0] if len(pieces) == 1 else sql.SQL(" UNION ALL ").join(map(sql.SQL("({})").format, pieces))

    def before(self, place: int) -> Sample | None:
        """The last of the samples that is not after this place."""
        found = bisect_right(self.samples, place, key=lambda sample: sample.place)
        return self.samples[found - 1] if found else None

    def spans(self, wanted: Order, offset: int, count: int) -> Iterator[tuple[int, int]]:
        """Where the rows of a page are in the index, as first places and how many: in another direction they are the
        other way round, but for NULL, which is last in both."""
        if wanted == self.order:
            yield offset, count
            return
        valued = self.rows - self.nulls
        of_values = max(0, min(count, valued - offset))
        if of_values:
            yield valued - offset - of_values, of_values
        if of_nulls := count - of_values:
            skipped = max(0, offset - valued)
            yield self.rows - skipped - of_nulls, of_nulls


def serving(wanted: Order) -> Order:
    """The order of the index that serves this one: of a single key in either direction the same."""
    return (Key(wanted[0].place),) if len(wanted) == 1 else wanted


def creation(stored: Stored, order: Order, name: str) -> sql.Composed:
    """The statement that makes an index on an order."""
    keys = statements.order_by(stored, order)
    return sql.SQL("CREATE INDEX {} ON {} ({})").format(sql.Identifier(name), stored.place, keys)


def sampling(stored: Stored, order: Order, step: int) -> sql.Composed:
    """Every `step`-th row of the order: its place, its number, and its keys as texts."""
    names = [stored.name(key.place) for key in order]
    sample = sql.SQL(
        "SELECT place, {number}, {texts} FROM (SELECT {keys}, {number}, row_number() OVER (ORDER BY {order}) - 1"
        " AS place FROM {table}) AS s WHERE place % {step} = 0"
    )
    return sample.format(
        number=NUMBER_NAME,
        texts=sql.SQL(", ").join(map(sql.SQL("{}::text").format, names)),
        keys=sql.SQL(", ").join(names),
        order=statements.order_by(stored, order),
        table=stored.place,
        step=sql.Literal(step),
    )


def without_value(stored: Stored, order: Order) -> sql.Composed:
    """How many rows have NULL in the first key."""
    first = stored.name(order[0].place)
    return sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL").format(stored.place, first)


def comment(rows: int, nulls: int, sample: Iterable[Sequence[object]]) -> str:
    """What to keep beside the index: the sample that `sampling` found, unless its texts are long."""
    found = [tuple(row) for row in sample]
    short = all(len(str(text)) <= CHARACTERS for _, _, *texts in found for text in texts)
    return json.dumps({"rows": rows, "nulls": nulls, "samples": found if short else []})
