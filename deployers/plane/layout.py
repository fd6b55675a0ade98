"""The files, ports and programs of a control plane, and the groups of flags with their paths and addresses.

Shared by `components` and `optional`. A Layout touches no file, port or process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deployers.karmada import Karmada
from deployers.names import LOOPBACK, NAME
from deployers.spec import ETCDS, KarmadaSpec
from lab.component import Flags
from lab.machines.placement import Placement, place_run
from lab.pki import Pair
from lab.ports import ports_of
from lab.run import Run

ESTIMATOR_PORT = 10352
"""What the scheduler looks for in an estimator's Service; the program itself listens elsewhere (`targetPort`)."""
MEMBERS = ("karmada", "etcd-members")
"""Where a run keeps which members etcd has, kind and name of the record, while they are neither one nor three."""


@dataclass(frozen=True)
class Layout:
    """Where files, ports and programs are: all that components need to know of the computers that they run on.

    `ports` by use ("karmada-webhook.https"); `software` by component; `members` the kubeconfig of each member by name.
    `etcds` are the members of its own etcd, by name. `audit` are the audit flags of karmada-apiserver. `initial_flags` are the flags by
    which a member of etcd once began, where it did not begin together with the others: without effect since, but a program that is to be
    left alone keeps its arguments.
    """

    pki: Path
    data: Path
    ports: Mapping[str, int]
    software: Mapping[str, Path]
    members: Mapping[str, Path] = field(default_factory=dict)
    audit: Flags = field(default_factory=dict)
    initial_flags: Mapping[str, Flags] = field(default_factory=dict)
    etcds: tuple[str, ...] = ()
    places: tuple[Placement, ...] = ()
    durable: bool = False
    """Whether etcd waits for its disk: machines that can lose their power, and come back with what was written before."""

    def place(self, instance: str) -> Placement | None:
        """Return the machine that an instance of a component runs on; None is this computer."""
        return choose_place(self.places, instance, tuple(self.members))

    def address(self, instance: str) -> str:
        """Return the address that an instance of a component listens on, and is reached by from other machines."""
        place = self.place(instance)
        return place.address if place else LOOPBACK

    def pair(self, name: str) -> Pair:
        return Pair(self.pki / f"{name}.crt", self.pki / f"{name}.key")

    @property
    def ca(self) -> Path:
        return self.pki / "ca.crt"

    def server(self, instance: str = "karmada-apiserver") -> str:
        """Return the address of karmada-apiserver itself, of its first instance unless another is named."""
        return f"https://{self.address(instance)}:{self.ports[f'{instance}.https']}"

    @property
    def entrance(self) -> str:
        """Return the address by which components reach karmada-apiserver: a balancer is on their own machine."""
        return f"https://{LOOPBACK}:{self.ports['haproxy.https']}" if self.places else self.server(self.front)

    @property
    def front(self) -> str:
        """The program by which components and users reach karmada-apiserver: itself, or the lab's own balancer before all of it."""
        return "haproxy" if "haproxy.https" in self.ports else "karmada-apiserver"

    def entry(self, name: str) -> int:
        """Return the port by which karmada-apiserver calls a server: its own, or the lab's own balancer before several of it."""
        return self.ports.get(f"haproxy.{name}", self.ports[f"{name}.https"])

    def reached(self, instance: str = "") -> str:
        """Return the step after which an instance of a component can call karmada-apiserver: the balancer of its machine serves."""
        place = self.place(instance) if instance else None
        number = [each.name for each in self.places].index(place.name) if place else 0
        return f"karmada/{instances(self.front, number + 1)[number]}"


def choose_place(places: Sequence[Placement], instance: str, members: Sequence[str] = ()) -> Placement | None:
    """Return the machine of an instance: the first of a component is on the first, an estimator on that of its member's number."""
    if not places:
        return None
    name = instance.rpartition("/")[2]
    member = name.removeprefix(estimator(""))
    number = members.index(member) if name != member and member in members else instance_number(name) - 1
    return places[number % len(places)]


def instance_number(instance: str) -> int:
    """Return the number of an instance of a component: 1 of the plain name, 2 of NAME-2."""
    number = instance.rpartition("-")[2]
    return int(number) if number.isdigit() else 1


def open_places(run: Run, spec: KarmadaSpec) -> tuple[Placement, ...]:
    """Return the machines that a control plane's programs run on, in the order of the spec; none is this computer."""
    return tuple(place_run(run, name) for name in spec.by_binary.machines)


def reach_addresses(spec: KarmadaSpec, places: Iterable[Placement]) -> tuple[str, ...]:
    """Return the addresses at which a control plane's servers are reached besides loopback."""
    virtual = [spec.by_binary.virtual_address] if spec.by_binary.virtual_address else []
    return (*(place.address for place in places), *virtual)


def etcd_addresses(run: Run, spec: KarmadaSpec, names: Sequence[str], use: str) -> dict[str, str]:
    """Return the URL of each member of Karmada's own etcd by name, for its `use`: client or peer. Ports are reserved if need be."""
    places, ports = open_places(run, spec), ports_of(run, NAME, [f"{name}.{use}" for name in names])
    placed = {name: choose_place(places, name) for name in names}
    return {name: f"https://{place.address if place else LOOPBACK}:{ports[f'{name}.{use}']}" for name, place in placed.items()}


def instances(name: str, count: int) -> list[str]:
    """Return the names of like programs: the first has the plain one, the others end in -2, -3…"""
    return [name, *(f"{name}-{number}" for number in range(2, count + 1))]


def estimator(member: str) -> str:
    """Return the name of a member's estimator; upstream's Service has the same."""
    return f"karmada-scheduler-estimator-{member}"


def etcds_asked(spec: KarmadaSpec) -> list[str]:
    """Return the names of the members of Karmada's own etcd that a spec asks for; none when etcd is external."""
    return [] if spec.etcd.external else list(ETCDS[: spec.etcd.members])


def etcds(karmada: Karmada) -> list[str]:
    """Return the names of the members of Karmada's own etcd: those asked for, but for what `lab etcd` recorded since."""
    asked = etcds_asked(karmada.spec)
    recorded = (karmada.run.recorded(*MEMBERS) or {}).get("names", asked)
    return [name for name in ETCDS if asked and name in recorded]


def record_etcds(karmada: Karmada, names: Collection[str]) -> Karmada:
    """Record etcd's new members, and return the control plane with that spec: of one member or of three."""
    if set(names) == {"etcd"}:
        changed = karmada.asking(with_members(karmada, 1))
        karmada.run.forget(*MEMBERS)
        return changed
    karmada.run.record(*MEMBERS, {"names": [name for name in ETCDS if name in names]})
    changed = karmada.asking(with_members(karmada, 3))
    if set(names) == set(ETCDS):
        karmada.run.forget(*MEMBERS)
    return changed


def with_members(karmada: Karmada, count: int) -> KarmadaSpec:
    """Return the spec with so many members of etcd."""
    return KarmadaSpec.model_validate(
        {**karmada.spec.model_dump(mode="json"), "etcd": {**karmada.spec.etcd.model_dump(mode="json"), "members": count}}
    )


def storage(caller: str, spec: KarmadaSpec, layout: Layout) -> Flags:
    """Return the flags by which an API server reaches etcd, its own or an external one."""
    if external := spec.etcd.external:
        servers, ca, cert, key = ",".join(external.servers), external.ca, external.cert, external.key
        return {
            "etcd-servers": servers,
            "etcd-cafile": str(ca),
            "etcd-certfile": str(cert),
            "etcd-keyfile": str(key),
            "etcd-prefix": external.prefix,
        }
    client = layout.pair(f"{caller}-etcd-client")
    return {
        "etcd-servers": ",".join(f"https://{layout.address(name)}:{layout.ports[f'{name}.client']}" for name in layout.etcds),
        "etcd-cafile": str(layout.pki / "etcd-ca.crt"),
        "etcd-certfile": str(client.cert),
        "etcd-keyfile": str(client.key),
    }


def serving(name: str, layout: Layout, *, instance: str = "", oldest: str | None = "VersionTLS13") -> Flags:
    """Return the flags by which an instance of a component serves over TLS with the component's certificate."""
    pair = layout.pair(name)
    return {
        "bind-address": layout.address(instance or name),
        "secure-port": str(layout.ports[f"{instance or name}.https"]),
        "tls-cert-file": str(pair.cert),
        "tls-private-key-file": str(pair.key),
        "tls-min-version": oldest,
    }


def calling(name: str, layout: Layout, *, delegating: bool = False) -> Flags:
    """Return the flags by which a component calls karmada-apiserver as itself, and asks it who its own callers are."""
    kubeconfig = str(layout.pki / f"{name}.kubeconfig")
    keys = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig") if delegating else ("kubeconfig",)
    return dict.fromkeys(keys, kubeconfig)


def metrics_flags(instance: str, layout: Layout) -> Flags:
    """Return the flags with the addresses of metrics and health; upstream's defaults collide on one computer."""
    address = {use: f"{layout.address(instance)}:{layout.ports[f'{instance}.{use}']}" for use in ("metrics", "health")}
    return {"metrics-bind-address": address["metrics"], "health-probe-bind-address": address["health"]}


def without_audit_files() -> Flags:
    """Return the audit flags that upstream gives its aggregated servers: to stdout, nothing kept."""
    return {"audit-log-path": "-", "audit-log-maxage": "0", "audit-log-maxbackup": "0"}
