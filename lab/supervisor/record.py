"""What the supervisor leaves on disk about each program, so that `down` and `gc` work after everything crashed.

A record is written before its program is started (state "starting", no pid) and after every change. It is written
whole or not at all; when the disk is full the old one stays, and the tag in the environment still finds the process.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

Json = dict[str, Any]
FOLDER = "processes"
LIVE = frozenset({"starting", "running", "stopping"})
RUNS = LIVE - {"starting"}


def record_path(run: str, name: str) -> str:
    """Return the file of a program's record. '+' stands for '/': it is not allowed in names."""
    return f"{run}/{FOLDER}/{name.replace('/', '+')}.json"


def write_record(run: str, record: Json) -> bool:
    """Replace the record of `record["name"]`. False when it could not be written; nothing is raised."""
    path = record_path(run, record["name"])
    temporary = f"{path}.new"
    try:
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except FileNotFoundError:
            if not os.path.isdir(run):  # the run directory is gone: do not bring it back
                return False
            os.makedirs(os.path.dirname(path), exist_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        content = json.dumps(record).encode()
        try:
            written = os.write(handle, content)
        finally:
            os.close(handle)
        if written == len(content):
            os.rename(temporary, path)
            return True
        os.unlink(temporary)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
    return False


def read_records(run: str) -> dict[str, Json]:
    """Return all records of a run by program name, sorted; what cannot be read is passed over."""
    records: dict[str, Json] = {}
    try:
        entries = sorted(os.listdir(f"{run}/{FOLDER}"))
    except OSError:
        return records
    for entry in entries:
        if not entry.endswith(".json"):
            continue
        try:
            with open(f"{run}/{FOLDER}/{entry}", encoding="utf-8") as file:
                record = json.load(file)
            records[record["name"]] = record
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return records
