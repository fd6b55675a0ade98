"""What a spec changes of a component's flags: the profile's, the spec's over them, feature gates merged into one flag.

`effective_flags` is the only computation. by_binary and by_yaml lay it over the flags of their recipe, by_chart turns it into values,
by_karmadactl and by_operator hand it to upstream's installers as extra arguments (`extra_args`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deployers.spec import COMPONENTS, KarmadaSpec, profiles
from lab.component import Component

GATES = "feature-gates"
Flag = str | Sequence[str] | None
"""A flag's value or values; None drops a flag that an installer gives."""


def effective_flags(spec: KarmadaSpec, component: str, given: Mapping[str, Flag] | None = None) -> dict[str, Flag]:
    """Return the flags that a spec sets on a component, without dashes. Feature gates of the installer's own flags, `given`, are kept."""
    settings = spec.settings(component)
    flags: dict[str, Flag] = {**profiles()[spec.profile].get(component, {}), **settings.flags, **dict.fromkeys(settings.without)}
    if settings.feature_gates:
        gates = gates_of(join_values({**(given or {}), **flags}.get(GATES)))
        gates |= {name: "true" if on else "false" for name, on in settings.feature_gates.items()}
        flags[GATES] = ",".join(f"{name}={value}" for name, value in gates.items())
    return flags


def apply_spec(component: Component, spec: KarmadaSpec) -> Component:
    """Return the component with its own flags overridden by the profile's and the spec's."""
    kind = component.kind
    return component.changed(flags=effective_flags(spec, kind, component.flags), env=spec.settings(kind).env)


def extra_args(spec: KarmadaSpec, component: str) -> dict[str, str]:
    """Return the same for an installer that takes one value of a flag: sorted, several values joined by commas, dropped flags left out.

    `several_values` names the flags that cannot be joined.
    """
    return {name: join_values(value) for name, value in sorted(effective_flags(spec, component).items()) if value is not None}


def join_values(value: Flag) -> str:
    """Return a flag's values joined by commas; "" for None."""
    return value if isinstance(value, str) else ",".join(value or ())


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
