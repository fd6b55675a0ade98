"""Build the image of a kind node for a Kubernetes version from pinned assets, where no registry serves `kindest/node`.

Two layers of work. The system is an image like any other (`lab.images.archive`): Debian packages with systemd and containerd, the files
that kind ships for its base image, kubelet, kubeadm and kubectl. Then the images that kubeadm asks for are imported and unpacked by the
containerd of such a container, their layers are put where all nodes share them (`apart.sh`), and the container is committed. It is named
for the key of what it makes, so that one that was left is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from lab.assets.cache import Cache
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.errors import CommandFailed, ProvisionError
from lab.images import applications, kubernetes
from lab.images.image import Image, ImageFile, Packages
from lab.images.load import CTR
from lab.images.official import missing_software
from lab.images.store import Archive, make_archive
from lab.machines.container import Container
from lab.machines.machine import Machine
from lab.wait import NotYet, until

SCHEMA = 2
REPOSITORY = "docker.io/karmada-lab/node"
WRAPPER = Path(__file__).parent.parent / "docker" / "runc-within-bounds"
APART = Path(__file__).with_name("apart.sh")
UNPACKED = "/kind/unpacked"
"""Where containerd keeps all it has while the image is made: a volume, since it unpacks by overlays, which are not made on an overlay."""
ARCHIVES = "/kind/archives"
"""Where the archives of this computer's cache are mounted in a node."""
PATCHES = "/kind/patches"
"""What kubeadm changes of the pods that it makes."""
COLLECTS = {"GOGC": "400"}
"""Less collecting of garbage in what computes most while a cluster starts: a fifth less of a processor for 50 MiB more."""
PACKAGES = Packages(
    names=(
        *("systemd", "mount", "procps", "kmod", "bash", "ca-certificates", "curl", "jq", "pigz"),
        *("conntrack", "iptables", "nftables", "iproute2", "ethtool"),
        *("containerd", "runc", "containernetworking-plugins"),
    ),
    installed=True,
    without=(
        # As kind's own base image: units that are of no use in a container, or that would touch the computer around it.
        *(
            "etc/systemd/system/*.wants/*",
            "usr/lib/systemd/system/multi-user.target.wants/*",
            "usr/lib/systemd/system/basic.target.wants/*",
        ),
        *("usr/lib/systemd/system/local-fs.target.wants/*", "usr/lib/systemd/system/sockets.target.wants/*udev*"),
        *("usr/lib/systemd/system/sockets.target.wants/*initctl*",),
        "usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
        # What nothing in a node runs.
        *("usr/lib/x86_64-linux-gnu/perl/*", "usr/share/perl/*", "usr/bin/containerd-shim", "usr/bin/containerd-shim-runc-v1"),
        *(
            f"usr/lib/cni/{plugin}"
            for plugin in ("dhcp", "firewall", "macvlan", "vlan", "ipvlan", "bandwidth", "host-device", "vrf", "sbr")
        ),
        *("usr/share/zoneinfo/*", "usr/share/bash-completion/*", "usr/lib/udev/hwdb.d/*", "usr/share/gdb/*"),
    ),
)
NETWORKS, CONFLIST = "/etc/cni/net.d", "10-karmada-lab.conflist"
"""Where containerd looks for the network of pods, and the file that says it."""
SERVICES = "10.96.0.0/16"
"""Addresses of Services, kind's default."""
FENCE = f"""# A node refuses what is for a Service and is not led to a pod.
#
# kube-proxy knows a new Service some seconds after it is there, longer on a busy computer. Until then a connection to its address
# leaves the node, for whatever answers on this computer's network: a gateway's 404 was taken for the Service's own, over a
# connection that was kept for good. Packets that kube-proxy does lead have another destination when these rules see them.
[Unit]
Description=What is for a Service does not leave the node
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=iptables --wait --insert FORWARD --destination {SERVICES} --jump REJECT
ExecStart=iptables --wait --insert OUTPUT --destination {SERVICES} --jump REJECT
"""


def cluster_subnet(number: int) -> IPv4Network:
    """Return the pods' addresses of a lab's cluster of that number: others than those of every other, so that they may reach each other.

    There are such for 512 clusters, of sixteen nodes each at most.
    """
    return IPv4Network((int(IPv4Address("10.224.0.0")) + number * 16 * 256, 20))


def first_node_subnet(addresses: IPv4Network) -> IPv4Network:
    """Return those of a cluster's addresses that its first node has: Kubernetes hands them out by 256, in the order in which nodes come."""
    return next(addresses.subnets(new_prefix=24))


def make_cni_config(addresses: IPv4Network) -> dict[str, Any]:
    """Return the CNI configuration of a node with this pod subnet. It is static, so that no daemon has to assign subnets."""
    return {
        "cniVersion": "0.4.0",
        "name": "karmada-lab",
        "plugins": [
            # Routed, not bridged: on a bridge an answer to a pod next door would miss the translation of its Service's address.
            {
                "type": "ptp",
                "ipMasq": True,
                "mtu": 1500,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": str(addresses)}]], "routes": [{"dst": "0.0.0.0/0"}]},
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


STORAGE = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "kubernetes.io/host-path",  # of kube-controller-manager, which kind starts with --enable-hostpath-provisioner
}


@dataclass(frozen=True)
class NodeRecipe:
    """What a node image of one Kubernetes version is made of. `bounded`: this computer's bounding set lacks CAP_SYS_RESOURCE."""

    version: str
    bounded: bool

    def contents(self, kubeadm_lists: Sequence[str]) -> list[Image]:
        """Return the images that are in it: what kubeadm asks for, and the test applications, which every node is to have."""
        return [*kubernetes.list_kubeadm_images(kubeadm_lists, self.version), *applications.ALL]

    def system(self, kind_files: Path, *, pause: str) -> Image:
        """Return the image of the system, without images in it. `kind_files` is the asset of that name."""
        own = [
            ImageFile("/usr/local/bin/containerd", link="/usr/bin/containerd"),
            ImageFile("/usr/local/bin/ctr", link="/usr/bin/ctr"),
            ImageFile("/opt/cni/bin", link="/usr/lib/cni"),
            ImageFile("/usr/sbin/init", link="/usr/lib/systemd/systemd"),
            *(self.unit(name) for name in ("kubelet", "containerd", "undo-mount-hacks", "fence")),
            ImageFile("/etc/systemd/system/fence.service", content=FENCE.encode(), mode=0o644),
            ImageFile("/etc/systemd/system/systemd-binfmt.service", link="/dev/null"),  # it would register things with the kernel
            ImageFile("/etc/systemd/journald.conf.d/kind.conf", content=b"[Journal]\nReadKMsg=no\n", mode=0o644),
            ImageFile("/etc/kubernetes/manifests"),
            ImageFile(
                f"{NETWORKS}/{CONFLIST}",
                content=json.dumps(make_cni_config(first_node_subnet(cluster_subnet(0))), indent=1).encode(),
                mode=0o644,
            ),
            ImageFile("/kind/version", content=f"v{self.version}".encode(), mode=0o644),
            ImageFile("/kind/manifests/default-storage.yaml", content=json.dumps(STORAGE).encode(), mode=0o644),
            ImageFile("/kind/manifests/default-cni.yaml", content=b"", mode=0o644),
            *(self.patch(name, {"containers": [make_env_patch(name, COLLECTS)]}) for name in ("kube-apiserver", "kube-controller-manager")),
            self.patch("corednsdeployment", {"replicas": 1}),
        ]
        if self.bounded:
            own.append(ImageFile("/usr/local/sbin/karmada-lab-runc", content=WRAPPER.read_bytes()))
        programs = [ImageFile(f"/usr/bin/{name}", asset=f"{name}@{self.version}") for name in ("kubelet", "kubeadm", "kubectl")]
        return Image(
            f"{REPOSITORY}:system",
            (*programs, *own, *self.of_kind(kind_files, pause=pause)),
            entrypoint=("/usr/local/bin/entrypoint", "/usr/sbin/init"),
            env={"container": "docker"},
            stop_signal="SIGRTMIN+3",
            packages=PACKAGES,
        )

    def patch(self, target: str, spec: Mapping[str, Any]) -> ImageFile:
        """Return a patch that kubeadm applies to what it makes, by kubeadm's name of it."""
        return ImageFile(f"{PATCHES}/{target}+strategic.json", content=json.dumps({"spec": spec}).encode(), mode=0o644)

    def unit(self, name: str) -> ImageFile:
        """Return the link that has systemd start a unit."""
        return ImageFile(f"/etc/systemd/system/multi-user.target.wants/{name}.service", link=f"/etc/systemd/system/{name}.service")

    def of_kind(self, folder: Path, *, pause: str) -> list[ImageFile]:
        """Return the files that kind ships, with what a computer without CAP_SYS_RESOURCE cannot do taken out of two of them."""
        files = []
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            where, content = f"/{path.relative_to(folder)}", path.read_bytes()
            if where == "/etc/containerd/config.toml":
                content = self.containerd(content.decode(), pause=pause).encode()
            if where == "/etc/systemd/system/containerd.service" and self.bounded:
                content = "".join(line for line in content.decode().splitlines(keepends=True) if not needs_sys_resource(line)).encode()
            script = where.startswith(("/usr/local/bin/", "/kind/bin/"))
            files.append(ImageFile(where, content=content, mode=0o755 if script else 0o644))
        return files

    def containerd(self, text: str, *, pause: str) -> str:
        """Return containerd's configuration for this version's pause image and, where need be, the runtime within bounds."""
        lines = []
        for line in text.splitlines():
            if line.strip().startswith("sandbox_image ="):
                line = f'  sandbox_image = "{pause}"'  # noqa: PLW2901
            if self.bounded and line.strip() == "restrict_oom_score_adj = false":
                line = "  restrict_oom_score_adj = true"  # noqa: PLW2901
            lines.append(line)
            if self.bounded and line.strip() == "SystemdCgroup = true":
                lines.append('    BinaryName = "/usr/local/sbin/karmada-lab-runc"')
        return "\n".join(lines) + "\n"


def make_env_patch(container: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Return a container of a patch that has these variables besides its own."""
    return {"name": container, "env": [{"name": name, "value": value} for name, value in env.items()]}


def needs_sys_resource(line: str) -> bool:
    """Does this line of a unit raise a limit or lower a score, which takes CAP_SYS_RESOURCE?"""
    return line.startswith(("Limit", "OOMScoreAdjust"))


def list_contents(version: str) -> list[Image]:
    """Return the images in a node image, with tags that only kubeadm of that version knows left open."""
    names = [f"registry.k8s.io/{name}" for name in ("etcd:x", "pause:x", "coredns/coredns:x")]
    components = [f"registry.k8s.io/{name}:x" for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")]
    found = kubernetes.list_kubeadm_images([*names, *components], version)
    return [replace(image, official="") if image.name.endswith(":x") else image for image in found]


def list_software(version: str) -> list[str]:
    """Return the assets of a node image."""
    return [*missing_software(list_contents(version)), *(f"{name}@{version}" for name in ("kubelet", "kubeadm", "kubectl")), "kind-files"]


def build_node_image(
    engine: Machine, version: str, paths: Mapping[str, Path], *, bounded: bool, cache: Cache | None = None, progress: Sink = ignore_progress
) -> str:
    """Return the name of the node image of a version in the engine, built now if it is not there. `paths` are the assets `needs` names."""
    cache = cache or Cache()
    node = NodeRecipe(version, bounded)
    asked = engine.run([str(paths[f"kubeadm@{version}"]), "config", "images", "list", "--kubernetes-version", f"v{version}"])
    listed = [line for line in asked.stdout.split() if "/" in line]
    pause = next(name for name in listed if "/pause:" in name)
    inside = make_archive(node.contents(listed), paths, cache=cache, progress=progress)
    system = make_archive([node.system(paths["kind-files"], pause=pause)], paths, cache=cache, progress=progress)
    key = hashlib.sha256(f"{SCHEMA} {system.key} {inside.key} {APART.read_text()}".encode()).hexdigest()[:12]
    name = f"{REPOSITORY.removeprefix('docker.io/')}:v{version}-{key}"
    if has_image(engine, name):
        return name
    # One at a time on a computer: what the engine calls `system` must be ours from its loading to the container's start.
    with cache.working("node-image", subject=f"node image v{version}", progress=progress):
        if not has_image(engine, name):
            progress(AssetProgress("packing", f"node image v{version}"))
            commit_image(engine, name, system, inside, container=f"karmada-lab-build.{key}", cache=cache)
    return name


def has_image(engine: Machine, name: str) -> bool:
    """Does the engine have an image of this name?"""
    return bool(engine.run(["docker", "image", "ls", "--quiet", name]).stdout.strip())


def commit_image(engine: Machine, name: str, system: Archive, inside: Archive, *, container: str, cache: Cache) -> None:
    """Make the image `name`: the system, with images imported by its own containerd."""
    engine.run(["docker", "load", "--quiet", "--input", str(system.path)], within=300.0)
    engine.run(["docker", "rm", "--force", "--volumes", container])
    mount = f"{cache.root / 'images'}:{ARCHIVES}:ro"
    options = ["--detach", "--name", container, "--network", "none", "--privileged", "--volume", mount, "--volume", UNPACKED]
    start = ["docker", "run", *options, "--entrypoint", "sleep", f"{REPOSITORY.removeprefix('docker.io/')}:system", "infinity"]
    node = Container(container, engine)
    try:
        engine.run(start, within=120.0)
        write_base_spec(node)
        engine.run(["docker", "exec", "--detach", container, "containerd", "--root", UNPACKED])
        until(lambda: check_containerd(node), what="containerd in the node image answers", within=60.0)
        node.run([*CTR, "import", f"{ARCHIVES}/{inside.key}/{inside.path.name}"], within=300.0)
        node.run(["pkill", "--exact", "containerd"])
        until(lambda: wait_containerd_ended(node), what="containerd in the node image ends", within=60.0)
        node.run(["sh", "-s", UNPACKED], input=APART.read_text(), within=300.0)
        engine.run(["docker", "stop", "--time", "1", container])
        entry = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/usr/sbin/init"]'
        labels = [f"LABEL karmada-lab.packages={system.key}", f"LABEL karmada-lab.images={inside.key}"]
        changes = [word for change in (entry, "CMD []", *labels) for word in ("--change", change)]
        engine.run(["docker", "commit", *changes, container, name], within=300.0)
    except CommandFailed as failed:
        raise ProvisionError(f"building the node image {name} failed", where=failed.where, detail=failed.output) from failed
    finally:
        engine.run(["docker", "rm", "--force", "--volumes", container])


def check_containerd(node: Machine) -> None:
    """Return when the containerd of a container answers."""
    try:
        node.run(["ctr", "version"])
    except CommandFailed as failed:
        raise NotYet(failed.output.strip() or "no answer") from failed


def wait_containerd_ended(node: Machine) -> None:
    """Return when containerd in a container has exited, so that its store is complete."""
    try:
        node.run(["pgrep", "--exact", "containerd"])
    except CommandFailed as failed:
        if failed.status == 1:
            return
        raise
    raise NotYet("it still runs")


def write_base_spec(node: Machine) -> None:
    """Write the runtime specification that containers in the node start from, as kind's base image does: without limits of its own."""
    spec: dict[str, Any] = json.loads(node.run(["ctr", "oci", "spec"]).stdout)
    spec["process"].pop("rlimits", None)
    node.run(["tee", "/etc/containerd/cri-base.json"], input=json.dumps(spec))
