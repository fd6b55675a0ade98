"""The status of a lab: for `lab status`, the end of `lab up`, and the check whether `lab up` has anything to do.

It is read from the supervisor, /proc, the records of what the lab is expected to run, and the APIs, with the standard library only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lab.count import count
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.supervisor.order import stop_waves
from lab.supervisor.state import ProgramState, SupervisorStatus

SCHEMA = 1
"""Of the document that `-o json` prints. It counts up when a field changes its meaning or goes."""

Json = dict[str, Any]
PAGE = os.sysconf("SC_PAGE_SIZE")
CLUSTERS = "/apis/cluster.karmada.io/v1alpha1/clusters"

Verdict = Literal["up", "degraded", "stopped", "failed"]
"""up: all serves; degraded: a part does not; stopped: taken down with --keep; failed: its processes ended without `lab down`."""

KERNEL = {"T": "paused", "t": "paused", "Z": "zombie", "X": "zombie"}
"""States in /proc/PID/stat of a process that exists and does not run."""


@dataclass(frozen=True)
class ProgramStatus:
    """One program of the lab. `ok`: it runs and is through its start, or the lab is not expected to run it any more.

    `state` is one of the supervisor's, or starting, paused, zombie, or missing (expected, and unknown to the supervisor).
    """

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

    @property
    def full_name(self) -> str:
        """The name by which every verb knows it."""
        return f"{self.cluster}/{self.name}" if self.cluster else self.name


@dataclass(frozen=True)
class MemberStatus:
    """One member as Karmada sees it. `why` is Karmada's reason when it is not Ready."""

    name: str
    mode: str
    ready: bool
    version: str = ""
    why: str = ""


@dataclass(frozen=True)
class LabStatus:
    """A lab at one moment."""

    lab: str
    path: str
    state: Verdict
    created: float
    components: tuple[ProgramStatus, ...]
    members: tuple[MemberStatus, ...] | None
    """None: there is no Karmada here, or it does not answer (`members_unknown` says which)."""
    members_unknown: str = ""
    holders: tuple[tuple[str, int], ...] = ()
    kept: bool = False
    """It runs until it is taken down; otherwise until its last holder lets go."""
    supervisor: int | None = None
    rss: int = 0
    kubeconfig: str | None = None
    wrong: tuple[str, ...] = ()
    """Faults, a sentence each, first causes first."""
    notes: tuple[str, ...] = ()
    """Deliberate deviations, such as a paused component (records `notes` of the run)."""
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


PATIENCE = 10.0
"""Seconds for an answer. A healthy lab answers in tenths of a second; on a computer that is busy with other work one took more than two."""


def lab_status(run: Run, *, now: float | None = None, within: float = PATIENCE) -> LabStatus:
    """Return the status of a lab, without changing it. An API that does not answer within `within` seconds counts as failed."""
    seen = Supervisor(run.path).status()
    states = seen.programs if seen else read_records(run)
    expected = expected_programs(run)
    listed = [
        *node_statuses(run),
        *(program_status(state, now or time.time(), expected=state.name in expected) for state in states.values()),
    ]
    elsewhere = machine_programs(run, now or time.time(), expected)
    known = states.keys() | {part.full_name for part in elsewhere}
    components = (*listed, *elsewhere, *(missing_program(name) for name in sorted(expected - known)))
    asked = expected_members(run)
    members: Sequence[MemberStatus] | str = "no Karmada was requested"
    found: list[str] = []
    if asked is not None:
        members = ask_members(run, within=within) if seen else "it does not run"
    if seen or node_statuses(run):
        running = [name for name in sort_by_need(states) if states[name].state == "running"]
        running += [part.full_name for part in elsewhere if part.state == "running"]
        found = examine_running(run, running, within=within)
    return combine_status(run, seen, components, asked, members, found, order=sort_by_need(states))


def examine_running(run: Run, running: Sequence[str], *, within: float) -> list[str]:
    """Run all checks of a running lab; return its faults."""
    from lab.status.checks import find_faults  # noqa: PLC0415 (0.2 s of CPU, and 0.5 s is all that `lab status` takes)

    return find_faults(run, running, within=within)


def combine_status(
    run: Run,
    seen: SupervisorStatus | None,
    components: tuple[ProgramStatus, ...],
    asked: set[str] | None,
    members: Sequence[MemberStatus] | str,
    found: Sequence[str] = (),
    order: Sequence[str] = (),
) -> LabStatus:
    """Combine the parts into a status. Pure."""
    running = [part for part in components if part.state == "running"]
    known = None if isinstance(members, str) else tuple(members)
    wrong = [*program_faults(components, order), *found, *(member_faults(asked, members) if asked is not None else ())]
    state: Verdict
    if not running:
        state = "stopped" if all(part.state in {"stopped", "missing"} for part in components) else "failed"
    else:
        state = "degraded" if wrong else "up"
    kubeconfig = run.path / "kubeconfig.yaml"
    return LabStatus(
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
        rss=sum(part.rss for part in components) + (read_rss(seen.pid) if seen else 0),
        kubeconfig=str(kubeconfig) if kubeconfig.exists() else None,
        wrong=tuple(dict.fromkeys(wrong)),
        notes=tuple(note["text"] for note in run.records("notes").values()),
    )


def program_faults(components: Sequence[ProgramStatus], order: Sequence[str] = ()) -> list[str]:
    """Return a sentence for each program that is not ok, those that others need first."""
    place = {name: number for number, name in enumerate(order)}
    bad = sorted((part for part in components if not part.ok), key=lambda part: place.get(part.full_name, len(place)))
    return [
        f"{part.full_name} is {part.state}" + (f" after {count(part.restarts, 'crash')}" if part.state == "waiting" else "") for part in bad
    ]


def member_faults(asked: set[str], members: Sequence[MemberStatus] | str) -> list[str]:
    """Return a sentence for each member that was asked for and is not joined, and each that is and is not Ready."""
    if isinstance(members, str):
        return [members]
    there = {member.name for member in members}
    return [
        *(f"{name} is not joined to Karmada" for name in sorted(asked - there)),
        *(f"{member.name} is not Ready in Karmada: {member.why}" for member in members if not member.ready),
    ]


def sort_by_need(states: Mapping[str, ProgramState]) -> list[str]:
    """Return the programs' names, each after those that it needs."""
    return [name for wave in reversed(stop_waves({name: state.needs for name, state in states.items()})) for name in wave]


def expected_programs(run: Run) -> set[str]:
    """Return the programs that the lab is expected to run, by the records of their starts (lab.component)."""
    return {str(row["name"]) for row in run.records("health").values()}


def missing_program(full_name: str) -> ProgramStatus:
    """Return the status of an expected program that the supervisor does not know."""
    cluster, _, name = full_name.rpartition("/")
    return ProgramStatus(cluster=cluster, name=name, state="missing", ok=False)


def kernel_state(pid: int | None) -> str:
    """Return "paused" or "zombie" for a process that exists and does not run; "" for one that may run."""
    try:
        letter = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
    return KERNEL.get(letter, "")


def program_status(state: ProgramState, now: float, *, expected: bool = False) -> ProgramStatus:
    """Return one program as it is shown. One that is `expected` to run is not ok when it is stopped."""
    cluster, _, name = state.name.rpartition("/")
    runs = state.state == "running"
    halted = kernel_state(state.pid) if runs and state.pid else ""
    return ProgramStatus(
        cluster=cluster,
        name=name,
        state=halted or ("starting" if runs and not state.settled else state.state),
        ok=(runs and state.settled and not halted) or (state.state == "stopped" and not expected),
        pid=state.pid if state.runs else None,
        restarts=state.restarts,
        uptime=round(now - state.started_at, 1) if runs and state.started_at else None,
        rss=read_rss(state.pid) if runs and state.pid else 0,
        ports=state.ports,
        log=str(state.log),
    )


def machine_programs(run: Run, now: float, expected: set[str]) -> list[ProgramStatus]:
    """Return the programs of this lab on its machines, all machines asked at once; for one that does not answer, that and why."""
    if not run.records("program-owners"):
        return []
    from lab.programs import ask_machines  # noqa: PLC0415 (0.12 s of CPU, for labs with machines)

    shown: list[ProgramStatus] = []
    for name, found in ask_machines(run).items():
        if isinstance(found, str):
            shown.append(ProgramStatus("machines", name, f"unknown: {found}", ok=False))
            continue
        statuses = [program_status(replace(state, pid=None), now, expected=state.name in expected) for state in found.values()]
        shown += [replace(each, log=f"{name}:{each.log}") for each in statuses]
    return shown


def node_statuses(run: Run) -> tuple[ProgramStatus, ...]:
    """Return the containers that are nodes of this lab as programs of their clusters: what pods there do is asked of the cluster."""
    records = run.records("nodes")
    if not records:
        return ()
    from lab import docker  # noqa: PLC0415 (0.15 s of CPU: an HTTP client and TLS, for clusters in containers)
    from lab.docker_engine import find_engine  # noqa: PLC0415 (as above)

    states = docker.list_container_states(find_engine(run.path))
    found = []
    for cluster, record in records.items():
        for name in record["containers"]:
            state = states.get(name, "gone") if states is not None else "unknown: Docker does not answer"
            found.append(ProgramStatus(cluster, "node", state, ok=state == "running", log=f"docker logs {name}"))
    return tuple(found)


def read_records(run: Run) -> dict[str, ProgramState]:
    """Return the programs from their records, where no supervisor runs: one that ran then counts as lost."""
    from lab.supervisor import record  # noqa: PLC0415 (0.09 s of CPU, for labs that ended)

    states = {}
    for name, row in record.read_records(str(run.path)).items():
        gone = {**row, "state": "lost" if row.get("state") in record.LIVE | {"waiting"} else row.get("state"), "pid": None}
        try:
            states[name] = ProgramState.parse(gone)
        except (KeyError, TypeError):
            continue
    return states


def read_rss(pid: int) -> int:
    """Return the resident bytes of a process; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0


def expected_members(run: Run) -> set[str] | None:
    """Return the members this lab was asked to have joined; None when it was asked for no Karmada."""
    asked: Mapping[str, Any] = run.asked
    if not asked.get("karmada"):
        return None
    return {member["name"] for member in asked["lab"]["members"] if member.get("mode") != "none"}


def ask_members(run: Run, *, within: float) -> list[MemberStatus] | str:
    """Return Karmada's members, or the reason why it does not answer."""
    from lab.status.checks import KARMADA_CONTEXT  # noqa: PLC0415 (see `examine_running`)
    from lab.status.client import Client, Silent  # noqa: PLC0415 (0.13 s of CPU, for labs that run)

    try:
        with Client(run.path / "kubeconfig.yaml", KARMADA_CONTEXT, within=within) as api:
            return [member_status(item) for item in api.get(CLUSTERS)["items"]]
    except (Silent, KeyError, TypeError, ValueError) as error:
        return f"Karmada does not answer: {str(error) or type(error).__name__}"


def member_status(item: Json) -> MemberStatus:
    """Return one member from Karmada's Cluster object."""
    conditions = {condition["type"]: condition for condition in item.get("status", {}).get("conditions", [])}
    ready = conditions.get("Ready", {})
    return MemberStatus(
        name=item["metadata"]["name"],
        mode=item.get("spec", {}).get("syncMode", "").lower(),
        ready=ready.get("status") == "True",
        version=item.get("status", {}).get("kubernetesVersion", ""),
        why="" if ready.get("status") == "True" else ready.get("message") or ready.get("reason") or "no condition yet",
    )
