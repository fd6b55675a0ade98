"""Release: a Karmada version, and where its programs, charts, CRDs and manifests are.

    release = Release.parse("1.18.2")             # or v1.18.2, or ./path/to/karmada: a checkout, with its local changes
    release.bring(release.control_plane)          # many at once: one build, one progress
    release.binary("karmada-webhook")             # a Path; brought on demand
    release.crds, release.charts, release.manifests, release.examples

A Supply of `lab.assets` brings everything, from the same sources and cache as the lab's own programs. Only `make_supply` (for a command)
and `open_supply` (for an existing lab) make one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from lab.assets import AssetRef, Catalogue, Sink, Supply, ignore_progress
from lab.assets.checkout import Checkout
from lab.assets.refs import is_path, version_key
from lab.assets.user_pins import add_user_pins, find_user_pins
from lab.errors import UsageError
from lab.run import Run
from lab.supply_choices import SupplyChoices

PINS = Path(__file__).parent / "assets.toml"
MODULE = "github.com/karmada-io/karmada"
CONTROL_PLANE = ("karmada-aggregated-apiserver", "karmada-controller-manager", "karmada-scheduler", "karmada-webhook")
ADDONS = ("karmada-descheduler", "karmada-search", "karmada-metrics-adapter", "karmada-scheduler-estimator")
TREES = ("karmada-charts", "karmada-crds", "karmada-manifests", "karmada-examples", "karmada-samples", "karmada-operator-config")
SUITE = "karmada-e2e"
"""Upstream's own end-to-end suite, compiled."""
SUPPLY = ("supply", "choices")
"""Where a run keeps the choices of its last `up`: kind and name of the record."""
USER_PINS = ("supply", "pins")
"""Where it keeps the path of the user's pins file: later commands may be given in another directory."""


def catalogue(pins: Path | None = None) -> Catalogue:
    """Return the pins of the lab and of Karmada, and the user's own: those of the file `pins`, or of the one that applies here."""
    return add_user_pins(Catalogue.load(PINS), pins or find_user_pins())


def make_supply(choices: SupplyChoices | None = None, *, progress: Sink = ignore_progress, pins: Path | None = None) -> Supply:
    """Return the supply of a command that was given these choices."""
    return Supply(**vars((choices or SupplyChoices()).choices), progress=progress, catalogue=catalogue(pins))


def record_choices(run: Run, choices: SupplyChoices) -> None:
    """Record the sources that a lab was brought up with, so that later commands of the lab use the same."""
    run.record(*SUPPLY, choices.document)
    run.record(*USER_PINS, {"file": str(find_user_pins())})


def open_supply(run: Run) -> Supply:
    """Return the supply of an existing lab. A bundle that no longer exists is left out: its assets are in the cache."""
    choices = SupplyChoices.of(run.recorded(*SUPPLY) or {})
    if choices.bundle and not choices.bundle.is_file():
        choices = replace(choices, bundle=None, source="auto" if choices.source == "bundle" else choices.source)
    own = (run.recorded(*USER_PINS) or {}).get("file")
    return make_supply(choices, pins=Path(own) if own else None)


@dataclass(frozen=True)
class Release:
    """A pinned Karmada version, or a checkout of it. `version` has no v; of a checkout it is what git describes.

    Two releases are equal when they are the same version, or the same checkout with the same content.
    """

    version: str
    checkout: Checkout | None = None
    supply: Supply = field(default_factory=make_supply, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, *, supply: Supply | None = None) -> Release:
        """`1.18.2`, `v1.18.2`, or the path of a checkout (it has a slash or starts with a dot).

        UsageError: not pinned (the pinned ones are named), or the directory is not a checkout of Karmada.
        """
        supply = supply or make_supply()
        if is_path(text):
            checkout = Checkout.of(Path(text), module=MODULE, run=supply.run)
            return cls(checkout.version, checkout, supply)
        try:
            pin = supply.pins.pin(AssetRef.parse(f"karmadactl@{text}"))
        except UsageError as error:
            raise UsageError(
                f"unknown Karmada release {text!r}",
                where=f"pinned: {', '.join(supply.pins.versions('karmadactl'))}",
                remedy="name one of these, or the path of a checkout (./karmada), which is built",
            ) from error
        return cls(pin.version, None, supply)

    def ref(self, name: str) -> AssetRef:
        """The asset `name` of this release."""
        return AssetRef(name, str(self.checkout.directory) if self.checkout else self.version)

    def bring(self, names: Iterable[str]) -> dict[str, Path]:
        """Return the paths of all of `names`, brought in one call, so that there is at most one build. Errors as in lab.assets."""
        refs = {name: self.ref(name) for name in names}
        found = self.supply.resolve(refs.values())
        return {name: found[ref] for name, ref in refs.items()}

    def binary(self, name: str) -> Path:
        """The program `name`, such as karmada-webhook or karmadactl."""
        return self.bring([name])[name]

    @property
    def charts(self) -> Path:
        """The directory with the charts karmada and karmada-operator, as in the source tree (without bitnami's `common`)."""
        return self.binary("karmada-charts")

    @property
    def crds(self) -> Path:
        """The directory with bases/ and patches/ of the CRDs (charts/karmada/_crds of the source tree)."""
        return self.binary("karmada-crds")

    @property
    def manifests(self) -> Path:
        """artifacts/deploy of the source tree: what the plain-yaml path applies."""
        return self.binary("karmada-manifests") / "deploy"

    @property
    def artifacts(self) -> Path:
        """artifacts of the source tree; beside deploy there are agent, example and kindClusterConfig."""
        return self.binary("karmada-manifests")

    @property
    def examples(self) -> Path:
        """examples of the source tree: the custom resource interpreter webhook."""
        return self.binary("karmada-examples")

    @property
    def samples(self) -> Path:
        """samples of the source tree: nginx and guestbook with their policies."""
        return self.binary("karmada-samples")

    @cached_property
    def components(self) -> tuple[str, ...]:
        """All programs of Karmada, by name."""
        return tuple(name for name in self.supply.pins.names("karmada") if name not in {*TREES, SUITE})

    def at_least(self, version: str) -> bool:
        """Whether this is `version` or later; a checkout that git cannot describe counts as later than all."""
        return self.version.startswith("0.0.0") or version_key(self.version)[:3] >= version_key(version)[:3]

    def __str__(self) -> str:
        return f"v{self.version}" + (f" ({self.checkout.directory})" if self.checkout else "")
