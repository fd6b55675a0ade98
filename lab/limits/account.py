"""Who runs this: the home directory, the user's name, and where the XDG variables point.

A user id without an entry in passwd (containers with `--user 12345`, OpenShift) has no name, and no home but $HOME, which may be unset.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from lab.errors import NotPossible

REMEDY = "set KARMADA_LAB_CACHE to a directory that can be written, or HOME"


def home_directory(env: Mapping[str, str] = os.environ) -> Path | None:
    """Return the home directory: $HOME, or the one in passwd; None when neither says."""
    if (home := env.get("HOME", "")).startswith("/"):
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def user_name() -> str | None:
    """Return this user's name; None for an id that passwd does not have."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None


def cache_directory(env: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of the cache: $KARMADA_LAB_CACHE, or karmada-lab in the user's cache directory. NotPossible without a home.

    A relative $XDG_CACHE_HOME is ignored, as its specification asks.
    """
    if own := env.get("KARMADA_LAB_CACHE"):
        return expand_home(Path(own)).absolute()
    if (given := env.get("XDG_CACHE_HOME", "")).startswith("/"):
        return Path(given) / "karmada-lab"
    if (home := home_directory(env)) is None:
        raise NotPossible(
            "the cache directory is unknown: HOME is not set, and this user has no entry in passwd",
            where=f"user id {os.getuid()}",
            remedy=REMEDY,
        )
    return home / ".cache" / "karmada-lab"


def expand_home(path: Path) -> Path:
    """Return a path with a leading ~ replaced by the home directory; as it is where there is none."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
