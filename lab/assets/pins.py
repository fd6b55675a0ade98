"""The pinned assets: `assets.toml` read into a Catalogue of Pins. The head of `lab/assets.toml` explains its keys.

A Pin is one thing at one version for one architecture, with all that is needed to bring it by any source. Its `key` is a hash of what
its content follows from (module checksum, package, stamps, tags, published checksum), so a changed pin is never served from an old cache.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lab.assets.refs import AssetRef, parse_version, version_key
from lab.documents import read_toml
from lab.errors import NotPossible, UsageError
from lab.hints import command

SCHEMA = 1
PINS_FILE = Path(__file__).parent.parent / "assets.toml"
Kind = Literal["binary", "tree"]


@dataclass(frozen=True)
class Siblings:
    """go.mod `replace` lines to folders under `path` become `version` of the module that they replace; without one they are dropped."""

    path: str
    version: str


@dataclass(frozen=True)
class Download:
    """One official file. `sha256` is the published figure, or None: then `checksum` is the address of the release's own checksum file.

    `member` is where the thing is inside the archive, None when the file is the thing itself.
    """

    url: str
    sha256: str | None
    checksum: str | None
    member: str | None


@dataclass(frozen=True)
class ColdBuild:
    """What a first build of the product took: minutes, and GiB in Go's caches (2 cores, both caches empty)."""

    minutes: float
    gib: float


@dataclass(frozen=True)
class Pin:
    """One thing at one version: all that any source needs to bring it, and nothing that depends on where it was found."""

    name: str
    version: str
    product: str
    kind: Kind
    arch: str
    module: str
    module_version: str
    module_sum: str
    path: str  # of the command's package or of the directory, inside the module
    builds: str  # what `go build` calls the program
    siblings: Siblings | None
    stamp: tuple[str, ...]
    says: tuple[str, ...]
    download: Download | None
    no_download: str
    cold: ColdBuild
    tags: tuple[str, ...] = ()
    checkout: Path | None = None
    content: str = ""  # of a checkout: what its working tree holds
    test: bool = False  # the tests of the package at `path` as one program, in place of a command

    @property
    def package(self) -> str:
        """What the program says its package is: `go version -m` tells it."""
        return f"{self.module}/{self.path.removeprefix('./')}".removesuffix("/.") + (".test" if self.test else "")

    @property
    def ref(self) -> AssetRef:
        return AssetRef(self.name, str(self.checkout) if self.checkout else self.version)

    @functools.cached_property
    def key(self) -> str:
        """Hash of everything the content follows from."""
        facts = [self.name, self.version, self.kind, self.arch, self.module, self.module_version, self.module_sum, self.path]
        facts += [*self.stamp, self.content, self.download.sha256 or "" if self.download else ""]
        facts += [self.siblings.version if self.siblings else "", *self.tags]
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


class Catalogue:
    """Every thing that is pinned, of one or several files."""

    def __init__(self, files: Mapping[str, Mapping[str, Any]], arch: str) -> None:
        """`files` maps where the data came from to parsed TOML. UsageError names the file and the key that is wrong."""
        self.arch = arch
        self.products: dict[str, Mapping[str, Any]] = {}
        """The table of each product, as its file has it."""
        self._pins: dict[str, dict[str, Pin]] = {}
        for where, data in files.items():
            if data.get("schema") != SCHEMA:
                raise UsageError(f"schema {data.get('schema')!r} is not {SCHEMA}", where=where, remedy="use the file of this version")
            for product, table in data.items():
                if product != "schema":
                    self._read(where, product, table)

    @classmethod
    def load(cls, *paths: Path, arch: str | None = None) -> Catalogue:
        """The lab's own pins and those of `paths`, for this computer's architecture unless `arch` says another."""
        return cls({str(path): read_toml(path, what="the pins") for path in (PINS_FILE, *paths)}, arch or detect_arch())

    def extend(self, where: str, data: Mapping[str, Any]) -> None:
        """Add further versions of products that are known, from a pins file. UsageError names the file and what is wrong in it."""
        if data.get("schema") != SCHEMA:
            raise UsageError(
                f"schema {data.get('schema')!r} is not {SCHEMA}", where=where, remedy=f"begin the file with: schema = {SCHEMA}"
            )
        for product, added in data.items():
            if product == "schema":
                continue
            if product not in self.products:
                raise UsageError(f"unknown product {product!r}", where=where, remedy=f"there are: {', '.join(self.products)}")
            try:
                for entry in added["versions"]:
                    self._add(where, product, entry)
            except (KeyError, TypeError, AttributeError) as error:
                raise UsageError(f"a key is missing or of the wrong type: {error}", where=f"{where} [{product}]") from error

    def _add(self, where: str, product: str, entry: Mapping[str, Any]) -> None:
        """Add one version of a product. A version that is pinned already must have the same checksums."""
        table = self.products[product]
        for name, thing in table["things"].items():
            pin = make_pin(product, table, name, thing, entry, self.arch)
            if self._pins[name].setdefault(pin.version, pin).module_sum != pin.module_sum:
                raise UsageError(
                    f"{product} {pin.version} is pinned already, with another checksum",
                    where=where,
                    remedy="remove it from this file: karmada-lab pins it",
                )

    def _read(self, where: str, product: str, table: Mapping[str, Any]) -> None:
        try:
            for name, thing in table["things"].items():
                if name in self._pins:
                    raise UsageError(f"{name} is pinned twice", where=f"{where} [{product}.things]")
                versions = [make_pin(product, table, name, thing, entry, self.arch) for entry in table["versions"]]
                self._pins[name] = {pin.version: pin for pin in versions}
            self.products[product] = table
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"a key is missing or of the wrong type: {error}", where=f"{where} [{product}]") from error

    def __iter__(self) -> Iterator[Pin]:
        return (pin for versions in self._pins.values() for pin in versions.values())

    def names(self, product: str | None = None) -> list[str]:
        """What can be asked for, of one product or of all."""
        return [name for name, of in self._pins.items() if product in (None, next(iter(of.values())).product)]

    def versions(self, name: str) -> list[str]:
        """Pinned versions of `name`, the default first; UsageError for a name that is not there."""
        if name not in self._pins:
            near = difflib.get_close_matches(name, self._pins, n=3)
            remedy = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(sorted(self._pins))}"
            raise UsageError(f"unknown asset {name!r}", remedy=remedy)
        return list(self._pins[name])

    def pin(self, ref: AssetRef) -> Pin:
        """The pin that `ref` means; UsageError for a name or version that is not pinned, with those that are."""
        versions = self.versions(ref.name)
        if not ref.version:
            return self._pins[ref.name][versions[0]]
        if ref.version not in versions:
            near = min(
                versions, key=lambda v: tuple(abs(a - b) for a, b in zip(version_key(v)[:3], version_key(ref.version)[:3], strict=True))
            )
            raise UsageError(
                f"{ref.name} {ref.version} is not pinned",
                where=f"pinned versions of {ref.name}: {', '.join(versions)}",
                remedy=f"the nearest is {ref.name}@{near}; or pin it: {command('assets', 'pin', ref.name, ref.version)}",
            )
        return self._pins[ref.name][ref.version]

    def of_checkout(self, name: str, checkout: Path, *, version: str, content: str) -> Pin:
        """Return the pin of `name` built from a checkout of version `version` (without v); `content` is the hash of its tree."""
        pin = self._pins[name][self.versions(name)[0]]
        stamp = tuple(s.replace(f"v{pin.version}", f"v{version}") for s in pin.stamp)
        why = "it is a local checkout"
        return replace(pin, version=version, stamp=stamp, checkout=checkout, content=content, module_sum="", download=None, no_download=why)


def make_pin(product: str, table: Mapping[str, Any], name: str, thing: Mapping[str, Any], entry: Mapping[str, Any], arch: str) -> Pin:
    """One thing of one pinned version; KeyError names a key that is missing."""
    version = parse_version(entry["version"])
    parts = dict(zip(("major", "minor", "patch"), version.partition("-")[0].split("."), strict=True))
    parts |= {"version": version, "name": name, "arch": arch}
    module = thing.get("module", table.get("module"))
    siblings = table.get("siblings")
    tree, test = "directory" in thing, "test" in thing
    no_download = "" if tree or thing.get("published", True) else thing.get("no_download", table["no_download"])
    if entry["published"] == "module" and not tree:
        no_download = no_download or "no checksum of its release file is pinned"
    path = thing["directory"] if tree else thing["test"] if test else thing["build"]
    return Pin(
        name=name,
        version=version,
        product=product,
        kind="tree" if tree else "binary",
        arch="any" if tree else arch,
        module=module,
        module_version=f"v{version}",
        module_sum=entry["sums"][module],
        path=path,
        builds=thing.get("builds", name if path == "." else Path(path).name) + (".test" if test else ""),
        siblings=Siblings(siblings["path"], siblings["version"].format(**parts)) if siblings else None,
        stamp=() if tree else tuple(s.format(**parts) for s in table.get("stamp", ())),
        says=() if tree or test else tuple(thing.get("says", table["says"])),
        download=None if no_download or tree else make_download({**table, **thing}, entry, name, arch, parts),
        no_download=no_download,
        cold=ColdBuild(float(table["cold"]["minutes"]), float(table["cold"]["gib"])),
        tags=() if tree else tuple(table.get("tags", ())),
        test=test,
    )


def make_download(table: Mapping[str, Any], entry: Mapping[str, Any], name: str, arch: str, parts: dict[str, str]) -> Download:
    """The official file of a command: checked against the figure that is pinned, else against the release's own checksum file."""
    url = table["url"].format(**parts)
    pinned = entry.get("sha256", {})
    sha256 = pinned.get(name, pinned.get("*", {})).get(arch)
    checksum = None
    if sha256 is None:
        if entry["published"] != "beside":
            raise KeyError(f"sha256 of {name} {parts['version']} for {arch}")
        checksum = table["checksum"].format(url=url, **parts)
    member = table.get("member")
    return Download(url, sha256, checksum, member.format(**parts) if member else None)


def detect_arch() -> str:
    """This computer's architecture as Go and the release files call it."""
    known = {"x86_64": "amd64", "aarch64": "arm64"}
    machine = platform.machine()
    if machine not in known:
        raise NotPossible(f"unsupported processor {machine}", remedy=f"use one of: {', '.join(known)}")
    return known[machine]
