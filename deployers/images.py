"""The images that a control plane in pods needs, as data: under which name pods ask for each, what program is in it, which clusters run it.

Names and tags are upstream's. With `registry` (host[:port][/prefix]) an installer asks for them elsewhere, each in its own manner, which
the deployer says as a `Naming`. That every image is in the archive that is loaded is checked before anything is installed: a missing
one is named then, not five minutes later as ImagePullBackOff.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from deployers.karmada import Karmada
from deployers.spec import KarmadaSpec
from lab.assets import AssetRef
from lab.errors import ProvisionError

HUB, KUBERNETES = "docker.io/karmada", "registry.k8s.io"
ETCD_TAG = "3.6.6-0"
"""Of 1.17.1 to 1.18.2, on every path."""
CONTROL_PLANE = ("karmada-aggregated-apiserver", "karmada-controller-manager", "karmada-scheduler", "karmada-webhook")
PROGRAMS = {"karmada-apiserver": "kube-apiserver"}
"""Components whose image is called otherwise."""

Naming = Callable[[str, str | None], str]
"""From upstream's name and the registry asked for, the name under which an installer's pods ask for an image."""


@dataclass(frozen=True)
class Image:
    """One image: the component it is, its name, the asset inside (name@version), and the clusters that run it, by name."""

    component: str
    name: str
    asset: str
    clusters: tuple[str, ...]

    @property
    def repository(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def tag(self) -> str:
        return self.name.rpartition(":")[2]


def moved(name: str, registry: str | None) -> str:
    """**Naming:** the registry stands for upstream's host and its path is kept (docker.io/karmada/x → REGISTRY/karmada/x): the chart's."""
    return f"{registry}/{name.partition('/')[2]}" if registry else name


def flat(name: str, registry: str | None) -> str:
    """**Naming:** the registry stands for all but the last part (docker.io/karmada/x → REGISTRY/x): `karmadactl init`'s."""
    return f"{registry}/{name.rpartition('/')[2]}" if registry else name


def tag_of(version: str) -> str:
    """Return the tag of a Karmada version's images; what git says of a checkout is made fit for one."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"v{version}")


def upstream(component: str, spec: KarmadaSpec, version: str) -> str:
    """Return upstream's name of a component's image."""
    if component == "etcd":
        return f"{KUBERNETES}/etcd:{ETCD_TAG}"
    if component in {"karmada-apiserver", "kube-controller-manager"}:
        return f"{KUBERNETES}/{PROGRAMS.get(component, component)}:v{spec.kubernetes}"
    return f"{HUB}/{component}:{tag_of(version)}"


def asset(component: str, spec: KarmadaSpec) -> str:
    """Return the asset that is a component's program."""
    if component == "etcd":
        return "etcd"  # the pinned one
    if component in {"karmada-apiserver", "kube-controller-manager"}:
        return f"{PROGRAMS.get(component, component)}@{spec.kubernetes}"
    return str(AssetRef.parse(f"{component}@{spec.release}"))


def components(spec: KarmadaSpec, *others: str) -> list[str]:
    """Return the components that run in pods of the host cluster, `others` of the path itself after them."""
    addons = ("karmada-descheduler", "karmada-search", "karmada-metrics-adapter", "karmada-scheduler-estimator")
    wanted = ("etcd", "karmada-apiserver", "kube-controller-manager", *CONTROL_PLANE, *addons)
    return [*(name for name in wanted if spec.has(name)), *others]


def needed(karmada: Karmada, naming: Naming, *others: str) -> tuple[Image, ...]:
    """Return every image of a control plane on a path: the host's, and the agent for members that pull."""
    spec, version = karmada.spec, karmada.release.version

    def image(component: str, clusters: Sequence[str]) -> Image:
        return Image(component, naming(upstream(component, spec, version), spec.registry), asset(component, spec), tuple(clusters))

    found = [image(component, [karmada.lab.host.name]) for component in components(spec, *others)]
    if pulling := [member.name for member in spec.members if member.mode == "pull"]:
        found.append(Image("karmada-agent", agent_image(karmada), asset("karmada-agent", spec), tuple(pulling)))
    return tuple(found)


def agent_image(karmada: Karmada) -> str:
    """Return the image of karmada-agent, as it is loaded into members that pull; register is given its whole name."""
    return flat(upstream("karmada-agent", karmada.spec, karmada.release.version), karmada.spec.registry)


def software(spec: KarmadaSpec, *others: str) -> list[str]:
    """Return the assets that are in the images."""
    pulling = ["karmada-agent"] if any(member.mode == "pull" for member in spec.members) else []
    return [asset(component, spec) for component in [*components(spec, *others), *pulling]]


def by_component(images: Iterable[Image]) -> dict[str, Image]:
    """Return images by the component that each is."""
    return {image.component: image for image in images}


def all_there(images: Iterable[Image], there: Iterable[str], *, where: str) -> None:
    """Return when each image is among the names of an archive or node. ProvisionError names those that are not."""
    names = {familiar(name) for name in there}
    if missing := sorted({image.name for image in images if familiar(image.name) not in names}):
        raise ProvisionError(
            f"{len(missing)} images that Karmada needs are not there: {', '.join(missing)}",
            where=where,
            remedy="lab images build   (or put them into the registry that the nodes pull from)",
        )


def familiar(name: str) -> str:
    """Return an image's name as containerd keeps it: docker.io/library/x for x."""
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first or first == "localhost" else f"docker.io/{name}"
