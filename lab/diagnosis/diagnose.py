"""Ask a lab once what is wrong with it, from its disks up to its workloads, within seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from lab.diagnosis.cause import Cause, Rank, sort_causes
from lab.diagnosis.certificates import find_certificate_causes
from lab.diagnosis.computer import find_computer_causes
from lab.diagnosis.programs import find_program_causes
from lab.diagnosis.propagation import find_propagation_causes
from lab.diagnosis.store import find_store_causes
from lab.diagnosis.workloads import find_workload_causes
from lab.errors import LabError
from lab.run import Run
from lab.status.checks import HOST_CONTEXT, KARMADA_CONTEXT, Question, ask_question, list_questions
from lab.status.client import Client, Silent
from lab.status.lab_status import ask_members, expected_members, member_faults, node_statuses, sort_by_need
from lab.supervisor.client import Supervisor
from lab.supervisor.state import SupervisorStatus

WITHIN = 2.0
"""Seconds that a diagnosis takes at most: it is made while an error passes, and the error is not to be late."""

PATIENCE = 3.0
"""Times `within` that late sources get while nothing is found."""

Source = Callable[[], Iterable[Cause]]


def diagnose(run: Run, *, namespace: str = "", within: float = WITHIN) -> tuple[Cause, ...]:
    """Return what is wrong with a lab now, first causes first; () when nothing is found.

    Nothing is changed. With `namespace` objects of other namespaces are left out. A source that has not answered within
    `within` seconds is left out, and so is one that fails: a diagnosis never raises. While nothing is found, sources that are late on a
    busy computer get three times as long.
    """
    began = time.monotonic()
    try:
        seen = Supervisor(run.path).status()
    except LabError as error:
        return (Cause(Rank.PROGRAM, f"the supervisor of lab {run.id} does not answer: {error.what}", blocking=True),)
    sources = list_sources(run, seen, namespace, within=PATIENCE * within - 0.2)
    found: list[list[Cause]] = [[] for _ in sources]
    threads = [
        threading.Thread(target=ask, args=(source, answers), name="diagnosis", daemon=True)
        for source, answers in zip(sources, found, strict=True)
    ]
    for thread in threads:
        thread.start()
    for deadline in (began + within, began + PATIENCE * within):  # the second only where nothing is found yet
        for thread in threads:
            thread.join(0.0 if any(found) and time.monotonic() > began + within else max(0.0, deadline - time.monotonic()))
    return sort_causes([cause for answers in found for cause in list(answers)])


def ask(source: Source, answers: list[Cause]) -> None:
    """Append the causes of a source, one by one; what cannot be asked is left out: the check of its server reports that."""
    try:
        for cause in source():
            answers.append(cause)  # noqa: PERF402 (those that were found before a time-out count)
    except (Silent, LabError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return


def list_sources(run: Run, seen: SupervisorStatus | None, namespace: str, *, within: float) -> list[Source]:
    """Return every source of causes that applies to a lab."""
    states = seen.programs if seen else {}
    sources: list[Source] = [
        partial(find_computer_causes, run),
        partial(find_program_causes, run, seen),
        partial(find_store_causes, states, within=within),
        partial(find_certificate_causes, run),
        partial(find_node_container_causes, run),
    ]
    if seen is None and not run.records("nodes"):
        return sources
    running = [name for name in sort_by_need(states) if states[name].state == "running" and states[name].settled]
    sources += [partial(find_server_causes, *question) for question in list_questions(run, running, within=within)]
    for context in (HOST_CONTEXT, *(member["name"] for member in run.asked["lab"].get("members", []))):
        name = context if context != HOST_CONTEXT else run.asked["lab"].get("host", {}).get("name", "host")
        sources.append(partial(ask_cluster, run, context, name, namespace, within=within))
    if run.asked.get("karmada"):
        sources += [partial(find_member_causes, run, within=within), partial(ask_karmada, run, namespace, within=within)]
    return sources


def find_server_causes(subject: str, question: Question) -> list[Cause]:
    """Return the causes that a check of `lab status` finds: of a server, its nodes, leases, webhooks or the objects of a join.

    A node or a lease may be late on a busy computer and recover; a server that does not serve and a hook that is gone block.
    """
    return [
        Cause(Rank.SERVER, fault, blocking=any(sign in fault for sign in ("does not serve", "karmada-webhook", "is gone")))
        for fault in ask_question(subject, question)
    ]


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
