from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from deployers.plane import certificates
from deployers.plane.certificates import leaves, make
from deployers.spec import KarmadaSpec
from deployers.tests.authority_fakes import P256, certificate, given, paths
from lab.errors import UsageError
from lab.pki import Authority, make_key_usage, start_certificate

SERVER = "https://127.0.0.1:5443"
GOOD: dict[str, Callable[[], Any]] = {
    "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA 3072": lambda: rsa.generate_private_key(65537, 3072),
    "P-256": lambda: P256,
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


def made(folder: Path, *, front: str | None = None, **table: Any) -> Path:
    make(folder / "pki", KarmadaSpec.model_validate(table), server=SERVER, kubeconfig=folder / "karmada.yaml", front=front)
    return folder / "pki"


def read(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def issued_by(folder: Path, authority: str) -> set[str]:
    issuer = read(folder, authority)
    found = set()
    for path in folder.glob("*.crt"):
        try:
            read(folder, path.stem).verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError):
            continue
        found.add(path.stem)
    return found - {authority}


def an_authority(folder: Path, *, ca: bool = True, days: int = 100, permitted: Sequence[str] = ()) -> dict[str, str]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "corporate")])
    builder = (
        start_certificate(name, name, key.public_key(), valid=dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(make_key_usage(signs_certificates=ca), critical=True)
    )
    if permitted:
        bounds = x509.NameConstraints(permitted_subtrees=[x509.DNSName(each) for each in permitted], excluded_subtrees=None)
        builder = builder.add_extension(bounds, critical=True)
    signed = builder.sign(key, hashes.SHA256())
    (folder / "given.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "given.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return {"cert": str(folder / "given.crt"), "key": str(folder / "given.key")}


def test_what_opens_etcd_is_signed_by_etcds_own_authority(tmp_path: Path) -> None:
    pki = made(tmp_path)

    clients = {"karmada-apiserver-etcd-client", "karmada-aggregated-apiserver-etcd-client", "etcd-client"}
    assert issued_by(pki, "etcd-ca") == clients | {"etcd-server", "etcd-peer"}
    assert not issued_by(pki, "ca") & clients


def test_subjects_and_names_are_upstreams(tmp_path: Path) -> None:
    by_name = {leaf.name: leaf for leaf in leaves(KarmadaSpec())}

    assert by_name["client"].common_name == "system:admin"
    assert by_name["karmada-scheduler-client"].common_name == "system:karmada:karmada-scheduler"
    assert by_name["karmada-scheduler-client"].organisation == "system:masters"
    assert "karmada-aggregated-apiserver.karmada-system.svc" in by_name["karmada-aggregated-apiserver"].hosts
    assert "*.karmada-system.svc" in by_name["server"].hosts


def test_addons_bring_their_own_and_nothing_is_made_for_those_that_are_off() -> None:
    def names(**addons: bool) -> set[str]:
        return {leaf.name for leaf in leaves(KarmadaSpec.model_validate({"addons": addons}))}

    assert names(search=True) - names() == {"karmada-search", "karmada-search-client", "karmada-search-etcd-client"}
    assert names(estimators=True) - names() == {"karmada-scheduler-estimator", "karmada-scheduler-grpc"}
    assert names(descheduler=True) - names() == {"karmada-descheduler-client", "karmada-descheduler-grpc"}


def test_an_external_etcd_needs_no_certificates_of_ours() -> None:
    external = {"servers": ["https://10.0.0.1:2379"], "ca": "/a", "cert": "/b", "key": "/c"}

    assert not [leaf.name for leaf in leaves(KarmadaSpec.model_validate({"etcd": {"external": external}})) if "etcd" in leaf.name]


def test_extra_hosts_and_the_load_balancer_are_names_of_the_apiserver_alone(tmp_path: Path) -> None:
    pki = made(tmp_path, certificates={"hosts": ["karmada.example.org"], "days": 30}, load_balancer="lb.example.org:6443")

    def hosts(name: str) -> list[str]:
        return read(pki, name).extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)

    assert {"karmada.example.org", "lb.example.org"} <= set(hosts("karmada-apiserver"))
    assert "lb.example.org" not in hosts("karmada-webhook")
    assert (read(pki, "client").not_valid_after_utc - dt.datetime.now(dt.UTC)).days in {29, 30}


def test_administrator_goes_through_the_load_balancer_and_components_do_not(tmp_path: Path) -> None:
    pki = made(tmp_path, load_balancer="lb.example.org:6443")

    def server(file: Path) -> str:
        return str(yaml.safe_load(file.read_text())["clusters"][0]["cluster"]["server"])

    assert server(tmp_path / "karmada.yaml") == "https://lb.example.org:6443"
    assert {server(pki / f"{name}.kubeconfig") for name in ("admin", "karmada-webhook", "kube-controller-manager")} == {SERVER}


def test_users_ask_the_balancer_of_the_lab_for_the_external_name_and_components_go_through_it_too(tmp_path: Path) -> None:
    front = "https://127.0.0.1:7443"
    pki = made(tmp_path, front=front, by_binary={"external_name": "karmada.example.test"})

    def cluster(file: Path) -> dict[str, str]:
        found = yaml.safe_load(file.read_text())["clusters"][0]["cluster"]
        return {key: found[key] for key in ("server", "tls-server-name") if key in found}

    names = read(pki, "karmada-apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "karmada.example.test" in names.get_values_for_type(x509.DNSName)
    assert cluster(tmp_path / "karmada.yaml") == {"server": front, "tls-server-name": "karmada.example.test"}
    assert cluster(pki / "karmada-scheduler.kubeconfig") == {"server": front}
    assert cluster(pki / "admin.kubeconfig") == {"server": SERVER}


def test_making_them_again_changes_no_byte(tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in made(tmp_path).iterdir()}

    assert {path.name: path.read_bytes() for path in made(tmp_path).iterdir()} == before


def test_a_given_authority_signs_karmadas_certificates_and_not_etcds(tmp_path: Path) -> None:
    pki = made(tmp_path, certificates={"ca": an_authority(tmp_path)})

    assert read(pki, "ca").subject.rfc4514_string() == "CN=corporate"
    assert {"karmada-webhook", "client", "front-proxy-client"} <= issued_by(pki, "ca")
    assert "etcd-server" in issued_by(pki, "etcd-ca")


def test_an_authority_that_cannot_sign_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        made(tmp_path, certificates={"ca": an_authority(tmp_path, ca=False)})


def test_an_authority_is_not_exchanged_in_place(tmp_path: Path) -> None:
    made(tmp_path)

    with pytest.raises(UsageError, match="another authority"):
        made(tmp_path, certificates={"ca": an_authority(tmp_path)})


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    pki = made(tmp_path)

    secret = [*pki.glob("*.key"), *pki.glob("*.kubeconfig"), tmp_path / "karmada.yaml"]
    assert {path.name: path.stat().st_mode & 0o777 for path in secret} == {path.name: 0o600 for path in secret}


def test_host_of_an_address() -> None:
    assert [certificates.host_of(address) for address in ("a.b:1", "10.0.0.1:2", "[::1]:3")] == ["a.b", "10.0.0.1", "::1"]


@pytest.mark.parametrize("kind", GOOD)
def test_keys_that_every_program_signs_with(tmp_path: Path, kind: str) -> None:
    key = GOOD[kind]()
    pair = given(tmp_path, certificate(key), key)

    assert paths(pair) == []
    spec = KarmadaSpec.model_validate({"certificates": {"ca": pair.model_dump(mode="json")}})
    make(tmp_path / "pki", spec, server="https://127.0.0.1:1", kubeconfig=tmp_path / "karmada.yaml")
    leaf = x509.load_pem_x509_certificate((tmp_path / "pki" / "karmada-webhook.crt").read_bytes())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate((tmp_path / "pki" / "ca.crt").read_bytes()))
    assert Authority.ensure(tmp_path / "pki", "ca", common_name="karmada").key.public_key() == key.public_key()


def test_a_leaf_names_its_issuers_key_as_the_issuer_does(tmp_path: Path) -> None:
    identifier = x509.SubjectKeyIdentifier(b"of its own making")
    pair = given(tmp_path, certificate(more=[(identifier, False)]))
    spec = KarmadaSpec.model_validate({"certificates": {"ca": pair.model_dump(mode="json")}})
    make(tmp_path / "pki", spec, server="https://127.0.0.1:1", kubeconfig=tmp_path / "karmada.yaml")

    leaf = x509.load_pem_x509_certificate((tmp_path / "pki" / "client.crt").read_bytes())
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == b"of its own making"
