"""What the computer is, and what a lab's programs have used of it so far: CPU and memory from /proc, writes from API servers' metrics."""

from __future__ import annotations

import os
import platform
import re
import threading
from collections import defaultdict
from contextlib import suppress
from typing import Any

import psutil

from lab.api import Api
from lab.errors import LabError
from lab.supervisor.client import Supervisor

WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"})
REQUEST = re.compile(r"^apiserver_request_total\{([^}]*)\} ([0-9.e+]+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


def measure_programs(supervisor: Supervisor) -> dict[str, tuple[float, int]]:
    """Return CPU seconds and resident bytes of each program that runs, by name."""
    status = supervisor.status()
    used: dict[str, tuple[float, int]] = {}
    for name, state in (status.programs if status else {}).items():
        if state.pid is None:
            continue
        with suppress(psutil.Error):
            process = psutil.Process(state.pid)
            times = process.cpu_times()
            used[name] = (times.user + times.system, process.memory_info().rss)
    return used


def measure_busy_seconds() -> float:
    """Return the seconds for which any core of this computer has been busy so far, whoever's work that was."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def describe_machine() -> dict[str, Any]:
    """Return what is measured on, and how busy that is before."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def measure_own() -> tuple[float, int]:
    """Return CPU seconds and resident bytes of this process."""
    process = psutil.Process()
    times = process.cpu_times()
    return times.user + times.system, process.memory_info().rss


class PeakMemory:
    """The most memory that all programs of a lab had at once, looked at every few seconds by a thread of its own until `stop`."""

    EVERY = 5.0

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.gib = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look once more, and no more."""
        self._stop.set()
        self._thread.join(self.EVERY)

    def _run(self) -> None:
        while True:
            last = self._stop.wait(self.EVERY)
            with suppress(LabError):
                self.gib = max(self.gib, sum(rss for _cpu, rss in measure_programs(self.supervisor).values()) / 2**30)
            if last:
                return


def read_write_counts(api: Api) -> dict[str, float]:
    """Return how many writes an API server has answered, by "verb resource[/subresource] code class"; empty when it does not answer.

    What it refused is counted apart: a rejected event costs less than a written one, but not nothing.
    """
    try:
        text = api.request("GET", "/metrics").text
    except LabError:
        return {}
    return parse_write_counts(text)


def parse_write_counts(metrics: str) -> dict[str, float]:
    """Read the writes out of an API server's metrics."""
    found: defaultdict[str, float] = defaultdict(float)
    for labels, value in REQUEST.findall(metrics):
        label = dict(LABEL.findall(labels))
        if label.get("verb") in WRITES:
            what = label.get("resource", "") + (f"/{label['subresource']}" if label.get("subresource") else "")
            refused = "" if label.get("code", "").startswith("2") else f" {label.get('code')}"
            found[f"{label['verb']} {what}{refused}"] += float(value)
    return dict(found)
