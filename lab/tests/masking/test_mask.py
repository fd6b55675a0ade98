"""Planted secrets never survive, wherever and however they are written."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lab.masking.mask import mask, mask_object
from lab.masking.mask_text import MASK

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MARK = "qz7"
"""Every secret begins so, and nothing else does: what survives is told from noise that looks like it."""
words = st.text(st.sampled_from(ALPHABET), min_size=12, max_size=60).map(lambda text: MARK + text)
noise = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40).map(lambda text: text.replace("\x85", ""))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | noise,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "token", "data", "kind", "spec"]), inner, max_size=3),
    max_leaves=12,
)


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
