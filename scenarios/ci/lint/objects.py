"""Check Kubernetes objects as far as that needs no cluster: each has a kind and a name that the API server can accept.

Kinds of API groups that Kubernetes does not define are checked for nothing more: their requirements are unknown here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.ci.lint.documents import ParsedNode

STORED_GROUPS = frozenset(
    {
        "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling", "batch",
        "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
    }
)  # fmt: skip
"""Groups of stored objects, which need a name each. Configurations and reviews belong to other groups."""
NAMELESS = frozenset({"Config", "Status", "DeleteOptions", "APIVersions", "APIGroupList", "APIResourceList"})
"""Kinds of the group "" that are never stored: a kubeconfig is a v1 Config."""


def find_objects(documents: Sequence[ParsedNode]) -> list[ParsedNode]:
    """Return the documents that are Kubernetes objects: a map with apiVersion and kind at its top."""
    return [each for each in documents if each.kind == "map" and scalar_of(each, "apiVersion") and scalar_of(each, "kind")]


def check_objects(documents: Sequence[ParsedNode], *, patches: bool = False) -> Iterator[str]:
    """Yield what is wrong with the objects among documents. `patches` need no name: kustomize finds what they change."""
    for item in find_objects(documents):
        yield from check_object(item, f"line {item.line}", needs_name=not patches)


def check_object(item: ParsedNode, where: str, *, needs_name: bool) -> Iterator[str]:
    """Yield what is wrong with one object, or with those in a List."""
    version, kind = scalar_of(item, "apiVersion"), scalar_of(item, "kind")
    assert version is not None
    assert kind is not None
    for key, found in (("apiVersion", version), ("kind", kind)):
        if found.kind != "str":
            yield f"{where}: {key} is {found.text or 'empty'}, not a string"
            return
    group = version.text.rpartition("/")[0]
    items = item.get("items")
    if kind.text.endswith("List") and item.get("items") is not None:
        yield from check_list(items, kind.text, where, needs_name=needs_name) if items is not None else ()
        return
    metadata = item.get("metadata")
    stored = group in STORED_GROUPS and not (group == "" and kind.text in NAMELESS) and not kind.text.endswith("List")
    if metadata is not None and metadata.kind not in {"map", "null"}:
        yield f"{where}: metadata of a {kind.text} is not a map"
        return
    name = (metadata and (metadata.get("name") or metadata.get("generateName"))) or None
    if name is not None and name.kind in {"int", "float", "bool", "map", "list"}:
        yield f"line {name.line}: metadata.name of a {kind.text} is a {name.kind}, not a string; quote it"
    elif needs_name and stored and (name is None or not name.text):
        yield f"{where}: a {kind.text} without metadata.name"


def check_list(items: ParsedNode, kind: str, where: str, *, needs_name: bool) -> Iterator[str]:
    """Yield what is wrong with a list's items; only those of a v1 List have a kind of their own."""
    if items.kind not in {"list", "null"}:
        yield f"{where}: items of a {kind} is not a list"
    for number, each in enumerate(items.items, 1):
        if find_objects([each]):
            yield from check_object(each, f"item {number} of the {kind} on {where}", needs_name=needs_name)
        elif kind == "List":
            yield f"item {number} of the List on {where}: no apiVersion and kind"


def check_rendered(documents: Sequence[ParsedNode]) -> Iterator[str]:
    """Yield what is wrong with rendered manifests, where every document has to be an object."""
    for each in documents:
        if each.kind != "map" or not find_objects([each]):
            yield f"line {each.line}: a document without apiVersion and kind"
    yield from check_objects(documents)


def scalar_of(item: ParsedNode, key: str) -> ParsedNode | None:
    """Return the value of a key when it is a scalar."""
    found = item.get(key)
    return found if found and found.kind not in {"map", "list"} else None
