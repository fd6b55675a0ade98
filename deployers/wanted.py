"""A validated lab file: what to build, and who builds it. Nothing here creates anything or looks at this computer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deployers.addons import steps as addons
from deployers.deployer import Deployer, RunsInPods, get_deployer
from deployers.release import Release
from deployers.rules import RULES as KARMADA_RULES
from deployers.spec import KarmadaSpec
from lab.assets import AssetRef, Supply
from lab.errors import UsageError
from lab.images import Image
from lab.images.pull import pull_images
from lab.inventory.read import fill_hosts
from lab.machine_steps import machine_software
from lab.named_files import resolve_files
from lab.near_names import Tables
from lab.preflight import Problem, check_fields
from lab.providers.provider import BuildsImages, Provider
from lab.providers.registry import get_provider
from lab.repair import repair
from lab.rules import RULES as LAB_RULES
from lab.spec import LabSpec, parse, read
from lab.specs import DEFAULT

Json = dict[str, Any]
Result = TypeVar("Result")
TABLES: Tables = {"": LabSpec, "karmada": KarmadaSpec}
"""The models of a lab file."""
KUBECONFIGS = ("kubeconfig",)
"""The keys of a cluster that name files."""


@dataclass(frozen=True)
class Wanted:
    """A validated document: what to build, and who builds it. `karmada` is None for a lab of bare clusters."""

    lab: LabSpec
    karmada: KarmadaSpec | None
    provider: Provider
    deployer: Deployer | None

    @property
    def asked(self) -> Json:
        """The document with its defaults filled in, as a run directory keeps it."""
        return {
            "lab": self.lab.model_dump(mode="json"),
            "karmada": self.karmada.model_dump(mode="json") if self.karmada else None,
        }

    def software(self) -> list[AssetRef]:
        """Return every asset that this lab needs, and no other."""
        names = [*self.provider.software(self.lab), *machine_software(self.lab)]
        if self.deployer and self.karmada:
            names = [*names, *self.deployer.software(self.karmada), *addons.software(self.karmada)]
        return [AssetRef.parse(name) for name in dict.fromkeys(names)]

    def images(self) -> dict[str, list[Image]]:
        """Return the images of Karmada's pods by the cluster that they are loaded into; none for Karmada as processes."""
        own: object = self.deployer
        if self.karmada is None or not isinstance(own, RunsInPods):
            return {}
        version = Release.parse(self.karmada.release).version
        uses = own.images(self.karmada, version=version, host=self.lab.host.name)
        return {
            name: [use.image for use in uses if name in use.clusters] for name in sorted({name for use in uses for name in use.clusters})
        }

    def pull(self, supply: Supply) -> None:
        """Bring the official images that this lab's are to be, by digest. What does not come is made here. Errors as `lab.images.pull`."""
        supply.bring_folders()
        if supply.pulls:
            pull_images(self.all_images(), registry=supply.image_registry, progress=supply.progress)

    def all_images(self) -> list[Image]:
        """Return the images of nodes and of Karmada's pods."""
        of_nodes = self.provider.images(self.lab) if isinstance(self.provider, BuildsImages) else []
        return [*of_nodes, *(image for group in self.images().values() for image in group)]


def document(path: Path | None = None, **changes: Any) -> Json:
    """Return the document of a lab file (None: the default lab's), changed by the options of the command line.

    `changes`: provider, kubernetes, members (a number), deployer, release; None keeps the file's value.
    """
    asked, folder = read(path or DEFAULT), (path or DEFAULT).parent.absolute()
    for key in ("provider", "kubernetes"):
        if changes.get(key) is not None:
            asked[key] = changes[key]
    for key in ("deployer", "release"):
        if changes.get(key) is not None and isinstance(table := asked.setdefault("karmada", {}), dict):
            table[key] = changes[key]
    if "machines" in asked:
        asked["machines"] = fill_hosts(asked["machines"], folder)
    if "host" in asked:
        asked["host"] = resolve_files(asked["host"], KUBECONFIGS, folder)
    members = asked.get("members", [])
    if members and isinstance(members, list):
        asked["members"] = members = [resolve_files(member, KUBECONFIGS, folder) for member in members]
    if (count := changes.get("members")) is not None and isinstance(members, list) and all(isinstance(member, dict) for member in members):
        template = members[0] if members else {}
        given = {member.get("name"): member for member in members}
        names = [f"member{number + 1}" for number in range(count)]
        asked["members"] = [given.get(name, {**template, "name": name}) for name in names]
    return asked


def merge_asked(asked: Json) -> Json:
    """Return the document that a run directory keeps as a lab file has it: the lab's keys, and a table [karmada]."""
    return {**asked["lab"], **({"karmada": asked["karmada"]} if asked.get("karmada") else {})}


def read_wanted(path: Path | None, changes: Json) -> Wanted:
    """Read and validate a lab file (None: the default lab's) with the command line's changes; errors name the file. Errors as `prepare`."""
    return prepare(document(path, **changes), source=str(path) if path else "the default lab")


def prepare(asked: Json, *, source: str = "the lab file") -> Wanted:
    """Validate a document. UsageError lists every wrong key. Pure: creates nothing and does not inspect this computer.

    Where the form is wrong, the rules of the preflight are applied to the rest, so that all faults are in one list.
    """
    rest = dict(asked)
    table = rest.pop("karmada", None)
    errors: list[UsageError] = []
    lab = collect(errors, lambda: parse(LabSpec, rest, source=source, tables=TABLES))
    if isinstance(table, dict):
        table = {**table, "members": table.get("members") or (members_of(lab) if lab else [])}
    karmada = None
    if table is not None:
        karmada = collect(errors, lambda: parse(KarmadaSpec, table, source=source, prefix="karmada.", tables=TABLES))
    made = collect(errors, lambda: get_provider(lab.provider)) if lab else None
    own = collect(errors, lambda: get_deployer(karmada.deployer)) if karmada else None
    if lab and made and not errors:
        return Wanted(lab, karmada, made, own)
    lines = [line for error in errors for line in (error.detail or f"{error.what}; {error.remedy}").splitlines()]
    if all(error.detail for error in errors):
        lines += [str(problem) for problem in problems_of_rest(rest, table)]
    raise UsageError(errors[0].what, detail="\n".join(dict.fromkeys(lines)), where=errors[0].where, remedy=errors[0].remedy)


def collect(errors: list[UsageError], action: Callable[[], Result]) -> Result | None:
    """Return what an action returns, or None when it raises a UsageError, which is added to the others."""
    try:
        return action()
    except UsageError as error:
        errors.append(error)
        return None


def problems_of_rest(rest: Json, table: Any) -> list[Problem]:
    """Return what the rules find in a document of which parts are not valid."""
    lab, dropped = repair(LabSpec, rest)
    karmada, more = repair(KarmadaSpec, table) if isinstance(table, dict) else (None, [])
    wrong = (*dropped, *(f"karmada.{path}" for path in more))
    found = [*(check_fields(lab, LAB_RULES) if lab else []), *(check_fields(karmada, KARMADA_RULES, path="karmada") if karmada else [])]
    return [problem for problem in found if not problem.path.startswith(wrong)]


def members_of(lab: LabSpec) -> list[Json]:
    """Return the members a Karmada on this lab has, as its own spec writes them."""
    return [{"name": member.name, "mode": member.mode} for member in lab.members if member.mode != "none"]
