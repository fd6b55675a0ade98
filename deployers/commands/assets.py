"""`lab assets`: list, verify and prune the cached binaries."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from deployers.release import PINS, catalogue
from lab.assets import Cache, Catalogue
from lab.assets import stock as store
from lab.assets.refs import parse_version
from lab.assets.resolve_pin import find_product, resolve_pin
from lab.assets.sources import AssetRequest
from lab.assets.stock import StockedAsset, list_assets
from lab.assets.user_pins import append_version, find_user_pins, format_version
from lab.cli.options import DryRunOption, Output, OutputOption, duration, option
from lab.count import count
from lab.terminal.drawing import open_drawing
from lab.terminal.text import Look, bytes_text, format_table, say, seconds_text

app = typer.Typer(help="Manage cached binaries.", no_args_is_help=True, rich_markup_mode=None)
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Only these, also when a pinned version needs them.")]
Everything = Annotated[bool, option("--all", help="Everything that no lab runs.")]
Wanted = Annotated[str, typer.Argument(metavar="[NAME]", help="A product or one of its assets; all if left out.")]
Product = Annotated[str, typer.Argument(metavar="NAME", help="A product, as kubernetes or karmada, or one of its assets.")]
PinVersion = Annotated[str, typer.Argument(metavar="VERSION", help="As 1.35.5 or v1.35.5.")]
UnusedFor = Annotated[float | None, duration("--unused-for", help="Only what no lab used for this long, for example 7d.")]
Remove = Annotated[bool, option("--remove", help="Delete damaged files; they are fetched again when a lab needs them.")]


@app.command("list")
def list_(output: OutputOption = Output.text) -> None:
    """List the cache: source, size, last use."""
    cache = Cache()
    show(list_assets(cache, catalogue()), where=str(cache.root), output=output)


@app.command()
def prune(
    names: Names = None,
    all_: Everything = False,
    unused_for: UnusedFor = None,
    dry_run: DryRunOption = False,
    output: OutputOption = Output.text,
) -> None:
    """Delete what no pinned version needs.

    Also deletes damaged files and those that interrupted runs left; never what a lab runs.
    """
    cache = Cache()
    pruned = store.prune_assets(
        cache,
        catalogue(),
        names=names or (),
        everything=all_,
        unused_for=unused_for,
        dry_run=dry_run,
    )
    if output is Output.json:
        rows = [row(each) for each in pruned.removed]
        used = [row(each) for each in pruned.in_use]
        print(json.dumps({"schema": 1, "dry_run": dry_run, "freed": pruned.freed, "removed": rows, "in_use": used}, indent=1))
        return
    for each in pruned.removed:
        print(f"{each.entry.name} {each.entry.version}  {bytes_text(each.size)}")
    for each in pruned.in_use:
        say(f"kept: {each.entry.name} {each.entry.version} is used by {', '.join(each.used_by)}")
    say(f"{bytes_text(pruned.freed)} {'would be' if dry_run else 'are'} free again")


@app.command()
def verify(remove: Remove = False, output: OutputOption = Output.text) -> None:
    """Compare every file with its checksum.

    Exit code 4 when something is damaged and not removed.
    """
    cache = Cache()
    with open_drawing("verify") as screen:
        found = store.verify_assets(cache, catalogue(), progress=screen.progress)
    damaged = [each for each in found if each.wrong]
    if output is Output.json:
        show(found, where=str(cache.root), output=output)
    for each in damaged:
        say(f"{each.entry.name} {each.entry.version}: {each.wrong}")
        if remove:
            store.remove_entry(cache, each.entry.directory)
    say(f"{count(len(found), 'asset')} checked, {len(damaged)} damaged" + (" and removed" if damaged and remove else ""))
    if damaged and not remove:
        raise typer.Exit(4)


@app.command()
def pins(name: Wanted = "", output: OutputOption = Output.text) -> None:
    """List pinned versions: those of karmada-lab, and your own."""
    known, own = catalogue(), Catalogue.load(PINS)
    wanted = [find_product(known, name)] if name else list(known.products)
    rows = []
    for product in wanted:
        thing = next(iter(known.products[product]["things"]))
        rows += [(product, each, "karmada-lab" if each in own.versions(thing) else str(find_user_pins())) for each in known.versions(thing)]
    if output is Output.json:
        print(json.dumps({"schema": 1, "pins": [dict(zip(("product", "version", "from"), each, strict=True)) for each in rows]}, indent=1))
        return
    print("\n".join(format_table([("PRODUCT", "VERSION", "PINNED BY"), *rows], look=Look.of(sys.stdout))))


@app.command()
def pin(name: Product, version: PinVersion, dry_run: DryRunOption = False) -> None:
    """Add a version with its checksums to your own pins file.

    The file is karmada-lab-pins.toml in this directory, or $KARMADA_LAB_PINS. Review and commit it as a lock file.
    """
    known, file = catalogue(), find_user_pins()
    product = find_product(known, name)
    if parse_version(version) in known.versions(next(iter(known.products[product]["things"]))):
        say(f"{product} {parse_version(version)} is pinned already")
        return
    with open_drawing("pin") as screen:
        entry = resolve_pin(known, product, version, AssetRequest(Cache(), screen.progress))
    if dry_run:
        print(format_version(product, entry).strip())
        return
    append_version(known, file, product, entry)
    say(f"{product} {entry['version']} is pinned in {file}")


def row(each: StockedAsset) -> dict[str, Any]:
    """Return one entry as `-o json` prints it."""
    return {
        "name": each.entry.name,
        "version": each.entry.version,
        "source": each.entry.source,
        "origin": each.entry.origin,
        "size": each.size,
        "used": each.used,
        "used_by": list(each.used_by),
        "current": each.current,
        "wrong": each.wrong,
        "path": str(each.entry.path),
    }


def show(found: Sequence[StockedAsset], *, where: str, output: Output) -> None:
    """Print entries of the cache."""
    if output is Output.json:
        print(json.dumps({"schema": 1, "cache": where, "assets": [row(each) for each in found]}, indent=1))
        return
    rows = [("ASSET", "VERSION", "SOURCE", "SIZE", "LAST USED", "STATE")]
    now = time.time()
    for each in found:
        state = each.wrong or (f"in use by {len(each.used_by)}" if each.used_by else "needed" if each.current else "no longer pinned")
        rows.append(
            (each.entry.name, each.entry.version, each.entry.source, bytes_text(each.size), f"{seconds_text(now - each.used)} ago", state)
        )
    print("\n".join(format_table(rows, look=Look.of(sys.stdout))))
    say(f"{count(len(found), 'asset')}, {bytes_text(sum(each.size for each in found))} in {where}")
