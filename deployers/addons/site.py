"""One addon on one cluster: its objects and conflicts, applying and deleting.

The run keeps, for each, the version and the path and uid of every object that was made (records `addons/NAME.CLUSTER`), written before
an object is. An object that exists already belongs to another owner: it is kept when it is equal, a conflict when it differs, and never
deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deployers.addons.contents import CRD, Contents, crds
from deployers.plane import objects
from deployers.pods import workloads
from lab.api import Api, Refused
from lab.cluster import Cluster
from lab.count import count
from lab.errors import ProvisionError
from lab.run import Run

Json = dict[str, Any]
KIND = "addons"
SHOWN = 5
"""Objects that are named one by one; beyond that, only their number."""
WITHIN = 120.0


@dataclass(frozen=True)
class Site:
    """An addon, by name, on a cluster of a run."""

    run: Run
    addon: str
    cluster: Cluster

    @property
    def api(self) -> Api:
        return self.cluster.api

    @property
    def key(self) -> str:
        return f"{self.addon}.{self.cluster.name}"

    @cached_property
    def record(self) -> Json:
        return self.run.recorded(KIND, self.key) or {"version": None, "made": {}}

    @property
    def version(self) -> str | None:
        """The completely installed version; None when none or only a part is installed."""
        version: str | None = self.record["version"]
        return version

    def save(self) -> None:
        self.run.record(KIND, self.key, self.record)

    def ours(self, path: str, there: Json) -> bool:
        """Return whether we created an object, by its uid: one that was recreated since is not ours."""
        made: dict[str, str | None] = self.record["made"]
        return path in made and made[path] in {None, there["metadata"]["uid"]}

    # -- looking -----------------------------------------------------------------------------------------------------

    def present(self, part: Sequence[Json]) -> dict[str, Json]:
        """Return the existing ones of these objects, by path. CRDs are many and large, so one list call reads them."""
        of_crds = {item["metadata"]["name"]: item for item in self.api.items(objects.CRDS)} if any(d["kind"] == CRD for d in part) else {}
        found: dict[str, Json] = {}
        for document in part:
            if document["kind"] == CRD:
                path, item = f"{objects.CRDS}/{document['metadata']['name']}", of_crds.get(document["metadata"]["name"])
            else:
                path = self.api.path_of(document)
                item = self.api.find(path)
            if item is not None:
                found[path] = item
        return found

    def conflicts(self, contents: Contents) -> list[str]:
        """Return the existing objects of another version that this lab did not create; only CRDs can exist before their part."""
        documents = {f"{objects.CRDS}/{crd['metadata']['name']}": crd for crd in crds(contents)}
        there = self.present(list(documents.values())) if documents else {}
        return [
            f"{self.cluster.name}: {item['metadata']['name']}"
            for path, item in sorted(there.items())
            if not self.ours(path, item) and not contains(documents[path], item)
        ]

    def in_use(self, contents: Contents | None = None) -> list[str]:
        """Return the objects of CRDs that we made here and that are not among `contents`: they would be deleted with them."""
        kept = {f"{objects.CRDS}/{crd['metadata']['name']}" for crd in crds(contents or [])}
        found = []
        for item in self.api.items(objects.CRDS):
            path = f"{objects.CRDS}/{item['metadata']['name']}"
            if path not in kept and self.ours(path, item):
                found += [
                    f"{self.cluster.name}: {item['spec']['names']['kind']} {name_of(each)}" for each in list_instances(self.api, item)
                ]
        return found

    def unreadable(self, contents: Contents) -> list[str]:
        """Return the CRDs of which objects are stored in a version that `contents` no longer has: the API server would refuse them."""
        there = {item["metadata"]["name"]: item for item in self.api.items(objects.CRDS)}
        found = []
        for crd in crds(contents):
            item = there.get(crd["metadata"]["name"])
            stored = set((item or {}).get("status", {}).get("storedVersions") or []) - {each["name"] for each in crd["spec"]["versions"]}
            found += [f"{self.cluster.name}: {crd['metadata']['name']} has objects stored as {version}" for version in sorted(stored)]
        return found

    # -- changing ----------------------------------------------------------------------------------------------------

    def put(self, version: str, contents: Contents) -> None:
        """Install a version, part after part, and return when it serves. Objects that this version no longer has are deleted.

        ProvisionError when another version that this lab did not install is there.
        """
        if conflicts := self.conflicts(contents):
            raise conflict_error(self.addon, version, conflicts)
        wanted: set[str] = set()
        for part in contents:
            wanted |= self.put_part(version, part)
        self.drop([path for path in self.record["made"] if path not in wanted])
        if self.version != version:
            self.record["version"] = version
            self.save()

    def put_part(self, version: str, part: Sequence[Json]) -> set[str]:
        """Apply one part, wait until it is ready, and return the paths of its objects."""
        there = self.present(part)
        paths = {self.api.path_of(document): document for document in part}
        others = {path: item for path, item in there.items() if not self.ours(path, item)}
        if conflicts := [path for path, item in sorted(others.items()) if not contains(paths[path], item)]:
            raise conflict_error(self.addon, version, [f"{self.cluster.name}: {path}" for path in conflicts])
        stale = self.version != version
        to_send = {path: document for path, document in paths.items() if path not in others and (stale or path not in there)}
        self.record["made"] |= {path: None for path in to_send if path not in there}
        if to_send:
            self.save()
            answers = objects.map_concurrently(lambda path: self.api.apply(to_send[path]), to_send)
            made = {path: answer["metadata"]["uid"] for path, answer in zip(to_send, answers, strict=True)}
            self.record["made"] |= {path: uid for path, uid in made.items() if path in self.record["made"]}
            self.save()
        wait_part_ready(self.api, part, what=f"the addon {self.addon} on {self.cluster.name}")
        return set(paths)

    def take(self) -> None:
        """Delete the objects that this run created, in reverse order, and wait until they are gone. Keep objects recreated since."""
        if self.version is not None:
            self.record["version"] = None
            self.save()
        self.drop(list(self.record["made"]))
        self.run.forget(KIND, self.key)

    def drop(self, paths: Sequence[str]) -> None:
        """Delete those of these objects that this run created, and wait until they are gone."""
        gone = []
        for path in reversed(paths):
            item = self.api.find(path)
            if item is not None and self.ours(path, item):
                self.api.delete(path)
                gone.append(path)
        for path in gone:
            self.api.until_gone(path, what=f"{path.rpartition('/')[2]} is gone from {self.cluster.name}", within=WITHIN)
        if paths:
            self.record["made"] = {path: uid for path, uid in self.record["made"].items() if path not in paths}
            self.save()


def records_of(run: Run, cluster: str) -> dict[str, Json]:
    """Return the run's records of the addons on a cluster, by addon."""
    return {name.removesuffix(f".{cluster}"): record for name, record in run.records(KIND).items() if name.endswith(f".{cluster}")}


def restore_records(run: Run, cluster: str, records: Mapping[str, Json]) -> None:
    """Replace the records of the addons on a cluster, after a restore that brought back the objects (and uids) that they describe."""
    for name in records_of(run, cluster):
        run.forget(KIND, f"{name}.{cluster}")
    for name, record in records.items():
        run.record(KIND, f"{name}.{cluster}", record)


def conflict_error(addon: str, version: str, conflicts: Sequence[str]) -> ProvisionError:
    """Return the error for objects of an addon in another version that this lab did not install."""
    return ProvisionError(
        f"{addon} {version} does not replace {count(len(conflicts), 'object')} of another version that this lab did not install",
        detail=list_first(conflicts),
        remedy="delete them if they are not needed, or install their version",
    )


def list_first(things: Sequence[str]) -> str:
    """Return the first of a list, a line each, and how many more there are."""
    more = [f"… and {len(things) - SHOWN} more"] if len(things) > SHOWN else []
    return "\n".join([*things[:SHOWN], *more])


def contains(document: Json, item: Json) -> bool:
    """Return whether an object equals a document, ignoring metadata. Pure."""
    ignored = {"apiVersion", "kind", "metadata", "status"}  # the path implies the first two, and items of a list lack them
    return is_same({key: value for key, value in document.items() if key not in ignored}, item)


def is_same(wanted: Any, there: Any) -> bool:
    """Return whether a value contains all of the wanted one; fields that an API server adds do not count. Pure."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return all(value is None or is_same(value, there.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(there, list):
        return len(wanted) == len(there) and all(is_same(one, other) for one, other in zip(wanted, there, strict=True))
    return bool(wanted == there) or (not wanted and there is None)


def wait_part_ready(api: Api, part: Sequence[Json], *, what: str) -> None:
    """Return when the objects of a part serve: CRDs are established, APIs available, and all pods of workloads ready."""
    by_kind: dict[str, list[Json]] = {}
    for document in part:
        by_kind.setdefault(document["kind"], []).append(document)
    if found := by_kind.get(CRD):
        served = objects.wait_established(api, [crd["metadata"]["name"] for crd in found], what=f"the CRDs of {what}", within=WITHIN)
        objects.map_concurrently(lambda item: objects.wait_served(api, item), served.values())
    objects.wait_available(api, [each["metadata"]["name"] for each in by_kind.get("APIService", [])], within=WITHIN)
    for document in (*by_kind.get("Deployment", []), *by_kind.get("StatefulSet", [])):
        metadata = document["metadata"]
        workloads.wait_serving(api, [metadata["name"]], only=True, within=WITHIN, namespace=metadata["namespace"])


def list_instances(api: Api, crd: Json) -> list[Json]:
    """Return the objects of a CRD, in all namespaces; none when it is on its way out."""
    spec = crd["spec"]
    version = next(each["name"] for each in spec["versions"] if each["storage"])
    try:
        return api.items(f"/apis/{spec['group']}/{version}/{spec['names']['plural']}")
    except Refused as refused:
        if refused.status != 404:
            raise
        return []


def name_of(item: Json) -> str:
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])
