"""Progress messages of a benchmark."""

from __future__ import annotations

import sys
import time


def say(text: str) -> None:
    """Print a message with the time on standard error; standard output is for results."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
