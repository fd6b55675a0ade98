from __future__ import annotations

from pathlib import Path

from lab.import_root import PACKAGE, import_root


def test_a_checkout_is_imported_from_its_top() -> None:
    assert PACKAGE == "lab"
    assert import_root() == Path(__file__).parents[2]
