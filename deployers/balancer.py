"""A load balancer of the lab's own before several karmada-apiservers: Debian's haproxy, a program of the lab like any other.

It passes TLS through, so that the certificates are karmada-apiserver's own and hold the external name. Each instance is asked for /readyz
every second, under that very name: one that does not answer, or could not be trusted by those who use the name, gets no more connections,
and those that it has are ended. Components of Karmada go through it as users do, or one instance's end would be theirs.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deployers.layout import LOOPBACK, Layout
from deployers.spec import KarmadaSpec
from lab.component import Component, Health
from lab.run import write_private

NAME = "haproxy"
PORTS = ("https", "health")
TEMPLATES = Environment(  # noqa: S701 (haproxy's words, not HTML: filled in are ports, paths of the run and a name that the spec has checked)
    loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def installed() -> Path | None:
    """Return where haproxy is on this computer. Debian has it where users' PATH does not look."""
    found = shutil.which(NAME, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))
    return Path(found) if found else None


def program() -> Path:
    """Return the program, or where Debian would have it: `check` has said so before anything is started."""
    return installed() or Path("/usr/sbin") / NAME


def haproxy(layout: Layout) -> Component:
    """Return the balancer. It serves while at least one API server behind it does."""
    health = f"http://{LOOPBACK}:{layout.ports[f'{NAME}.health']}"
    return Component(
        name=f"karmada/{NAME}",
        binary=layout.software[NAME],
        flags={},
        words=("-db", "-f", str(configuration(layout))),  # -db: in the foreground
        needs=("karmada/identity", "karmada/karmada-apiserver"),
        ready=(Health(f"{health}/readyz"),),
        ports={use: layout.ports[f"{NAME}.{use}"] for use in PORTS},
    )


def configuration(layout: Layout) -> Path:
    """Where its configuration is or will be."""
    return layout.data / f"{NAME}.cfg"


def configure(spec: KarmadaSpec, layout: Layout) -> None:
    """Write its configuration."""
    servers = {use.removesuffix(".https"): port for use, port in layout.ports.items() if use.startswith("karmada-apiserver")}
    text = TEMPLATES.get_template("haproxy.cfg.j2").render(
        name=spec.external_name,
        ca=layout.ca,
        address=LOOPBACK,
        port=layout.ports[f"{NAME}.https"],
        health=layout.ports[f"{NAME}.health"],
        servers=servers,
    )
    write_private(configuration(layout), f"{text}\n".encode())


def obstacles(spec: KarmadaSpec) -> list[str]:
    """Return what is in the way of several karmada-apiservers, and of a balancer before them."""
    replicas = spec.settings("karmada-apiserver").replicas
    where = "components.karmada-apiserver.replicas"
    if replicas > 1 and spec.load_balancer:
        return [
            f"{where}: the instances have ports that differ from lab to lab, which {spec.load_balancer} cannot know; "
            "give external_name in place of load_balancer, and the lab runs a balancer itself"
        ]
    if replicas > 1 and not spec.external_name:
        return [f"{where}: {replicas} instances, and no address before them; give external_name, the name that users reach them by"]
    if spec.external_name and not installed():
        return ["external_name: haproxy is not installed, which would stand before karmada-apiserver (apt-get install haproxy)"]
    return []
