"""A small client of a Kubernetes API: by a context of the lab's kubeconfig, verifying certificates. Standard library only.

`lab status` has to answer at once; importing the HTTP library of `lab.api` alone takes longer.
"""

from __future__ import annotations

import json
import time
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.errors import UsageError
from lab.kube_access import read_access, send_headers

Json = dict[str, Any]


class Silent(Exception):
    """The API does not answer, or not to this client; the text says why."""


class Client:
    """One connection to one API server. It is given up `within` seconds after it was made, however many requests are sent over it."""

    def __init__(self, kubeconfig: Path, context: str, *, within: float) -> None:
        try:
            given = read_access(kubeconfig, context=context)
            self.headers = given.make_headers()
        except UsageError as error:
            raise Silent(error.what) from error
        self.server = given.server.rstrip("/")
        self.prefix = given.prefix
        self.deadline = time.monotonic() + within
        self.within = within
        self.connection = given.connect(timeout=within)

    def send(self, verb: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        """Send one request; return the HTTP status and the document that came with it, {} where it was none. Silent when none came."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Silent(f"{self.server}{path} was not answered within {self.within:g} s")
        self.connection.timeout = left
        if self.connection.sock is not None:
            self.connection.sock.settimeout(left)

        headers = [*self.headers, *([("Content-Type", "application/json")] if body is not None else [])]
        try:
            send_headers(self.connection, verb, f"{self.prefix}{path}", headers, None if body is None else json.dumps(body).encode())
            response = self.connection.getresponse()
            content = response.read()
        except TimeoutError as error:
            raise Silent(f"{self.server}{path} was not answered within {self.within:g} s") from error
        except (OSError, HTTPException) as error:
            raise Silent(f"{self.server} cannot be reached: {error or type(error).__name__}") from error
        try:
            document = json.loads(content)
        except ValueError:
            document = {}
        return response.status, document if isinstance(document, dict) else {}

    def get(self, path: str) -> Json:
        """Return the document at a path. Silent for every status but 200."""
        status, document = self.send("GET", path)
        if status != 200:
            raise Silent(f"{self.server}{path} answers {status}: {document.get('message') or 'no reason given'}")
        return document

    def has(self, path: str) -> bool:
        """Tell whether an object is there and not being deleted. Silent for every status but 200 and 404."""
        status, document = self.send("GET", path)
        if status not in {200, 404}:
            raise Silent(f"{self.server}{path} answers {status}: {document.get('message') or 'no reason given'}")
        return status == 200 and not document.get("metadata", {}).get("deletionTimestamp")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.connection.close()
