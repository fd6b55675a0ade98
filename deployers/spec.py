"""KarmadaSpec: which Karmada is wanted, and how; the table `[karmada]` of a lab file, the same for every deployer.

    [karmada]
    release = "1.18.2"             # or the path of a checkout, which is built: ./karmada
    profile = "e2e"

    [karmada.etcd]
    members = 3

    [karmada.components.karmada-scheduler]
    replicas = 2
    flags = { kube-api-qps = "100" }
    feature_gates = { PriorityBasedScheduling = true }

    [karmada.addons]
    estimators = true

A key that validates takes effect or is refused by the deployer before anything is created; none is ignored. What no deployer could
give a meaning is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from deployers import addon as addons
from deployers.release import catalogue
from lab.assets.refs import is_path, parse_version
from lab.documents import read_toml
from lab.errors import UsageError
from lab.limits.account import expand_home
from lab.near_names import did_you_mean, near_names
from lab.spec import FileName, KubernetesVersion, Name, Strict, Version

__all__ = [
    "Addons",
    "Certificates",
    "ComponentSpec",
    "Etcd",
    "EtcdStorage",
    "ExternalEtcd",
    "KarmadaSpec",
    "KeyPair",
    "MemberOf",
    "profiles",
]

ADDONS = {
    "descheduler": "karmada-descheduler",
    "search": "karmada-search",
    "metrics_adapter": "karmada-metrics-adapter",
    "estimators": "karmada-scheduler-estimator",
}
"""The optional components, by their key in `[karmada.addons]`."""

COMPONENTS = (
    "etcd",
    "karmada-apiserver",
    "kube-controller-manager",
    "karmada-aggregated-apiserver",
    "karmada-webhook",
    "karmada-controller-manager",
    "karmada-scheduler",
    *ADDONS.values(),
)
"""Every component that a spec can change, by upstream's name."""

ON_EACH_MACHINE = (
    "karmada-apiserver",
    "kube-controller-manager",
    "karmada-aggregated-apiserver",
    "karmada-webhook",
    "karmada-controller-manager",
    "karmada-scheduler",
    "karmada-descheduler",
)
"""The components that run once on each machine of `[karmada.by_binary] machines` unless the spec says how many there are."""

WITHOUT_GATES = frozenset({"karmada-descheduler", "karmada-metrics-adapter"})
"""They have no --feature-gates (1.17.1 to 1.18.2)."""

File = Annotated[Path, AfterValidator(lambda path: expand_home(path).absolute())]
"""A file of this computer; a relative path is one from where the command was started."""
Flag = str
"""A flag's name, without its dashes."""
Replicas = Annotated[int, Field(ge=1, le=9)]
LifetimeDays = Annotated[int, Field(ge=2, le=3650)]
"""For how long certificates are valid."""
EtcdPrefix = Annotated[str, StringConstraints(pattern=r"^/[^\s]*[^/\s]$")]
VolumeSize = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(Mi|Gi|Ti)$")]
StorageClass = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]


class ComponentSpec(Strict):
    """What is different for one component. `flags` are layered over the profile's and the deployer's; `without` drops flags of those."""

    replicas: Replicas = 1
    flags: dict[Flag, str | tuple[str, ...]] = Field(default_factory=dict)
    without: tuple[Flag, ...] = ()
    feature_gates: dict[str, bool] = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def require_one_setting(self) -> ComponentSpec:
        if self.feature_gates and "feature-gates" in self.flags:
            raise ValueError("feature gates are given twice: as feature_gates and as the flag feature-gates")
        if both := sorted(self.flags.keys() & set(self.without)):
            raise ValueError(f"flags are both given and dropped: {', '.join(both)}")
        return self


ETCDS = ("etcd", "etcd-2", "etcd-3")
"""What the members of Karmada's own etcd are called."""


class KeyPair(Strict):
    """A certificate and its key, as PEM files."""

    cert: File
    key: File


class ExternalEtcd(Strict):
    """An etcd that is there already. It is used, never changed: `remove` leaves what was written below `prefix`."""

    servers: tuple[str, ...] = Field(min_length=1)
    ca: File
    cert: File
    key: File
    prefix: EtcdPrefix = "/registry/karmada"


class EtcdStorage(Strict):
    """The persistent volume of each member of an etcd in pods; without a class, the host cluster's default one."""

    size: VolumeSize = "8Gi"
    storage_class: StorageClass | None = None


class Etcd(Strict):
    """Karmada's own etcd of one or three members, or an external one.

    Where Karmada runs in pods, three members, or `storage`, make it an etcd of the lab's own on persistent volumes; without both it is the
    one that upstream's installer brings.
    """

    members: Literal[1, 3] = 1
    storage: EtcdStorage | None = None
    external: ExternalEtcd | None = None

    @model_validator(mode="after")
    def one_of_both(self) -> Etcd:
        if self.external and self.members != 1:
            raise ValueError("members are of Karmada's own etcd: they cannot be given beside an external one")
        if self.external and self.storage:
            raise ValueError("storage is of Karmada's own etcd: it cannot be given beside an external one")
        return self


class Certificates(Strict):
    """Who signs, for which names besides those the deployer knows, and for how long. etcd's authority is always one of its own."""

    ca: KeyPair | None = None
    hosts: tuple[str, ...] = ()
    """DNS names (with `*.` before one if need be) and IP addresses."""
    days: LifetimeDays = 365


class Addons(Strict):
    """What runs beside the control plane; an estimator is one program for each member.

    Addons of others (deployers/addons/*.toml) are keys like Karmada's own, with a version or `true` for the newest that is pinned:
    `openkruise = "1.8.3"`. They are `others` by name and version from here on.
    """

    descheduler: bool = False
    search: bool = False
    metrics_adapter: bool = False
    estimators: bool = False
    others: dict[str, Version] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def others_by_name(cls, table: Any) -> Any:
        """Collect the keys that name third-party addons. Suggest the closest addon name for an unknown key."""
        if not isinstance(table, dict):
            return table
        given = {name: table[name] for name in addons.names() if name in table}
        for name in table.keys() - cls.model_fields.keys() - given.keys():
            if "did you mean" in (error := addons.unknown_addon(str(name))) and error.endswith(
                tuple(f"{other!r}?" for other in addons.names())
            ):
                raise ValueError(error)
        rest = {name: value for name, value in table.items() if name not in given}
        newest = {name: newest_of(name) if value is True else value for name, value in given.items() if value is not False}
        return {**rest, "others": {**table.get("others", {}), **newest}} if newest else rest

    @field_validator("others")
    @classmethod
    def others_can_be(cls, others: dict[str, str]) -> dict[str, str]:
        try:
            return {name: others[name] for name in addons.order_addons(others)}
        except UsageError as error:
            raise ValueError(f"{error.what}; {error.remedy}" if error.remedy else error.what) from error


def newest_of(name: str) -> str:
    """Return the newest pinned version of an addon of others: the first in deployers/assets.toml."""
    return catalogue().versions(addons.addon(name).parts[0].asset)[0]


class MemberOf(Strict):
    """A member cluster of this Karmada, and who reaches whom."""

    name: Name
    mode: Literal["push", "pull"] = "push"


class ByBinaryTable(Strict):
    """What only by_binary has: `[karmada.by_binary]`.

    `external_name` has the lab run a balancer before all replicas of karmada-apiserver: users reach it by that name. `files` are written
    into the working directory of the programs, so that a flag names one plainly.

    `machines` names the machines of the lab that Karmada runs on, with a balancer on each; none is this computer. `virtual_address` is an
    address that a keepalived of the user's moves among them: balancers listen there, too, and users' kubeconfig names it; without it they
    reach the first machine.
    """

    external_name: str | None = None
    files: dict[FileName, str] = Field(default_factory=dict)
    machines: tuple[Name, ...] = ()
    virtual_address: str | None = None

    @property
    def balanced(self) -> bool:
        """Return whether the lab runs a balancer of its own."""
        return bool(self.external_name or self.machines)


class ByChartTable(Strict):
    """What only by_chart has: `[karmada.by_chart]`. `values` is a file of the chart's values, laid over those that the spec makes."""

    values: File | None = None


class ByKarmadactlTable(Strict):
    """What only by_karmadactl has: `[karmada.by_karmadactl]`. `config_file` uses the file of `karmadactl init --config`, not flags."""

    config_file: bool = False


class ByCommandTable(Strict):
    """What only by_command has: `[karmada.by_command]`. deployers/by_command says what the commands are given, and what they must do.

    `install` and `remove` are argument lists, run in `directory` (no shell); `within` is how long each may take, in seconds.
    """

    install: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    directory: File | None = None
    within: float = Field(default=900.0, gt=0, le=7200)


MOVED = {
    "external_name": "write it into the table [karmada.by_binary]",
    "files": "write them into the table [karmada.by_binary.files]",
    "values": "write it into the table [karmada.by_chart]",
    "config_file": "write it into the table [karmada.by_karmadactl]",
    "offline": "give the option --offline to the command",
}
"""Keys that belong to a table of their own and not to `[karmada]` itself: the table of each."""


class KarmadaSpec(Strict):
    """A control plane and its members. `load_balancer` is host:port of one that is there already, in front of karmada-apiserver.

    `members` is filled from the lab's. What only one deployer has is in a table of its name.
    """

    release: str = "1.18.2"
    deployer: str = "by_binary"
    kubernetes: KubernetesVersion = "1.35.4"
    """Of karmada-apiserver and kube-controller-manager."""
    profile: str = "default"
    etcd: Etcd = Etcd()
    certificates: Certificates = Certificates()
    registry: str | None = None
    """Where images come from in place of upstream's registries: host[:port][/prefix]."""
    load_balancer: str | None = None
    components: dict[str, ComponentSpec] = Field(default_factory=dict)
    addons: Addons = Addons()
    by_binary: ByBinaryTable = ByBinaryTable()
    by_chart: ByChartTable = ByChartTable()
    by_karmadactl: ByKarmadactlTable = ByKarmadactlTable()
    by_command: ByCommandTable = ByCommandTable()
    members: tuple[MemberOf, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def keys_are_in_their_tables(cls, table: Any) -> Any:
        """Refuse keys that belong elsewhere, with the place."""
        if isinstance(table, dict) and (moved := [f"{key} is not a key of this table: {MOVED[key]}" for key in MOVED if key in table]):
            raise ValueError("; ".join(moved))
        return table

    @model_validator(mode="before")
    @classmethod
    def machines_have_instances(cls, table: Any) -> Any:
        """Fill in one instance of each component a machine, and three members of etcd where there are three machines or more."""
        own = table.get("by_binary") if isinstance(table, dict) else None
        count = len(names) if isinstance(own, dict) and isinstance(names := own.get("machines"), list | tuple) else 0
        if count < 2:
            return table
        addons, etcd, components = (table.get(key, {}) for key in ("addons", "etcd", "components"))
        if not all(isinstance(each, dict) for each in (addons, etcd, components)):
            return table
        there = [name for name in ON_EACH_MACHINE if name != "karmada-descheduler" or addons.get("descheduler")]
        given = {name: components.get(name, {}) for name in there}
        filled = {name: {"replicas": min(count, 9), **each} for name, each in given.items() if isinstance(each, dict)}
        members = {"members": 3} if count >= 3 and not etcd.get("external") else {}
        return {**table, "components": {**components, **filled}, "etcd": {**members, **etcd}}

    @field_validator("release")
    @classmethod
    def normalise_release(cls, release: str) -> str:
        if is_path(release):
            return str(expand_home(Path(release)).absolute())
        try:
            return parse_version(release)
        except UsageError as error:
            raise ValueError(f"{error.what}; write 1.18.2, or the path of a checkout with a slash in it") from error

    @field_validator("profile")
    @classmethod
    def profile_known(cls, profile: str) -> str:
        if profile not in profiles():
            raise ValueError(f"unknown profile; choose one of: {', '.join(sorted(profiles()))}")
        return profile

    @field_validator("members")
    @classmethod
    def names_differ(cls, members: tuple[MemberOf, ...]) -> tuple[MemberOf, ...]:
        names = [member.name for member in members]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"members are named twice: {', '.join(twice)}")
        return members

    @model_validator(mode="after")
    def components_are_there(self) -> KarmadaSpec:
        """Refuse settings of a component that this control plane does not have: they could not take effect."""
        absent = {name: f"addons.{key} is not on" for key, name in ADDONS.items() if not getattr(self.addons, key)}
        if self.etcd.external:
            absent["etcd"] = "etcd is external"
        for name, settings in self.components.items():
            if name not in COMPONENTS:
                near = did_you_mean(near_names(name, COMPONENTS)) or f"; one of: {', '.join(COMPONENTS)}"
                raise ValueError(f"unknown component {name!r}{near}")
            if name in absent:
                raise ValueError(f"components.{name} would have no effect: {absent[name]}")
            if name in WITHOUT_GATES and settings.feature_gates:
                raise ValueError(f"{name} has no feature gates")
            if name == "etcd" and settings.replicas != 1:
                raise ValueError("etcd has no replicas; set the number of its members with etcd.members")
        return self

    @model_validator(mode="after")
    def one_balancer(self) -> KarmadaSpec:
        if self.load_balancer and self.by_binary.external_name:
            raise ValueError("load_balancer names one that exists, by_binary.external_name has the lab run one: give one of them")
        return self

    def settings(self, component: str) -> ComponentSpec:
        """Return what the spec changes of a component."""
        return self.components.get(component, ComponentSpec())

    def has(self, component: str) -> bool:
        """Tell whether this control plane runs a component."""
        if component == "etcd":
            return self.etcd.external is None
        return next((getattr(self.addons, key) for key, name in ADDONS.items() if name == component), True)


@cache
def profiles() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the named sets of flags, by profile and component."""
    loaded: dict[str, dict[str, dict[str, str]]] = read_toml(Path(__file__).parent / "profiles.toml", what="the profiles")
    return loaded
