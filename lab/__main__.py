"""The door of the command line: signals first, then everything else is imported. `lab.verbs` lists the verbs."""

from __future__ import annotations

import sys

from lab import environment, interrupt


def main() -> None:
    """The console script `lab`, and `python -m lab`. An interrupt while it is still being imported has the exit code of any other."""
    interrupt.install()
    environment.set_umask()
    try:
        from lab.verbs import app  # noqa: PLC0415 (not for its cost: an interrupt meanwhile must find the handler)

        app()
    except interrupt.Interrupted as stop:
        sys.exit(stop.exit_code)


if __name__ == "__main__":
    main()
