"""Programs of an embedded cluster: read them in golden/embedded.txt; a changed flag shows there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.cluster import Lab
from lab.machines.placement import place_run
from lab.providers import embedded_cluster
from lab.providers.embedded_cluster import make_components
from lab.run import Run
from lab.tests.assets_fakes import Anything
from lab.tests.embedded_fakes import a_lab

GOLDEN = Path(__file__).parents[1] / "golden" / "embedded.txt"


@pytest.fixture(autouse=True)
def fixed_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    def numbered(run: Run, name: str, uses: list[str]) -> dict[str, int]:
        return {use: 20_000 + 100 * len(name) + number for number, use in enumerate(uses)}

    monkeypatch.setattr(embedded_cluster, "ports_of", numbered)


def transcript(lab: Lab) -> str:
    lines = []
    for part in make_components(place_run(lab.run, ""), lab.spec.members[0], lab.members[0], Anything()):
        lines += [f"# {part.name}", f"#   needs {', '.join(part.needs)}; serves when {', '.join(h.url for h in part.ready)}"]
        lines += [part.argv[0], *(f"  {word}" for word in part.argv[1:]), ""]
    return "\n".join(lines).replace(str(lab.run.path), "RUN")


def test_programs_of_a_member_are_those_of_the_golden_file(tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN, transcript(a_lab(tmp_path)))


def test_every_listener_is_on_loopback_or_a_private_socket(tmp_path: Path) -> None:
    for part in make_components(
        place_run(a_lab(tmp_path).run, ""), a_lab(tmp_path / "b").spec.members[0], a_lab(tmp_path / "c").members[0], Anything()
    ):
        for word in part.argv:
            flag, _, value = word.partition("=")
            if flag in {"--bind-address", "--server-address"}:
                assert value.startswith("127.0.0.1")
            if flag.startswith("--listen-"):
                assert value.startswith(("unix://", "http://127.0.0.1:"))
