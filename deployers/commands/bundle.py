"""`lab bundle`: write all assets of a lab into one file, for computers without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deployers.etcd.tools import TOOLS
from deployers.plane.layout import etcds_asked
from deployers.release import make_supply
from deployers.wanted import Wanted, read_wanted
from lab.assets import AssetRef, Sink
from lab.cli.options import MirrorOption, OfflineOption, Source, SourceOption, SpecRequest, take_options
from lab.count import count
from lab.hints import command
from lab.images import debian, official
from lab.images.stock import list_package_sets
from lab.supply_choices import SupplyChoices
from lab.terminal.drawing import open_drawing
from lab.terminal.text import bytes_text, say

File = Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write; an existing one is replaced.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[ASSET]…", help="Only these assets (kubectl@1.35.4), not those of a lab.")]


@dataclass(frozen=True, kw_only=True)
class BundleRequest(SpecRequest):
    """The arguments and options of `lab bundle`."""

    file: File
    assets: Names = None
    source: SourceOption = Source.auto
    offline: OfflineOption = False
    mirror: MirrorOption = None


@take_options(BundleRequest)
def bundle(asked: BundleRequest) -> None:
    """Write one archive with all that a lab needs.

    `lab up --offline --bundle FILE` needs no network.
    """
    file = asked.file
    wanted = None if asked.assets else read_wanted(asked.spec, asked.changes)
    names: list[AssetRef | str] = [*(everything(wanted) if wanted else asked.assets or ())]
    with open_drawing("bundle") as screen:
        choices = SupplyChoices(asked.source.value, asked.offline, mirror=asked.mirror)
        supply = make_supply(choices, progress=screen.progress)
        packages = folders(wanted, progress=screen.progress) if wanted else []
        written = supply.pack(names, file.absolute(), folders=packages)
    say(f"{file}: {count(len(written.things), 'thing')}, {bytes_text(file.stat().st_size)} ({bytes_text(written.size)} unpacked)")
    say(f"on the other computer: {command('up', '--offline', '--bundle', file.name)}")


def folders(wanted: Wanted, *, progress: Sink) -> list[Path]:
    """Return the cache folders of a kind lab's images: pulled official images and Debian packages.

    Missing packages are fetched.
    """
    if wanted.lab.provider != "kind":
        return []

    pulled = [each.folder for each in official.find_pulled(wanted.all_images()).values()]
    return sorted(
        [*pulled, *(debian.fetch_root(each, progress=progress).parent for each in list_package_sets(wanted.lab, wanted.images()))]
    )


def everything(wanted: Wanted) -> list[AssetRef | str]:
    """Return the assets that a lab needs to come up, and those for its backups and `lab etcd`."""
    mine = wanted.karmada is not None and wanted.karmada.deployer == "by_binary" and etcds_asked(wanted.karmada)
    return [*wanted.software(), *(TOOLS if mine else ())]
