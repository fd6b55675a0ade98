"""A backup is refused by a control plane that cannot take it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.backup.archive import UnusableBackup
from deployers.backup.requirements import require_same_plane, require_versions
from deployers.release import Release
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.day2_fakes import files, manifest

HERE = Path("a.tar.gz")


@pytest.mark.parametrize(
    ("versions", "refused"),
    [
        ({"karmada": "1.18.2"}, None),
        ({"kubernetes": "1.35.0"}, None),
        ({"etcd": "3.6.1"}, None),
        ({"karmada": "1.18.1"}, "an older karmada"),
        ({"karmada": "1.19.0"}, "a newer karmada"),
        ({"kubernetes": "1.36.0"}, "a newer kubernetes"),
        ({"kubernetes": "1.34.4"}, "an older kubernetes"),
        ({"etcd": "3.7.0"}, "a newer etcd"),
    ],
)
def test_versions_that_do_not_fit_are_refused(versions: dict[str, str], refused: str | None, tmp_path: Path) -> None:
    made = manifest(files(tmp_path / "made"), versions={"karmada": "1.18.2", "kubernetes": "1.35.4", "etcd": "3.6.5", **versions})
    release = Release.parse("1.18.2")
    if refused is None:
        require_versions(made, release, "1.35.4", HERE)
        return
    with pytest.raises(UnusableBackup, match=refused):
        require_versions(made, release, "1.35.4", HERE)


def test_another_planes_backup_is_refused_unless_this_one_has_lost_its_authority(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)
    made = manifest(files(tmp_path / "theirs"))
    require_same_plane(made, karmada, HERE)

    ours = files(tmp_path / "ours")
    (karmada.run.folder("pki", "karmada") / "ca.crt").write_bytes(ours["pki/ca.crt"].read_bytes())

    require_same_plane(manifest(ours), karmada, HERE)
    with pytest.raises(UnusableBackup, match="lab one"):
        require_same_plane(made, karmada, HERE)
