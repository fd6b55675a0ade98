"""Flags and feature gates that a program does not know: checked with the help of each program that is in the cache already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from deployers.spec import ComponentSpec, KarmadaSpec
from lab.computer import Probe
from lab.preflight import Problem
from lab.program_flags import Flag, flag_errors
from lab.spec import LabSpec

OF_KUBERNETES = {"karmada-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager"}
"""Components of Karmada that are Kubernetes' own programs."""

Find = Callable[[str], Path | None]
"""Return where an asset (name@version) is in the cache; None when it is not there."""


def program_flag_errors(lab: LabSpec, karmada: KarmadaSpec | None, find: Find, probe: Probe) -> Iterator[Problem]:
    """Yield the flags of a lab file that the programs in the cache refuse, each at its key."""
    for path, cluster in lab.paths:
        for name, given in cluster.flags.items():
            keys = {(flag, value): f"{path}.flags.{name}.{flag}" for flag, value in given.items() if value is not None}
            yield from problems(find(asset_of(name, cluster.kubernetes or lab.kubernetes)), keys, probe)
    if karmada is None:
        return
    for name, settings in karmada.components.items():
        version = karmada.kubernetes if name in OF_KUBERNETES else karmada.release
        yield from problems(find(asset_of(OF_KUBERNETES.get(name, name), version)), keys_of(name, settings), probe)


def asset_of(program: str, version: str) -> str:
    """Return the asset that holds a program; etcd and kwok have versions of their own."""
    return program if program in {"etcd", "kwok"} else f"{program}@{version}"


def keys_of(name: str, settings: ComponentSpec) -> dict[Flag, str]:
    """Return the flags of a component with their keys in the lab file. Each feature gate is a flag of its own, so that it is named."""
    path = f"karmada.components.{name}"
    gates = {("feature-gates", f"{gate}={str(on).lower()}"): f"{path}.feature_gates.{gate}" for gate, on in settings.feature_gates.items()}
    values = {flag: (value,) if isinstance(value, str) else value for flag, value in settings.flags.items()}
    return gates | {(flag, value): f"{path}.flags.{flag}" for flag, given in values.items() for value in given}


def problems(program: Path | None, keys: dict[Flag, str], probe: Probe) -> Iterator[Problem]:
    """Yield what a program refuses of these flags, at their keys; nothing where it is not in the cache."""
    if program is not None and keys:
        for flag, why in flag_errors(probe, program, keys).items():
            yield Problem(keys[flag], why)
