"""Objects put on karmada-apiserver, many at once, and the waits for what the API server makes of them.

Everything is applied server-side: applying an unchanged object changes nothing, not even its resourceVersion. CRDs are the exception in
cost: sending them all again takes half a second of the API server's CPU, so what was sent is recorded and only looked at; and one that is
not there is created, which costs the server a quarter less than applying it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deployers.plane import manifests
from deployers.plane.manifests import Addresses
from lab.api import MANAGER, Api, Refused
from lab.errors import NotReady, ProvisionError
from lab.run import Run
from lab.wait import NotYet, until

Json = dict[str, Any]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""The Accept header of controllers' discovery requests: all groups in one answer, each with its freshness."""
AT_ONCE = 6
"""Requests in flight: more only makes the API server's two processors take turns."""


def map_concurrently(act: Callable[[Any], Any], things: Iterable[Any]) -> list[Any]:
    """Return what `act` returns for each thing, several at once, in their order; the first error passes through."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="apply") as pool:
        return list(pool.map(act, things))


def apply_all(api: Api, objects: Sequence[Json]) -> None:
    """Make objects be so. They must not need each other; a namespace they are in must be there."""
    map_concurrently(api.apply, objects)


def ensure_namespace(api: Api, namespace: Json) -> None:
    """Create a namespace if it is missing. Not by apply: applying an empty object twice changes its managedFields."""
    if api.find(api.path_of(namespace)) is None:
        try:
            api.create(namespace)
        except Refused as refused:
            if refused.status != 409:
                raise


def ensure_crds(api: Api, run: Run, crds: Path, where: Addresses, *, within: float = 60.0) -> None:
    """Apply a release's CRDs and wait until they serve. Skip those with the recorded uid and generation."""
    mark = fingerprint(crds, where)
    recorded = run.recorded("karmada", "crds") or {}
    there = {item["metadata"]["name"]: item for item in api.items(CRDS)}
    seen = recorded.get("versions", {})
    if recorded.get("fingerprint") == mark and all(
        name in there and versions(there[name]) == version and is_established(there[name]) for name, version in seen.items()
    ):
        map_concurrently(lambda name: wait_served(api, there[name]), seen)
        return
    documents = manifests.custom_resources(crds, where)
    map_concurrently(lambda crd: api.apply(crd) if crd["metadata"]["name"] in there else api.create(crd, fieldManager=MANAGER), documents)
    served = wait_established(api, [document["metadata"]["name"] for document in documents], within=within)
    run.record("karmada", "crds", {"fingerprint": mark, "versions": {name: versions(item) for name, item in sorted(served.items())}})
    map_concurrently(lambda item: wait_served(api, item), served.values())


def adopt_crds(api: Api, run: Run, crds: Path, where: Addresses) -> None:
    """Take the CRDs that are there for those of a release, though they are a later one's: `ensure_crds` leaves them alone from now on."""
    there = {item["metadata"]["name"]: versions(item) for item in api.items(CRDS)}
    names = {document["metadata"]["name"] for document in manifests.custom_resources(crds, where)}
    kept = {name: version for name, version in sorted(there.items()) if name in names}
    run.record("karmada", "crds", {"fingerprint": fingerprint(crds, where), "versions": kept})


def is_established(item: Json) -> bool:
    """Return whether a CRD is established."""
    return all(condition(item, kind) is None for kind in ("Established", "NamesAccepted"))


def fingerprint(crds: Path, where: Addresses) -> str:
    """Return a digest of all inputs of the CRDs."""
    digest = hashlib.sha256(f"{where.webhook}\n{where.ca_bundle}\n".encode())
    for file in manifests.crd_files(crds):
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def versions(item: Json) -> list[Any]:
    """Return uid and generation, which identify a state of an object, as a list that JSON keeps."""
    return [item["metadata"]["uid"], item["metadata"]["generation"]]


def wait_established(api: Api, names: Sequence[str], *, what: str = "Karmada's CRDs", within: float = 60.0) -> dict[str, Json]:
    """Watch until every CRD named is Established with its names accepted; return them. One watch for all."""
    missing, done = set(names), {}
    last = f"none of {len(missing)}"
    for kind, item in api.watch(CRDS, within=within):
        name = item["metadata"]["name"]
        if name not in missing:
            continue
        if kind != "DELETED" and is_established(item):
            missing.discard(name)
            done[name] = item
        elif why := condition(item, "NamesAccepted") or condition(item, "Established"):
            last = f"{len(done)} of {len(names)}; {name}: {why}"
        if not missing:
            return done
    raise NotReady(
        f"{what} are established",
        last=f"{last}; not {', '.join(sorted(missing))}",
        within=within,
        unchanged_for=within,
        remedy="see the log of the API server",
    )


def condition(item: Json, kind: str) -> str | None:
    """Return why a condition of an object is not True, or None when it is. (`status` and `conditions` may be null.)"""
    for each_ in (item.get("status") or {}).get("conditions") or []:
        if each_["type"] == kind:
            return None if each_["status"] == "True" else f"{kind} is {each_['status']}: {each_.get('message', '')}"
    return f"no condition {kind} yet"


def wait_served(api: Api, crd: Json) -> None:
    """Return when a resource answers a list in its storage version.

    A CRD is Established a moment before it serves. A client that lists in between gets a 429 and retries after a second, and
    karmada-controller-manager's first list delays every member's Ready; this probe succeeds within milliseconds.
    """
    spec = crd["spec"]
    version = next(each_["name"] for each_ in spec["versions"] if each_["storage"])
    path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"

    def served() -> None:
        try:
            api.get(path, limit="1")
        except Refused as refused:
            if refused.status not in {404, 429, 503}:
                raise
            raise NotYet(str(refused.message)) from refused

    until(served, what=f"{path} is served", within=30.0)


def wait_available(api: Api, names: Sequence[str], *, within: float = 60.0) -> None:
    """Watch until the APIServices named are Available."""
    for name in names:
        api.until(
            f"{SERVICES}/{name}",
            lambda item: condition(item, "Available"),
            what=f"the aggregated API {name} is available",
            within=within,
            remedy="see the logs of karmada-apiserver and of the API server behind it",
        )


def wait_answers(api: Api, path: str, *, within: float = 30.0) -> None:
    """Return when a path answers; an APIService is called available before every discovery of it has been renewed.

    A new aggregated API server answers 401/403 until it has loaded the request-header CA.
    """

    def answers() -> None:
        try:
            api.get(path, limit="1")
        except Refused as refused:
            if refused.status not in {401, 403, 404, 429, 503}:
                raise ProvisionError(f"{path} does not answer: {refused.message}", where=api.server) from refused
            raise NotYet(f"{refused.status} {refused.message}") from refused

    until(answers, what=f"{path} answers", within=within)


def wait_discovered(api: Api, group: str, version: str, *, within: float = 90.0) -> None:
    """Return when discovery lists a version of a group as current.

    An API server that was away stays stale there for some seconds after it answers again, and a controller that starts meanwhile does not
    know its kinds: controller-runtime asks again only after 10 s, and what failed until then is tried again ever later.
    """

    def listed() -> None:
        answer = api.http.get("/apis", headers={"Accept": DISCOVERY})
        groups = answer.json().get("items") or [] if answer.status_code == 200 else []
        found = [each_ for item in groups if item["metadata"]["name"] == group for each_ in item["versions"] if each_["version"] == version]
        if not found:
            raise NotYet(f"it does not ({answer.status_code})")
        if (freshness := found[0].get("freshness")) != "Current":
            raise NotYet(f"it is {freshness}")

    until(listed, what=f"discovery lists {group}/{version}", within=within)
