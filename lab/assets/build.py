"""Source "build": upstream's commands by the ordinary Go client, with the dependencies that upstream's go.mod and go.sum name.

The module's own directory in Go's module cache (or the checkout) is the main module; it is never written to. Only the folders that are
not in a module's archive are replaced, in a copy of go.mod in the work area (`gomodule.modfile`). All wanted commands of a module are
one `go build`: one package graph, all cores. Each program must be the requested command, link upstream's dependencies and print the
pinned version.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.assets import gomodule
from lab.assets.cache import copy_tree, disk_full_error
from lab.assets.checkout import Checkout
from lab.assets.golang import NO_NETWORK, Go, explain_failure, make_build_flags, raise_if_full
from lab.assets.pins import Pin
from lab.assets.progress import Activity, AssetProgress
from lab.assets.sources import AssetRequest, SourceRefused, name_pins
from lab.assets.stock import remove_old_builds
from lab.errors import ProvisionError

PACKAGE_BYTES = 1_200_000  # Go's build cache grew by 0.9 MB a package of helm, 1.1 MB of kubernetes
PROGRAM_BYTES = 300_000_000  # a linked program, in Go's temporary directory and in the cache; kube-apiserver is 103 MB


def build_assets(pins: Sequence[Pin], errand: AssetRequest) -> None:
    """Builds `pins`, module by module, into the cache; the errand has the reasons for those that it could not build here.

    ProvisionError when a module does not compile, is not the pinned one, or its programs are not what upstream ships.
    """
    groups: dict[tuple[str, str, str], list[Pin]] = {}
    for pin in pins:
        groups.setdefault((pin.module, pin.version, pin.content), []).append(pin)
    for group in groups.values():
        try:
            build_module(group, errand)
            errand.arrived("build")
        except SourceRefused as why:
            errand.refuse(group, "build", str(why))


def build_module(pins: Sequence[Pin], errand: AssetRequest) -> None:
    """Brings `pins`, all of one module and version, into the cache; what another run built meanwhile is taken from it."""
    first = pins[0]
    subject = name_pins(pins) if len(pins) < 3 else f"{first.product} {first.version}"
    lock = f"build-{first.module.replace('/', '_')}-{first.content or first.version}"
    with errand.cache.working(lock, subject=subject, progress=errand.tell) as area:
        missing = [pin for pin in pins if errand.cache.find(pin, ("build",)) is None]
        if not missing:
            return
        trees = [pin for pin in missing if pin.kind == "tree"]
        commands = [pin for pin in missing if pin.kind == "binary"]
        go = Go(errand)
        have = go.version(area)
        left = errand.left_but(pins)
        if first.checkout is None:
            errand.tell(AssetProgress("fetching", subject, note=first.module, left=left))
            if commands and not is_fetched(go, first, area):
                check_space(errand, go, area, int(first.cold.gib * 2**30))
            source = go.module(first, area).directory
        else:
            source = first.checkout
        for tree in trees:
            copy_directory(tree, source, area, errand)
        build = Build(subject, source, area, go, have, left)
        for batch in batch_commands([pin for pin in commands if not pin.test]):
            build(batch)
        for batch in batch_commands([pin for pin in commands if pin.test]):
            build(batch)


def batch_commands(commands: Sequence[Pin]) -> list[list[Pin]]:
    """Commands that one `go build` can write to one directory: Go names a program after its folder, and two folders may share a name."""
    found: list[list[Pin]] = []
    for pin in commands:
        home = next((batch for batch in found if pin.builds not in {p.builds for p in batch}), None)
        if home is None:
            found.append([pin])
        else:
            home.append(pin)
    return found


def copy_directory(tree: Pin, source: Path, area: Path, errand: AssetRequest) -> None:
    """A directory of the module into the cache. Refused when the module has none of that name."""
    began = time.monotonic()
    made = area / f"{tree.name}.tree"
    if not (source / tree.path).is_dir():
        raise SourceRefused(f"{source} has no directory {tree.path}")
    copy_tree(source / tree.path, made)
    errand.cache.publish(tree, "build", made, origin=f"{tree.checkout or tree.module} {tree.path}", seconds=time.monotonic() - began)


@dataclass(frozen=True)
class Build:
    """Builds of one module's commands: where its source is, and the Go (`have` is its version) that compiles it in `area`."""

    subject: str
    source: Path
    area: Path
    go: Go
    have: str
    left: tuple[str, ...]

    def __call__(self, commands: Sequence[Pin]) -> None:
        """One `go build` of `commands`, or one `go test -c` where they are tests, checked and taken into the cache."""
        first, began = commands[0], time.monotonic()
        flags = make_build_flags(first.stamp, self.modfile(first), first.tags)
        packages = [pin.path for pin in commands]
        stale = self.stale(first, flags, packages)
        check_space(self.go.errand, self.go, self.area, len(stale) * PACKAGE_BYTES + len(commands) * PROGRAM_BYTES)
        if not stale:
            self.tell("linking", began, len(commands), len(commands), "programs")
        out = self.area / f"{first.name}.out"
        out.mkdir()
        on_line = self.counting(stale)
        verb = ("test", "-c", "-vet=off") if first.test else ("build", "-v")
        ran = self.go(*verb, *flags, "-o", f"{out}/", *packages, cwd=self.source, scratch=self.area, on_line=on_line)
        if ran.status != 0:
            raise_failed(first, ran.stderr, self.source)
        if first.checkout and Checkout.of(self.source, module=first.module, run=self.go.errand.run).content != first.content:
            raise ProvisionError(
                "building the checkout failed: its files changed during the build",
                where=str(self.source),
                remedy="run again without editing files",
            )
        took = (time.monotonic() - began) / len(commands)
        for pin in commands:
            self.tell("checking", began, 0, None, "", pin.name)
            self.check(pin, out / pin.builds)
            built = self.area / f"{pin.name}.built"
            (out / pin.builds).rename(built)
            origin = f"{pin.checkout or pin.module} {pin.path} by {self.have}"
            self.go.errand.cache.publish(pin, "build", built, origin=origin, seconds=took)
            if pin.checkout is not None:
                remove_old_builds(self.go.errand.cache, pin.name, origin)

    def modfile(self, pin: Pin) -> Path | None:
        """Return upstream's go.mod and go.sum in the work area, for a build that takes its dependencies from go.mod; None for a checkout.

        Refused when this Go is too old for it.
        """
        go_mod = (self.source / "go.mod").read_text()
        self.go.needs(self.have, gomodule.parse_go_mod(go_mod).go, self.subject)
        if pin.checkout is not None:
            return None
        modfile = self.area / "upstream.mod"
        modfile.write_text(gomodule.rewrite_go_mod(go_mod, pin.siblings))
        modfile.with_suffix(".sum").write_bytes((self.source / "go.sum").read_bytes())
        return modfile

    def stale(self, pin: Pin, flags: Sequence[str], packages: Sequence[str]) -> set[str]:
        """The packages that are to be compiled; the modules they are in are fetched on the way."""
        began, count = time.monotonic(), 0

        def on_line(line: str) -> None:
            nonlocal count
            if line.startswith("go: downloading"):
                count += 1
                self.tell("fetching", began, count, None, "modules")

        form = "{{if .Stale}}{{.StaleReason}}\t{{.ImportPath}}{{end}}"
        ran = self.go(
            "list",
            *flags,
            "-deps",
            *(["-test"] if pin.test else []),
            "-f",
            form,
            *packages,
            cwd=self.source,
            scratch=self.area,
            on_line=on_line,
        )
        if ran.status != 0:
            raise_failed(pin, ran.stderr, self.source)
        reasons = (line.split("\t") for line in ran.stdout.splitlines() if "\t" in line)
        return {package for reason, package in reasons if not reason.startswith("not installed but available")}

    def counting(self, stale: set[str]) -> Callable[[str], None]:
        """Hears what `go build -v` says: one line a package that it compiles."""
        began = time.monotonic()
        compiled: set[str] = set()

        def on_line(line: str) -> None:
            if line in stale and line not in compiled:
                compiled.add(line)
                self.tell("linking" if compiled == stale else "compiling", began, len(compiled), len(stale), "packages")

        return on_line

    def tell(self, activity: Activity, began: float, done: int, total: int | None, unit: str, note: str = "") -> None:
        self.go.errand.tell(AssetProgress(activity, self.subject, done, total, unit, time.monotonic() - began, note, self.left))

    def check(self, pin: Pin, made: Path) -> None:
        """ProvisionError unless `made` is the command of `pin`, links what upstream's go.mod names, and says its version."""
        answer = self.go("version", "-m", str(made), cwd=self.area, scratch=self.area).stdout
        if f"\tpath\t{pin.package}\n" not in answer:
            raise ProvisionError(
                f"{pin.name} was built from another package than {pin.package}", detail=answer[:500], remedy="check assets.toml"
            )
        wrong = []
        if pin.checkout is None:
            wrong = gomodule.list_unexpected(
                answer, (self.source / "go.mod").read_text(), (self.source / "go.sum").read_text(), pin.siblings
            )
        if wrong:
            raise ProvisionError(
                f"{pin.name} {pin.version} was not built from the versions that upstream names",
                where=str(self.source / "go.mod"),
                detail="\n".join(wrong),
                remedy="check `siblings` of it in assets.toml",
            )
        if pin.test:
            return  # test binaries print no version and list no dependencies; the pinned checksum covers their module
        ran = self.go.errand.run((str(made), *pin.says), cwd=self.area, env={})
        if pin.version not in ran.stdout + ran.stderr:
            raise ProvisionError(
                f"checking {pin.name} failed: it does not print the version {pin.version}",
                where=" ".join([pin.builds, *pin.says]),
                detail=ran.stdout + ran.stderr,
                remedy="check `stamp` and `says` of it in assets.toml",
            )


def is_fetched(go: Go, pin: Pin, scratch: Path) -> bool:
    """Whether the module of `pin` is in Go's module cache already."""
    return (go.caches(scratch)[1] / f"{pin.module}@{pin.module_version}").is_dir()


def check_space(errand: AssetRequest, go: Go, scratch: Path, need: int) -> None:
    """NotPossible when a disk that the build writes to has not `need` bytes free: now, rather than after ten minutes."""
    for place in (errand.cache.root, *go.caches(scratch)):
        at = place
        while not at.exists():
            at = at.parent
        if shutil.disk_usage(at).free < need:
            raise disk_full_error(at, need)


def raise_failed(pin: Pin, output: str, source: Path) -> None:
    """Why Go failed: the disk, the network (another source may do), or the code."""
    output = "\n".join(line for line in output.splitlines() if " " in line or ":" in line)  # -v names packages between the complaints
    raise_if_full(output)
    last = "\n".join(output.splitlines()[-30:])
    if NO_NETWORK.search(output):
        raise SourceRefused(explain_failure(output))
    if pin.checkout:
        remedy = "see the compiler's output above"
        raise ProvisionError(f"compiling the checkout of {pin.product} failed", where=str(source), detail=last, remedy=remedy)
    remedy = "use --source download or bundle; `go version` should be a recent release"
    raise ProvisionError(f"building {pin.product} {pin.version} failed", where=str(source), detail=last, remedy=remedy)
