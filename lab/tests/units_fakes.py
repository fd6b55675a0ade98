"""A program that systemd is asked to run."""

from __future__ import annotations

from pathlib import Path

from lab.program import Program

PROGRAM = Program(name="member1/etcd", argv=("/bin/etcd", "--a=b c", "--pct=100%"), log=Path("/l/etcd.log"), env={"A": "$x"})
