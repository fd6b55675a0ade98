"""The archive of CRDs that karmadactl init and the operator read."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from deployers.plane import external
from deployers.pods.crds_archive import crds_tarball
from deployers.tests.control_plane_fakes import a_release


@pytest.fixture(autouse=True)
def balancers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "balancer_errors", lambda address: [])


def test_the_archive_of_crds_is_what_upstream_publishes_and_the_same_each_time(tmp_path: Path) -> None:
    crds = a_release(tmp_path) / "karmada-crds"
    (tmp_path / "crds.tar.gz").write_bytes(crds_tarball(crds))

    with tarfile.open(tmp_path / "crds.tar.gz") as tar:
        names = tar.getnames()
    assert names[:3] == ["crds", "crds/bases", "crds/bases/work"]
    assert "crds/patches/webhook_in_resourcebindings.yaml" in names
    assert crds_tarball(crds) == crds_tarball(crds)
