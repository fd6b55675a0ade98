"""The preflight of existing clusters: all obstacles, found by reading alone before anything is created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml
from cryptography import x509

from lab.api import Api, Refused
from lab.count import count
from lab.documents import read_file
from lab.errors import LabError, UsageError
from lab.existing.claim import RIGHTS, claimed_error, read_claim
from lab.existing.footprint import NOTHING, Footprint, find_objects
from lab.existing.rights import Right, find_missing_rights
from lab.kubeconfig import KubeContext, load_document, read_context
from lab.near_names import did_you_mean, near_names
from lab.preflight import COMPUTER, Problem
from lab.spec import MAKES_NONE, ClusterSpec, LabSpec

SHOWN = 5
"""Objects that an error names; it counts the others."""


@dataclass(frozen=True)
class ClusterNeeds:
    """What a lab needs on a cluster and may put there. `foreign` must not exist yet: it would belong to another installation."""

    rights: tuple[Right, ...] = ()
    footprint: Footprint = NOTHING
    foreign: Footprint = NOTHING


@dataclass(frozen=True)
class Examined:
    """The preflight of one cluster: its identity, its server, and its problems."""

    path: str
    spec: ClusterSpec
    uid: str = ""
    problems: tuple[Problem, ...] = field(default=())


def list_spec_errors(spec: LabSpec) -> Iterator[Problem]:
    """Yield the keys of a lab file that are missing or would have no effect. They are the same on every computer."""
    if spec.provider != MAKES_NONE and spec.host.kubeconfig:
        yield Problem("host.kubeconfig", f"the provider {spec.provider} makes the host cluster", f'set provider = "{MAKES_NONE}"')
    for path, cluster in spec.paths:
        if cluster.kubeconfig:
            yield from list_ineffective_keys(path, cluster)
        elif spec.provider == MAKES_NONE:
            yield Problem(f"{path}.kubeconfig", f"the provider {MAKES_NONE} makes no clusters", "name the kubeconfig of one that exists")
        elif cluster.context:
            yield Problem(f"{path}.context", "it has no effect without a kubeconfig", "add kubeconfig, or leave it out")


def list_ineffective_keys(path: str, cluster: ClusterSpec) -> Iterator[Problem]:
    """Yield the keys that cannot take effect on a cluster that exists."""
    for key in ("kubernetes", "nodes", "workers", "flags", "env", "files"):
        if getattr(cluster, key):
            yield Problem(f"{path}.{key}", "the cluster exists: it is used as it is", "leave it out")
    if cluster.control_planes > 1:
        yield Problem(f"{path}.control_planes", "the cluster exists: it is used as it is", "leave it out")


def examine_clusters(spec: LabSpec, needs: Mapping[str, ClusterNeeds], *, lab: str) -> list[Problem]:
    """Return the problems of all existing clusters, in the order of the lab file; the clusters are examined in parallel."""
    given = [(path, cluster) for path, cluster in spec.paths if cluster.kubeconfig]
    if not given:
        return []
    with ThreadPoolExecutor(len(given), thread_name_prefix="existing") as pool:
        examined = list(pool.map(lambda pair: examine_cluster(pair[0], pair[1], needs.get(pair[1].name, ClusterNeeds()), lab=lab), given))
    return [*(problem for each in examined for problem in each.problems), *list_twins(examined)]


def list_twins(examined: list[Examined]) -> Iterator[Problem]:
    """Yield the clusters that are one and the same, by the UID of kube-system: two kubeconfigs may name one cluster differently."""
    first: dict[str, Examined] = {}
    for each in examined:
        if each.uid and (other := first.setdefault(each.uid, each)) is not each:
            why = f"it is the same cluster as {other.spec.name} (its kube-system has the UID {each.uid})"
            yield Problem(f"{each.path}.kubeconfig", why, f"give another cluster, or leave {each.spec.name} out")


def examine_cluster(path: str, spec: ClusterSpec, needs: ClusterNeeds, *, lab: str) -> Examined:
    """Examine one cluster: its file, its certificate, its answer, its owner, the rights of its user."""
    try:
        given = choose_context(spec)
    except UsageError as error:
        where = f"{path}.context" if isinstance(error, UnknownContext) else f"{path}.kubeconfig"
        return Examined(path, spec, problems=(Problem(where, say(error), error.remedy or ""),))
    if expired := find_expiry(given):
        return Examined(path, spec, problems=(Problem(f"{path}.kubeconfig", expired, "get a new kubeconfig for it"),))
    try:
        api = Api.open(Path(spec.kubeconfig), context=spec.context or None)
        if missing := find_missing_rights(api, tuple(dict.fromkeys((*RIGHTS, *needs.rights)))):
            return Examined(path, spec, problems=(rights_error(path, spec.name, missing),))
        uid = str(api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
        return Examined(path, spec, uid, tuple(list_obstacles(path, spec, needs, api, lab=lab)))
    except (LabError, KeyError, ValueError) as error:
        return Examined(path, spec, problems=(explain(path, spec, given, error),))


def explain(path: str, spec: ClusterSpec, given: KubeContext, error: Exception) -> Problem:
    """Return the problem that an error of asking a cluster is: of its credentials, its kubeconfig, or its not answering."""
    at = f"{path}.kubeconfig"
    if isinstance(error, Refused) and error.status in {401, 403}:
        why = f"{spec.name} refuses the credentials ({error.status}): {error.message}"
        return Problem(at, why, "give the kubeconfig of an administrator")
    if isinstance(error, UsageError):
        return Problem(at, say(error), error.remedy or "")
    why = error.what if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
    remedy = f"does kubectl --kubeconfig {spec.kubeconfig}{f' --context {spec.context}' if spec.context else ''} version work?"
    return Problem(at, f"{spec.name} cannot be reached at {given.server}: {why}", remedy, COMPUTER)


def say(error: LabError) -> str:
    """Return an error as one line."""
    detail = (error.detail or "").strip().splitlines()
    return " ".join(filter(None, [error.what, f"({error.where})" if error.where else "", detail[-1] if detail else ""]))


class UnknownContext(UsageError):
    """A kubeconfig does not have the context, or does not say which of its contexts is meant."""


def choose_context(spec: ClusterSpec) -> KubeContext:
    """Return the context of a cluster's kubeconfig. UsageError for a file or context that does not exist, with near names of contexts."""
    path = Path(spec.kubeconfig)
    try:
        document = load_document(read_file(path))
        names = [str(entry["name"]) for entry in document.get("contexts") or []]
    except OSError as error:
        raise UsageError(
            f"the file cannot be read: {error.strerror}", where=str(path), remedy="name the kubeconfig of a cluster"
        ) from error
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"the file is not a kubeconfig: {' '.join(str(error).split())}", where=str(path)) from error
    if not names:
        raise UsageError("the file is not a kubeconfig: it has no contexts", where=str(path))
    wanted = spec.context or str(document.get("current-context") or "")
    if not wanted and len(names) > 1:
        raise UnknownContext("the file has several contexts and no current context", where=str(path), remedy=f"one of: {', '.join(names)}")
    if wanted and wanted not in names:
        near = did_you_mean(near_names(wanted, names))
        raise UnknownContext(f"the file has no context {wanted!r}{near}", where=str(path), remedy=f"one of: {', '.join(names)}")
    return read_context(path, context=wanted or None)


def find_expiry(given: KubeContext, now: datetime | None = None) -> str:
    """Return that the client certificate of a context is not valid now, "" when it is or there is none."""
    try:
        certificate = x509.load_pem_x509_certificate(given.pem("client-certificate").encode())
    except KeyError:
        return ""
    except (OSError, TypeError, ValueError) as error:
        return f"the client certificate cannot be read: {error}"
    now = now or datetime.now(UTC)
    if certificate.not_valid_after_utc < now:
        return f"the client certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if certificate.not_valid_before_utc > now:
        return f"the client certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on, which is in the future"
    return ""


def list_obstacles(path: str, spec: ClusterSpec, needs: ClusterNeeds, api: Api, *, lab: str) -> Iterator[Problem]:
    """Yield the problems of a cluster that answers: another lab or another Karmada uses it."""
    claim = read_claim(api)
    if claim and claim.lab == lab and (Path(claim.path) / "run.json").exists():
        return  # this lab's, which is brought up again
    if claim:
        error = claimed_error(spec.name, api.server, claim)
        yield Problem(f"{path}.kubeconfig", error.what, error.remedy or "", COMPUTER)
    elif found := find_objects(api, needs.foreign):
        yield foreign_error(path, spec.name, [str(each) for each in found])


def rights_error(path: str, name: str, missing: list[Right]) -> Problem:
    """Return the problem of a user who may not do what a lab needs."""
    why = f"the user of the kubeconfig may not do on {name}: {', '.join(str(right) for right in missing)}"
    return Problem(f"{path}.kubeconfig", why, "give the kubeconfig of an administrator (cluster-admin)", COMPUTER)


def foreign_error(path: str, name: str, found: list[str]) -> Problem:
    """Return the problem of a cluster that another Karmada uses, or on which one left something."""
    more = f" and {count(len(found) - SHOWN, 'object')} more" if len(found) > SHOWN else ""
    why = f"{name} is used by a Karmada, or one left objects there: {', '.join(found[:SHOWN])}{more}"
    return Problem(f"{path}.kubeconfig", why, "remove it from that Karmada, or delete what was left, or give another cluster", COMPUTER)
