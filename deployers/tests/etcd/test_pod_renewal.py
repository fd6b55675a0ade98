"""Which values of an installer's Secrets are renewed: the pair by which Karmada calls the lab's own etcd, and nothing else."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from deployers.etcd.pod_renewal import list_changed_values
from deployers.pods.etcd.certificates import CALLER, CLIENTS, make_certificates


def read(folder: Path, name: str) -> tuple[bytes, bytes]:
    return (folder / f"{name}.crt").read_bytes(), (folder / f"{name}.key").read_bytes()


def test_an_earlier_pair_of_the_same_authority_is_replaced_under_whatever_keys_it_is(tmp_path: Path) -> None:
    make_certificates(tmp_path, days=30)
    ca, _ = read(tmp_path, CLIENTS)
    authority = x509.load_pem_x509_certificate(ca)
    former, other = read(tmp_path, CALLER), read(tmp_path, "etcd-client")
    make_certificates(tmp_path, days=30, renew=[CALLER])
    newest = read(tmp_path, CALLER)

    assert list_changed_values({"ca.crt": ca, "tls.crt": former[0], "tls.key": former[1]}, newest, authority) == {
        "tls.crt": newest[0],
        "tls.key": newest[1],
    }
    assert list_changed_values({"ca.crt": ca, "a": other[0], "b": other[1], "token": b"x"}, newest, authority) == {}
    assert list_changed_values({"tls.crt": newest[0], "tls.key": newest[1]}, newest, authority) == {}


def test_a_pair_of_another_authority_is_left_alone(tmp_path: Path) -> None:
    for name in ("one", "other"):
        make_certificates(tmp_path / name, days=30)
    make_certificates(tmp_path / "one", days=30, renew=[CALLER])
    authority = x509.load_pem_x509_certificate(read(tmp_path / "one", CLIENTS)[0])
    foreign = read(tmp_path / "other", CALLER)

    changed = list_changed_values({"c": foreign[0], "k": foreign[1]}, read(tmp_path / "one", CALLER), authority)
    assert changed == {}
