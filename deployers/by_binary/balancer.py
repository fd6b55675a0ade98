"""A load balancer of the lab's own before several of a server: Debian's haproxy, a program of the lab like any other.

It passes TLS through, so that the certificates are karmada-apiserver's own and hold the external name. Each instance is asked for /readyz
every second, under that very name: one that does not answer, or could not be trusted by those who use the name, gets no more connections,
and those that it has are ended. Components of Karmada go through it as users do, or one instance's end would be theirs. In the same way
karmada-apiserver reaches webhooks and the aggregated API server through it where there are several, each at a port of its own.

Where Karmada runs on machines, each has a balancer before the servers of all: on loopback for the components of that machine, with the same
ports everywhere, so that one URL of a webhook is right on every machine; and at the machine's address for users.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deployers.names import LOOPBACK
from deployers.plane.certificates import LOCAL
from deployers.plane.layout import Layout, instances
from deployers.spec import KarmadaSpec
from lab.component import Component, Health, HealthProbe
from lab.machines.portable import portable_argv
from lab.run import write_private
from lab.wait import until

NAME = "haproxy"
PORTS = ("https", "health")
BEHIND = {"karmada-webhook": "/readyz/", "karmada-aggregated-apiserver": "/readyz"}
"""The servers that karmada-apiserver calls and that can have several instances, and the health endpoint of each."""
SINGLE = {"karmada-search": "/readyz", "karmada-metrics-adapter": "/readyz"}
"""The servers that karmada-apiserver calls and that have one instance: on machines, a balancer leads to the machine that it is on."""
TEMPLATES = Environment(  # noqa: S701 (haproxy's configuration, not HTML; values are ports, paths of the run and a validated name)
    loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def find_haproxy() -> Path | None:
    """Return where haproxy is on this computer. Debian has it where users' PATH does not look."""
    found = shutil.which(NAME, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))
    return Path(found) if found else None


def program() -> Path:
    """Return the path of haproxy, or Debian's default if it is missing: `check` reports that before anything is started."""
    return find_haproxy() or Path("/usr/sbin") / NAME


def balancers(spec: KarmadaSpec) -> list[str]:
    """Return the names of the balancers: one on each machine, one on this computer, or none."""
    return instances(NAME, len(spec.by_binary.machines) or 1) if spec.by_binary.balanced else []


def list_behind(spec: KarmadaSpec) -> dict[str, str]:
    """Return the servers besides karmada-apiserver that stand behind a balancer, with their health endpoints."""
    if spec.by_binary.machines:
        return {name: path for name, path in {**BEHIND, **SINGLE}.items() if spec.has(name)}
    return {name: path for name, path in BEHIND.items() if spec.settings(name).replicas > 1}


def ports(spec: KarmadaSpec) -> list[str]:
    """Return the ports that each balancer needs, by use: none where there is no balancer."""
    return [f"{NAME}.{use}" for use in (*PORTS, *list_behind(spec))] if spec.by_binary.balanced else []


def haproxy(instance: str, layout: Layout) -> Component:
    """Return a balancer. It serves while at least one API server behind it does."""
    health = f"http://{layout.address(instance)}:{layout.ports[f'{NAME}.health']}"
    binary, first = portable_argv(layout.software[NAME]) if layout.places else (layout.software[NAME], ())
    return Component(
        name=f"karmada/{instance}",
        kind=NAME,
        binary=binary,
        flags={},
        args=(*first, "-db", "-f", str(configuration(instance, layout))),  # -db: in the foreground
        needs=("karmada/identity", "karmada/karmada-apiserver"),
        ready=(Health(f"{health}/readyz"),),
        ports={use.removeprefix(f"{NAME}."): port for use, port in layout.ports.items() if use.startswith(f"{NAME}.")},
    )


def configuration(instance: str, layout: Layout) -> Path:
    """Return where a balancer's configuration is or will be, on this computer."""
    return layout.data / f"{instance}.cfg"


def configure(spec: KarmadaSpec, layout: Layout) -> None:
    """Write the configuration of each balancer."""
    for instance in balancers(spec):
        place = layout.place(instance)
        text = TEMPLATES.get_template("haproxy.cfg.j2").render(
            services=list_services(spec, layout, instance),
            ca=place.path(layout.ca) if place else layout.ca,
            address=layout.address(instance),
            health=layout.ports[f"{NAME}.health"],
        )
        write_private(configuration(instance, layout), f"{text}\n".encode())


def list_services(spec: KarmadaSpec, layout: Layout, instance: str) -> list[dict[str, object]]:
    """Return what a balancer's template lists: of each service where it listens, how servers are checked, and the servers."""
    addresses = [LOOPBACK, layout.address(instance)] if layout.places else [LOOPBACK]
    front = {
        "name": "karmada-apiserver",
        "binds": [f"{address}:{layout.ports[f'{NAME}.https']}" for address in addresses],
        "host": spec.by_binary.external_name or LOCAL[0],
        "path": "/readyz",
    }
    if virtual := spec.by_binary.virtual_address:
        front["binds"] = [*front["binds"], f"{virtual}:{layout.ports[f'{NAME}.https']} transparent"]
    behind = [
        {"name": name, "binds": [f"{LOOPBACK}:{layout.ports[f'{NAME}.{name}']}"], "host": LOCAL[0], "path": path}
        for name, path in list_behind(spec).items()
    ]
    return [{**each, "servers": list_servers(str(each["name"]), spec, layout)} for each in (front, *behind)]


def list_servers(name: str, spec: KarmadaSpec, layout: Layout) -> dict[str, str]:
    """Return the host and port of each instance of a component."""
    names = instances(name, spec.settings(name).replicas)
    return {instance: f"{layout.address(instance)}:{layout.ports[f'{instance}.https']}" for instance in names}


def wait_serving(layout: Layout, name: str) -> None:
    """Wait until the balancer sees a healthy instance of a server; return at once for a server without a balancer."""
    if f"{NAME}.{name}" in layout.ports and not layout.places:  # on machines it listens on their loopback
        asked = HealthProbe(Health(f"https://{LOOPBACK}:{layout.entry(name)}{BEHIND[name]}", layout.ca))
        until(asked.ask, what=f"{NAME} leads to {name}", within=30.0)


def replica_errors(spec: KarmadaSpec) -> list[str]:
    """Return the preflight errors of replicated servers and their balancer."""
    several = [name for name in BEHIND if spec.settings(name).replicas > 1]
    if spec.by_binary.machines:
        return []
    if several and not spec.by_binary.external_name:
        return [
            f"components.{name}.replicas: several need by_binary.external_name: the lab then runs a balancer before them"
            for name in several
        ]
    replicas = spec.settings("karmada-apiserver").replicas
    where = "components.karmada-apiserver.replicas"
    if replicas > 1 and spec.load_balancer:
        return [
            f"{where}: the instances have ports that differ from lab to lab, which {spec.load_balancer} cannot know; "
            "give by_binary.external_name in place of load_balancer, and the lab runs a balancer itself"
        ]
    if replicas > 1 and not spec.by_binary.external_name:
        return [
            f"{where}: {replicas} instances, and no address before them; give by_binary.external_name, the name that users reach them by"
        ]
    return []


def haproxy_errors(spec: KarmadaSpec) -> list[str]:
    """Return an error if the lab needs the balancer and it is not installed on this computer."""
    if spec.by_binary.balanced and not find_haproxy():
        key = "machines" if spec.by_binary.machines else "external_name"
        return [f"karmada.by_binary.{key}: haproxy is not installed, which stands before karmada-apiserver (apt-get install haproxy)"]
    return []
