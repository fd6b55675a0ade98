"""The door of `python -m scenarios`: signals first, then everything else is imported. `scenarios.commands.app` holds the verbs."""

from __future__ import annotations

import sys

from lab import interrupt


def main() -> None:
    """An interrupt while it is still being imported has the exit code of any other."""
    interrupt.install()
    try:
        from scenarios.commands.app import app  # noqa: PLC0415 (an interrupt meanwhile must find the handler)

        app()
    except interrupt.Interrupted as stop:
        sys.exit(stop.exit_code)


if __name__ == "__main__":
    main()
