"""What a lab is seen to be: the one picture behind `lab status`, the end of `lab up` and the test whether `lab up` has anything to do.

It is read from the supervisor, /proc and, where there is one, the Karmada API, with the standard library only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.supervisor.state import State, Status

SCHEMA = 1
"""Of the document that `-o json` prints. It counts up when a field changes its meaning or goes."""

Json = dict[str, Any]
PAGE = os.sysconf("SC_PAGE_SIZE")
KARMADA_CONTEXT = "karmada-apiserver"
CLUSTERS = "/apis/cluster.karmada.io/v1alpha1/clusters"

Verdict = Literal["up", "degraded", "stopped", "failed"]
"""up: all serves; degraded: a part does not; stopped: taken down with --keep; failed: its processes are gone though nobody said so."""


@dataclass(frozen=True)
class Program:
    """One program of the lab. `ok`: it runs and is through its start, or was stopped because somebody asked."""

    cluster: str
    name: str
    state: str
    ok: bool
    pid: int | None = None
    restarts: int = 0
    uptime: float | None = None
    rss: int = 0
    ports: tuple[int, ...] = ()
    log: str = ""


@dataclass(frozen=True)
class Member:
    """One member as Karmada sees it. `why` is Karmada's reason when it is not Ready."""

    name: str
    mode: str
    ready: bool
    version: str = ""
    why: str = ""


@dataclass(frozen=True)
class Observed:
    """A lab at one moment."""

    lab: str
    path: str
    state: Verdict
    created: float
    components: tuple[Program, ...]
    members: tuple[Member, ...] | None
    """None: there is no Karmada here, or it does not answer (`members_unknown` says which)."""
    members_unknown: str = ""
    holders: tuple[tuple[str, int], ...] = ()
    kept: bool = False
    """It runs until it is taken down; otherwise until its last holder lets go."""
    supervisor: int | None = None
    rss: int = 0
    kubeconfig: str | None = None
    notes: tuple[str, ...] = ()
    """What is not as somebody would expect it, said by who made it so (records `notes` of the run)."""
    schema: int = field(default=SCHEMA)

    @property
    def ok(self) -> bool:
        return self.state == "up"

    def document(self) -> Json:
        """Return what `-o json` prints."""
        rest = asdict(self)
        head = {key: rest.pop(key) for key in ("schema", "lab", "state")}
        rest["holders"] = [{"label": label, "pid": pid} for label, pid in self.holders]
        return {**head, **rest}


def observe(run: Run, *, now: float | None = None, within: float = 2.0) -> Observed:
    """Look at a lab. Nothing is changed; an API that does not answer within that time is said not to."""
    seen = Supervisor(run.path).status()
    states = seen.programs if seen else recorded(run)
    components = (*nodes(run), *(program(state, now or time.time()) for state in states.values()))
    asked = asked_members(run)
    members: Sequence[Member] | str = "no Karmada is asked for"
    if asked is not None:
        members = ask_members(run, within=within) if seen else "it does not run"
    return verdict(run, seen, components, asked, members)


def verdict(
    run: Run, seen: Status | None, components: tuple[Program, ...], asked: set[str] | None, members: Sequence[Member] | str
) -> Observed:
    """Put the parts together and say what they amount to. Pure."""
    running = [part for part in components if part.state == "running"]
    known = None if isinstance(members, str) else tuple(members)
    there = {member.name for member in known or () if member.ready}
    state: Verdict
    if not running:
        state = "stopped" if all(part.state == "stopped" for part in components) else "failed"
    elif all(part.ok for part in components) and (asked is None or (known is not None and asked <= there)):
        state = "up"
    else:
        state = "degraded"
    kubeconfig = run.path / "kubeconfig.yaml"
    return Observed(
        lab=run.id,
        path=str(run.path),
        state=state,
        created=run.created,
        components=components,
        members=known,
        members_unknown=members if isinstance(members, str) else "",
        holders=seen.holders if seen else (),
        kept=seen.detached if seen else False,
        supervisor=seen.pid if seen else None,
        rss=sum(part.rss for part in components) + (rss_of(seen.pid) if seen else 0),
        kubeconfig=str(kubeconfig) if kubeconfig.exists() else None,
        notes=tuple(note["text"] for note in run.records("notes").values()),
    )


def program(state: State, now: float) -> Program:
    """Return one program as it is shown."""
    cluster, _, name = state.name.rpartition("/")
    runs = state.state == "running"
    return Program(
        cluster=cluster,
        name=name,
        state="starting" if runs and not state.settled else state.state,
        ok=(runs and state.settled) or state.state == "stopped",
        pid=state.pid if state.runs else None,
        restarts=state.restarts,
        uptime=round(now - state.started_at, 1) if runs and state.started_at else None,
        rss=rss_of(state.pid) if runs and state.pid else 0,
        ports=state.ports,
        log=str(state.log),
    )


def nodes(run: Run) -> tuple[Program, ...]:
    """Return the containers that are nodes of this lab as programs of their clusters: what pods there do is asked of the cluster."""
    records = run.records("nodes")
    if not records:
        return ()
    from lab import docker

    states = docker.states()
    found = []
    for cluster, record in records.items():
        for name in record["containers"]:
            state = states.get(name, "gone") if states is not None else "unknown: Docker does not answer"
            found.append(Program(cluster, "node", state, ok=state == "running", log=f"docker logs {name}"))
    return tuple(found)


def recorded(run: Run) -> dict[str, State]:
    """Return the programs as their records tell, where no supervisor is: whatever ran then does not run now."""
    from lab.supervisor import record

    states = {}
    for name, row in record.read_all(str(run.path)).items():
        gone = {**row, "state": "lost" if row.get("state") in record.LIVE | {"waiting"} else row.get("state"), "pid": None}
        try:
            states[name] = State.parse(gone)
        except (KeyError, TypeError):
            continue
    return states


def rss_of(pid: int) -> int:
    """Return the resident bytes of a process; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0


def asked_members(run: Run) -> set[str] | None:
    """Return the members this lab was asked to have joined; None when it was asked for no Karmada."""
    asked: Mapping[str, Any] = run.asked
    if not asked.get("karmada"):
        return None
    return {member["name"] for member in asked["lab"]["members"] if member.get("mode") != "none"}


def ask_members(run: Run, *, within: float) -> list[Member] | str:
    """Ask Karmada for its members; a text says why it could not be asked."""
    import http.client

    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load((run.path / "kubeconfig.yaml").read_bytes(), Loader=loader)  # noqa: S506 (safe loaders both)
        answer = fetch(document, KARMADA_CONTEXT, CLUSTERS, within=within)
        return [member(item) for item in answer["items"]]
    except (OSError, yaml.YAMLError, http.client.HTTPException, KeyError, TypeError, ValueError, StopIteration) as error:
        return f"Karmada does not answer: {str(error) or type(error).__name__}"


def member(item: Json) -> Member:
    """Return one member from Karmada's Cluster object."""
    conditions = {condition["type"]: condition for condition in item.get("status", {}).get("conditions", [])}
    ready = conditions.get("Ready", {})
    return Member(
        name=item["metadata"]["name"],
        mode=item.get("spec", {}).get("syncMode", "").lower(),
        ready=ready.get("status") == "True",
        version=item.get("status", {}).get("kubernetesVersion", ""),
        why="" if ready.get("status") == "True" else ready.get("message") or ready.get("reason") or "no condition yet",
    )


def fetch(kubeconfig: Json, context: str, path: str, *, within: float) -> Json:
    """Return what the API server of a context of a kubeconfig answers to one GET."""
    import base64
    import http.client
    import json
    import ssl
    import tempfile
    from urllib.parse import urlsplit

    def entry(kind: str, name: str) -> Json:
        found: Json = next(item[kind] for item in kubeconfig[f"{kind}s"] if item["name"] == name)
        return found

    chosen = entry("context", context)
    cluster, user = entry("cluster", chosen["cluster"]), entry("user", chosen["user"])
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    if "client-certificate-data" in user:
        with tempfile.NamedTemporaryFile() as pair:  # mode 0600; the ssl module reads certificates from files only
            pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
            pair.flush()
            tls.load_cert_chain(pair.name)
    address = urlsplit(cluster["server"])
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    connection = http.client.HTTPSConnection(str(address.hostname), address.port, context=tls, timeout=within)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(f"{response.status} {response.reason}")
        answer: Json = json.loads(response.read())
        return answer
    finally:
        connection.close()
