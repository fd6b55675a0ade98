"""Karmada onto a lab. A deployer is one file and one entry in `deployer`; the rest is functions over the handle `Karmada`.

The modules:

    spec         KarmadaSpec: what is wanted             release      where a Karmada version comes from
    by_binary    programs of this lab's machine          karmada      the handle of a running control plane
    by_chart, by_yaml, by_karmadactl, by_operator        pods of the host cluster, by upstream's own means
    components   the programs as data, with their flags  certificates the layout of keys and certificates
    manifests    the release's own objects, re-pointed   objects      putting them on karmada-apiserver
    conformance  does it do what Karmada promises        description  what was installed, comparable between deployers
    compare      what differs between installations: python -m deployers compare RUN RUN…
    options      which deployer carries which option     drift        what upstream's installers are known to do differently
    optional     Karmada's own addons as programs        addons       those of others, as data: deployers.addons
    images       what pods need, loading  into clusters  workloads    Karmada's pods: do they serve, and why not
    host         where a control plane in pods is        joining      members as steps of `up`
    in_pods      joinable, installed, nothing left       outside      an external etcd, a load balancer: do they answer
    init_words   what karmadactl init is told            karmada_object  what the operator is told
    members, join, unjoin, register, unregister          members, pushed to or pulling
    etcd, resize, renew          how Karmada's own etcd is, its members, its certificates
    renewal                      the certificates of all of Karmada
    archive, backup, verify      a control plane as one file; restore, move: back in its place, or at another site
    upgrade, exchange            another release in the place of one that runs; unfinished: what of all this is half done
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lab.errors import UsageError
from lab.spec import Capability, LabSpec
from lab.steps import Step

if TYPE_CHECKING:
    from deployers.karmada import Karmada
    from deployers.pods.images import Use
    from deployers.spec import KarmadaSpec
    from lab.cluster import Cluster, Lab

NAMES = {
    "by_binary": "ByBinary",
    "by_chart": "ByChart",
    "by_yaml": "ByYaml",
    "by_karmadactl": "ByKarmadactl",
    "by_operator": "ByOperator",
}
"""The deployers: the module and the class of each."""
READY = "karmada"
"""The step that has passed when all of Karmada serves."""
JOINABLE = "karmada/joinable"
"""The step that has passed when members can be registered: CRDs, webhooks and aggregated API are there, controllers may not be yet."""


class Deployer(Protocol):
    """**Protocol:** one way to install Karmada. It is converging: to install what is installed changes nothing.

    `needs` is what the provider must offer. `options` says of each option of a spec whether it is carried, and why not
    (deployers.options). `software` names the assets, as name@version. `check` returns what is in the way of
    this spec on this lab, one sentence each, before anything is created: a key of the spec takes effect or is refused.
    `install` computes steps and acts on nothing; the steps `READY` and `JOINABLE` are among them. `remove` takes away what
    install made and leaves the clusters as they are; twice is fine.
    """

    @property
    def needs(self) -> frozenset[Capability]: ...

    @property
    def options(self) -> Mapping[str, str]: ...

    def software(self, spec: KarmadaSpec) -> list[str]: ...

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]: ...

    def install(self, lab: Lab, spec: KarmadaSpec, software: Mapping[str, Path]) -> list[Step]: ...

    def remove(self, karmada: Karmada) -> None: ...


@runtime_checkable
class InPods(Protocol):
    """**Protocol:** a deployer whose parts are pods: which images they ask for, by the clusters that run them.

    `version` is the release's, which of a checkout git tells; `host` is what the host cluster is called.
    """

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[Use, ...]: ...


@runtime_checkable
class Enrolling(Protocol):
    """**Protocol:** a deployer that has a way of its own to make a member pull; the others' members do by `karmadactl register`.

    When `enrol` returns Karmada calls the member Ready; done already, it changes nothing. `withdraw` takes from a member that was
    unregistered what `karmadactl unregister` knows nothing of.
    """

    def enrol(self, karmada: Karmada, member: Cluster) -> None: ...

    def withdraw(self, karmada: Karmada, member: Cluster) -> None: ...


def deployer(name: str) -> Deployer:
    """Return a deployer by name. UsageError lists the names there are."""
    if name not in NAMES:
        raise UsageError(f"there is no deployer {name!r}", remedy=f"one of: {', '.join(sorted(NAMES))}")
    module = import_module(f"deployers.{name}")  # only the one that is used is loaded
    made: Deployer = getattr(module, NAMES[name])()
    return made
