"""etcd keeps its quorum when a member leaves."""

from __future__ import annotations

from typing import Any

import pytest

from deployers.etcd.health import EtcdMember
from deployers.etcd.membership import require_removable
from deployers.tests.etcd_fakes import health, member
from lab.errors import UsageError

DOWN: dict[str, Any] = {"answers": False, "why": "refused"}


@pytest.mark.parametrize(
    ("members", "name", "refused"),
    [
        ([member("etcd")], "etcd", "voting member"),
        ([member("etcd"), member("etcd-2")], "etcd", None),
        ([member("etcd"), member("etcd-2", **DOWN)], "etcd", "below quorum"),
        ([member("etcd"), member("etcd-2", **DOWN)], "etcd-2", None),
        ([member("etcd"), member("etcd-2"), member("etcd-3")], "etcd-3", None),
        ([member("etcd"), member("etcd-2"), member("etcd-3", **DOWN)], "etcd-3", None),
        ([member("etcd"), member("etcd-2"), member("etcd-3", **DOWN)], "etcd-2", "below quorum"),
        ([member("etcd"), member("etcd-2", learner=True)], "etcd", "voting member"),
        ([member("etcd")], "etcd-9", "member 'etcd-9'"),
    ],
)
def test_a_majority_of_those_left_has_to_serve(members: list[EtcdMember], name: str, refused: str | None) -> None:
    if refused is None:
        require_removable(health(*members), name)
        return
    with pytest.raises(UsageError, match=refused):
        require_removable(health(*members), name)
