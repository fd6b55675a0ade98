"""Causes in etcd: alarms, which make every write fail until they are cleared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from lab.component import parse_flags
from lab.diagnosis.cause import Cause, Rank
from lab.supervisor.state import ProgramState

REMEDIES = {
    "NOSPACE": "compact and defragment it, then disarm the alarm: etcdctl compact, etcdctl defrag, etcdctl alarm disarm",
    "CORRUPT": "restore a backup: its members do not hold the same data",
}


def find_store_causes(states: Mapping[str, ProgramState], *, within: float) -> Iterator[Cause]:
    """Yield a cause for each running etcd of a lab that reports an alarm on its metrics endpoint (etcd: /health, etcdhttp/health.go)."""
    for name, state in states.items():
        url = parse_flags(state.argv).get("listen-metrics-urls") if state.state == "running" else None
        if isinstance(url, str) and (alarm := read_alarm(url, within=within)):
            kind = next((each for each in REMEDIES if each in alarm), "")
            yield Cause(
                Rank.STORE, f"{name} has raised the alarm {kind or alarm}: it refuses writes", REMEDIES.get(kind, ""), blocking=True
            )


def read_alarm(url: str, *, within: float) -> str:
    """Return the alarm that etcd's /health reports, as "ALARM NOSPACE"; "" when there is none, or no answer."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return ""
    connection = HTTPConnection(parts.hostname, parts.port, timeout=within)
    try:
        connection.request("GET", "/health")
        answer = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return ""
    finally:
        connection.close()
    reason = str(answer.get("reason", "")) if isinstance(answer, dict) else ""
    return reason if "ALARM" in reason else ""
