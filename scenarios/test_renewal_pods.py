"""Certificates and authorities of a Karmada in pods are exchanged under load; every server presents a new one, and no write is lost.

python -m pytest scenarios/test_renewal_pods.py -m thorough --lab-spec scenarios/etcd_pods.toml
"""

from __future__ import annotations

import pytest
from cryptography import x509

from deployers.checks.conformance import conformance
from deployers.day2.renew_certificates import renew_all
from deployers.day2.renew_pods import STAGES
from deployers.karmada import Karmada
from deployers.names import NAMESPACE
from deployers.pods import workloads
from lab.errors import CommandFailed
from lab.images.load import list_nodes
from lab.machines.machine import Machine
from scenarios.kit import faults
from scenarios.kit.extra_lab import as_it_is_now
from scenarios.kit.figures import report_figures
from scenarios.kit.namespaces import make_namespace
from scenarios.kit.traffic import traffic

pytestmark = [pytest.mark.needs("PODS"), pytest.mark.thorough, pytest.mark.breaks, pytest.mark.xdist_group("renewal-pods")]
SERVERS = {"karmada-apiserver": 5443, "karmada-aggregated-apiserver": 443, "karmada-webhook": 8443, "etcd": 2379}
"""Where each listens in its pod, with every installer."""


def list_serials(karmada: Karmada) -> dict[str, set[int]]:
    """Return the serials of the certificates that each server presents to a client on a node of the host cluster."""
    node = list_nodes(karmada.lab, karmada.lab.host)[0]
    found: dict[str, set[int]] = {}
    for each in workloads.workloads(karmada.lab.host.api):
        for pod in workloads.pods(karmada.lab.host.api, NAMESPACE, each.selector) if each.component in SERVERS else []:
            address = f"{pod['status']['podIP']}:{SERVERS[each.component]}"
            found.setdefault(each.component, set()).add(present(node, address).serial_number)
    return found


def present(node: Machine, address: str) -> x509.Certificate:
    """Return the certificate that a server presents. etcd wants one of its client, too, and then ends with an error."""
    try:
        shown = node.run(["openssl", "s_client", "-connect", address], input=b"").stdout
    except CommandFailed as failed:
        shown = failed.output
    end = "-----END CERTIFICATE-----"
    return x509.load_pem_x509_certificate(shown[shown.index("-----BEGIN") : shown.index(end) + len(end)].encode())


def assert_all_new(before: dict[str, set[int]], after: dict[str, set[int]]) -> None:
    assert before.keys() == after.keys() == SERVERS.keys()
    assert {name: after[name] & serials for name, serials in before.items()} == {name: set() for name in before}


def assert_whole(karmada: Karmada) -> None:
    assert conformance(karmada).failed == []
    faults.assert_recovered(karmada)


def test_every_certificate_is_renewed_while_karmada_is_used(karmada: Karmada, namespace: str, request: pytest.FixtureRequest) -> None:
    now = as_it_is_now(karmada)
    before = list_serials(now)

    with traffic(now, namespace) as going:
        going.until_written(10)
        renewed = renew_all(now, before=None)
        going.until_written(10)
    report_figures(request, certificates=len(renewed), **going.figures())
    going.check()

    assert_all_new(before, list_serials(now))
    assert renew_all(as_it_is_now(karmada)) == {}, "none of them ends soon now"
    assert_whole(as_it_is_now(karmada))


def test_authorities_are_exchanged_while_karmada_is_used(karmada: Karmada, namespace: str, request: pytest.FixtureRequest) -> None:
    before = list_serials(as_it_is_now(karmada))
    former = as_it_is_now(karmada).kubeconfig.read_text()
    for stage in STAGES:
        now = as_it_is_now(karmada)  # its kubeconfig is another one after each stage
        with make_namespace(now, f"{namespace}-{stage}") as own, traffic(now, own) as going:
            going.until_written(10)
            renew_all(now, before=None, authorities=True, through=stage)
            going.until_written(10)
            going.stopped.set()
            going.check()
        report_figures(request, **{f"{stage}_{name}": value for name, value in going.figures().items()})

    now = as_it_is_now(karmada)
    assert_all_new(before, list_serials(now))
    assert now.kubeconfig.read_text() != former
    assert_whole(now)
