from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deployers.members.karmadactl import environment, karmadactl
from deployers.tests.member_fakes import two_sides
from lab.environment import inherit
from lab.machines import hide_directory
from lab.machines.machine import Completed


def test_each_call_has_a_home_below_the_run_which_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = two_sides(tmp_path)
    homes: list[Path] = []

    def run(argv: Sequence[str], *, env: Mapping[str, str], within: float) -> Completed:
        homes.append(Path(env["HOME"]))
        assert homes[-1].is_dir()
        return Completed(tuple(argv), "", "", 0.0)

    monkeypatch.setattr(sides.machine, "run", run)
    karmadactl(sides, "version")
    karmadactl(sides, "version")

    assert len(set(homes)) == 2
    assert all(home.is_relative_to(sides.run.path) and not home.exists() for home in homes)


def test_nothing_of_the_callers_points_karmadactl_anywhere() -> None:
    caller = {**dict.fromkeys(("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), "odd"), "HOME": "/odd"}
    argv = hide_directory.hide_directory(Path("/"), ("/cache/karmadactl", "join"), by=Path("/empty"))

    env = {**inherit(argv, caller=caller), **environment("/home")}

    assert "odd" not in env.values()
    assert env["KUBECONFIG"] == os.devnull
    assert env["HOME"] == env["TMPDIR"] == "/home"
