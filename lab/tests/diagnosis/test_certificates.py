"""Certificates that are not valid now are causes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.diagnosis.cause import Rank
from lab.diagnosis.certificates import find_certificate_causes
from lab.pki import Authority
from lab.run import Run


@pytest.mark.parametrize(("days", "ranks"), [(0, []), (-2, [Rank.CERTIFICATE]), (11 * 365, [Rank.CERTIFICATE])])
def test_a_certificate_that_is_not_valid_now_is_a_cause(tmp_path: Path, days: int, ranks: list[Rank]) -> None:
    run = Run.create("lab1", {}, root=tmp_path)
    Authority.ensure(run.path / "pki" / "karmada", "ca", common_name="karmada")
    (run.path / "pki" / "karmada" / "broken.crt").write_text("no certificate")

    found = list(find_certificate_causes(run, now=datetime.now(UTC) + timedelta(days=days)))

    assert [cause.rank for cause in found] == ranks
    assert all("pki/karmada/ca.crt" in cause.text for cause in found)
