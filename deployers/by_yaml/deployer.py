"""Karmada as upstream's own manifests: artifacts/deploy on the host cluster, as hack/deploy-karmada.sh puts them there.

Files, Secrets and their names are upstream's. The order is computed, and differs from the script's in one thing: the hooks come after the
webhook that answers them, so that there is no time in which every write of a policy fails.

    host → identity → secrets → etcd → karmada-apiserver → crds, access, kube-controller-manager
                                                         → webhook → webhooks ────────┬→ karmada-controller-manager, karmada-scheduler …
                                                         → aggregated-apiserver → cluster-api
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from deployers.by_yaml.installation import WITHIN, YamlInstallation
from deployers.checks.rollout import wait_rollout
from deployers.deployer import ImageUse
from deployers.karmada import Karmada
from deployers.names import NAME
from deployers.options import CARRIED, complete
from deployers.options import OPTIONS as ALL
from deployers.plane.layout import Layout
from deployers.plane.plane import TREES
from deployers.plane.rollout import AGENTS, Act, chain, order_actions, run_all
from deployers.pods import agent, host, images, installation
from deployers.pods.etcd.install import for_installer
from deployers.pods.image_steps import image_steps, load_all
from deployers.pods.workloads import recreate_restarted_pods
from deployers.spec import KarmadaSpec
from lab.assets import AssetRef
from lab.spec import Capability, LabSpec
from lab.steps import Step

DATA = "/var/lib/karmada-etcd"
"""etcd's data directory on its node. Upstream's hack/undeploy-karmada.sh leaves it for manual removal."""
ONE_A_NODE = "upstream's manifest needs a separate node for each replica, since it uses a port of the node"
OPTIONS = complete(
    {
        **dict.fromkeys(ALL, CARRIED),
        "components.karmada-apiserver.replicas": ONE_A_NODE,
        "components.kube-controller-manager.replicas": "upstream's manifest puts each replica on a node of its own",
    }
)


@dataclass(frozen=True)
class ByYaml:
    """Upstream's manifests, the deployment that its own tests run."""

    needs: frozenset[Capability] = frozenset({Capability.PODS})
    options: Mapping[str, str] = field(default_factory=lambda: OPTIONS)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets in the images, upstream's manifests and CRDs, and karmadactl."""
        return [*images.software(spec), *(str(AssetRef.parse(f"{name}@{spec.release}")) for name in (*TREES, "karmadactl"))]

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[ImageUse, ...]:
        """Return the images of a control plane."""
        return images.images_of(spec, images.keep_path, version=version, host=host)

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what of the spec cannot take effect here. Nothing is created."""
        return installation.preflight_errors(spec, lab, OPTIONS)

    def install(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps that install or complete the control plane. UsageError for a spec that upstream's files cannot express."""
        plane, wanted = self.plane(karmada, software)
        return [*image_steps(karmada, wanted, software), *plane.steps()]

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]:
        """Return the steps to another release, which apply its manifests over the present ones; see `deployers.day2.upgrade`."""
        wanted = replace(karmada, spec=spec)
        plane, uses = self.plane(wanted, software)
        parts: dict[str, Act] = {name: partial(plane.component, name) for name in plane.parts}
        if spec.addons.estimators:
            parts["karmada-scheduler-estimator"] = plane.estimators
        if any(member.mode == "pull" for member in spec.members):
            parts[AGENTS] = partial(agent.replace_agents, wanted)

        def images() -> None:
            load_all(wanted, uses, software)
            plane.identity()
            plane.secrets()

        # Etcd has one member, so it is away until its new pod is ready; what ended meanwhile would wait ever longer to be started again.
        parts["kube-controller-manager"] = partial(
            run_all, lambda: recreate_restarted_pods(plane.host, within=WITHIN), parts["kube-controller-manager"]
        )
        return chain([("images", images), *order_actions(plane, parts, back=back), ("settled", partial(wait_rollout, wanted))])

    def plane(self, karmada: Karmada, software: Mapping[str, Path]) -> tuple[YamlInstallation, tuple[ImageUse, ...]]:
        """Return a control plane of a release's manifests, and the images in it."""
        spec = karmada.spec
        wanted = self.images(spec, version=karmada.release.version, host=karmada.lab.host.name)
        trees = {name: software[str(AssetRef.parse(f"{name}@{spec.release}"))] for name in TREES}
        layout = Layout(pki=karmada.run.path / "pki" / NAME, data=karmada.run.path / "data" / NAME, ports={}, software=trees)
        return YamlInstallation(for_installer(karmada), layout, images.by_component(wanted)), wanted

    def remove(self, karmada: Karmada) -> None:
        """Delete Karmada's namespace on the host cluster and the data of its etcd; forget its keys.

        The clusters stay as they are, Karmada's accounts on joined members included: unjoin before, where that matters. LeakError when
        something is left.
        """
        karmada.run.journal("remove", what=NAME)
        host.remove_namespace(karmada.lab.host.api)
        host.remove_data(karmada.lab, DATA)
        installation.wait_removed(karmada)
        installation.forget(karmada)
