"""The bytes of an archive: layers, configurations and manifests in one tar, the same for the same images wherever it is written.

    blobs/sha256/…   layers (plain tars), configurations, OCI manifests     oci-layout, index.json   for `ctr images import`
    manifest.json    for `docker load` and everything that knows docker-archives only

Each asset of an image is a layer, so that images share layers and no file is read twice. A layer's name is its hash, which is known only
after the layer is written; its header is then rewritten. So one pass over the files writes an archive.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from lab.assets.pins import detect_arch
from lab.images.image import Image, ImageFile, Packages
from lab.images.official import PulledImage

Json = dict[str, Any]
BLOCK, CHUNK = 512, 1 << 20
CREATED = "1970-01-01T00:00:00Z"
LAYER, CONFIG, MANIFEST, INDEX = (
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)


Layer = Packages | tuple[ImageFile, ...]


@dataclass(frozen=True)
class Blob:
    """Something in an archive, by the hash of its content."""

    sha256: str
    size: int

    @property
    def digest(self) -> str:
        return f"sha256:{self.sha256}"

    @property
    def path(self) -> str:
        return f"blobs/sha256/{self.sha256}"


@dataclass(frozen=True)
class ArchivedImage:
    """One image of an archive: its name, the digest of its manifest (how containerd knows it) and of its configuration (its id)."""

    name: str
    digest: str
    id: str
    size: int


def write_archive(
    out: IO[bytes],
    images: Sequence[Image],
    paths: Mapping[str, Path],
    roots: Mapping[Packages, Path],
    pulled: Mapping[str, PulledImage] | None = None,
) -> list[ArchivedImage]:
    """Write an archive of images to a file that can be sought in.

    `paths` has each asset by the text that names it, `roots` a tar of each set of Debian packages, `pulled` what is taken as a registry
    served it, by official name.
    """
    tar = Tar(out)
    layers: dict[Layer, Blob] = {}
    written: list[ArchivedImage] = []
    manifests: list[tuple[Image, Json, Blob, list[Blob]]] = []
    for image in images:
        if served := (pulled or {}).get(image.official):
            config, *blobs = [tar.copied(blob, served.file(blob["digest"])) for blob in served.blobs]
            manifest = tar.blob(served.manifest)
            media_type = json.loads(served.manifest).get("mediaType", MANIFEST)
            manifests.append((image, make_descriptor(media_type, manifest), config, blobs))
            written.append(ArchivedImage(image.name, manifest.digest, config.digest, sum(blob.size for blob in blobs)))
            continue
        mine: list[Layer] = [*([image.root] if image.root else []), *split_into_layers(image.files)]
        for layer in mine:
            if layer not in layers:
                layers[layer] = tar.layer(layer, paths, roots)
        blobs = [layers[layer] for layer in mine]
        config = tar.blob(encode_json(make_configuration(image, blobs)))
        manifest = tar.blob(encode_json(make_oci_manifest(config, blobs)))
        manifests.append((image, make_descriptor(MANIFEST, manifest), config, blobs))
        written.append(ArchivedImage(image.name, manifest.digest, config.digest, sum(blob.size for blob in blobs)))
    tar.file("oci-layout", encode_json({"imageLayoutVersion": "1.0.0"}))
    tar.file("index.json", encode_json(make_index(manifests)))
    tar.file("manifest.json", encode_json([make_docker_manifest(*each) for each in manifests]))
    tar.end()
    return written


def split_into_layers(files: Sequence[ImageFile]) -> list[tuple[ImageFile, ...]]:
    """Return the files by layers: an asset is one of its own, what an image brings itself (bytes, links, directories) the last."""
    assets = [(file,) for file in files if file.asset]
    own = tuple(file for file in files if not file.asset)
    return [*assets, *([own] if own else [])]


class Tar:
    """A tar under construction. `tarfile` writes a member's name before its content; a layer's name is the hash of its content."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out = out
        self.there: set[str] = set()

    def layer(self, layer: Layer, paths: Mapping[str, Path], roots: Mapping[Packages, Path]) -> Blob:
        """Write one layer under its hash and return it. A layer that is there already is taken back."""
        start = self.out.tell()
        self.out.write(b"\0" * BLOCK)
        hasher = Hashing(self.out)
        if isinstance(layer, Packages):
            with roots[layer].open("rb") as root:
                copy_stream(root, hasher)
        else:
            write_layer(hasher, layer, paths)
        blob = Blob(hasher.sha256, hasher.size)
        self.out.write(b"\0" * (-blob.size % BLOCK))
        if blob.path in self.there:
            self.out.truncate(start)
            self.out.seek(start)
            return blob
        self.there.add(blob.path)
        end = self.out.tell()
        self.out.seek(start)
        self.out.write(make_header(blob.path, size=blob.size, mode=0o644))
        self.out.seek(end)
        return blob

    def blob(self, content: bytes) -> Blob:
        """Write a small blob under its hash, once."""
        blob = Blob(hashlib.sha256(content).hexdigest(), len(content))
        if blob.path not in self.there:
            self.there.add(blob.path)
            self.file(blob.path, content)
        return blob

    def copied(self, descriptor: Json, source: Path) -> Blob:
        """Write a blob that is a file already, once."""
        blob = Blob(descriptor["digest"].partition(":")[2], source.stat().st_size)
        if blob.path not in self.there:
            self.there.add(blob.path)
            self.out.write(make_header(blob.path, size=blob.size, mode=0o644))
            with source.open("rb") as file:
                copy_stream(file, self.out)
            self.out.write(b"\0" * (-blob.size % BLOCK))
        return blob

    def file(self, path: str, content: bytes) -> None:
        self.out.write(make_header(path, size=len(content), mode=0o644) + content + b"\0" * (-len(content) % BLOCK))

    def end(self) -> None:
        self.out.write(b"\0" * 2 * BLOCK)
        self.out.truncate()


class Hashing:
    """A file being written, and the hash and size of what was."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out, self.size, self._hash = out, 0, hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.out.write(content)
        self._hash.update(content)
        self.size += len(content)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def write_layer(out: Hashing, files: Sequence[ImageFile], paths: Mapping[str, Path]) -> None:
    """Write files as a layer, and before each the directories that lead to it."""
    made: set[PurePosixPath] = set()
    for path, file, source in list_members(files, paths):
        where = PurePosixPath(path)
        for parent in reversed(where.parents):
            if parent not in made and parent != PurePosixPath("/"):
                made.add(parent)
                out.write(make_header(f"{parent}/", kind=tarfile.DIRTYPE, mode=0o755))
        if source is not None:
            size = source.stat().st_size
            out.write(make_header(path, size=size, mode=file.mode))
            with source.open("rb") as content:
                copy_stream(content, out)
            out.write(b"\0" * (-size % BLOCK))
        elif file.link:
            out.write(make_header(path, kind=tarfile.SYMTYPE, link=file.link))
        elif file.content is not None:
            out.write(make_header(path, size=len(file.content), mode=file.mode) + file.content + b"\0" * (-len(file.content) % BLOCK))
        elif where not in made:
            made.add(where)
            out.write(make_header(f"{path}/", kind=tarfile.DIRTYPE, mode=file.mode))
    out.write(b"\0" * 2 * BLOCK)


def list_members(files: Sequence[ImageFile], paths: Mapping[str, Path]) -> Iterator[tuple[str, ImageFile, Path | None]]:
    """Yield (path in the image, what it is, where its content is), directories of assets file by file."""
    for file in files:
        source = paths[file.asset] if file.asset else None
        if source is None or source.is_file():
            yield file.path, file, source
            continue
        for inner in sorted(path for path in source.rglob("*") if path.is_file()):
            yield f"{file.path.rstrip('/')}/{inner.relative_to(source)}", ImageFile(file.path, asset=file.asset, mode=0o644), inner


def make_header(path: str, *, size: int = 0, mode: int = 0o777, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Return the header of one member, root's and of no time."""
    info = tarfile.TarInfo(path.lstrip("/"))
    info.size, info.mode, info.type, info.linkname = size, mode, kind, link
    return info.tobuf(tarfile.GNU_FORMAT)


def copy_stream(source: IO[bytes], out: IO[bytes] | Hashing) -> None:
    while chunk := source.read(CHUNK):
        out.write(chunk)


def make_configuration(image: Image, layers: Sequence[Blob]) -> Json:
    """Return the image's configuration; its hash is the image's id."""
    given = {
        "Env": image.environment,
        "Entrypoint": list(image.entrypoint),
        "Cmd": list(image.cmd),
        "User": image.user,
        "WorkingDir": image.workdir,
        "StopSignal": image.stop_signal,
        "Labels": dict(sorted(image.labels.items())),
    }
    return {
        "created": CREATED,
        "architecture": detect_arch(),
        "os": "linux",
        "config": {key: value for key, value in given.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        "history": [{"created": CREATED} for _ in layers],
    }


def make_oci_manifest(config: Blob, layers: Sequence[Blob]) -> Json:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": make_descriptor(CONFIG, config),
        "layers": [make_descriptor(LAYER, layer) for layer in layers],
    }


def make_descriptor(media_type: str, blob: Blob) -> Json:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size}


def make_index(manifests: Sequence[tuple[Image, Json, Blob, Sequence[Blob]]]) -> Json:
    """Return the index by which containerd finds the images; the annotation is what it calls them."""
    named = [
        {
            **manifest,
            "platform": {"os": "linux", "architecture": detect_arch()},
            "annotations": {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name.rpartition(":")[2]},
        }
        for image, manifest, _, _ in manifests
    ]
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": named}


def make_docker_manifest(image: Image, _manifest: Json, config: Blob, layers: Sequence[Blob]) -> Json:
    return {"Config": config.path, "RepoTags": [image.name], "Layers": [layer.path for layer in layers]}


def encode_json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def read_names(source: IO[bytes]) -> list[str]:
    """Return the names of the images in an archive; tarfile.TarError and KeyError when it is none."""
    with tarfile.open(fileobj=source) as tar:
        manifest = tar.extractfile("manifest.json") or io.BytesIO(b"[]")
        return [name for image in json.load(manifest) for name in image["RepoTags"]]
