"""Take clusters that exist into a lab: their kubeconfigs into the run directory, their records, the claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from lab.api import Api
from lab.cluster import Cluster, Lab
from lab.errors import NotPossible, UsageError
from lab.existing.claim import read_claim, take_claim
from lab.existing.footprint import find_objects
from lab.existing.portable import make_portable
from lab.existing.preflight import ClusterNeeds, choose_context, foreign_error
from lab.existing.record import ExistingRecord
from lab.hints import command
from lab.run import Run
from lab.spec import ClusterSpec
from lab.steps import Step
from lab.write_kubeconfig import write_context


def adopt_steps(lab: Lab, needs: Mapping[str, ClusterNeeds]) -> list[Step]:
    """Return a step for each cluster that exists; it has the cluster's name, and ends when the cluster is the lab's."""
    return [
        Step(spec.name, partial(adopt, lab.run, spec, lab.cluster(spec.name), needs.get(spec.name, ClusterNeeds())))
        for spec in lab.spec.clusters
        if spec.kubeconfig
    ]


def adopt(run: Run, spec: ClusterSpec, cluster: Cluster, needs: ClusterNeeds, *, added: bool = False) -> None:
    """Take a cluster into a lab. Done again, renew the copy of its kubeconfig and what the lab may put there.

    UsageError when the kubeconfig names another cluster than at the first time; NotPossible when another lab or Karmada has the cluster.
    """
    given = choose_context(spec)
    api = Api.open(Path(spec.kubeconfig), context=spec.context or None)
    uid = str(api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    known = ExistingRecord.read(run, spec.name)
    if known is None and any(each["event"] == "released" and each["by"] == "gc" and each["cluster"] == spec.name for each in run.events()):
        raise NotPossible(
            f"{command('gc')} has released {spec.name}, since lab {run.id} was dead; the objects of its Karmada are deleted",
            where=str(run.path),
            remedy=f"{command('down', lab=run.id)}, then bring it up again",
        )
    if known and known.uid != uid:
        raise UsageError(
            f"{spec.name} is another cluster than the one this lab was made with",
            where=f"{spec.kubeconfig}: {given.server} (UID {uid}); before: {known.server} (UID {known.uid})",
            remedy="give the kubeconfig of the first one, or take the lab down",
        )
    if (known is None or not known.since) and read_claim(api) is None and (found := find_objects(api, needs.foreign)):
        problem = foreign_error("", spec.name, [str(each) for each in found])
        raise NotPossible(problem.why, where=given.server, remedy=problem.remedy)
    write_context(cluster.kubeconfig, make_portable(given), name=cluster.context)
    footprint = known.footprint | needs.footprint if known else needs.footprint
    record = ExistingRecord(spec.name, given.server, uid, footprint, known.since if known else 0.0, known.added if known else added)
    record.write(run)
    claim = take_claim(api, run, spec.name)
    replace(record, since=record.since or claim.since).write(run)
