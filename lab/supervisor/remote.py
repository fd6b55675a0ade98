"""What a machine without systemd runs: the supervisor, and the removal of what it left. The file that is shipped starts bridges, too.

    python3 -I -S FILE supervise RUN …     as `lab.supervisor.__main__`, with the environment of a lab's programs
    python3 -I -S FILE bridge RUN          see `lab.supervisor.bridge`
    python3 -I -S FILE remove RUN          kill what carries the run's tag there, delete its directory

FILE is `lab.machines.shipped_supervisor`. Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import os
import sys

from lab import proc
from lab.supervisor import __main__ as supervisor
from lab.supervisor.remains import kill_orphans
from lab.supervisor.server import remove_tree

INHERITED = ("PATH", "HOME", "TZ", proc.TAG)
"""Of the login's environment, as `lab.environment` has it for programs of a lab."""


def main(argv: list[str]) -> int:
    """Do what the first argument says; return the exit status."""
    verb, run, *options = argv
    if verb == "remove":
        kill_orphans(run)
        remove_tree(run)
        return 0
    for name in [name for name in os.environ if name not in INHERITED]:
        del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"
    return supervisor.main([run, *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
