"""The commands of an installer of the user's: what they are given, when they are run, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deployers.by_command.deployer import CommandInstallation, find_program
from deployers.deployer import get_deployer
from deployers.karmada import Karmada
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.installer_fakes import spec_of
from deployers.up.bring_up import with_closing_steps
from lab.errors import CommandFailed, ProvisionError
from lab.machines.machine import Completed
from lab.spec import LabSpec, parse
from lab.steps import Step, compute_waves
from lab.tests.assets_fakes import Anything

INSTALL = "#!/bin/sh\n"


@pytest.fixture
def installer(tmp_path: Path) -> Path:
    folder = tmp_path / "installer"
    folder.mkdir()
    for name in ("install.sh", "remove.sh"):
        (folder / name).write_text(INSTALL)
        (folder / name).chmod(0o755)
    return folder


def table(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"directory": str(folder), "install": ["./install.sh", "--now"], "remove": ["./remove.sh"], **changes}


def found(**table: Any) -> list[str]:
    lab = parse(LabSpec, {"members": [{"name": "member1"}]}, source="test")
    return get_deployer("by_command").check(replace_deployer(spec_of(**table)), lab)


def replace_deployer(spec: Any) -> Any:
    return spec.model_copy(update={"deployer": "by_command"})


def test_a_command_that_exists_is_accepted(installer: Path) -> None:
    assert found(by_command=table(installer)) == []
    assert found(by_command=table(installer, install=["sh", "install.sh"], remove=[])) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"install": []}, "by_command.install"),
        ({"directory": None}, "by_command.directory"),
        ({"directory": "/no/such"}, "by_command.directory"),
        ({"install": ["./missing.sh"]}, "by_command.install"),
        ({"install": ["no-such-program"]}, "by_command.install"),
        ({"remove": ["./missing.sh"]}, "by_command.remove"),
    ],
)
def test_what_cannot_be_run_is_refused_by_its_key(installer: Path, changes: dict[str, Any], key: str) -> None:
    assert [line.partition(":")[0] for line in found(by_command=table(installer, **changes))] == [key]


def test_keys_that_the_command_decides_are_refused(installer: Path) -> None:
    lines = found(by_command=table(installer), kubernetes="1.34.4", registry="r.example")
    assert {line.partition(":")[0] for line in lines} == {"kubernetes", "registry"}


def test_members_join_when_the_command_is_done(tmp_path: Path, installer: Path) -> None:
    karmada = a_karmada(tmp_path, {"deployer": "by_command", "by_command": table(installer)})
    made = {step.name: step for step in with_closing_steps(karmada, get_deployer("by_command").install(karmada, Anything()))}

    compute_waves([*made.values(), Step("host", lambda: None), Step("member1", lambda: None)])
    assert made["karmada/joinable"].needs == made["karmada/pods"].needs == ("karmada/install",)


@dataclass
class Recorder:
    """A machine that records its commands; `fails` is how they end."""

    fails: bool = False
    calls: list[tuple[tuple[str, ...], Mapping[str, str]]] = field(default_factory=list)

    def run(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, within: float = 60.0, **_: Any) -> Completed:
        self.calls.append((tuple(argv), env or {}))
        if self.fails:
            raise CommandFailed(argv, status=1, output="no space\nfatal: cannot install\n")
        return Completed(tuple(argv), "done\n", "", within)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(Karmada, "machine", recorder)
    monkeypatch.setattr(CommandInstallation, "environment", lambda _: {"KARMADA_VERSION": "v1.18.2"})
    monkeypatch.setattr("deployers.by_command.deployer.workloads.why", lambda _: [])
    monkeypatch.setattr(CommandInstallation, "host", None)
    return recorder


def make(tmp_path: Path, installer: Path) -> CommandInstallation:
    return CommandInstallation(a_karmada(tmp_path, {"deployer": "by_command", "by_command": table(installer)}), {})


def test_a_command_runs_in_its_directory_with_its_arguments(tmp_path: Path, installer: Path, machine: Recorder) -> None:
    making = make(tmp_path, installer)
    making.run("install", making.spec.by_command.install)

    assert machine.calls == [(("env", f"--chdir={installer}", f"{installer}/install.sh", "--now"), {"KARMADA_VERSION": "v1.18.2"})]
    assert making.karmada.run.log("karmada/install-command").read_text() == "done\n"


def test_a_failed_command_is_explained_by_its_output_which_is_kept(tmp_path: Path, installer: Path, machine: Recorder) -> None:
    machine.fails = True
    making = make(tmp_path, installer)
    with pytest.raises(ProvisionError) as caught:
        making.run("install", making.spec.by_command.install)

    assert "cannot install" in (caught.value.detail or "")
    assert "no space" in making.karmada.run.log("karmada/install-command").read_text()


def test_a_program_is_below_the_directory_or_on_the_path(installer: Path) -> None:
    assert find_program("./install.sh", installer) == str(installer / "install.sh")
    assert find_program("sh", installer)
    (installer / "plain").write_text("x")
    assert find_program("./plain", installer) is None
