"""An operation that failed stays pending until it is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.plane import pending_operation
from deployers.tests.control_plane_fakes import a_karmada
from lab.errors import ProvisionError


def test_a_change_that_failed_stays_begun_until_it_is_through(tmp_path: Path) -> None:
    run = a_karmada(tmp_path).run
    with pytest.raises(RuntimeError), pending_operation.hold_pending(run, "a restore", again="lab restore A"):
        raise RuntimeError
    with (
        pytest.raises(ProvisionError, match="restore of this"),
        pending_operation.hold_pending(run, "an upgrade", again="b"),
    ):
        raise AssertionError
    assert pending_operation.facts_of(run, "a restore")

    with pending_operation.hold_pending(run, "a restore", again="lab restore A"):
        pass

    pending_operation.require_none(run)
