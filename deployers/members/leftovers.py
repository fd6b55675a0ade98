"""Check that nothing of a removed member is left, on either side.

    control plane   every object of `owned_objects`, Works, bindings that still name the member, certificate requests
    member          every object of `owned_objects`, and every other object with Karmada's label
    local files     the two that karmadactl keeps under /etc/karmada, the agent's kubeconfig and its process

Measured with karmadactl 1.18.2: what upstream itself leaves. `list_leftovers` marks these.

    after       left                                         until
    unjoin      nothing, 5 s after it ended                  -
    unregister  Lease karmada-system/karmada-agent-<member>  for ever; `unregister` deletes it (the next agent would wait 15 s)
                its CertificateSigningRequest                an hour; `unregister` deletes it
                namespace karmada-system of the member       for ever
    a failed    namespace karmada-es-<member>, the requests  for ever, an hour; `register` deletes them
    register    its part of the member's karmada-system      for ever; `register` deletes it
    unjoin      all of Karmada's own on a member that is     for ever
    --force     down, and what it had propagated there
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from deployers.members import agent, owned_objects
from deployers.members.certificate_requests import list_requests
from deployers.members.registry import Mode, RunningKarmada
from lab.api import Api, Json, Refused
from lab.cluster import Cluster
from lab.count import count
from lab.errors import LeakError, NotReady
from lab.wait import NotYet, until

MANAGED = "karmada.io/managed=true"
"""The label of every object that Karmada applied to a member (karmada pkg/util/constants.go, ManagedByKarmadaLabel)."""
TERMINATING = "being deleted since"
LOCAL_FILES = (Path("/etc/karmada/karmada-agent.conf"), Path("/etc/karmada/pki/ca.crt"))
"""What karmadactl may keep on the computer it runs on (pkg/karmadactl/register: KarmadaDir, CACertPath)."""


def assert_clean(karmada: RunningKarmada, member: Cluster, mode: Mode, *, member_down: bool = False, within: float = 60.0) -> None:
    """Raise LeakError with every leftover of a removed member, except those that upstream is known to leave.

    Terminating objects get `within` seconds: a namespace waits for its pods, and running pods have a grace period.
    """

    def clean() -> None:
        left = list_leftovers(karmada, member, mode, member_down=member_down)
        if left and all(TERMINATING in line for line in left):
            raise NotYet("\n".join(left))
        if left:
            raise leak_error(karmada, member, left)

    try:
        until(clean, what="terminating objects are deleted", within=within, every=1.0)
    except NotReady as late:
        raise leak_error(karmada, member, late.last.splitlines()) from late


def leak_error(karmada: RunningKarmada, member: Cluster, left: list[str]) -> LeakError:
    """Return the error that lists the leftovers."""
    return LeakError(
        f"{member.name} was removed from Karmada, but left {count(len(left), 'thing')} behind",
        where=f"{karmada.cluster.api.server}, {member.api.server}",
        detail="\n".join(left),
        remedy="each line is one thing to delete",
    )


def list_leftovers(
    karmada: RunningKarmada, member: Cluster, mode: Mode, *, member_down: bool = False, lingering: bool = False
) -> list[str]:
    """Return the leftovers of a removed member as "<side>: <what>"; an empty list when it is clean.

    With `member_down` the member is not asked; otherwise a member that does not answer raises. With `lingering` the list includes what
    upstream itself leaves. Objects that a policy preserves (`preserveResourcesOnDeletion`) are no leftovers: Karmada removes its label.
    """
    rows: list[Callable[[], list[str]]] = [
        *(
            partial(list_present, karmada.cluster.api, trace, member.name, lingering=lingering)
            for trace in owned_objects.list_owned(mode, "control plane")
        ),
        lambda: list_works(karmada.cluster.api, member.name),
        lambda: list_bindings(karmada.cluster.api, member.name),
        lambda: [
            f"control plane: {request['metadata']['name']} (CertificateSigningRequest)" for request in list_requests(karmada, member.name)
        ],
        lambda: list_local(karmada, member.name),
    ]
    if not member_down:
        rows += [
            partial(list_present, member.api, trace, member.name, lingering=lingering) for trace in owned_objects.list_owned(mode, "member")
        ]
        rows.append(lambda: [f"member: {thing}" for thing in list_managed(member.api)])
    with ThreadPoolExecutor(8) as pool:
        return [line for lines in pool.map(lambda row: row(), rows) for line in lines]


def deletion_note(metadata: Json) -> str:
    """Return since when an object is terminating, as the end of a line; "" when it is not."""
    return f", {TERMINATING} {metadata['deletionTimestamp']}" if "deletionTimestamp" in metadata else ""


def list_present(api: Api, trace: owned_objects.OwnedObject, name: str, *, lingering: bool) -> list[str]:
    """Return a line if an object exists; for those that upstream leaves only with `lingering`."""
    if (trace.lingers and not lingering) or (found := api.find(trace.at(name))) is None:
        return []
    metadata = found.get("metadata", {})
    state = deletion_note(metadata) + (f", finalizers {metadata.get('finalizers')}" if deletion_note(metadata) else "")
    return [f"{trace.side}: {trace.at(name)}{state}" + (f" (upstream: {trace.lingers})" if trace.lingers else "")]


def list_works(api: Api, name: str) -> list[str]:
    """Return a line for each Work of the member."""
    found = api.items(f"/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-{name}/works")
    return [f"control plane: Work karmada-es-{name}/{work['metadata']['name']}" for work in found]


def list_bindings(api: Api, name: str) -> list[str]:
    """Return a line for each binding that is still scheduled to the member."""
    return [
        f"control plane: {kind} {binding['metadata'].get('namespace', '')}/{binding['metadata']['name']} is scheduled to {name}"
        for kind in ("resourcebindings", "clusterresourcebindings")
        for binding in api.items(f"/apis/work.karmada.io/v1alpha2/{kind}")
        if any(cluster.get("name") == name for cluster in binding.get("spec", {}).get("clusters") or [])
    ]


def list_managed(api: Api) -> list[str]:
    """Return a line for each object with Karmada's label, of any kind that the cluster serves."""
    found: list[str] = []
    for root, resource in listable_kinds(api):
        try:
            items = api.items(f"{root}/{resource['name']}", labelSelector=MANAGED)
        except Refused as refused:
            if refused.status in {404, 405}:  # deleted since discovery, or not listable
                continue
            raise
        for item in items:
            metadata = item["metadata"]
            folder = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
            found.append(f"{root}{folder}/{resource['name']}/{metadata['name']} has the label {MANAGED}{deletion_note(metadata)}")
    return sorted(found)


def listable_kinds(api: Api) -> list[tuple[str, Json]]:
    """Return path and resource of every kind a cluster can list, each group in its preferred version."""
    roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"])]
    return [
        (root, resource)
        for root in roots
        for resource in api.get(root).get("resources", [])
        if "/" not in resource["name"] and "list" in resource.get("verbs", ())
    ]


def list_local(karmada: RunningKarmada, name: str) -> list[str]:
    """Return a line for each file or process of a member that is left on this computer.

    A file under /etc/karmada that is older than the run belongs to another installation.
    """
    lines = [f"local files: {path}" for path in LOCAL_FILES if path.exists() and path.stat().st_ctime >= karmada.run.created]
    kubeconfig = agent.agent_kubeconfig(karmada, name)
    if kubeconfig.exists():
        lines.append(f"local files: {kubeconfig}")
    if agent.agent_runs(karmada, name):
        lines.append(f"processes: {agent.agent_name(name)}")
    return lines
