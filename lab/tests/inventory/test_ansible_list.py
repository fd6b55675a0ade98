"""Any document is an inventory or a usage error."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.inventory.ansible_list import parse_list
from lab.tests.inventory_fakes import read_place

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["hosts", "vars", "children", "_meta", "hostvars", "all", "g", "ansible_port"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_any_document_is_an_inventory_or_a_usage_error(document: Any) -> None:
    assert read_place(lambda: parse_list(document, "f")).startswith("f")
