"""Watch the events of every cluster of a run into files: `python -m lab.events RUN`, one small process from the lab's start on.

Kubernetes forgets events after an hour, and with the cluster; what explains a failure is often older than its discovery. The process
finds clusters as their kubeconfigs appear in RUN/kubeconfig, outlives restarts of their API servers, and appends to
RUN/evidence/events-<cluster>.jsonl one masked line an event or change of one. It uses little of the standard library and yaml: it
takes about 20 MiB and starts in a tenth of a second, on two cores that are busy starting a lab.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lab.errors import LabError
from lab.kube_access import read_access, send_headers
from lab.masking.mask import mask
from lab.wait import SYSTEM

Json = dict[str, Any]
LIMIT = 16 << 20
"""Bytes after which a file is put aside; with what was put aside before, at most twice this a cluster."""

SILENCE = 150.0
"""Seconds without any data, not even a bookmark (one a minute), after which a watch counts as dead."""


class WatchLost(Exception):
    """The server does not answer, or has ended the watch."""


class EventLog:
    """An append-only file of JSON lines that is put aside as `.1` when it is full."""

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        self.path = path
        self.limit = limit
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def append(self, row: Json) -> None:
        """Append one line, in one write. A full disk loses the line, not the watch."""
        try:
            if self._file.tell() > self.limit:
                self._file.close()
                self.path.replace(self.path.with_name(self.path.name + ".1"))
                self._file = self.path.open("ab", buffering=0)
            self._file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        except OSError:
            pass

    def close(self) -> None:
        self._file.close()


class Events:
    """The events of one API server, as a stream that goes on where it was lost."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.seen = 0
        """The highest resourceVersion handed out: etcd's revision, so numbers of one server compare."""

    def stream(self) -> Iterator[Json]:
        """Yield every event that is there and was not yielded before, then every new one. Lost when the server ends it or is away."""
        try:
            given = read_access(self.kubeconfig)
            headers = given.make_headers()
            peer = given.connect(timeout=SILENCE)
            try:
                yield from self._listed(peer, given.prefix, headers)
                yield from self._watched(peer, given.prefix, headers)
            finally:
                peer.close()
        except (OSError, http.client.HTTPException, ValueError, KeyError, LabError) as error:
            raise WatchLost(str(error)) from error

    def _listed(self, peer: http.client.HTTPConnection, prefix: str, headers: list[tuple[str, str]]) -> Iterator[Json]:
        page: str | None = ""
        while page is not None:
            send_headers(peer, "GET", f"{prefix}/api/v1/events?limit=500&continue={quote(page)}", headers)
            answer = peer.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise WatchLost(f"{answer.status}")
            listed = json.loads(body)
            version = int(listed["metadata"]["resourceVersion"])
            if version < self.seen:
                self.seen = 0  # another etcd, or a restored one: all its events are new
            for event in sorted(listed.get("items") or [], key=revision_of):
                if revision_of(event) > self.seen:
                    yield event
            page = listed["metadata"].get("continue") or None
            if page is None:
                self.seen = max(self.seen, version)

    def _watched(self, peer: http.client.HTTPConnection, prefix: str, headers: list[tuple[str, str]]) -> Iterator[Json]:
        query = f"watch=true&allowWatchBookmarks=true&timeoutSeconds=3600&resourceVersion={self.seen}"
        send_headers(peer, "GET", f"{prefix}/api/v1/events?{query}", headers)
        answer = peer.getresponse()
        if answer.status != 200:
            raise WatchLost(f"{answer.status}")
        while line := answer.readline():
            change = json.loads(line)
            if change["type"] == "ERROR":
                raise WatchLost(str(change["object"].get("message")))
            self.seen = max(self.seen, revision_of(change["object"]))
            if change["type"] in {"ADDED", "MODIFIED"}:
                yield change["object"]
        raise WatchLost("the server ended the watch")


def revision_of(event: Json) -> int:
    """Return an object's resourceVersion as the number it is."""
    return int(event["metadata"]["resourceVersion"])


def event_row(event: Json) -> Json:
    """Return what is kept of an event: who, what, why, how often; masked."""
    about = event.get("involvedObject") or {}
    place = "/".join(part for part in (about.get("namespace"), about.get("name")) if part)
    source = event.get("reportingComponent") or (event.get("source") or {}).get("component") or ""
    count = (event.get("series") or {}).get("count") or event.get("count") or 1
    return {
        "at": round(time.time(), 3),
        "time": event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp"),
        "type": event.get("type", "Normal"),
        "reason": event.get("reason", ""),
        "object": f"{about.get('kind', '')} {place}",
        "message": mask(event.get("message") or ""),
        "count": count,
        "source": source,
        "version": revision_of(event),
    }


def follow(kubeconfig: Path, log: EventLog) -> None:
    """Append the events of one cluster until its kubeconfig is gone; while its server is away, ask again every half second."""
    events = Events(kubeconfig)
    try:
        while kubeconfig.exists():
            try:
                for event in events.stream():
                    log.append(event_row(event))
            except WatchLost:
                SYSTEM.sleep(0.5)
    finally:
        log.close()


def watch(run: Path) -> None:
    """Follow every cluster of a run, also those with a kubeconfig that appears later, until this process is ended."""
    threads: dict[str, threading.Thread] = {}
    while True:
        for kubeconfig in sorted((run / "kubeconfig").glob("*.yaml")):
            thread = threads.get(kubeconfig.stem)
            if thread is None or not thread.is_alive():
                log = EventLog(run / "evidence" / f"events-{kubeconfig.stem}.jsonl")
                threads[kubeconfig.stem] = threading.Thread(target=follow, args=(kubeconfig, log), name=kubeconfig.stem, daemon=True)
                threads[kubeconfig.stem].start()
        SYSTEM.sleep(1.0)


def main(argv: list[str]) -> int:
    """Watch a run until a signal ends this process."""
    os.nice(10)  # evidence never slows what it is evidence of
    watch(Path(argv[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
