"""Names of what a run creates outside its directory."""

from __future__ import annotations

from lab import external_names
from lab.external_names import external_name


def test_the_external_name_of_a_long_run_fits_a_host_name_and_is_unique() -> None:
    long = "kind-by-karmadactl-1-18-2-1-35-4-smoke"
    name = external_name(long, "member1-control-plane")

    assert name.startswith("karmada-lab.kind-by-k-")
    assert name.endswith(".member1-control-plane")
    assert len(name) <= 63
    assert external_names.belongs_to_run(name, long)
    assert not external_names.belongs_to_run(name, f"{long}s")
    assert not external_names.belongs_to_run(name, "kind-by-k")
