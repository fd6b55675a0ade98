"""An engine with containers that are recorded for a run."""

from __future__ import annotations

import pytest

from lab.factories import containers
from lab.machines.scripted import Answer, Scripted

NAME = "karmada-lab.try.machine1"


def engine_of(monkeypatch: pytest.MonkeyPatch, there: list[str], **answers: Answer) -> Scripted:
    def remove(argv: tuple[str, ...]) -> str:
        there[:] = [name for name in there if name not in argv]
        return ""

    def add(_: tuple[str, ...]) -> str:
        there.append(NAME)
        return ""

    table: dict[tuple[str, ...], Answer] = {
        ("docker", "ps"): lambda _: "\n".join(there),
        ("docker", "run"): add,
        ("docker", "start"): "",
        ("docker", "rm"): remove,
        ("docker", "exec"): "running\n",
        ("docker", "inspect"): "172.17.0.5 \n",
    }
    engine = Scripted({**table, **{("docker", verb): answer for verb, answer in answers.items()}})
    monkeypatch.setattr(containers, "Local", lambda _: engine)
    return engine
