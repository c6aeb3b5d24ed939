"""`/tap/async…`: jobs as the resources of UWS 1.1 §2.2, over `almagest.query.jobs`.

An anonymous job is reached by whoever knows its address, which is random; the list of such jobs is empty for everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from almagest import formats
from almagest.query import jobs, results
from almagest.query import request as parameters
from almagest.query.errors import InvalidRequestError, NoSuchJobError
from almagest.query.models import Job, Phase
from almagest.tap.face import base_url, download, face, pairs
from almagest.vo import uws


@face("GET", "HEAD", "POST")
def joblist(request: HttpRequest) -> HttpResponse:
    """`/tap/async`: create a job, or list those that the caller owns."""
    if request.method != "POST":
        return _xml(uws.jobs(_list_url(), ()))
    sent = list(pairs(request))
    job = jobs.create(parameters.collect(sent))
    if _control(sent, "PHASE") == "RUN":
        jobs.run(job)
    return _see(_url(job))


@face("GET", "HEAD", "POST", "DELETE")
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    """`/tap/async/<id>`: the job's document, after WAIT when asked; or its end."""
    found = jobs.find(jobs.parse_id(job_id))
    if request.method == "DELETE":
        return _deleted(found)
    sent = list(pairs(request))
    if request.method == "POST":
        if _control(sent, "ACTION") != "DELETE":
            raise InvalidRequestError("the only thing to post here is ACTION=DELETE; see UWS 1.1 for the job's parts")
        return _deleted(found)
    seconds = _control(sent, "WAIT")
    if seconds is not None:
        found = jobs.wait(found, parameters.parse_wait(seconds), _control(sent, "PHASE"))
    return _xml(uws.job(describe(found)))


@face("GET", "HEAD", "POST")
def part(request: HttpRequest, job_id: str, name: str) -> HttpResponseBase:
    """`/tap/async/<id>/<name>`: one property, to read or to set."""
    found = jobs.find(jobs.parse_id(job_id))
    if request.method == "POST":
        if name not in _SET:
            raise InvalidRequestError(f"{name} cannot be set")
        _SET[name](found, list(pairs(request)))
        return _see(_url(found))
    if name in _DOCUMENTS:
        return _xml(_DOCUMENTS[name](describe(found)))
    return HttpResponse(_ATOMS[name](describe(found)), content_type="text/plain; charset=utf-8")


@face("GET", "HEAD")
def error(_: HttpRequest, job_id: str) -> HttpResponse:
    """`/tap/async/<id>/error`: why it failed, as a DALI document."""
    found = jobs.find(jobs.parse_id(job_id))
    if found.phase != Phase.ERROR:
        raise NoSuchJobError(f"job {found.pk} is {found.phase} and has no error")
    return HttpResponse(formats.error_document(found.error), content_type=formats.MEDIA_TYPE)


@face("GET", "HEAD")
def result(request: HttpRequest, job_id: str) -> HttpResponseBase:
    """`/tap/async/<id>/results/result`: its rows, in its own format or in the one named here."""
    found = jobs.find(jobs.parse_id(job_id))
    wanted = parameters.collect(pairs(request))
    return download(request, results.stored(found, wanted.get("RESPONSEFORMAT")), f"job-{found.pk}")


def describe(found: Job) -> uws.JobDocument:
    """The job as its document says it."""
    return uws.JobDocument(
        id=str(found.pk),
        url=_url(found),
        phase=found.phase,
        created=found.created_at,
        destruction=found.destruction_at,
        duration=found.execution_duration,
        started=found.started_at,
        ended=found.ended_at,
        run_id=found.run_id,
        parameters=found.parameters,
        result=_media_type(found) if found.phase == Phase.COMPLETED else None,
        error=(found.error, found.error_is_transient) if found.phase == Phase.ERROR else None,
    )


Sent = list[tuple[str, str]]


def _set_phase(found: Job, sent: Sent) -> None:
    steps: Mapping[str | None, Callable[[Job], None]] = {"RUN": jobs.run, "ABORT": jobs.abort}
    step = steps.get(_control(sent, "PHASE"))
    if step is None:
        raise InvalidRequestError("PHASE has to be RUN or ABORT")
    step(found)


def _set_parameters(found: Job, sent: Sent) -> None:
    jobs.set_parameters(found, parameters.collect(sent))


def _set_duration(found: Job, sent: Sent) -> None:
    jobs.set_duration(found, parameters.parse_duration(_control(sent, "EXECUTIONDURATION") or ""))


def _set_destruction(found: Job, sent: Sent) -> None:
    jobs.set_destruction(found, parameters.parse_time(_control(sent, "DESTRUCTION") or ""))


_SET: Mapping[str, Callable[[Job, Sent], None]] = {
    "phase": _set_phase,
    "parameters": _set_parameters,
    "executionduration": _set_duration,
    "destruction": _set_destruction,
}
_DOCUMENTS: Mapping[str, Callable[[uws.JobDocument], bytes]] = {
    "parameters": lambda described: uws.parameters(described.parameters),
    "results": uws.results,
}
_ATOMS: Mapping[str, Callable[[uws.JobDocument], str]] = {
    "phase": lambda described: described.phase,
    "executionduration": lambda described: str(described.duration),
    "destruction": lambda described: uws.timestamp(described.destruction),
    "quote": lambda _: "",
    "owner": lambda _: "",
}
PARTS = (*_DOCUMENTS, *_ATOMS)


def _control(sent: Sent, name: str) -> str | None:
    """A parameter of the protocol itself, which is no parameter of the query."""
    return next((value for sent_name, value in sent if sent_name.upper() == name), None)


def _media_type(found: Job) -> str:
    return formats.negotiate(parameters.response_format(found.parameters)).media_type


def _deleted(found: Job) -> HttpResponse:
    jobs.delete(found)
    return _see(_list_url())


def _see(url: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": url})


def _list_url() -> str:
    return f"{base_url()}/async"


def _url(found: Job) -> str:
    return f"{_list_url()}/{found.pk}"


def _xml(document: bytes) -> HttpResponse:
    return HttpResponse(document, content_type=uws.MEDIA_TYPE)
