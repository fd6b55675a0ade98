"""What a lab's programs have used so far: CPU and memory from /proc, writes from the API servers' own metrics."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress

import psutil

from lab.api import Api
from lab.errors import LabError
from lab.supervisor.client import Supervisor

WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"})
REQUEST = re.compile(r"^apiserver_request_total\{([^}]*)\} ([0-9.e+]+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


def programs(supervisor: Supervisor) -> dict[str, tuple[float, int]]:
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


def writes(api: Api) -> dict[str, float]:
    """Return how many writes an API server has answered, by "verb resource[/subresource] code class"; empty when it does not answer.

    What it refused is counted apart: a rejected event costs less than a written one, but not nothing.
    """
    try:
        text = api.request("GET", "/metrics").text
    except LabError:
        return {}
    return counted(text)


def counted(metrics: str) -> dict[str, float]:
    """Read the writes out of an API server's metrics."""
    found: defaultdict[str, float] = defaultdict(float)
    for labels, value in REQUEST.findall(metrics):
        label = dict(LABEL.findall(labels))
        if label.get("verb") in WRITES:
            what = label.get("resource", "") + (f"/{label['subresource']}" if label.get("subresource") else "")
            refused = "" if label.get("code", "").startswith("2") else f" {label.get('code')}"
            found[f"{label['verb']} {what}{refused}"] += float(value)
    return dict(found)
