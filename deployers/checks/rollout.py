"""Whether another release of a Karmada in pods has taken its place."""

from __future__ import annotations

from deployers.checks import control_plane
from deployers.karmada import Karmada
from deployers.pods import workloads
from deployers.pods.installation import SERVING_WITHIN
from lab.api import Refused, Unreachable
from lab.wait import NotYet, until


def wait_rollout(karmada: Karmada, *, within: float = SERVING_WITHIN) -> None:
    """Return when another release has taken the place of the one before: all pods of it serve, and each controller holds its lease.

    Old pods that block their successors are deleted, and pods that ended while etcd or the API server was away are recreated.
    """
    host = karmada.lab.host.api

    def serving() -> None:
        if gone := workloads.make_room(host):
            karmada.run.journal("room", pods=gone)
        if lacking := [why for each in workloads.workloads(host) if (why := each.missing())]:
            raise NotYet("; ".join(lacking))

    until(serving, what="Karmada's pods are of the release", within=within, every=1.0)
    karmada.run.journal("recreated", pods=workloads.recreate_restarted_pods(host, within=within))

    def led() -> None:
        try:
            control_plane.check_leases(karmada)
        except control_plane.CheckFailed as broken:
            raise NotYet(str(broken)) from broken
        except (Unreachable, Refused) as error:
            raise NotYet(error.what) from error

    until(led, what="each controller holds its lease", within=90.0, every=1.0)
