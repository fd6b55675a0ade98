"""A small program of the lab: when it is told to end, because nobody holds the lab any more, its containers end too.

The supervisor ends processes; containers are Docker's, and would stay when a harness is killed. So this stands for them among the lab's
programs. It has two seconds to end; removing takes longer, so it leaves that to a process of its own that belongs to nobody.
"""

from __future__ import annotations

import signal
import subprocess
import sys

from lab import environment

REMOVE = "docker ps --all --format '{{.Names}}' | grep -F \"$1\" | xargs --no-run-if-empty docker rm --force --volumes"
"""One shell, so that nothing of this program need stay. $1 begins the names of this run's containers and stands nowhere else in a name."""


def main(prefix: str) -> None:
    """Wait for the signal to end, then have every container whose name begins so removed."""
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
    print(f"told to end: {prefix}* is removed", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
