"""Destinations by their URL: a path, s3://bucket/prefix, pvc://namespace/claim/path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from deployers.backup.destinations.claim import claimed_volume, parse_claim
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.destinations.protocol import Destination
from deployers.backup.destinations.s3_settings import S3Settings, parse_s3
from deployers.karmada import Karmada
from lab.errors import NotPossible, UsageError

FORMS = "a directory, s3://bucket/prefix, or pvc://namespace/claim/path"
LabOpener = Callable[[], Karmada]


@contextmanager
def open_destination(url: str, open_lab: LabOpener) -> Iterator[Destination]:
    """Yield a destination; what reaching it needs is removed afterwards. `open_lab` gives the lab with the host cluster of a volume.

    UsageError: the URL is none, or lacks a part. NotPossible: the destination cannot be used from here.
    """
    scheme = require_destination(url)
    if scheme == "pvc":
        with claimed_volume(open_lab(), parse_claim(url)) as volume:
            yield volume
    elif scheme == "s3":
        yield make_bucket(parse_s3(url))
    else:
        yield ArchiveFolder(Path(url).expanduser().absolute())


def require_destination(url: str) -> str:
    """Return the scheme of a destination, "" for a directory; no lab and no server is asked. UsageError as of `open_destination`."""
    scheme, separator, _ = url.partition("://")
    if not url or (separator and scheme not in {"s3", "pvc"}):
        raise UsageError(f"invalid destination {url!r}", remedy=FORMS)
    if not separator:
        return ""
    if scheme == "pvc":
        parse_claim(url)
    else:
        parse_s3(url)
    return scheme


def make_bucket(settings: S3Settings) -> Destination:
    """Return a bucket. NotPossible when its client is not installed."""
    if find_spec("minio") is None:
        raise NotPossible(
            "S3 needs the package minio", where=settings.url, remedy="install karmada-lab with its extra s3: pip install 'karmada-lab[s3]'"
        )
    made: Destination = import_module("deployers.backup.destinations.s3").Bucket.of(settings)  # its client is of an extra
    return made
