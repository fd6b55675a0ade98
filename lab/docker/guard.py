"""A program of the lab that removes the lab's containers when it is stopped, because the lab has no holder any more.

The supervisor ends processes; containers are Docker's, and would stay when a harness is killed. So this program represents them
among the lab's programs. It has two seconds to end; removing takes longer, so a detached process does it.
"""

from __future__ import annotations

import signal
import subprocess
import sys

from lab import environment

REMOVE = "docker ps --all --format '{{.Names}}' | grep -F \"$1\" | xargs --no-run-if-empty docker rm --force --volumes"
"""One shell, so that this program can end. $1 is the prefix of the names of this run's containers, and unique in a name."""


def main(prefix: str) -> None:
    """Wait for SIGTERM or SIGINT, then remove every container with this name prefix."""
    end = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, end)
    print(f"guarding {prefix}*", flush=True)
    signal.sigwait(end)
    subprocess.Popen(
        ["/bin/sh", "-c", REMOVE, "sh", prefix],
        env=environment.inherit(["docker"]),  # of the run's engine, which the provider gave us; without the run's tag
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    print(f"stopping: removing {prefix}*", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
