"""Commands in a machine through QEMU's guest agent: it answers without a network, so also before a machine has an identity."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from lab.errors import ProvisionError
from lab.factories.vm.connection import LibvirtFailed, ask_agent
from lab.wait import NotYet, until

UNRESPONSIVE = 86
"""VIR_ERR_AGENT_UNRESPONSIVE: the agent has not answered, or was not asked."""
NOT_SENT = "not available for now"


def run_by_agent(domain: Any, argv: Sequence[str], *, input: str = "", within: float = 60.0) -> str:
    """Run a command in the machine to its end and return what it printed. ProvisionError when its status is not 0."""
    arguments: dict[str, Any] = {"path": argv[0], "arg": list(argv[1:]), "capture-output": True}
    if input:
        arguments["input-data"] = encode(input)
    asked = json.dumps({"execute": "guest-exec", "arguments": arguments})
    answer = until(partial(ask_when_there, domain, asked), what=f"the guest agent of {domain.name()} takes a command", within=within)
    pid = answer["return"]["pid"]

    def ended() -> dict[str, Any]:
        asked = json.dumps({"execute": "guest-exec-status", "arguments": {"pid": pid}})
        state: dict[str, Any] = ask_when_there(domain, asked)["return"]
        if not state["exited"]:
            raise NotYet(f"{argv[0]} still runs")
        return state

    state = until(ended, what=f"{argv[0]} in {domain.name()} has ended", within=within)
    printed = decode(state.get("out-data", "")) + decode(state.get("err-data", ""))
    if state.get("exitcode") != 0:
        raise ProvisionError(f"running {argv[0]} failed: it exited with {state.get('exitcode')}", where=domain.name(), detail=printed)
    return printed


def ask_when_there(domain: Any, command: str) -> dict[str, Any]:
    """Return the agent's answer. NotYet when libvirt has not sent the command, as while it connects with the agent again."""
    try:
        answer: dict[str, Any] = json.loads(ask_agent(domain, command))
    except LibvirtFailed as failed:
        if failed.code == UNRESPONSIVE and NOT_SENT in failed.what:
            raise NotYet(failed.what) from failed
        raise
    return answer


def check_agent(domain: Any) -> None:
    """Return when the guest agent answers; NotYet before."""
    try:
        ask_agent(domain, '{"execute": "guest-ping"}', within=5)
    except LibvirtFailed as failed:
        raise NotYet(failed.what) from failed


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decode(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")
