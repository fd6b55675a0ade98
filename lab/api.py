"""The Kubernetes API as provisioning needs it: read, apply, delete, watch, over one kept-alive connection pool.

Tests are written with the `kubernetes` package (`Cluster.client`). Provisioning is not: importing that package takes half a second
of CPU and its dynamic client asks some thirty discovery questions before the first write, on a path that is measured
in seconds on two cores. What is here is the least that path needs, and it is not offered for anything else.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from lab.errors import NotReady, ProvisionError, UsageError
from lab.http_connections import HttpConnections
from lab.kube_access import Access, read_access
from lab.wait import CANCELLED, SYSTEM, Cancelled, NotYet, limit_watch, require_possible, until

Json = dict[str, Any]
MANAGER = "karmada-lab"
"""The field manager of what we apply (Kubernetes: server-side apply)."""
ATTEMPTS, LONGEST_PAUSE = 10, 5.0
"""How often a request is sent to a server that asks for patience, and the longest pause between two, in seconds."""


class Refused(ProvisionError):
    """The API server answered with an error. `status` is the HTTP status, `reason` Kubernetes' reason ("AlreadyExists")."""

    def __init__(self, verb: str, path: str, response: httpx.Response) -> None:
        try:
            body = response.json()
        except ValueError:
            body = {}
        body = body if isinstance(body, dict) else {}
        self.status = response.status_code
        self.reason = str(body.get("reason", ""))
        self.message = str(body.get("message") or response.text[:500])
        super().__init__(
            f"the API server refused the request: {self.message}", where=f"{verb} {path} ({self.status} {self.reason})".replace(" )", ")")
        )


class Unreachable(ProvisionError):
    """No API server answers at this address."""


class Credentials(httpx.Auth):
    """The credentials of a kubeconfig: each request gets those of the moment; one that is answered 401 is sent again with a new token."""

    def __init__(self, given: Access) -> None:
        self.given = given

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with credentials."""
        self.add(request, renew=False)
        response = yield request
        if response.status_code == 401 and self.given.plugin is not None:
            self.add(request, renew=True)
            yield request

    def add(self, request: httpx.Request, *, renew: bool) -> None:
        added = self.given.make_headers(renew=renew)
        names = {name.lower() for name, _ in added}
        kept = [(name, value) for name, value in request.headers.multi_items() if name.lower() not in names]
        request.headers = httpx.Headers([*kept, *added])


def read_retry_after(response: httpx.Response) -> float | None:
    """Return after how many seconds a refused request is to be sent again; None when it is not."""
    after = response.headers.get("Retry-After", "")
    return min(float(after), LONGEST_PAUSE) if response.status_code == 429 and after.isdecimal() else None


class Api:
    """One API server, as one user. Safe for use by several threads."""

    def __init__(self, server: str, *, context: ssl.SSLContext, credentials: Credentials | None = None, proxy: str | None = None) -> None:
        self.server = server
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        through = httpx.Proxy(proxy) if proxy else None
        connect = partial(httpx.HTTPTransport, verify=context, proxy=through, trust_env=False, limits=one)
        self.http = httpx.Client(
            base_url=server,
            auth=credentials,
            transport=HttpConnections(connect, most=64),
            trust_env=False,
            timeout=httpx.Timeout(30.0, connect=5.0),
        )
        self._resources: dict[str, dict[str, Json]] = {}
        self._discovering = threading.Lock()

    @classmethod
    def open(cls, kubeconfig: Path, *, context: str | None = None, server: str | None = None) -> Api:
        """Return the API of a kubeconfig's named or current context. UsageError says what is wrong with the file.

        `server` is another address of the same API than the file has.
        """
        given = read_access(kubeconfig, context=context)
        given.find_token()  # an exec plugin that fails does so here, and a client certificate of it is loaded before the first connection
        return cls(server or given.server, context=given.tls, credentials=Credentials(given), proxy=given.proxy)

    # -- single requests ---------------------------------------------------------------------------------------------

    def request(self, verb: str, path: str, *, body: Any = None, content_type: str = "application/json", **params: str) -> httpx.Response:
        """Send one request. Refused on a status of 400 and more, Unreachable when no server answers.

        A server that is too busy (429), or reads its storage, names a time after which the request is sent again, ten times at most, as
        client-go does (rest/with_retry.go).
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type} if content is not None else None
        for attempt in range(ATTEMPTS):
            try:
                response = self.http.request(verb, path, content=content, headers=headers, params=params or None)
            except httpx.HTTPError as error:
                raise Unreachable(
                    f"the API server does not answer: {error or type(error).__name__}", where=f"{verb} {self.server}{path}"
                ) from error
            if response.status_code < 400:
                return response
            pause = read_retry_after(response)
            if pause is None or attempt == ATTEMPTS - 1:
                break
            SYSTEM.sleep(pause)
        raise Refused(verb, path, response)

    def get(self, path: str, **params: str) -> Json:
        """Return an object or list. Refused with status 404 when it does not exist."""
        answer: Json = self.request("GET", path, **params).json()
        return answer

    def find(self, path: str) -> Json | None:
        """Return an object, or None when it does not exist."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def items(self, path: str, **params: str) -> list[Json]:
        """Return the items of a list."""
        return list(self.get(path, **params).get("items") or [])

    def create(self, manifest: Json, **params: str) -> Json:
        """Create an object. Refused with status 409 when it exists."""
        answer: Json = self.request("POST", self.path_of(manifest, named=False), body=manifest, **params).json()
        return answer

    def apply(self, manifest: Json, **params: str) -> Json:
        """Apply an object (server-side apply, forced: fields of other managers are taken over). Idempotent."""
        path = self.path_of(manifest)
        answer: Json = self.request(
            "PATCH", path, body=manifest, content_type="application/apply-patch+yaml", fieldManager=MANAGER, force="true", **params
        ).json()
        return answer

    def patch(self, path: str, body: Any, *, content_type: str = "application/merge-patch+json") -> Json:
        """Patch an object by merge patch (or another kind)."""
        answer: Json = self.request("PATCH", path, body=body, content_type=content_type).json()
        return answer

    def delete(self, path: str, **params: str) -> None:
        """Delete an object; deleting one that does not exist is fine."""
        try:
            self.request("DELETE", path, **params)
        except Refused as refused:
            if refused.status != 404:
                raise

    def answers(self, path: str = "/readyz") -> bool:
        """Return whether a health endpoint answers 200 now; False when no server answers."""
        try:
            return self.http.get(path, timeout=2.0).status_code == 200
        except httpx.HTTPError:
            return False

    # -- watching ----------------------------------------------------------------------------------------------------

    def watch(self, path: str, *, within: float, **params: str) -> Iterator[tuple[str, Json]]:
        """Yield (type, object) for each object of the list ("ADDED") and every change, until `within` seconds are up.

        It lists, then watches from the list's resourceVersion; when a watch breaks or expires it lists again.
        """
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            listed = self.get(path, **params)
            for item in listed.get("items") or []:
                yield "ADDED", item
            version = listed["metadata"]["resourceVersion"]
            query = {**params, "watch": "true", "resourceVersion": version, "timeoutSeconds": str(max(1, round(left)))}
            try:
                with self.http.stream("GET", path, params=query, timeout=httpx.Timeout(5.0, read=left + 1)) as stream:
                    if stream.status_code != 200:
                        stream.read()
                        raise Refused("WATCH", path, stream)
                    for line in stream.iter_lines():
                        if CANCELLED.is_set():
                            raise Cancelled
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break  # 410 Gone: list again
                        yield event["type"], event["object"]
            except httpx.HTTPError as error:
                if time.monotonic() >= deadline:
                    return
                if not isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
                    raise Unreachable(f"watch failed: {error}", where=f"{self.server}{path}") from error

    def until(self, path: str, holds: Callable[[Json], str | None], *, what: str, within: float, remedy: str | None = None) -> Json:
        """Watch one object (its own path) until `holds` returns None for it; return the object.

        `holds` returns what is still missing ("Ready is False: …"). NotReady carries the last such text; an object that does
        not exist counts as "not there yet".
        """
        folder, _, name = path.rpartition("/")
        began = since = time.monotonic()
        last = "not there yet"
        while (left := began + within - time.monotonic()) > 0:
            for kind, item in self.watch(folder, within=limit_watch(left), fieldSelector=f"metadata.name={name}"):
                missing = "deleted" if kind == "DELETED" else holds(item)
                if missing is None:
                    return item
                if missing != last:
                    last, since = missing, time.monotonic()
            now = time.monotonic()
            require_possible(what, last=last, waited=now - began, unchanged_for=now - since)
        raise NotReady(what, last=last, within=time.monotonic() - began, unchanged_for=time.monotonic() - since, remedy=remedy)

    def until_gone(self, path: str, *, what: str, within: float, remedy: str | None = None) -> None:
        """Wait until an object is deleted. This polls, since a watch that starts just after the deletion would see no event."""

        def gone() -> None:
            if (present := self.find(path)) is not None:
                metadata = present.get("metadata", {})
                since, by = metadata.get("deletionTimestamp"), metadata.get("finalizers")
                raise NotYet(f"still there, deletionTimestamp {since}, finalizers {by}")

        until(gone, what=what, within=within, remedy=remedy)

    # -- paths -------------------------------------------------------------------------------------------------------

    def path_of(self, manifest: Mapping[str, Any], *, named: bool = True) -> str:
        """Return the API path of a manifest's object, or of its collection. UsageError for a kind the server does not have."""
        group_version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/api/{group_version}" if "/" not in group_version else f"/apis/{group_version}"
        resource = self.resource(root, kind)
        metadata = manifest.get("metadata", {})
        namespace = f"/namespaces/{metadata.get('namespace') or 'default'}" if resource["namespaced"] else ""
        return f"{root}{namespace}/{resource['name']}" + (f"/{metadata['name']}" if named else "")

    def resource(self, root: str, kind: str) -> Json:
        """Return a kind's entry in discovery. Cached per group and version, and read again for a kind not in the cache."""
        with self._discovering:
            if kind not in self._resources.get(root, {}):
                found = self.find(root) or {}
                self._resources[root] = {r["kind"]: r for r in found.get("resources", []) if "/" not in r["name"]}
            try:
                return self._resources[root][kind]
            except KeyError:
                raise UsageError(
                    f"the API server has no kind {kind} in {root.rpartition('apis/')[2]}", where=self.server, remedy="install its CRD first"
                ) from None
