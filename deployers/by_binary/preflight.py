"""What of a spec by_binary cannot carry out on a lab, found before anything is created. No key of a spec is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deployers.by_binary import balancer
from deployers.by_binary.components import components, uses
from deployers.names import LEASES
from deployers.plane.layout import Layout, etcds_asked
from deployers.plane.preflight import unknown_member_errors
from deployers.spec import COMPONENTS, KarmadaSpec
from lab.near_names import did_you_mean, near_names
from lab.spec import LabSpec


def preflight_errors(spec: KarmadaSpec, lab: LabSpec) -> list[str]:
    """Return the preflight errors of the spec, one sentence each."""
    return [*balancer.replica_errors(spec), *no_effect_errors(spec), *unknown_member_errors(spec, lab), *machine_errors(spec, lab)]


def machine_errors(spec: KarmadaSpec, lab: LabSpec) -> Iterator[str]:
    """Yield what keeps a control plane from running on the machines that it names, or from reaching members from there."""
    names, known = spec.by_binary.machines, lab.machine_names
    for number, name in enumerate(names):
        at = f"by_binary.machines[{number}]"
        if name not in known:
            near = did_you_mean(near_names(name, known)) or (f"; it has: {', '.join(known)}" if known else "; add a table [machines]")
            yield f"{at}: this lab has no machine {name!r}{near}"
        elif name in names[:number]:
            yield f"{at}: {name!r} is named twice"
    if spec.by_binary.virtual_address and not names:
        yield "by_binary.virtual_address: it moves between machines, and by_binary.machines names none"
    if names and spec.load_balancer:
        yield "load_balancer: each of by_binary.machines has a balancer of its own; give by_binary.virtual_address, or leave it out"
    if names:
        yield from unreached_member_errors(spec, lab)


def unreached_member_errors(spec: KarmadaSpec, lab: LabSpec) -> Iterator[str]:
    """Yield the members with API servers that listen on this computer's loopback, where machines cannot reach them."""
    push = {member.name for member in spec.members if member.mode == "push" or spec.addons.estimators}
    for member in lab.members:
        here = lab.provider in {"embedded", "kind"} and not member.machine and not member.kubeconfig
        if here and member.name in push:
            yield (
                f"by_binary.machines: {member.name} listens on the loopback of this computer, which these machines do not reach; "
                + ("place it on a machine (members: machine)" if lab.provider == "embedded" else 'use provider "embedded" or "existing"')
            )


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
        flags.setdefault(part.kind, set()).update(part.flags)
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
