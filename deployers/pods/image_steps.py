"""Images as steps of `up`: one archive a cluster, written beside the clusters, loaded into each that runs something of it.

karmada/images      the archives are there
host/images         … and loaded into the host cluster, every name that the path asks for among what the nodes have
member2/images      … into a member whose agent is a pod
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from deployers.deployer import ImageUse
from deployers.karmada import Karmada
from lab.cluster import Cluster
from lab.images import Archive, load_archive, make_archive, require_images
from lab.steps import Step

BUILT = "karmada/images"


def load_all(karmada: Karmada, uses: Sequence[ImageUse], software: Mapping[str, Path]) -> None:
    """Have every cluster have the images that its pods ask for, one cluster after the other. NotPossible as in `image_steps`."""
    for step in image_steps(karmada, uses, software):
        step.action()


def image_steps(karmada: Karmada, uses: Sequence[ImageUse], software: Mapping[str, Path]) -> list[Step]:
    """Return the steps by which every cluster gets the images that its pods ask for.

    NotPossible names an image that is missing on a node before anything is installed, not five minutes later as ImagePullBackOff.
    """
    used = sorted({name for use in uses for name in use.clusters})
    clusters = [name for name in used if name in {spec.name for spec in karmada.lab.spec.made}]

    def archive(cluster: str) -> Archive:
        return make_archive([use.image for use in uses if cluster in use.clusters], software)

    def built() -> None:
        for name in clusters:
            archive(name)

    def loaded(cluster: Cluster) -> None:
        load_archive(karmada.lab, cluster, archive(cluster.name))
        require_images(karmada.lab, cluster, [use.name for use in uses if cluster.name in use.clusters])

    return [
        # The nodes of a cluster that exists have the images, or pull them as they do any other.
        *(Step(f"{name}/images", lambda: None, (BUILT, name)) for name in used if name not in clusters),
        Step(BUILT, built, cpu_bound=True),
        *(Step(f"{name}/images", partial(loaded, karmada.lab.cluster(name)), (BUILT, name), priority=-1) for name in clusters),
    ]
