from __future__ import annotations

import json
import shlex
import signal

import pytest

from lab import hints
from lab.errors import CommandFailed, LeakError, NotPossible, ProvisionError, TestsFailed, UsageError
from lab.interrupt import Interrupted
from lab.run import Run
from lab.specs import DEFAULT
from lab.steps import StepFailed
from lab.supply_choices import SupplyChoices
from lab.tests.cli_fakes import World, invoke, state, status, step, world

__all__ = ["world"]


def test_up_says_what_exists_and_what_to_do_next(world: World) -> None:
    done = invoke("up")

    assert done.code == 0
    assert [call["run_id"] for call in world.brought] == ["default"]
    for expected in ("lab default is up", "member1 (push), member2 (push)"):
        assert expected in done.out


def test_what_up_prints_next_are_commands_of_the_program_as_it_is_typed_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "program", lambda: ".venv/bin/lab")

    said = invoke("up", "--lab", "blue").out.partition("next:\n")[2].splitlines()
    typed = [shlex.split(line, comments=False) for line in said]

    assert typed[0][:2] == ["eval", "$(.venv/bin/lab env --lab blue)"]
    assert {words[1] for words in typed[1:]} == {"exec", "status", "logs", "down"}
    for words in typed[1:]:
        assert words[0] == ".venv/bin/lab"
        assert words[words.index("--lab") + 1] == "blue"


def test_up_passes_its_options_to_bring_up(world: World) -> None:
    done = invoke("up", "--lab", "other", "--members", "3", "--release", "1.17.1", "--source", "build", "--offline")

    assert done.code == 0
    call = world.brought[0]
    assert call["run_id"] == "other"
    assert [member.name for member in call["wanted"].lab.members] == ["member1", "member2", "member3"]
    assert call["wanted"].karmada.release == "1.17.1"
    assert call["supply"].choices == SupplyChoices(source="build", offline=True)


def test_every_word_can_come_from_the_environment(world: World) -> None:
    invoke("up", KARMADA_LAB="blue", KARMADA_LAB_MEMBERS="1", KARMADA_LAB_OFFLINE="1", KARMADA_LAB_SOURCE="bundle")

    call = world.brought[0]
    assert call["run_id"] == "blue"
    assert len(call["wanted"].lab.members) == 1
    assert call["supply"].choices == SupplyChoices(source="bundle", offline=True)


def test_a_second_up_with_the_same_options_changes_nothing(world: World) -> None:
    invoke("up")
    again = invoke("up")

    assert again.code == 0
    assert "nothing changed" in again.out
    assert len(world.brought) == 1


@pytest.mark.parametrize("words", [("--members", "1"), ("--kubernetes", "1.34.4")])
def test_a_second_up_with_other_options_is_checked_by_bring_up(world: World, words: tuple[str, ...]) -> None:
    invoke("up")
    invoke("up", *words)

    assert len(world.brought) == 2


def test_a_second_up_of_a_lab_of_which_a_program_died_brings_it_up(world: World) -> None:
    invoke("up")
    world.status = status(state("host/kube-apiserver", "exited"), state("karmada/karmada-apiserver"))
    invoke("up")

    assert len(world.brought) == 2


def test_a_second_up_of_a_lab_that_lost_a_member_brings_it_up(world: World) -> None:
    invoke("up")
    world.members = "Karmada does not answer"
    invoke("up")

    assert len(world.brought) == 2


def test_a_release_that_is_a_checkout_is_always_looked_at_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        invoke("up", "--release", "./karmada")

    assert len(world.brought) == 2


def test_warnings_are_printed_at_the_end(world: World) -> None:
    invoke("up")
    Run.load("default").record("notes", "chart-common", {"text": "the chart common is a stand-in"})

    assert "note      the chart common is a stand-in" in invoke("up").out
    assert json.loads(invoke("up", "-o", "json").out)["notes"] == ["the chart common is a stand-in"]


def test_json_has_a_schema_and_tells_whether_anything_changed(world: World) -> None:
    first = json.loads(invoke("up", "-o", "json").out)
    second = json.loads(invoke("up", "-o", "json").out)

    assert (first["schema"], first["lab"], first["state"]) == (1, "default", "up")
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["kubeconfig"] == str(world.root / "default" / "kubeconfig.yaml")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TestsFailed("conformance"), 1),
        (UsageError("words"), 2),
        (NotPossible("here"), 3),
        (ProvisionError("it died early"), 4),
        (CommandFailed(["karmadactl", "join"], status=1, output="no"), 4),
        (StepFailed({"member1/etcd": ProvisionError("died", remedy="look")}, not_started=["member1"]), 4),
        (StepFailed({"member1/etcd": NotPossible("disk full")}, not_started=[]), 3),
        (LeakError("left"), 7),
        (Interrupted(signal.SIGINT), 130),
        (Interrupted(signal.SIGTERM), 143),
    ],
)
def test_each_error_has_its_exit_code_and_is_printed_once(world: World, error: BaseException, code: int) -> None:
    world.error = error
    world.run()
    done = invoke("up")

    assert done.code == code
    assert done.out == ""
    said = str(error) if isinstance(error, Interrupted) else next(iter(getattr(error, "failures", {"": error}).values())).what
    assert done.err.count(said) == 1
    assert str(world.root / "default") in done.err
    assert f"`{hints.command('down')}` removes them" in done.err


def test_a_bug_and_a_usage_error_have_different_outcomes(world: World) -> None:
    world.error = ZeroDivisionError("ours")
    done = invoke("up")

    assert done.code == 70
    assert "ZeroDivisionError" in done.err
    assert "bug in karmada-lab" in done.err


def test_a_wrong_key_of_a_lab_file_is_usage(world: World, tmp_path: object) -> None:
    path = world.root.parent / "lab.toml"
    path.write_text('membres = 3\n[[members]]\nname = "member1"\n')
    done = invoke("up", "--spec", str(path))

    assert done.code == 2
    assert "did you mean 'members'" in done.err
    assert world.brought == []


@pytest.mark.parametrize("words", [("--source", "x"), ("--members", "0"), ("--no-such",)])
def test_invalid_options_are_usage_errors(world: World, words: tuple[str, ...]) -> None:
    assert invoke("up", *words).code == 2


def test_plan_prints_waves_and_assets_and_creates_nothing(world: World) -> None:
    done = invoke("up", "--plan")

    assert done.code == 0
    assert "2 steps in 2 waves" in done.out
    assert "kube-apiserver@1.35.4" in done.out
    assert world.brought == []
    assert not world.root.exists() or list(world.root.iterdir()) == []


def test_plan_as_json(world: World) -> None:
    plan = json.loads(invoke("up", "--plan", "-o", "json").out)

    assert plan["schema"] == 1
    assert [[each["step"] for each in wave] for wave in plan["waves"]] == [["a"], ["b"]]
    assert {"name", "status", "size", "minutes", "gib", "product"} == set(plan["assets"][0])


def test_steps_are_plain_lines_on_stderr_without_a_terminal(world: World) -> None:
    def during(watcher: object) -> None:
        watcher.begins(step("member1/etcd"), left=2)  # type: ignore[attr-defined]
        watcher.ends(step("member1/etcd"), seconds=0.4, error=None, left=1)  # type: ignore[attr-defined]

    world.during = during
    done = invoke("up")

    assert any("member1/etcd ready (0.4 s), 1 step left" in line for line in done.err.splitlines())


def test_the_default_lab_file_is_the_one_that_specs_are_read_from() -> None:
    assert DEFAULT.is_file()
