"""Ask a lab once what is wrong with it, from its disks up to its workloads, within seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from lab.diagnosis.cause import Cause, Diagnosis, Rank, sort_causes
from lab.diagnosis.certificates import find_certificate_causes
from lab.diagnosis.computer import find_computer_causes
from lab.diagnosis.programs import find_machine_causes, find_program_causes
from lab.diagnosis.propagation import find_propagation_causes
from lab.diagnosis.store import find_store_causes
from lab.diagnosis.workloads import find_workload_causes
from lab.errors import LabError
from lab.hints import command
from lab.run import Run
from lab.status.checks import HOST_CONTEXT, KARMADA_CONTEXT, Question, describe_silence, list_host_contexts, list_questions
from lab.status.client import Client, Silent
from lab.status.lab_status import ask_members, expected_members, member_faults, node_statuses, sort_by_need
from lab.supervisor.client import Supervisor
from lab.supervisor.state import SupervisorStatus

WITHIN = 2.0
"""Seconds that a diagnosis takes at most: it is made while an error passes, and the error is not to be late."""

PATIENCE = 3.0
"""Times `within` that late sources get while nothing is found."""


@dataclass
class CauseSource:
    """One source of causes, and what it has answered so far. `ended`: it has answered in full."""

    name: str
    find: Callable[[], Iterable[Cause]]
    causes: list[Cause] = field(default_factory=list)
    ended: bool = False

    def ask(self) -> None:
        """Collect the causes, one by one: those that were found before a time-out count."""
        try:
            for cause in self.find():
                self.causes.append(cause)
            self.ended = True
        except Silent:
            self.ended = True  # the check of its server reports that
        except (LabError, OSError, KeyError, TypeError, ValueError, AttributeError):
            return


def diagnose(run: Run, *, namespace: str = "", within: float = WITHIN) -> Diagnosis:
    """Return what is wrong with a lab now.

    Nothing is changed. With `namespace` objects of other namespaces are left out. A source that has not answered within `within` seconds,
    and one that fails, is listed as unanswered: a diagnosis never raises. While nothing is found, sources that are late on a busy
    computer get three times as long.
    """
    began = time.monotonic()
    try:
        seen = Supervisor(run.path).status()
    except LabError as error:
        return Diagnosis((Cause(Rank.PROGRAM, f"the supervisor of lab {run.id} does not answer: {error.what}", blocking=True),))
    sources = list_sources(run, seen, namespace, within=PATIENCE * within - 0.2)
    threads = [threading.Thread(target=source.ask, name="diagnosis", daemon=True) for source in sources]
    for thread in threads:
        thread.start()
    join_until(threads, began + within)
    if not any(source.causes for source in sources):
        join_until(threads, began + PATIENCE * within)
    causes = sort_causes([cause for source in sources for cause in list(source.causes)])
    return Diagnosis(causes, tuple(source.name for source in sources if not source.ended))


def join_until(threads: Iterable[threading.Thread], deadline: float) -> None:
    """Return when all threads have ended, or at the deadline (of the monotonic clock)."""
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def list_sources(run: Run, seen: SupervisorStatus | None, namespace: str, *, within: float) -> list[CauseSource]:
    """Return every source of causes that applies to a lab."""
    states = seen.programs if seen else {}
    sources = [
        CauseSource("disks", partial(find_computer_causes, run)),
        CauseSource("programs", partial(find_program_causes, run, seen)),
        CauseSource("programs on machines", partial(find_machine_causes, run)),
        CauseSource("alarms of etcd", partial(find_store_causes, states, within=within)),
        CauseSource("certificates", partial(find_certificate_causes, run)),
        CauseSource("node containers", partial(find_node_container_causes, run)),
    ]
    if seen is None and not run.records("nodes"):
        return sources
    if not (run.path / "kubeconfig.yaml").is_file():
        return [*sources, CauseSource("kubeconfig", partial(explain_missing_kubeconfig, run))]
    running = [name for name in sort_by_need(states) if states[name].state == "running" and states[name].settled]
    sources += [
        CauseSource(question.subject, partial(find_server_causes, question)) for question in list_questions(run, running, within=within)
    ]
    for context in (*list_host_contexts(run), *(member["name"] for member in run.asked["lab"].get("members", []))):
        name = context if context != HOST_CONTEXT else run.asked["lab"].get("host", {}).get("name", "host")
        sources.append(CauseSource(f"workloads of {name}", partial(ask_cluster, run, context, name, namespace, within=within)))
    if run.asked.get("karmada"):
        sources.append(CauseSource("members", partial(find_member_causes, run, within=within)))
        sources.append(CauseSource("objects of Karmada", partial(ask_karmada, run, namespace, within=within)))
    return sources


def explain_missing_kubeconfig(run: Run) -> list[Cause]:
    """Return the cause of a lab without the kubeconfig by which its users, and this diagnosis, reach it."""
    return [Cause(Rank.SERVER, f"kubeconfig.yaml of lab {run.id} is missing", command("up", lab=run.id), blocking=True)]


def find_server_causes(question: Question) -> list[Cause]:
    """Return the causes that a check of `lab status` finds: of a server, its nodes, leases, webhooks or the objects of a join.

    An API that does not answer blocks, and so does each fault that does not pass by itself.
    """
    try:
        return [Cause(Rank.SERVER, fault, blocking=not question.may_pass) for fault in question.ask()]
    except Silent as silent:
        return [Cause(Rank.SERVER, describe_silence(question.subject, silent), blocking=True)]


def find_node_container_causes(run: Run) -> list[Cause]:
    """Return a cause for each container of a kind cluster that does not run."""
    return [
        Cause(Rank.PROGRAM, f"node container of {node.cluster} is {node.state} ({node.log})", blocking=True)
        for node in node_statuses(run)
        if not node.ok
    ]


def find_member_causes(run: Run, *, within: float) -> list[Cause]:
    """Return a cause for each member that is not joined or not Ready, with the message of its condition."""
    members = ask_members(run, within=within)
    if isinstance(members, str):
        return []  # the check of Karmada's API server reports this
    return [Cause(Rank.CLUSTER, fault, blocking=True) for fault in member_faults(expected_members(run) or set(), members)]


def ask_cluster(run: Run, context: str, name: str, namespace: str, *, within: float) -> Iterable[Cause]:
    """Yield the causes in the workloads of a cluster."""
    with Client(run.path / "kubeconfig.yaml", context, within=within) as api:
        yield from find_workload_causes(api, name, namespace)


def ask_karmada(run: Run, namespace: str, *, within: float) -> Iterable[Cause]:
    """Yield the causes in Karmada's objects."""
    with Client(run.path / "kubeconfig.yaml", KARMADA_CONTEXT, within=within) as api:
        yield from find_propagation_causes(api, namespace)
