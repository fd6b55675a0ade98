"""LabSpec: the requested lab, frozen, validated once.

A lab file is TOML: the keys below at the top, and one table for each layer above (`[karmada]`, read by `deployers.spec`).

    provider = "embedded"
    kubernetes = "1.35.4"

    [[members]]
    name = "member1"

    [[members]]
    name = "member2"
    mode = "pull"
    kubernetes = "1.34.4"
    nodes = [{ count = 3, cpu = "8", memory = "32Gi", zone = "b", labels = { disk = "ssd" } }]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from lab.assets.pins import Catalogue
from lab.assets.user_pins import add_user_pins, find_user_pins
from lab.documents import read_toml
from lab.errors import UsageError
from lab.hints import command
from lab.limits.account import expand_home
from lab.near_names import Tables, did_you_mean, near_keys

"""The lab of `make lab-up`."""


@dataclass(frozen=True)
class Shaped:
    """Text of one shape: another one is refused with a message that names the expected one. JSON Schema has the shape as `pattern`."""

    pattern: str
    expected: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        compiled = re.compile(self.pattern)

        def check(text: str) -> str:
            if not compiled.fullmatch(text):
                raise ValueError(f"should be {self.expected}")
            return text

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^({self.pattern})$"}


Name = Annotated[str, Shaped(r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?", "a DNS label: lower-case letters, digits and '-', at most 48")]
"""A cluster's name, short enough for what Karmada derives from it (`karmada-es-<name>`, 63 characters)."""

Quantity = str
"""A Kubernetes resource quantity, as 8, 500m or 32Gi; `lab.rules` checks it."""

Version = Annotated[
    str,
    Shaped(r"(v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)?", "a version, as 1.35.4"),
    AfterValidator(lambda version: version.removeprefix("v")),
]
"""A version, without the v that it may be written with; "" where another's holds."""

KubernetesVersion = Annotated[
    str,
    Shaped(r"(v?[0-9]+\.[0-9]+(\.[0-9]+(-[0-9A-Za-z.-]+)?)?)?", "a version, as 1.35.4, or a minor, as 1.35"),
    AfterValidator(lambda version: complete_minor(version.removeprefix("v"))),
]
"""A version of Kubernetes; a minor alone means the first patch release of it that is pinned."""


def complete_minor(version: str) -> str:
    """Return the pinned patch release of a minor such as 1.35; other text as it is. ValueError when none is pinned."""
    if version.count(".") != 1:
        return version
    pinned = add_user_pins(Catalogue.load(), find_user_pins(), strict=False).versions("kube-apiserver")
    found = next((each for each in pinned if each.startswith(f"{version}.")), None)
    if found is None:
        adding = command("assets", "pin", "kubernetes", f"{version}.PATCH")
        minors = ", ".join(dict.fromkeys(each.rpartition(".")[0] for each in pinned))
        raise ValueError(f"no patch release of it is pinned; there are {minors}, and {adding} adds one")
    return found


MOST_WORKERS = 15
"""Real nodes beside the first: a cluster has addresses for the pods of sixteen (`lab.images.node.cluster_subnet`)."""


MAKES_NONE = "existing"
"""The provider that makes no cluster."""


class Capability(str, Enum):
    """What a provider offers and a deployer or test needs."""

    PODS = "PODS"
    """Containers really run."""
    MACHINES = "MACHINES"
    """Processes can be started on the machines of the lab."""
    HOLLOW = "HOLLOW"
    """Nodes and pods can be simulated by kwok."""


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


PLACES = {"topology.kubernetes.io/zone": "zone", "topology.kubernetes.io/region": "region"}
"""Labels that say where a node is, and the keys of a group that set them."""


class Placed(Strict):
    """Where like nodes are, and what else they are labelled."""

    zone: str = ""
    region: str = ""
    labels: dict[str, str] = Field(default_factory=dict)

    @property
    def all_labels(self) -> dict[str, str]:
        """Return the labels of each of them, those of its place among them."""
        places = {label: getattr(self, key) for label, key in PLACES.items()}
        return {**{label: value for label, value in places.items() if value}, **self.labels}


class Nodes(Placed):
    """A group of like nodes; hollow ones where the provider offers HOLLOW. `name` is that of a group's only node, if it has to have one."""

    count: int = Field(default=1, ge=0, le=10_000)
    name: Name | Literal[""] = ""
    cpu: Quantity = "8"
    memory: Quantity = "32Gi"
    pods: int = Field(default=110, ge=1)

    @model_validator(mode="after")
    def one_has_the_name(self) -> Nodes:
        if self.name and self.count != 1:
            raise ValueError(f"{self.count} nodes cannot all be called {self.name!r}: leave the name out, or count = 1")
        return self


class Workers(Placed):
    """A group of like nodes where containers really run, beside the one that the control plane is on."""

    count: int = Field(default=1, ge=1, le=MOST_WORKERS)


FileName = Annotated[str, Shaped(r"[a-z0-9][a-z0-9._-]{0,60}\.(yaml|json)", "a file's name, ending in .yaml or .json")]
"""A file that flags name: a plain name, since it stands in the working directory of the programs."""


def absolute_path(text: str) -> str:
    """Return a path with the home directory filled in. A relative one is refused: what it is relative to is known to the lab file only."""
    path = expand_home(Path(text))
    if text and not path.is_absolute():
        raise ValueError("should be an absolute path, or ~/…; in a lab file it may be relative to the file's folder")
    return str(path) if text else ""


class ClusterSpec(Strict):
    """One Kubernetes cluster. `nodes` are hollow, `workers` are real.

    One with a `kubeconfig` exists already (lab.existing): it is neither created nor deleted, and `context`, "" the file's current one, says
    which of the file's clusters it is.

    `flags` and `env` are layered over the provider's defaults, by component; null drops a flag.
    `files` are written, before anything starts, into the working directory of the cluster's programs, so that a flag names one plainly
    (`config = "scheduler.yaml"`); `$pki` in their text is the folder of the cluster's kubeconfigs and certificates.
    `machine` names the machine of the lab that its programs run on; "" is this computer.
    `control_planes`: with three, each has an etcd and an API server, and every node reaches them through a balancer of its own.
    """

    name: Name = "host"
    kubernetes: KubernetesVersion = ""
    nodes: tuple[Nodes, ...] = ()
    workers: tuple[Workers, ...] = ()
    flags: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    env: dict[str, dict[str, str]] = Field(default_factory=dict)
    files: dict[FileName, str] = Field(default_factory=dict)
    kubeconfig: Annotated[str, AfterValidator(absolute_path)] = ""
    context: str = ""
    machine: Name | Literal[""] = ""
    control_planes: Literal[1, 3] = 1


class MemberSpec(ClusterSpec):
    """A member cluster, and how it is joined: pushed to, pulling, or not at all.

    Where nodes are processes it has three hollow ones unless `nodes` says otherwise; where they are real, none besides.
    """

    mode: Literal["push", "pull", "none"] = "push"
    nodes: tuple[Nodes, ...] = (Nodes(count=3),)


class MachineHost(Strict):
    """A host that the user has, reached by ssh; see `lab.machines.ssh.host`. `jump` names another host of the list.

    `jump_only`: it is a way to others, and no machine that something is placed on.
    `folder` is the directory there that labs use: /var/lib/karmada-lab with root rights, ~/.karmada-lab of a home below /home without.
    """

    name: Name
    address: str
    port: int = Field(default=22, ge=1, le=65_535)
    user: str = "root"
    key: str = ""
    known_hosts: str = ""
    jump: str = ""
    jump_only: bool = False
    sudo: bool = False
    sudo_password_file: str = ""
    folder: str = ""


class Machines(Strict):
    """The machines of a lab: `count` of a kind that is made here, called machine1, machine2…, or hosts that the user has (kind ssh).

    `inventory` is a file with the hosts, `inventory_command` a command that prints them (lab.inventory); both are read with the lab file.
    `group` selects the hosts of one group of an Ansible inventory.
    """

    kind: Literal["namespace", "container", "vm", "ssh"] = "ssh"
    count: int = Field(default=0, ge=0, le=200)
    hosts: tuple[MachineHost, ...] = ()
    inventory: str = ""
    inventory_command: tuple[str, ...] = ()
    group: str = ""

    @model_validator(mode="after")
    def require_one_source(self) -> Machines:
        """Refuse a table that names no machines, or names them in two ways."""
        given = [key for key in ("count", "hosts", "inventory", "inventory_command") if getattr(self, key)]
        if len(given) != 1:
            raise ValueError(f"give one of count, hosts, inventory and inventory_command (given: {', '.join(given) or 'none'})")
        if (self.kind == "ssh") == bool(self.count):
            raise ValueError(
                "hosts of kind ssh are not made here: list them" if self.count else f"{given[0]} is for kind ssh; of {self.kind} give count"
            )
        if self.group and given[0] not in {"inventory", "inventory_command"}:
            raise ValueError(f"a group is one of an inventory, and {given[0]} is none")
        names = [host.name for host in self.hosts]
        if self.hosts and all(host.jump_only for host in self.hosts):
            raise ValueError("all hosts are jump_only: none is left for the lab")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"hosts are named twice: {', '.join(twice)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the machines; none while an inventory is not read."""
        if self.hosts:
            return tuple(host.name for host in self.hosts if not host.jump_only)
        return tuple(f"machine{number + 1}" for number in range(self.count))


class LabSpec(Strict):
    """A host cluster and its members, and the machines that they may be placed on."""

    provider: str = "embedded"
    kubernetes: KubernetesVersion = "1.35.4"
    host: ClusterSpec = ClusterSpec()
    members: tuple[MemberSpec, ...]
    machines: Machines | None = None

    @model_validator(mode="before")
    @classmethod
    def defaults_reach_clusters(cls, document: Any) -> Any:
        """Give each cluster to be made the lab's Kubernetes version unless it has one, and those with real nodes no hollow ones."""
        if not isinstance(document, dict):
            return document
        document = dict(document)
        version = document.get("kubernetes", cls.model_fields["kubernetes"].default)
        hollow = document.get("provider", "embedded") == "embedded"

        def filled(cluster: Any) -> Any:
            if not isinstance(cluster, dict):
                return cluster
            if cluster.get("kubeconfig"):
                return {"nodes": [], **cluster}
            return {**({} if hollow else {"nodes": []}), **cluster, "kubernetes": cluster.get("kubernetes") or version}

        document["host"] = filled(document.get("host", {}))
        if isinstance(document.get("members"), list | tuple):
            document["members"] = [filled(member) for member in document["members"]]
        return document

    @property
    def has_host(self) -> bool:
        """Return whether there is a host cluster: one of clusters that exist is named, Karmada as programs needs none."""
        return self.provider != MAKES_NONE or bool(self.host.kubeconfig)

    @property
    def clusters(self) -> tuple[ClusterSpec, ...]:
        return (self.host, *self.members) if self.has_host else self.members

    @property
    def made(self) -> tuple[ClusterSpec, ...]:
        """Return the clusters that the provider makes: those that do not exist already."""
        return tuple(cluster for cluster in self.clusters if not cluster.kubeconfig)

    @property
    def machine_names(self) -> tuple[str, ...]:
        """Return the names of the lab's machines."""
        return self.machines.names if self.machines else ()

    @property
    def paths(self) -> tuple[tuple[str, ClusterSpec], ...]:
        """Return each cluster with its key in the lab file."""
        members: list[tuple[str, ClusterSpec]] = [(f"members[{number}]", member) for number, member in enumerate(self.members)]
        return (("host", self.host), *members) if self.has_host else tuple(members)


Model = TypeVar("Model", bound=BaseModel)


def read(path: Path, *, what: str = "the lab file") -> dict[str, Any]:
    """Parse a TOML file. UsageError says which file and line is wrong."""
    if not path.exists():
        raise UsageError(f"reading {path} failed: no such file", remedy="name a TOML file, or leave --spec out for the default lab")
    return read_toml(path, what=what)


def parse(model: type[Model], document: Any, *, source: str, prefix: str = "", tables: Tables | None = None) -> Model:
    """Validate a document. UsageError names every wrong key, what is expected, and a near name if there is one.

    `tables` are the models of the whole file by table name ("" the top): they find keys that are in the wrong table.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        lines = [explain(issue, tables or {prefix.rstrip("."): model}, prefix=prefix) for issue in error.errors()]
        raise UsageError(f"{source} is not a valid {model.__name__}", detail="\n".join(lines), remedy="fix the keys above") from error


def explain(issue: Any, tables: Tables, *, prefix: str = "") -> str:
    """Return one line for one of pydantic's issues: key, what is wrong, and the nearest key that exists."""
    where = (prefix + re.sub(r"\.(\d+)", r"[\1]", ".".join(str(part) for part in issue["loc"]))).rstrip(".")
    if issue["type"] == "extra_forbidden":
        return f"{where}: unknown key{did_you_mean(near_keys((*filter(None, prefix.split('.')), *issue['loc']), tables))}"
    message = issue["msg"].removeprefix("Value error, ")
    given = issue.get("input")
    shown = "" if isinstance(given, dict | list | tuple) or issue["type"] == "missing" else f" (given: {given!r})"
    return f"{where}: {message}{shown}" if where else message
