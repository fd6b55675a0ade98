"""One machine becomes a node, in steps that each leave alone what is done already."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab.errors import CommandFailed, ProvisionError
from lab.images.load import list_node_images
from lab.images.node import CONFLIST, WRAPPER
from lab.kubeadm import paths, reset
from lab.kubeadm.config import ClusterConfig, NodeAddress, make_discovery, make_init_config, make_join_config, make_network, make_node_texts
from lab.kubeadm.facts import ask_facts
from lab.kubeadm.files import NodeFiles, push_files
from lab.machines.machine import Machine
from lab.wait import NotYet, until

WITHIN = 420.0
"""Seconds for kubeadm: 15 on a quiet computer, minutes in an emulated machine."""
PKI = "/etc/kubernetes/pki"


def prepare_node(machine: Machine, node: NodeAddress, config: ClusterConfig, files: NodeFiles, *, run: str) -> None:
    """Bring everything to a machine, start its containerd and load the images. It is marked as ours before anything is brought."""
    facts = ask_facts(machine)
    control_plane = node in config.control_planes
    write_text(machine, paths.OWNER, json.dumps({"run": run, "cluster": config.name, "forward": read_forwarding(machine)}))
    texts = make_node_texts(config, facts, pause=files.pause)
    if facts.bounded:
        texts[f"{paths.BIN}/runc-within-bounds"] = WRAPPER.read_text()
    key = hashlib.sha256(json.dumps([sorted(texts.items()), files.debian.parent.name]).encode()).hexdigest()
    changed = read_text(machine, paths.PREPARED) != key
    push_files(machine, files, control_plane=control_plane, unpack=changed)
    if changed:
        for path, text in texts.items():
            write_text(machine, path, text, mode="0755" if path.startswith(paths.BIN) else "0644")
        write_base_spec(machine)
        machine.run(["systemctl", "daemon-reload"])
    units = [paths.CONTAINERD, *([paths.BALANCER] if config.balanced else [])]
    machine.run(["systemctl", "enable", "--quiet", *units, paths.KUBELET])
    machine.run(["systemctl", "start", *units], within=120.0)
    machine.run(["sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"])
    write_text(machine, paths.PREPARED, key)
    load_images(machine, files, control_plane=control_plane)


def load_images(machine: Machine, files: NodeFiles, *, control_plane: bool) -> None:
    """Import the archives of which the node lacks an image."""
    have = list_node_images(machine, ctr=paths.CTR)
    for archive in [files.images, *([files.control_plane_images] if control_plane else [])]:
        if any(have.get(image.name) != image.digest for image in archive.images):
            ctr = [paths.CTR, "--namespace=k8s.io", "images", "import", f"{paths.ROOT}/images/{archive.key}.tar"]
            machine.run(ctr, within=WITHIN)


def init_cluster(machine: Machine, config: ClusterConfig) -> None:
    """Make the first control plane, unless it is made; what an interrupted attempt left is removed first. Errors as `run_kubeadm`."""
    if read_text(machine, paths.JOINED):
        return
    reset.undo_kubeadm(machine)
    write_text(machine, f"{paths.ROOT}/init.yaml", make_init_config(config, ask_facts(machine)), mode="0600")
    skip = "preflight,upload-certs,bootstrap-token,show-join-command,kubelet-finalize"
    run_kubeadm(machine, "init", "--config", f"{paths.ROOT}/init.yaml", "--skip-phases", skip)
    write_text(machine, paths.JOINED, "yes")


def open_cluster(machine: Machine, config: ClusterConfig) -> str:
    """Let nodes join by the token of this configuration, and return the kubeconfig by which they find the cluster."""
    listed = run_kubeadm(machine, "token", "list", "--kubeconfig", "/etc/kubernetes/admin.conf")
    write_text(machine, f"{paths.ROOT}/init.yaml", make_init_config(config, ask_facts(machine)), mode="0600")
    if config.token.partition(".")[0] not in listed:
        phase = ["init", "phase", "bootstrap-token", "--config", f"{paths.ROOT}/init.yaml"]
        run_kubeadm(machine, *phase, "--kubeconfig", "/etc/kubernetes/admin.conf", "--skip-token-print")
    if config.balanced:
        key = ["--upload-certs", "--config", f"{paths.ROOT}/init.yaml"]
        run_kubeadm(machine, "init", "phase", "upload-certs", *key)
    return make_discovery(config, (read_text(machine, f"{PKI}/ca.crt") or "").encode())


def join_cluster(machine: Machine, node: NodeAddress, config: ClusterConfig, discovery: str) -> None:
    """Make a machine a node of the cluster, unless it is one; what an interrupted attempt left is removed first.

    `discovery` is what `open_cluster` returned. By the authority in it a node knows whether it is of this cluster or of an earlier one.
    """
    mark = hashlib.sha256(discovery.encode()).hexdigest()
    if read_text(machine, paths.JOINED) == mark:
        return
    reset.undo_kubeadm(machine)
    write_text(machine, f"{paths.ROOT}/discovery.yaml", discovery, mode="0600")
    write_text(machine, f"{paths.ROOT}/join.yaml", make_join_config(config, node, f"{paths.ROOT}/discovery.yaml"), mode="0600")
    run_kubeadm(machine, "join", "--config", f"{paths.ROOT}/join.yaml", "--skip-phases", "preflight")
    write_text(machine, paths.JOINED, mark)


def run_kubeadm(machine: Machine, *args: str) -> str:
    """Run kubeadm and return what it printed. ProvisionError with the first error that it and the kubelet printed."""
    try:
        return machine.run([f"{paths.BIN}/kubeadm", *args], env={"PATH": paths.PATH}, within=WITHIN).stdout
    except CommandFailed as failed:
        lines = failed.output.splitlines()
        first = next((line for line in lines if line.startswith(("error", "[ERROR", "\t[ERROR"))), lines[-1] if lines else "no output")
        raise ProvisionError(
            f"kubeadm {args[0]} on {machine.name} failed: {first.strip()}",
            where=machine.name,
            detail="\n".join(lines[-15:]),
            remedy=f"on {machine.name}: journalctl -u kubelet",
        ) from failed


def give_network(machine: Machine, addresses: IPv4Network, others: dict[IPv4Network, str]) -> None:
    """Write the network of a node's pods, and the way to the pods of each other node: their addresses by that node's.

    ProvisionError when another node is not in a network of this machine.
    """
    write_text(machine, f"{paths.CNI}/net.d/{CONFLIST}", make_network(addresses))
    routes = "".join(f"route replace {pods} via {address}\n" for pods, address in sorted(others.items()))
    if not routes:
        return
    write_text(machine, paths.ROUTES, routes)  # by it a reset finds them
    try:
        machine.run(["ip", "-batch", paths.ROUTES])
    except CommandFailed as failed:
        raise ProvisionError(
            f"connecting the pods of {machine.name} failed: {failed.output.strip().splitlines()[0]}",
            where=machine.name,
            detail=routes,
            remedy="nodes of a cluster must be in one network, without a router between them",
        ) from failed


def wait_pod_addresses(get_node: Any, name: str) -> IPv4Network:
    """Return the addresses that the cluster has given a node for its pods. `get_node` returns the Node object of a name."""

    def check_given() -> IPv4Network:
        if addresses := get_node(name)["spec"].get("podCIDR"):
            return IPv4Network(addresses)
        raise NotYet(f"{name} has no podCIDR")

    return until(check_given, what=f"{name} is given addresses for its pods", within=120.0)


def write_base_spec(machine: Machine) -> None:
    """Write the runtime specification that containers start from: without limits of its own, which not every machine may raise."""
    until(partial(check_ctr, machine), what=f"ctr on {machine.name} answers", within=30.0)
    spec: dict[str, Any] = json.loads(machine.run([paths.CTR, "oci", "spec"]).stdout)
    spec["process"].pop("rlimits", None)
    write_text(machine, f"{paths.ROOT}/cri-base.json", json.dumps(spec))


def check_ctr(machine: Machine) -> None:
    """Return when programs of Debian run on this machine. ProvisionError when a library of theirs is not there."""
    try:
        machine.run([f"{paths.BIN}/containerd", "--version"])
        machine.run([f"{paths.BIN}/runc", "--version"])
    except CommandFailed as failed:
        raise ProvisionError(
            f"running containerd on {machine.name} failed: {failed.output.strip().splitlines()[-1:] or 'no output'}",
            where=machine.name,
            remedy="take a machine with glibc 2.36 and libseccomp2, as Debian 12 has them",
        ) from failed


def read_forwarding(machine: Machine) -> str:
    """Return whether the machine forwarded packets before it was a node: what was written down first holds."""
    try:
        known = json.loads(read_text(machine, paths.OWNER) or "{}")
    except ValueError:
        known = {}
    return str(known.get("forward") or machine.run(["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout.strip())


def write_text(machine: Machine, path: str, text: str, *, mode: str = "0644") -> None:
    """Replace a file of the machine by this text, whole or not at all."""
    script = 'umask 077; mkdir -p -m 0755 "${1%/*}"; cat >"$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1"'
    machine.run(["sh", "-c", script, "sh", path, mode], input=text)


def read_text(machine: Machine, path: str) -> str | None:
    """Return a file of the machine; None when there is none."""
    return machine.run(["sh", "-c", 'test -e "$1" && cat "$1" || exit 0', "sh", path]).stdout or None


def read_admin(machine: Machine) -> bytes:
    """Return the kubeconfig of the cluster's administrator. ProvisionError when kubeadm has made none."""
    if found := read_text(machine, "/etc/kubernetes/admin.conf"):
        return found.encode()
    raise ProvisionError(f"reading the kubeconfig of {machine.name} failed: no such file", where=str(Path("/etc/kubernetes/admin.conf")))
