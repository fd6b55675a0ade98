"""Planted secrets never survive, wherever and however they are written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lab.masking.mask import mask, mask_object
from lab.masking.mask_text import MASK
from lab.masking.secret_texts import is_ordinary
from lab.masking.secret_values import index_values
from lab.tests.carriers import BY_PLACE, BY_VALUE, ENCODINGS, b64, holds

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MARK = "qz7"
"""Every secret begins so, and nothing else does: what survives is told from noise that looks like it."""
words = st.text(st.sampled_from(ALPHABET), min_size=12, max_size=60).map(lambda text: MARK + text)
noise = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40).map(lambda text: text.replace("\x85", ""))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | noise,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "token", "data", "kind", "spec"]), inner, max_size=3),
    max_leaves=12,
)
values = st.one_of(
    st.text(st.sampled_from("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"), min_size=8, max_size=40).map(
        lambda text: f"q7{text}"
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs", "Co", "Cn"]), min_size=8, max_size=24),
    st.lists(st.text(st.sampled_from("abcdefghijkl<>&'\"\\/%+="), min_size=4, max_size=9), min_size=3, max_size=5).map(" ".join),
)
ODD = [
    "hunter2",
    "topsecret",
    "s3cr3t-value-1234",
    'pa"ss\\wo/rd & <x> é',
    "correct horse battery staple",
    "x'y\"z`$HOME%20",
    "pässwörd-ümlaut",
]
TEXTS = [
    "2026-10-20 10:00:00 the deployment default/nginx of cluster member1 is running: password is not printed",
    "image registry.k8s.io/kube-apiserver:v1.35.4 on https://127.0.0.1:5443 as system:admin in karmada-system",
    '{"kind":"Deployment","metadata":{"name":"admin","namespace":"default"},"spec":{"paused":true,"replicas":12}}',
    'level=info msg="Reconciled" version=v1.18.2 took=1.5s path=/var/lib/etcd/member cluster=member1',
    "cm9vdDo= QWxsIGlzIHdlbGw= bm90aGluZyBzZWNyZXQgaGVyZQ== 0123456789abcdef",
]


def pem(kind: str, body: str) -> str:
    lines = "\n".join(body[i : i + 16] for i in range(0, len(body), 16))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


PLANTS: dict[str, Callable[[str], str]] = {
    "pem": lambda s: pem("RSA PRIVATE KEY", s),
    "pem pkcs8": lambda s: pem("PRIVATE KEY", s),
    "pem ec": lambda s: pem("EC PRIVATE KEY", s),
    "pem cut at its end": lambda s: pem("PRIVATE KEY", s).partition("-----END")[0].rstrip(),
    "pem cut at its head": lambda s: pem("PRIVATE KEY", s).partition("-----\n")[2].rstrip(),
    "pem in one line": lambda s: json.dumps(pem("PRIVATE KEY", s)),
    "pem in base64": lambda s: f"LS0tLS1CRUdJTi{b64(pem('PRIVATE KEY', s))[14:]}",
    "kubeconfig": lambda s: f"users:\n- name: a\n  user:\n    client-key-data: {b64(s)}\n    token: {s}",
    "kubeconfig json": lambda s: json.dumps({"users": [{"user": {"client-key-data": b64(s), "token": s}}]}),
    "bearer": lambda s: f"Authorization: Bearer {s}",
    "bearer in a log": lambda s: f'level=info header="Authorization: Bearer {s}" status=200',
    "bearer in json": lambda s: json.dumps({"headers": {"Authorization": [f"Bearer {s}"]}}),
    "bearer alone": lambda s: f"sent Bearer {s} to the server",
    "basic": lambda s: f"authorization: Basic {b64('admin:' + s)}",
    "jwt": lambda s: f"the token was eyJhbGciOiJSUzI1NiJ9.{b64(s).rstrip('=')}.{s}",
    "jwt in base64": lambda s: b64(f"eyJhbGciOiJSUzI1NiJ9.{s}.{s}"),
    "flag": lambda s: f"karmadactl register 10.0.0.1:5443 --token {s} --discovery-token-ca-cert-hash sha256:ab",
    "flag with =": lambda s: f"register --bootstrap-token={s}",
    "argv": lambda s: json.dumps({"argv": ["karmadactl", "register", "--token", s]}),
    "argv in a log": lambda s: f'running ["karmadactl", "--token", "{s}", "--v", "4"]',
    "bootstrap token": lambda s: f"created token abcdef.{s[:16].lower().ljust(16, '0')} for member3",
    "yaml": lambda s: f"password: {s}",
    "yaml quoted": lambda s: f'password: "{s} {s}"',
    "python": lambda s: f"{{'password': '{s}', 'user': 'a'}}",
    "escaped json": lambda s: f'body="{{\\"token\\":\\"{s}\\",\\"ttl\\":3}}"',
    "env": lambda s: f"DB_PASSWORD={s} ./start",
    "url": lambda s: f"postgres://admin:{s}@db:5432/x",
    "secret": lambda s: json.dumps({"kind": "Secret", "metadata": {"name": "a"}, "data": {"any": b64(s)}, "stringData": {"x": s}}),
    "secret in yaml": lambda s: yaml.safe_dump({"kind": "Secret", "data": {"any": b64(s)}, "stringData": {"other": f"{s}\n{s}"}}),
    "secret in a failure": lambda s: "\n".join(
        f"E   {line}" for line in ("AssertionError: " + yaml.safe_dump({"kind": "Secret", "data": {"any": b64(s)}})).splitlines()
    ),
    "secret behind other words": lambda s: f'<failure message="Error: {yaml.safe_dump({"kind": "Secret", "data": {"any": b64(s)}})}">',
    "secret in a work": lambda s: json.dumps({"kind": "Work", "spec": {"manifests": [{"kind": "Secret", "data": {"k": b64(s)}}]}}),
    "secret in a log": lambda s: f'applied {{"apiVersion":"v1","kind":"Secret","data":{{"any":"{b64(s)}"}}}} in 3 ms',
    "secret in an annotation": lambda s: json.dumps(
        {"metadata": {"annotations": {"last-applied": json.dumps({"kind": "Secret", "stringData": {"any": s}})}}}
    ),
    "secrets listed": lambda s: json.dumps({"kind": "SecretList", "items": [{"data": {"any": b64(s)}}]}),
    "env of a pod": lambda s: json.dumps({"env": [{"name": "DB_PASSWORD", "value": s}]}),
    "pull secret": lambda s: json.dumps({".dockerconfigjson": b64(s)}),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
@settings(max_examples=15, deadline=None)
@given(secret=words, before=noise, after=noise)
def test_a_planted_secret_does_not_survive(plant: Callable[[str], str], secret: str, before: str, after: str) -> None:
    assume(MARK not in before + after)
    planted = plant(secret)
    contexts = [f"{before}\n{planted}\n{after}"]
    if "\n" not in planted:
        contexts.append(f"10:31:07 before: {planted} after")

    for masked in map(mask, contexts):
        assert MARK not in masked
        assert b64(MARK) not in masked
        assert MASK in masked


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.tuples(st.sampled_from(sorted(PLANTS)), words), max_size=4), between=noise)
@example(parts=[("pem cut at its end", MARK + "0" * 12), ("secret in a failure", MARK + "0" * 12)], between="0")
def test_masking_twice_is_masking_once(parts: list[tuple[str, str]], between: str) -> None:
    once = mask(f"\n{between}\n".join(PLANTS[kind](secret) for kind, secret in parts))

    assert mask(once) == once


@settings(max_examples=80, deadline=None)
@given(value=json_values)
def test_json_stays_json(value: Any) -> None:
    document = {"kind": "List", "item": value}

    assert json.loads(mask(json.dumps(document))) == mask_object(document)


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-10-20 10:00:00 member1 is Ready after 3.2 s",
        pem("CERTIFICATE", "QUJD" * 20),
        f"certificate-authority-data: {b64(pem('CERTIFICATE', 'QUJD' * 20))}",
        "--service-account-key-file=/run/pki/sa.pub --enable-bootstrap-token-auth=true",
        '{"kind":"ConfigMap","data":{"a":"b"}}',
        '{"automountServiceAccountToken":false,"token":null}',
        "https://127.0.0.1:6443/readyz: 200",
        "controllers: bootstrapsigner,tokencleaner,csrsigning",
    ],
)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert mask(harmless) == harmless


def test_the_keys_of_a_secret_stay() -> None:
    masked = mask_object({"kind": "Secret", "metadata": {"name": "member1"}, "data": {"token": "eA==", "caBundle": "eA=="}})

    assert masked == {"kind": "Secret", "metadata": {"name": "member1"}, "data": {"token": MASK, "caBundle": MASK}}


def test_the_id_of_a_bootstrap_token_stays() -> None:
    assert mask("token abcdef.0123456789abcdef expired") == f"token abcdef.{MASK} expired"


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=4, deadline=None)
@given(value=values, before=st.sampled_from(["", "x = ", "a line\n"]), after=st.sampled_from(["", " is it", "\nanother"]))
def test_a_known_value_does_not_survive_in_any_encoding(encoding: str, value: str, before: str, after: str) -> None:
    if is_ordinary(value, frozenset()):
        return
    written = f"{before}{ENCODINGS[encoding](value)}{after}"

    masked = mask(written, index_values([value]))

    assert not holds(masked, value)
    assert MASK in masked
    assert mask(masked, index_values([value])) == masked


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_odd_values_do_not_survive(encoding: str, value: str) -> None:
    written = f"log: {ENCODINGS[encoding](value)} end"
    assert holds(written, value), "the search would not find it"

    assert not holds(mask(written, index_values([value])), value)


@pytest.mark.parametrize("carrier", [*BY_PLACE, *BY_VALUE])
@settings(max_examples=4, deadline=None)
@given(value=values)
def test_no_object_carries_a_known_value(carrier: str, value: str) -> None:
    if is_ordinary(value, frozenset()):
        return
    document = {**BY_PLACE, **BY_VALUE}[carrier](value)
    known = index_values([value])

    assert not holds(json.dumps(mask_object(document, known), ensure_ascii=False), value)
    as_text = mask(json.dumps(document, indent=1), known)
    assert not holds(as_text, value)
    json.loads(as_text)


@pytest.mark.parametrize("carrier", BY_PLACE)
def test_where_a_secret_stands_it_need_not_be_known(carrier: str) -> None:
    for value in ("q7Rmw2bWtRzu", "admin", "true1", "password"):
        masked = mask_object(BY_PLACE[carrier](value))

        assert value not in json.dumps({"values": leaves(masked)})
        assert b64(value) not in json.dumps(masked)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "value",
    ["admin", "true", "running", "password", "default", "member1", "karmada-system", "v1.18.2", "1.5s", "127.0.0.1", "5443", "a", "",
     "https://127.0.0.1:5443", "/var/lib/etcd/member", "system:admin", "registry.k8s.io/kube-apiserver:v1.35.4", "2026-10-20", "Running"],
)  # fmt: skip
def test_ordinary_terms_are_not_masked_although_a_secret_has_them_as_its_value(value: str, text: str) -> None:
    from lab.masking.secret_values import SecretValues

    known = SecretValues({value.encode()}, {"member1", "karmada-system"}).known()

    assert mask(text, known) == text


def test_a_short_value_counts_as_a_whole_word_only() -> None:
    known = index_values(["hunter2"])

    assert mask("hunter2", known) == mask("(hunter2)", known).strip("()") == MASK
    assert mask("hunter22 xhunter2 hunter2x", known) == "hunter22 xhunter2 hunter2x"


def test_four_letters_are_masked_as_base64_and_not_as_a_word() -> None:
    assert mask("admin: YWRtaW4= admin", index_values(["admin"])) == f"admin: {MASK} admin"


@pytest.mark.parametrize(
    "cut", ["{'k': 'aHVu...UC12YWx1ZQ=='}", "'hunt...-value'", "'hunter2-OP...e'", "'aHVudGVyMi1P…ZQ=='", "'a...i1PUC12YWx1ZQ=='"]
)
def test_both_sides_of_a_value_cut_in_its_middle_are_masked(cut: str) -> None:
    masked = mask(cut, index_values(["hunter2-OP-value"]))

    assert not any(part in masked for part in ("aHVu", "1ZQ", "ZQ==", "hunt", "value", "'a", "e'"))
    assert "..." in masked or "…" in masked


def test_lines_stay_lines() -> None:
    text = "a\n" + "\n".join(b64("s3cr3t-value-1234" * 5)[at : at + 20] for at in range(0, 100, 20)) + "\nz"

    assert len(mask(text, index_values(["s3cr3t-value-1234"])).splitlines()) == len(text.splitlines())
