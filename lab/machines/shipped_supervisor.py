"""The supervisor as one file that a machine's own Python runs: nothing is installed there."""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path

import lab

PARTS = (
    "__init__.py",
    "proc.py",
    "waves.py",
    *(f"supervisor/{name}.py" for name in ("__init__", "__main__", "bridge", "limits", "loop", "order", "process", "record")),
    *(f"supervisor/{name}.py" for name in ("remains", "remote", "server", "table")),
)
START = "import sys\nfrom lab.supervisor.remote import main\nsys.exit(main(sys.argv[1:]))\n"


@cache
def supervisor_archive() -> bytes:
    """Return the file: the same bytes for the same sources."""
    sources = {f"lab/{part}": (Path(lab.__file__).parent / part).read_text() for part in PARTS}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**sources, "__main__.py": START}.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # without a date
    return packed.getvalue()


def archive_name() -> str:
    """Return the name of the file by its content: another version lies beside it."""
    return f"supervisor-{hashlib.sha256(supervisor_archive()).hexdigest()[:16]}.pyz"
