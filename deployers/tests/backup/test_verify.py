"""A backup is proven by its bytes, by etcdutl, and by its keys."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from deployers.backup import archive
from deployers.backup.archive import SNAPSHOT, UnusableBackup
from deployers.backup.verify import verify
from deployers.etcd.tools import Etcdutl
from deployers.tests.day2_fakes import STATUS, a_backup, etcdutl, files, manifest
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.pki import Authority


def test_a_good_one_says_what_it_is(tmp_path: Path) -> None:
    path = a_backup(tmp_path)

    assert verify(path, tmp_path / "out", etcdutl()).revision == 42


@pytest.mark.parametrize("change", [{"revision": 41}, {"hash": 8}, {"totalKey": 2}])
def test_what_etcdutl_finds_has_to_be_what_it_found(change: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(UnusableBackup, match="number of keys"):
        verify(a_backup(tmp_path), tmp_path / "out", etcdutl({**STATUS, **change}))


def test_an_empty_snapshot_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(UnusableBackup, match="empty"):
        verify(a_backup(tmp_path, keys=0), tmp_path / "out", etcdutl({**STATUS, "totalKey": 0}))


def test_a_snapshot_that_cannot_be_read_is_damaged(tmp_path: Path) -> None:
    broken = Etcdutl(Scripted({("/etcdutl",): ScriptedFailure(1, "invalid database")}), Path("/etcdutl"))

    with pytest.raises(UnusableBackup, match="invalid database"):
        verify(a_backup(tmp_path), tmp_path / "out", broken)


def test_a_snapshot_without_etcds_digest_is_damaged(tmp_path: Path) -> None:
    made = files(tmp_path / "made")
    made[SNAPSHOT].write_bytes(made[SNAPSHOT].read_bytes()[: -hashlib.sha256().digest_size])
    path = archive.write(manifest(made), made, tmp_path / "kept")

    with pytest.raises(UnusableBackup, match="etcd's own digest"):
        verify(path, tmp_path / "out", etcdutl())


def test_keys_have_to_belong_together(tmp_path: Path) -> None:
    made = files(tmp_path / "made")
    made["pki/ca.key"].write_bytes(Authority.ensure(tmp_path, "other", common_name="other").key_file.read_bytes())
    path = archive.write(manifest(made), made, tmp_path / "kept")

    with pytest.raises(UnusableBackup, match=r"ca\.key"):
        verify(path, tmp_path / "out", etcdutl())


def test_garbage_in_place_of_a_key_is_damage(tmp_path: Path) -> None:
    made = files(tmp_path / "made")
    made["pki/sa.key"].write_text("garbage")
    path = archive.write(manifest(made), made, tmp_path / "kept")

    with pytest.raises(UnusableBackup, match="key in it"):
        verify(path, tmp_path / "out", etcdutl())


def test_an_authority_of_another_plane_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(UnusableBackup, match="of the plane"):
        verify(a_backup(tmp_path, plane="f" * 64), tmp_path / "out", etcdutl())


def test_etcdutl_is_asked_for_data(tmp_path: Path) -> None:
    machine = Scripted({("/etcdutl", "snapshot", "status"): json.dumps(STATUS)})
    verify(a_backup(tmp_path), tmp_path / "out", Etcdutl(machine, Path("/etcdutl")))

    assert machine.transcript() == f"/etcdutl snapshot status {tmp_path}/out/etcd.snapshot --write-out=json\n"
