"""The images of a control plane in pods: the name in the pod spec, the content, and the clusters that run it.

Names and tags are upstream's. With `registry` (host[:port][/prefix]) each installer changes the names in its own manner: the deployer's
`Naming`. `lab.images` writes and loads images; `deployers.pods.image_steps` has the steps of `up`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from deployers.deployer import ImageUse
from deployers.pods.etcd.names import runs_own_etcd
from deployers.release import Release
from deployers.spec import KarmadaSpec
from lab.assets import AssetRef
from lab.assets.refs import is_path
from lab.images import Image, kubernetes
from lab.images import missing_software as of_images

HUB = "docker.io/karmada"
CONTROL_PLANE = ("karmada-aggregated-apiserver", "karmada-controller-manager", "karmada-scheduler", "karmada-webhook")
ADDONS = ("karmada-descheduler", "karmada-search", "karmada-metrics-adapter", "karmada-scheduler-estimator")
KUBERNETES = {"karmada-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager"}
"""Components that are Kubernetes' own programs."""

Naming = Callable[[str, str | None], str]
"""Maps upstream's name and the requested registry to the image name in an installer's pod specs."""


def keep_path(name: str, registry: str | None) -> str:
    """**Naming:** replace upstream's host and keep the path (docker.io/karmada/x → REGISTRY/karmada/x), as the chart does."""
    return f"{registry}/{name.partition('/')[2]}" if registry else name


def drop_path(name: str, registry: str | None) -> str:
    """**Naming:** keep only the last part of the name (docker.io/karmada/x → REGISTRY/x), as `karmadactl init` does."""
    return f"{registry}/{name.rpartition('/')[2]}" if registry else name


def tag_of(version: str) -> str:
    """Return the tag of a Karmada version's images; characters of a checkout's version that a tag cannot have become dashes."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"v{version}")


def upstream(component: str, spec: KarmadaSpec, version: str) -> Image:
    """Return a component's image under upstream's name. (etcd's tag is the version of its content, which can differ from upstream's.)"""
    if component == "etcd":
        return kubernetes.make_etcd_image()
    if component in KUBERNETES:
        return kubernetes.make_component_image(KUBERNETES[component], spec.kubernetes)
    name = f"{HUB}/{component}:{tag_of(version)}"
    official = "" if is_path(spec.release) else name  # a checkout has no official image
    return kubernetes.make_program_image(name, str(AssetRef.parse(f"{component}@{spec.release}")), f"/bin/{component}", official=official)


def components(spec: KarmadaSpec, *others: str) -> list[str]:
    """Return the components that run in pods of the host cluster, `others` of the path itself after them, each once.

    The lab's own etcd is among them, though an installer takes it for an external one.
    """
    wanted = ("etcd", "karmada-apiserver", "kube-controller-manager", *CONTROL_PLANE, *ADDONS)
    return list(dict.fromkeys([*(name for name in wanted if spec.has(name) or (name == "etcd" and runs_own_etcd(spec))), *others]))


def images_of(spec: KarmadaSpec, naming: Naming, *others: str, version: str, host: str = "host") -> tuple[ImageUse, ...]:
    """Return every image of a control plane on a path: the host cluster's, and the agent for members that pull.

    `others` are components that this deployer adds; `version` is that of the release (of a checkout: from git).
    """

    def use(component: str, naming: Naming, clusters: Sequence[str]) -> ImageUse:
        image = upstream(component, spec, version)
        return ImageUse(component, replace(image, name=naming(image.name, spec.registry)), tuple(clusters))

    found = [use(component, naming, [host]) for component in components(spec, *others)]
    if pulling := [member.name for member in spec.members if member.mode == "pull"]:
        found.append(use("karmada-agent", drop_path, pulling))
    return tuple(found)


def agent_image(spec: KarmadaSpec, release: Release) -> str:
    """Return the name of karmada-agent's image, as it is loaded into members that pull; register is given the whole name."""
    return drop_path(upstream("karmada-agent", spec, release.version).name, spec.registry)


def software(spec: KarmadaSpec, *others: str) -> list[str]:
    """Return the assets that the images are made of."""
    version = "0" if is_path(spec.release) else spec.release
    return of_images([use.image for use in images_of(spec, keep_path, *others, version=version)])


def by_component(uses: Iterable[ImageUse]) -> dict[str, ImageUse]:
    """Return images in use by the component that each is."""
    return {use.component: use for use in uses}
