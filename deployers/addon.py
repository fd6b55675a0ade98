"""An addon as data: its parts, the clusters that get each part, and its requirements. One TOML file each, beside this one.

    what = "OpenKruise's CRDs (CloneSet, …)"
    needs = ["PODS"]                  # of the provider
    after = ["istio-base"]            # other addons

    [[parts]]                         # one after the other; taken away in reverse
    name = "crds"
    asset = "openkruise-crds"         # a directory, pinned in deployers/assets.toml; its versions are the addon's
    files = ["bases/*.yaml"]          # of that directory, as upstream has them
    on = ["members", "karmada"]       # or "host"

    [[parts]]                         # a Helm chart of that directory, in place of files: what `helm template` makes of it
    name = "istiod"
    asset = "istio-charts"
    chart = "istio-control/istio-discovery"
    namespace = "istio-system"        # of the release; it is made first
    on = ["members"]
    values = { autoscaleEnabled = false }

    [[programs]]                      # an image that pods ask for, made here of one program, on every cluster with a part
    image = "docker.io/istio/pilot:lab"
    asset = "pilot-discovery"
    path = "/usr/local/bin/pilot-discovery"
    user = "1337:1337"

When a part is ready follows from the kinds of its objects (`deployers.addons.site`). A new addon is a new file: no code knows their names.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from graphlib import CycleError
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from lab.errors import UsageError
from lab.spec import Capability, Strict, parse, read
from lab.waves import order_waves

FOLDER = Path(__file__).parent / "addons"
OWN = ("descheduler", "search", "metrics_adapter", "estimators")
"""Karmada's own, which its deployers install as components (deployers.by_binary.optional, deployers.spec.ADDONS)."""
HELM = "helm"
Place = Literal["karmada", "host", "members"]


class AddonPart(Strict):
    """Objects that can be applied together, and the clusters that get them."""

    name: str
    asset: str
    files: tuple[str, ...] = ()
    chart: str = ""
    namespace: str = ""
    values: dict[str, Any] = Field(default_factory=dict)
    on: tuple[Place, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def files_or_a_chart(self) -> AddonPart:
        if bool(self.files) == bool(self.chart):
            raise ValueError("give one of `files` and `chart`")
        if bool(self.chart) != bool(self.namespace) or (self.values and not self.chart):
            raise ValueError("a chart has a namespace, and only a chart has one, and values")
        return self


class AddonProgram(Strict):
    """An image of one program, which it starts."""

    image: str
    asset: str
    path: str
    user: str = ""


class Addon(Strict):
    """One third-party addon with all its versions."""

    name: str
    what: str
    needs: tuple[Capability, ...] = ()
    after: tuple[str, ...] = ()
    parts: tuple[AddonPart, ...] = Field(min_length=1)
    programs: tuple[AddonProgram, ...] = ()

    def software(self, version: str) -> list[str]:
        """Return the assets of a version, as name@version, and helm where a part is a chart."""
        own = [f"{asset}@{version}" for asset in (*(part.asset for part in self.parts), *(each.asset for each in self.programs))]
        return list(dict.fromkeys([*own, *([HELM] if any(part.chart for part in self.parts) else [])]))

    def parts_on(self, place: Place) -> tuple[AddonPart, ...]:
        return tuple(part for part in self.parts if place in part.on)


@cache
def names() -> tuple[str, ...]:
    """Return the names of all addons of others."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def addon(name: str) -> Addon:
    """Return an addon by name. UsageError names the near one, or all."""
    if name not in names():
        raise UsageError(unknown_addon(name), remedy=f"one of: {', '.join((*OWN, *names()))}")
    path = FOLDER / f"{name}.toml"
    return parse(Addon, {"name": name, **read(path, what="the addon")}, source=str(path))


def unknown_addon(name: str) -> str:
    """Return the error text for an unknown addon name, with the closest known name."""
    near = difflib.get_close_matches(name, (*OWN, *names()), n=1)
    return f"unknown addon {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def order_addons(wanted: Iterable[str], after: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Return addons in an order in which each comes after those that it needs.

    UsageError names one that lacks what it needs, or those that need each other. `after`: what each needs, if not what its file says.
    """
    needs = {name: tuple(after[name] if after is not None else addon(name).after) for name in sorted(wanted)}
    for name, before in needs.items():
        if lacking := [each for each in before if each not in needs]:
            raise UsageError(f"the addon {name} needs {', '.join(lacking)}", remedy=f"add {', '.join(lacking)} too")
    try:
        return [name for wave in order_waves(needs) for name in wave]
    except CycleError as error:
        raise UsageError(f"these addons need each other: {', '.join(sorted(set(error.args[1])))}") from error
