"""The Go client: find it, run it, and explain its failures."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.assets.command import CommandResult
from lab.assets.gomodule import is_go_at_least
from lab.assets.pins import Pin
from lab.assets.sources import AssetRequest, SourceRefused
from lab.errors import NotPossible, ProvisionError
from lab.hints import command

NO_NETWORK = re.compile(
    r"dial tcp|no such host|i/o timeout|connection refused|network is unreachable|TLS handshake|GOPROXY=off|proxyconnect|EOF$", re.M
)
NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.I)
GET_GO = (
    "install Go from https://go.dev/dl/ (Debian: the golang package of backports) or put it on PATH; or use --source download or bundle"
)


@dataclass(frozen=True)
class GoModule:
    """A module as the Go client unpacked it."""

    directory: Path
    sum: str


class Go:
    """The Go client found on PATH, with the environment that makes its builds depend on the module alone."""

    def __init__(self, errand: AssetRequest, program: str | None = None) -> None:
        """Refused when there is no Go."""
        found = program or os.environ.get("KARMADA_LAB_GO") or shutil.which("go")
        if found is None:
            raise SourceRefused("no Go on PATH")
        self.program = found
        self.errand = errand

    def __call__(self, *args: str, cwd: Path, scratch: Path, on_line: Callable[[str], None] | None = None) -> CommandResult:
        """`go ARGS`; its temporary files go to `scratch`, so that nothing is left when it is killed."""
        return self.errand.run(
            (self.program, *args), cwd=cwd, env=make_go_environment(scratch, offline=self.errand.offline), on_line=on_line
        )

    def version(self, scratch: Path) -> str:
        """Such as go1.26.8; Refused when this Go does not run."""
        ran = self("env", "GOVERSION", cwd=scratch, scratch=scratch)
        if ran.status != 0:
            raise SourceRefused(f"{self.program} does not run: {ran.last_lines}")
        return ran.stdout.strip()

    def needs(self, have: str, need: str, what: str) -> None:
        """Refused when `what` says in its go.mod that it needs a newer Go than this."""
        if not is_go_at_least(have, need):
            raise SourceRefused(f"{what} needs Go {need} or newer, {self.program} is {have}; {GET_GO}")

    def caches(self, scratch: Path) -> tuple[Path, Path]:
        """Go's build cache and module cache."""
        ran = self("env", "GOCACHE", "GOMODCACHE", cwd=scratch, scratch=scratch)
        build, modules = ran.stdout.splitlines()[:2] if ran.status == 0 else ("/", "/")
        return Path(build), Path(modules)

    def module(self, pin: Pin, scratch: Path) -> GoModule:
        """The module of `pin`, in Go's module cache; its checksum is the pinned one.

        Refused without network; ProvisionError when what came is not what is pinned.
        """
        wanted = f"{pin.module}@{pin.module_version}"
        found = self.fetch(wanted, scratch)
        if found.sum != pin.module_sum:
            raise ProvisionError(
                f"checking {wanted} failed: wrong checksum: expected {pin.module_sum}, got {found.sum}",
                where=str(found.directory),
                remedy="check GOPROXY and GONOSUMDB; `go clean -modcache` removes what was fetched",
            )
        return found

    def fetch(self, wanted: str, scratch: Path) -> GoModule:
        """Fetch a module, as MODULE@VERSION, into Go's module cache. Refused without network or when there is no such version."""
        ran = self("mod", "download", "-json", wanted, cwd=scratch, scratch=scratch)
        try:
            answer = json.loads(ran.stdout)
        except ValueError:
            answer = {"Error": ran.last_lines}
        if error := answer.get("Error"):
            raise_if_full(error)
            if "checksum mismatch" in error or "SECURITY ERROR" in error:
                raise ProvisionError(f"{wanted} is not what the checksum database has", detail=error, remedy="check GOPROXY and GONOSUMDB")
            raise SourceRefused(explain_failure(error))
        return GoModule(Path(answer["Dir"]), answer["Sum"])


def make_go_environment(scratch: Path, *, offline: bool) -> Mapping[str, str]:
    """Return what is added to Go's environment; what it inherits, and what is set for every call, is in `lab.environment`."""
    return {"GOTMPDIR": str(scratch)} | ({"GOPROXY": "off"} if offline else {})


def make_build_flags(stamp: Sequence[str], modfile: Path | None, tags: Sequence[str] = ()) -> list[str]:
    """The flags of every build and of the questions about it."""
    flags = [f"-modfile={modfile}", "-mod=mod"] if modfile else ["-buildvcs=false"]
    flags += ["-tags", ",".join(tags)] if tags else []
    return [*flags, "-trimpath", "-ldflags", " ".join(["-s -w", *(f"-X {s}" for s in stamp)])]


def raise_if_full(output: str) -> None:
    """NotPossible when Go complains of a full disk."""
    if NO_SPACE.search(output):
        raise NotPossible(
            "building failed: the disk is full",
            detail=output[-1000:],
            remedy=f"free some: `{command('assets', 'prune')}`, "
            "`go clean -cache`; or set GOCACHE, GOMODCACHE and KARMADA_LAB_CACHE to another disk",
        )


def explain_failure(output: str) -> str:
    """Return the line of Go's error output that has the cause."""
    lines = [line for line in output.strip().splitlines() if line.strip()]
    telling = [line for line in lines if NO_NETWORK.search(line)]
    return (telling or lines or ["no output"])[-1].strip()[:300]
