"""Known values are found in every form, whole, cut or wrapped, and ordinary words stay."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.masking.mask import mask, mask_object
from lab.masking.mask_text import MASK
from lab.masking.secret_texts import is_ordinary
from lab.masking.secret_values import index_values
from lab.tests.carriers import BY_PLACE, BY_VALUE, ENCODINGS, b64, holds

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


TEXTS = [
    "2026-10-20 10:00:00 the deployment default/nginx of cluster member1 is running: password is not printed",
    "image registry.k8s.io/kube-apiserver:v1.35.4 on https://127.0.0.1:5443 as system:admin in karmada-system",
    '{"kind":"Deployment","metadata":{"name":"admin","namespace":"default"},"spec":{"paused":true,"replicas":12}}',
    'level=info msg="Reconciled" version=v1.18.2 took=1.5s path=/var/lib/etcd/member cluster=member1',
    "cm9vdDo= QWxsIGlzIHdlbGw= bm90aGluZyBzZWNyZXQgaGVyZQ== 0123456789abcdef",
]


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


def test_neighbours_of_a_value_stay() -> None:
    known = index_values(["s3cr3t-value-1234"])

    assert mask("the value s3cr3t-value-1234 of member1 s3cr3t-other", known) == f"the value {MASK} of member1 s3cr3t-other"


@pytest.mark.parametrize(
    "cut",
    [
        "'Zk4jW8qLmP2xT6vB9nR3...",
        "...mP2xT6vB9nR3yH7dF5sA'",
        "E  - Zk4jW8qLmP2xT",
        "Skipping 20 identical leading characters\nE   vB9nR3yH7dF5sA",
    ],
)
def test_a_part_of_a_value_that_was_cut_is_masked(cut: str) -> None:
    known = index_values(["Zk4jW8qLmP2xT6vB9nR3yH7dF5sA"])

    masked = mask(cut, known)

    assert not any(part in masked for part in ("Zk4jW8q", "mP2xT", "R3yH7", "dF5sA"))


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


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 400), min_size=1, max_size=8))
@example(cuts=[1])
def test_a_value_across_blocks_is_found(cuts: list[int]) -> None:
    from lab.masking import known_values as module

    known = index_values(["s3cr3t-value-1234"])
    text = "".join(f"{'x' * cut} s3cr3t-value-1234 " for cut in cuts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 64)
        assert mask(text, known).count(MASK) == len(cuts)


def test_time_grows_with_the_text_and_not_with_the_number_of_values(capsys: pytest.CaptureFixture[str]) -> None:
    """A factor of four in the text is well below the factor of sixteen that anything quadratic would take."""
    line = 'I1020 10:00:00.000000 1 controller.go:77] "Reconciled" work="karmada-es-member1/nginx-%d" took="3ms"\n'
    few, many = index_values(["s3cr3t-value-1234"]), index_values([f"s3cr3t-value-{number * 7919:08}-x" for number in range(200)])
    texts = ["".join(line % number for number in range(count)) for count in (5_000, 20_000)]

    def seconds(known: Any, text: str) -> float:
        took = []
        for _ in range(3):
            began = time.process_time()
            known.mask(text, MASK)
            took.append(time.process_time() - began)
        return min(took)

    short, long, all_of_them = seconds(few, texts[0]), seconds(few, texts[1]), seconds(many, texts[1])

    with capsys.disabled():
        print(f" {len(texts[1]) / 1e6 / long:.0f} MB/s for one value, {len(texts[1]) / 1e6 / all_of_them:.0f} MB/s for 200", end=" ")
    assert long < 10 * short + 0.05
    assert all_of_them < 6 * long + 0.05
