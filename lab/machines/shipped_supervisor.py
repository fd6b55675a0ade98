"""The supervisor as one file that a machine's own Python runs: nothing is installed there."""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path

from lab.import_root import PACKAGE

PARTS = (
    "__init__.py",
    "proc.py",
    "waves.py",
    *(f"supervisor/{name}.py" for name in ("__init__", "__main__", "bridge", "limits", "loop", "order", "process", "record")),
    *(f"supervisor/{name}.py" for name in ("remains", "remote", "server", "table")),
)
START = f"import sys\nfrom {PACKAGE}.supervisor.remote import main\nsys.exit(main(sys.argv[1:]))\n"
FOLDER = PACKAGE.replace(".", "/")


@cache
def supervisor_archive() -> bytes:
    """Return the file: the same bytes for the same sources."""
    sources = {f"{FOLDER}/{part}": (Path(__file__).parents[1] / part).read_text() for part in PARTS}
    if "/" in FOLDER:  # zipimport finds a package by its __init__.py
        sources[f"{FOLDER.partition('/')[0]}/__init__.py"] = ""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**sources, "__main__.py": START}.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # without a date
    return packed.getvalue()


def archive_name() -> str:
    """Return the name of the file by its content: another version lies beside it."""
    return f"supervisor-{hashlib.sha256(supervisor_archive()).hexdigest()[:16]}.pyz"
