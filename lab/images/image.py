"""Images as data: a name, files, and how the program is started. Nothing here touches a disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lab.assets import AssetRef
from lab.errors import UsageError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The default PATH of a container: without one, containerd finds no program that is named without its folder."""
NAME = re.compile(r"(?P<registry>[a-z0-9.-]+(:\d+)?)/(?P<repository>[a-z0-9._/-]+):(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})")


@dataclass(frozen=True)
class ImageFile:
    """One file of an image, at an absolute path: an asset ("kube-apiserver@1.35.4"), these bytes, or a link to another path.

    An asset that is a directory becomes a directory there, with every file of it. A file of neither is an empty directory.
    """

    path: str
    asset: str = ""
    content: bytes | None = None
    link: str = ""
    mode: int = 0o755

    def __post_init__(self) -> None:
        if not PurePosixPath(self.path).is_absolute() or ".." in PurePosixPath(self.path).parts:
            raise ValueError(f"{self.path!r} is not an absolute path")
        if sum((bool(self.asset), self.content is not None, bool(self.link))) > 1:
            raise ValueError(f"{self.path} is one of asset, content and link")


@dataclass(frozen=True)
class Packages:
    """Debian packages and all they depend on. Unpacked only, or with `installed` their maintainer scripts have run.

    `without` are patterns (fnmatch, no leading slash) of what is left out of them.
    """

    names: tuple[str, ...]
    installed: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Image:
    """One image by the name that upstream gives it, tag included.

    `packages` are Debian packages that are unpacked before `files` (a shell, openssl): names, or `Packages` for more options. Of two files
    at one path the later one wins.
    """

    name: str
    files: tuple[ImageFile, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] | Packages = ()
    stop_signal: str = ""
    official: str = ""
    """Upstream's name of the image that this one stands for, whatever it is called here; "" when upstream has no such."""

    def __post_init__(self) -> None:
        if full_name(self.name) != self.name:
            raise ValueError(f"{self.name!r}: write {full_name(self.name)}, as nodes know it")

    @property
    def root(self) -> Packages | None:
        """Return the packages beneath, or None."""
        if isinstance(self.packages, Packages):
            return self.packages
        return Packages(self.packages) if self.packages else None

    @property
    def environment(self) -> list[str]:
        """Return the container's variables as a configuration has them, PATH among them."""
        return [f"{name}={value}" for name, value in sorted({"PATH": PATH, **self.env}.items())]


def full_name(name: str) -> str:
    """Return a name as nodes know it: with its registry, and a tag. UsageError when it is none; a digest is no name here.

    "nginx" is docker.io/library/nginx:latest.
    """
    head, slash, _ = name.partition("/")
    if not slash and head:
        name = f"docker.io/library/{name}"
    elif slash and "." not in head and ":" not in head and head != "localhost":
        name = f"docker.io/{name}"
    if ":" not in name.rpartition("/")[2]:
        name = f"{name}:latest"
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} does not name an image", remedy="write it as docker.io/karmada/karmada-webhook:v1.18.2")
    return name


def list_assets(images: Iterable[Image]) -> list[str]:
    """Return the assets that images are made of, as name@version, each once."""
    return list(dict.fromkeys(str(AssetRef.parse(file.asset)) for image in images for file in image.files if file.asset))
