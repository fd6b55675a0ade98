"""The images that Kubernetes itself and Karmada's deployers ask for, besides Karmada's own, as data.

Names are upstream's, so that manifests need no change. What is inside is the pinned asset: where that differs from upstream's tag (etcd),
the label says what it really is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from lab.errors import NotPossible
from lab.images.image import Image, ImageFile

REGISTRY = "registry.k8s.io"
ETCD = "3.6.5"
COREDNS = "1.13.1"
CFSSL = "1.6.5"
CONTENT = "karmada-lab.content"
"""The label with the real content of an image that carries another tag."""
SHELL = ("busybox-static",)
TOOLS = (
    *("[", "ash", "cat", "chmod", "cp", "cut", "date", "echo", "env", "grep", "head", "ls", "mkdir", "mktemp", "mv", "printf", "rm"),
    *("sed", "sh", "sleep", "sort", "tail", "test", "touch", "tr", "wc", "wget", "xargs"),
)
BUSYBOX = tuple(ImageFile(f"/bin/{name}", link="busybox") for name in TOOLS)
"""The applets that a script in a container calls by name."""


def make_program_image(name: str, asset: str, path: str, **other: object) -> Image:
    """Return the image of one program, which it starts."""
    return dataclasses.replace(Image(name, (ImageFile(path, asset=asset),), (path,)), **other)  # type: ignore[arg-type]


def make_component_image(name: str, version: str) -> Image:
    """Return kube-apiserver, kube-controller-manager, kube-scheduler or kube-proxy of a version, as registry.k8s.io has it."""
    full = f"{REGISTRY}/{name}:v{version}"
    return make_program_image(full, f"{name}@{version}", f"/usr/local/bin/{name}", official=full)


def make_proxy_image(version: str) -> Image:
    """Return kube-proxy, which calls iptables, conntrack and what they need. Its packages are not installed: links say which iptables."""
    packages = ("conntrack", "iptables", "kmod", "nftables")
    calls = [f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore")]
    image = make_component_image("kube-proxy", version)
    links = tuple(ImageFile(f"/usr/sbin/{call}", link="xtables-nft-multi") for call in calls)
    return dataclasses.replace(image, files=(*image.files, *links), packages=packages)


def make_etcd_image(tag: str = f"{ETCD}-0", *, registry: str = REGISTRY) -> Image:
    """Return etcd with its tools. It has a shell, as upstream's images up to 3.6.5 do: probes and scripts of some deployers want one."""
    files = tuple(ImageFile(f"/usr/local/bin/{name}", asset=f"{name}@{ETCD}") for name in ("etcd", "etcdctl", "etcdutl"))
    labels = {CONTENT: f"etcd {ETCD}"}
    image = Image(f"{registry}/etcd:{tag}", (*files, *BUSYBOX), entrypoint=("/usr/local/bin/etcd",), labels=labels, packages=SHELL)
    return dataclasses.replace(image, official=f"{REGISTRY}/etcd:{tag}")


def make_pause_image(tag: str = "3.10.1") -> Image:
    """Return the container that holds a pod's namespaces: catatonit, which waits, reaps, and ends on SIGTERM."""
    labels = {CONTENT: "catatonit of Debian"}
    name = f"{REGISTRY}/pause:{tag}"
    return Image(name, entrypoint=("/usr/bin/catatonit", "-P"), labels=labels, packages=("catatonit",), official=name)


def make_coredns_image(tag: str = f"v{COREDNS}") -> Image:
    labels = {CONTENT: f"coredns {COREDNS}"}
    name = f"{REGISTRY}/coredns/coredns:{tag}"
    return make_program_image(name, f"coredns@{COREDNS}", "/coredns", labels=labels, official=name)


def make_kubectl_image(version: str, name: str) -> Image:
    """Return kubectl with a shell, under the name that a deployer's jobs call it by."""
    files = (ImageFile("/usr/local/bin/kubectl", asset=f"kubectl@{version}"), *BUSYBOX)
    return Image(name, files, entrypoint=("/usr/local/bin/kubectl",), labels={CONTENT: f"kubectl {version}"}, packages=(*SHELL, "bash"))


def make_cfssl_image(name: str = "docker.io/cfssl/cfssl:latest") -> Image:
    """Return cfssl and cfssljson, with bash, openssl, curl and base64, as the jobs and init containers of Karmada's chart want them."""
    programs = (ImageFile(f"/usr/local/bin/{each}", asset=f"{each}@{CFSSL}") for each in ("cfssl", "cfssljson"))
    files = (*programs, *BUSYBOX, ImageFile("/bin/base64", link="busybox"))
    packages = (*SHELL, "bash", "curl", "openssl")
    return Image(name, files, entrypoint=("/usr/local/bin/cfssl",), labels={CONTENT: f"cfssl {CFSSL}"}, packages=packages)


def list_kubeadm_images(names: Iterable[str], version: str) -> list[Image]:
    """Return the images that `kubeadm config images list` names for a version. NotPossible names one that nothing here can fill."""
    found = []
    for name in names:
        repository, _, tag = name.removeprefix(f"{REGISTRY}/").partition(":")
        if repository == "kube-proxy":
            found.append(make_proxy_image(version))
        elif repository.startswith("kube-"):
            found.append(make_component_image(repository, version))
        elif repository in {"etcd", "pause", "coredns/coredns"}:
            found.append({"etcd": make_etcd_image, "pause": make_pause_image, "coredns/coredns": make_coredns_image}[repository](tag))
        else:
            raise NotPossible(
                f"building the images of kubeadm {version} failed: {name} has no recipe",
                where=__file__,
                remedy="add it there, or use another version",
            )
    return found
