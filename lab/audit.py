"""The audit log of an API server: every write, who and when, without bodies. It is evidence, watched from the first request."""

from __future__ import annotations

from pathlib import Path

from lab.run import Run, write_private
from lab.yaml_text import dump_yaml

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {
            "level": "None",
            "resources": [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["events"]}, {"group": "events.k8s.io"}],
        },
        {"level": "None", "resources": [{"group": "authorization.k8s.io"}, {"group": "authentication.k8s.io"}]},
        {"level": "Metadata"},
    ],
}
"""Reads, leases, events and access reviews would be nine tenths of it and explain nothing."""


def policy_file(run: Run) -> Path:
    """Where the policy is: one file for all API servers of a run."""
    return run.path / "audit-policy.yaml"


def write_policy(run: Run) -> None:
    """Write the policy file of a run."""
    write_private(policy_file(run), dump_yaml(POLICY).encode(), mode=0o644)


def audit_flags(run: Run, cluster: str) -> dict[str, str]:
    """Return the API server's flags. Batched: a request never waits for the disk."""
    return {
        "audit-policy-file": str(policy_file(run)),
        "audit-log-path": str(run.path / "logs" / cluster / "audit.jsonl"),
        "audit-log-mode": "batch",
        "audit-log-maxsize": "100",
        "audit-log-maxbackup": "2",
    }


def find_audit_logs(run: Run, cluster: str) -> list[Path]:
    """Return the audit log of an API server that runs here: what was rotated away first. Empty where there is none."""
    folder = run.path / "logs" / cluster
    return [*sorted(folder.glob("audit-*.jsonl")), *folder.glob("audit.jsonl")]  # a rotated one carries the moment of its end
