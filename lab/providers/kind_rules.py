"""What kind cannot carry out of a cluster's spec. Pure: the same on every computer."""

from __future__ import annotations

from collections.abc import Iterator

from lab.external_names import external_name
from lab.preflight import Problem
from lab.providers.kind_config import FLAGS, SECTIONS, list_roles
from lab.spec import ClusterSpec

LONGEST = 63
"""Characters of a node's name: it is the host name of its container and the value of the label kubernetes.io/hostname."""
ALLOWED = frozenset(
    {
        *("kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch"),
        *("topology.kubernetes.io/zone", "topology.kubernetes.io/region"),
        *("failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"),
        *("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"),
    }
)
ALLOWED_PREFIXES = ("kubelet.kubernetes.io", "node.kubernetes.io")
"""Labels of Kubernetes' own prefixes that a kubelet accepts in --node-labels, which is how kind labels a node (k8s.io/kubelet,
pkg/apis/well_known_labels.go). With any other it does not start."""
OF_THE_KUBELET = frozenset({"kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch"})
"""Labels that a kubelet compares with itself: with another value it admits no pod."""
OWNED_FLAGS = {
    "kube-apiserver": frozenset({"advertise-address", "etcd-cafile", "etcd-certfile", "etcd-keyfile", "etcd-servers", "bind-address"}),
    "etcd": frozenset({"data-dir", "name", *FLAGS["etcd"]} - {"unsafe-no-fsync"}),
    "kube-controller-manager": frozenset({"cluster-cidr", "allocate-node-cidrs", "cluster-name"}),
}
"""Flags by which kubeadm and the lab connect the programs of a cluster, besides those of lab.rules.cluster."""


def cluster_errors(spec: ClusterSpec, *, lab: str) -> Iterator[Problem]:
    """Yield the problems of one cluster; paths begin with a dot."""
    yield from name_errors(spec, lab)
    yield from program_errors(spec)
    if spec.files:
        yield Problem(".files", "the programs of a kind cluster are containers: they see no file of this computer", "leave them out")
    if spec.control_planes > 1:
        yield Problem(".control_planes", "a kind cluster of a lab has one control plane", "leave it out, or take --provider ssh")
    for number, group in enumerate(spec.workers):
        for key in group.all_labels:
            if why := kubelet_error(key):
                yield Problem(f'.workers[{number}].labels["{key}"]', why, "set it when the lab is up: kubectl label node NODE …")
    yield from hollow_errors(spec, lab)


def name_errors(spec: ClusterSpec, lab: str) -> Iterator[Problem]:
    """Yield that a node's name would be too long. Without a lab's name it is that of the shortest one."""
    longest = max((f"{external_name(lab or 'a', spec.name)}-{role}" for role in list_roles(spec)), key=len)
    if (over := len(longest) - LONGEST) > 0:
        yield Problem(
            ".name",
            f"a node would be called {longest}, a host name of {len(longest)} characters; {LONGEST} are the most",
            f"take a name that is shorter by {over}, for the cluster or the lab",
        )


def program_errors(spec: ClusterSpec) -> Iterator[Problem]:
    known = {*SECTIONS, *(["kwok"] if spec.nodes else [])}
    for program, flags in spec.flags.items():
        if program not in known:
            yield Problem(f".flags.{program}", "kind takes no flags of it", f"one of: {', '.join(sorted(known))}")
            continue
        for flag, value in flags.items():
            if program != "kwok" and value is None:
                yield Problem(f".flags.{program}.{flag}", "kubeadm sets flags but drops none")
            elif flag in OWNED_FLAGS.get(program, ()):
                yield Problem(f".flags.{program}.{flag}", "kubeadm connects the programs of the cluster by it")
    for program in spec.env:
        if program not in known - set(SECTIONS):
            why = "kubeadm's pods take flags only" if program in SECTIONS else "kind takes no environment of it"
            yield Problem(f".env.{program}", why)


def hollow_errors(spec: ClusterSpec, lab: str) -> Iterator[Problem]:
    """Yield hollow nodes that have the name of a real one."""
    real = {f"{external_name(lab, spec.name)}-{role}" for role in list_roles(spec)}
    for number, group in enumerate(spec.nodes):
        if group.name in real:
            yield Problem(f".nodes[{number}].name", f"{group.name!r} is the name of a real node of the cluster")


def kubelet_error(key: str) -> str:
    """Return why a kubelet does not set a label on its own node, or ""."""
    if key in OF_THE_KUBELET:
        return "the kubelet sets it, and admits no pod when it has another value"
    prefix = key.partition("/")[0] if "/" in key else ""
    reserved = any(prefix == name or prefix.endswith(f".{name}") for name in ("kubernetes.io", "k8s.io"))
    allowed = key in ALLOWED or any(prefix == name or prefix.endswith(f".{name}") for name in ALLOWED_PREFIXES)
    return f"a kubelet may not set labels of {prefix} on its own node, but for a few" if reserved and not allowed else ""
