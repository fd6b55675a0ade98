"""The options that name an archive of a backup, of the commands that read one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option

ArchiveName = Annotated[
    str | None,
    typer.Argument(metavar="[ARCHIVE]", help="A file that `lab backup` wrote; with --from, its name there (the newest if left out)."),
]
FROM = option(
    "--from", help="Destination of the backup: a directory, s3://bucket/prefix, or pvc://namespace/claim/path.", metavar="DESTINATION"
)
FromOption = Annotated[str, FROM]
OptionalFrom = Annotated[str | None, FROM]
IdentityOption = Annotated[
    Path | None, option("--identity", help="File (mode 0600) of the private key that decrypts the backup.", metavar="FILE")
]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a private directory for copies of an archive, and delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="karmada-lab-backup-") as folder:
        yield Path(folder)
