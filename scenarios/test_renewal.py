"""Renewing all of Karmada's certificates under load interrupts no client and does not restart karmada-apiserver."""

from __future__ import annotations

import pytest
from cryptography import x509

from deployers.by_binary.installation import open_plane
from deployers.day2.renew_certificates import renew_all
from deployers.etcd.certificates import fetch_certificate
from deployers.karmada import Karmada
from deployers.plane.certificates import leaves
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.figures import report_figures
from scenarios.kit.traffic import traffic


@pytest.mark.thorough
@pytest.mark.breaks
def test_every_certificate_is_renewed_while_karmada_is_used(karmada: Karmada, namespace: str, request: pytest.FixtureRequest) -> None:
    if karmada.spec.deployer != "by_binary" or karmada.spec.etcd.external:
        pytest.skip("this needs a Karmada of programs (by_binary), with its own etcd")
    layout, supervisor = open_plane(karmada).layout, Supervisor(karmada.run.path)
    names = [leaf.name for leaf in leaves(karmada.spec)]

    def list_serials() -> dict[str, int]:
        return {name: x509.load_pem_x509_certificate((layout.pki / f"{name}.crt").read_bytes()).serial_number for name in names}

    before, kubeconfig, server = list_serials(), karmada.kubeconfig.read_text(), supervisor.state("karmada/karmada-apiserver")

    with traffic(karmada, namespace) as going:
        going.until_written(10)
        renewed = renew_all(karmada, before=None)
        going.until_written(10)
    report_figures(request, certificates=len(renewed), **going.figures())
    going.check()

    assert renewed.keys() == set(names)
    after = list_serials()
    assert [name for name in names if after[name] == before[name]] == []
    assert fetch_certificate(layout.server(), ca=layout.ca).serial_number == after["karmada-apiserver"]
    assert supervisor.state("karmada/karmada-apiserver").pid == server.pid, "it was not started again"
    assert going.writes.longest < 15.0, "a busy computer may let a write time out; nobody is locked out"
    assert karmada.kubeconfig.read_text() != kubeconfig, "users have a new one"
    assert renew_all(karmada) == {}, "none of them ends soon now"
    faults.assert_recovered(karmada)
