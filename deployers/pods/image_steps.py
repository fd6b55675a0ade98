"""Images as steps of `up`: one archive a cluster, written while the clusters start, then loaded into the clusters that run its images.

karmada/images      write the archives
host/images         load them into the host cluster, and check that its nodes have every image of the deployer
member2/images      load them into a member that runs its agent as a pod
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
    """Load into every cluster the images of its pods, one cluster after the other. NotPossible as in `image_steps`."""
    for step in image_steps(karmada, uses, software):
        step.action()


def image_steps(karmada: Karmada, uses: Sequence[ImageUse], software: Mapping[str, Path]) -> list[Step]:
    """Return the steps that load into every cluster the images of its pods.

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
