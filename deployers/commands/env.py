"""`lab env`: print the environment of a lab for a shell."""

from __future__ import annotations

import os
import shlex

from deployers.commands.tools import environment
from lab.cli.options import DEFAULT_LAB, LabName
from lab.environment import list_misleading
from lab.run import Run


def env(lab: LabName = DEFAULT_LAB) -> None:
    """Print exports for a shell: eval "$(lab env)".

    Sets KUBECONFIG, PATH (this lab's kubectl and karmadactl first), KARMADA_LAB (the default lab of `lab`) and NO_PROXY (the addresses
    of its clusters).
    """
    for name in list_misleading(os.environ):
        print(f"unset {name}")
    for name, value in environment(Run.load(lab)).items():
        print(f"export {name}={shlex.quote(value)}")
