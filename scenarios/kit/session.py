"""One lab for a whole test session, however many processes run its tests.

The processes of a session (pytest, or xdist's controller and workers) agree through a folder: a file lock elects who brings the lab
up, the others wait and attach; if that fails it has failed for all, at once and with the same reason. Each process that runs tests
holds the lab, so a session that is killed leaves it to the supervisor's lease. Who made the lab takes it down at the end.
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

from deployers.bring_up import bring_up
from deployers.wanted import document, prepare
from lab import evidence
from lab.cluster import Lab
from lab.errors import LabError, LeakError, UsageError
from lab.hints import command
from lab.masking import secret_values
from lab.masking.known_values import NOTHING, KnownValues
from lab.run import Run, runs_root
from lab.spec import LabSpec
from lab.supervisor.client import Hold, Supervisor
from lab.take_down import take_down
from lab.terminal.drawing import open_drawing

Json = dict[str, Any]
Keep = Literal["never", "failed", "always"]
SPEC = Path(__file__).parents[1] / "lab.toml"
"""The lab that every scenario here can be asked of."""


class NoLab(Exception):
    """There is no lab for this session. `first`: told to the process that found out; for the others, and from then on, it is `brief`."""

    def __init__(self, why: str, *, first: bool) -> None:
        super().__init__(why)
        self.first = first
        self.brief = f"no lab: {why.splitlines()[0]} (in full: the first error, and the summary)"


@dataclass(frozen=True)
class Wishes:
    """What the options of pytest ask for, as it travels to xdist's workers. `attach`: the lab is somebody's, and stays."""

    lab: str
    folder: str
    artifacts: str
    attach: bool = False
    keep: Keep = "never"
    spec: str | None = None
    changes: Json = field(default_factory=dict)
    source: str = "auto"
    offline: bool = False
    bundle: str | None = None
    mirror: str | None = None
    image_registry: str | None = None

    @property
    def run_path(self) -> Path:
        return runs_root() / self.lab

    @property
    def evidence(self) -> Path:
        """Where evidence of this session is put: it outlives the run directory."""
        return Path(self.artifacts) / self.lab

    def document(self) -> Json:
        """Return what the lab is to be."""
        return document(Path(self.spec) if self.spec else SPEC, **self.changes)

    def lab_spec(self) -> LabSpec:
        """Return the spec of the lab that there will be, or is."""
        return Lab.open(Run.load(self.lab)).spec if self.attach else prepare(self.document(), source=self.spec or str(SPEC)).lab

    def dumped(self) -> Json:
        return asdict(self)


@dataclass(frozen=True)
class SessionOutcome:
    """How bringing up went, once for all processes of a session. `told` is the error as a person reads it; "" is success."""

    told: str = ""
    exit_code: int = 0
    seconds: float = 0.0


class Session:
    """The lab of this process' tests. Nothing happens before the first `lab()`."""

    def __init__(self, wishes: Wishes, label: str) -> None:
        self.wishes = wishes
        self.label = label
        self._lab: Lab | None = None
        self._hold: Hold | None = None
        self.collected = 0
        self._known = NOTHING

    @property
    def outcome(self) -> SessionOutcome | None:
        """How bringing up went; None when nobody has asked for a lab yet."""
        try:
            return SessionOutcome(**json.loads((Path(self.wishes.folder) / "outcome.json").read_text()))
        except FileNotFoundError:
            return None

    @property
    def look(self) -> dict[str, str]:
        """The environment that says how to draw: where other processes write to the same terminal, in lines."""
        return {**os.environ, **({} if self.label == "pytest main" else {"CI": "true"})}

    @property
    def has_lab(self) -> bool:
        """Tell whether this process holds the lab."""
        return self._lab is not None

    def lab(self) -> Lab:
        """Return the lab, brought up by this process or another of the session, or attached to. NoLab when there is none."""
        if self._lab is None:
            Path(self.wishes.folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(Path(self.wishes.folder) / "up.lock"):
                known = self.outcome
                if known is not None and known.told:
                    raise NoLab(known.told, first=False)
                self._hold = self._attached() if self.wishes.attach or known is not None else self._brought_up()
            self._lab = Lab.open(Run.load(self.wishes.lab))
        return self._lab

    def collect(self, reason: str) -> Path:
        """Collect evidence where it outlives the lab; return the directory."""
        self.collected += 1
        run = self._lab.run if self._lab else Run.load(self.wishes.lab)
        return evidence.collect(run, reason, into=self.wishes.evidence)

    def known(self, other: secret_values.SecretValues | None = None, *, ask: bool = True) -> KnownValues:
        """Return what is secret in the lab of this session, and in labs of tests' own: as the clusters say now, or as was known before.

        What any process of the session learns is kept in the session's folder: labs of tests' own are gone before results are masked.
        """
        if not ask and self._known:
            return self._known
        found = other or secret_values.SecretValues()
        found.update(secret_values.ask_clusters(self.wishes.run_path))
        self._known = secret_values.merge_remembered(Path(self.wishes.folder), found).known()
        return self._known

    def keep_journal(self) -> None:
        """Keep the lab's journal beside the evidence, for reports: the run directory will be gone."""
        if (self.wishes.run_path / "run.json").exists():
            evidence.keep_journal(Run.load(self.wishes.lab), self.wishes.evidence)

    def release(self) -> None:
        """Let go of the lab; what becomes of it is for `end` to say."""
        hold, self._hold, self._lab = self._hold, None, None
        if hold is not None:
            hold.release()

    def end(self, *, failed: bool, interrupted: bool) -> tuple[list[str], LabError | None]:
        """Take the lab down if this session made it and is not to keep it; return what there is to say, and the error if it leaks.

        Called once, by the process that began the session, when no test runs any more. Works when bringing up was cut short, too.
        """
        wishes = self.wishes
        said: list[str] = []
        if (wishes.run_path / "run.json").exists() and interrupted:
            said.append(f"evidence: {self.collect('interrupted')}")
        if wishes.attach or not (wishes.run_path / "run.json").exists():
            self.release()
            return said, None
        run = Run.load(wishes.lab)
        if wishes.keep == "always" or (wishes.keep == "failed" and failed):
            with suppress(LabError):
                Supervisor(run.path).hold(self.label).release(keep=True)
            self.release()
            return [*said, f"lab {run.id} is kept: {command('status', lab=run.id)}, {command('down', lab=run.id)}"], None
        outcome = self.outcome
        if outcome is None or outcome.told:
            said += rescue_evidence(run, wishes.evidence)
        self.release()
        try:
            take_down(run)
        except LeakError as leak:
            return said, leak
        return said, None

    # -- the two ways to a lab -------------------------------------------------------------------------------------------

    def _brought_up(self) -> Hold:
        """Bring the lab up; success and failure are written down for the others."""

        def up() -> tuple[Hold, float]:
            wishes = self.wishes
            wanted = prepare(wishes.document(), source=wishes.spec or str(SPEC))
            with open_drawing(f"lab {wishes.lab}", env=self.look) as screen:
                brought = bring_up(
                    wanted,
                    wishes.lab,
                    source=wishes.source,  # type: ignore[arg-type]  # one of the words that the option allows
                    offline=wishes.offline,
                    bundle=Path(wishes.bundle) if wishes.bundle else None,
                    mirror=wishes.mirror,
                    image_registry=wishes.image_registry,
                    watcher=screen.watcher,
                    progress=screen.progress,
                    label=self.label,
                )
            return brought.hold, brought.seconds

        return self._told(up)

    def _attached(self) -> Hold:
        """Hold a lab that is up; UsageError, as NoLab, when it is not."""

        def attach() -> tuple[Hold, float]:
            supervisor = Supervisor(Run.load(self.wishes.lab).path)
            if not supervisor.alive():
                raise UsageError(
                    f"lab {self.wishes.lab} is not up", where=str(self.wishes.run_path), remedy=command("up", lab=self.wishes.lab)
                )
            return supervisor.hold(self.label), 0.0

        return self._told(attach)

    def _told(self, act: Callable[[], tuple[Hold, float]]) -> Hold:
        try:
            hold, seconds = act()
        except BaseException as error:
            told = "\n".join([str(error) or type(error).__name__, *getattr(error, "__notes__", [])])
            self._write(SessionOutcome(told, error.exit_code if isinstance(error, LabError) else 4))
            if isinstance(error, LabError):
                raise NoLab(told, first=True) from error
            raise  # a bug of ours, or an interrupt: its own traceback says more
        if self.outcome is None:
            self._write(SessionOutcome(seconds=seconds))
        return hold

    def _write(self, outcome: SessionOutcome) -> None:
        path = Path(self.wishes.folder) / "outcome.json"
        path.with_suffix(".new").write_text(json.dumps(asdict(outcome)))
        path.with_suffix(".new").replace(path)


def rescue_evidence(run: Run, into: Path) -> list[str]:
    """Move what was collected in a run directory that is about to go; return a line that says where it is."""
    found = sorted(path for path in (run.path / "evidence").glob("*") if path.is_dir())
    for path in found:
        into.mkdir(parents=True, exist_ok=True)
        shutil.move(path, into / path.name)
    return [f"evidence: {into / path.name}" for path in found]
