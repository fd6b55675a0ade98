"""Syntax of labels and quantities, as Kubernetes reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.rules import syntax


@pytest.mark.parametrize("text", ["0", "8", "500m", "32Gi", "1.5", ".5", "5.", "1e3", "1E3", "1E", "100n", "2u", "+4", "4k", "1.5G", "3Pi"])
def test_quantities_that_kubernetes_takes(text: str) -> None:
    assert syntax.quantity_error(text) == ""


@given(st.text(max_size=20))
def test_no_text_breaks_a_rule(text: str) -> None:
    for check in (syntax.label_key_error, syntax.label_value_error, syntax.quantity_error, syntax.host_name_error, syntax.port_error):
        assert isinstance(check(text), str)


@pytest.mark.parametrize(("key", "why"), [("a/b/c", "has more than one '/'"), ("A/b", "prefix"), ("/b", "prefix"), ("a/", "is empty")])
def test_a_wrong_key_of_a_label_is_a_predicate_of_the_key(key: str, why: str) -> None:
    found = syntax.label_key_error(key)

    assert why in found
    assert found.split()[0] in {"has", "is"}
