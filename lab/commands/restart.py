"""`lab restart`: one program ended and started again."""

from __future__ import annotations

import time
from typing import Annotated

from lab.commands.options import DEFAULT_LAB, ComponentArgument, LabName, option
from lab.console import say, seconds_text
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.wait import NotYet

Within = Annotated[float, option("--within", help="Seconds it may take until it serves again.")]


def restart(component: ComponentArgument, lab: LabName = DEFAULT_LAB, within: Within = 90.0) -> None:
    """Restart one program, as member1/etcd.

    It is ended and started again; returns when it serves.
    """
    run = Run.load(lab)
    supervisor = Supervisor(run.path)
    began = time.monotonic()
    state = supervisor.restart(component)

    def serving() -> None:
        for port in state.ports:
            ask(port)

    supervisor.ready(component, serving, within=within, what=f"{component} serves")
    say(f"{component} serves again after {seconds_text(time.monotonic() - began)} (pid {supervisor.state(component).pid})")


def ask(port: int) -> None:
    """Return when the program behind a port of this computer says that it serves, or does not speak HTTP to us; NotYet otherwise."""
    import http.client
    import socket
    import ssl

    unverified = ssl._create_unverified_context()  # noqa: S323, SLF001 (asked whether it serves, never trusted with anything)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            pass
    except OSError as error:
        raise NotYet(f"port {port}: {error.strerror or error}") from error
    for connection in (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=2.0, context=unverified),
        http.client.HTTPConnection("127.0.0.1", port, timeout=2.0),
    ):
        try:
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
        except TimeoutError as error:
            raise NotYet(f"port {port}: does not answer") from error
        except (OSError, http.client.HTTPException):
            continue  # it wants a certificate, or speaks another protocol: that it listens must do
        finally:
            connection.close()
        if status >= 500:
            raise NotYet(f"port {port}: /readyz says {status}")
        return
