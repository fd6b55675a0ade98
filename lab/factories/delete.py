"""Delete the machines that were made for a run, from its records alone."""

from __future__ import annotations

from importlib import import_module

from lab.machines.record import MACHINES
from lab.run import Run

FACTORIES = {
    "container": "lab.factories.containers",
    "namespace": "lab.factories.namespace.factory",
    "vm": "lab.factories.vm.factory",
}
"""The module that makes and deletes the machines of each kind. Machines that the user has (kind ssh) are not made here and not deleted."""
NETWORKS = "machine-networks"
"""The kind of the records of their networks: one is there before the first of its machines is recorded."""


def delete_machines(run: Run) -> None:
    """Delete every machine that was made for a run. Twice is fine."""
    if not run.records(MACHINES) and not run.records(NETWORKS):
        return  # their factories take `lab down` half a second to import
    for module in FACTORIES.values():
        import_module(module).delete_machines(run)
