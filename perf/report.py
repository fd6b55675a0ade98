"""The page of a trial: one HTML file that needs no server and no network, beside its samples. Written by perf.failover and perf.judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lab.run import write_private
from perf import picture, summary
from perf.result import result as judge
from perf.samples import Samples
from perf.timeline import timeline

Json = dict[str, Any]
PAGE, RESULT = "report.html", "result.json"
ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=lambda value: "—" if value is None else value,  # a figure that was not measured
)
ENVIRONMENT.filters["seconds"] = summary.seconds
SAME = ("shape", "profile", "fault", "changes")
MOVES = ("nodes", "survivor_nodes", "applications", "replicas", "mode")
"""In what trials, and their sizes, must agree to stand in one trend; and in namespaces, of which trials before there were more had one."""


def write(samples: Samples, result: Mapping[str, Any], folder: Path) -> Path:
    """Write result.json, report.html and summary.md of a trial into its folder; return the page's path."""
    write_private(folder / RESULT, json.dumps(result, indent=1, ensure_ascii=False).encode(), mode=0o644)
    write_private(folder / "summary.md", summary.markdown([result]).encode(), mode=0o644)
    write_private(folder / PAGE, page(samples, result, history(folder.parent, result)).encode(), mode=0o644)
    return folder / PAGE


def history(root: Path, result: Mapping[str, Any]) -> list[Json]:
    """Return the saved results of trials like this one, oldest first, itself among them. What cannot be read is passed over."""
    found = []
    for path in root.glob(f"*/{RESULT}"):
        try:
            saved = json.loads(path.read_text())
            if saved["schema"] == result["schema"] and alike(saved) == alike(result):
                found.append(saved)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda saved: str(saved["at"])) or [dict(result)]


def alike(result: Mapping[str, Any]) -> list[Any]:
    """Return what trials of one trend have in common."""
    sizes = result["sizes"]
    return [*(result[key] for key in SAME), *(sizes[key] for key in MOVES), sizes.get("namespaces", 1)]


def page(samples: Samples, result: Mapping[str, Any], history: list[Json]) -> str:
    """Return the page."""
    seen = timeline(samples)
    drawn, left_out = picture.bindings(seen)
    cpu, cpu_of_limit = result["cpu_ms_per_pod"], result["cpu_ms_per_pod_of_limit"]
    return ENVIRONMENT.get_template("page.html.j2").render(
        r=result,
        headline=summary.headline(result),
        cards=cards(result),
        phases=Markup(picture.phases(result)),  # noqa: S704 (made of numbers and escaped names)
        pods=Markup(picture.pods(result, seen)),  # noqa: S704
        bindings=Markup(drawn),  # noqa: S704
        left_out=left_out,
        bars=Markup(picture.bars(cpu, cpu_of_limit)),  # noqa: S704
        total_cpu=sum(cpu.values()),
        total_limit=sum(cpu_of_limit.values()),
        trend=Markup(picture.trend(history)),  # noqa: S704
        history=history,
        settings=samples.head["settings"],
        objects=samples.head.get("objects", []),
    )


def cards(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the figures at the top."""
    pods, ratio = result["pods"], result["limit_ratio"]
    return [
        ("from fault to last pod", summary.seconds(result["total_seconds"])),
        ("from taint to last pod", summary.seconds(result["moving_seconds"])),
        ("pods a second", "—" if result["pods_per_second"] is None else f"{result['pods_per_second']:g}"),
        ("times the limit", "—" if ratio is None else f"{ratio:.2f}"),
        ("lost · doubled · late", f"{pods['lost']} · {pods['duplicated']} · {pods['late']}"),
    ]


def judged(samples: Samples, folder: Path, *, goal: float | None) -> Json:
    """Judge a trial, write its pages, and return the result."""
    result = judge(samples, goal=goal)
    write(samples, result, folder)
    return result
