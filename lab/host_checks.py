"""What is in the way of programs on a host of the user: asked before anything is brought there."""

from __future__ import annotations

from collections.abc import Collection

from lab.assets.pins import detect_arch
from lab.errors import NotPossible
from lab.kubeadm.facts import SKEW, HostFacts, ask_facts
from lab.machines.machine import Machine

FREE_MIB = 1000
"""What the programs of a cluster, 400 MB, and its data take."""


def check_host(machine: Machine, folder: str, ports: Collection[int]) -> None:
    """Return when programs can run on a host. NotPossible with the first reason; the others are its detail.

    `folder` is the directory of labs there, `ports` those that the programs are to listen on.
    """
    found = list_refusals(ask_facts(machine, folder), folder, ports)
    if found:
        why, _, remedy = found[0].partition(": ")
        raise NotPossible(
            f"using host {machine.name} failed: {why}", where=machine.name, detail="\n".join(found[1:]) or None, remedy=remedy
        )


def list_refusals(facts: HostFacts, folder: str, ports: Collection[int], *, arch: str | None = None) -> list[str]:
    """Return why programs cannot run on a host, as `<why>: <remedy>`."""
    wanted, taken = arch or detect_arch(), sorted(facts.ports & set(ports))
    reasons = (
        (facts.arch != wanted, f"its processor is {facts.arch}, the programs are for {wanted}: take a host like this computer"),
        (not facts.writable, f"{folder} cannot be written (a full disk, or mounted read-only): make room, or name another `folder`"),
        (facts.free < FREE_MIB, f"it has {facts.free} MiB of free disk for {folder}, a cluster takes {FREE_MIB}: free some"),
        (abs(facts.skew) > SKEW, f"its clock is off by {facts.skew:+.0f} s, so certificates would not be valid there: set it"),
        (taken, f"port {', '.join(map(str, taken))} is taken there: end what listens on it (ss -ltnp)"),
    )
    return [why for found, why in reasons if found]
