"""The revision that each etcd of a lab is at, so that a restored one goes on from a later one."""

from __future__ import annotations

from deployers.backup.verify import snapshot_status
from deployers.day2.snapshots.stores import Store, data_of
from deployers.etcd.tools import Etcdutl

MARGIN = 1_000_000
"""Revisions that a running etcd may be past its database file: it writes the file every 0.1 s or 10,000 requests (etcd's
--backend-batch-interval and --backend-batch-limit), and it may be killed in between."""


def read_revisions(stores: list[Store], utl: Etcdutl) -> dict[str, int]:
    """Return a revision that each etcd has not reached, by the name of its cluster; one without data is left out. None of them may run."""
    found: dict[str, int] = {}
    for store in stores:
        files = [data_of(member) / "member" / "snap" / "db" for member in store.members]
        known = [int(snapshot_status(utl, file)["revision"]) for file in files if file.is_file()]
        if known:
            found[store.name] = max(known) + MARGIN
    return found
