"""The release's charts with their dependencies, and helm, which keeps its files inside the run directory.

Upstream's charts depend on the third-party library chart `common`, which their sources do not contain. Where the repository that the chart
names answers, helm downloads the version in its Chart.lock; elsewhere `common/` beside this file replaces it, with a warning: the same six
templates, written for this project.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deployers.members.karmadactl import environment
from lab.environment import inherit_proxies
from lab.errors import CommandFailed, ProvisionError
from lab.machines.machine import Completed, Machine
from lab.run import Run

Json = dict[str, Any]
STAND_INS = Path(__file__).parent / "charts"
BRING_WITHIN = 20.0
"""Seconds for a chart of some 20 KiB; without a network, resolving the name fails at once."""


@dataclass(frozen=True)
class Helm:
    """helm: the program, the machine it runs on, and a directory in place of the caller's home."""

    program: Path
    machine: Machine
    home: Path

    def __call__(self, *args: str, kubeconfig: Path | None = None, input: str | None = None, within: float = 60.0) -> Completed:
        """Run helm to its end. CommandFailed as in `Machine.run`. Without a kubeconfig it reaches no cluster, and may use a proxy."""
        homes = {f"HELM_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        if kubeconfig is None:
            return self.machine.run((str(self.program), *args), env={**inherit_proxies(), **homes}, input=input, within=within)
        self.home.mkdir(parents=True, exist_ok=True)
        argv = (str(self.program), *args, "--kubeconfig", str(kubeconfig))
        return self.machine.run(argv, env={**environment(str(self.home)), **homes}, input=input, within=within)

    def releases(self, namespace: str, kubeconfig: Path) -> dict[str, Json]:
        """Return the releases of a namespace by name, failed and unfinished ones too."""
        listed = self("list", "--all", "--namespace", namespace, "--output", "json", kubeconfig=kubeconfig).stdout
        return {each["name"]: each for each in json.loads(listed or "[]")}


def complete(chart: Path, helm: Helm, run: Run, *, offline: bool) -> Path:
    """Return a copy of a chart with its dependencies, in the run directory; made once.

    Whether a library chart is upstream's or stands in for it is recorded, and is one of the run's notes where it stands in.
    ProvisionError when a chart that it depends on can neither be brought nor stood in for.
    """
    made = run.folder("data", "charts") / chart.name
    record = f"chart-{chart.name}"
    source = fingerprint(chart)
    if made.is_dir() and (run.recorded("charts", record) or {}).get("source") == source:
        return made
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(chart, made)
    for folder in (made, *made.rglob("*")):  # Go's module cache is read-only
        folder.chmod(0o755 if folder.is_dir() else 0o644)
    brought = {each["name"]: dependency(each, made / "charts", helm, run, offline=offline) for each in dependencies(made)}
    run.record("charts", record, {"source": source, "dependencies": brought})
    return made


def dependencies(chart: Path) -> list[Json]:
    """Return what a chart's lock names: name, repository, version."""
    try:
        return list(yaml.safe_load((chart / "Chart.lock").read_text())["dependencies"])
    except FileNotFoundError:
        return []
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ProvisionError(f"the chart's lock cannot be read: {error}", where=str(chart / "Chart.lock")) from error


def dependency(wanted: Json, to: Path, helm: Helm, run: Run, *, offline: bool) -> str:
    """Put one chart into another one's folder of dependencies; return its source."""
    name, repository, version = wanted["name"], wanted["repository"], wanted["version"]
    to.mkdir(exist_ok=True)
    why = "offline"
    if not offline:
        try:
            helm("pull", name, "--repo", repository, "--version", version, "--untar", "--untardir", str(to), within=BRING_WITHIN)
        except CommandFailed as failed:
            why = (failed.output.strip().splitlines() or ["it ended without a word"])[-1]
        else:
            return f"{repository} {version}"
    if not (STAND_INS / name).is_dir():
        raise ProvisionError(
            f"the chart depends on the chart {name} {version}, which cannot be brought: {why}",
            where=repository,
            remedy="reach that repository once, or put the chart into the release's charts/ beside the others",
        )
    shutil.rmtree(to / name, ignore_errors=True)
    shutil.copytree(STAND_INS / name, to / name)
    text = f"the chart {name} {version} is not upstream's but this project's stand-in: {repository} does not answer ({why})"
    run.record("notes", f"chart-{name}", {"text": text})
    return "stand-in"


def fingerprint(folder: Path) -> str:
    """Return a digest of every file of a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
