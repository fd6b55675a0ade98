"""The signal that ended a remote command.

The server sends it as `exit-signal` (RFC 4254, 6.10). paramiko 5.1 drops that request, and a killed command would have no status at all.
"""

from __future__ import annotations

import signal

import paramiko
from paramiko.common import MSG_CHANNEL_REQUEST
from paramiko.message import Message

SIGNALLED = -1000
"""An exit status of SIGNALLED - N in a channel stands for signal N: -1 is paramiko's own sign for none at all, and could be SIGHUP."""


def read_status(channel: paramiko.Channel) -> int | None:
    """Return how a command ended, as subprocess does: its status, -N for signal N; None when the server did not say."""
    status = channel.exit_status
    if status <= SIGNALLED:
        return status - SIGNALLED
    return None if status == -1 else status


def report_exit_signals(transport: paramiko.Transport) -> None:
    """Let the channels of a transport keep the signal that ended their command, for `read_status`."""
    table = dict(transport._channel_handler_table)  # type: ignore[attr-defined] # noqa: SLF001 (paramiko has no public place for it)
    inherited = table[MSG_CHANNEL_REQUEST]

    def handle(channel: paramiko.Channel, message: Message) -> None:
        body = message.asbytes()
        number = parse_exit_signal(body)
        if number is None:
            inherited(channel, message)
            return
        channel.exit_status = SIGNALLED - number
        channel.status_event.set()

    table[MSG_CHANNEL_REQUEST] = handle
    transport._channel_handler_table = table  # type: ignore[attr-defined] # noqa: SLF001


def parse_exit_signal(body: bytes) -> int | None:
    """Return the number of the signal in a channel request; None when it is another request. An unknown signal counts as KILL."""
    message = Message(body)
    try:
        message.get_int()  # the channel's number
        if message.get_text() != "exit-signal":
            return None
        message.get_boolean()
        name = message.get_text()
    except UnicodeDecodeError:
        return None
    number = getattr(signal, f"SIG{name.partition('@')[0]}", signal.SIGKILL)
    return int(number)
