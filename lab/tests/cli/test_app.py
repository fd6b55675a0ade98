from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.errors import LabError
from lab.tests.cli_fakes import World, invoke, ready, state, status, world

__all__ = ["world"]


def test_no_verb_is_usage() -> None:
    assert invoke().code in {0, 2}
    assert invoke("nonsense").code == 2


@pytest.mark.spawns
@pytest.mark.parametrize("words", [["--help"], ["status", "--lab", "none"], ["down", "--lab", "none"]])
def test_quick_verbs_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; from lab.verbs import app\n"
        "try: app(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    env = os.environ | {"KARMADA_LAB_RUNS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, env=env, check=True)

    heavy = {"kubernetes", "httpx", "cryptography", "rich", "psutil", "deployers"}
    assert heavy.isdisjoint(done.stderr.splitlines()[-1].split())


def test_the_first_line_names_the_first_cause_and_how_much_more_is_wrong(world: World) -> None:
    world.run()
    world.status = status(
        state("karmada/karmada-scheduler", "waiting", needs=("karmada/etcd",)), state("karmada/etcd", "exited"), state("host/etcd")
    )
    world.wrong = ["node member1/n0 is not Ready (Unknown)"]
    done = invoke("status")

    assert done.out.splitlines()[0].startswith("lab default  degraded: karmada/etcd is exited (and 2 more)")
    assert "  node member1/n0 is not Ready (Unknown)" in done.out.splitlines()


@pytest.mark.parametrize("members", ["Karmada does not answer: refused", [ready("member1")]])
def test_members_that_are_not_ready_make_status_fail(world: World, members: Any) -> None:
    world.run()
    world.status = status(state("host/etcd"))
    world.members = members

    assert invoke("status").code == 1


def test_no_error_prints_itself() -> None:
    assert LabError("x").what == "x"
