"""The supervisor as one file that a machine's own Python runs: nothing is installed there."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import marshal
import threading
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
BUILDING = threading.Lock()
UNCHECKED = (1).to_bytes(4, "little")
"""The flags of a .pyc that is taken as it is, without a look at its source (PEP 552)."""
START = f"""\
import sys
if sys.argv[1] == "bridge":
    from {PACKAGE}.supervisor.bridge import relay
    sys.exit(relay(sys.argv[2]))
from {PACKAGE}.supervisor.remote import main
sys.exit(main(sys.argv[1:]))
"""
"""A bridge imports nothing else: it starts in half the time, of which each machine of a lab needs some."""
FOLDER = PACKAGE.replace(".", "/")


def supervisor_archive() -> bytes:
    """Return the file: the same bytes for the same sources. It is built once, however many threads ask for it."""
    with BUILDING:
        return build_archive()


@cache
def build_archive() -> bytes:
    """Build the file; see `supervisor_archive`."""
    sources = {f"{FOLDER}/{part}": (Path(__file__).parents[1] / part).read_text() for part in PARTS}
    if "/" in FOLDER:  # zipimport finds a package by its __init__.py
        sources[f"{FOLDER.partition('/')[0]}/__init__.py"] = ""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in {**sources, "__main__.py": START}.items():
            for member, content in ((name, text.encode()), (f"{name}c", compile_source(name, text))):
                archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)  # without a date
    return packed.getvalue()


def archive_name() -> str:
    """Return the name of the file by its content: another version lies beside it."""
    return f"supervisor-{hashlib.sha256(supervisor_archive()).hexdigest()[:16]}.pyz"


def compile_source(name: str, text: str) -> bytes:
    """Return the .pyc of a module. A Python of this version starts with it in half the time; another one reads the source instead."""
    source = text.encode()
    code = compile(source, name, "exec", dont_inherit=True)
    head = importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source)
    return head + marshal.dumps(code)
