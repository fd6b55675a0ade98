"""`lab images`: list, build, lock, load and prune container images that are made without a registry."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from deployers.release import make_supply
from deployers.up import preflight
from deployers.wanted import Wanted, read_wanted
from lab.cli.options import (
    DEFAULT_LAB,
    DeployerOption,
    DryRunOption,
    ImageRegistryOption,
    KubernetesOption,
    LabName,
    Output,
    OutputOption,
    ReleaseOption,
    SpecOption,
    SupplyRequest,
    duration,
    option,
    take_options,
)
from lab.cluster import Lab
from lab.count import count
from lab.errors import NotPossible
from lab.images import Archive, ArchiveStore, load_archive, stock
from lab.images.official import LOCK, ImageLock
from lab.images.pull import make_lock
from lab.images.stock import build_all, find_archive, list_node_images
from lab.machines.local import Local
from lab.run import Run
from lab.terminal.drawing import open_drawing
from lab.terminal.text import Look, bytes_text, format_table, say, seconds_text

app = typer.Typer(help="Manage container images.", no_args_is_help=True, rich_markup_mode=None)
WEEK = 7 * 86400.0
UnusedFor = Annotated[float | None, duration("--unused-for", help="Only what no lab used for this long.", default="7d")]
Everything = Annotated[bool, option("--all", help="Everything that no node uses.")]
Keys = Annotated[list[str] | None, typer.Argument(metavar="[KEY]…", help="Only these archives or node images.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="An archive (see `lab images list`), or the path of a docker-archive.")]
Cluster = Annotated[str | None, option("--cluster", help="Only into this cluster.", metavar="NAME")]


@app.command("list")
def list_(output: OutputOption = Output.text) -> None:
    """List archives and node images: content, size, last use."""
    archives, nodes = list(ArchiveStore().archives()), list_node_images()
    if output is Output.json:
        rows = [row(archive) for archive in archives]
        print(json.dumps({"schema": 1, "archives": rows, "nodes": [vars(node) for node in nodes]}, indent=1))
        return
    now = time.time()
    lines = [("KEY", "IMAGES", "SIZE", "LAST USED")]
    for archive in archives:
        names = [name.rpartition("/")[2] for name in archive.names]
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        lines.append((archive.key, shown, bytes_text(archive.size), f"{seconds_text(now - archive.used)} ago"))
    lines += [(node.id, node.name, bytes_text(node.size), "in use" if node.used else "-") for node in nodes]
    print("\n".join(format_table(lines, look=Look.of(sys.stdout))))
    size = bytes_text(sum(archive.size for archive in archives))
    say(f"{count(len(archives), 'archive')}, {size} in {ArchiveStore().root}; {len(nodes)} node images in Docker")


@dataclass(frozen=True, kw_only=True)
class ImagesRequest:
    """The options that say which images: those of a lab of kind."""

    spec: SpecOption = None
    deployer: DeployerOption = None
    release: ReleaseOption = None
    kubernetes: KubernetesOption = None

    def read(self) -> Wanted:
        """Return the validated lab."""
        changes = {"provider": "kind", "kubernetes": self.kubernetes, "deployer": self.deployer, "release": self.release}
        return read_wanted(self.spec, changes)


@dataclass(frozen=True, kw_only=True)
class BuildRequest(SupplyRequest, ImagesRequest):
    """The options of `lab images build`."""


@dataclass(frozen=True, kw_only=True)
class LockRequest(ImagesRequest):
    """The options of `lab images lock`."""

    image_registry: ImageRegistryOption = None
    output: OutputOption = Output.text


@app.command()
@take_options(BuildRequest)
def build(asked: BuildRequest) -> None:
    """Build every image that a kind lab needs.

    Builds the node image of each Kubernetes version and the images of the deployer's pods, so that `lab up` finds them. Official images
    with a locked digest are pulled, where a registry answers.
    """
    wanted = asked.read()
    with open_drawing("images") as screen:
        supply = make_supply(asked.choices, progress=screen.progress)
        preflight.require(wanted, supply)
        wanted.pull(supply)
        software = {str(ref): path for ref, path in supply.resolve(wanted.software()).items()}
        made = build_all(Local(Path.cwd()), wanted.lab, wanted.images(), software, progress=screen.progress)
    for name, seconds in made:
        say(f"{name}: {seconds_text(seconds) if seconds >= 1 else 'exists already'}")


@app.command()
@take_options(LockRequest)
def lock(asked: LockRequest) -> None:
    """Lock the digests of a lab's official images.

    Asks a registry for the digest of each tag. From then on these images are pulled by digest wherever a registry answers. Locked
    digests of other labs stay.
    """
    found, reasons = make_lock(asked.read().all_images(), registry=asked.image_registry)
    if not found.digests:
        raise NotPossible(
            "could not fetch any image digest",
            detail="\n".join(sorted(set(reasons.values()))),
            remedy="name a registry that answers: --image-registry HOST[/PREFIX]; without digests, images are built here",
        )
    known = ImageLock.read().digests
    ImageLock({**known, **found.digests}).write()
    if asked.output is Output.json:
        print(json.dumps({"schema": 1, "lock": str(LOCK), "digests": dict(found.digests), "absent": reasons}, indent=1))
        return
    for name, digest in found.digests.items():
        print(f"{name} {digest}{'' if known.get(name) in {None, digest} else f' (it was {known[name]})'}")
    for name, why in reasons.items():
        say(f"{name}: {why}: it is built here")
    say(f"{count(len(found.digests), 'digest')} locked in {LOCK}")


@app.command("load")
def load_(archive: Key, lab: LabName = DEFAULT_LAB, cluster: Cluster = None) -> None:
    """Load an archive into the nodes of a lab.

    Images that they have already are skipped.
    """
    into = Lab.open(Run.load(lab))
    found = find_archive(archive)
    for each in [into.cluster(cluster)] if cluster else into.made:
        loaded = load_archive(into, each, found)
        say(f"{each.name}: {', '.join(loaded) if loaded else 'has all images already'}")


@app.command()
def prune(
    keys: Keys = None,
    all_: Everything = False,
    unused_for: UnusedFor = None,
    dry_run: DryRunOption = False,
    output: OutputOption = Output.text,
) -> None:
    """Delete images that no lab used for a week.

    Also deletes node images without a node; never an image that a node uses. Deleted images are built again when a lab needs them.
    """
    pruned = stock.prune_images(keys=keys or (), everything=all_, unused_for=WEEK if unused_for is None else unused_for, dry_run=dry_run)
    if output is Output.json:
        print(json.dumps({"schema": 1, "dry_run": dry_run, "freed": pruned.freed, "removed": list(pruned.removed)}, indent=1))
        return
    for name in pruned.removed:
        print(name)
    for name in pruned.in_use:
        say(f"kept: a node uses {name}")
    say(f"{bytes_text(pruned.freed)} {'would be' if dry_run else 'are'} free again")


def row(archive: Archive) -> dict[str, Any]:
    """Return one archive as `-o json` prints it."""
    images = [{"name": image.name, "digest": image.digest, "size": image.size} for image in archive.images]
    return {"key": archive.key, "path": str(archive.path), "size": archive.size, "used": archive.used, "images": images}
