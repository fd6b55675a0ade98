from __future__ import annotations

import json
from typing import Any

import pytest

from lab.factories.vm import agent
from lab.factories.vm.connection import LibvirtFailed


class Refusal:
    """An error of libvirt."""

    def __init__(self, message: str) -> None:
        self.message = message

    def get_error_message(self) -> str:
        return self.message

    def get_error_code(self) -> int:
        return agent.UNRESPONSIVE


class Domain:
    """A domain by its name."""

    def name(self) -> str:
        return "guest"


def answer_with(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> list[str]:
    """Have the agent give these answers in turn; return the commands that it is sent."""
    left, sent = list(answers), []

    def ask(_domain: Any, command: str, *, within: int = 10) -> str:
        sent.append(json.loads(command)["execute"])
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return json.dumps({"return": answer})

    monkeypatch.setattr(agent, "ask_agent", ask)
    return sent


ENDED = {"exited": True, "exitcode": 0, "out-data": agent.encode("done")}


def test_a_command_that_was_not_sent_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    away = LibvirtFailed("asking", Refusal(f"Guest agent {agent.NOT_SENT}"))
    sent = answer_with(monkeypatch, away, {"pid": 7}, away, ENDED)

    assert agent.run_by_agent(Domain(), ["id"]) == "done"
    assert sent == ["guest-exec"] * 2 + ["guest-exec-status"] * 2


def test_a_command_that_may_have_been_sent_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = answer_with(monkeypatch, LibvirtFailed("asking", Refusal("no answer within 10 seconds")))
    with pytest.raises(LibvirtFailed):
        agent.run_by_agent(Domain(), ["id"])

    assert sent == ["guest-exec"]
