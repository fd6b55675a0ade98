"""The option --checkout: a checkout of Karmada, or of a repository that calls a workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from lab import settings
from lab.cli.options import setting
from lab.errors import UsageError

CheckoutOption = Annotated[Path | None, setting(settings.CHECKOUT)]


def resolve_checkout(checkout: Path | None) -> Path | None:
    """Return a checkout's absolute path. UsageError when it is no directory; that it is Karmada's is found when it is built."""
    if checkout is not None and not checkout.is_dir():
        raise UsageError(f"{checkout} does not exist", remedy="name a directory with Karmada's sources")
    return checkout and checkout.absolute()
