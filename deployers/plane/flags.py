"""What a spec wants of a component besides what an installer gives it: the profile's flags, the spec's, feature gates as one flag.

by_binary layers the same over its own recipe (deployers.by_binary.components); the paths in pods hand it to upstream's installers, which
layer it
over theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

from deployers.spec import COMPONENTS, KarmadaSpec, profiles

GATES = "feature-gates"


def extra_args(spec: KarmadaSpec, component: str) -> dict[str, str]:
    """Return flags without dashes, sorted. A flag of several values has them joined by commas; `single_valued` tells who cannot."""
    settings = spec.settings(component)
    flags = {name: value if isinstance(value, str) else ",".join(value) for name, value in settings.flags.items()}
    merged = {**profiles()[spec.profile].get(component, {}), **flags}
    if settings.feature_gates:
        said = gates_of(merged.get(GATES, "")) | {name: "true" if on else "false" for name, on in settings.feature_gates.items()}
        merged[GATES] = ",".join(f"{name}={value}" for name, value in said.items())
    return dict(sorted(merged.items()))


def gates_of(flag: str) -> dict[str, str]:
    """Return the gates in a --feature-gates flag."""
    return dict(pair.split("=", 1) for pair in flag.split(",") if "=" in pair)


def several_values(spec: KarmadaSpec) -> list[str]:
    """Return the flags that a spec gives several values, which an installer that keeps one of each would lose, as refusals."""
    return [
        f"components.{name}.flags.{flag}: it has {len(value)} values, and upstream's installer keeps one of a flag; "
        "write them as one, with commas, where the flag allows it"
        for name in COMPONENTS
        for flag, value in spec.settings(name).flags.items()
        if not isinstance(value, str) and len(value) > 1
    ]


def all_extra_args(spec: KarmadaSpec) -> Mapping[str, dict[str, str]]:
    """Return the same for every component that has any and is there."""
    found = {name: extra_args(spec, name) for name in COMPONENTS if spec.has(name)}
    return {name: flags for name, flags in found.items() if flags}
