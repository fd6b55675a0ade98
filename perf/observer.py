"""The observer: watches record what happens during a trial as (time, stream, name, state).

It must not disturb what it measures. Pods are watched as metadata only and only once they run (a field selector), so each costs one event
of a kilobyte; of other objects only changes of state are recorded. `seconds` is its own CPU time.

    cluster   Ready=False taints=cluster.karmada.io/not-ready:NoSchedule
    binding   member2:100 evicting=member1 ready=member2      placement, evictions under way, members on which all replicas are ready
    work      created | applied | deleting | gone              name: member2/<binding>
    pod       running <second it was created> | gone           name: member2/<pod>
    limit     the same for the pods that the limit is measured with
    node      Ready | NotReady                                 name: member2/<node>
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from lab.errors import LabError
from lab.kube_access import read_access
from lab.wait import SYSTEM
from perf.samples import Row

Json = dict[str, Any]
Read = Callable[[Json], tuple[str, str] | None]
"""Return name and state of an object, or None to ignore it."""

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
BINDING_OF = "resourcebinding.karmada.io/name"
PAGE = 2000


class ObserverWatchLost(Exception):
    """The server does not answer, or has closed the watch."""


class Watch:
    """A watch of one collection of an API server, in its own thread until `stop`; a lost watch resumes from its resource version."""

    def __init__(self, stream: str, kubeconfig: Path, path: str, read: Read, *, keep: Keep, metadata: bool = False, **query: str) -> None:
        self.stream = stream
        self.kubeconfig = kubeconfig
        self.path = path
        self.read = read
        self.keep = keep
        self.metadata = metadata
        self.query = query
        self.seconds = 0.0
        """CPU time of this thread so far."""
        self.synced = threading.Event()
        """Set when the initial list has been read."""
        self._stop = threading.Event()
        self._version = ""
        self._peer: http.client.HTTPSConnection | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {stream} {path}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the watch. The thread ends by itself; events that it still reads are dropped."""
        self._stop.set()
        peer = self._peer
        if peer is not None and peer.sock is not None:
            peer.sock.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (ObserverWatchLost, OSError, http.client.HTTPException, ValueError, KeyError, AttributeError, LabError):
                if not self._stop.is_set():
                    SYSTEM.sleep(0.2)
            finally:
                self.seconds = time.thread_time()

    def _follow(self) -> None:
        given = read_access(self.kubeconfig)
        address = urlsplit(given.server)
        peer = http.client.HTTPSConnection(address.hostname or "", address.port or 443, context=given.tls, timeout=90)
        self._peer = peer
        try:
            if not self._version:
                self._list(peer)
            self.synced.set()
            query = {
                **self.query,
                "watch": "true",
                "allowWatchBookmarks": "true",
                "timeoutSeconds": "3600",
                "resourceVersion": self._version,
            }
            peer.request("GET", f"{self.path}?{urlencode(query)}", headers={"Accept": METADATA if self.metadata else "application/json"})
            answer = peer.getresponse()
            if answer.status != 200:
                self._version = ""
                raise ObserverWatchLost(f"{answer.status}")
            while line := answer.readline():
                change = json.loads(line)
                kind, item = change["type"], change["object"]
                if kind == "ERROR":
                    self._version = ""  # 410 Gone: list again
                    raise ObserverWatchLost(str(item.get("message")))
                self._version = item["metadata"]["resourceVersion"]
                if kind != "BOOKMARK":
                    self._see(item, gone=kind == "DELETED")
                    self.seconds = time.thread_time()
        finally:
            peer.close()

    def _list(self, peer: http.client.HTTPSConnection) -> None:
        page: str | None = ""
        while page is not None:
            query = urlencode(self.query)
            accept = METADATA_LIST if self.metadata else "application/json"
            peer.request("GET", f"{self.path}?limit={PAGE}&continue={quote(page)}&{query}", headers={"Accept": accept})
            answer = peer.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise ObserverWatchLost(f"{answer.status}")
            listed = json.loads(body)
            for item in listed.get("items") or []:
                self._see(item, gone=False)
            self._version = listed["metadata"]["resourceVersion"]
            page = listed["metadata"].get("continue") or None

    def _see(self, item: Json, *, gone: bool) -> None:
        seen = self.read(item)
        if seen is not None and not self._stop.is_set():
            name, state = seen
            self.keep(self.stream, name, "gone" if gone else state)


Keep = Callable[[str, str, str], None]


class Observer:
    """All watches of a trial. `rows` grow while it runs; states are counted incrementally, so that waiting costs nothing."""

    def __init__(self, began: float) -> None:
        self.began = began
        """time.time() at the start of the trial; times of rows are relative to it."""
        self.rows: list[Row] = []
        self._state: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._count: Counter[str] = Counter()
        self._watches: list[Watch] = []
        self._lock = threading.Lock()

    def keep(self, stream: str, name: str, state: str) -> None:
        """Add a row if this changes the state of the name."""
        at = time.time() - self.began
        with self._lock:
            states = self._state[stream]
            before = states.get(name)
            if before == state:
                return
            states[name] = state
            self.rows.append((at, stream, name, state))
            for delta, each in ((-1, before), (1, state)):
                if each is not None:
                    self._count[f"{stream} {name.partition('/')[0]} {each.partition(' ')[0]}"] += delta

    def count_running(self, member: str, stream: str = "pod") -> int:
        """Return how many pods currently run on a member."""
        return self._count[f"{stream} {member} running"]

    def get_last_time(self, stream: str) -> float:
        """Return the time of a stream's last row, in seconds since the trial began; 0 before the first."""
        with self._lock:
            return next((row[0] for row in reversed(self.rows) if row[1] == stream), 0.0)

    def get_bindings(self) -> dict[str, str]:
        """Return the current state of every binding."""
        return self.get_states("binding")

    def get_states(self, stream: str) -> dict[str, str]:
        """Return the current state of every name in a stream."""
        with self._lock:
            return dict(self._state[stream])

    # -- what is watched ---------------------------------------------------------------------------------------------

    def watch_karmada(self, kubeconfig: Path, namespaces: Sequence[str]) -> None:
        """Watch Clusters, and the bindings of these namespaces."""
        self._add("cluster", kubeconfig, "/apis/cluster.karmada.io/v1alpha1/clusters", read_cluster)
        for each in namespaces:
            self._add("binding", kubeconfig, f"/apis/work.karmada.io/v1alpha2/namespaces/{each}/resourcebindings", read_binding)

    def watch_works(self, kubeconfig: Path, member: str) -> None:
        """Watch the Works of one member."""
        path = f"/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-{member}/works"
        self._add("work", kubeconfig, path, lambda item: read_work(member, item))

    def watch_member(self, kubeconfig: Path, member: str, namespaces: Sequence[str]) -> None:
        """Watch the pods of these namespaces that run on a member, and its nodes."""
        self.watch_pods(kubeconfig, member, namespaces)
        self._add("node", kubeconfig, "/api/v1/nodes", lambda item: read_node(member, item))

    def watch_pods(self, kubeconfig: Path, member: str, namespaces: Sequence[str], stream: str = "pod") -> None:
        """Watch the running pods of these namespaces on a member: one watch per namespace, so that no unrelated pods are sent."""
        for each in namespaces:
            path = f"/api/v1/namespaces/{each}/pods"
            self._add(stream, kubeconfig, path, lambda item: read_pod(member, item), metadata=True, fieldSelector="status.phase=Running")

    def stop_watches(self, *, kubeconfig: Path | None = None, stream: str = "") -> None:
        """Stop the watches of one API server, before that is killed, or of one stream; keep the rows."""
        for watch in self._watches:
            if kubeconfig == watch.kubeconfig or stream == watch.stream:
                watch.stop()

    def stop(self) -> None:
        """Stop all watches."""
        for watch in self._watches:
            watch.stop()

    def is_synced(self) -> bool:
        """Return whether every watch has read its initial list."""
        return all(watch.synced.is_set() for watch in self._watches)

    @property
    def seconds(self) -> float:
        """CPU seconds of all watches."""
        return sum(watch.seconds for watch in self._watches)

    def _add(self, stream: str, kubeconfig: Path, path: str, read: Read, *, metadata: bool = False, **query: str) -> None:
        self._watches.append(Watch(stream, kubeconfig, path, read, keep=self.keep, metadata=metadata, **query))


# -- what is read of an object ------------------------------------------------------------------------------------------------


def read_cluster(item: Json) -> tuple[str, str]:
    """Return a Cluster's name, with its Ready condition and taints as the state."""
    ready = next((each["status"] for each in item.get("status", {}).get("conditions") or [] if each["type"] == "Ready"), "Unknown")
    taints = sorted(f"{taint['key']}:{taint['effect']}" for taint in item["spec"].get("taints") or [])
    return item["metadata"]["name"], f"Ready={ready} taints={','.join(taints)}"


def read_binding(item: Json) -> tuple[str, str]:
    """Return a binding's name, with placement, evictions under way and fully ready members as the state."""
    spec, status = item["spec"], item.get("status") or {}
    placed = {each["name"]: each.get("replicas", 0) for each in spec.get("clusters") or []}
    ready = {each["clusterName"]: (each.get("status") or {}).get("readyReplicas", 0) for each in status.get("aggregatedStatus") or []}
    evicting = sorted(task["fromCluster"] for task in spec.get("gracefulEvictionTasks") or [])
    full = sorted(name for name, replicas in placed.items() if ready.get(name, 0) >= replicas)
    where = ",".join(f"{name}:{count}" for name, count in sorted(placed.items()))
    return item["metadata"]["name"], f"{where or '-'} evicting={','.join(evicting)} ready={','.join(full)}"


def read_work(member: str, item: Json) -> tuple[str, str] | None:
    """Return the member and binding of a Work, with its progress as the state; None for one that belongs to no binding."""
    name = (item["metadata"].get("annotations") or {}).get(BINDING_OF)
    if name is None:
        return None
    conditions = {each["type"]: each["status"] for each in item.get("status", {}).get("conditions") or []}
    state = "deleting" if item["metadata"].get("deletionTimestamp") else "applied" if conditions.get("Applied") == "True" else "created"
    return f"{member}/{name}", state


def read_pod(member: str, item: Json) -> tuple[str, str]:
    """Return a running pod's member and name, with its creation second as the state, or `deleting` once it is marked for deletion."""
    metadata = item["metadata"]
    if metadata.get("deletionTimestamp"):
        return f"{member}/{metadata['name']}", "deleting"
    return f"{member}/{metadata['name']}", f"running {datetime.fromisoformat(metadata['creationTimestamp']).timestamp():.0f}"


def read_node(member: str, item: Json) -> tuple[str, str]:
    """Return a node's member and name, with its readiness as the state."""
    ready = next((each["status"] for each in item.get("status", {}).get("conditions") or [] if each["type"] == "Ready"), "Unknown")
    return f"{member}/{item['metadata']['name']}", "Ready" if ready == "True" else "NotReady"
