"""Container images without a registry: described as data, written by this process, loaded into a cluster's nodes.

    webhook = Image(
        "docker.io/karmada/karmada-webhook:v1.18.2",
        files=(File("/bin/karmada-webhook", asset="karmada-webhook@1.18.2"),),
        entrypoint=("/bin/karmada-webhook",),
    )
    missing_software([webhook, …])               the assets that they are made of, for `software` of a provider or deployer
    archive = make_archive([webhook, …], paths)  one archive of all of them; `paths` are those assets, brought
    load_archive(lab, lab.host, archive)         into every node of a cluster that lacks an image of it
    require_images(lab, lab.host, names)         NotPossible names what a node lacks: now, not as ImagePullBackOff five minutes later

An archive is a file of the cache, keyed by what is in it: the same images are written once on a computer. It is at once a
docker-archive (`docker load`) and an OCI layout (`ctr images import`), and the same files make the same bytes and digests everywhere. A
file that several images hold is one layer of all of them. Nothing here needs an engine; only `load_archive` talks to one.

The modules:

    image        Image and File: what is wanted         archive      the bytes of an archive
    store        archives in the cache                  debian       files of Debian packages, for images that need a shell
    kubernetes   what kubeadm and Karmada's deployers ask for besides Karmada's own
    load         into the nodes of a cluster
    official     which images are pulled by digest, where a registry answers; pull, registry: how
"""

from __future__ import annotations

from lab.images.image import Image, ImageFile, Packages, full_name
from lab.images.load import load_archive, require_images
from lab.images.official import missing_software
from lab.images.store import Archive, ArchiveStore, make_archive

__all__ = [
    "Archive",
    "ArchiveStore",
    "Image",
    "ImageFile",
    "Packages",
    "full_name",
    "load_archive",
    "make_archive",
    "missing_software",
    "require_images",
]
