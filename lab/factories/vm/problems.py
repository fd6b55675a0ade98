"""What keeps this computer from making virtual machines."""

from __future__ import annotations

from importlib.util import find_spec

from lab.computer import Probe
from lab.external_names import VIRSH
from lab.factories.vm.connection import SETUP
from lab.preflight import Problem, computer_problem

PROGRAMS = ("virsh", "qemu-img", "mkfs.ext4", "mmdebstrap", "xorriso")


def vm_problems(probe: Probe) -> list[Problem]:
    """Return what keeps this computer from making virtual machines, the first cause first."""
    if lacking := [name for name in PROGRAMS if probe.which(name) is None]:
        return [computer_problem(f"machines: virtual machines need {', '.join(lacking)}; {SETUP}")]
    problems = []
    if find_spec("libvirt") is None:
        problems.append(f"virtual machines need libvirt-python; {SETUP}")
    if not probe.ask([*VIRSH, "version", "--daemon"], within=10.0).ok:
        problems.append(f"libvirt does not answer; {SETUP}")
    if probe.ask(["id", "-u"]).line != "0":
        problems.append("making the disks of virtual machines needs root: run this as root")
    return [computer_problem(f"machines: {problem}") for problem in problems]
