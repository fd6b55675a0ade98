"""Each kind of thing a run could leave behind is left behind here on purpose, and named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import ledger, ports, proc
from lab.docker_engine import record_engine
from lab.errors import LeakError
from lab.external_names import external_name
from lab.ledger import Item
from lab.tests.supervision import is_gone

LISTENER = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run1"
    path.mkdir()
    return path


@contextmanager
def tagged(run: Path, *argv: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(argv, env={proc.TAG: str(run)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def test_nothing_is_left_of_a_run_that_made_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ask", lambda *_, **__: ())
    ledger.check_leftovers(run, where=tmp_path / "ports")


def test_residue_is_what_was_not_there_before() -> None:
    old, new = Item("process", "etcd (pid 7)", "/run1"), Item("file", "/tmp/x", "/run1")

    assert ledger.find_leftovers(frozenset({old}), frozenset({old, new})) == [new]
    assert ledger.find_leftovers(frozenset({old}), frozenset()) == []


def test_a_port_reservation_is_residue_unless_the_run_is_kept(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ask", lambda *_, **__: ())
    where = tmp_path / "ports"
    (port,) = ports.reserve(run, 1, where=where)

    assert ledger.list_leftovers(run, kept=True, where=where) == []
    with pytest.raises(LeakError, match=f"port reservation {port}") as caught:
        ledger.check_leftovers(run, where=where)
    assert caught.value.exit_code == 7


def test_mounts_in_the_run_or_of_it_are_found(run: Path, tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 0:1 / / rw - ext4 /dev/vda rw\n"
        f"2 1 0:2 / {run}/data\\040of\\040vm rw shared:1 - tmpfs tmpfs rw\n"
        f"3 1 7:0 / /mnt/image rw - ext4 {run}/disk.img rw\n"
        f"4 1 0:4 / {run}-other rw - tmpfs tmpfs rw\n"
    )

    assert list(ledger.list_mounts(run, table)) == [f"{run}/data of vm", "/mnt/image"]


def test_names_belong_to_one_run_only(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [external_name("a", "member1"), external_name("a-b", "member1"), "a", "karmada-lab.ab.x", "karmada-lab.a"]
    for name in names:
        (tmp_path / name).touch()
    monkeypatch.setattr(ledger, "ask", lambda *_, **__: names)

    assert list(ledger.list_files(Path("/runs/a"), tmp_path)) == [str(tmp_path / "karmada-lab.a.member1")]
    assert list(ledger.list_namespaces("a-b", tmp_path)) == ["karmada-lab.a-b.member1"]
    assert list(ledger.list_containers(Path("/runs/a"), {})) == ["karmada-lab.a.member1"]
    assert list(ledger.list_domains("a")) == ["karmada-lab.a.member1"]


def test_a_tool_that_is_not_there_has_nothing() -> None:
    assert list(ledger.ask(["no-such-tool-here", "ps"], Path("/"))) == []
    assert list(ledger.ask(["ls"], Path("/no/such/daemon.sock"))) == []


@pytest.mark.spawns
def test_a_tool_that_fails_has_nothing() -> None:
    assert list(ledger.ask(["false"], Path("/"))) == []
    assert list(ledger.ask(["printf", "a\\nb\\n"], None)) == ["a", "b"]


def test_containers_are_looked_for_where_the_run_made_them(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(argv: list[str], daemon: Path | None, *, engine: ledger.Engine | None = None) -> list[str]:
        asked.append((engine or {}).get("DOCKER_HOST", "libvirt"))
        return []

    monkeypatch.setattr(ledger, "ask", ask)
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    record_engine(run, {"DOCKER_HOST": "unix:///one.sock"})

    ledger.take_census(run)
    ledger.list_leftovers(run.with_name("gone"), engine={"DOCKER_HOST": "unix:///two.sock"})
    ledger.take_census(run.with_name("unknown"))

    assert [host for host in asked if host != "libvirt"] == ["unix:///one.sock", "unix:///two.sock", "tcp://elsewhere:2375"]


@pytest.mark.spawns
def test_a_process_and_its_port_are_named_with_the_run_that_made_them(run: Path, tmp_path: Path) -> None:
    before = ledger.take_census(run, where=tmp_path / "ports")
    with tagged(run, sys.executable, "-c", LISTENER) as child:
        assert child.stdout
        port = child.stdout.readline().strip()
        left = ledger.find_leftovers(before, ledger.take_census(run, where=tmp_path / "ports"))
        other = ledger.take_census(tmp_path / "run2", where=tmp_path / "ports")

    name = Path(sys.executable).name
    assert left == [
        Item("listening port", f"{port} of {name} (pid {child.pid})", str(run)),
        Item("process", f"{name} (pid {child.pid})", str(run)),
    ]
    assert not other
    assert is_gone(child.pid)
