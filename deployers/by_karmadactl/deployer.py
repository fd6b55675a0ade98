"""Karmada by `karmadactl init`, upstream's command for one: pods on the host cluster, one after the other.

init installs one component at a time and waits for its pods; members join in parallel, as soon as Karmada's API serves. init can neither
upgrade nor repair: it fails where its NodePort is taken. So a complete installation of this run is left alone, and the rest of an
interrupted one is removed before init runs again. init's own directory, which it empties at its start, is inside the run directory.

Removed here, since `karmadactl deinit` leaves it: the namespace with all addons (without --purge-namespace), and etcd's data on its node's
disk, which the next init would reuse.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from deployers.deployer import ImageUse
from deployers.karmada import Karmada
from deployers.members.karmadactl import error_of, karmadactl
from deployers.names import JOINABLE, NAMESPACE
from deployers.options import CARRIED, OPTIONS, complete
from deployers.plane import manifests, objects
from deployers.plane.flags import several_values
from deployers.plane.layout import estimator
from deployers.pods import init_args, installation, workloads
from deployers.pods.addons import enable_addon
from deployers.pods.crds_archive import crds_tarball
from deployers.pods.etcd.install import apply_own_etcd, for_installer, wait_own_etcd
from deployers.pods.etcd.names import runs_own_etcd
from deployers.pods.host import adopt_kubeconfig, remove_data
from deployers.pods.image_steps import image_steps
from deployers.pods.images import by_component, components, drop_path, images_of
from deployers.pods.images import software as of_images
from deployers.pods.init_args import NAMES, NO_ARGUMENTS, Places
from deployers.spec import ADDONS, KarmadaSpec
from lab.assets import AssetRef
from lab.cluster import Cluster
from lab.errors import CommandFailed, LabError, ProvisionError
from lab.hints import command
from lab.run import write_private
from lab.spec import Capability, LabSpec
from lab.steps import Step
from lab.wait import NotYet
from lab.yaml_text import dump_yaml

ETCD_DATA = "/var/lib/karmada-etcd"
INIT_WITHIN = 900.0
SUPPORT = complete(
    {
        **dict.fromkeys(OPTIONS, CARRIED),
        "by_karmadactl.config_file": CARRIED,
        "components.*.without": "karmadactl init can add flags and change them, not drop one of its own",
        "components.*.env": "karmadactl init has no word for a component's environment",
        **{f"components.{name}.{key}": NO_ARGUMENTS for name in ADDONS.values() for key in ("flags", "feature_gates")},
    }
)


@dataclass(frozen=True)
class ByKarmadactl:
    """karmadactl init, its addons, and deinit."""

    needs: frozenset[Capability] = frozenset({Capability.PODS})
    options: Mapping[str, str] = field(default_factory=lambda: SUPPORT)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets: programs in images, karmadactl, and the release's files that it gets or is compared with."""
        names = ("karmadactl", "karmada-crds", "karmada-manifests")
        return [*of_images(spec), *(str(AssetRef.parse(f"{name}@{spec.release}")) for name in names)]

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[ImageUse, ...]:
        """Return the images of a control plane."""
        return images_of(spec, drop_path, version=version, host=host)

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what of the spec cannot take effect here. Nothing is created."""
        found = [*installation.preflight_errors(spec, lab, SUPPORT, on_nodes=False), *several_values(spec)]
        found += init_args.unsupported_flags(spec)
        found += installation.anti_affinity_errors(spec, lab, (name for name in NAMES if name != "etcd"))
        if spec.load_balancer and not (init_args.names_and_addresses(spec)[1] and 30000 <= init_args.port(spec) <= 32767):
            found.append(
                "load_balancer: karmadactl init takes an IP address, and gives the API server one port everywhere, a NodePort: "
                "the load balancer must listen on it, too (30000 to 32767)"
            )
        return found

    def install(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps of the control plane."""
        return InitInstallation(for_installer(karmada), software).steps()

    def remove(self, karmada: Karmada) -> None:
        """Run `karmadactl deinit`, delete its leftovers, and check that none remain. Joined members keep their workloads."""
        if not installation.state(karmada):
            return
        karmada.run.journal("remove", what=karmada.name)
        clear(karmada)
        installation.wait_removed(karmada)
        installation.forget(karmada)


@dataclass(frozen=True)
class InitInstallation(installation.PodsInstallation):
    """One control plane that `karmadactl init` makes."""

    @cached_property
    def uses(self) -> dict[str, ImageUse]:
        """The images, by component."""
        return by_component(ByKarmadactl().images(self.spec, version=self.karmada.release.version, host=self.karmada.lab.host.name))

    @cached_property
    def places(self) -> Places:
        run = self.karmada.run
        data = run.path / "data" / "karmada"
        storage = init_args.EPHEMERAL if self.karmada.lab.spec.host.kubeconfig else init_args.STORAGE
        return Places(self.karmada.lab.host, data / "init", run.path / "pki" / "karmada", data / "crds.tar.gz", storage)

    def steps(self) -> list[Step]:
        host = f"{self.karmada.lab.host.name}/images"
        addons = [Step("karmada/addons", self.addons, ("karmada/init",))] if init_args.addons(self.spec, self.uses) else []
        addons += [
            Step(f"karmada/{estimator(member.name)}", partial(self.estimator, member), ("karmada/init", member.name))
            for member in (self.karmada.members if self.spec.addons.estimators else ())
        ]
        return [
            *image_steps(self.karmada, tuple(self.uses.values()), self.software),
            Step("karmada/init", self.progress.watched(self.init), (host,)),
            Step(JOINABLE, lambda: installation.wait_joinable(self.karmada, self.progress, self.kubeconfig), (host,)),
            *addons,
            *installation.last_steps(self.karmada, self.workloads(), ["karmada/init", *(step.name for step in addons)]),
        ]

    def workloads(self) -> list[str]:
        """Return the workloads that are to be there."""
        plain = [name for name in components(self.spec) if name != "karmada-scheduler-estimator"]
        return [*plain, *(estimator(member.name) for member in self.karmada.members if self.spec.addons.estimators)]

    def init(self) -> None:
        """Run `karmadactl init` unless this run did; what one left that was cut short is removed before."""
        installation.begin(self.karmada)
        if installation.state(self.karmada) == "installed":
            self.progress.begun.set()
            return
        if workloads.workloads(self.host):
            clear(self.karmada)
        shutil.rmtree(self.places.data, ignore_errors=True)  # or an earlier installation's kubeconfig would be used
        config = self.karmada.run.folder("data", "karmada") / "init.yaml"
        write_private(self.places.crds, crds_tarball(self.tree("karmada-crds")))
        write_private(config, dump_yaml(init_args.as_config(self.spec, self.uses, self.places)).encode())
        if runs_own_etcd(self.spec):
            objects.ensure_namespace(self.host, manifests.NAMESPACE)
            apply_own_etcd(self.karmada, self.uses["etcd"].name)
            wait_own_etcd(self.karmada)
        self.progress.begun.set()
        try:
            output = karmadactl(self.karmada, *init_args.args(self.spec, self.uses, self.places, config), within=INIT_WITHIN)
        except CommandFailed as failed:
            self.log(failed.output)
            raise self.explained(failed) from failed
        self.log(output.stdout + output.stderr)
        self.kubeconfig()
        installation.finish(self.karmada)

    def log(self, output: str) -> None:
        """Save the output of init in the logs of the run."""
        path = self.karmada.run.log("karmada/karmadactl-init")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output)

    def kubeconfig(self) -> None:
        """Write the run's kubeconfig from init's; NotYet when init has not written it whole."""
        theirs = self.places.data / "karmada-apiserver.config"
        try:
            adopt_kubeconfig(theirs.read_bytes(), self.karmada.kubeconfig, source=str(theirs))
        except (OSError, ProvisionError) as error:
            raise NotYet(f"{theirs.name} is not there yet") from error

    def explained(self, failed: CommandFailed) -> LabError:
        """Return the error of a failed init: its last lines, and why pods are not ready if some are not."""
        late = workloads.why(self.host)
        return ProvisionError(
            f"karmadactl init failed{error_of(failed)}",
            where=failed.command,
            detail="\n".join([*late, failed.output]),
            remedy=f"{command('down', lab=self.karmada.run.id)}, correct the named cause, then {command('up', lab=self.karmada.run.id)}: "
            "init does not repair",
        )

    def addons(self) -> None:
        """Run `karmadactl addons enable` for the control plane's addons; for an enabled addon it changes nothing."""
        self.enable(*init_args.addons(self.spec, self.uses))

    def estimator(self, member: Cluster) -> None:
        """Run `karmadactl addons enable` for the estimator of a member."""
        self.enable(*init_args.estimator(self.spec, self.uses, member))

    def enable(self, *args: str) -> None:
        enable_addon(self.karmada, *args)


def clear(karmada: Karmada) -> None:
    """Remove what init made, however far it came; where there is nothing, nothing is done."""
    host = karmada.lab.host
    if host.api.find(f"/api/v1/namespaces/{NAMESPACE}") is None:
        return
    karmadactl(karmada, "deinit", "--force", "--purge-namespace", f"--kubeconfig={host.kubeconfig}", f"--context={host.context}")
    host.api.until_gone(f"/api/v1/namespaces/{NAMESPACE}", what="the namespace of Karmada is deleted", within=120.0)
    remove_data(karmada.lab, ETCD_DATA)
    karmada.kubeconfig.unlink(missing_ok=True)
