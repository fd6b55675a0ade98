"""Workloads that read a certificate, or an authority, at their start alone are started again; others are not."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from deployers.day2.exchange_keys import list_changes, reads_once, trusts_once
from deployers.pods.held_keys import Exchange, fingerprint
from deployers.pods.key_places import secrets_of
from deployers.pods.workloads import workloads
from deployers.tests.pod_keys_fakes import chart_host, values_of


def test_api_server_and_etcd_reload_certificates_and_read_etcds_authority_once(tmp_path: Path) -> None:
    host = chart_host(tmp_path / "keys")
    values = values_of(host, "karmada-cert")
    ca, proxy = (fingerprint(x509.load_pem_x509_certificate(values[name])) for name in ("server-ca.crt", "front-proxy-ca.crt"))
    found = {each.name: each for each in workloads(host.api())}

    assert [name for name, each in found.items() if not reads_once(each)] == ["etcd", "karmada-apiserver"]
    of_etcd = trusts_once(host.api(), Exchange({ca: b""}))
    assert [name for name, each in found.items() if not of_etcd(each)] == []
    other = trusts_once(host.api(), Exchange({proxy: b""}))
    assert [name for name, each in found.items() if not other(each)] == ["etcd", "karmada-apiserver"]


def test_the_signers_own_files_are_left_alone(tmp_path: Path) -> None:
    host = chart_host(tmp_path / "keys")
    values = values_of(host, "karmada-cert")
    ca = x509.load_pem_x509_certificate(values["server-ca.crt"])
    secret = next(each for each in host.lists["/api/v1/namespaces/karmada-system/secrets"] if each["metadata"]["name"] == "karmada-cert")
    secret["data"]["signing.crt"] = secret["data"]["server-ca.crt"]

    changes = list_changes(secrets_of(host.api()), Exchange({fingerprint(ca): values["front-proxy-ca.crt"]}))

    assert {place.name: set(after) for place, after in changes} == {"karmada-cert": {"server-ca.crt"}, "karmada-kubeconfig": {"kubeconfig"}}
