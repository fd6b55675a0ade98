"""Certificates and keys are exchanged wherever a text holds them, and nothing else changes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from deployers.pods.held_keys import Exchange, certificates_in, fingerprint, pems_in
from deployers.pods.keys import public_key
from lab.pki import Authority, Pair, write_kubeconfig


@pytest.fixture
def made(tmp_path: Path) -> dict[str, bytes]:
    """Two authorities and a leaf of each, as PEM by file name."""
    for name in ("one", "two"):
        Authority.ensure(tmp_path / name, "ca", common_name=name).issue("leaf", common_name="leaf", hosts=["localhost"])
    return {f"{file.parent.name}/{file.name}": file.read_bytes() for file in tmp_path.rglob("*.*") if file.suffix in {".crt", ".key"}}


def load(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def leaf_exchange(made: dict[str, bytes]) -> Exchange:
    return Exchange(
        {fingerprint(load(made["one/leaf.crt"])): made["two/leaf.crt"]}, {public_key(made["one/leaf.key"]): made["two/leaf.key"]}
    )


def test_a_secrets_values_change_under_whatever_names_they_have(made: dict[str, bytes]) -> None:
    values = {"a": made["one/leaf.crt"], "b": made["one/leaf.key"], "ca": made["one/ca.crt"], "token": b"x", "k": made["one/ca.key"]}
    assert leaf_exchange(made).changed(values) == {"a": made["two/leaf.crt"], "b": made["two/leaf.key"]}
    assert leaf_exchange(made).changed({"a": made["two/leaf.crt"]}) == {}


def test_a_kubeconfig_keeps_all_else(made: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "one"
    pair = Pair(folder / "leaf.crt", folder / "leaf.key")
    file = write_kubeconfig(tmp_path / "config", context="karmada", server="https://x:1", ca=folder / "ca.crt", client=pair)
    both = Exchange({fingerprint(load(made["one/ca.crt"])): made["two/ca.crt"] + made["one/ca.crt"]})

    after = yaml.safe_load(both.text(leaf_exchange(made).text(file.read_bytes())))

    before = yaml.safe_load(file.read_bytes())
    user, cluster = after["users"][0]["user"], after["clusters"][0]["cluster"]
    assert b64decode(user["client-certificate-data"]) == made["two/leaf.crt"]
    assert b64decode(user["client-key-data"]) == made["two/leaf.key"]
    assert len(certificates_in(b64decode(cluster["certificate-authority-data"]))) == 2
    assert (after["contexts"], cluster["server"]) == (before["contexts"], before["clusters"][0]["cluster"]["server"])
    assert len(list(pems_in(file.read_bytes()))) == 3


def test_both_are_trusted_once_each_and_then_the_successor_alone(made: dict[str, bytes]) -> None:
    former, successor = made["one/ca.crt"], made["two/ca.crt"]
    both = Exchange({fingerprint(load(former)): successor + former})
    withdrawn = Exchange({fingerprint(load(former)): successor})

    trusted = both.text(former)

    assert [fingerprint(each) for each in certificates_in(trusted)] == [fingerprint(load(successor)), fingerprint(load(former))]
    assert both.text(trusted) == trusted, "an interrupted exchange goes on"
    assert withdrawn.text(trusted) == successor
    assert withdrawn.text(withdrawn.text(trusted)) == successor


def test_objects_trust_by_their_bundles_and_by_kubeconfigs_in_them(made: dict[str, bytes]) -> None:
    exchange = Exchange({fingerprint(load(made["one/ca.crt"])): made["two/ca.crt"]})
    one, two = (b64encode(made[f"{name}/ca.crt"]).decode() for name in ("one", "two"))
    config = {"kind": "Config", "clusters": [{"cluster": {"certificate-authority-data": one}, "name": ""}]}
    item = {"webhooks": [{"clientConfig": {"caBundle": one, "url": "u"}}], "data": {"kubeconfig": yaml.safe_dump(config)}, "n": 3}

    after = exchange.document(item)

    assert after["webhooks"] == [{"clientConfig": {"caBundle": two, "url": "u"}}]
    assert two in after["data"]["kubeconfig"]
    assert after["n"] == 3
    assert exchange.document(after) == after


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_other_texts_stay_as_they_are(text: bytes) -> None:
    exchange = Exchange({b"x": b"y"}, {b"x": b"y"})
    assert exchange.text(text) == text
