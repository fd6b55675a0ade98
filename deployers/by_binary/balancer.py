"""A load balancer of the lab's own before several of a server: Debian's haproxy, a program of the lab like any other.

It passes TLS through, so that the certificates are karmada-apiserver's own and hold the external name. Each instance is asked for /readyz
every second, under that very name: one that does not answer, or could not be trusted by those who use the name, gets no more connections,
and those that it has are ended. Components of Karmada go through it as users do, or one instance's end would be theirs. In the same way
karmada-apiserver reaches webhooks and the aggregated API server through it where there are several, each at a port of its own.
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
from lab.run import write_private
from lab.wait import until

NAME = "haproxy"
PORTS = ("https", "health")
BEHIND = {"karmada-webhook": "/readyz/", "karmada-aggregated-apiserver": "/readyz"}
"""The servers that karmada-apiserver calls, and the health endpoint of each."""
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


def ports(spec: KarmadaSpec) -> list[str]:
    """Return the ports that it needs, by use: none without a name to stand under."""
    behind = (name for name in BEHIND if spec.settings(name).replicas > 1)
    return [f"{NAME}.{use}" for use in (*PORTS, *behind)] if spec.by_binary.external_name else []


def haproxy(layout: Layout) -> Component:
    """Return the balancer. It serves while at least one API server behind it does."""
    health = f"http://{LOOPBACK}:{layout.ports[f'{NAME}.health']}"
    return Component(
        name=f"karmada/{NAME}",
        binary=layout.software[NAME],
        flags={},
        args=("-db", "-f", str(configuration(layout))),  # -db: in the foreground
        needs=("karmada/identity", "karmada/karmada-apiserver"),
        ready=(Health(f"{health}/readyz"),),
        ports={use.removeprefix(f"{NAME}."): port for use, port in layout.ports.items() if use.startswith(f"{NAME}.")},
    )


def configuration(layout: Layout) -> Path:
    """Where its configuration is or will be."""
    return layout.data / f"{NAME}.cfg"


def configure(spec: KarmadaSpec, layout: Layout) -> None:
    """Write its configuration."""
    front = {"name": "karmada-apiserver", "port": layout.ports[f"{NAME}.https"], "host": spec.by_binary.external_name, "path": "/readyz"}
    behind = [
        {"name": name, "port": layout.ports[f"{NAME}.{name}"], "host": LOCAL[0], "path": path}
        for name, path in BEHIND.items()
        if f"{NAME}.{name}" in layout.ports
    ]
    services = [{**each, "servers": servers(str(each["name"]), spec, layout)} for each in (front, *behind)]
    text = TEMPLATES.get_template("haproxy.cfg.j2").render(
        services=services, ca=layout.ca, address=LOOPBACK, health=layout.ports[f"{NAME}.health"]
    )
    write_private(configuration(layout), f"{text}\n".encode())


def servers(name: str, spec: KarmadaSpec, layout: Layout) -> dict[str, int]:
    """Return the port of each instance of a component."""
    return {instance: layout.ports[f"{instance}.https"] for instance in instances(name, spec.settings(name).replicas)}


def wait_serving(layout: Layout, name: str) -> None:
    """Wait until the balancer sees a healthy instance of a server; return at once for a server without a balancer."""
    if f"{NAME}.{name}" in layout.ports:
        asked = HealthProbe(Health(f"https://{LOOPBACK}:{layout.entry(name)}{BEHIND[name]}", layout.ca))
        until(asked.ask, what=f"{NAME} leads to {name}", within=30.0)


def replica_errors(spec: KarmadaSpec) -> list[str]:
    """Return the preflight errors of replicated servers and their balancer."""
    several = [name for name in BEHIND if spec.settings(name).replicas > 1]
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
    if spec.by_binary.external_name and not find_haproxy():
        return [
            "karmada.by_binary.external_name: haproxy is not installed, which stands before karmada-apiserver (apt-get install haproxy)"
        ]
    return []
