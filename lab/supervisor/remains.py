"""Orphans: processes of a run without a supervisor, found by record and by tag, identified by pid and start time."""

from __future__ import annotations

from lab import proc
from lab.supervisor import record


def find_orphans(run: str) -> dict[tuple[int, int], str]:
    """Return the living processes of a run by pid and start time, with their names; the caller and its ancestors excepted."""
    spared = proc.list_ancestors()
    found = {
        (pid, started): name
        for name, row in record.read_records(run).items()
        if isinstance(pid := row.get("pid"), int)
        and isinstance(started := row.get("start_time"), int)
        and proc.is_alive(pid, started)
        and pid not in spared
    }
    for pid, started, _ in proc.find_tagged_processes(run):
        found.setdefault((pid, started), proc.read_name(pid))
    return found


def kill_orphans(run: str, *, within: float = 2.0) -> list[str]:
    """Kill what remains of a run and return their names. The caller knows that no supervisor owns them."""
    buried = []
    for (pid, started), name in find_orphans(run).items():
        if proc.kill_process(pid, started, within=within):
            buried.append(f"{name} (pid {pid})")
    return buried
