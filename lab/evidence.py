"""What there is to see of a lab, collected into one directory: on failure, time-out and interrupt, before anything is deleted.

    RUN/evidence/events-<cluster>.jsonl       watched from the start (lab.events)
    RUN/evidence/<time>-<reason>/index.json   what is here, what is not and why
        clusters/<cluster>/<resource>.json    objects: nodes, pods that do not run, deployments, and every kind that is not Kubernetes' own
        components.json                       each program: state, restarts, exit status
        logs/<cluster>/<program>.log          the end of each, audit logs too
        nodes/<cluster>/                      of real nodes: pods' logs, kubelet's and containerd's journal, how the container is
        events/<cluster>.jsonl journal.jsonl

Everything is written by one masking writer (lab.masking.mask), which knows the values of the lab's Secrets (lab.masking.secret_values).
A collection is
bounded in time and size, and the index lists what is missing (a cluster that does not answer, a file that is too large); it never raises,
since it is called while an error passes.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import httpx

from lab.api import Api, Refused
from lab.component import Component
from lab.count import count
from lab.errors import LabError
from lab.import_root import import_root
from lab.machines.container import Container
from lab.machines.lease import read_owners
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.registry import open_machine, open_owner
from lab.masking import secret_values
from lab.masking.known_values import NOTHING, KnownValues
from lab.masking.mask import mask, mask_object
from lab.run import Run, write_json
from lab.supervisor import record
from lab.supervisor.client import Supervisor

Json = dict[str, Any]
WITHIN = 10.0
"""Seconds that a collection takes at most."""

TAIL = 128 << 10
"""Bytes of the end of each log; of JSON lines, which take longest to mask, half of it."""

MARGIN = 16 << 10
"""Bytes before the end of a log that masking reads, too: a key that the cut splits is still masked."""

DUMP = 2 << 20
"""Bytes of one kind's objects."""

TOTAL = 64 << 20
"""Bytes of a whole collection."""

NODES = "nodes"
"""Records of the containers that a cluster's nodes are, by cluster: written by the provider before it makes them."""

RESOURCES = {
    "nodes": "/api/v1/nodes",
    "namespaces": "/api/v1/namespaces",
    "pods-not-running": "/api/v1/pods?fieldSelector=status.phase!=Running,status.phase!=Succeeded",
    "deployments": "/apis/apps/v1/deployments",
    "events": "/api/v1/events",
    "leases": "/apis/coordination.k8s.io/v1/leases",
    "apiservices": "/apis/apiregistration.k8s.io/v1/apiservices",
    "webhooks-mutating": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "webhooks-validating": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}
"""Of every cluster. Secrets and ConfigMaps are never asked for."""

KUBERNETES_OWN = re.compile(r"apps|autoscaling|batch|policy|extensions|.*\.k8s\.io")
"""API groups that every cluster has; the objects of all others are taken, whatever is installed on it."""


def watcher_component(run: Run) -> Component:
    """Return the program that watches events (lab.events). It needs nothing: it waits for clusters by itself."""
    return Component(
        name="lab/evidence",
        binary=Path(sys.executable),
        args=("-m", "lab.events", str(run.path)),
        flags={},
        env={"PYTHONPATH": str(import_root()), "MALLOC_ARENA_MAX": "1"},
        priority=100,  # what a lab waits for is started before
    )


def collect(run: Run, reason: str, *, into: Path | None = None, within: float = WITHIN) -> Path:
    """Collect what there is to see, in at most `within` seconds, and return the directory; `into` is where it is made.

    Clusters are asked in parallel; the index names one that does not answer. Never raises: what went wrong is in the index, or, where
    not even that can be written, the directory is empty or not there.
    """
    within *= 2 if run.records(NODES) else 1  # there is twice as much to see where pods run
    began = time.monotonic()
    secret = secret_values.learn_values(run.path, within=within / 3)
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", mask(reason, secret)).strip("-.")[:80] or "evidence"
    folder = (into or run.path / "evidence") / f"{time.strftime('%Y%m%dT%H%M%S')}-{slug}"
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{folder.name.partition('~')[0]}~{number}")
    out = Collection(folder, known=secret)
    tasks: dict[str, Callable[[], object]] = {
        "components": lambda: write_components(run, out),
        "logs": lambda: write_logs(run, out),
        **{f"machines/{name}": partial(write_machine, run, name, out) for name in read_owners(run)},
        **{f"nodes/{name}": partial(write_nodes, run, name, out) for name in run.records(NODES)},
        **{
            f"clusters/{path.stem}": lambda path=path: write_cluster(path, out, deadline=began + within)  # type: ignore[misc]
            for path in sorted((run.path / "kubeconfig").glob("*.yaml"))
        },
    }
    threads = {name: threading.Thread(target=out.attempt, args=(name, task), daemon=True) for name, task in tasks.items()}
    for thread in threads.values():
        thread.start()
    for name, thread in threads.items():
        thread.join(max(0.0, began + within - time.monotonic()))
        if thread.is_alive():
            out.lacks(name, f"not within {within:g} s")
    out.close({"run": run.id, "reason": mask(reason, secret), "at": round(time.time(), 3), "seconds": round(time.monotonic() - began, 3)})
    return folder


def keep_journal(run: Run, into: Path) -> Path:
    """Keep what was asked for and the journal, masked, where they outlive the run directory: reports read them there. Never raises."""
    out = Collection(into, known=secret_values.load_known(run.path))
    out.attempt("run.json", lambda: out.text("run.json", (run.path / "run.json").read_text()))
    out.attempt("journal.jsonl", lambda: out.text("journal.jsonl", (run.path / "journal.jsonl").read_text(errors="replace")))
    return into


@dataclass
class Collection:
    """The masking writer: all that is collected is written through it, by several threads, up to `TOTAL` bytes."""

    folder: Path
    known: KnownValues = NOTHING
    total: int = TOTAL
    files: dict[str, int] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def text(self, name: str, text: str) -> None:
        """Write a text, masked."""
        self._write(name, mask(text, self.known))

    def objects(self, name: str, items: list[Json]) -> None:
        """Write objects as one JSON list, masked, as many as `DUMP` bytes hold; of the rest the index says how many there are."""
        rows: list[str] = []
        size = 0
        for item in items:
            item.get("metadata", {}).pop("managedFields", None)
            text = json.dumps(mask_object(item, self.known), separators=(",", ":"), default=str)
            if size + len(text) > DUMP:
                self.lacks(name, f"{len(items) - len(rows)} of {count(len(items), 'object')} left out")
                break
            rows.append(text)
            size += len(text)
        self._write(name, "[\n" + ",\n".join(rows) + "\n]\n")

    def lacks(self, name: str, why: str) -> None:
        """Say that something is not here, or not all of it."""
        with self.lock:
            if not self.closed:
                self.missing[name] = mask(why, self.known)

    def attempt(self, name: str, task: Callable[[], object]) -> None:
        """Do a part; what it raises is written down instead."""
        try:
            task()
        except Exception as error:  # noqa: BLE001 (evidence must not replace the error it is collected for)
            self.lacks(name, str(error) or type(error).__name__)

    def close(self, head: Json) -> None:
        """Write the index; what threads that are late still bring is not taken."""
        with self.lock:
            self.closed = True
            with suppress(LabError, OSError):
                write_json(self.folder / "index.json", {**head, "missing": self.missing, "files": self.files})

    def _write(self, name: str, text: str) -> None:
        content = text.encode(errors="replace")
        with self.lock:
            if self.closed:
                return
            if sum(self.files.values()) + len(content) > self.total:
                self.missing[name] = f"left out: the collection is full ({self.total} bytes)"
                return
            self.files[name] = len(content)
        try:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            with self.lock:
                self.files.pop(name, None)
                self.missing[name] = f"not written: {error.strerror}"


# -- what is collected -------------------------------------------------------------------------------------------------------


def write_components(run: Run, out: Collection) -> None:
    """Write the state of each program, from the supervisor, or from its records where it is gone."""
    status = Supervisor(run.path).status()
    if status is None:
        rows = list(record.read_records(str(run.path)).values())
        out.lacks("components.json", "no supervisor runs: these are its last records")
    else:
        rows = [{**vars(state), "tail": state.tail(lines=5)} for state in status.programs.values()]
    out.objects("components.json", [{key: value for key, value in row.items() if key != "env"} for row in rows])


def write_logs(run: Run, out: Collection) -> None:
    """Write the end of the journal, of the events watched so far, and of every log, the latest written first."""
    for path in sorted((run.path / "evidence").glob("events-*.jsonl")):
        out.text(f"events/{path.name.removeprefix('events-')}", read_tail(path, 4 * TAIL, out.known))
    out.text("journal.jsonl", read_tail(run.path / "journal.jsonl", 4 * TAIL, out.known))
    for path in sorted((run.path / "logs").rglob("*"), key=read_mtime, reverse=True):
        if path.is_file() and path.suffix in {".log", ".jsonl"}:
            out.text(
                f"logs/{path.relative_to(run.path / 'logs')}", read_tail(path, TAIL if path.suffix == ".log" else TAIL // 2, out.known)
            )


def write_machine(run: Run, name: str, out: Collection) -> None:
    """Write the end of each log of the run's programs on a machine, and the state of each program. Raises when it does not answer."""
    owner = open_owner(run, name)
    ends = ["-exec", "tail", "--verbose", f"--bytes={TAIL + MARGIN}", "{}", "+"]
    output = open_machine(run, name).run(["find", str(owner.run / "logs"), "-name", "*.log", "-size", "+0", *ends], within=WITHIN).stdout
    for path, text in split_tails(output).items():
        log = PurePath(path).relative_to(owner.run / "logs")
        whole = len(text.encode()) <= TAIL
        out.text(f"machines/{name}/logs/{log}", text if whole else cut_end(text, TAIL, out.known, omitted="earlier lines"))
    out.objects(f"machines/{name}/components.json", [dict(vars(state)) for state in owner.programs().values()])


def write_nodes(run: Run, cluster: str, out: Collection) -> None:
    """Write what the real nodes of a cluster have to say, in four commands a node: on a busy computer each takes a second.

    Raises when Docker or the node does not answer.
    """
    engine = Local(run.path)
    record = run.recorded(NODES, cluster) or {}
    for name in record.get("machines", ()):
        write_node(open_machine(run, name), f"{cluster}/{name}", out)
    for container in record["containers"]:
        of = cluster if container == record["containers"][0] else f"{cluster}/{container}"
        write_node(Container(container, engine), of, out)
        out.text(f"nodes/{of}/container.json", engine.run(["docker", "inspect", "--type", "container", container]).stdout)
        out.text(f"nodes/{of}/console.log", engine.run(["docker", "logs", "--tail", "300", container]).stdout)


def write_node(node: Machine, of: str, out: Collection) -> None:
    """Write the logs of a node's pods, and the journal of its kubelet and containerd."""
    ends = ["-exec", "tail", "--verbose", "--lines=400", "{}", "+"]
    output = node.run(["find", "/var/log/pods", "-name", "*.log", "-size", "+0", *ends], within=10.0).stdout
    for path, text in split_tails(output).items():
        pod, program = path.split("/")[4:6]
        out.text(f"nodes/{of}/pods/{pod.rpartition('_')[0]}_{program}.log", text)
    units = [word for unit in ("kubelet", "*containerd") for word in ("--unit", unit)]
    out.text(f"nodes/{of}/journal.log", node.run(["journalctl", "--no-pager", "--lines=800", *units], within=10.0).stdout)


def split_tails(output: str) -> dict[str, str]:
    """Return what `tail --verbose` printed by the path of each file; of one container's files, the last there was."""
    found: dict[str, str] = {}
    for part in re.split(r"^==> ", output, flags=re.MULTILINE)[1:]:
        path, _, text = part.partition(" <==\n")
        found[path] = text
    return found


def read_mtime(path: Path) -> float:
    """Return when a file was last written; 0 when it is gone meanwhile."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def read_tail(path: Path, size: int, known: KnownValues) -> str:
    """Return the end of a text file, whole lines, and before it how much is left out; "" when there is no such file."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            start = max(0, end - size - MARGIN)
            file.seek(start)
            text = file.read(end - start).decode(errors="replace")
    except OSError:
        return ""
    return text if end <= size else cut_end(text, size, known, omitted=f"{end - size} bytes before")


def cut_end(text: str, size: int, known: KnownValues, *, omitted: str) -> str:
    """Return the last `size` characters of a longer text, masked, whole lines, after a line that says what is `omitted`."""
    text = mask(text, known)[-size:]
    return f"… {omitted} are left out\n{text.partition(chr(10))[2]}"


def write_cluster(kubeconfig: Path, out: Collection, *, deadline: float) -> None:
    """Write the objects of one cluster until `deadline`. Raises when its API server does not answer."""
    name = kubeconfig.stem
    api = Api.open(kubeconfig)
    api.http.timeout = httpx.Timeout(4.0, connect=2.0)
    try:
        out.text(f"clusters/{name}/version.json", json.dumps(api.get("/version")))
        for resource, path in [*RESOURCES.items(), *list_other_resources(api)]:
            if time.monotonic() > deadline:
                out.lacks(f"clusters/{name}/{resource}.json", "no time was left")
                continue
            write_objects(api, path, f"clusters/{name}/{resource}.json", out)
    finally:
        api.http.close()


def write_objects(api: Api, path: str, name: str, out: Collection) -> None:
    """Write the first 500 objects of one kind. A kind that the server does not have is passed over."""
    try:
        resource, _, query = path.partition("?")
        selector = {"fieldSelector": query.removeprefix("fieldSelector=")} if query else {}
        listed = api.get(resource, limit="500", **selector)
    except Refused as refused:
        if refused.status != 404:
            out.lacks(name, str(refused))
        return
    if more := listed["metadata"].get("remainingItemCount"):
        out.lacks(name, f"{count(more, 'object')} left out")
    if listed.get("items"):
        out.objects(name, listed["items"])


def list_other_resources(api: Api) -> Iterator[tuple[str, str]]:
    """Yield (name, path) of every kind that can be listed and is not Kubernetes' own. The core group has Secrets: it is Kubernetes' own."""
    for group, root, resource in list_listable(api):
        if group and not KUBERNETES_OWN.fullmatch(group):
            yield f"{resource}.{group}", f"{root}/{resource}"


def list_listable(api: Api) -> Iterator[tuple[str, str, str]]:
    """Yield (group, path of its version, resource) of every kind that can be listed; "" is the core group.

    Each kind once, in the version that its server prefers, or, since that one may not have every kind of its group, in another.
    """
    for group in [{"name": "", "versions": [{"groupVersion": "v1"}]}, *api.get("/apis").get("groups", [])]:
        seen: set[str] = set()
        preferred = group.get("preferredVersion")
        for version in [*([preferred] if preferred else []), *(each for each in group.get("versions", []) if each != preferred)]:
            root = f"/apis/{version['groupVersion']}" if group["name"] else f"/api/{version['groupVersion']}"
            for resource in (api.find(root) or {}).get("resources", []):
                if "list" in resource.get("verbs", []) and "/" not in resource["name"] and resource["name"] not in seen:
                    seen.add(resource["name"])
                    yield group["name"], root, resource["name"]
