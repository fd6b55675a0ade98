"""`lab env`: variables for a shell."""

from __future__ import annotations

from pathlib import Path

from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]


def test_env_is_for_eval(world: World, clients: Path) -> None:
    lines = dict(line.removeprefix("export ").split("=", 1) for line in invoke("env", PATH="/usr/bin:/bin").out.splitlines())

    assert lines["KUBECONFIG"] == str(world.root / "default" / "kubeconfig.yaml")
    assert lines["PATH"] == f"{clients}:/usr/bin:/bin"
    assert (lines["KARMADA_LAB"], lines["KARMADA_LAB_RUNS"]) == ("default", str(world.root))


def test_env_twice_adds_to_path_once(world: World, clients: Path) -> None:
    assert f"export PATH={clients}:/bin\n" in invoke("env", PATH=f"{clients}:/bin").out
