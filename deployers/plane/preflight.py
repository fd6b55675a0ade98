"""What of a spec by_binary cannot carry out on a lab, found before anything is created. No key of a spec is passed over in silence."""

from __future__ import annotations

from deployers.plane import external as outside
from deployers.plane.authority import file_errors
from deployers.spec import KarmadaSpec
from lab.spec import LabSpec


def external_service_errors(spec: KarmadaSpec) -> list[str]:
    """Return why an external etcd or a load balancer that the spec names cannot be used from here: it does not answer as it has to."""
    found = []
    if (external := spec.etcd.external) and not any(list(file_errors(file)) for file in (external.ca, external.cert, external.key)):
        found += outside.external_etcd_errors(external)
    if spec.load_balancer:
        found += outside.balancer_errors(spec.load_balancer)
    return found


def unknown_member_errors(spec: KarmadaSpec, lab: LabSpec) -> list[str]:
    """Return the members that the lab does not have."""
    there = {member.name for member in lab.members}
    return [f"members: the lab has no cluster {member.name!r}" for member in spec.members if member.name not in there]
