"""What is wrong with the spec of a KarmadaDeployment: every fault at once, with the path of its field. Nothing outside is asked.

The reconciler and the admission webhook use the same function: the webhook may be switched off, and its answer must be the operator's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from deployers.operator.deployment import KarmadaDeploymentSpec
from deployers.operator.document import ADDON_KEYS, SecretFiles, make_document
from deployers.operator.fields import HOST_FIELDS, KARMADA_FIELDS
from deployers.release import make_supply
from deployers.up.preflight import host_errors, rule_errors, version_errors
from deployers.wanted import Wanted, prepare
from lab.errors import UsageError
from lab.near_names import did_you_mean, models_in, near_names
from lab.preflight import parse_problem

Json = dict[str, Any]
NO_FILES = SecretFiles(Path("/secrets"))


@dataclass(frozen=True)
class FieldFault:
    """One fault: the path of the field (`spec.members[0].name`), and why."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}" if self.path else self.why


def list_faults(document: Mapping[str, Any]) -> list[FieldFault]:
    """Return every fault of a spec as a client sent it; [] of one that can be acted on."""
    try:
        spec = KarmadaDeploymentSpec.model_validate(document)
    except ValidationError as error:
        return [explain_issue(issue) for issue in error.errors()]
    return list_spec_faults(spec)


def list_spec_faults(spec: KarmadaDeploymentSpec) -> list[FieldFault]:
    """Return the faults of a spec that has the right form: rules across fields, names, and what its deployer refuses."""
    try:
        wanted = prepare(make_document(spec, NO_FILES), source="the spec")
    except UsageError as error:
        lines = (error.detail or error.what).splitlines()
        return [locate(spec, *split(line)) for line in lines]
    found = list(list_deployer_faults(spec, wanted))
    return list(dict.fromkeys(found))


def list_deployer_faults(spec: KarmadaDeploymentSpec, wanted: Wanted) -> Iterator[FieldFault]:
    """Yield what the rules of fields and the deployer refuse."""
    assert wanted.karmada is not None
    assert wanted.deployer is not None
    problems = [*rule_errors(wanted.lab, wanted.karmada), *host_errors(wanted), *version_errors(wanted, make_supply())]
    problems += [parse_problem(line, prefix="karmada") for line in wanted.deployer.check(wanted.karmada, wanted.lab)]
    for problem in problems:
        if str(NO_FILES.folder) in problem.why:
            continue  # the files of Secrets are written by the reconciler, which asks for them there
        yield locate(spec, problem.path, "; ".join(filter(None, [problem.why, problem.remedy])))


def split(line: str) -> tuple[str, str]:
    """Return key and reason of a line `key: reason`."""
    problem = parse_problem(line)
    return problem.path, problem.why


def explain_issue(issue: Any) -> FieldFault:
    """Return the fault of one of pydantic's issues, with the nearest field for an unknown one."""
    path = "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in issue["loc"])
    if issue["type"] == "extra_forbidden":
        *place, key = issue["loc"]
        return FieldFault(path, f"unknown field{did_you_mean(near_names(str(key), list_fields(place)))}")
    return FieldFault(path, issue["msg"].removeprefix("Value error, "))


def list_fields(place: list[str | int]) -> list[str]:
    """Return the fields that the API has at a place."""
    model: type[BaseModel] | None = KarmadaDeploymentSpec
    for part in place:
        if model is None or isinstance(part, int):
            continue
        field = next((each for each in model.model_fields.values() if each.alias == part), None)
        model = next(models_in(field.annotation), None) if field else None
    return [str(each.alias) for each in model.model_fields.values()] if model else []


def locate(spec: KarmadaDeploymentSpec, path: str, why: str) -> FieldFault:
    """Return a fault of a lab file's key as one of the API's field; the longest known part of the path counts."""
    key = path.removeprefix("karmada.")
    field = locate_entry(spec, key, why) or locate_field(key)
    return FieldFault(f"spec.{field}", why) if field else FieldFault("spec", f"{key}: {why}" if key else why)


def locate_entry(spec: KarmadaDeploymentSpec, key: str, why: str) -> str:
    """Return the entry of a list that a key is about, as components[0].args; "" when it is about none."""
    table, _, rest = key.partition(".")
    if key.startswith("members["):
        return key
    if table == "components" or (key == "karmada" and any(each.name in why for each in spec.components)):
        inner = KARMADA_FIELDS.get(f"components.*.{rest.partition('.')[2].partition('.')[0]}", "[]").partition("[]")[2]
        name = rest.partition(".")[0]
        numbers = [number for number, each in enumerate(spec.components) if each.name == name or (not name and each.name in why)]
        return f"components[{numbers[0]}]{inner}" if numbers else "components"
    if table == "addons":
        numbers = [number for number, each in enumerate(spec.addons) if ADDON_KEYS.get(each.name, each.name) == rest]
        return f"addons[{numbers[0]}]" if numbers else "addons"
    if key.startswith("machines.hosts["):
        number, _, inner = key.removeprefix("machines.hosts[").partition("]")
        return f"install.binary.machines[{number}]{HOST_FIELDS.get(inner.strip('.'), '').rpartition('machines[]')[2]}"
    return ""


def locate_field(key: str) -> str:
    """Return the field of a key, or of what contains it; "" when the API has neither."""
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        if found := KARMADA_FIELDS.get(".".join(parts[:length])):
            return found
    below = next((field for known, field in KARMADA_FIELDS.items() if known.startswith(f"{key}.")), "")
    return below.rpartition(".")[0]
