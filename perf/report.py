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
from perf.result import evaluate_trial as judge
from perf.samples import Samples
from perf.timeline import build_timeline

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
ENVIRONMENT.filters["seconds"] = summary.format_seconds
SAME = ("shape", "profile", "fault", "changes")
MOVES = ("nodes", "survivor_nodes", "applications", "replicas", "mode")
"""The keys, and sizes, that the trials of one trend share; also the namespaces, which results of older versions lack (1)."""


def write_pages(samples: Samples, result: Mapping[str, Any], folder: Path) -> Path:
    """Write result.json, report.html and summary.md of a trial into its folder; return the path of the page."""
    write_private(folder / RESULT, json.dumps(result, indent=1, ensure_ascii=False).encode(), mode=0o644)
    write_private(folder / "summary.md", summary.format_markdown([result]).encode(), mode=0o644)
    write_private(folder / PAGE, render_page(samples, result, read_history(folder.parent, result)).encode(), mode=0o644)
    return folder / PAGE


def read_history(root: Path, result: Mapping[str, Any]) -> list[Json]:
    """Return the saved results of comparable trials, this one included, oldest first. Skip unreadable ones."""
    found = []
    for path in root.glob(f"*/{RESULT}"):
        try:
            saved = json.loads(path.read_text())
            if saved["schema"] == result["schema"] and get_trend_key(saved) == get_trend_key(result):
                found.append(saved)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda saved: str(saved["at"])) or [dict(result)]


def get_trend_key(result: Mapping[str, Any]) -> list[Any]:
    """Return the key that all trials of one trend share."""
    sizes = result["sizes"]
    return [*(result[key] for key in SAME), *(sizes[key] for key in MOVES), sizes.get("namespaces", 1)]


def render_page(samples: Samples, result: Mapping[str, Any], history: list[Json]) -> str:
    """Return the HTML page."""
    seen = build_timeline(samples)
    drawn, left_out = picture.draw_bindings(seen)
    cpu, cpu_of_limit = result["cpu_ms_per_pod"], result["cpu_ms_per_pod_of_limit"]
    return ENVIRONMENT.get_template("page.html.j2").render(
        r=result,
        headline=summary.format_headline(result),
        cards=list_cards(result),
        phases=Markup(picture.draw_phases(result)),  # noqa: S704 (made of numbers and escaped names)
        pods=Markup(picture.draw_pods(result, seen)),  # noqa: S704
        bindings=Markup(drawn),  # noqa: S704
        left_out=left_out,
        bars=Markup(picture.draw_bars(cpu, cpu_of_limit)),  # noqa: S704
        total_cpu=sum(cpu.values()),
        total_limit=sum(cpu_of_limit.values()),
        trend=Markup(picture.draw_trend(history)),  # noqa: S704
        history=history,
        settings=samples.head["settings"],
        objects=samples.head.get("objects", []),
    )


def list_cards(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headline numbers as pairs of label and value."""
    pods, ratio = result["pods"], result["limit_ratio"]
    return [
        ("from fault to last pod", summary.format_seconds(result["total_seconds"])),
        ("from taint to last pod", summary.format_seconds(result["moving_seconds"])),
        ("pods a second", "—" if result["pods_per_second"] is None else f"{result['pods_per_second']:g}"),
        ("times the limit", "—" if ratio is None else f"{ratio:.2f}"),
        ("lost · doubled · late", f"{pods['lost']} · {pods['duplicated']} · {pods['late']}"),
    ]


def evaluate_and_write(samples: Samples, folder: Path, *, goal: float | None) -> Json:
    """Evaluate a trial, write its pages, and return the result."""
    result = judge(samples, goal=goal)
    write_pages(samples, result, folder)
    return result
