"""Karmada by upstream's helm chart: host mode for the control plane, component mode for estimators, agent mode for members that pull.

    chart ──────────┐                                     what the chart itself waits for (jobs, init containers) it waits for;
    host → images ──┴→ release → karmada-apiserver → crds, webhooks, cluster-api → pods
                                                                 members → estimators

How the chart is installed and what upstream leaves to the installer: `deployers.by_chart.release`; what a spec is in its values:
`deployers.by_chart.values`; how it is made complete: `deployers.pods.helm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from deployers.by_chart import values as chart_values
from deployers.by_chart.release import AGENT, HELM, RELEASE, ChartInstallation
from deployers.deployer import ImageUse
from deployers.karmada import Karmada
from deployers.options import CARRIED, IN_PART, complete
from deployers.options import OPTIONS as ALL
from deployers.plane.rollout import AGENTS, Act, chain, rollback_refusal, run_all
from deployers.pods import host, images, installation
from deployers.pods.etcd.install import for_installer
from deployers.pods.image_steps import image_steps, load_all
from deployers.release import Release
from deployers.spec import COMPONENTS, KarmadaSpec
from lab.assets import AssetRef
from lab.cluster import Cluster
from lab.errors import UsageError
from lab.images import Image, kubernetes
from lab.images import missing_software as of_images
from lab.pki import is_address
from lab.spec import Capability, LabSpec
from lab.steps import Step

NO_VALUE = "the chart has no value for it"
PARTS = {name: part for name, part in chart_values.PARTS.items() if name in COMPONENTS}
OPTIONS = complete(
    {
        **dict.fromkeys(ALL, CARRIED),
        "components.*.without": "the chart adds to the flags in its templates and takes none away",
        "components.*.env": NO_VALUE,
        "components.*.flags": CARRIED,
        **{f"components.{name}.flags": f"{IN_PART}--{', --'.join(part.flags)}" for name, part in PARTS.items() if not part.others},
        **{f"components.{name}.feature_gates": NO_VALUE for name, part in PARTS.items() if not part.gates},
        "profile": f"{IN_PART}e2e has flags that the chart has no value for",
        "by_chart.values": CARRIED,
    }
)


@dataclass(frozen=True)
class ByChart:
    """Upstream's chart."""

    needs: frozenset[Capability] = frozenset({Capability.PODS})
    options: Mapping[str, str] = field(default_factory=lambda: OPTIONS)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets in the images, helm, the chart, and karmadactl."""
        trees = ("karmada-charts", "karmada-crds", "karmada-manifests", "karmadactl")
        return [
            *images.software(spec),
            *of_images(jobs(spec).values()),
            HELM,
            *(str(AssetRef.parse(f"{name}@{spec.release}")) for name in trees),
        ]

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[ImageUse, ...]:
        """Return the images of a control plane, and those of the chart's jobs."""
        own = images.images_of(spec, images.keep_path, version=version, host=host)
        return (*own, *(ImageUse(name, image, (host,)) for name, image in jobs(spec).items()))

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what of the spec the chart cannot carry."""
        found = [*installation.preflight_errors(spec, lab, OPTIONS), *chart_values.unsupported_flags(spec), *etcd_errors(spec)]
        return [*found, *installation.anti_affinity_errors(spec, lab, ("karmada-apiserver",))]

    def check_release(self, spec: KarmadaSpec, release: Release) -> list[str]:
        """Return what of a values file the chart of this release does not have."""
        file = spec.by_chart.values
        return values_errors(file, release.charts / RELEASE) if file and file.is_file() else []

    def install(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps that install or complete the control plane."""
        wanted = uses(karmada)
        return [*image_steps(karmada, wanted, software), *ChartInstallation(for_installer(karmada), software, uses=wanted).steps()]

    def register_agent(self, karmada: Karmada, member: Cluster) -> None:
        """Join a member by pull with the chart's agent mode. Change nothing if it is joined.

        (The chart's cluster-info names karmada-apiserver by its Service: `karmadactl register` would find it from inside the host
        cluster only.)
        """
        ChartInstallation(karmada, find_assets(karmada), uses=uses(karmada)).register_agent(member)

    def remove_agent(self, karmada: Karmada, member: Cluster) -> None:
        """Uninstall the agent's release from a member that was unregistered, and its namespace: what is in it has names of the chart's."""
        ChartInstallation(karmada, find_assets(karmada), uses=uses(karmada)).uninstall(AGENT, member)
        host.remove_namespace(member.api)

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]:
        """Return the steps to another release by `helm upgrade`; see `deployers.day2.upgrade`. NotPossible for going back."""
        if back:
            raise rollback_refusal(karmada, "the chart's own job", "helm rollback would leave the later webhooks")
        wanted = replace(karmada, spec=spec)
        installed = uses(wanted)
        charted = ChartInstallation(for_installer(wanted), software, uses=installed)
        pairs: list[tuple[str, Act]] = [("images", partial(load_all, wanted, installed, software)), (RELEASE, charted.upgrade)]
        if spec.addons.estimators:
            pairs.append(("karmada-scheduler-estimator", charted.estimators))
        if pulling := [wanted.lab.member(member.name) for member in spec.members if member.mode == "pull"]:
            pairs.append((AGENTS, partial(run_all, *(partial(charted.agent, member) for member in pulling))))
        return chain(pairs)

    def remove(self, karmada: Karmada) -> None:
        """Uninstall the releases, then delete what upstream leaves on the host cluster; what that was is journalled.

        The clusters stay as they are, Karmada's accounts on joined members included: unjoin before, where that matters. LeakError when
        something is left.
        """
        karmada.run.journal("remove", what=karmada.name)
        ChartInstallation(karmada, find_assets(karmada), uses=uses(karmada)).remove()
        installation.wait_removed(karmada)
        installation.forget(karmada)


def uses(karmada: Karmada) -> tuple[ImageUse, ...]:
    """Return the images of this control plane."""
    return ByChart().images(karmada.spec, version=karmada.release.version, host=karmada.lab.host.name)


def jobs(spec: KarmadaSpec) -> dict[str, Image]:
    """Return the images of the chart's jobs and init containers, with a tag of their content: upstream uses `latest`."""

    def name(upstream: str) -> str:
        return images.keep_path(upstream, spec.registry)

    return {
        "cfssl": kubernetes.make_cfssl_image(name(f"docker.io/cfssl/cfssl:v{kubernetes.CFSSL}")),
        "kubectl": kubernetes.make_kubectl_image(spec.kubernetes, name(f"docker.io/bitnamisecure/kubectl:{spec.kubernetes}")),
    }


def find_assets(karmada: Karmada) -> dict[str, Path]:
    """Return the assets that a later command needs; `up` brought them, so they are found without a network."""
    wanted = [AssetRef.parse(name) for name in (HELM, f"karmada-charts@{karmada.spec.release}")]
    brought = replace(karmada.supply, offline=True).resolve(wanted)
    return {str(ref): path for ref, path in brought.items()}


def values_errors(file: Path, chart: Path) -> list[str]:
    """Return what of a values file the chart does not have, which helm would ignore, and what would break the installation."""
    try:
        values = chart_values.read_values(file)
    except UsageError:
        return []  # the field's validation reports an invalid file
    known = chart_values.default_values(chart)
    lines = [*chart_values.unknown_keys(values, known), *chart_values.value_errors(values, known)]
    return [f"by_chart.values: {file.name}: {line}" for line in lines]


def etcd_errors(spec: KarmadaSpec) -> list[str]:
    """Return why the chart's values cannot express an external etcd."""
    external = spec.etcd.external
    if external and not is_address(str(urlsplit(external.servers[0]).hostname)):
        return [
            "etcd.external.servers: the chart waits for its etcd by a Service of the host cluster, which needs an address; "
            f"{external.servers[0]} has a name"
        ]
    return []
