"""The checks of `conformance` that need no member: each tests one function of a running Karmada and returns short evidence."""

from __future__ import annotations

import ssl
import uuid
from typing import Any

import httpx
import yaml

from deployers.checks import known_drift
from deployers.checks.description import flags, program_args
from deployers.deployer import runs_in_pods
from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS
from deployers.names import LEASES, kind_of_instance
from deployers.plane import manifests
from deployers.plane.leases import held_lease
from deployers.plane.objects import CRDS, SERVICES, condition
from deployers.pods import workloads
from deployers.pods.host import ca_of
from lab.api import Refused
from lab.count import count
from lab.programs import find_program_owner, read_programs
from lab.wait import NotYet

Json = dict[str, Any]
HOOKS = "/apis/admissionregistration.k8s.io/v1"
ID = "propagationpolicy.karmada.io/permanent-id"
"""The label that Karmada's mutating webhook gives a policy (v1.17, v1.18: pkg/webhook/propagationpolicy/mutating.go)."""


class CheckFailed(Exception):
    """The check failed; the text is the observation."""


class CheckInconclusive(Exception):
    """The check could not be run here; the text is the reason."""


def check_crds(karmada: Karmada) -> str:
    """Every CRD that the release ships is there, established, and of this release: an installer that finds another's leaves it as it is."""
    nowhere = manifests.Addresses(b"", "", "", {})
    expected = {crd["metadata"]["name"]: crd for crd in manifests.custom_resources(karmada.release.crds, nowhere)}
    there = {item["metadata"]["name"]: item for item in karmada.api.items(CRDS)}
    if missing := sorted(expected.keys() - there.keys()):
        raise CheckFailed(f"not there: {', '.join(missing)}")
    for name in expected:
        for kind in ("Established", "NamesAccepted"):
            if why := condition(there[name], kind):
                raise CheckFailed(f"{name}: {why}")
    if others := sorted(name for name, crd in expected.items() if schemas(crd) != schemas(there[name])):
        raise CheckFailed(f"of another version than {karmada.release}: {', '.join(others)}")
    return f"{len(expected)} of {len(expected)}"


def schemas(crd: Json) -> Json:
    """Return the schema of each version of a CRD."""
    return {version["name"]: version.get("schema") for version in crd["spec"]["versions"]}


def check_conversion(karmada: Karmada) -> str:
    """A binding that is stored in the new version can be read in the old one: only Karmada's webhook can turn it into that.

    The two versions keep replicas in different places, so a number that is in the other place was moved there by Karmada's own code.
    (It must be stored for a moment, since writing in the old version is refused by Karmada's own admission webhooks, which are
    configured for every version and know one. No scheduler has the name it asks for.)
    """
    name = unique_name()
    for kind in ("ResourceBinding", "ClusterResourceBinding"):
        sent = {
            "apiVersion": "work.karmada.io/v1alpha2",
            "kind": kind,
            "metadata": {"name": name, **({"namespace": "default"} if kind == "ResourceBinding" else {})},
            "spec": {
                "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "default", "name": name},
                "replicas": 3,
                "schedulerName": name,
            },
        }
        path = karmada.api.path_of(sent)
        karmada.api.create(sent)
        try:
            old = karmada.api.get(path.replace("v1alpha2", "v1alpha1"))
        finally:
            karmada.api.delete(path)
        if (replicas := old.get("spec", {}).get("resource", {}).get("replicas")) != 3:
            raise CheckFailed(f"{kind}: 3 replicas written as v1alpha2 are {replicas} in v1alpha1")
    return "ResourceBinding and ClusterResourceBinding, v1alpha2 read as v1alpha1"


def unique_name() -> str:
    """Return a unique name."""
    return f"conformance-{uuid.uuid4().hex[:8]}"


def check_admission(karmada: Karmada) -> str:
    """A policy that makes no sense is refused by the validating webhook; one that does is completed by the mutating one."""
    senseless = policy("conformance", "default", {"spreadConstraints": [{"spreadByField": "cluster", "spreadByLabel": "zone"}]})
    try:
        karmada.api.create(senseless, dryRun="All")
    except Refused as refused:
        if "admission webhook" not in refused.message or "denied the request" not in refused.message:
            raise CheckFailed(f"refused, but not by the webhook: {refused.message}") from refused
        message = refused.message
    else:
        raise CheckFailed("a policy with a senseless spread constraint was accepted")
    completed = karmada.api.create(policy("conformance", "default", {}), dryRun="All")
    if not completed["metadata"].get("labels", {}).get(ID):
        raise CheckFailed(f"a new policy did not get the label {ID}")
    return f"refused: {message.partition('denied the request: ')[2] or message}; completed: label {ID}"


def policy(name: str, namespace: str, placement: Json) -> Json:
    """Return a PropagationPolicy for the Deployment of the same name."""
    return {
        "apiVersion": "policy.karmada.io/v1alpha1",
        "kind": "PropagationPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name}], "placement": placement},
    }


def check_webhooks(karmada: Karmada) -> str:
    """The hooks that are configured are those of the release's artifacts/deploy, none less: installers have left some out.

    What upstream's installer is known to leave out is reported and does not fail the check; it fails when the list is out of date.
    """
    expected = hooks(manifests.webhook_configurations(karmada.release.manifests, manifests.Addresses(b"", "", "", {})))
    there = hooks(
        karmada.api.items(f"{HOOKS}/mutatingwebhookconfigurations") + karmada.api.items(f"{HOOKS}/validatingwebhookconfigurations")
    )
    known = known_drift.hooks_left_out(karmada.spec.deployer) & expected
    if missing := sorted(expected - there - known):
        raise CheckFailed(f"not configured: {', '.join(missing)}")
    if mended := sorted(known & there):
        raise CheckFailed(
            f"listed as left out by {karmada.spec.deployer}, but configured: {', '.join(mended)}; "
            "remove it from deployers/checks/known_drift.py"
        )
    omitted = f"; {karmada.spec.deployer} of upstream leaves out {', '.join(sorted(known))}" if known else ""
    return f"{len(expected & there)} of {len(expected)}{omitted}"


def hooks(configurations: list[Json]) -> set[str]:
    """Return the names of all hooks, with the path each calls: names are used twice."""
    return {
        f"{hook['name']} {hook['clientConfig'].get('url', hook['clientConfig'].get('service', {}).get('path', '')).rpartition('/')[2]}"
        for configuration in configurations
        for hook in configuration.get("webhooks") or []
    }


def check_aggregated_apis(karmada: Karmada) -> str:
    """Every API that another server answers is available, and the list of Clusters is answered."""
    services = [item for item in karmada.api.items(SERVICES) if item["spec"].get("service")]
    names = {item["metadata"]["name"] for item in services}
    addons = karmada.spec.addons
    needed = {
        "v1alpha1.cluster.karmada.io": True,
        "v1alpha1.search.karmada.io": addons.search,
        "v1beta1.metrics.k8s.io": addons.metrics_adapter,
    }
    if missing := sorted(name for name, wanted in needed.items() if wanted and name not in names):
        raise CheckFailed(f"not registered: {', '.join(missing)}")
    for item in services:
        if why := condition(item, "Available"):
            raise CheckFailed(f"{item['metadata']['name']}: {why}")
    return f"{', '.join(sorted(names))}; {count(len(karmada.api.items(CLUSTERS)), 'cluster')}"


def check_leases(karmada: Karmada) -> str:
    """Each component that elects a leader has one, who renewed the lease just now."""
    spec = karmada.spec
    electing = [
        kind
        for kind in LEASES
        if spec.has(kind) and "leader-elect" not in spec.settings(kind).without and spec.settings(kind).flags.get("leader-elect") != "false"
    ]
    programs = {kind_of_instance(name): argv for name, argv in program_args(karmada).items()} if runs_in_pods(karmada) else {}
    for kind in electing:
        namespace = flags(programs.get(kind, ())).get("leader-elect-resource-namespace", LEASES[kind])
        try:
            held_lease(karmada.api, namespace, kind)
        except NotYet as not_held:
            raise CheckFailed(str(not_held)) from not_held
    return ", ".join(electing)


def check_restarts(karmada: Karmada) -> str:
    """Every program of the control plane runs, and has not ended on its own since it was started."""
    if runs_in_pods(karmada):
        return check_pod_restarts(karmada)
    found = read_programs(karmada.run)
    if not found.supervised:
        raise CheckInconclusive("no supervisor runs the programs of this control plane")
    if found.unreached:
        raise CheckFailed("; ".join(f"machine {name} does not answer: {why}" for name, why in found.unreached.items()))
    programs = {
        name: state
        for name, state in found.states.items()
        if name.startswith("karmada/")
        and (state.runs or karmada.spec.has(kind_of_instance(name)))  # an addon that was switched off has none
    }
    for name, state in programs.items():
        if not state.runs:
            tail = find_program_owner(karmada.run, name).tail(state).splitlines()[-3:]
            raise CheckFailed("\n".join([f"{name} is {state.state}: {tail[0] if tail else ''}", *tail[1:]]))
        if state.restarts:
            raise CheckFailed(f"{name} was restarted {state.restarts} times; its log: {state.log}")
    if missing := sorted(kind for kind in LEASES if karmada.spec.has(kind) and kind not in {kind_of_instance(name) for name in programs}):
        raise CheckFailed(f"not started: {', '.join(missing)}")
    return f"{count(len(programs), 'program')}, 0 restarts"


def check_pod_restarts(karmada: Karmada) -> str:
    """Every component has all its pods ready, and no container of them was started twice."""
    host = karmada.lab.host.api
    if late := [missing for each in workloads.workloads(host) if (missing := each.missing())]:
        raise CheckFailed("; ".join([*late, *workloads.why(host)]))
    counts = workloads.restarts(host)
    if restarted := [f"{name} {count} times" for name, count in sorted(counts.items()) if count]:
        raise CheckFailed(f"restarted: {', '.join(restarted)}")
    there = {kind_of_instance(name) for name in workloads.programs(host)}
    if absent := sorted(kind for kind in LEASES if karmada.spec.has(kind) and kind not in there):
        raise CheckFailed(f"not started: {', '.join(absent)}")
    return f"{count(len(counts), 'container')}, 0 restarts"


def cluster_info_public(karmada: Karmada) -> str:
    """Anybody can read where the API server is and by which authority to know it: registering begins with that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca_of(karmada.kubeconfig).decode())
    try:
        answer = httpx.get(
            f"{karmada.api.server}/api/v1/namespaces/kube-public/configmaps/cluster-info", verify=context, trust_env=False, timeout=5.0
        )
    except httpx.HTTPError as error:
        raise CheckFailed(f"no answer: {error}") from error
    known = karmada.spec.deployer in known_drift.WITHOUT_CLUSTER_INFO
    if known and answer.status_code == 200:
        raise CheckFailed(
            f"{karmada.spec.deployer} is known to make none, and there is one; take it out of deployers/checks/known_drift.py"
        )
    if known:
        return f"none: {karmada.spec.deployer} of upstream does not make it"
    if answer.status_code != 200:
        raise CheckFailed(f"an anonymous read of cluster-info is answered {answer.status_code}")
    if karmada.spec.deployer in known_drift.CLUSTER_INFO_INSIDE:
        return check_internal_cluster_info(karmada, answer.json()["data"]["kubeconfig"])
    if karmada.api.server not in answer.json()["data"]["kubeconfig"]:
        raise CheckFailed(f"cluster-info does not name {karmada.api.server}")
    return karmada.api.server


def check_internal_cluster_info(karmada: Karmada, kubeconfig: str) -> str:
    """Return the evidence for a cluster-info that is known to name a Service of the host cluster; CheckFailed when it no longer does."""
    server = next(iter(yaml.safe_load(kubeconfig)["clusters"]))["cluster"]["server"]
    if ".svc" not in server:
        raise CheckFailed(
            f"{karmada.spec.deployer} is known to name a Service, and names {server}; take it out of deployers/checks/known_drift.py"
        )
    return f"{server}: {karmada.spec.deployer} of upstream names what only the host cluster can resolve"
