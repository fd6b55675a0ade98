"""Images as steps of `up`: one archive, made beside the clusters, loaded into each cluster that runs something of it.

karmada/images      the archive is there and has every image that the path needs: a missing one is named here
host/images         … and is loaded into the host cluster;  member2/images: into a member whose agent is a pod
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from deployers.images import Image, all_there
from deployers.karmada import Karmada
from lab.cluster import Cluster
from lab.run import Run
from lab.steps import Step

BUILT = "karmada/images"


class Store(Protocol):
    """**Protocol:** where images come from; lab.images is it.

    `archive` returns a file with these images, made of the programs given by image name unless it is there; `names` are those of the
    images in such a file; `load` puts them onto every node of a cluster, those that are not there as they are.
    """

    def archive(self, images: Mapping[str, Path]) -> Path: ...

    def names(self, archive: Path) -> list[str]: ...

    def load(self, run: Run, cluster: Cluster, archive: Path) -> None: ...


def image_steps(karmada: Karmada, images: Sequence[Image], software: Mapping[str, Path], store: Store) -> list[Step]:
    """Return the steps by which every cluster gets the images that its pods ask for."""

    def archive(cluster: str) -> Path:
        return store.archive({image.name: software[image.asset] for image in images if cluster in image.clusters})

    def built() -> None:
        for name in clusters:
            made = archive(name)
            all_there((image for image in images if name in image.clusters), store.names(made), where=str(made))

    def loaded(cluster: Cluster) -> None:
        store.load(karmada.run, cluster, archive(cluster.name))

    clusters = sorted({name for image in images for name in image.clusters})
    return [
        Step(BUILT, built, heavy=True),
        *(Step(f"{name}/images", partial(loaded, karmada.lab.cluster(name)), (BUILT, name), first=-1) for name in clusters),
    ]
