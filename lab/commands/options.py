"""The words of the command line, each written once: what it means, its environment variable, how it completes.

pytest's options (conftest.py) are the same words. An option `--some-thing` is KARMADA_LAB_SOME_THING, `--lab` itself KARMADA_LAB.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from lab import hints
from lab.commands.complete import clusters, components, labs


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


def option(name: str, *more: str, help: str, **other: Any) -> Any:
    """Return a typer option whose environment variable follows from its name."""
    word = name.removeprefix("--").partition("/")[0].upper().replace("-", "_")
    variable = "KARMADA_LAB" if name == "--lab" else f"KARMADA_LAB_{word}"
    return typer.Option(name, *more, help=help, envvar=variable, **other)


DEFAULT_LAB = hints.DEFAULT_LAB

LabName = Annotated[str, option("--lab", help="Name of the lab; its run directory is _runs/NAME.", metavar="NAME", autocompletion=labs)]
OutputOption = Annotated[Output, option("--output", "-o", help="How to print the result.")]
SpecOption = Annotated[
    Path | None, option("--spec", help="Lab file (TOML); without it the default lab: a host, two members, Karmada.", metavar="FILE")
]
ProviderOption = Annotated[
    str | None, option("--provider", help="What clusters are made of, instead of what the lab file says.", metavar="NAME")
]
DeployerOption = Annotated[
    str | None, option("--deployer", help="How Karmada is installed, instead of what the lab file says.", metavar="NAME")
]
ReleaseOption = Annotated[
    str | None, option("--release", help="Karmada's version, or the path of a checkout that is built and tested.", metavar="VERSION|PATH")
]
MembersOption = Annotated[
    int | None, option("--members", help="Number of member clusters, instead of what the lab file says.", metavar="N", min=1)
]
KubernetesOption = Annotated[str | None, option("--kubernetes", help="Kubernetes' version of clusters that name none.", metavar="VERSION")]
SourceOption = Annotated[Source, option("--source", help="Where programs come from; auto takes the first that works.")]
OfflineOption = Annotated[bool, option("--offline/--online", help="Use the cache and --bundle only, never the network.")]
BundleOption = Annotated[
    Path | None, option("--bundle", help="Archive written by `lab bundle`, used before anything else.", metavar="FILE")
]
MirrorOption = Annotated[
    str | None, option("--mirror", help="Where release files are, instead of their official addresses.", metavar="URL")
]
ImageRegistryOption = Annotated[
    str | None,
    option("--image-registry", help="Where official images are pulled from, in place of upstream's registries.", metavar="HOST[/PREFIX]"),
]

ClusterArgument = Annotated[
    str | None, typer.Argument(metavar="[CLUSTER]", help="host, member1, …, or karmada; all of them if left out.", autocompletion=clusters)
]
ComponentArgument = Annotated[
    str, typer.Argument(metavar="CLUSTER/COMPONENT", help="One program, as member1/etcd.", autocompletion=components)
]
