"""The factories of machines by kind: what was made for a run is deleted from its records alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lab.factories import containers
from lab.factories.namespace import factory as namespace
from lab.factories.vm import factory as vm
from lab.run import Run

DELETE: Mapping[str, Callable[[Run], None]] = {
    containers.KIND: containers.delete_machines,
    namespace.KIND: namespace.delete_machines,
    vm.KIND: vm.delete_machines,
}
"""What deletes all machines of a kind. Machines that the user has (kind ssh) are not made here and not deleted."""


def delete_machines(run: Run) -> None:
    """Delete every machine that was made for a run. Twice is fine."""
    for delete in DELETE.values():  # without machines, too: a network is there before the first of them is recorded
        delete(run)
