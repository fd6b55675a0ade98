"""A move brings up a host with the Karmada of the backup."""

from __future__ import annotations

from pathlib import Path

from deployers.backup.move import derive_lab
from deployers.tests.day2_fakes import files, manifest
from deployers.wanted import prepare


def test_the_lab_of_a_move_is_a_host_and_the_karmada_of_the_backup(tmp_path: Path) -> None:
    spec = {
        "release": "1.18.2",
        "members": [{"name": "member1", "mode": "push"}],
        "addons": {"estimators": True, "search": True},
        "certificates": {"ca": {"cert": "/ca.crt", "key": "/ca.key"}, "days": 30},
        "etcd": {"members": 3},
    }
    wanted = prepare(derive_lab(manifest(files(tmp_path / "made"), spec=spec)))

    assert wanted.lab.members == ()
    assert wanted.karmada
    assert wanted.karmada.members == ()
    assert (wanted.karmada.addons.estimators, wanted.karmada.addons.search) == (False, True)
    assert (wanted.karmada.certificates.ca, wanted.karmada.certificates.days) == (None, 30)
    assert wanted.karmada.etcd.members == 3
