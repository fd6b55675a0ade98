"""The images that a control plane in pods needs: under which name pods ask for each, what is in it, which clusters run it.

Names and tags are upstream's. With `registry` (host[:port][/prefix]) an installer asks for them elsewhere, each in its own manner, which
the deployer says as a `Naming`. How images are made and loaded is `lab.images`; as steps of `up` they are `deployers.pods.image_steps`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from deployers.deployer import ImageUse
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
"""From upstream's name and the registry asked for, the name under which an installer's pods ask for an image."""


def keep_path(name: str, registry: str | None) -> str:
    """**Naming:** the registry stands for upstream's host and its path is kept (docker.io/karmada/x → REGISTRY/karmada/x): the chart's."""
    return f"{registry}/{name.partition('/')[2]}" if registry else name


def drop_path(name: str, registry: str | None) -> str:
    """**Naming:** the registry stands for all but the last part (docker.io/karmada/x → REGISTRY/x): `karmadactl init`'s."""
    return f"{registry}/{name.rpartition('/')[2]}" if registry else name


def tag_of(version: str) -> str:
    """Return the tag of a Karmada version's images; what git says of a checkout is made fit for one."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"v{version}")


def upstream(component: str, spec: KarmadaSpec, version: str) -> Image:
    """Return a component's image under upstream's name. (etcd's tag is of what is in it, which upstream's newest need not be.)"""
    if component == "etcd":
        return kubernetes.make_etcd_image()
    if component in KUBERNETES:
        return kubernetes.make_component_image(KUBERNETES[component], spec.kubernetes)
    name = f"{HUB}/{component}:{tag_of(version)}"
    official = "" if is_path(spec.release) else name  # upstream has none of a checkout
    return kubernetes.make_program_image(name, str(AssetRef.parse(f"{component}@{spec.release}")), f"/bin/{component}", official=official)


def components(spec: KarmadaSpec, *others: str) -> list[str]:
    """Return the components that run in pods of the host cluster, `others` of the path itself after them, each once."""
    wanted = ("etcd", "karmada-apiserver", "kube-controller-manager", *CONTROL_PLANE, *ADDONS)
    return list(dict.fromkeys([*(name for name in wanted if spec.has(name)), *others]))


def images_of(spec: KarmadaSpec, naming: Naming, *others: str, version: str, host: str = "host") -> tuple[ImageUse, ...]:
    """Return every image of a control plane on a path: the host cluster's, and the agent for members that pull.

    `others` are components that the path itself brings; `version` is the release's, which of a checkout git tells.
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
