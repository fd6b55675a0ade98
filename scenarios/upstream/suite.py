"""The suite of a release: compiled from its module, with the ginkgo that it links, and the specs that it has."""

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
"""Where its sources come from, as traces show it. Tests carry no list of their modules (`go version -m`), but they carry this."""


@dataclass(frozen=True)
class UpstreamSuite:
    """Two programs that fit each other: the suite, and the ginkgo that runs it in parallel."""

    release: Release
    program: Path
    ginkgo: Path

    @classmethod
    def of(cls, release: str, supply: Supply) -> UpstreamSuite:
        """Bring the suite of a release, a version or a checkout: from the cache, or compiled, which takes minutes.

        Errors as of `lab.assets`; NotPossible when its module holds no such suite, or the ginkgo that it links is not pinned.
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
        """Return what specs it has, in the order of the sources. No cluster is needed: none is run. ProvisionError when it does not say."""
        with TemporaryDirectory(prefix="karmada-lab-specs-") as folder:
            report = Path(folder) / "specs.json"
            ran = run((str(self.program), "-ginkgo.dry-run", f"-ginkgo.json-report={report}"), cwd=Path(folder), env={"KUBECONFIG": ""})
            found = read(report)
            if ran.status != 0 or found is None or not found.results:
                raise ProvisionError("upstream's suite does not say what specs it has", where=str(self.program), detail=ran.last_words)
            return list(found.results)


def ginkgo_of(program: Path) -> str:
    """Return the version of ginkgo that a suite is linked with. ProvisionError when it has none: it is no such suite."""
    found = LINKED.search(program.read_bytes())
    if found is None:
        raise ProvisionError(
            "this is not a suite of ginkgo's", where=str(program), remedy=f"{command('assets', 'verify')}; {command('assets', 'prune')}"
        )
    return found[1].decode()
