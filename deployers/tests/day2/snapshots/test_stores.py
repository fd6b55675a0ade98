"""Of which labs a snapshot can be taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.day2.snapshots.stores import data_of, list_stores, require_supported
from deployers.tests.snapshot_fakes import a_member
from deployers.wanted import prepare
from lab.assets import AssetRef, Supply
from lab.cluster import Lab
from lab.errors import NotPossible
from lab.run import Run


def a_lab(tmp_path: Path, document: dict[str, Any]) -> Lab:
    return Lab.open(Run.create("lab1", prepare({"host": {"name": "host"}, "members": [], **document}).asked, root=tmp_path))


@pytest.mark.parametrize(
    "document",
    [
        {"provider": "kind"},
        {"members": [{"name": "member1", "kubeconfig": "/there/config"}]},
        {"machines": {"count": 1, "kind": "namespace"}, "members": [{"name": "member1", "machine": "namespace1"}]},
        {"provider": "kind", "karmada": {"deployer": "by_yaml"}},
        {"karmada": {"etcd": {"external": {"servers": ["https://etcd:2379"], "ca": __file__, "cert": __file__, "key": __file__}}}},
    ],
    ids=["kind", "existing", "placed", "pods", "external"],
)
def test_what_is_no_program_of_this_computer_is_refused(tmp_path: Path, document: dict[str, Any]) -> None:
    with pytest.raises(NotPossible):
        require_supported(a_lab(tmp_path, document))


def test_each_cluster_has_an_etcd(tmp_path: Path) -> None:
    lab = a_lab(tmp_path, {"members": [{"name": "member1"}, {"name": "member2"}]})
    software = {ref: Path(str(ref)) for ref in prepare({"host": {"name": "host"}, "members": []}).software()}

    stores = list_stores(lab, Supply(), software | {AssetRef.parse("kwok@0.8.0"): Path("kwok")})

    assert [store.name for store in stores] == ["host", "member1", "member2"]
    assert {data_of(store.members[0]) for store in stores} == {lab.run.path / "data" / store.name / "etcd" for store in stores}


def test_the_directory_of_a_member_is_its_flag(tmp_path: Path) -> None:
    assert data_of(a_member(tmp_path / "etcd")) == tmp_path / "etcd"
