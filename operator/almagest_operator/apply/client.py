"""The API server, in the few verbs that the operator and the command line use.

A thin, typed face over the official package's asynchronous transport (authentication, connection pool, TLS). Objects go
in and come out as plain JSON values; each failure is one `ApiError` that says what was asked and what was answered.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import config as kubeconfig
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.stream import WsApiClient
from kubernetes.aio.stream.ws_client import ERROR_CHANNEL

from almagest_operator.model.resource import Manifest, key_of
from almagest_operator.observe.kinds import POD, Kind

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ApiError(Exception):
    """The API server refused a request or could not be reached.

    status: HTTP status, 0 when there was no answer; reason: of the Status object, e.g. `Conflict`; message: the
    server's sentence; what: verb and object; causes: field → complaint, of an object that it finds invalid.
    """

    def __init__(
        self, what: str, status: int, reason: str, message: str, causes: Mapping[str, str] | None = None
    ) -> None:
        self.what, self.status, self.reason, self.message = what, status, reason, message
        self.causes = dict(causes or {})
        super().__init__(f"{what}: {message or reason} ({status or 'no answer'})")

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later: no answer, too many requests, or a server in trouble.

        A server answers 429 also for a kind whose definition has just come (`storage is (re)initializing`).
        """
        return self.status in {0, 429} or self.status >= 500


class NoClusterError(Exception):
    """No API server is configured, or the kubeconfig cannot be used; says which file and why."""


@asynccontextmanager
async def connect(context: str | None = None, kubeconfig_path: str | None = None) -> AsyncIterator[Client]:
    """A client for the cluster that the pod is in, else for the kubeconfig's current or given context."""
    configuration, namespace = await configure(context, kubeconfig_path)
    async with ApiClient(configuration) as api:
        yield Client(api, namespace)


async def configure(context: str | None = None, kubeconfig_path: str | None = None) -> tuple[Configuration, str]:
    """The connection's settings and the namespace that goes with them. Raises NoClusterError."""
    configuration = Configuration()
    if context is None and kubeconfig_path is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
        kubeconfig.load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # a partly typed package
        return configuration, "default"
    _must_exist(kubeconfig_path)
    try:
        await kubeconfig.load_kube_config(  # type: ignore[no-untyped-call]  # the same
            kubeconfig_path, context, client_configuration=configuration, persist_config=False
        )
        contexts, active = kubeconfig.list_kube_config_contexts(kubeconfig_path)  # type: ignore[no-untyped-call]  # the same
    except (kubeconfig.ConfigException, OSError) as error:
        raise NoClusterError(f"no usable kubeconfig: {error}") from error
    chosen = next((c for c in contexts if c["name"] == context), active)
    return configuration, chosen["context"].get("namespace") or "default"


def _must_exist(kubeconfig_path: str | None) -> None:
    paths = (kubeconfig_path or os.environ.get("KUBECONFIG") or "~/.kube/config").split(os.pathsep)
    if not any(Path(path).expanduser().exists() for path in paths):
        raise NoClusterError(f"there is no kubeconfig at {' or '.join(paths)}; set KUBECONFIG or give --kubeconfig")


@dataclass(frozen=True)
class Client:
    """Verbs over the API server.

    namespace: the context's default, which only the command line uses; timeout: seconds for a whole answer.
    """

    api: ApiClient
    namespace: str = "default"
    timeout: float = 30.0

    async def get(self, kind: Kind, name: str, namespace: str = "") -> Manifest:
        return await self._json("GET", kind.path(namespace, name), f"get {kind.kind} {name}")

    async def all(self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Manifest]:
        """All objects of a kind, with `apiVersion` and `kind` filled in, which the server leaves out of lists."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        found = await self._json("GET", kind.path(namespace), f"list {kind.plural}", query=query)
        head = {"apiVersion": kind.api_version, "kind": kind.kind}
        return [{**head, **item} for item in found["items"] or ()]

    async def all_metadata(self, kind: Kind, namespace: str = "", *, labels: str = "") -> list[Manifest]:
        """The `metadata` of all objects of a kind, at a fraction of the cost of the objects."""
        query, what = {"labelSelector": labels}, f"list {kind.plural}"
        found = await self._json("GET", kind.path(namespace), what, query=query, accept=_METADATA)
        return [item["metadata"] for item in found["items"] or ()]

    async def create(self, kind: Kind, manifest: Manifest, manager: str) -> Manifest:
        """POST; a taken name is an ApiError of status 409."""
        key = key_of(manifest)
        query = {"fieldManager": manager}
        return await self._json("POST", kind.path(key.namespace), f"create {key}", query=query, body=manifest)

    async def apply(self, kind: Kind, manifest: Manifest, manager: str, subresource: str = "") -> Manifest:
        """Server-side apply, taking over the fields that others own; returns the object as it now is."""
        key = key_of(manifest)
        path = kind.path(key.namespace, key.name, subresource)
        query = {"fieldManager": manager, "force": "true"}
        return await self._json("PATCH", path, f"apply {key}", query=query, body=manifest, content_type=_APPLY)

    async def merge(self, kind: Kind, manifest: Manifest, manager: str) -> Manifest:
        """JSON merge patch. With `metadata.resourceVersion` in it, an object changed meanwhile is a 409."""
        key = key_of(manifest)
        path, query = kind.path(key.namespace, key.name), {"fieldManager": manager}
        return await self._json("PATCH", path, f"patch {key}", query=query, body=manifest, content_type=_MERGE)

    async def merge_lists(self, kind: Kind, manifest: Manifest, manager: str) -> Manifest:
        """Strategic merge patch: entries of a list that has a key are added, or taken away by `$patch: delete`.

        An object of another uid than `metadata.uid` is a 422 with that field among the causes.
        """
        key = key_of(manifest)
        path, query = kind.path(key.namespace, key.name), {"fieldManager": manager}
        return await self._json("PATCH", path, f"patch {key}", query=query, body=manifest, content_type=_STRATEGIC)

    async def replace(self, kind: Kind, manifest: Manifest, manager: str) -> Manifest:
        """PUT; the resourceVersion in the manifest makes it a compare-and-set."""
        key = key_of(manifest)
        path, query = kind.path(key.namespace, key.name), {"fieldManager": manager}
        return await self._json("PUT", path, f"replace {key}", query=query, body=manifest)

    async def delete(self, kind: Kind, name: str, namespace: str, uid: str) -> None:
        """Delete exactly the object of this uid, after what it owns: a Job's name is not free before its pods are gone.

        One that is gone already, or that is another by now, is no error.
        """
        body = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
        try:
            await self._json("DELETE", kind.path(namespace, name), f"delete {kind.kind} {namespace}/{name}", body=body)
        except ApiError as error:
            if error.status not in {404, 409}:
                raise

    async def lines(
        self, kind: Kind, name: str, namespace: str, subresource: str, query: Mapping[str, str]
    ) -> AsyncIterator[str]:
        """The lines of a text subresource (`log`) as they come."""
        what = f"{subresource} of {kind.kind} {namespace}/{name}"
        response = await self._send("GET", kind.path(namespace, name, subresource), what, query=query, endless=True)
        async for line in response.content:
            yield line.decode(errors="replace").rstrip("\n")

    async def execute(
        self, pod: str, namespace: str, container: str, command: Sequence[str], take: Callable[[int, bytes], object]
    ) -> int:
        """Run a command in a container, without standard input; returns its exit code.

        take: is given each piece of output with its descriptor, 1 or 2, as it comes.
        """
        what = f"exec in Pod {namespace}/{pod}"
        query = [("command", word) for word in command] + [("container", container), ("stdout", "1"), ("stderr", "1")]
        path = POD.path(namespace, pod, "exec")
        try:
            async with WsApiClient(self.api.configuration) as api:  # type: ignore[no-untyped-call]  # the same
                request = await api.param_serialize("GET", path, query_params=query, auth_settings=["BearerToken"])
                answer = await api.call_api(*request, _preload_content=False)
                async with answer.response as socket:
                    async for message in socket:
                        channel, piece = message.data[0], message.data[1:]
                        if channel == ERROR_CHANNEL:
                            return _exit_code(what, json.loads(piece))
                        take(channel, piece)
        except aiohttp.WSServerHandshakeError as error:
            raise ApiError(what, error.status, "Refused", f"the API server refuses to {what}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._no_answer(what, error) from error
        raise ApiError(what, 0, "NoAnswer", f"the connection ended before the command did ({what})")

    async def _json(self, method: str, path: str, what: str, **options: Any) -> Manifest:
        response = await self._send(method, path, what, **options)
        try:
            body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(what, 0, "NoAnswer", f"the answer broke off: {error!r}") from error
        try:
            answer: Manifest = json.loads(body)
        except ValueError as error:  # a proxy between us and the server says something of its own
            raise ApiError(what, 0, "Unknown", f"no JSON is answered: {_begin(body)}") from error
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
        accept: str = "application/json, */*",
        endless: bool = False,
    ) -> aiohttp.ClientResponse:
        request = await self.api.param_serialize(
            method,
            path,
            query_params=[(name, value) for name, value in (query or {}).items() if value],
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            limit = aiohttp.ClientTimeout(total=None if endless else self.timeout, sock_connect=5)
            answer = await self.api.call_api(*request, _request_timeout=limit)
            response: aiohttp.ClientResponse = answer.response
            if response.status >= 300:
                raise _refusal(what, response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._no_answer(what, error) from error
        return response

    def _no_answer(self, what: str, error: Exception) -> ApiError:
        host = self.api.configuration.host
        return ApiError(what, 0, "NoAnswer", f"the API server at {host} does not answer: {error!r}")


def _exit_code(what: str, status: Mapping[str, Any]) -> int:
    """Of a command that ran, by the Status that ends its streams; one that could not be started is an ApiError."""
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or ()
    for cause in causes:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise ApiError(what, 500, str(status.get("reason", "")), str(status.get("message", "")))


def _refusal(what: str, status: int, body: bytes) -> ApiError:
    """The server's Status object as an error; a proxy's page of HTML is quoted in part."""
    try:
        found = json.loads(body)
    except ValueError:
        return ApiError(what, status, "Unknown", _begin(body))
    if not isinstance(found, dict):
        return ApiError(what, status, "Unknown", str(found))
    causes = (found.get("details") or {}).get("causes") or ()
    fields = {cause.get("field", ""): cause.get("message", "") for cause in causes}
    return ApiError(what, status, found.get("reason", ""), found.get("message", ""), fields)


def _begin(body: bytes) -> str:
    return body[:200].decode(errors="replace")
