"""A machine as programs of a run see it: paths there, and what is copied."""

from __future__ import annotations

import io
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import ProvisionError
from lab.machines.lease import read_owners
from lab.machines.placement import Placement, pack, place_run, resolve_address
from lab.machines.scripted import Scripted
from lab.run import Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("KARMADA_LAB_CACHE", str(tmp_path / "cache"))
    return Run.create("a", {"lab": {}}, root=tmp_path)


def placed(run: Run, machine: Scripted) -> Placement:
    """Return a placement on another machine."""
    return Placement(run, "m", machine, Path("/there/runs/a"), Path("/there/cache"), "10.0.0.5")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "cache" / "assets" / "etcd" / "etcd"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"etcd")
    path.chmod(0o755)
    return path


def test_paths_of_the_run_and_the_cache_begin_otherwise_there(run: Run, program: Path) -> None:
    there = placed(run, Scripted())

    assert there.path(run.path / "pki" / "x.key") == Path("/there/runs/a/pki/x.key")
    assert there.path(program) == Path("/there/cache/assets/etcd/etcd")
    assert there.path(Path("/etc/hosts")) == Path("/etc/hosts")
    assert there.text(f"a={run.path}/b,c={program}") == "a=/there/runs/a/b,c=/there/cache/assets/etcd/etcd"


def test_this_computer_keeps_its_paths_and_nothing_is_copied(run: Run, program: Path) -> None:
    machine = Scripted()
    here = replace(place_run(run, ""), machine=machine)

    here.push([run.path / "run.json"])
    here.bring([program])

    assert here.is_local
    assert here.path(program) == program
    assert machine.done == []


def test_a_machine_that_is_not_made_yet_stands_at_its_name(run: Run) -> None:
    planned = place_run(run, "machine1")

    assert planned.address == "machine1"
    assert not planned.is_local


def test_others_may_read_nothing_of_what_is_packed(run: Run) -> None:
    key = run.folder("pki") / "x.key"
    key.write_bytes(b"secret")
    key.chmod(0o644)

    with tarfile.open(fileobj=io.BytesIO(pack(run.path, [run.path / "pki"]))) as archive:
        modes = {member.name: stat.S_IMODE(member.mode) for member in archive}

    assert modes == {"pki": 0o700, "pki/x.key": 0o600}


def test_an_address_stands_for_itself_and_a_name_without_one_is_an_error() -> None:
    assert resolve_address("10.1.2.3") == "10.1.2.3"
    with pytest.raises(ProvisionError, match="resolving"):
        resolve_address("no-such-host.invalid")


def test_what_is_deleted_is_deleted_there(run: Run) -> None:
    machine = Scripted({("rm",): ""})

    placed(run, machine).delete(run.path / "data" / "x", run.path / "pki")

    assert [done.args for done in machine.done] == [("rm", "-rf", "--", "/there/runs/a/data/x", "/there/runs/a/pki")]


def test_a_machine_is_recorded_before_files_of_the_run_are_on_it(run: Run) -> None:
    seen: list[dict[str, str]] = []

    def note(_: tuple[str, ...]) -> str:
        seen.append(read_owners(run))
        return ""

    placed(run, Scripted({("mkdir",): note, ("tar",): note})).push([run.path / "run.json"])

    assert seen == [{"m": "/there/runs/a"}] * 2
