"""Any text is an inventory or a usage error."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from lab.inventory.ansible_ini import parse_ini
from lab.inventory.ansible_yaml import parse_yaml
from lab.inventory.groups import Inventory
from lab.tests.inventory_fakes import read_place

TEXT = st.text("ab[]:{}=#;'\"1 -\n&*!,.", max_size=60)
PARSERS: dict[str, Callable[[str], Inventory]] = {
    "ini": lambda text: parse_ini(text, "f"),
    "yaml": lambda text: parse_yaml(text.encode(), "f"),
}


@given(TEXT, st.sampled_from(sorted(PARSERS)))
def test_any_text_is_an_inventory_or_a_usage_error_with_its_place(text: str, form: str) -> None:
    assert read_place(lambda: PARSERS[form](text)).startswith("f")
