"""A program of this computer made portable: with its libraries and its loader it runs on machines that lack them.

For programs that are no assets, since upstream publishes none that is static: Debian's haproxy. The machine needs the same kind of
processor and a kernel that the C library supports.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lab.assets.cache import default_root
from lab.machines.bring import hash_file
from lab.machines.machine import Machine
from lab.run import make_folder, replace_file

LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x[0-9a-f]+\)")
"""A library or the loader in what ldd prints."""
LOADER = "loader"
"""The name of the loader's copy, whatever it is called here."""


def portable_folder(program: Path) -> Path:
    """Return where the copies of a program and its libraries are or will be: a directory of the cache, named after its content."""
    found = program.stat() if program.is_file() else None
    digest = hash_file(program, found.st_size, found.st_mtime_ns) if found else "missing"
    return default_root() / "portable" / f"{program.name}-{digest[:16]}"


def portable_argv(program: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the executable and the first arguments that run the copy of a program."""
    folder = portable_folder(program)
    return folder / LOADER, ("--library-path", str(folder), str(folder / program.name))


def make_portable(program: Path, here: Machine) -> list[Path]:
    """Copy a program, its libraries and its loader into the cache, and return the copies. Those that are there are left alone.

    `here` is this computer. CommandFailed for a program that is static or of another processor.
    """
    folder = make_folder(portable_folder(program), mode=0o755)
    libraries = [Path(path) for path in LIBRARY.findall(here.run(["ldd", str(program)]).stdout)]
    loader = next(path for path in libraries if path.name.startswith("ld"))
    copies = {program.name: program, **{path.name: path for path in libraries if path != loader}, LOADER: loader}
    for name, source in copies.items():
        copy = folder / name
        if not copy.exists() or copy.stat().st_size != source.stat().st_size:
            with replace_file(copy, mode=0o755) as unfinished:
                shutil.copyfile(source, unfinished)
    return [folder / name for name in copies]
