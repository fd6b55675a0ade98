from __future__ import annotations

from pathlib import Path

import pytest

from deployers.karmada import Karmada
from deployers.release import record_choices
from deployers.tests.control_plane_fakes import a_karmada
from lab.cluster import Lab
from lab.errors import UsageError
from lab.run import Run
from lab.spec import LabSpec, parse
from lab.supply_choices import SupplyChoices


def test_a_handle_is_made_from_the_run_directory_alone(tmp_path: Path) -> None:
    a_karmada(tmp_path, {"release": "1.17.1", "members": [{"name": "member2", "mode": "pull"}]}, members=3)

    karmada = Karmada.open(Lab.open(Run.load("golden", root=tmp_path)))

    assert (karmada.cluster.name, karmada.cluster.context) == ("karmada", "karmada-apiserver")
    assert karmada.kubeconfig == karmada.cluster.kubeconfig == tmp_path / "golden/kubeconfig/karmada.yaml"
    assert [member.name for member in karmada.members] == ["member2"]
    assert karmada.release.version == "1.17.1"


@pytest.mark.parametrize("offline", [False, True])
def test_offline_reaches_what_the_handle_asks_for_later(tmp_path: Path, *, offline: bool) -> None:
    run = a_karmada(tmp_path).run
    record_choices(run, SupplyChoices(offline=offline))

    assert Karmada.open(Lab.open(run)).release.supply.offline is offline


def test_a_bundle_is_recorded_and_left_out_when_it_is_gone(tmp_path: Path) -> None:
    run, bundle = a_karmada(tmp_path).run, tmp_path / "bundle.tar"
    bundle.touch()
    record_choices(run, SupplyChoices(source="bundle", bundle=bundle, mirror="https://mirror.example"))
    before = Karmada.open(Lab.open(run)).supply.choices
    bundle.unlink()

    assert before == SupplyChoices(source="bundle", bundle=bundle, mirror="https://mirror.example")
    assert Karmada.open(Lab.open(run)).supply.choices == SupplyChoices(mirror="https://mirror.example")


def test_a_lab_without_karmada_says_so(tmp_path: Path) -> None:
    lab = parse(LabSpec, {"members": [{"name": "member1"}]}, source="test")
    run = Run.create("bare", {"lab": lab.model_dump(mode="json"), "karmada": None}, root=tmp_path)

    with pytest.raises(UsageError, match="has no Karmada"):
        Karmada.open(Lab.open(run))
