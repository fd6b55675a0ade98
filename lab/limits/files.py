"""Files of /proc and /sys, of this computer or of a tree below another root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Reads(Protocol):
    """**Protocol:** reads a file of /proc or /sys."""

    def read(self, path: str) -> str | None:
        """Return a file's text; None when it is absent or unreadable."""
        ...


@dataclass(frozen=True)
class Files:
    """The files below a root."""

    root: Path = Path("/")

    def read(self, path: str) -> str | None:
        try:
            return self.below(path).read_text()
        except (OSError, UnicodeDecodeError):
            return None

    def below(self, path: str) -> Path:
        """Return where a file of this computer is, as seen from the root."""
        return self.root / path.lstrip("/")
