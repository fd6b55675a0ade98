"""What runs of one Karmada, read from its run directory, its supervisor and its API: no check that costs more than a few milliseconds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from deployers.backup.verify import fingerprint
from deployers.members.registry import CLUSTERS, Member, not_ready
from deployers.names import NAME
from deployers.operator.plan import Observed
from deployers.plane import pending_operation
from lab.api import Api
from lab.component import HEALTH
from lab.errors import LabError
from lab.run import Run
from lab.supervisor.client import Supervisor

Json = dict[str, Any]
AUTHORITY = "ca.crt"


@dataclass
class PlaneView:
    """One Karmada at one moment. `members` has why each registered one is not Ready ("" when it is)."""

    observed: Observed = field(default_factory=Observed)
    answers: bool = False
    why: str = ""
    """Why it does not answer."""
    programs: int = 0
    running: int = 0
    members: Mapping[str, str] = field(default_factory=dict)
    expires: dt.datetime | None = None
    endpoint: str = ""
    run: Run | None = None


class PlaneReader:
    """Reads one Karmada. It keeps the connection to its API, and certificates that have not changed."""

    def __init__(self) -> None:
        self.api: tuple[float, Api] | None = None
        self.certificates: dict[Path, tuple[float, dt.datetime]] = {}

    def view(self, run: Run | None, *, renew_before: dt.timedelta) -> PlaneView:
        """Return what is there. None of a run: nothing is installed."""
        if run is None:
            return PlaneView()
        complete = any(event["event"] == "up" for event in run.events())
        status = Supervisor(run.path).status()
        expected = [name for name in run.records(HEALTH) if name]
        running = [state for state in status.programs.values() if state.runs] if status else []
        seen = PlaneView(programs=len(expected), running=len(running), run=run)
        members: dict[str, Member] = {}
        if complete and status:
            members = self.ask(run, seen)
        seen.expires = self.first_expiry(run)
        soon = seen.expires is not None and seen.expires - dt.datetime.now(dt.UTC) < renew_before
        seen.observed = Observed(
            asked=dict(run.asked),
            complete=complete,
            alive=status is not None and not status.closing,
            pending=run.recorded(pending_operation.KIND, pending_operation.NAME),
            registered={name: member.mode for name, member in members.items() if not member.leaving},
            leaving=frozenset(name for name, member in members.items() if member.leaving),
            expiring=soon,
        )
        return seen

    def ask(self, run: Run, seen: PlaneView) -> dict[str, Member]:
        """Ask the API of a Karmada that runs for its members, and note whether it answers."""
        try:
            api = self.open_api(run)
            items = api.items(CLUSTERS)
        except (LabError, OSError) as error:
            seen.why = error.what if isinstance(error, LabError) else str(error)
            return {}
        seen.answers = True
        seen.endpoint = api.server
        seen.members = {item["metadata"]["name"]: not_ready(item) or "" for item in items}
        return {item["metadata"]["name"]: Member.of(item) for item in items}

    def open_api(self, run: Run) -> Api:
        """Return the API of the administrator's kubeconfig; the connection is kept while the file is the same."""
        file = run.kubeconfig(NAME)
        changed = file.stat().st_mtime
        if self.api is None or self.api[0] != changed:
            self.api = (changed, Api.open(file))
        return self.api[1]

    def first_expiry(self, run: Run) -> dt.datetime | None:
        """Return when the first of Karmada's own certificates ends; authorities are not among them."""
        folder = run.path / "pki" / NAME
        found: dict[Path, tuple[float, dt.datetime]] = {}
        for file in folder.glob("*.crt"):
            changed = file.stat().st_mtime
            known = self.certificates.get(file)
            found[file] = known if known and known[0] == changed else (changed, read_expiry(file))
        self.certificates = found
        return min((end for _, end in found.values()), default=None)


def read_expiry(file: Path) -> dt.datetime:
    """Return when a certificate ends; the end of time for an authority, which is not renewed."""
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    if certificate.subject == certificate.issuer:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    return certificate.not_valid_after_utc


def fingerprint_authority(run: Run) -> str:
    """Return the first eight characters of the fingerprint of Karmada's authority; "" before it has one."""
    file = run.path / "pki" / NAME / AUTHORITY
    return fingerprint(file)[:8] if file.exists() else ""
