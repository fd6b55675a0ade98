"""The guard removes the containers of a run when it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

CONTAINER = "karmada-lab.one.member1-control-plane"


@pytest.mark.spawns
def test_the_guard_removes_the_runs_containers_on_sigterm(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    from lab.wait import NotYet, until

    done = tmp_path / "removed"
    fake = tmp_path / "docker"
    fake.write_text(f'#!/bin/sh\n[ "$1" = ps ] && printf "{CONTAINER}\\nkarmada-lab.one-more.x\\n" || echo "$DOCKER_HOST $@" > {done}\n')
    fake.chmod(0o755)
    argv = [sys.executable, "-m", "lab.docker.guard", "karmada-lab.one."]
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DOCKER_HOST": "tcp://one:1"}
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert "guarding" in child.stdout.readline()
        child.terminate()
        assert child.wait(10) == 0

    def removed() -> None:
        if not done.exists():
            raise NotYet("nothing was removed")

    until(removed, what="the containers are removed", within=10)
    assert done.read_text() == f"tcp://one:1 rm --force --volumes {CONTAINER}\n"
