"""Karmada by upstream's karmada-operator: its manifests on the host cluster, then one Karmada object made from the spec.

    host/images → operator (CRD, access, Deployment) → object → karmada/pods
                                                     ‖ beside it: karmada/joinable, as soon as the Secret with the kubeconfig is there

The operator fetches CRDs by http; here it finds the release's own already there, as in upstream's tests, but from a ConfigMap, so that a
restarted operator finds them, too. Applying object and manifests again changes nothing; an interrupted operator continues by itself.

Removed here with the namespace, since the operator leaves it when its object is deleted: itself, its roles and CRD, the Secrets that the
object referred to, and etcd's data on its node's disk. Registering by pull is not supported: it needs cluster-info and the RBAC of
bootstrap tokens, which the operator does not create.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from deployers.by_operator import karmada_object
from deployers.by_operator.karmada_object import ALWAYS, NAME
from deployers.checks.rollout import wait_rollout
from deployers.deployer import ImageUse
from deployers.karmada import Karmada
from deployers.names import JOINABLE, NAMESPACE
from deployers.options import CARRIED, OF_COMPONENTS, OPTIONS, complete
from deployers.plane import objects
from deployers.plane.flags import several_values
from deployers.plane.layout import estimator
from deployers.plane.objects import CRDS, condition
from deployers.plane.rollout import Act, chain, rollback_refusal, run_all
from deployers.pods import init_args, installation, workloads
from deployers.pods.addons import enable_addon
from deployers.pods.crds_archive import crds_tarball
from deployers.pods.etcd.install import apply_own_etcd, for_installer, wait_own_etcd
from deployers.pods.etcd.names import runs_own_etcd
from deployers.pods.host import adopt_kubeconfig, remove_data, remove_namespace, secret
from deployers.pods.image_steps import image_steps, load_all
from deployers.pods.images import by_component, components, images_of, keep_path
from deployers.pods.images import software as of_images
from deployers.pods.init_args import NO_ARGUMENTS
from deployers.spec import KarmadaSpec
from lab.api import Refused
from lab.assets import AssetRef
from lab.cluster import Cluster
from lab.errors import NotReady, ProvisionError
from lab.spec import Capability, LabSpec
from lab.steps import Step
from lab.wait import NotYet, until

OPERATOR = "karmada-operator"
OBJECT = f"/apis/operator.karmada.io/v1alpha1/namespaces/{NAMESPACE}/karmadas/{NAME}"
CRD = "karmadas.operator.karmada.io"
WITHIN = 300.0
INVALID = "ValidationError"
"""The reason of the condition Ready where validation found the object wrong (operator/pkg/controller/karmada/validating.go)."""
TREES = ("karmadactl", "karmada-crds", "karmada-manifests", "karmada-operator-config")
NO_PLACE = "the Karmada object has no place for it"
SUPPORT = complete(
    {
        **dict.fromkeys(OPTIONS, CARRIED),
        "load_balancer": "the operator writes the address of a node, or of a Service of type LoadBalancer, into every kubeconfig",
        "members.pull": "the operator makes neither cluster-info nor the rights of bootstrap tokens, which registering begins with",
        "components.*.without": "the operator can add flags and change them, not drop one of its own",
        "components.*.env": NO_PLACE,
        "components.etcd.flags": NO_PLACE,
        "components.etcd.feature_gates": NO_PLACE,
        **{f"components.karmada-scheduler-estimator.{key}": NO_ARGUMENTS for key in OF_COMPONENTS if key in {"flags", "feature_gates"}},
    }
)


@dataclass(frozen=True)
class ByOperator:
    """karmada-operator and a Karmada object; estimators, which it does not make, by `karmadactl addons enable`."""

    needs: frozenset[Capability] = frozenset({Capability.PODS})
    options: Mapping[str, str] = field(default_factory=lambda: SUPPORT)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets: programs in images, karmadactl, and the release's files."""
        return [*of_images(spec, *ALWAYS, OPERATOR), *(str(AssetRef.parse(f"{name}@{spec.release}")) for name in TREES)]

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[ImageUse, ...]:
        """Return the images of a control plane, and the operator's."""
        return images_of(spec, keep_path, *ALWAYS, OPERATOR, version=version, host=host)

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what of the spec cannot take effect here. Nothing is created."""
        apart = installation.anti_affinity_errors(spec, lab, ("karmada-apiserver", "kube-controller-manager"))
        return [*installation.preflight_errors(spec, lab, SUPPORT), *several_values(spec), *apart]

    def install(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps of the control plane."""
        return OperatorInstallation(for_installer(karmada), software).steps()

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]:
        """Return the steps to another release: its operator, then the object, which makes it replace all else."""
        if back:
            raise rollback_refusal(karmada, "the operator", "upstream supports none by it")
        wanted = replace(karmada, spec=spec)
        made = OperatorInstallation(for_installer(wanted), software)
        pairs: list[tuple[str, Act]] = [
            ("images", partial(load_all, wanted, tuple(made.uses.values()), software)),
            (OPERATOR, made.operator),
            (NAME, made.object),
        ]
        if spec.addons.estimators:
            pairs.append(("karmada-scheduler-estimator", partial(run_all, *(partial(made.estimator, each) for each in wanted.members))))
        return chain([*pairs, ("settled", partial(wait_rollout, wanted))])

    def remove(self, karmada: Karmada) -> None:
        """Delete the Karmada object, wait until the operator has deleted its objects, then remove the operator.

        LeakError when something is left. Joined members keep what they have.
        """
        if not installation.state(karmada):
            return
        karmada.run.journal("remove", what=karmada.name)
        host = karmada.lab.host.api
        if host.find(f"{CRDS}/{CRD}") and host.find(OBJECT):
            host.delete(OBJECT)
            host.until_gone(
                OBJECT, what="the operator takes Karmada away", within=120.0, remedy=f"see the log of {OPERATOR} on the host cluster"
            )
            left = [each.name for each in workloads.workloads(host) if each.name != OPERATOR]
            karmada.run.journal(
                "left by upstream", workloads=left, secrets=installation.names(host, f"/api/v1/namespaces/{NAMESPACE}/secrets")
            )
        remove_namespace(host)
        remove_data(karmada.lab, karmada_object.ETCD_DATA)
        for kind in ("clusterroles", "clusterrolebindings"):
            host.delete(f"{installation.RBAC}/{kind}/{OPERATOR}")
        host.delete(f"{CRDS}/{CRD}")
        installation.wait_removed(karmada)
        installation.forget(karmada)


@dataclass(frozen=True)
class OperatorInstallation(installation.PodsInstallation):
    """One control plane that the operator makes."""

    @cached_property
    def uses(self) -> dict[str, ImageUse]:
        """The images, by component."""
        return by_component(ByOperator().images(self.spec, version=self.karmada.release.version, host=self.karmada.lab.host.name))

    def steps(self) -> list[Step]:
        host = f"{self.karmada.lab.host.name}/images"
        estimators = [
            Step(f"karmada/{estimator(member.name)}", partial(self.estimator, member), ("karmada/object", member.name))
            for member in (self.karmada.members if self.spec.addons.estimators else ())
        ]
        return [
            *image_steps(self.karmada, tuple(self.uses.values()), self.software),
            Step("karmada/operator", self.progress.watched(self.operator), (host,)),
            Step("karmada/object", self.progress.watched(self.object), ("karmada/operator",)),
            Step(
                JOINABLE,
                lambda: installation.wait_joinable(self.karmada, self.progress, self.kubeconfig, within=WITHIN),
                ("karmada/operator",),
            ),
            *estimators,
            *installation.last_steps(self.karmada, self.workloads(), ["karmada/object", *(step.name for step in estimators)]),
        ]

    def workloads(self) -> list[str]:
        """Return the workloads that are to be there: the operator puts the object's name before those without it."""
        plain = [name for name in components(self.spec, *ALWAYS, OPERATOR) if name != "karmada-scheduler-estimator"]
        own = ("etcd",) if runs_own_etcd(self.spec) else ()
        names = [name if name.startswith("karmada-") or name in own else f"{NAME}-{name}" for name in plain]
        return [*names, *(estimator(member.name) for member in self.karmada.members if self.spec.addons.estimators)]

    def operator(self) -> None:
        """Make the operator be there and ready."""
        installation.begin(self.karmada)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        objects.ensure_namespace(self.host, namespace)
        if "etcd" in self.uses:
            apply_own_etcd(self.karmada, self.uses["etcd"].name)
        self.host.apply(karmada_object.tarball(crds_tarball(self.tree("karmada-crds"))))
        for document in karmada_object.operator_manifests(self.tree("karmada-operator-config"), self.uses[OPERATOR].name):
            self.host.apply(document)
        objects.wait_established(self.host, [CRD])
        workloads.wait_serving(self.host, [OPERATOR], within=120.0)

    def object(self) -> None:
        """Apply the Karmada object and return when the operator reports it ready.

        NotReady on a timeout, and ProvisionError as soon as a pod can never get ready, show the pods and the operator's log;
        ProvisionError with the operator's message as soon as it finds the object invalid.
        """
        wait_own_etcd(self.karmada)
        self.progress.begun.set()
        objects.apply_all(self.host, karmada_object.secrets_of(self.spec))
        before = self.host.find(OBJECT) or {}
        applied = self.host.apply(karmada_object.karmada_object(self.spec, self.uses))
        generation = applied["metadata"]["generation"]
        changed = generation != (before.get("metadata") or {}).get("generation")

        def ready() -> None:
            seen = self.host.get(OBJECT)
            invalid = validation_error(seen)
            # Conditions have no observedGeneration: one that was there before the change may belong to the old generation.
            if invalid and not (changed and invalid == validation_error(before)):
                raise ProvisionError(
                    f"the operator refuses the Karmada object: {invalid}",
                    where=f"{OBJECT} of {self.host.server}",
                    remedy="correct the named fields in the lab file; by_operator/karmada_object.py sets the others",
                )
            if why := not_ready(seen, generation=generation) or self.earlier():
                workloads.give_up(self.host)
                raise NotYet(why)

        try:
            until(ready, what="the operator calls Karmada ready", within=WITHIN, every=1.0)
        except NotReady as late:
            late.detail = "\n".join([*workloads.why(self.host), *self.last_lines()])
            raise
        installation.finish(self.karmada)

    def earlier(self) -> str | None:
        """Return which component is not yet of the image that the object asks for, or None.

        When the object of a Karmada that is Ready changes, it is called Ready until the operator has looked.
        """
        there = workloads.images(self.host)
        for name, use in self.uses.items():
            if name in there and there[name] != use.name:
                return f"{name} is of {there[name]}, not yet of {use.name}"
        return None

    def last_lines(self) -> list[str]:
        """Return the last lines of the operator's log."""
        found = workloads.pods(self.host, selector=f"app.kubernetes.io/name={OPERATOR}")
        return [f"{OPERATOR}: {line}" for pod in found for state in workloads.states(pod) for line in workloads.log(self.host, pod, state)]

    def kubeconfig(self) -> None:
        """Write the run's kubeconfig from the operator's Secret; NotYet when it is not there."""
        name = f"{NAME}-admin-config"
        try:
            adopt_kubeconfig(secret(self.host, NAMESPACE, name, "karmada.config"), self.karmada.kubeconfig, source=f"secret {name}")
        except (ProvisionError, Refused) as error:
            raise NotYet(f"secret {name}: not there yet") from error

    def estimator(self, member: Cluster) -> None:
        """Create the estimator of a member by karmadactl: the operator has none, and its Secrets have the names that karmadactl expects."""
        enable_addon(self.karmada, *init_args.estimator(self.spec, self.uses, member))


def validation_error(item: karmada_object.Json) -> str | None:
    """Return what the operator's validation finds wrong with a Karmada object, or None: it then does nothing, and does not try again."""
    for each in (item.get("status") or {}).get("conditions") or []:
        if each["type"] == "Ready" and each.get("reason") == INVALID:
            return str(each.get("message", INVALID))
    return None


def not_ready(item: karmada_object.Json, *, generation: int) -> str | None:
    """Return why the operator does not call a Karmada object ready, or None.

    The operator changes the object once, by its defaults, and does not always say which generation it looked at: 0 is not held against it.
    """
    seen = (item.get("status") or {}).get("observedGeneration", 0)
    if 0 < seen < generation:
        return f"the operator looked at generation {seen}, not yet at {generation}"
    return condition(item, "Ready")
