"""What is brought to a machine: what is not there by its content, and once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lab.errors import ProvisionError
from lab.machines.bring import bring_files
from lab.machines.scripted import Scripted

SUM = hashlib.sha256(b"content").hexdigest()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "etcd"
    path.write_bytes(b"content")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("there", ["", f"f {SUM}  /cache/etcd\n", f"x {'0' * 64}  /cache/etcd\n"])
def test_a_program_that_is_missing_cannot_be_run_or_differs_is_copied(program: Path, there: str) -> None:
    answers = [there, f"x {SUM}  /cache/etcd\n"]
    machine = Scripted({("sh", "-c"): lambda _: answers.pop(0)})

    assert bring_files(machine, {"/cache/etcd": program}) == ["/cache/etcd"]
    assert [done.verb for done in machine.done] == ["run", "put", "run"]


@pytest.mark.parametrize("separator", ["  ", " *"], ids=["sha256sum", "openssl"])
def test_a_program_that_is_there_is_left_alone(program: Path, separator: str) -> None:
    machine = Scripted({("sh", "-c"): f"x {SUM}{separator}/cache/etcd\n"})

    assert bring_files(machine, {"/cache/etcd": program}) == []
    assert [done.verb for done in machine.done] == ["run"]


def test_a_file_that_arrives_damaged_is_an_error(program: Path) -> None:
    machine = Scripted({("sh", "-c"): f"x {'0' * 64}  /cache/etcd\n"}, name="m1")

    with pytest.raises(ProvisionError, match="m1") as error:
        bring_files(machine, {"/cache/etcd": program})
    assert error.value.where == "m1:/cache/etcd"


def test_a_file_that_was_changed_meanwhile_is_hashed_again(program: Path) -> None:
    bring_files(Scripted({("sh", "-c"): f"x {SUM}  /cache/etcd\n"}), {"/cache/etcd": program})
    program.write_bytes(b"another content")
    answers = [f"x {SUM}  /cache/etcd\n", f"x {hashlib.sha256(b'another content').hexdigest()}  /cache/etcd\n"]

    assert bring_files(Scripted({("sh", "-c"): lambda _: answers.pop(0)}), {"/cache/etcd": program}) == ["/cache/etcd"]
