from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from deployers.operator.observe import PlaneReader, fingerprint_authority
from lab.pki import Authority
from lab.run import Run

MONTH = dt.timedelta(days=30)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("x", {"lab": {"members": []}, "karmada": {}}, root=tmp_path)


def test_without_a_lab_nothing_is_observed() -> None:
    assert PlaneReader().view(None, renew_before=MONTH).observed.asked is None


def test_a_lab_that_was_never_complete_is_no_karmada_yet(run: Run) -> None:
    view = PlaneReader().view(run, renew_before=MONTH)

    assert (view.observed.complete, view.observed.alive, view.answers, fingerprint_authority(run)) == (False, False, False, "")
    run.journal("up")
    assert PlaneReader().view(run, renew_before=MONTH).observed.complete


def test_the_first_certificate_that_ends_counts_and_authorities_do_not(run: Run) -> None:
    folder = run.folder("pki", "karmada")
    Authority.ensure(folder, "ca", common_name="karmada")
    reader = PlaneReader()
    view = reader.view(run, renew_before=MONTH)

    assert view.expires == dt.datetime.max.replace(tzinfo=dt.UTC)
    assert not view.observed.expiring
    assert len(fingerprint_authority(run)) == 8


def test_a_pending_change_is_observed(run: Run) -> None:
    run.record("karmada", "unfinished", {"what": "an upgrade"})

    assert PlaneReader().view(run, renew_before=MONTH).observed.pending == {"what": "an upgrade"}
