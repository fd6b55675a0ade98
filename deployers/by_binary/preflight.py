"""What of a spec by_binary cannot carry out on a lab, found before anything is created. No key of a spec is passed over in silence."""

from __future__ import annotations

from pathlib import Path

from deployers.by_binary import balancer
from deployers.by_binary.components import components, uses
from deployers.names import LEASES, kind_of
from deployers.plane.layout import Layout, etcds_asked
from deployers.plane.preflight import unknown_member_errors
from deployers.spec import COMPONENTS, KarmadaSpec
from lab.spec import LabSpec


def preflight_errors(spec: KarmadaSpec, lab: LabSpec) -> list[str]:
    """Return the preflight errors of the spec, one sentence each."""
    return [*balancer.replica_errors(spec), *no_effect_errors(spec), *unknown_member_errors(spec, lab)]


def why_single(component: str) -> str:
    """Return why one machine without a load balancer cannot use several instances of a component, or ""."""
    if component in LEASES:
        return ""
    return "it elects no leader, and there is no load balancer here to stand before several; of those that elect one, several can run"


def no_effect_errors(spec: KarmadaSpec) -> list[str]:
    """Return what would change nothing: flags to be dropped that were not there, estimators of no members."""
    bare = spec.model_copy(update={"components": {}})
    flags: dict[str, set[str]] = {}
    for part in components(bare, placeholder_layout(bare)):
        flags.setdefault(kind_of(part), set()).update(part.flags)
    found = [
        f"components.{name}.without[{number}]: {name} is not started with --{flag}, so it cannot be dropped; "
        f"it has: {', '.join(sorted(flags.get(name, set())))}"
        for name, settings in spec.components.items()
        for number, flag in enumerate(settings.without)
        if flag not in flags.get(name, set())
    ]
    if spec.addons.estimators and not spec.members:
        found.append("addons.estimators: this Karmada has no members to estimate")
    return found


def placeholder_layout(spec: KarmadaSpec) -> Layout:
    """Return a placeholder layout, from which components can be computed before anything is created."""
    anywhere = Path("/nowhere")
    software = dict.fromkeys((*COMPONENTS, "kube-apiserver", balancer.NAME), anywhere)
    members = {member.name: anywhere for member in spec.members}
    etcds = etcds_asked(spec)
    audit = {"audit-log-path": "", "audit-policy-file": ""}
    return Layout(anywhere, anywhere, dict.fromkeys(uses(spec, etcds), 0), software, members, audit, etcds=tuple(etcds))
