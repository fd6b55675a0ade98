"""Members after a restore: join again those of the lab, and wait until Karmada reaches each."""

from __future__ import annotations

from deployers.karmada import Karmada
from deployers.members.join import join
from deployers.members.register import register
from deployers.members.registry import CLUSTERS, Member, list_members, wait_member_ready
from deployers.plane.objects import map_concurrently
from lab.api import Refused, Unreachable
from lab.cluster import Cluster
from lab.wait import NotYet, until


def rejoin(karmada: Karmada, member: Cluster, mode: str) -> None:
    """Make a member of this lab a member again: wait for one that is in the backup, join one that joined later."""
    if mode == "pull":
        register(karmada, member)
    else:
        join(karmada, member)


def wait_members_reached(karmada: Karmada) -> list[str]:
    """Return when Karmada, with the credentials it has, comes through to each push member it knows and finds the cluster it knows there."""
    known = [member for member in list_members(karmada).values() if member.mode == "push"]
    return map_concurrently(lambda member: wait_reached(karmada, member), known)


def wait_reached(karmada: Karmada, member: Member, *, within: float = 60.0) -> str:
    """Return a member's name once it answers through Karmada with its known identity. NotReady gives the difference."""
    wait_member_ready(karmada, member.name, within=within)

    def through() -> None:
        try:
            found = karmada.api.get(f"{CLUSTERS}/{member.name}/proxy/api/v1/namespaces/kube-system")["metadata"]["uid"]
        except (Refused, Unreachable) as error:
            raise NotYet(error.what) from error
        if found != member.id:
            raise NotYet(f"another cluster answers at {member.endpoint} ({found})")

    until(through, what=f"{member.name} answers through Karmada", within=within, remedy=f"does it answer at {member.endpoint}?")
    return member.name
