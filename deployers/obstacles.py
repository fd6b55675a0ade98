"""What of a spec by_binary cannot carry out on a lab, found before anything is created. No key of a spec is passed over in silence."""

from __future__ import annotations

from pathlib import Path

from deployers import balancer, outside
from deployers.certificates import check_files, leaves, may_not_sign, read_authority
from deployers.components import LEASES, components, kind_of, uses
from deployers.layout import Layout
from deployers.spec import COMPONENTS, KarmadaSpec
from lab.errors import UsageError
from lab.spec import LabSpec


def obstacles(spec: KarmadaSpec, lab: LabSpec) -> list[str]:
    """Return everything that is in the way, one sentence each. UsageError for words that cannot be meant."""
    return [*unreadable(spec), *balancer.obstacles(spec), *without_effect(spec), *strangers(spec, lab)]


def alone(component: str) -> str:
    """Return why one machine without a load balancer cannot use several instances of a component, or ""."""
    if component in LEASES:
        return ""
    return "it elects no leader, and there is no load balancer here to stand before several; of those that elect one, several can run"


def unreadable(spec: KarmadaSpec) -> list[str]:
    """Return what the spec names and cannot be used: files that cannot be read, an etcd or a load balancer that does not answer.

    UsageError when a given authority is no authority.
    """
    missing = []
    if external := spec.etcd.external:
        absent = check_files([external.ca, external.cert, external.key], key="etcd.external")
        missing += absent or outside.etcd_obstacles(external)
    if given := spec.certificates.ca:
        absent = check_files([given.cert, given.key], key="certificates.ca")
        missing += absent
        if not absent:
            authority, _ = read_authority(given)
            names = [host for leaf in leaves(spec) if leaf.authority == "ca" for host in leaf.hosts]
            missing += [f"certificates.ca: {given.cert} {why}" for why in may_not_sign(authority, names)]
    if spec.load_balancer:
        missing += outside.balancer_obstacles(spec.load_balancer)
    return missing


def without_effect(spec: KarmadaSpec) -> list[str]:
    """Return what would change nothing. UsageError for a flag that is to be dropped but was not there."""
    bare = spec.model_copy(update={"components": {}})
    flags: dict[str, set[str]] = {}
    for part in components(bare, imaginary(bare)):
        flags.setdefault(kind_of(part), set()).update(part.flags)
    for name, settings in spec.components.items():
        if useless := sorted(set(settings.without) - flags.get(name, set())):
            raise UsageError(
                f"{name} is not started with --{useless[0]}, so it cannot be dropped",
                where=f"karmada.components.{name}.without",
                remedy=f"it has: {', '.join(sorted(flags.get(name, set())))}",
            )
    if spec.addons.estimators and not spec.members:
        return ["addons.estimators: this Karmada has no members to estimate"]
    return []


def strangers(spec: KarmadaSpec, lab: LabSpec) -> list[str]:
    """Return the members that the lab does not have."""
    there = {member.name for member in lab.members}
    return [f"members: the lab has no cluster {member.name!r}" for member in spec.members if member.name not in there]


def imaginary(spec: KarmadaSpec) -> Layout:
    """Return a layout of no computer, to compute components from before anything is created."""
    anywhere = Path("/nowhere")
    software = dict.fromkeys((*COMPONENTS, "kube-apiserver", balancer.NAME), anywhere)
    members = {member.name: anywhere for member in spec.members}
    return Layout(anywhere, anywhere, dict.fromkeys(uses(spec), 0), software, members, {"audit-log-path": "", "audit-policy-file": ""})
