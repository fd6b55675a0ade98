"""Certificates in pods are renewed in every Secret that holds them, and authorities exchanged while both are trusted."""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from deployers.day2 import renew_pods
from deployers.day2.renew_pods import STAGES, renew_in_pods, stages_left
from deployers.karmada import Karmada
from deployers.names import CONTEXT
from deployers.plane import pending_operation
from deployers.pods import restart
from deployers.pods.held_keys import certificates_in
from deployers.pods.host import adopt_kubeconfig
from deployers.pods.key_places import TRUSTING
from deployers.spec import KeyPair
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host
from deployers.tests.pod_keys_fakes import argv_of, chart_host, values_of
from lab.cluster import Cluster
from lab.errors import NotPossible, ProvisionError
from lab.kubeconfig import read_context
from lab.reissue import is_issued_by


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = chart_host(tmp_path / "keys")
    monkeypatch.setattr(Cluster, "api", property(lambda _: made.api()))
    monkeypatch.setattr(renew_pods, "settle", lambda _: None)
    return made


@pytest.fixture
def karmada(tmp_path: Path, host: Host) -> Karmada:
    karmada = a_karmada(tmp_path / "run", {"deployer": "by_chart", "certificates": {"days": 10}})
    adopt_kubeconfig(values_of(host, "karmada-kubeconfig")["kubeconfig"], karmada.kubeconfig, source="test")
    return karmada


def load(pem: bytes) -> x509.Certificate:
    (found,) = certificates_in(pem)
    return found


def restarted(host: Host) -> list[str]:
    """Return the workloads that were started again, in their order, each once."""
    names = [path.rpartition("/")[2] for path in host.patched_paths if "/deployments/" in path or "/statefulsets/" in path]
    return list(dict.fromkeys(names))


def test_what_does_not_end_soon_is_left_alone(karmada: Karmada, host: Host) -> None:
    assert renew_in_pods(karmada, before=dt.timedelta(days=9)) == {}
    assert host.patched_paths == []


def test_every_secret_and_kubeconfig_gets_the_same_successor(karmada: Karmada, host: Host, tmp_path: Path) -> None:
    before, foreign = values_of(host, "karmada-cert"), values_of(host, "member1-kubeconfig")

    renewed = renew_in_pods(karmada, before=None)

    after = values_of(host, "karmada-cert")
    assert load(after["karmada.crt"]).serial_number != load(before["karmada.crt"]).serial_number
    assert is_issued_by(load(after["karmada.crt"]), load(before["server-ca.crt"]))
    assert values_of(host, "karmada-webhook-cert")["tls.crt"] == after["karmada.crt"]
    assert read_context(karmada.kubeconfig).pem("client-certificate").encode() == after["karmada.crt"]
    assert values_of(host, "member1-kubeconfig") == foreign, "it is of the member's authority"
    assert values_of(host, "sh.helm.release.v1.karmada")["release"] == before["karmada.crt"]
    assert len(renewed) == 2
    assert pending_operation.facts_of(karmada.run, renew_pods.WHAT) is None


def test_the_key_that_signs_tokens_stays_and_others_do_not(karmada: Karmada, host: Host) -> None:
    before = values_of(host, "karmada-cert")
    renew_in_pods(karmada, before=None)
    after = values_of(host, "karmada-cert")
    assert after["karmada.key"] == before["karmada.key"]
    assert after["front-proxy-client.key"] != before["front-proxy-client.key"]


def test_api_server_and_etcd_run_on(karmada: Karmada, host: Host) -> None:
    renew_in_pods(karmada, before=None)
    assert restarted(host) == ["kube-controller-manager", "karmada-webhook"]


def test_an_authority_without_a_key_is_exchanged_when_its_leaf_ends(karmada: Karmada, host: Host) -> None:
    before = values_of(host, "karmada-cert")
    renew_in_pods(karmada, before=None)
    after = values_of(host, "karmada-cert")
    assert after["server-ca.crt"] == before["server-ca.crt"]
    assert is_issued_by(load(after["front-proxy-client.crt"]), load(after["front-proxy-ca.crt"]))
    assert not is_issued_by(load(after["front-proxy-client.crt"]), load(before["front-proxy-ca.crt"]))


def test_authorities_are_exchanged_by_stages(karmada: Karmada, host: Host) -> None:
    before = values_of(host, "karmada-cert")
    signing = argv_of(host, "kube-controller-manager")

    renew_in_pods(karmada, authorities=True, through="trust")

    trusted = values_of(host, "karmada-cert")
    assert len(certificates_in(trusted["server-ca.crt"])) == 2
    assert trusted["karmada.crt"] == before["karmada.crt"]
    assert trusted["signing.crt"] == before["server-ca.crt"], "it signs with a file of one certificate"
    assert "--cluster-signing-cert-file=/pki/signing.crt" in argv_of(host, "kube-controller-manager")
    assert len(certificates_in(read_context(karmada.kubeconfig).pem("certificate-authority").encode())) == 2
    assert {"etcd", "karmada-apiserver"} <= set(restarted(host)), "they read etcd's authority at their start"

    renew_in_pods(karmada, authorities=True, through="reissue")

    reissued = values_of(host, "karmada-cert")
    new, former = certificates_in(reissued["server-ca.crt"])
    assert is_issued_by(load(reissued["karmada.crt"]), new)
    assert load(reissued["signing.crt"]) == new

    renew_in_pods(karmada, authorities=True)

    after = values_of(host, "karmada-cert")
    assert certificates_in(after["server-ca.crt"]) == [new]
    assert after["karmada.crt"] == reissued["karmada.crt"]
    assert after["server-ca.key"] != before["server-ca.key"]
    assert not {"signing.crt", "signing.key"} & after.keys()
    assert argv_of(host, "kube-controller-manager") == signing
    bundle = b64decode(host.lists[TRUSTING[0]][0]["webhooks"][0]["clientConfig"]["caBundle"])
    assert certificates_in(bundle) == [new]
    assert former not in certificates_in(read_context(karmada.kubeconfig, context=CONTEXT).pem("certificate-authority").encode())
    assert pending_operation.facts_of(karmada.run, renew_pods.WHAT) is None


def test_an_interrupted_renewal_restarts_what_it_had_written_for(karmada: Karmada, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restart, "restart_workload", interrupted)
        with pytest.raises(KeyboardInterrupt):
            renew_in_pods(karmada, before=dt.timedelta(days=400))
    assert restarted(host) == []

    renew_in_pods(karmada, before=dt.timedelta(days=1))

    assert restarted(host) == ["kube-controller-manager", "karmada-webhook"]
    assert pending_operation.facts_of(karmada.run, renew_pods.WHAT) is None


def test_an_authority_that_ends_first_is_named_and_nothing_changes(karmada: Karmada, host: Host) -> None:
    long = karmada.asking(karmada.spec.model_copy(update={"certificates": karmada.spec.certificates.model_copy(update={"days": 5000})}))
    with pytest.raises(ProvisionError, match="ends on"):
        renew_in_pods(long, before=None)
    assert host.patched_paths == []


def test_a_given_authority_is_not_exchanged(karmada: Karmada, host: Host, tmp_path: Path) -> None:
    given = KeyPair(cert=tmp_path / "ca.crt", key=tmp_path / "ca.key")
    own = replace(
        karmada, spec=karmada.spec.model_copy(update={"certificates": karmada.spec.certificates.model_copy(update={"ca": given})})
    )
    with pytest.raises(NotPossible, match="given"):
        renew_in_pods(own, authorities=True)
    assert host.patched_paths == []


def test_stages_go_on_after_the_one_that_is_done() -> None:
    assert stages_left("", {"ca"}, "withdraw") == list(STAGES)
    assert stages_left("trust", {"ca"}, "reissue") == ["reissue"]
    assert stages_left("reissue", {"ca"}, "trust") == []
    assert stages_left("", set(), "trust") == ["reissue"]
