"""`lab up --plan`: print the steps in waves and the assets that would be fetched. Nothing is created, started or fetched."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deployers.up import bring_up, preflight
from deployers.wanted import Wanted
from lab import ports
from lab.assets import Supply
from lab.cli.options import Output
from lab.run import Run
from lab.steps import Step, compute_waves
from lab.terminal.text import Look, bytes_text, format_table

SCHEMA = 1


@dataclass(frozen=True)
class Asset:
    """One asset of the lab: cached, or the first source to try and the cost of building it."""

    name: str
    status: str
    size: int = 0
    minutes: float = 0.0
    gib: float = 0.0
    product: str = ""


def show_plan(wanted: Wanted, *, lab: str, supply: Supply, output: Output) -> None:
    """Print the plan of a lab. Raises the preflight errors of `lab up`."""
    preflight.require(wanted, supply, lab=lab)
    assets = assets_needed(wanted, supply)
    waves = waves_of(wanted, lab, supply)
    if output is Output.json:
        steps = [[{"step": step.name, "needs": list(step.needs)} for step in wave] for wave in waves]
        print(json.dumps({"schema": SCHEMA, "lab": lab, "waves": steps, "assets": [asdict(asset) for asset in assets]}, indent=1))
        return
    print("\n".join(picture(lab, waves, assets, look=Look.of(sys.stdout))))


def assets_needed(wanted: Wanted, supply: Supply) -> list[Asset]:
    """Return the assets of a lab, with the cost of fetching each."""
    found = []
    for pin in dict.fromkeys(supply.pinned(wanted.software()).values()):
        ref = pin.ref
        entry = supply.cache.find(pin, supply.order, use=False)
        if entry is not None:
            found.append(Asset(str(ref), "cached", size=entry.size, product=pin.product))
            continue
        ways = [source for source in supply.order if source != "bundle" or supply.bundle]
        if pin.download is None:
            ways = [source for source in ways if source != "download" or pin.kind == "tree"]
        if supply.offline:
            ways = [source for source in ways if source == "bundle" or (source == "build" and pin.checkout)]
        status = f"to {ways[0]}" if ways and ways[0] != "bundle" else "to unpack" if ways else "missing"
        if len(ways) > 1:
            status += f", else {ways[1]}"
        found.append(Asset(str(ref), status, minutes=pin.cold.minutes, gib=pin.cold.gib, product=f"{pin.product} {pin.version}"))
    return found


def waves_of(wanted: Wanted, lab: str, supply: Supply) -> list[list[Step]]:
    """Return the steps of a lab in waves: each needs only earlier ones. They are computed in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="karmada-lab.plan.") as root:
        run = Run.create(lab, wanted.asked, root=Path(root))
        try:
            software = {ref: Path(root) / ref.name for ref in wanted.software()}
            machines = compute_waves(bring_up.machine_steps(wanted, run, software)) if wanted.lab.machines else []
            checks = compute_waves(bring_up.check_steps(wanted, run, software, supply))
            return [*machines, *checks, *compute_waves(bring_up.steps(wanted, run, software, supply))]
        finally:
            ports.release(run.path)


def picture(lab: str, waves: Sequence[Sequence[Step]], assets: Sequence[Asset], *, look: Look) -> list[str]:
    """Return the plan as lines of text."""
    count = sum(len(wave) for wave in waves)
    lines = [look.paint(f"lab {lab}: {count} steps in {len(waves)} waves; a step starts as soon as its dependencies are done", "bold")]
    for number, wave in enumerate(waves, 1):
        lines.append(f"{number:3}  {', '.join(step.name for step in wave)}")
    lines.append("")
    missing = [asset for asset in assets if asset.status != "cached"]
    lines.append(look.paint(f"{len(assets)} assets: {len(assets) - len(missing)} cached, {len(missing)} to fetch", "bold"))
    rows = [("ASSET", "STATUS", "SIZE")]
    rows += [(asset.name, asset.status, bytes_text(asset.size) if asset.size else "-") for asset in assets]
    lines += format_table(rows, look=look, styles={"cached": ("green",), "missing": ("red",)})
    if products := {asset.product: asset for asset in missing}:
        minutes, gib = sum(a.minutes for a in products.values()), sum(a.gib for a in products.values())
        lines += ["", f"built from nothing on two cores: about {minutes:.0f} min and {gib:.0f} GiB in Go's caches; downloaded: minutes"]
    lines += ["", "nothing was created"]
    return lines
