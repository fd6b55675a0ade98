"""Processes of a run that nobody supervises any more: found by record and by tag, named by pid and start time."""

from __future__ import annotations

from lab import proc
from lab.supervisor import record


def remains(run: str) -> dict[tuple[int, int], str]:
    """Return the living processes of a run by pid and start time, with their names; the caller and its ancestors excepted."""
    spared = proc.lineage()
    found = {
        (pid, started): name
        for name, row in record.read_all(run).items()
        if isinstance(pid := row.get("pid"), int)
        and isinstance(started := row.get("start_time"), int)
        and proc.alive(pid, started)
        and pid not in spared
    }
    for pid, started, _ in proc.tagged_processes(run):
        found.setdefault((pid, started), proc.name_of(pid))
    return found


def bury(run: str, *, within: float = 2.0) -> list[str]:
    """Kill what remains of a run and return their names. The caller knows that no supervisor owns them."""
    buried = []
    for (pid, started), name in remains(run).items():
        if proc.end(pid, started, within=within):
            buried.append(f"{name} (pid {pid})")
    return buried
