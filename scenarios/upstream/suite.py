"""The suite of a release: compiled from its module, with the ginkgo that it links, and its specs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deployers.release import SUITE, Release
from lab.assets import AssetRef, Supply
from lab.assets.command import CommandRunner, spawn
from lab.errors import NotPossible, ProvisionError, UsageError
from lab.hints import command
from scenarios.upstream.spec import Spec, read

LINKED = re.compile(rb"github\.com/onsi/ginkgo/v2@v([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*)/")
"""The path of ginkgo's sources in stack traces. Test binaries have no module list (`go version -m`), but they contain this path."""


@dataclass(frozen=True)
class UpstreamSuite:
    """Two programs of matching versions: the suite, and the ginkgo that runs it in parallel."""

    release: Release
    program: Path
    ginkgo: Path

    @classmethod
    def of(cls, release: str, supply: Supply) -> UpstreamSuite:
        """Return the suite of a release, a version or a checkout: from the cache, or compiled, which takes minutes.

        Errors as of `lab.assets`; NotPossible when its module has no such suite, or the ginkgo that it links is not pinned.
        """
        return cls.compiled(Release.parse(release, supply=supply))

    @classmethod
    def compiled(cls, release: Release) -> UpstreamSuite:
        """See `of`."""
        try:
            program = release.bring([SUITE])[SUITE]
        except ProvisionError as error:
            if "directory not found" in (error.detail or ""):
                raise NotPossible(
                    f"{release} has no suite test/e2e/suites/base in its module",
                    where=error.where,
                    detail=error.detail,
                    remedy="1.17.1 and later have one",
                ) from error
            raise
        version = ginkgo_of(program)
        try:
            ginkgo = release.supply.resolve([ref := AssetRef("ginkgo", version)])[ref]
        except UsageError as error:
            raise NotPossible(
                f"{release}'s suite links ginkgo {version}, which is not pinned here",
                where="deployers/assets.toml [ginkgo]",
                remedy=error.remedy,
            ) from error
        return cls(release, program, ginkgo)

    def specs(self, *, run: CommandRunner = spawn) -> Sequence[Spec]:
        """Return its specs in the order of the sources. A dry run needs no cluster. ProvisionError when the dry run fails."""
        with TemporaryDirectory(prefix="karmada-lab-specs-") as folder:
            report = Path(folder) / "specs.json"
            ran = run((str(self.program), "-ginkgo.dry-run", f"-ginkgo.json-report={report}"), cwd=Path(folder), env={"KUBECONFIG": ""})
            found = read(report)
            if ran.status != 0 or found is None or not found.results:
                raise ProvisionError("listing the specs of upstream's suite failed", where=str(self.program), detail=ran.last_lines)
            return list(found.results)


def ginkgo_of(program: Path) -> str:
    """Return the version of ginkgo that a suite is linked with. ProvisionError when the program is not a ginkgo suite."""
    found = LINKED.search(program.read_bytes())
    if found is None:
        raise ProvisionError(
            "this program is not a ginkgo suite", where=str(program), remedy=f"{command('assets', 'verify')}; {command('assets', 'prune')}"
        )
    return found[1].decode()
