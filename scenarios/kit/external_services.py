"""The external services that specs in deployers/examples/ refer to: an etcd with TLS, a certificate authority, a load balancer.

    python -m scenarios.kit.external_services                 start them, as a lab `surroundings` without clusters
    lab up --lab mine --spec deployers/examples/everything-by_yaml.toml
    lab down --lab surroundings

They listen on this computer's address in Docker's bridge network, so that pods reach them. The load balancer is haproxy; it forwards to
the kind node that serves karmada-apiserver, so only one such lab can run at a time.
"""

from __future__ import annotations

import ipaddress
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from deployers.by_binary import balancer
from deployers.by_yaml import installation
from deployers.pods.host import NODE_PORT
from deployers.release import make_supply
from lab import component
from lab.component import Component, Health
from lab.errors import LabError, NotPossible
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.pki import Authority
from lab.run import Run, runs_root, write_private
from lab.spec import LabSpec
from lab.steps import execute
from lab.supervisor.client import Supervisor
from lab.terminal.text import say

NAME = "surroundings"
ETCD = "3.6.5"
CLIENTS, METRICS, HEALTH = 12379, 12381, 12444
"""Ports of etcd's clients, of its metrics and of haproxy's health check; the last two on loopback."""
LOOPBACK = "127.0.0.1"


def find_bridge(engine: Machine, network: str) -> tuple[str, ipaddress.IPv4Network] | None:
    """Return this computer's address in one of Docker's networks, and the subnet; None if the network does not exist."""
    listed = engine.run(["docker", "network", "ls", "--format", "{{.Name}}"]).stdout.split()
    if network not in listed:
        return None
    found = json.loads(engine.run(["docker", "network", "inspect", network]).stdout)[0]["IPAM"]["Config"]
    config = next(each for each in found if ":" not in each["Subnet"])
    subnet = ipaddress.IPv4Network(config["Subnet"])
    return str(config.get("Gateway") or next(subnet.hosts())), subnet


def write_authorities(run: Run, address: str) -> None:
    """Write a CA for Karmada, and a CA for etcd with a server and a client certificate. Keep existing files."""
    Authority.ensure(run.folder("pki", "own"), "ca", common_name="an external authority")
    etcd = Authority.ensure(run.folder("pki", "etcd"), "ca", common_name="etcd's authority")
    etcd.issue("server", common_name="etcd", hosts=(address, LOOPBACK))
    etcd.issue("client", common_name="karmada")


def etcd_component(run: Run, binary: Path, address: str) -> Component:
    """Return an etcd that accepts only clients with a certificate of its CA."""
    pki = run.path / "pki" / "etcd"
    clients = f"https://{address}:{CLIENTS}"
    flags = {
        "data-dir": str(run.folder("data", "etcd")),
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": "unix://peer.sock:0",
        "listen-metrics-urls": f"http://{LOOPBACK}:{METRICS}",
        "cert-file": str(pki / "server.crt"),
        "key-file": str(pki / "server.key"),
        "trusted-ca-file": str(pki / "ca.crt"),
        "client-cert-auth": "true",
    }
    ready = (Health(f"http://{LOOPBACK}:{METRICS}/health"),)
    return Component("surroundings/etcd", binary, flags, ready=ready, ports={"clients": CLIENTS, "metrics": METRICS})


def haproxy_component(run: Run, address: str, nodes: Sequence[str]) -> Component:
    """Return a load balancer that forwards to those of these addresses that accept connections at a port of karmada-apiserver."""
    lines = [
        "defaults",
        "    timeout connect 3s",
        "    timeout client 1h",
        "    timeout server 1h",
        "frontend health",
        "    mode http",
        f"    bind {LOOPBACK}:{HEALTH}",
        "    monitor-uri /readyz",
        "frontend karmada",
        "    mode tcp",
        f"    bind {address}:{NODE_PORT}",
        "    default_backend nodes",
        "backend nodes",
        "    mode tcp",
        "    default-server check inter 1s fall 1 rise 1 on-marked-down shutdown-sessions",
        *(f"    server {node}-{port} {node}:{port}" for node in nodes for port in (NODE_PORT, installation.PORT)),
    ]
    config = run.folder("data", balancer.NAME) / "haproxy.cfg"
    write_private(config, ("\n".join(lines) + "\n").encode())
    ready = (Health(f"http://{LOOPBACK}:{HEALTH}/readyz"),)
    ports = {"https": NODE_PORT, "health": HEALTH}
    return Component(f"surroundings/{balancer.NAME}", balancer.program(), {}, args=("-db", "-f", str(config)), ready=ready, ports=ports)


def start_services() -> Run:
    """Start all services; `lab down --lab surroundings` stops them. Leave running ones alone. NotPossible without Docker or haproxy."""
    if not balancer.find_haproxy():
        raise NotPossible("haproxy is not installed", remedy="apt-get install haproxy")
    asked = {"lab": LabSpec(members=()).model_dump(mode="json"), "karmada": None}
    run = Run.load(NAME) if (runs_root() / NAME / "run.json").exists() else Run.create(NAME, asked)
    engine = Local(run.path)
    here = find_bridge(engine, "bridge")
    if here is None:
        raise NotPossible("Docker has no network `bridge`, on which pods reach this computer", remedy="start Docker with its bridge")
    of_kind = find_bridge(engine, "kind")
    # The first nodes of a network have its first addresses; before kind has made it, it is the one after Docker's own.
    hosts = (of_kind[1] if of_kind else ipaddress.IPv4Network("172.18.0.0/16")).hosts()
    nodes = [str(each) for _, each in zip(range(24), hosts, strict=False)][1:]
    write_authorities(run, here[0])
    (binary,) = make_supply().resolve([f"etcd@{ETCD}"]).values()
    supervisor = Supervisor(run.path)
    hold = supervisor.hold(NAME)
    try:
        execute(component.make_steps([etcd_component(run, binary, here[0]), haproxy_component(run, here[0], nodes)], run), run)
    except BaseException:
        hold.release()
        raise
    hold.release(keep=True)
    say(f"etcd at https://{here[0]}:{CLIENTS}, a load balancer at {here[0]}:{NODE_PORT}, certificates in {run.path / 'pki'}")
    return run


if __name__ == "__main__":
    try:
        start_services()
    except LabError as error:
        say(str(error))
        sys.exit(error.exit_code)
