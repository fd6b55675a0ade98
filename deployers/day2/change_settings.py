"""Other settings for components of a Karmada that runs as programs: flags, replicas, feature gates, environment, its own addons.

The deployer computes the programs from the changed spec, as in `up`; programs that differ are replaced, those that are no longer wanted are
ended, and what matches is left alone.
"""

from __future__ import annotations

from dataclasses import replace

from deployers.addons.karmada_addons import remove_addon, switch_steps
from deployers.by_binary.deployer import ByBinary
from deployers.by_binary.installation import open_plane
from deployers.checks import description
from deployers.karmada import Karmada
from deployers.plane import objects, pending_operation
from deployers.spec import ADDONS, KarmadaSpec
from lab import component
from lab.errors import NotPossible
from lab.hints import command
from lab.steps import StepObserver, execute

WHAT = "a change of settings"


def change_settings(karmada: Karmada, spec: KarmadaSpec, *, watcher: StepObserver | None = None) -> Karmada:
    """Bring a running Karmada to a spec that differs in settings; return it when all programs serve with them. Twice is fine.

    NotPossible where its parts are pods, or where what is wanted cannot take effect here; nothing is changed then.
    """
    before = open_plane(karmada)  # NotPossible where another deployer made it
    if faults := ByBinary().check(spec, karmada.lab.spec):
        raise NotPossible("these settings cannot take effect here", where=str(karmada.run.path), detail="\n".join(faults))
    again = command("operator", "run")
    with pending_operation.hold_pending(karmada.run, WHAT, again=again):
        plane = open_plane(replace(karmada, spec=spec))
        for name in ADDONS:
            if getattr(karmada.spec.addons, name) and not getattr(spec.addons, name):
                remove_addon(before, plane, name)
        kept = {part.name for part in plane.programs}
        extra = [part.name for part in before.programs if part.name not in kept]
        execute(switch_steps(plane), karmada.run, watcher=watcher)
        objects.map_concurrently(lambda name: component.remove(name, run=karmada.run), extra)
        karmada = karmada.asking(spec)
        description.save(karmada)
    return karmada
