"""Certificates of etcd end with their authority at the latest."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.by_binary.installation import BinaryInstallation, make_layout
from deployers.day2 import renew_certificates
from deployers.etcd.certificates import reissue
from deployers.karmada import Karmada
from deployers.tests.control_plane_fakes import a_karmada
from lab import ports
from lab.errors import ProvisionError
from lab.pki import Authority
from lab.tests.assets_fakes import Anything


@pytest.fixture
def karmada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Karmada:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")
    karmada = a_karmada(tmp_path, {"certificates": {"days": 10}})
    plane = BinaryInstallation(karmada, make_layout(karmada, Anything()))
    plane.identity()
    monkeypatch.setattr(renew_certificates, "open_plane", lambda _: plane)
    monkeypatch.setattr(renew_certificates, "renew_etcd", lambda _, before: {})
    return karmada


def test_no_certificate_outlives_its_authority(karmada: Karmada) -> None:
    folder = karmada.run.path / "pki" / "karmada"
    authority = Authority.ensure(folder, "ca", common_name="karmada")
    before = (folder / "client.crt").read_bytes()

    with pytest.raises(ProvisionError, match="authority itself ends"):
        reissue(
            authority,
            karmada.spec.model_copy(update={"certificates": karmada.spec.certificates.model_copy(update={"days": 3650 * 2})}),
            ["client"],
        )
    assert (folder / "client.crt").read_bytes() == before
