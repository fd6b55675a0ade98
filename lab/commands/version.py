"""`lab version`: which version of karmada-lab this is."""

from __future__ import annotations

import json
import platform
from importlib import metadata

from lab.cli.options import Output, OutputOption
from lab.import_root import import_root

NAME = "karmada-lab"


def version(output: OutputOption = Output.text) -> None:
    """Print the version, and where it is installed.

    The version of Python stands beside it.
    """
    found = {"schema": 1, "version": read_version(), "python": platform.python_version(), "path": str(import_root())}
    if output is Output.json:
        print(json.dumps(found, indent=1))
    else:
        print(f"{NAME} {found['version']} (Python {found['python']}, {found['path']})")


def read_version() -> str:
    """Return the installed version; "unknown" in a tree that was never installed."""
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "unknown"
