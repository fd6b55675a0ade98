"""Pictures of a trial as inline SVG: pure functions of its timeline and result. Colours are CSS classes of the page.

Every picture has a title for screen readers and scales with the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from perf.timeline import MILESTONES, Timeline

WIDTH, LEFT, RIGHT = 960, 92, 14
ROWS_AT_MOST = 400
"""Maximum of bindings drawn, one per line; of more, an even selection is drawn, and the caption says so."""
DOTS_AT_MOST = 600
LABELS_AT_MOST = 12
"""Maximum of trials with labelled dots; of more only the latest has a label."""


def compute_scale(end: float) -> tuple[float, list[float]]:
    """Return pixels per second, and about five round seconds to mark."""
    end = max(end, 1.0)
    step = next(size for size in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200) if end / size <= 8 or size == 7200)
    return (WIDTH - LEFT - RIGHT) / end, [float(mark) for mark in range(0, int(end) + 1, step)]


def draw_svg(height: int, title: str, parts: Sequence[str]) -> str:
    """Return an SVG element."""
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label={quoteattr(title)}><title>{escape(title)}</title>{body}</svg>'


def draw_text(x: float, y: float, content: str, *, anchor: str = "start", cls: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{cls}">{escape(content)}</text>'


def draw_axis(pixels: float, marks: Sequence[float], top: float, bottom: float) -> str:
    """Return the seconds below a picture and the lines up from them."""
    lines = "".join(f"M{LEFT + mark * pixels:.1f} {top:.1f}V{bottom:.1f}" for mark in marks)
    return f'<path class="grid" d="{lines}"/>' + "".join(
        draw_text(LEFT + mark * pixels, bottom + 14, f"{mark:g} s", anchor="middle", cls="small") for mark in marks
    )


def draw_phases(result: Mapping[str, Any]) -> str:
    """Return the phases one after another, to scale, above the points that were seen."""
    end = max([point for point in result["points"].values() if point is not None], default=1.0)
    pixels, marks = compute_scale(end)
    parts = [draw_axis(pixels, marks, 8, 70)]
    at = 0.0
    for name, seconds in result["seconds"].items():
        if seconds is None:
            break
        parts.append(
            f'<rect class="phase {name}" x="{LEFT + at * pixels:.2f}" y="14" width="{max(0.6, seconds * pixels):.2f}" height="34">'
            f"<title>{name}: {seconds:.2f} s</title></rect>"
        )
        if seconds * pixels > 52:
            parts.append(draw_text(LEFT + (at + seconds / 2) * pixels, 35, f"{name} {seconds:.1f}", anchor="middle", cls="on"))
        at += seconds
    taken = -100.0
    for point, seen in result["points"].items():
        if seen is not None and LEFT + seen * pixels - taken > 22:
            taken = LEFT + seen * pixels
            parts.append(draw_text(taken, 62, point, anchor="middle", cls="small"))
    parts.append(draw_text(0, 35, "phases", cls="small"))
    return draw_svg(90, "the phases of the failover, in seconds since the fault", parts)


def draw_bindings(seen: Timeline) -> tuple[str, str]:
    """Return a line per application, earliest eviction at the top, and a note on what is not drawn."""
    journeys = sorted((each for each in seen.journeys if each.evicted is not None), key=lambda each: (each.evicted or 0, each.name))
    step = max(1, -(-len(journeys) // ROWS_AT_MOST))
    shown = journeys[::step]
    zero = seen.points["T3"] or 0.0
    end = max([each.get_time(stone) or 0.0 for each in shown for stone in MILESTONES], default=zero + 1.0) - zero
    pixels, marks = compute_scale(end)
    height = max(60, min(520, 8 * len(shown)))
    each_high = height / max(1, len(shown))
    paths: dict[str, list[str]] = {stone: [] for stone in MILESTONES}
    for row, journey in enumerate(shown):
        before = zero
        for stone in MILESTONES:
            now = journey.get_time(stone)
            if now is None:
                continue
            if now > before:
                y = 8 + (row + 0.5) * each_high
                paths[stone].append(f"M{LEFT + (before - zero) * pixels:.1f} {y:.1f}H{LEFT + (now - zero) * pixels:.1f}")
            before = max(before, now)
    wide = max(0.8, each_high - (1 if each_high > 3 else 0))
    parts = [draw_axis(pixels, marks, 8, height + 10)]
    parts += [f'<path class="way {stone}" stroke-width="{wide:.2f}" d="{"".join(drawn)}"/>' for stone, drawn in paths.items() if drawn]
    parts.append(draw_text(0, 20, f"{len(journeys)} bindings", cls="small"))
    note = f"One in {step} of {len(journeys)} bindings is drawn." if step > 1 else ""
    return draw_svg(
        int(height) + 30, "each binding: until evicted, rescheduled, applied, running, purged; seconds since the taint", parts
    ), note


def draw_pods(result: Mapping[str, Any], seen: Timeline) -> str:
    """Return the running pods on the survivor over time, beside its rate without Karmada from the taint on (dashed)."""
    times = np.sort(np.array([pod.running for pod in seen.pods]))
    wanted = max(1, result["pods"]["wanted"])
    limit, taint = result["limit"], seen.points["T3"]
    rate = limit["pods_per_second"] if limit["comparable"] else None
    ideal = taint + wanted / rate if rate and taint is not None else None
    end = max([float(times[-1]) if times.size else 1.0, ideal or 0.0])
    pixels, marks = compute_scale(end)
    high = 200

    def place(at: float, count: float) -> str:
        return f"{LEFT + at * pixels:.1f} {10 + high * (1 - count / wanted):.1f}"

    picked = sorted({round(index) for index in np.linspace(0, times.size - 1, min(times.size, DOTS_AT_MOST))})
    line = "".join(f"L{place(float(times[index]), index + 1)}" for index in picked)
    parts = [draw_axis(pixels, marks, 10, 10 + high), f'<path class="line" d="M{place(0, 0)}{line}"/>']
    if ideal is not None and taint is not None:
        parts.append(f'<path class="line ideal" d="M{place(taint, 0)}L{place(ideal, wanted)}"/>')
    parts += [
        draw_text(LEFT - 8, 18, f"{wanted}", anchor="end", cls="small"),
        draw_text(LEFT - 8, 10 + high, "0", anchor="end", cls="small"),
    ]
    parts.append(draw_text(0, 110, "pods", cls="small"))
    return draw_svg(high + 40, "pods that run on the survivor, in seconds since the fault; dashed: the survivor without Karmada", parts)


def draw_bars(failover: Mapping[str, float], limit: Mapping[str, float], *, most: int = 14) -> str:
    """Return bars of CPU per pod by program: of the failover and, thinner, of the limit."""
    names = list(failover)[:most]
    widest = max([*failover.values(), *limit.values(), 0.001])
    start, room = 250, WIDTH - 250 - 70
    parts = []
    for row, name in enumerate(names):
        y = 6 + row * 24
        parts.append(draw_text(start - 8, y + 13, name, anchor="end", cls="small"))
        parts.append(f'<rect class="bar" x="{start}" y="{y}" width="{failover[name] / widest * room:.1f}" height="12"/>')
        parts.append(f'<rect class="bar limit" x="{start}" y="{y + 13}" width="{limit.get(name, 0.0) / widest * room:.1f}" height="5"/>')
        parts.append(draw_text(start + failover[name] / widest * room + 6, y + 11, f"{failover[name]:.2f}", cls="small"))
    return draw_svg(12 + 24 * len(names), "CPU milliseconds per pod by program; thin: of the limit", parts)


def draw_trend(history: Sequence[Mapping[str, Any]]) -> str:
    """Return T3→T8 of saved trials of the same kind, oldest first; dots of trials that are not ok are hollow."""
    values = [each["moving_seconds"] or 0.0 for each in history]
    top = max([*values, 1.0])
    room, high = WIDTH - LEFT - 3 * RIGHT, 120
    step = room / max(1, len(values) - 1) if len(values) > 1 else 0
    parts = [
        draw_text(LEFT - 8, 16, f"{top:.0f} s", anchor="end", cls="small"),
        draw_text(LEFT - 8, 10 + high, "0", anchor="end", cls="small"),
    ]
    points = [(LEFT + number * step, 10 + high * (1 - value / top)) for number, value in enumerate(values)]
    parts.append(f'<path class="line" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>')
    for (x, y), each in zip(points, history, strict=True):
        good = "" if each["verdict"] == "ok" else " hollow"
        title = escape(f"{each['at']}: {each['moving_seconds']} s, {each['limit_ratio']} × the survivor alone, {each['verdict']}")
        parts.append(f'<circle class="dot{good}" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{title}</title></circle>')
        if len(history) <= LABELS_AT_MOST or each is history[-1]:
            parts.append(draw_text(x, y + 16, f"{each['moving_seconds'] or 0.0:.0f} s", anchor="middle", cls="small"))
    for number, anchor in ((0, "start"), (-1, "end"))[: len(history)]:
        parts.append(draw_text(points[number][0], high + 42, history[number]["at"][:16].replace("T", " "), anchor=anchor, cls="small"))
    return draw_svg(high + 50, "seconds from taint to the last pod, over saved trials", parts)
