"""`lab bench picture`: the phases of a saved failover as one SVG file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lab.errors import UsageError
from perf.picture import draw_phases

STYLE = """<style>
svg { background: #fff } text { fill: #1c2128; font: 13px system-ui, sans-serif } .small { font-size: 11.5px; fill: #59636e }
.on { fill: #fff; font-size: 12px } .grid { stroke: #d8dee4; fill: none }
.detect { fill: #656f7a } .taint { fill: #6d58b5 } .evict { fill: #8f5f00 } .reschedule { fill: #b0487d }
.apply { fill: #3f78a8 } .start { fill: #237a60 } .purge { fill: #5470c6 }
</style>"""
Result = Annotated[Path, typer.Argument(metavar="RESULT", help="result.json of a saved trial.", exists=True, dir_okay=False)]
Target = Annotated[Path, typer.Argument(metavar="FILE", help="Where the picture goes.", dir_okay=False)]


def picture(result: Result, file: Target) -> None:
    """Draw the phases of a saved failover as an SVG file.

    Example: lab bench picture _artifacts/failover/…/result.json failover.svg
    """
    try:
        drawn = draw_phases(json.loads(result.read_bytes()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"drawing failed: this is not the result of a failover: {error}", where=str(result)) from error
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="960" ', 1).replace("</title>", f"</title>{STYLE}", 1)
    )
    print(file)
