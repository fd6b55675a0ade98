"""The suite of a release: compiled from its module, with the ginkgo that it links, and its specs."""

from __future__ import annotations

from pathlib import Path

from scenarios.upstream.suite import ginkgo_of


def test_the_ginkgo_of_a_suite_is_the_one_that_it_links(tmp_path: Path) -> None:
    program = tmp_path / "suite"
    program.write_bytes(b"\0\x7fELF github.com/onsi/ginkgo/v2@v2.27.2/internal/suite.go\0")

    assert ginkgo_of(program) == "2.27.2"
