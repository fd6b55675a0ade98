"""What a test does: place a Deployment on every member and wait until its status comes back, then delete it."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

from deployers.checks.control_plane import policy
from deployers.checks.members import deployment, status_problem
from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS
from lab.diagnosis.diagnose import diagnose
from lab.diagnosis.examiner import LabExaminer
from lab.diagnosis.explain import put_cause_first
from lab.errors import LabError
from lab.wait import examine_stalls
from perf.seeded_faults import SeededFault, wait_healthy, wait_serving

WITHIN = 60.0
"""Seconds that the attempt waits for each state."""


@dataclass(frozen=True)
class Diagnosed:
    """How the attempt went with a fault: its first line, and whether that names the cause. `seconds` from the fault to the error."""

    fault: str
    line: str
    named: bool
    seconds: float

    def document(self) -> dict[str, Any]:
        return asdict(self)


def judge(fault: SeededFault, karmada: Karmada) -> Diagnosed:
    """Inject a fault while an application is set up, and return how the failure of that is explained. The lab is healthy afterwards."""
    name = f"attempt-{secrets.token_hex(3)}"
    api = karmada.api
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    api.create(make_policy(karmada, name))
    try:
        with fault.inject(karmada, name):
            began = time.monotonic()
            line = attempt(karmada, name)
            seconds = time.monotonic() - began
    finally:
        wait_serving(karmada.run)
        api.delete(f"/api/v1/namespaces/{name}")
        wait_healthy(karmada.run)
    return Diagnosed(fault.name, line, all(subject in line for subject in fault.subjects), round(seconds, 1))


def make_policy(karmada: Karmada, namespace: str) -> dict[str, Any]:
    """Return the policy that places the attempt's Deployment on every member."""
    return policy("attempt", namespace, {"clusterAffinity": {"clusterNames": [member.name for member in karmada.members]}})


def attempt(karmada: Karmada, namespace: str) -> str:
    """Set an application up, delete it, and ask for the members; return the first line of the error, "" when all of that worked."""
    try:
        with examine_stalls(LabExaminer(karmada.run)):
            set_up(karmada, namespace)
    except LabError as error:
        put_cause_first(error, diagnose(karmada.run, namespace=namespace).causes)
        return str(error).partition("\n")[0]
    return ""


def set_up(karmada: Karmada, namespace: str) -> None:
    """Place a Deployment on every member, wait for its status, delete its namespace, and list the members. NotReady when it stays away."""
    api, replicas = karmada.api, len(karmada.members)
    api.create(policy("probe", namespace, {}), dryRun="All")
    api.create(deployment("attempt", namespace, replicas))
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/attempt"
    wanted = replicas * len(karmada.members)
    api.until(path, lambda item: status_problem(item, wanted), what="the status of the Deployment comes back", within=WITHIN)
    api.items(CLUSTERS)
    api.delete(f"/api/v1/namespaces/{namespace}")
    api.until_gone(f"/api/v1/namespaces/{namespace}", what=f"namespace {namespace} is gone", within=WITHIN)
