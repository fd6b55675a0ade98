"""Running one cell: which commands, in which order, and what its exit code tells."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.errors import NotPossible, UsageError
from lab.interrupt import Interrupted
from lab.supply_choices import SupplyChoices
from scenarios.matrix.cells import MatrixCell
from scenarios.matrix.run_cell import Job

CELL = MatrixCell("embedded", "by_binary", "1.18.2", "1.35.4", "smoke")
CHECKOUT = MatrixCell("embedded", "by_binary", "checkout", "1.35.4", "smoke")


class Commands:
    """Answers commands with statuses, by the word that says which part it is."""

    def __init__(self, **statuses: int | BaseException) -> None:
        self.statuses = statuses
        self.ran: list[list[str]] = []

    def __call__(self, argv: Sequence[str], log: Path) -> int:
        self.ran.append(list(argv))
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("said\n")
        answer = self.statuses.get(self.part(argv), 0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @staticmethod
    def part(argv: Sequence[str]) -> str:
        return "test" if argv[2] == "pytest" else argv[4] if argv[3] == "report" else argv[3]

    @property
    def parts(self) -> list[str]:
        return [self.part(argv) for argv in self.ran]


def job(tmp_path: Path, commands: Commands, cell: MatrixCell = CELL, **other: object) -> Job:
    return Job(cell, tmp_path / "cells", tmp_path / "artifacts", command=commands, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "parts", "code"),
    [
        ({}, "up conformance test collect down", 0),
        ({"up": 4}, "up collect down", 4),
        ({"up": 3}, "up collect down", 3),
        ({"conformance": 1}, "up conformance test collect down", 1),
        ({"test": 1, "down": 7}, "up conformance test collect down", 1),
        ({"test": 5}, "up conformance test collect down", 3),
        ({"down": 7}, "up conformance test collect down", 7),
        ({"collect": 2}, "up conformance test collect down", 2),
        ({"collect": 2, "down": 7}, "up conformance test collect down", 7),
        ({"up": Interrupted(signal.SIGINT)}, "up collect down", 130),
        ({"test": Interrupted(signal.SIGTERM), "conformance": 1}, "up conformance test collect down", 143),
    ],
)
def test_results_are_collected_and_the_lab_taken_down_whatever_happens(
    tmp_path: Path, statuses: dict[str, int | BaseException], parts: str, code: int
) -> None:
    commands = Commands(**statuses)

    assert job(tmp_path, commands).run() == code
    assert commands.parts == parts.split()


def test_the_commands_are_those_of_a_laptop(tmp_path: Path) -> None:
    commands = Commands()

    job(tmp_path, commands, supply=SupplyChoices(offline=True, bundle=Path("/b"))).run()

    up, conformance, test, collect, down = (argv[1:] for argv in commands.ran)
    assert up[:4] == ["-m", "lab", "up", "--lab"]
    made_of = "--provider embedded --deployer by_binary --release 1.18.2 --kubernetes 1.35.4"
    assert " ".join(up[up.index("--provider") :]) == f"{made_of} --source auto --offline --bundle /b"
    assert conformance == ["-m", "lab", "conformance", "--lab", CELL.lab]
    assert [Path(word).name for word in test[2:5]] == ["test_conformance.py", "test_pods.py", "test_propagation.py"]
    assert collect[collect.index("--exit-code") + 1] == "0"
    assert collect[collect.index("--suite") + 1] == "smoke"
    assert down == ["-m", "lab", "down", "--lab", CELL.lab]


def test_a_suite_may_ask_for_what_is_thorough(tmp_path: Path) -> None:
    commands = Commands()

    job(tmp_path, commands, MatrixCell("embedded", "by_binary", "1.18.2", "1.35.4", "day2")).run()

    test = commands.ran[2]
    assert test[test.index("-m", 3) + 1] == "thorough or not thorough"


def test_a_checkout_is_the_release_of_its_cells(tmp_path: Path) -> None:
    commands = Commands()

    job(tmp_path, commands, CHECKOUT, checkout=Path("/src/karmada")).run()

    up = commands.ran[0]
    assert up[up.index("--release") + 1] == "/src/karmada"


def test_the_cause_of_a_cells_end_is_passed_to_collection(tmp_path: Path) -> None:
    commands = Commands(conformance=1, test=Interrupted(signal.SIGTERM))

    job(tmp_path, commands).run()

    collect = commands.ran[-2]
    assert collect[collect.index("--exit-code") + 1] == "143"


def test_each_part_can_be_a_step_of_its_own(tmp_path: Path) -> None:
    commands = Commands(test=1)

    codes = [job(tmp_path, commands).phase(part) for part in ("up", "conformance", "test", "collect", "down")]

    assert codes == [0, 0, 1, 0, 0]
    collect = commands.ran[3]
    assert collect[collect.index("--exit-code") + 1] == "1"


def test_a_part_with_a_killed_process_is_recorded_as_killed(tmp_path: Path) -> None:
    (tmp_path / "artifacts" / CELL.name).mkdir(parents=True)
    parts = {"up": {"argv": [], "began": 5.0, "seconds": 0.0, "status": None}}
    (tmp_path / "artifacts" / CELL.name / "parts.json").write_text(json.dumps({"parts": parts}))
    commands = Commands()

    job(tmp_path, commands).phase("collect")

    assert commands.ran[0][commands.ran[0].index("--exit-code") + 1] == "137"


def test_a_job_that_is_killed_leaves_no_result_of_an_earlier_one(tmp_path: Path) -> None:
    mine = job(tmp_path, Commands(up=SystemExit()))
    mine.report.mkdir(parents=True)
    (mine.report / "cell.json").write_text(json.dumps({"outcome": "pass"}))
    (mine.report / "junit.xml").write_text("<testsuite/>")

    with pytest.raises(SystemExit):
        mine.run()

    left = json.loads((mine.report / "cell.json").read_text())
    assert (left["name"], left["outcome"], left["exit_code"]) == (CELL.name, "unknown", 137)
    assert not (mine.report / "junit.xml").exists()


def test_a_job_that_ended_before_anything_was_done_has_results_that_say_so(tmp_path: Path) -> None:
    commands = Commands()

    assert job(tmp_path, commands).phase("collect") == 0
    assert "the job ended before its lab was brought up" in commands.ran[0]
    assert job(tmp_path, commands).phase("down") == 0


def test_tests_without_a_lab_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lab"):
        job(tmp_path, Commands()).phase("test")


def test_what_is_left_behind_is_no_pass_though_all_tests_passed(tmp_path: Path) -> None:
    mine = job(tmp_path, Commands(down=7))
    mine.phase("up")
    (mine.report / "cell.json").write_text(json.dumps({"outcome": "pass", "exit_code": 0}))

    mine.phase("down")

    said = json.loads((mine.report / "cell.json").read_text())
    assert (said["outcome"], said["exit_code"]) == ("fail", 7)


def test_a_kept_lab_is_left_up(tmp_path: Path) -> None:
    commands = Commands()

    assert job(tmp_path, commands).run(keep=True) == 0
    assert commands.parts == ["up", "conformance", "test", "collect"]


def test_the_same_cell_is_not_run_twice_at_once(tmp_path: Path) -> None:
    mine = job(tmp_path, Commands())
    with mine.alone(), pytest.raises(NotPossible, match="already running"):
        job(tmp_path, Commands()).run()


# -- a second attempt ------------------------------------------------------------------------------------------------------------------


def failed(tmp_path: Path, **statuses: int | BaseException) -> tuple[Commands, Job]:
    """Return a cell whose `up` failed and was collected as attempt 3, and the commands that answer from now on."""
    job(tmp_path, Commands(up=4)).run()
    commands = Commands(**statuses)
    mine = job(tmp_path, commands)
    (mine.report / "cell.json").write_text(json.dumps({"attempt": 3, "exit_code": 4}))
    return commands, mine


def test_what_failed_for_the_infrastructure_is_run_again_as_an_attempt_of_its_own(tmp_path: Path) -> None:
    commands, mine = failed(tmp_path, retry=0)

    assert mine.again() == 0

    assert commands.parts == ["retry", "up", "conformance", "test", "collect", "down"]
    assert commands.ran[0][3:] == ["report", "retry", str(mine.report)]
    collect = commands.ran[4]
    assert collect[collect.index("--attempt") + 1] == "4"
    assert collect[collect.index("--out") + 1] == f"{mine.report}.again"


def test_what_failed_for_another_reason_is_not(tmp_path: Path) -> None:
    commands, mine = failed(tmp_path, retry=1)

    assert mine.again() == 4
    assert commands.parts == ["retry"]


def test_a_cell_is_retried_once_and_a_new_start_forgets_it(tmp_path: Path) -> None:
    commands, mine = failed(tmp_path, retry=0, up=4)
    second = tmp_path / "cells" / f"{CELL.name}.again"

    assert mine.again() == 4
    (second / "cell.json").write_text(json.dumps({"exit_code": 4}))
    commands.ran.clear()
    assert mine.again() == 4
    assert commands.parts == []

    mine.run()
    assert not second.exists()


def test_what_passed_or_was_never_run_is_not_run_again(tmp_path: Path) -> None:
    commands = Commands()
    with pytest.raises(UsageError, match="was not run"):
        job(tmp_path, commands).again()

    job(tmp_path, Commands()).run()

    assert job(tmp_path, commands).again() == 0
    assert commands.parts == []
