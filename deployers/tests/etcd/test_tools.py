"""Log lines of etcd's tools, without their frame."""

from __future__ import annotations

from deployers.etcd.tools import last_line


def test_a_log_line_is_reduced_to_its_message() -> None:
    assert last_line('{"level":"fatal","msg":"gone"}') == "gone"
    assert last_line("") == "it printed nothing"
