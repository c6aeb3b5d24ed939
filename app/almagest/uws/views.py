"""Jobs as the resources of UWS 1.1 §2.2, over `almagest.query.uws`; each service has a job list of its own.

A user's job is found by its owner only; an anonymous one by whoever knows its address, which is random. A list has the
jobs of the user or of the visitor's cookie that asks for it, and is empty for programs without either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from almagest import formats
from almagest.accounts.authentication import identify
from almagest.accounts.identity import Identity
from almagest.dali.face import creator, download, face
from almagest.dali.form import Pairs, form, pairs
from almagest.query import request as parameters
from almagest.query.answers import results
from almagest.query.errors import InvalidRequestError, NoSuchJobError
from almagest.query.models import Job, Phase
from almagest.query.uws import claims, documents, jobs, submission
from almagest.query.uws.description import describe
from almagest.uws.joblist import JobList
from almagest.vo import uws


@face("GET", "HEAD", "POST")
def joblist(request: HttpRequest, service: JobList) -> HttpResponse:
    """`{jobs}` (UWS 1.1 §2.2.2): create a job, or list those that the caller owns."""
    caller = identify(request)
    if request.method != "POST":
        listed = _listed(caller, pairs(request))
        entries = (documents.entry(found, service.job(found), caller.name) for found in listed)
        return _xml(uws.jobs(service.url, entries))
    with form(request) as sent:
        wanted, wishes = parameters.collect(sent.pairs), parameters.wishes(sent.pairs)
        return _see(service.job(submission.create(creator(request), wanted, sent.parts, wishes)))


@face("GET", "HEAD", "POST", "DELETE")
def job(request: HttpRequest, service: JobList, job_id: str) -> HttpResponse:
    """`{jobs}/{job-id}`: the job's document, after WAIT when asked; or its end."""
    found = _find(request, job_id)
    if request.method == "DELETE":
        return _deleted(service, found)
    sent = pairs(request)
    if request.method == "POST":
        if _control(sent, "ACTION", ("DELETE",)) != "DELETE":
            raise InvalidRequestError("the only thing to post here is ACTION=DELETE; see UWS 1.1 for the job's parts")
        return _deleted(service, found)
    seconds, awaited = _control(sent, "WAIT"), _control(sent, "PHASE", uws.PHASES)
    if seconds and request.method != "HEAD":
        found = jobs.wait(found, parameters.parse_wait(seconds), awaited or None)
    place = claims.places([found]).get(found.pk)
    return _xml(uws.job(documents.document(describe(found, place), service.job(found))))


@face("GET", "HEAD", "POST")
def part(request: HttpRequest, service: JobList, job_id: str, name: str) -> HttpResponseBase:
    """`{jobs}/{job-id}/<name>`: one property, to read or to set."""
    found = _find(request, job_id)
    if request.method == "POST":
        if name not in (*_SET, "parameters"):
            raise InvalidRequestError(f"{name} cannot be set")
        if name == "parameters":
            with form(request) as sent:
                submission.add(found, parameters.collect(sent.pairs), sent.parts)
        else:
            _SET[name](found, pairs(request))
        return _see(service.job(found))
    described = documents.document(describe(found), service.job(found))
    if name in _DOCUMENTS:
        return _xml(_DOCUMENTS[name](described))
    return HttpResponse(_ATOMS[name](described), content_type="text/plain; charset=utf-8")


@face("GET", "HEAD")
def error(request: HttpRequest, job_id: str) -> HttpResponse:
    """`{jobs}/{job-id}/error`: why it failed, as a DALI document."""
    found = _find(request, job_id)
    if found.phase != Phase.ERROR:
        raise NoSuchJobError(f"job {found.pk} is {found.phase} and has no error")
    return HttpResponse(formats.error_document(found.error), content_type=formats.MEDIA_TYPE)


@face("GET", "HEAD")
def result(request: HttpRequest, service: JobList, job_id: str) -> HttpResponseBase:
    """`{jobs}/{job-id}/results/result`: its rows, in its own format or in the one named here."""
    found = _find(request, job_id)
    wanted = parameters.collect(pairs(request))
    return download(request, results.stored(found, service.path, wanted.get("RESPONSEFORMAT")), f"job-{found.pk}")


def _set_phase(found: Job, sent: Pairs) -> None:
    steps: Mapping[str, Callable[[Job], None]] = {"RUN": jobs.run, "ABORT": jobs.abort}
    step = steps.get(_control(sent, "PHASE", steps))
    if step is None:
        raise InvalidRequestError("PHASE has to be RUN or ABORT")
    step(found)


def _set_duration(found: Job, sent: Pairs) -> None:
    jobs.set_duration(found, parameters.parse_duration(_control(sent, "EXECUTIONDURATION")))


def _set_destruction(found: Job, sent: Pairs) -> None:
    jobs.set_destruction(found, parameters.parse_time("DESTRUCTION", _control(sent, "DESTRUCTION")))


_SET: Mapping[str, Callable[[Job, Pairs], None]] = {
    "phase": _set_phase,
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
    "owner": lambda described: described.owner,
}
PARTS = (*_DOCUMENTS, *_ATOMS)


def _find(request: HttpRequest, job_id: str) -> Job:
    return jobs.find(jobs.parse_id(job_id), identify(request))


def _listed(caller: Identity, sent: Pairs) -> list[Job]:
    """Filters of UWS 1.1 §2.2.2.1, combined with AND; PHASE may come several times."""
    named = {_control([pair], "PHASE", uws.PHASES) for pair in sent if pair[0].upper() == "PHASE"}
    phases = named - {""}
    after, last = _control(sent, "AFTER"), _control(sent, "LAST")
    return jobs.listed(
        caller,
        phases,
        parameters.parse_time("AFTER", after) if after else None,
        parameters.parse_last(last) if last else None,
    )


def _control(sent: Pairs, name: str, allowed: Collection[str] = ()) -> str:
    """A parameter of the protocol itself, which is no parameter of the query; empty where it was not sent.

    allowed: what it may be, where that is enumerated. Raises InvalidRequestError, TooLargeError."""
    found = parameters.collect(sent, (name,))
    return parameters.choice(found, name, allowed) if allowed else found.get(name, "").strip()


def _deleted(service: JobList, found: Job) -> HttpResponse:
    jobs.delete(found)
    return _see(service.url)


def _see(url: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": url})


def _xml(document: bytes) -> HttpResponse:
    return HttpResponse(document, content_type=uws.MEDIA_TYPE)
