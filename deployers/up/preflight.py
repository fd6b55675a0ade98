"""The preflight of a lab with Karmada on it: every fault of the spec and of this computer, before anything is created."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from deployers.addons import steps as addons
from deployers.by_binary import balancer
from deployers.deployer import ReadsRelease
from deployers.members.footprint import list_cluster_needs
from deployers.plane.preflight import external_service_errors
from deployers.release import Release
from deployers.rules import RULES as KARMADA_RULES
from deployers.rules.program_flags import program_flag_errors
from deployers.spec import KarmadaSpec
from deployers.wanted import Wanted
from lab.assets import AssetRef, Supply
from lab.assets.download import MIRROR
from lab.computer import Computer
from lab.errors import UsageError
from lab.existing.preflight import examine_clusters, list_spec_errors
from lab.hints import command
from lab.images.registry import Repository
from lab.machine_steps import machine_problems
from lab.preflight import COMPUTER, Problem, check_fields, computer_problem, parse_problem, raise_problems
from lab.providers.registry import providers_offering
from lab.rules import RULES
from lab.spec import Capability, LabSpec


def preflight_errors(wanted: Wanted, supply: Supply, *, lab: str = "") -> list[Problem]:
    """Return every fault that can be known before anything is created. `lab` is the name of the lab, "" where it has none yet."""
    found = [*option_errors(supply), *spec_errors(wanted, supply, lab=lab)]
    others = [] if found else [*flag_errors(wanted, supply), *neighbour_errors(wanted)]  # of a wrong spec flags and addresses may be wrong
    given = [] if found else examine_clusters(wanted.lab, list_cluster_needs(wanted.lab, wanted.karmada), lab=lab)
    return [*found, *computer_errors(wanted), *given, *others]


def require(wanted: Wanted, supply: Supply, *, lab: str = "") -> None:
    """Run the preflight. UsageError when the spec is wrong, NotPossible when this computer cannot do it; each lists all faults."""
    raise_problems(preflight_errors(wanted, supply, lab=lab))


def spec_errors(wanted: Wanted, supply: Supply, *, lab: str = "") -> list[Problem]:
    """Return the faults of the spec: they are the same on every computer."""
    found = [*rule_errors(wanted.lab, wanted.karmada), *list_spec_errors(wanted.lab), *wanted.provider.check_spec(wanted.lab, lab=lab)]
    found += [*version_errors(wanted, supply), *host_errors(wanted)]
    found += [] if found else capability_errors(wanted)  # clusters that exist are asked
    if wanted.deployer and wanted.karmada:
        lines = wanted.deployer.check(wanted.karmada, wanted.lab)
        pinned = not any(problem.path == "karmada.release" for problem in found)  # a wrong release has no files
        if pinned and isinstance(wanted.deployer, ReadsRelease):
            lines += wanted.deployer.check_release(wanted.karmada, Release.parse(wanted.karmada.release, supply=supply))
        lines += addons.unsupported_addons(wanted.karmada, wanted.provider.offers, wanted.lab)
        found += [parse_problem(line, prefix="karmada") for line in lines]
    return found


def flag_errors(wanted: Wanted, supply: Supply, *, asked: Collection[AssetRef] = ()) -> list[Problem]:
    """Return the flags that programs refuse, for the programs in the cache without those in `asked`, which were checked before."""

    def find(asset: str) -> Path | None:
        ref = AssetRef.parse(asset)
        if ref in asked:
            return None
        entry = supply.cache.find(supply.pinned([ref])[ref], supply.order, use=False)
        return entry.path if entry else None

    return list(program_flag_errors(wanted.lab, wanted.karmada, find, Computer()))


def list_cached(wanted: Wanted, supply: Supply) -> frozenset[AssetRef]:
    """Return the assets of a lab that are in the cache: `require` has checked their flags."""
    pins = supply.pinned(wanted.software())
    return frozenset(ref for ref, pin in pins.items() if supply.cache.find(pin, supply.order, use=False))


def require_known_flags(wanted: Wanted, supply: Supply, *, asked: Collection[AssetRef] = ()) -> None:
    """Raise UsageError for flags that programs refuse. Checks the programs brought since `require`, which has checked those in `asked`."""
    raise_problems(flag_errors(wanted, supply, asked=asked))


def option_errors(supply: Supply) -> Iterator[Problem]:
    """Yield the errors of the options for the sources of programs and images."""
    if supply.mirror is not None and not MIRROR.fullmatch(supply.mirror):
        yield Problem("--mirror", f"{supply.mirror!r} is not the address of a mirror", "write it as https://mirror.example/path")
    if supply.bundle is not None and not supply.bundle.is_file():
        yield Problem(
            "--bundle", f"{supply.bundle} does not exist", f"write one with `{command('bundle', 'FILE')}` on a connected computer"
        )
    if supply.source == "bundle" and supply.bundle is None:
        yield Problem("--source", "the source is a bundle, but none is given", "name it: --bundle FILE")
    if supply.image_registry is not None:
        try:
            Repository.of("docker.io/library/any:1", supply.image_registry)
        except UsageError as error:
            yield Problem("--image-registry", error.what, error.remedy or "")


def rule_errors(lab: LabSpec, karmada: KarmadaSpec | None) -> list[Problem]:
    """Return the errors by the rules of the fields, in the order of the lab file."""
    return [*check_fields(lab, RULES), *(check_fields(karmada, KARMADA_RULES, path="karmada") if karmada else [])]


def computer_errors(wanted: Wanted) -> list[Problem]:
    """Return what this computer cannot do for the lab."""
    found = [*wanted.provider.check(wanted.lab), *(balancer.haproxy_errors(wanted.karmada) if wanted.karmada else [])]
    return [*machine_problems(wanted.lab, Computer()), *(computer_problem(line) for line in found)]


def neighbour_errors(wanted: Wanted) -> list[Problem]:
    """Return what the spec names and others run, an etcd or a load balancer, and which does not answer as it has to."""
    return [computer_problem(f"karmada.{line}") for line in (external_service_errors(wanted.karmada) if wanted.karmada else [])]


def version_errors(wanted: Wanted, supply: Supply) -> list[Problem]:
    """Return the versions that are not pinned and checkouts that cannot be built, once each, at the key that asks for it."""
    found: dict[str, Problem] = {}
    for ref in wanted.software():
        try:
            supply.pinned([ref])
        except UsageError as error:
            path = version_path(wanted, ref.version)
            what = path if path and ref.version else str(ref)
            found.setdefault(
                what, Problem(path, " ".join(filter(None, [error.what, error.where and f"({error.where})"])), error.remedy or "")
            )
    return list(found.values())


def version_path(wanted: Wanted, version: str) -> str:
    """Return the key of the lab file that asks for a version; "" when none does."""
    if wanted.karmada and version == wanted.karmada.release:
        return "karmada.release"
    if path := next((path for path, cluster in wanted.lab.paths if cluster.kubernetes == version != wanted.lab.kubernetes), ""):
        return f"{path}.kubernetes"
    if any(cluster.kubernetes == version for cluster in wanted.lab.clusters):
        return "kubernetes"
    if wanted.karmada and version == wanted.karmada.kubernetes:
        return "karmada.kubernetes"
    others = wanted.karmada.addons.others if wanted.karmada else {}
    return next((f"karmada.addons.{name}" for name, asked in others.items() if asked == version), "")


def host_errors(wanted: Wanted) -> Iterator[Problem]:
    """Yield that a deployer needs a host cluster and none is named."""
    if wanted.karmada and wanted.deployer and Capability.PODS in wanted.deployer.needs and not wanted.lab.has_host:
        why = f"the deployer {wanted.karmada.deployer} installs Karmada on a host cluster, and none is named"
        yield Problem("host.kubeconfig", why, "name the kubeconfig of one that exists")


def capability_errors(wanted: Wanted) -> list[Problem]:
    """Return what the deployer needs and the provider does not offer."""
    needs = wanted.deployer.needs if wanted.deployer else frozenset()
    name = wanted.karmada.deployer if wanted.karmada else ""
    offers = wanted.provider.probe(wanted.lab) if needs else needs
    if offers is None:
        return []  # a cluster that exists cannot be asked, which is a problem of its own
    others = " or ".join(f"--provider {name}" for name in providers_offering(needs))
    remedy = " or ".join(command("up", "--provider", name) for name in providers_offering(needs)) if others else ""
    return [
        Problem("", f"the deployer {name} needs {need.value}, which the provider {wanted.lab.provider} does not offer", remedy, COMPUTER)
        for need in sorted(needs - offers)
    ]
