"""Resource limits that the supervisor gives to the programs it starts."""

from __future__ import annotations

import resource
from contextlib import suppress


def raise_soft_limits() -> None:
    """Raise the soft limits of open files and of processes to the hard ones; what this process starts inherits them.

    A shell's soft limit of 256 or 1024 files is too low for an etcd or an API server, and haproxy, unlike Go, does not raise it itself.
    """
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
        _, hard = resource.getrlimit(kind)
        with suppress(OSError, ValueError):  # some sandboxes refuse; the soft limit then stays
            resource.setrlimit(kind, (hard, hard))
