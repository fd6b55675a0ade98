"""The preflight of a lab with Karmada on it: every fault of the spec and of this computer, before anything is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployers.addons import steps as addons
from lab.errors import UsageError
from lab.preflight import COMPUTER, Problem, from_computer, from_line
from lab.providers import offering

if TYPE_CHECKING:
    from deployers.bring_up import Wanted
    from lab.assets import Supply


def preflight_errors(wanted: Wanted, supply: Supply, *, lab: str = "") -> list[Problem]:
    """Return every fault that can be known before anything is created. `lab` is the name of the lab, "" where it has none yet."""
    return [*spec_errors(wanted, supply, lab=lab), *computer_errors(wanted)]


def spec_errors(wanted: Wanted, supply: Supply, *, lab: str = "") -> list[Problem]:
    """Return the faults of the spec: they are the same on every computer."""
    found = [*version_errors(wanted, supply), *capability_errors(wanted)]
    if wanted.deployer and wanted.karmada:
        try:
            lines = wanted.deployer.check(wanted.karmada, wanted.lab)
        except UsageError as error:
            lines = [": ".join(filter(None, [error.what, error.detail, error.remedy]))]
        lines += addons.obstacles(wanted.karmada, wanted.provider.offers, wanted.lab.provider)
        found += [from_line(line, prefix="karmada") for line in lines]
    return found


def computer_errors(wanted: Wanted) -> list[Problem]:
    """Return what this computer cannot do for the lab."""
    return [from_computer(line) for line in wanted.provider.check(wanted.lab)]


def version_errors(wanted: Wanted, supply: Supply) -> list[Problem]:
    """Return the versions that are not pinned and checkouts that cannot be built."""
    try:
        supply.pinned(wanted.software())
    except UsageError as error:
        return [Problem("", " ".join(filter(None, [error.what, error.where and f"({error.where})"])), error.remedy or "")]
    return []


def capability_errors(wanted: Wanted) -> list[Problem]:
    """Return what the deployer needs and the provider does not offer."""
    needs = wanted.deployer.needs if wanted.deployer else frozenset()
    name = wanted.karmada.deployer if wanted.karmada else ""
    others = " or ".join(f"--provider {name}" for name in offering(needs))
    remedy = f"lab up {others}" if others else ""
    return [
        Problem("", f"the deployer {name} needs {need.value}, which the provider {wanted.lab.provider} does not offer", remedy, COMPUTER)
        for need in sorted(needs - wanted.provider.offers)
    ]
