"""Removing containers beside a guard that removes them, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.docker import list_containers
from lab.docker.remove import BY_GUARD, remove_containers
from lab.errors import ProvisionError
from lab.machines.scripted import Answer, Scripted, ScriptedFailure
from lab.run import Run

NAME = "karmada-lab.try.node"


def remove_all(tmp_path: Path, removal: Answer, there: list[str]) -> Scripted:
    engine = Scripted({("docker", "ps"): lambda _: "\n".join(there), ("docker", "rm"): removal})
    run = Run.create("try", {}, root=tmp_path)
    remove_containers(run, engine, lambda: list_containers(engine, "karmada-lab.try."), recorded=[NAME], what="nodes")
    return engine


@pytest.mark.parametrize("output", BY_GUARD)
def test_containers_that_the_guard_is_removing_are_waited_for(tmp_path: Path, output: str) -> None:
    there = [NAME]

    def removed_by_guard(_: tuple[str, ...]) -> ScriptedFailure:
        there.clear()
        return ScriptedFailure(1, f"Error response from daemon: {output}")

    assert remove_all(tmp_path, removed_by_guard, there).transcript().count("docker rm") == 1


def test_any_other_failure_names_the_recorded_containers_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="Docker") as error:
        remove_all(tmp_path, ScriptedFailure(1, "Cannot connect to the Docker daemon"), [NAME])
    assert error.value.where == NAME
    assert "down --lab try" in (error.value.remedy or "")
