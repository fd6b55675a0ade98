"""Resource usage of a lab's programs: CPU and memory from /proc, writes from API servers' metrics; and the computer's description."""

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
    """Return CPU seconds and resident bytes of each running program, by name."""
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
    """Return the busy seconds of all cores of this computer so far, by any process."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def describe_machine() -> dict[str, Any]:
    """Return the description of this computer, with its load before the benchmark."""
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
    """The peak memory of all programs of a lab together, sampled every few seconds by its own thread until `stop`."""

    EVERY = 5.0

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.gib = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end the thread."""
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
    """Return the number of writes that an API server has answered, by "verb resource[/subresource] code"; empty when it does not answer.

    Refused writes are counted separately: a rejected event costs less than a written one.
    """
    try:
        text = api.request("GET", "/metrics").text
    except LabError:
        return {}
    return parse_write_counts(text)


def parse_write_counts(metrics: str) -> dict[str, float]:
    """Return the numbers of writes in an API server's metrics."""
    found: defaultdict[str, float] = defaultdict(float)
    for labels, value in REQUEST.findall(metrics):
        label = dict(LABEL.findall(labels))
        if label.get("verb") in WRITES:
            what = label.get("resource", "") + (f"/{label['subresource']}" if label.get("subresource") else "")
            refused = "" if label.get("code", "").startswith("2") else f" {label.get('code')}"
            found[f"{label['verb']} {what}{refused}"] += float(value)
    return dict(found)
