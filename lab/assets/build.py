"""Source "build": upstream's commands by the ordinary Go client, with the dependencies that upstream's go.mod and go.sum name.

The module's own directory in Go's module cache (or the checkout) is the main module; it is never written to. Only the folders that are
not in a module's archive are replaced, in a copy of go.mod in the work area (`gomodule.modfile`). All wanted commands of a module are
one `go build`: one package graph, all cores. Each result must name upstream's dependencies and print the pinned version.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from lab.assets import gomodule
from lab.assets.cache import copy_tree, disk_full
from lab.assets.checkout import Checkout
from lab.assets.golang import NO_NETWORK, Go, build_flags, raise_if_full, short
from lab.assets.pins import Pin
from lab.assets.progress import Activity, Progress
from lab.assets.sources import Errand, Refused
from lab.errors import ProvisionError

PACKAGE_BYTES = 2_000_000  # measured: Go's build cache grew by 1.2 MB a package compiled; the links and margin on top
PROGRAM_BYTES = 300_000_000  # a linked program, once in Go's temporary directory and once in the cache
MODULES_BYTES = 2_000_000_000  # unpacked modules of the largest product, before any of them is here


def bring(pins: Sequence[Pin], errand: Errand) -> None:
    """Builds `pins`, module by module, into the cache; the errand has the reasons for those that it could not build here.

    ProvisionError when a module does not compile, is not the pinned one, or its programs are not what upstream ships.
    """
    for group in by_module(pins):
        try:
            build_module(group, errand)
            errand.arrived("build")
        except Refused as why:
            errand.refuse(group, "build", str(why))


def by_module(pins: Sequence[Pin]) -> list[list[Pin]]:
    """Pins that one `go build` makes, in the order they were asked for."""
    groups: dict[tuple[str, str, str], list[Pin]] = {}
    for pin in pins:
        groups.setdefault((pin.module, pin.version, pin.content), []).append(pin)
    return list(groups.values())


def build_module(pins: Sequence[Pin], errand: Errand) -> None:
    """Brings `pins`, all of one module and version, into the cache; what another run built meanwhile is taken from it."""
    first = pins[0]
    subject = f"{first.product} {first.version}"
    lock = f"build-{first.module.replace('/', '_')}-{first.content or first.version}"
    with errand.cache.working(lock, subject=subject, progress=errand.tell) as area:
        missing = [pin for pin in pins if errand.cache.find(pin, ("build",)) is None]
        if not missing:
            return
        began = time.monotonic()
        go = Go(errand)
        have = go.version(area)
        if first.checkout is None:
            errand.tell(Progress("fetching", subject, note=first.module, left=errand.left_but(pins)))
            check_space(errand, go, area, MODULES_BYTES if not fetched(go, first, area) else 0)
            source = go.module(first, area).directory
        else:
            source = first.checkout
        origin = f"{first.module} {first.module_version}" if first.checkout is None else str(first.checkout)
        for tree in (pin for pin in missing if pin.kind == "tree"):
            made = area / f"{tree.name}.tree"
            if not (source / tree.path).is_dir():
                raise Refused(f"there is no {tree.path} in {source}")
            copy_tree(source / tree.path, made)
            errand.cache.publish(tree, "build", made, origin=f"{origin}: {tree.path}", seconds=time.monotonic() - began)
        commands = [pin for pin in missing if pin.kind == "binary"]
        if commands:
            compile_all(commands, pins, source, area, go, have, errand)


def compile_all(commands: Sequence[Pin], group: Sequence[Pin], source: Path, area: Path, go: Go, have: str, errand: Errand) -> None:
    """One `go build` of `commands`, checked and taken into the cache."""
    first = commands[0]
    subject = f"{first.product} {first.version}"
    left = errand.left_but(group)
    go_mod = (source / "go.mod").read_text()
    go.needs(have, gomodule.parse_go_mod(go_mod).go, subject)
    modfile = None
    if first.checkout is None:
        modfile = area / "upstream.mod"
        modfile.write_text(gomodule.modfile(go_mod, first.siblings))
        modfile.with_suffix(".sum").write_bytes((source / "go.sum").read_bytes())
    flags = build_flags(first.stamp, modfile)
    packages = [pin.path for pin in commands]

    began = time.monotonic()
    count = 0

    def on_fetched(line: str) -> None:
        nonlocal count
        if line.startswith("go: downloading"):
            count += 1
            errand.tell(Progress("fetching", subject, count, None, "modules", time.monotonic() - began, left=left))

    reason = "{{if .Stale}}{{.StaleReason}}\t{{.ImportPath}}{{end}}"
    ran = go("list", *flags, "-deps", "-f", reason, *packages, cwd=source, scratch=area, on_line=on_fetched)
    if ran.status != 0:
        raise_failed(first, ran.last_words, source)
    stale = {line.split("\t")[1] for line in ran.stdout.splitlines() if "\t" in line and not line.startswith("not installed but available")}
    check_space(errand, go, area, len(stale) * PACKAGE_BYTES + len(commands) * PROGRAM_BYTES)

    began = time.monotonic()
    compiled: set[str] = set()

    def on_compiled(line: str) -> None:
        if line in stale and line not in compiled:
            compiled.add(line)
            activity: Activity = "linking" if len(compiled) == len(stale) else "compiling"
            errand.tell(Progress(activity, subject, len(compiled), len(stale), "packages", time.monotonic() - began, left=left))

    if not stale:
        errand.tell(Progress("linking", subject, len(commands), len(commands), "programs", left=left))
    out = area / "out"
    out.mkdir()
    ran = go("build", "-v", *flags, "-o", f"{out}/", *packages, cwd=source, scratch=area, on_line=on_compiled)
    if ran.status != 0:
        raise_failed(first, ran.last_words, source)
    took = time.monotonic() - began
    if first.checkout and Checkout.of(source, module=first.module, run=errand.run).content != first.content:
        raise ProvisionError("the checkout changed while it was built", where=str(source), remedy="run again when it is at rest")
    for pin in commands:
        made = out / pin.builds
        errand.tell(Progress("checking", subject, note=pin.name, left=left))
        check(pin, made, source, go, area)
        named = area / pin.name
        made.rename(named)
        errand.cache.publish(pin, "build", named, origin=f"{pin.module} {pin.path} by {have}", seconds=took / len(commands))


def check(pin: Pin, made: Path, source: Path, go: Go, scratch: Path) -> None:
    """ProvisionError unless the program `made` links what upstream's go.mod names and says that it is the version of `pin`."""
    if pin.checkout is None:
        said = go("version", "-m", str(made), cwd=scratch, scratch=scratch).stdout
        if wrong := gomodule.strangers(said, (source / "go.mod").read_text(), (source / "go.sum").read_text(), pin.siblings):
            raise ProvisionError(
                f"{pin.name} {pin.version} was not built from the versions that upstream names",
                where=str(source / "go.mod"),
                detail="\n".join(wrong),
                remedy="check `siblings` of it in assets.toml",
            )
    ran = go.errand.run((str(made), *pin.says), cwd=scratch, env={})
    if pin.version not in ran.stdout + ran.stderr:
        raise ProvisionError(
            f"{pin.name} does not say that it is {pin.version}",
            where=" ".join([pin.builds, *pin.says]),
            detail=ran.stdout + ran.stderr,
            remedy="check `stamp` and `says` of it in assets.toml",
        )


def fetched(go: Go, pin: Pin, scratch: Path) -> bool:
    """Whether the module of `pin` is in Go's module cache already."""
    return (go.caches(scratch)[1] / f"{pin.module}@{pin.module_version}").is_dir()


def check_space(errand: Errand, go: Go, scratch: Path, need: int) -> None:
    """NotPossible when a disk that the build writes to has not `need` bytes free: now, rather than after ten minutes."""
    for place in (errand.cache.root, *go.caches(scratch)):
        at = place
        while not at.exists():
            at = at.parent
        if shutil.disk_usage(at).free < need:
            raise disk_full(at, need)


def raise_failed(pin: Pin, words: str, source: Path) -> None:
    """Why Go failed: the disk, the network (another source may do), or the code."""
    raise_if_full(words)
    if NO_NETWORK.search(words):
        raise Refused(short(words))
    what = f"the checkout does not compile: {pin.product}" if pin.checkout else f"{pin.product} {pin.version} does not build"
    remedy = "the compiler's words above say where" if pin.checkout else "use --source download or bundle; `go version` should be a recent release"
    raise ProvisionError(what, where=str(source), detail=words, remedy=remedy)
