"""The checks of `lab status`: all run at once, each returns its faults as sentences.

    programs   every program that the lab is expected to run answers as it did when `up` waited for it
    APIs       each API server serves a client that has the lab's kubeconfig and verifies its certificate
    nodes      they are Ready, and hollow ones have leases that kwok renews
    webhooks   an invalid policy is refused, a valid one completed, and no hook of the installation is missing
    agents     they renew the leases of pull members
    members    what joining made on each member is there

An API that does not answer is one fault, not one for each check that needs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from lab.component import HealthProbe as Asked
from lab.component import read_health
from lab.count import count
from lab.run import Run
from lab.status.client import Client, Silent
from lab.wait import NotYet

Json = dict[str, Any]


class Question(NamedTuple):
    """One check. `ask` returns faults as sentences, and raises Silent when the subject's API does not answer.

    `may_pass`: its faults may go by themselves: on a busy computer nodes, leases and pods are late.
    """

    subject: str
    ask: Callable[[], Iterable[str]]
    may_pass: bool = False


KARMADA_CONTEXT = "karmada-apiserver"
HOST_CONTEXT = "karmada-host"
LEASES = "/apis/coordination.k8s.io/v1/namespaces"
HOOKS = "/apis/admissionregistration.k8s.io/v1"
POLICIES = "/apis/policy.karmada.io/v1alpha1/namespaces/default/propagationpolicies"
COMPLETED = "propagationpolicy.karmada.io/permanent-id"
"""The label that Karmada's mutating webhook gives a policy."""
SAMPLE = 50
"""Nodes that are looked at: one kwok or kubelet version keeps all of a cluster, and a list of thousands takes seconds."""
SETTLED = 30.0
"""Seconds after a member joined for which Karmada may still be making what it needs there by itself."""


def find_faults(run: Run, running: Sequence[str], *, within: float) -> list[str]:
    """Return the faults, a sentence each, first causes first. `running` are the running programs, in order of need."""
    asked = list_questions(run, running, within=within)
    with ThreadPoolExecutor(max(1, len(asked)), thread_name_prefix="status") as pool:
        answers = list(pool.map(ask_question, asked))
    return [fault for found in answers for fault in found]


def list_questions(run: Run, running: Sequence[str], *, within: float) -> list[Question]:
    """Return every check of a running lab. They can be asked at once."""
    asked = program_questions(run, running, within=within)
    contexts = [*list_host_contexts(run), *(member["name"] for member in run.asked["lab"].get("members", []))]
    karmada = run.asked.get("karmada")
    asked += [Question(context, partial(check_cluster, run, context, within=within), may_pass=True) for context in contexts]
    if karmada:
        asked.append(Question("Karmada", partial(check_plane, run, within=within)))
        asked.append(Question("agents", partial(check_agents, run, within=within), may_pass=True))
        if karmada.get("deployer", "by_binary") != "by_binary":
            asked.append(Question("Karmada", partial(check_pods, run, within=within), may_pass=True))
        for name, row in run.records("members").items():
            asked.append(Question(f"{name}'s objects", partial(check_member, run, name, row, within=within), may_pass=True))
    return asked


def ask_question(question: Question) -> list[str]:
    """Return the faults that a check found; an API that does not answer is a fault of its subject."""
    try:
        return list(question.ask())
    except Silent as silent:
        return [describe_silence(question.subject, silent)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"{question.subject} sent an answer that cannot be parsed: {type(error).__name__}: {error}"]


def describe_silence(subject: str, silent: Silent) -> str:
    """Return the fault of a subject that does not answer."""
    return f"{subject} does not serve: {silent}"


def program_questions(run: Run, running: Sequence[str], *, within: float) -> list[Question]:
    """Return a question for each program that runs: whether it still answers as it did when it was started."""
    known = read_health(run)
    return [Question(name, partial(check_program, name, known[name], within=within)) for name in running if known.get(name)]


def check_program(name: str, endpoints: Sequence[Any], *, within: float) -> list[str]:
    """Return why a program does not serve, or nothing."""
    for endpoint in endpoints:
        try:
            asked = Asked(endpoint, within=within)
        except OSError as error:  # the authority that it is verified by is gone or no certificate
            return [f"{name} cannot be verified: {endpoint.ca}: {error.strerror or error}"]
        try:
            asked.ask()
        except NotYet as silent:
            return [f"{name} does not serve: {silent}"]
        finally:
            asked.connection.close()
    return []


def list_host_contexts(run: Run) -> list[str]:
    """Return the context of the host cluster; [] of a lab without one."""
    lab = run.asked["lab"]
    return [] if lab.get("provider") == "existing" and not lab.get("host", {}).get("kubeconfig") else [HOST_CONTEXT]


def check_cluster(run: Run, context: str, *, within: float) -> list[str]:
    """Return what is wrong with a cluster: its API, its nodes, the leases of its hollow nodes."""
    name = context if context != HOST_CONTEXT else run.asked["lab"].get("host", {}).get("name", "host")
    with Client(run.path / "kubeconfig.yaml", context, within=within) as api:
        require_ready(api)
        found = [
            f"node {name}/{item['metadata']['name']} {why}" for item in list_first(api, "/api/v1/nodes") if (why := unready_reason(item))
        ]
        hollow = [check_node_lease(item) for item in list_first(api, f"{LEASES}/kube-node-lease/leases")]
        stale = [f"the lease of node {name}/{node} {why}" for node, why in hollow if why]
    return found[:1] + stale[:1]


def check_reachable(run: Run, context: str, *, within: float) -> list[str]:
    """Return no fault when an API server is ready for a client with the lab's kubeconfig; Silent otherwise."""
    with Client(run.path / "kubeconfig.yaml", context, within=within) as api:
        require_ready(api)
    return []


def require_ready(api: Client) -> None:
    """Return when an API server is ready; Silent otherwise."""
    status, _ = api.send("GET", "/readyz")
    if status != 200:
        raise Silent(f"{api.server}/readyz answers {status}")


def list_first(api: Client, path: str) -> list[Json]:
    """Return the first items of a list."""
    return list(api.get(f"{path}?limit={SAMPLE}").get("items") or [])


def unready_reason(item: Json) -> str:
    """Return why a node takes no pods; "" when it is Ready."""
    conditions = {each["type"]: each for each in item.get("status", {}).get("conditions", [])}
    state = conditions.get("Ready", {}).get("status", "not reported")
    return "" if state == "True" else f"is not Ready ({state})"


def check_node_lease(lease: Json) -> tuple[str, str]:
    """Return a node's name and what is wrong with its lease."""
    return str(lease["metadata"]["name"]), lease_error(lease)


def lease_error(lease: Json, *, now: float | None = None) -> str:
    """Return why a lease is not kept; "" when it was renewed within its own duration."""
    spec = lease.get("spec", {})
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        return "has no holder"
    age = (time.time() if now is None else now) - datetime.fromisoformat(spec["renewTime"]).timestamp()
    return f"was renewed {age:.0f} s ago by {spec['holderIdentity']}" if age > spec.get("leaseDurationSeconds", 40) else ""


def check_plane(run: Run, *, within: float) -> list[str]:
    """Return what is wrong with Karmada's control plane: its API and its webhooks."""
    found: list[str] = []
    with Client(run.path / "kubeconfig.yaml", KARMADA_CONTEXT, within=within) as api:
        require_ready(api)
        found += find_missing_hooks(api, read_installed_hooks(run))
        found += check_refusal(*api.send("POST", f"{POLICIES}?dryRun=All", make_policy({"spreadConstraints": SENSELESS})))
        if not found:
            found += check_completion(*api.send("POST", f"{POLICIES}?dryRun=All", make_policy({})))
    return found


def check_agents(run: Run, *, within: float) -> list[str]:
    """Return which agents do not renew the leases of their pull members."""
    pulling = [name for name, row in run.records("members").items() if row.get("mode") == "pull" and row.get("state") == "joined"]
    found: list[str] = []
    if not pulling:
        return found
    with suppress(Silent), Client(run.path / "kubeconfig.yaml", KARMADA_CONTEXT, within=within) as api:  # the check of Karmada reports it
        for name in pulling:
            status, lease = api.send("GET", f"{LEASES}/karmada-cluster/leases/{name}")
            why = lease_error(lease) if status == 200 else f"is not there ({status})"
            if why:
                found.append(f"the lease of {name}'s agent {why}")
    return found


SENSELESS = [{"spreadByField": "cluster", "spreadByLabel": "zone"}]
"""What Karmada's validating webhook refuses: a constraint of two kinds."""


def make_policy(placement: Json) -> Json:
    """Return a policy that is only ever sent as a dry run."""
    return {
        "apiVersion": "policy.karmada.io/v1alpha1",
        "kind": "PropagationPolicy",
        "metadata": {"name": "lab-status", "namespace": "default"},
        "spec": {"resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "lab-status"}], "placement": placement},
    }


def check_refusal(status: int, answer: Json) -> list[str]:
    """Return the fault that the answer to an invalid policy shows; none when Karmada's webhook refused it."""
    message = str(answer.get("message", ""))
    if status >= 400 and "denied the request" in message:
        return []
    if status < 300:
        return ["karmada-webhook is not called: an invalid policy was accepted"]
    return [f"karmada-webhook does not answer: {message or status}"]


def check_completion(status: int, answer: Json) -> list[str]:
    """Return the fault that the answer to a valid policy shows; none when Karmada's webhook completed it."""
    if status >= 300:
        return [f"karmada-webhook does not answer: {answer.get('message') or status}"]
    labels = answer.get("metadata", {}).get("labels") or {}
    return [] if labels.get(COMPLETED) else ["karmada-webhook is not called: its mutating webhook did not complete a policy"]


def read_installed_hooks(run: Run) -> Mapping[str, Sequence[Any]]:
    """Return the hooks that the installation had, by configuration ("validatingwebhookconfigurations/NAME")."""
    try:
        described: Mapping[str, Sequence[Any]] = json.loads((run.path / "description.json").read_text()).get("webhooks", {})
    except (OSError, ValueError):
        return {}
    return described


def find_missing_hooks(api: Client, installed: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return which webhook configurations of the installation are gone, or have fewer hooks than it had."""
    there = {
        f"{kind}/{item['metadata']['name']}": len(item.get("webhooks") or [])
        for kind in sorted({name.partition("/")[0] for name in installed})
        for item in api.get(f"{HOOKS}/{kind}").get("items") or []
    }
    return [
        f"{name} is gone" if name not in there else f"{name} has {there[name]} of {count(len(hooks), 'hook')}"
        for name, hooks in installed.items()
        if there.get(name, 0) < len(hooks)
    ]


def check_pods(run: Run, *, within: float) -> list[str]:
    """Return which workloads of Karmada's namespace on the host cluster have fewer pods ready than they should."""
    found = []
    with Client(run.path / "kubeconfig.yaml", HOST_CONTEXT, within=within) as api:
        for kind in ("deployments", "statefulsets"):
            for item in api.get(f"/apis/apps/v1/namespaces/karmada-system/{kind}").get("items") or []:
                wanted, has = item.get("spec", {}).get("replicas", 1), item.get("status", {}).get("readyReplicas", 0)
                if has < wanted or not wanted:
                    found.append(f"{item['metadata']['name']} has {has} of {max(1, wanted)} pods ready")
    return found


def check_member(run: Run, name: str, row: Json, *, within: float) -> list[str]:
    """Return which of the objects that joining made on a member are gone."""
    wanted = list(row.get("objects") or [])
    with suppress(OSError):
        age = time.time() - (run.path / "records" / "members" / f"{name}.json").stat().st_mtime
        wanted += (row.get("later") or []) if age > SETTLED else []
    if row.get("state") != "joined" or not wanted:
        return []
    try:
        with Client(run.path / "kubeconfig.yaml", name, within=within) as api:
            gone = [path for path in wanted if not api.has(path)]
    except Silent:
        return []  # the cluster's own check reports this
    return [f"{name} lacks objects that its join created: {', '.join(path.rpartition('/v1/')[2] for path in gone)}"] if gone else []
