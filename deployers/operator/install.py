"""Install the operator's definitions and rights in a cluster, and remove them when no object is left."""

from __future__ import annotations

from deployers.operator.api import GROUP, VERSION
from deployers.operator.crds import make_crds
from deployers.operator.kube import PLURAL
from deployers.operator.manifests import make_manifests
from deployers.operator.webhook import CONFIGURATION
from lab.api import Api, Json
from lab.errors import LeakError, NotPossible

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OBJECTS = f"/apis/{GROUP}/{VERSION}/{PLURAL}"


def install(api: Api, *, webhook: bool = False) -> list[str]:
    """Apply definitions, then account and rights; return their names when the API is served. Twice changes nothing."""
    crds = make_crds()
    for crd in crds:
        api.apply(crd)
        api.until(f"{CRDS}/{crd['metadata']['name']}", find_obstacle, what=f"{crd['metadata']['name']} is served", within=60.0)
    manifests = make_manifests(webhook=webhook)
    for manifest in manifests:
        api.apply(manifest)
    return [f"{each['kind']}/{each['metadata']['name']}" for each in (*crds, *manifests)]


def find_obstacle(crd: Json) -> str | None:
    """Return why a definition is not served; None when it is."""
    found = {each["type"]: each for each in (crd.get("status") or {}).get("conditions") or []}
    if found.get("NonStructuralSchema", {}).get("status") == "True":
        return str(found["NonStructuralSchema"].get("message"))
    established = found.get("Established", {})
    return None if established.get("status") == "True" else f"not established yet: {established.get('message', '')}"


def uninstall(api: Api) -> list[str]:
    """Delete what `install` applied, in reverse order; return the names. NotPossible while an object exists: its Karmada would stay.

    LeakError names what is still there afterwards.
    """
    if api.find(f"/apis/{GROUP}/{VERSION}") is not None and (items := api.items(OBJECTS)):
        names = [f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in items]
        raise NotPossible(
            f"removing the operator failed: {len(names)} objects exist, and nothing would remove their Karmadas",
            where=", ".join(names[:5]),
            remedy="delete them while the operator runs: kubectl delete karmadadeployments --all --all-namespaces",
        )
    api.delete(CONFIGURATION)
    paths = [api.path_of(manifest) for manifest in reversed(make_manifests())] + [
        f"{CRDS}/{each['metadata']['name']}" for each in make_crds()
    ]
    for path in paths:
        api.delete(path)
    for path in paths:
        api.until_gone(path, what=f"{path} is gone", within=60.0)
    if left := [path for path in paths if api.find(path)]:
        raise LeakError("removing the operator failed: objects are left", detail="\n".join(left))
    return paths
