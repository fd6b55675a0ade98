"""Images into the nodes of a cluster: one archive a cluster; a node that has all images already gets nothing.

The provider records a cluster's nodes before it makes them (`nodes/<cluster>` of the run): `containers`, and where the `archives` of this
computer's cache are mounted in them, so that nothing is copied; or `machines` of the run, the `folder` there that an archive is copied to,
and `ctr`, the client of the node's containerd. Any cluster with such a record can be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from lab.cluster import Cluster, Lab
from lab.count import count
from lab.errors import NotPossible
from lab.hints import command
from lab.images.image import full_name
from lab.images.store import Archive
from lab.machines.container import Container
from lab.machines.machine import Machine
from lab.machines.registry import open_machine

CTR = ("ctr", "--namespace=k8s.io", "images")
RECORD = "nodes"
LISTED = re.compile(r"(?P<name>\S+)\s+\S+\s+(?P<digest>sha256:[0-9a-f]{64})\s")


def list_nodes(lab: Lab, cluster: Cluster) -> list[Machine]:
    """Return the nodes of a cluster as machines. NotPossible for a cluster without real nodes."""
    record = lab.run.recorded(RECORD, cluster.name)
    if record is None:
        raise NotPossible(
            f"loading images into {cluster.name} failed: clusters of the provider {lab.spec.provider} have no real nodes",
            remedy="use a provider with real pods: --provider kind",
        )
    machines = [open_machine(lab.run, name) for name in record.get("machines", ())]
    return [*machines, *(Container(name, lab.machine, lab.run.id) for name in record["containers"])]


def load_archive(lab: Lab, cluster: Cluster, archive: Archive, *, within: float = 300.0) -> tuple[str, ...]:
    """Load an archive into every node of a cluster, and return the names that one of them lacked.

    Nothing is done on a node that has every image of it, as it is in the archive.
    """
    record = lab.run.recorded(RECORD, cluster.name) or {}
    ctr = record.get("ctr", CTR[0])

    def into(node: Machine) -> set[str]:
        have = list_node_images(node, ctr=ctr)
        lacking = {image.name for image in archive.images if have.get(image.name) != image.digest}
        if lacking and "archives" in record:
            mounted = PurePosixPath(record["archives"]) / archive.key / archive.path.name
            node.run([*CTR, "import", str(mounted)], within=within)
        elif lacking:
            brought = PurePosixPath(record["folder"]) / f"{archive.key}.tar"
            node.put(archive.path, Path(brought))
            node.run([ctr, *CTR[1:], "import", str(brought)], within=within)
            node.run(["rm", "-f", str(brought)])
        return lacking

    machines = list_nodes(lab, cluster)
    with ThreadPoolExecutor(max_workers=len(machines)) as pool:
        lacked = set().union(*pool.map(into, machines))
    lab.run.journal("images", cluster=cluster.name, archive=archive.key, loaded=sorted(lacked))
    return tuple(name for name in archive.names if name in lacked)


def require_images(lab: Lab, cluster: Cluster, names: Iterable[str]) -> None:
    """Return when every node of a cluster has these images. NotPossible names what is missing: no pod of them would ever start."""
    wanted = {full_name(name) for name in names}
    ctr = (lab.run.recorded(RECORD, cluster.name) or {}).get("ctr", CTR[0])
    missing = {name: node.name for node in list_nodes(lab, cluster) for name in wanted - list_node_images(node, ctr=ctr).keys()}
    if missing:
        raise NotPossible(
            f"{count(len(missing), 'image')} missing on the nodes of {cluster.name}, which pull from no registry",
            where=next(iter(missing.values())),
            detail="\n".join(sorted(missing)),
            remedy=f"add them to the archive that is loaded, or: {command('images', 'load', 'ARCHIVE', lab=lab.run.id)}",
        )


def list_node_images(node: Machine, *, ctr: str = "ctr") -> dict[str, str]:
    """Return the images a node has: name to the digest of its manifest. `ctr` is the client of its containerd there."""
    listed = node.run([ctr, *CTR[1:], "list"]).stdout
    return {found["name"]: found["digest"] for found in map(LISTED.match, listed.splitlines()) if found}
