"""The options of the command line, each written once: what it means, how it completes, and whether it has an environment variable.

Only settings (lab.settings) have one; pytest's options (conftest.py) are the same settings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from lab import hints, settings
from lab.cli.complete import complete_clusters, complete_components, complete_labs
from lab.duration import parse_duration, parse_positive_duration
from lab.settings import Setting
from lab.supply_choices import SupplyChoices

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Request = TypeVar("Request", bound=DataclassInstance)


class Output(str, Enum):
    """How data is printed."""

    text = "text"
    json = "json"


class Source(str, Enum):
    """Where assets come from (lab.assets)."""

    auto = "auto"
    download = "download"
    build = "build"
    bundle = "bundle"


def setting(of: Setting[Any], *more: str, **other: Any) -> Any:
    """Return the typer option of a setting: it has an environment variable."""
    name = f"{of.option}/--{of.opposite}" if of.opposite else of.option
    return typer.Option(name, *more, help=of.help, metavar=of.metavar or None, envvar=of.variable, **other)


def option(name: str, *more: str, help: str, **other: Any) -> Any:
    """Return a typer option that the command line alone can give."""
    return typer.Option(name, *more, help=help, **other)


def duration(name: str, *, help: str, zero: bool = True, default: str = "") -> Any:
    """Return a typer option that takes a duration and gives seconds. `zero`: whether none is one; `default`: as help shows it."""
    parse = parse_duration if zero else parse_positive_duration

    def parsed(given: str | float) -> float:
        try:
            return parse(str(given))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return typer.Option(
        name, help=help + (f"  [default: {default}]" if default else ""), metavar="DURATION", parser=parsed, show_default=False
    )


def take_options(request: type[Request]) -> Callable[[Callable[[Request], None]], Callable[..., None]]:
    """Return a decorator that makes a verb of a function of one dataclass: its fields, annotated with typer's options, are the options."""

    def decorate(function: Callable[[Request], None]) -> Callable[..., None]:
        def verb(**given: Any) -> None:
            function(request(**given))

        annotations = get_type_hints(request, include_extras=True)
        parameters = []
        for each in fields(request):
            default = each.default if each.default_factory is MISSING else each.default_factory()
            kept = inspect.Parameter.empty if default is MISSING else default
            parameters.append(inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=kept, annotation=annotations[each.name]))
        verb.__name__, verb.__doc__, verb.__module__ = function.__name__, function.__doc__, function.__module__
        verb.__annotations__ = {}
        verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads a verb's signature
        return verb

    return decorate


DEFAULT_LAB = hints.DEFAULT_LAB

LabName = Annotated[str, setting(settings.LAB, autocompletion=complete_labs)]
OutputOption = Annotated[Output, option("--output", "-o", help="How to print the result.")]
SpecOption = Annotated[Path | None, setting(settings.SPEC)]
ProviderOption = Annotated[str | None, setting(settings.PROVIDER)]
DeployerOption = Annotated[str | None, setting(settings.DEPLOYER)]
ReleaseOption = Annotated[str | None, setting(settings.RELEASE)]
MembersOption = Annotated[int | None, setting(settings.MEMBERS, min=1)]
KubernetesOption = Annotated[str | None, setting(settings.KUBERNETES)]
SourceOption = Annotated[Source, setting(settings.SOURCE)]
OfflineOption = Annotated[bool, setting(settings.OFFLINE)]
BundleOption = Annotated[Path | None, setting(settings.BUNDLE)]
MirrorOption = Annotated[str | None, setting(settings.MIRROR)]
ImageRegistryOption = Annotated[str | None, setting(settings.IMAGE_REGISTRY)]
DryRunOption = Annotated[bool, option("--dry-run", help="Say what would be removed, and remove nothing.")]

ClusterArgument = Annotated[
    str | None,
    typer.Argument(metavar="[CLUSTER]", help="host, member1, …, or karmada; all of them if left out.", autocompletion=complete_clusters),
]
ComponentArgument = Annotated[
    str, typer.Argument(metavar="CLUSTER/COMPONENT", help="One program, as member1/etcd.", autocompletion=complete_components)
]


@dataclass(frozen=True, kw_only=True)
class SpecRequest:
    """The options that say which clusters and which Karmada: a lab file and what is changed of it."""

    spec: SpecOption = None
    provider: ProviderOption = None
    deployer: DeployerOption = None
    release: ReleaseOption = None
    members: MembersOption = None
    kubernetes: KubernetesOption = None

    @property
    def changes(self) -> dict[str, Any]:
        """Return what is changed of the lab file, by its keys; None leaves what it says."""
        keys = ("provider", "kubernetes", "deployer", "release", "members")
        return {key: getattr(self, key) for key in keys}


@dataclass(frozen=True, kw_only=True)
class SupplyRequest:
    """The options that say where assets and images come from."""

    source: SourceOption = Source.auto
    offline: OfflineOption = False
    bundle: BundleOption = None
    mirror: MirrorOption = None
    image_registry: ImageRegistryOption = None

    @property
    def choices(self) -> SupplyChoices:
        """Return the choices that they make."""
        return SupplyChoices(self.source.value, self.offline, self.bundle, self.mirror, self.image_registry)
