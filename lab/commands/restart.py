"""`lab restart`: one program ended and started again."""

from __future__ import annotations

import socket
import time
from functools import partial
from typing import Annotated

from lab.cli.options import DEFAULT_LAB, ComponentArgument, LabName, duration
from lab.component import read_health
from lab.kubeconfig import read_ports
from lab.programs import find_program_owner
from lab.run import Run
from lab.status.checks import Question, ask_question, check_program, check_reachable
from lab.supervisor.state import ProgramState
from lab.terminal.text import say, seconds_text
from lab.wait import NotYet

Timeout = Annotated[float, duration("--timeout", help="How long it may take until it serves again.", zero=False, default="90s")]


def restart(component: ComponentArgument, lab: LabName = DEFAULT_LAB, timeout: Timeout = 90.0) -> None:
    """Restart one program, as member1/etcd.

    It is ended and started again; returns when it serves its clients: they verify its certificate by the lab's authority.
    """
    run = Run.load(lab)
    owner = find_program_owner(run, component)
    began = time.monotonic()
    state = owner.restart(component)
    owner.ready(component, partial(check_serving, run, state), within=timeout, what=f"{component} serves")
    say(f"{component} serves again after {seconds_text(time.monotonic() - began)} (pid {owner.programs()[component].pid})")


def check_serving(run: Run, state: ProgramState) -> None:
    """Return when a program serves its clients; NotYet with what one of them sees otherwise.

    Waits for the endpoints that `up` waited for, and for an API server also with the lab's kubeconfig, as its users reach it.
    """
    endpoints = read_health(run).get(state.name)
    if endpoints is None:  # of a program that something else than `up` started
        for port in state.ports:
            check_listening(port)
        return
    found = check_program(state.name, endpoints, within=2.0)
    for context, port in read_ports(run.path / "kubeconfig.yaml").items():
        if port in state.ports:
            found += ask_question(Question(state.name, partial(check_reachable, run, context, within=2.0)))
    if found:
        raise NotYet(found[0])


def check_listening(port: int) -> None:
    """Return when something listens on a port of this computer; NotYet otherwise."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            pass
    except OSError as error:
        raise NotYet(f"port {port}: {error.strerror or error}") from error
