"""Rules of clusters: their names, the names of their nodes, flags, environment and files of their programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from lab.preflight import Found, Place, Problem
from lab.rules.syntax import flag_error, text_error, variable_error
from lab.spec import MOST_WORKERS, ClusterSpec, LabSpec, MemberSpec, Nodes, Workers

RESERVED = {
    **dict.fromkeys(("karmada", "karmada-host", "karmada-apiserver"), "contexts and folders of Karmada have it"),
    **dict.fromkeys(("lab", "addons", "node-image", "node-files", "routes", "backup", "restore"), "steps of a bring-up have it"),
    **dict.fromkeys(("machine", "machines"), "programs, keys and steps of machines have it"),
    **dict.fromkeys(("helm", "charts", "karmadactl", "scratch"), "a folder of the run has it"),
}
"""Names that a cluster cannot have, each with what has it already."""
MOST_CLUSTERS = 512
"""A lab has addresses for the pods of so many clusters (`lab.images.node.cluster_subnet`)."""
OWN_FILES = frozenset({"kwok.yaml"})
"""Files that the lab writes beside those of `files`."""


def host_errors(host: ClusterSpec, place: Place) -> Found:
    return ()  # its fields have rules of their own; a member of the same name is the member's problem


def member_errors(members: tuple[MemberSpec, ...], place: Place) -> Iterator[Problem]:
    """Yield the names that are taken, and that there are too many clusters."""
    assert isinstance(place.root, LabSpec)
    first = {place.root.host.name: "host"}
    for number, member in enumerate(members):
        at = f"[{number}].name"
        if member.name in first:
            yield Problem(at, f"{member.name!r} is the name of {first[member.name]}, too", "give each cluster its own")
        first.setdefault(member.name, f"members[{number}]")
    if len(members) + 1 > MOST_CLUSTERS:
        yield Problem("", f"{len(members)} members: a lab has addresses for {MOST_CLUSTERS - 1}")


def name_errors(name: str, place: Place) -> Found:
    if name in RESERVED:
        yield f"{name!r} is reserved: {RESERVED[name]}"


def node_name_errors(groups: tuple[Nodes, ...], place: Place) -> Iterator[Problem]:
    """Yield names that two nodes of a cluster would have: those given, and those counted (`<cluster>-node-<n>`)."""
    assert isinstance(place.owner, ClusterSpec)
    total = sum(group.count for group in groups)
    counts = Counter(group.name for group in groups if group.name)
    stem = f"{place.owner.name}-node-"
    number = 0
    counted: set[str] = set()
    for group in groups:
        if not group.name:
            counted.update(f"{stem}{n}" for n in range(number, number + min(group.count, total)))
        number += group.count
    for index, group in enumerate(groups):
        if group.name and (counts[group.name] > 1 or group.name in counted):
            yield Problem(f"[{index}].name", f"{group.name!r} is the name of another node of {place.owner.name}, too")


def worker_errors(groups: tuple[Workers, ...], place: Place) -> Found:
    count = sum(group.count for group in groups)
    if count > MOST_WORKERS:
        yield f"{count} workers: a cluster has at most {MOST_WORKERS}"


def flag_errors(programs: Mapping[str, Mapping[str, str | None]], place: Place) -> Iterator[Problem]:
    for program, flags in programs.items():
        for flag, value in flags.items():
            at = f".{program}.{flag}"
            if why := flag_error(flag) or text_error(value or ""):
                yield Problem(at, why if value and "\0" in value else f"{flag!r} {why}")
            elif flag in OWNED_FLAGS.get(program, ()):
                yield Problem(at, f"the lab sets --{flag} of {program} itself: ports, keys and addresses of the run depend on it")


def env_errors(programs: Mapping[str, Mapping[str, str]], place: Place) -> Iterator[Problem]:
    for program, variables in programs.items():
        for name, value in variables.items():
            if why := variable_error(name) or text_error(value):
                yield Problem(f".{program}.{name}", f"{name!r} {why}")


def file_errors(files: Mapping[str, str], place: Place) -> Iterator[Problem]:
    for name in files:
        if name in OWN_FILES:
            yield Problem(f'["{name}"]', "the lab writes a file of that name itself", "take another name")


IDENTITY = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig", "tls-cert-file", "tls-private-key-file")
OWNED_FLAGS: Mapping[str, frozenset[str]] = {
    "etcd": frozenset(
        {
            *("name", "data-dir", "listen-client-urls", "advertise-client-urls", "listen-peer-urls", "initial-advertise-peer-urls"),
            *("initial-cluster", "listen-metrics-urls", "config-file"),
        }
    ),
    "kube-apiserver": frozenset(
        {
            *("secure-port", "etcd-servers", "client-ca-file", "tls-cert-file", "tls-private-key-file", "service-cluster-ip-range"),
            *("service-account-key-file", "service-account-signing-key-file", "requestheader-client-ca-file"),
            *("proxy-client-cert-file", "proxy-client-key-file", "audit-policy-file", "audit-log-path"),
        }
    ),
    "kube-controller-manager": frozenset(
        {
            *("secure-port", "client-ca-file", "root-ca-file", "service-account-private-key-file", "cluster-signing-cert-file"),
            *("cluster-signing-key-file", "service-cluster-ip-range", *IDENTITY),
        }
    ),
    "kube-scheduler": frozenset({"secure-port", "client-ca-file", *IDENTITY}),
    "kwok": frozenset({"config", "kubeconfig", "server-address", "node-ip", "node-port", "cidr"}),
}
"""Flags that hold ports, keys and addresses of the run, by program: another value would break what is built on them."""
