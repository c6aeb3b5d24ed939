"""`/jobs/<id>/{rows,statistics,data,bins,download}`: a stored result in pieces; every rule is in `query.browsing`.

A selection of many rows does not fit into an address, so all of this may be asked by POST too, with the same parameters
as a form. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from pydantic import ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from almagest.api.authentication import asker, plain
from almagest.api.columns import Column
from almagest.api.face import Route, Sent, Told, ToldList, operation
from almagest.dali.face import download
from almagest.dali.form import pairs
from almagest.query.browsing import bins, documents, pages, statistics
from almagest.query.browsing.bins import Axis
from almagest.query.browsing.indexes import Preparing
from almagest.query.browsing.reading import stored
from almagest.query.browsing.selection import (
    CHARACTERS,
    FieldError,
    Selection,
    flag,
    numeric,
    real,
    selection,
    where,
    whole,
)
from almagest.query.errors import InvalidFieldsError
from almagest.query.limits import BINS, MAX_ROWS, PAGE_ROWS
from almagest.query.models import Job
from almagest.query.uws import jobs

TAG = "results"
SERVICE = "/tap/async"
"""The service that a downloaded document says it comes from."""

PAGE = 100
"""Rows of a page of which nobody says how many."""

CELLS = 100
"""Cells of an axis of which nobody says how many."""


class Chosen(Sent):
    """Which rows and columns."""

    model_config = ConfigDict(str_max_length=CHARACTERS)

    columns: str = Field("", description='names with commas between them, all by default; "a,b" in quotes is one name')
    where: str = Field(
        "",
        description='a JSON array of conditions that all have to hold, such as [["parallax", ">=", 5], ["#", "in", [1,'
        " [5, 9]]]]; # is the number of a row from 0 on, and a pair in its list stands for all numbers from one to the"
        " other; operators: = != < <= > >= between in contains starts isnull notnull",
    )


class Sorted(Chosen):
    """Which rows and columns, in which order."""

    sort: str = Field("", description="names with commas between them, - before those that descend; NULL comes last")


class RowsAsked(Sorted):
    """Which page."""

    offset: str = Field("0", description="how many rows are before the page")
    limit: str = Field(str(PAGE), description=f"how many rows it has, up to {PAGE_ROWS:,}")


class DataAsked(Sorted):
    """Which points."""

    numbers: str = Field("false", description="true for a first column # with the rows' numbers")


class BinsAsked(Sent):
    """Which grid. Ends are those of the values where they are not sent."""

    model_config = ConfigDict(str_max_length=CHARACTERS)

    x: str = Field(description="a column of numbers")
    y: str = Field("", description="another one; without it the grid is a histogram")
    nx: str = Field(str(CELLS), description="cells of the axis x")
    ny: str = Field(str(CELLS), description="cells of the axis y")
    x0: str = ""
    x1: str = ""
    y0: str = ""
    y1: str = ""
    logx: str = Field("false", description="true for cells that are equally wide in the logarithm")
    logy: str = Field("false", description="the same of y")
    where: str = Field("", description="as of rows")


class DownloadAsked(Sorted):
    """Which part of the result, in which format."""

    format: str = Field("", description="a short name or media type; by default what the job asked for")


class RowsPage(Told):
    """A page. total: rows of the result; filtered: those of them that fulfil the conditions, as far as they are
    counted; counted: how many were looked at for that, fewer than total until later requests have counted on; numbers:
    of the rows."""

    columns: list[Column]
    total: int
    filtered: int
    counted: int
    offset: int
    rows: list[list[Any]]
    numbers: list[int]


class Progress(Told):
    """The rows are being looked for, or an index for the order is being made; ask again. progress: from 0 to 1."""

    progress: float
    sentence: str


class Histogram(Told):
    """Counts between edges, of which there is one more."""

    edges: list[Any]
    counts: list[int]


class Statistics(Told):
    """What is in a column; null for what its type does not have. approximate: whether distinct, quartiles, histogram
    and top were taken of a sample."""

    name: str
    n: int
    nulls: int
    distinct: int | None
    min: Any
    quartiles: list[Any] | None
    max: Any
    mean: float | None
    histogram: Histogram | None
    top: list[tuple[Any, int]] | None
    approximate: bool


class AllStatistics(ToldList[Statistics]):
    """What is in each of the columns."""


class BinsTold(Told):
    """A grid of counts, row after row of cells; x, y: its ends; ny is 1 and y null for a histogram."""

    nx: int
    ny: int
    x: tuple[float, float]
    y: tuple[float, float] | None
    counts: list[int]


class RowsRoute(Route):
    """`/jobs/<id>/rows`."""

    @operation("jobRows", asked=RowsAsked, answers={200: RowsPage, 202: Progress}, tag=TAG)
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """A page of the result: sorted, filtered, exact. Whole numbers of 64 bits are texts."""
        job, asked = _job(request, job_id), _asked(request, RowsAsked)
        offset, limit = whole(asked, "offset", 0, MAX_ROWS), whole(asked, "limit", PAGE, PAGE_ROWS)
        found = pages.page(job, _selection(job, asked), offset, limit)
        if isinstance(found, Preparing):
            told = Progress(progress=found.progress, sentence=found.sentence)
            return Response(told, status=202, headers={"Retry-After": str(found.seconds)})
        return StreamingHttpResponse(found, content_type=found.format.media_type)

    @operation("jobRowsByForm", sent=RowsAsked, answers={200: RowsPage, 202: Progress}, tag=TAG)
    def post(self, request: Request, job_id: str) -> HttpResponseBase:
        """The same, asked by a form."""
        return self.get(request, job_id)


class StatisticsRoute(Route):
    """`/jobs/<id>/statistics`."""

    @operation("jobStatistics", asked=Chosen, answers={200: AllStatistics}, tag=TAG)
    def get(self, request: Request, job_id: str) -> Response:
        """What is in the columns of the result."""
        job, asked = _job(request, job_id), _asked(request, Chosen)
        chosen = _selection(job, asked)
        found = statistics.statistics(job, chosen.columns, chosen.where)
        return Response(AllStatistics([_statistics(one) for one in found]))

    @operation("jobStatisticsByForm", sent=Chosen, answers={200: AllStatistics}, tag=TAG)
    def post(self, request: Request, job_id: str) -> Response:
        """The same, asked by a form."""
        return self.get(request, job_id)


class DataRoute(Route):
    """`/jobs/<id>/data`."""

    @operation("jobData", asked=DataAsked, answers={200: OpenApiTypes.BINARY}, tag=TAG)
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Columns as Arrow's IPC stream, for drawing."""
        job, asked = _job(request, job_id), _asked(request, DataAsked)
        document = documents.points(job, _selection(job, asked), numbers=flag(asked, "numbers"))
        return download(plain(request), document, f"job-{job.pk}")

    @operation("jobDataByForm", sent=DataAsked, answers={200: OpenApiTypes.BINARY}, tag=TAG)
    def post(self, request: Request, job_id: str) -> HttpResponseBase:
        """The same, asked by a form."""
        return self.get(request, job_id)


class BinsRoute(Route):
    """`/jobs/<id>/bins`."""

    @operation("jobBins", asked=BinsAsked, answers={200: BinsTold}, tag=TAG)
    def get(self, request: Request, job_id: str) -> Response:
        """How many rows are in each cell of a grid."""
        job, asked = _job(request, job_id), _asked(request, BinsAsked)
        table = stored(job)
        x, y = (_axis(table.columns, asked, field) for field in "xy")
        if x is None:
            raise FieldError("x", "name a column of numbers")
        found = bins.bins(job, x, y, where(table.columns, asked.get("where", "")))
        return Response(BinsTold(nx=x.cells, ny=y.cells if y else 1, x=found.x, y=found.y, counts=found.counts))

    @operation("jobBinsByForm", sent=BinsAsked, answers={200: BinsTold}, tag=TAG)
    def post(self, request: Request, job_id: str) -> Response:
        """The same, asked by a form."""
        return self.get(request, job_id)


class DownloadRoute(Route):
    """`/jobs/<id>/download`."""

    @operation(
        "jobDownload", asked=DownloadAsked, answers={200: OpenApiTypes.BINARY, 206: OpenApiTypes.BINARY}, tag=TAG
    )
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """The chosen part of the result as a file, which can be fetched in parts (Range)."""
        job, asked = _job(request, job_id), _asked(request, DownloadAsked)
        document = documents.download(job, _selection(job, asked), SERVICE, asked.get("format") or None)
        return download(plain(request), document, f"job-{job.pk}")

    @operation(
        "jobDownloadByForm", sent=DownloadAsked, answers={200: OpenApiTypes.BINARY, 206: OpenApiTypes.BINARY}, tag=TAG
    )
    def post(self, request: Request, job_id: str) -> HttpResponseBase:
        """The same, asked by a form."""
        return self.get(request, job_id)


def _job(request: Request, job_id: str) -> Job:
    return jobs.find(jobs.parse_id(job_id), asker(request))


def _asked(request: Request, model: type[Sent]) -> dict[str, str]:
    """The parameters of the address and of a form. Raises InvalidFieldsError for one that means nothing here, or that
    came twice with different values."""
    found: dict[str, str] = {}
    for name, value in pairs(plain(request)):
        if name not in model.model_fields:
            wanted = ", ".join(model.model_fields)
            raise InvalidFieldsError(
                f"there is no parameter {name[:40]!r} here; there are {wanted}", {name[:40]: ["it means nothing here"]}
            )
        if found.setdefault(name, value) != value:
            raise FieldError(name, "it was sent twice with different values; send it once")
    return found


def _selection(job: Job, asked: Mapping[str, str]) -> Selection:
    return selection(stored(job).columns, asked)


def _axis(columns: Any, asked: Mapping[str, str], field: str) -> Axis | None:
    if not asked.get(field, "").strip():
        return None
    return Axis(
        field,
        numeric(columns, field, asked[field]),
        whole(asked, f"n{field}", CELLS, BINS),
        real(asked, f"{field}0"),
        real(asked, f"{field}1"),
        flag(asked, f"log{field}"),
    )


def _statistics(summary: statistics.Summary) -> Statistics:
    histogram = None
    if summary.edges is not None and summary.counts is not None:
        histogram = Histogram(edges=list(summary.edges), counts=list(summary.counts))
    return Statistics(
        name=summary.name,
        n=summary.n,
        nulls=summary.nulls,
        distinct=summary.distinct,
        min=summary.minimum,
        quartiles=None if summary.quartiles is None else list(summary.quartiles),
        max=summary.maximum,
        mean=summary.mean,
        histogram=histogram,
        top=None if summary.top is None else list(summary.top),
        approximate=summary.approximate,
    )
