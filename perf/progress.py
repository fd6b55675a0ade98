"""What a measurement says while it goes on."""

from __future__ import annotations

import sys
import time


def say(text: str) -> None:
    """Tell what is going on, and when, on standard error: standard output is for what came of it."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
