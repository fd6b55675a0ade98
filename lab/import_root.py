"""Where this package is imported from: a checkout has it at the top, a wheel below `karmada_lab`."""

from __future__ import annotations

from pathlib import Path

PACKAGE = __name__.rpartition(".")[0]
"""The name of the package `lab`: lab in a checkout, karmada_lab.lab where the wheel is installed."""


def import_root() -> Path:
    """Return the directory that must be on sys.path for `import PACKAGE`: a checkout, or site-packages."""
    return Path(__file__).parents[len(PACKAGE.split("."))]
