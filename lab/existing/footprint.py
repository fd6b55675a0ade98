"""A footprint: which objects a lab may put on a cluster that exists, by path, by label, or by kind and name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from lab.api import Api, Json, Refused

NODES = "/api/v1/nodes"
AT_ONCE = 16


@dataclass(frozen=True)
class Footprint:
    """Patterns of objects. `paths` are single ones, `labels` selectors of objects of every kind.

    `names` are the path of a collection and a regular expression that the whole name matches; `node_labels` beginnings of labels that nodes
    are given.
    """

    paths: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    node_labels: tuple[str, ...] = ()

    def __or__(self, other: Footprint) -> Footprint:
        return Footprint(
            tuple(dict.fromkeys(self.paths + other.paths)),
            tuple(dict.fromkeys(self.labels + other.labels)),
            tuple(dict.fromkeys(self.names + other.names)),
            tuple(dict.fromkeys(self.node_labels + other.node_labels)),
        )

    @classmethod
    def parse(cls, document: Json) -> Footprint:
        """Return the footprint of a record."""
        names = tuple((str(path), str(pattern)) for path, pattern in document["names"])
        return cls(tuple(document["paths"]), tuple(document["labels"]), names, tuple(document["node_labels"]))


NOTHING = Footprint()


@dataclass(frozen=True, order=True)
class FoundObject:
    """An object of a footprint that is on a cluster, or a label of a node; and since when the object exists (seconds since 1970)."""

    path: str
    label: str = ""
    created: float = field(default=0.0, compare=False)
    leaving: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"label {self.label} of {self.path}" if self.label else self.path

    @property
    def namespace(self) -> str:
        """The path of the namespace that it is in; "" for one that is in none."""
        found = re.match(r"/api(?:s/[^/]+)?/v[^/]+/namespaces/([^/]+)/", self.path)
        return f"/api/v1/namespaces/{found[1]}" if found else ""


def find_objects(api: Api, footprint: Footprint) -> list[FoundObject]:
    """Return what of a footprint is on a cluster, sorted."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="footprint") as pool:
        single = pool.map(lambda path: [read_found(path, item)] if (item := api.find(path)) else [], footprint.paths)
        named = pool.map(lambda pair: list(find_named(api, *pair)), footprint.names)
        kinds = list_kinds(api) if footprint.labels else []
        labelled = pool.map(lambda pair: find_labelled(api, *pair), [(path, label) for path in kinds for label in footprint.labels])
        found = {each for group in (*single, *named, *labelled) for each in group}
    if footprint.node_labels:
        found.update(
            FoundObject(f"{NODES}/{node['metadata']['name']}", label)
            for node in api.items(NODES)
            for label in node["metadata"].get("labels") or {}
            if label.startswith(footprint.node_labels)
        )
    return sorted(found)


def read_found(path: str, item: Json) -> FoundObject:
    """Return an object that was found at a path."""
    metadata = item["metadata"]
    return FoundObject(path, created=read_time(metadata.get("creationTimestamp")), leaving="deletionTimestamp" in metadata)


def read_time(text: str | None) -> float:
    """Return a time of Kubernetes in seconds since 1970; 0 for none."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def find_named(api: Api, collection: str, pattern: str) -> Iterator[FoundObject]:
    """Yield the objects of a collection with a matching name."""
    for item in list_items(api, collection):
        if re.fullmatch(pattern, item["metadata"]["name"]):
            yield read_found(f"{collection}/{item['metadata']['name']}", item)


def find_labelled(api: Api, collection: str, selector: str) -> list[FoundObject]:
    """Return the objects of a collection, in all namespaces, that a selector selects."""
    root, _, resource = collection.rpartition("/")
    found = []
    for item in list_items(api, collection, labelSelector=selector):
        namespace = item["metadata"].get("namespace")
        folder = f"{root}/namespaces/{namespace}" if namespace else root
        found.append(read_found(f"{folder}/{resource}/{item['metadata']['name']}", item))
    return found


def list_items(api: Api, collection: str, **params: str) -> list[Json]:
    """Return the items of a collection; none of one that does not exist, cannot be listed, or belongs to a server that does not answer."""
    try:
        return api.items(collection, **params)
    except Refused as refused:
        if refused.status in {403, 404, 405, 503}:
            return []
        raise


def list_kinds(api: Api) -> list[str]:
    """Return the collection of every kind of objects that can be listed and deleted, each group in its preferred version."""
    roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"])]
    return [
        f"{root}/{resource['name']}"
        for root in roots
        for resource in list_resources(api, root)
        if "/" not in resource["name"] and {"list", "delete"} <= set(resource.get("verbs", ()))
    ]


def list_resources(api: Api, root: str) -> list[Json]:
    """Return the resources of a group; none of an aggregated group when its server does not answer."""
    try:
        return list(api.get(root).get("resources") or [])
    except Refused as refused:
        if refused.status in {404, 503}:
            return []
        raise
