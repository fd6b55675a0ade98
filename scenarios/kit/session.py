"""One lab for a whole test session, shared by all processes that run its tests.

The processes of a session (pytest, or xdist's controller and workers) coordinate through a folder: the process that gets the file lock
brings the lab up, the others wait and attach. A failure to bring it up is recorded there and fails the tests of all processes with the
same error. Each process that runs tests holds the lab's lease, so the supervisor ends the lab of a killed session. A session takes down
only a lab that it brought up.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from deployers.day2.snapshots.fork import fork_lab
from deployers.day2.snapshots.snapshot import open_snapshot
from deployers.release import make_supply
from deployers.up.bring_up import bring_up
from deployers.wanted import document, merge_asked, prepare
from lab import evidence
from lab.cluster import Lab
from lab.errors import LabError, LeakError, UsageError
from lab.hints import command
from lab.masking import secret_values
from lab.masking.known_values import NOTHING, KnownValues
from lab.run import Run, runs_root
from lab.spec import LabSpec
from lab.specs import DEFAULT
from lab.supervisor.client import Hold, Supervisor
from lab.supply_choices import SupplyChoices
from lab.take_down import take_down
from lab.terminal.drawing import open_drawing

Json = dict[str, Any]
Keep = Literal["never", "failed", "always"]


class NoLab(Exception):
    """There is no lab for this session. The process that found out shows the whole error (`first`); the others show `brief`."""

    def __init__(self, why: str, *, first: bool) -> None:
        super().__init__(why)
        self.first = first
        self.brief = f"no lab: {why.splitlines()[0]} (in full: the first error, and the summary)"


@dataclass(frozen=True)
class SessionOptions:
    """The options of a session, in a form that xdist can send to its workers. `attach`: use a lab that is up, and leave it up."""

    lab: str
    folder: str
    artifacts: str
    attach: bool = False
    keep: Keep = "never"
    spec: str | None = None
    snapshot: str | None = None
    """The snapshot that the lab begins from, in place of a lab file."""
    changes: Json = field(default_factory=dict)
    supply: Json = field(default_factory=dict)
    """Where assets come from, as `SupplyChoices` writes it."""

    @property
    def run_path(self) -> Path:
        return runs_root() / self.lab

    @property
    def evidence(self) -> Path:
        """The directory for evidence of this session, outside of the run directory, which is removed with the lab."""
        return Path(self.artifacts) / self.lab

    @property
    def source(self) -> str:
        """What errors call the document's origin."""
        return f"snapshot {self.snapshot}" if self.snapshot else self.spec or str(DEFAULT)

    def document(self) -> Json:
        """Return the document that the lab is made from. UsageError or NotPossible when its snapshot cannot be used."""
        if self.snapshot:
            return merge_asked(open_snapshot(self.snapshot).asked)
        return document(Path(self.spec) if self.spec else DEFAULT, **self.changes)

    def lab_spec(self) -> LabSpec:
        """Return the spec of the lab: of the running one with `attach`, else of the one to bring up."""
        return Lab.open(Run.load(self.lab)).spec if self.attach else prepare(self.document(), source=self.source).lab


@dataclass(frozen=True)
class SessionOutcome:
    """Result of bringing the lab up, shared by all processes of a session. `error` is the text to print; "" is success."""

    error: str = ""
    exit_code: int = 0
    seconds: float = 0.0


class Session:
    """This process' part in the session. It starts nothing before the first call of `lab()`."""

    def __init__(self, options: SessionOptions, label: str) -> None:
        self.options = options
        self.label = label
        self._lab: Lab | None = None
        self._hold: Hold | None = None
        self.collected = 0
        self._known = NOTHING

    @property
    def outcome(self) -> SessionOutcome | None:
        """The result of bringing the lab up; None before the first attempt."""
        try:
            return SessionOutcome(**json.loads((Path(self.options.folder) / "outcome.json").read_text()))
        except FileNotFoundError:
            return None

    @property
    def look(self) -> dict[str, str]:
        """The environment for drawing progress. With xdist several processes share the terminal, so progress is plain lines (CI=true)."""
        return {**os.environ, **({} if self.label == "pytest main" else {"CI": "true"})}

    @property
    def has_lab(self) -> bool:
        """Return whether this process holds the lab."""
        return self._lab is not None

    def lab(self) -> Lab:
        """Return the lab: attach to it, or bring it up if no process of the session has. Raise NoLab when that failed."""
        if self._lab is None:
            Path(self.options.folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(Path(self.options.folder) / "up.lock"):
                known = self.outcome
                if known is not None and known.error:
                    raise NoLab(known.error, first=False)
                self._hold = self._attached() if self.options.attach or known is not None else self._brought_up()
            self._lab = Lab.open(Run.load(self.options.lab))
        return self._lab

    def collect(self, reason: str) -> Path:
        """Collect evidence outside of the run directory; return its directory."""
        self.collected += 1
        run = self._lab.run if self._lab else Run.load(self.options.lab)
        return evidence.collect(run, reason, into=self.options.evidence)

    def known(self, other: secret_values.SecretValues | None = None, *, ask: bool = True) -> KnownValues:
        """Return the secrets of the session's lab and of `other`. Without `ask` return those of the last call, if there are any.

        Secrets that any process learns are kept in the session's folder: extra labs are gone when results are masked.
        """
        if not ask and self._known:
            return self._known
        found = other or secret_values.SecretValues()
        found.update(secret_values.ask_clusters(self.options.run_path))
        self._known = secret_values.merge_remembered(Path(self.options.folder), found).known()
        return self._known

    def keep_journal(self) -> None:
        """Copy the lab's journal beside the evidence, for reports: the run directory is removed with the lab."""
        if (self.options.run_path / "run.json").exists():
            evidence.keep_journal(Run.load(self.options.lab), self.options.evidence)

    def release(self) -> None:
        """Release this process' hold on the lab; `end` decides whether it is taken down."""
        hold, self._hold, self._lab = self._hold, None, None
        if hold is not None:
            hold.release()

    def end(self, *, failed: bool, interrupted: bool) -> tuple[list[str], LabError | None]:
        """Take the lab down if this session brought it up and need not keep it. Return lines for the summary, and a LeakError if it leaks.

        The first process of the session calls this once, after the last test, also when bringing up was interrupted.
        """
        options = self.options
        lines: list[str] = []
        if (options.run_path / "run.json").exists() and interrupted:
            lines.append(f"evidence: {self.collect('interrupted')}")
        if options.attach or not (options.run_path / "run.json").exists():
            self.release()
            return lines, None
        run = Run.load(options.lab)
        if options.keep == "always" or (options.keep == "failed" and failed):
            with suppress(LabError):
                Supervisor(run.path).hold(self.label).release(keep=True)
            self.release()
            return [*lines, f"lab {run.id} is kept: {command('status', lab=run.id)}, {command('down', lab=run.id)}"], None
        outcome = self.outcome
        if outcome is None or outcome.error:
            lines += rescue_evidence(run, options.evidence)
        self.release()
        try:
            take_down(run)
        except LeakError as leak:
            return lines, leak
        return lines, None

    # -- the two ways to a lab -------------------------------------------------------------------------------------------

    def _brought_up(self) -> Hold:
        """Bring the lab up and record the result for the other processes."""

        def up() -> tuple[Hold, float]:
            options = self.options
            wanted = prepare(options.document(), source=options.source)
            with open_drawing(f"lab {options.lab}", env=self.look) as screen:
                supply = make_supply(SupplyChoices.of(options.supply), progress=screen.progress)
                if options.snapshot:
                    snapshot = open_snapshot(options.snapshot)
                    brought = fork_lab(snapshot, options.lab, supply=supply, watcher=screen.watcher, label=self.label)
                else:
                    brought = bring_up(wanted, options.lab, supply=supply, watcher=screen.watcher, label=self.label)
            return brought.hold, brought.seconds

        return self._record(up)

    def _attached(self) -> Hold:
        """Hold a lab that is up. Raise NoLab with a usage error when it is not."""

        def attach() -> tuple[Hold, float]:
            supervisor = Supervisor(Run.load(self.options.lab).path)
            if not supervisor.alive():
                raise UsageError(
                    f"lab {self.options.lab} is not up", where=str(self.options.run_path), remedy=command("up", lab=self.options.lab)
                )
            return supervisor.hold(self.label), 0.0

        return self._record(attach)

    def _record(self, act: Callable[[], tuple[Hold, float]]) -> Hold:
        """Return the hold that `act` gets; record success or failure for the other processes."""
        try:
            hold, seconds = act()
        except BaseException as error:
            text = "\n".join([str(error) or type(error).__name__, *getattr(error, "__notes__", [])])
            self._write(SessionOutcome(text, error.exit_code if isinstance(error, LabError) else 4))
            if isinstance(error, LabError):
                raise NoLab(text, first=True) from error
            raise  # a bug of ours, or an interrupt: its own traceback says more
        if self.outcome is None:
            self._write(SessionOutcome(seconds=seconds))
        return hold

    def _write(self, outcome: SessionOutcome) -> None:
        path = Path(self.options.folder) / "outcome.json"
        path.with_suffix(".new").write_text(json.dumps(asdict(outcome)))
        path.with_suffix(".new").replace(path)


def rescue_evidence(run: Run, into: Path) -> list[str]:
    """Move evidence out of a run directory that is about to be removed; return a line for each directory."""
    found = sorted(path for path in (run.path / "evidence").glob("*") if path.is_dir())
    for path in found:
        into.mkdir(parents=True, exist_ok=True)
        shutil.move(path, into / path.name)
    return [f"evidence: {into / path.name}" for path in found]
