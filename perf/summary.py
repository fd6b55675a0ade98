"""A result as text: for a terminal, and as Markdown for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]


def format_seconds(value: float | None) -> str:
    """Return seconds as readable text; a dash for None."""
    if value is None:
        return "—"
    return f"{value:.1f} s" if value < 120 else f"{int(value // 60)} min {value % 60:02.0f} s"


def list_phase_rows(result: Result) -> list[tuple[str, str, str, str]]:
    """Return rows of phase, observed time, floor and what governs it."""
    return [
        (
            f"{phase['phase']} {phase['from']}→{phase['to']}",
            format_seconds(phase["observed_seconds"]),
            format_seconds(phase["floor_seconds"]),
            f"{phase['governed_by']}: {phase['sum']}",
        )
        for phase in result["phases"]
    ]


def format_headline(result: Result) -> str:
    """Return a trial in one sentence."""
    pods, limit = result["pods"], result["limit"]
    if result["moving_seconds"] is None:
        return f"{pods['running']} of {pods['wanted']} pods ran on the survivor: {result['why'] or result['verdict']}"
    ratio = (
        explain_missing_ratio(result)
        if result["limit_ratio"] is None
        else f"takes {result['limit_ratio']:.2f} × as long as the survivor alone ({limit['pods_per_second']:g} pods/s)"
    )
    return (
        f"{pods['wanted']} pods moved in {format_seconds(result['total_seconds'])}, "
        f"{format_seconds(result['moving_seconds'])} of them after the taint: "
        f"{result['pods_per_second']:g} pods/s, {ratio}"
    )


def explain_missing_ratio(result: Result) -> str:
    """Return why there is no ratio: the limit was not measured to its end, or under different other load."""
    rate = result["limit"]["pods_per_second"]
    return (
        "limit unknown"
        if rate is None
        else f"not comparable with the survivor alone ({rate:g} pods/s): other load on the computer differed"
    )


def format_counts(result: Result) -> str:
    """Return the numbers of lost, duplicated, late and respawned pods."""
    pods = result["pods"]
    return f"lost {pods['lost']}, duplicated {pods['duplicated']}, late {pods['late']}, respawned {pods['respawned']}"


def format_result(result: Result) -> str:
    """Return a result as text for a terminal."""
    lines = [
        f"{result['name']}: {result['verdict']}" + (f" ({result['why']})" if result["why"] else ""),
        f"  {format_headline(result)}",
        f"  {format_counts(result)}",
    ]
    lines += [f"  {line}" for line in align_rows([("phase", "observed", "floor", "governed by"), *list_phase_rows(result)])]
    for name, key in (("failover", "cpu_ms_per_pod"), ("limit", "cpu_ms_per_pod_of_limit")):
        if used := result[key]:
            most = ", ".join(f"{program} {ms:.1f}" for program, ms in list(used.items())[:6])
            lines.append(f"  CPU of the {name}: {sum(used.values()):.1f} ms per pod ({most})")
    if (nodes := result["nodes"])["mib_per_node"] is not None:
        used = "" if nodes["cpu_ms_per_node"] is None else f", {nodes['cpu_ms_per_node']:.0f} ms of CPU"
        lines.append(f"  a node by {nodes['backend']}: {nodes['mib_per_node']:.2f} MiB{used} ({nodes['processes']} processes)")
    if (others := result["others"])["failover"] is not None:
        beside = "" if others["limit"] is None else f", {others['limit']:.0%} during the limit"
        lines.append(f"  other load took {others['failover']:.0%} of the CPU during the failover{beside}")
    if (most := result["memory_peak_gib"]) is not None:
        lines.append(f"  memory: {most:.1f} GiB at most, all programs together")
    return "\n".join(lines)


def align_rows(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def format_markdown(results: Sequence[Result]) -> str:
    """Return results as Markdown for the summary of a CI job."""
    lines = [
        "## Failover",
        "",
        "| trial | verdict | pods | T0→T8 | T3→T8 | pods/s | × limit | lost / doubled / late |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in results:
        pods = each["pods"]
        ratio = "—" if each["limit_ratio"] is None else f"{each['limit_ratio']:.2f}"
        wrong = f"{pods['lost']} / {pods['duplicated']} / {pods['late']}"
        lines.append(
            f"| {each['name']} | {each['verdict']} | {pods['running']} of {pods['wanted']} | {format_seconds(each['total_seconds'])} | "
            f"{format_seconds(each['moving_seconds'])} | {each['pods_per_second'] or '—'} | {ratio} | {wrong} |"
        )
    for each in results[-1:]:
        lines += ["", f"Phases of {each['name']} at {each['at']}:", "", "| phase | observed | floor | governed by |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in list_phase_rows(each)]
    return "\n".join(lines) + "\n"
