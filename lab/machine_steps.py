"""The machines of a lab: the preflight of this computer, and the steps that create or reach the machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab.computer import Probe
from lab.images.machine import SOFTWARE as IMAGE_SOFTWARE
from lab.preflight import Problem
from lab.run import Run
from lab.spec import LabSpec
from lab.steps import Step

Software = Mapping[str, Path]


def machine_software(spec: LabSpec) -> list[str]:
    """Return the assets that making the machines of a lab needs, as name@version."""
    return list(IMAGE_SOFTWARE) if spec.machines and spec.machines.kind == "container" else []


def machine_problems(spec: LabSpec, probe: Probe) -> list[Problem]:
    """Return what keeps this computer from making the machines of a lab; the user's hosts are not made."""
    if spec.machines is None:
        return []
    from lab.machine_kinds import KINDS  # noqa: PLC0415 (0.35 s of CPU, see make_machine_steps)

    return KINDS[spec.machines.kind](probe) if spec.machines.kind in KINDS else []


def make_machine_steps(run: Run, spec: LabSpec, software: Software) -> list[Step]:
    """Return the steps that make the machines of a lab, or reach the user's hosts; all are independent but for what they share.

    Addresses are known when they have passed: the steps of clusters are computed afterwards.
    """
    if spec.machines is None:
        return []
    # paramiko and the factories: importing them costs `lab up` of a lab without machines 0.35 s of 2.2 s of CPU
    from lab.machine_kinds import make_kind_steps  # noqa: PLC0415 (0.35 s of CPU, see above)

    return make_kind_steps(run, spec, spec.machines.kind, software)
