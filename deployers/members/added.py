"""Members that are added to a lab that runs: clusters that exist, which its lab file does not name."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from deployers.karmada import Karmada
from deployers.members.agent import AGENT_MACHINES
from deployers.members.footprint import make_member_needs
from deployers.spec import MemberOf
from lab.cluster import Cluster, Lab, merge_kubeconfigs
from lab.errors import UsageError
from lab.existing.adopt import adopt
from lab.existing.preflight import examine_clusters, list_spec_errors
from lab.existing.record import ExistingRecord
from lab.existing.release import release
from lab.factories.release import release_machine
from lab.machines.record import forget_machine
from lab.preflight import check_fields, raise_problems
from lab.rules import RULES
from lab.run import Run
from lab.spec import LabSpec, MemberSpec, parse

Json = dict[str, object]


def add_member(karmada: Karmada, name: str, *, kubeconfig: str, context: str = "", mode: Literal["push", "pull"] = "push") -> Karmada:
    """Take a cluster that exists into a lab as a member to be joined; return the control plane that wants it. Twice is fine.

    Errors as the preflight of `lab up` has them, with nothing changed. UsageError when the lab has another cluster of that name.
    """
    lab = karmada.lab
    given: Json = {"name": name, "mode": mode, "kubeconfig": kubeconfig, "context": context}
    if name in {cluster.name for cluster in lab.spec.clusters}:
        there = next(cluster for cluster in lab.spec.clusters if cluster.name == name)
        if isinstance(there, MemberSpec) and (there.kubeconfig, there.context, there.mode) == (kubeconfig, context, mode):
            return karmada
        raise UsageError(f"lab {lab.run.id} has a cluster {name} already", where=str(lab.run.path), remedy="give this one another name")
    asked = lab.spec.model_dump(mode="json")
    wanted = parse(LabSpec, {**asked, "members": [*asked["members"], given]}, source="the lab with this member")
    needs = {name: make_member_needs(name, pull=mode == "pull")}
    raise_problems([*check_fields(wanted, RULES), *list_spec_errors(wanted)], what=f"the lab with {name}")
    raise_problems(examine_clusters(wanted, needs, lab=lab.run.id), what=f"the lab with {name}")
    spec = karmada.spec.model_copy(update={"members": (*karmada.spec.members, MemberOf(name=name, mode=mode))})
    adopt(lab.run, wanted.members[-1], Lab(lab.run, wanted).member(name), needs[name], added=True)
    run = lab.run.ask({"lab": wanted.model_dump(mode="json"), "karmada": spec.model_dump(mode="json")})
    now = replace(karmada, lab=Lab(run, wanted), spec=spec)
    merge_kubeconfigs(run, [*now.lab.clusters, now.cluster])
    return now


def forget_agent_machine(run: Run, member: str) -> None:
    """Delete the files of the run on the host that a member was joined through, and forget the host.

    A machine of the lab stays as it is, and so does a host that another member's agent runs on.
    """
    known = run.recorded(AGENT_MACHINES, member)
    if known is None:
        return
    run.forget(AGENT_MACHINES, member)
    machine, of_lab = known["machine"], Lab.open(run).spec.machine_names
    if machine not in of_lab and machine not in {row["machine"] for row in run.records(AGENT_MACHINES).values()}:
        release_machine(run, machine, keep=False)
        forget_machine(run, machine)


def drop_member(karmada: Karmada, member: Cluster) -> bool:
    """Give a member back that `add_member` took and that is joined no more; return whether it was such a one."""
    record = ExistingRecord.read(karmada.run, member.name)
    if record is None or not record.added:
        return False
    release(karmada.run, record, by="unjoin")
    forget_agent_machine(karmada.run, member.name)
    lab = karmada.lab.spec
    left = lab.model_copy(update={"members": tuple(each for each in lab.members if each.name != member.name)})
    spec = karmada.spec.model_copy(update={"members": tuple(each for each in karmada.spec.members if each.name != member.name)})
    run = karmada.run.ask({"lab": left.model_dump(mode="json"), "karmada": spec.model_dump(mode="json")})
    member.kubeconfig.unlink(missing_ok=True)
    merge_kubeconfigs(run, [*Lab(run, left).clusters, karmada.cluster])
    return True
