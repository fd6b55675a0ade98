"""Start the supervisor of a run directory: `python -I -S …/__main__.py RUN [--lease S] [--backoff S] [--until FILE]`.

Returns 0 once requests are answered (by this supervisor, or by the one that was there), leaving the supervisor in a
session of its own. It is started by `client.Supervisor`, never by hand.
"""

from __future__ import annotations

import os
import sys

# -I gives us the standard library only; one folder up for each part of the package's name, which is longer in a wheel
sys.path.append(os.path.abspath(os.path.join(__file__, *[os.pardir] * (2 + "lab.supervisor".count(".")))))

import ctypes
from contextlib import suppress

from lab.supervisor.limits import raise_soft_limits
from lab.supervisor.server import Server, take_lock

PR_SET_CHILD_SUBREAPER = 36


def main(argv: list[str]) -> int:
    run = os.path.abspath(argv[0])
    options = dict(zip(argv[1::2], argv[2::2]))  # noqa: B905 (strict came with Python 3.10; machines may have 3.9)
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        answer = os.read(reader, 4096)
        if answer and answer != b"ready":
            sys.stderr.write(answer.decode(errors="replace"))
        return 0 if answer == b"ready" else 1
    os.setsid()
    if os.fork():
        os._exit(0)
    os.close(reader)
    try:
        lock = take_lock(run)
        if lock is None:
            os.write(writer, b"ready")
            return 0
        os.ftruncate(lock, 0)
        _write(lock, f"{os.getpid()}\n".encode())
        _redirect(run)
        raise_soft_limits()
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans of our programs come to us, to be reaped
        server = Server(
            run,
            lease=float(options.get("--lease", 10)),
            backoff=float(options.get("--backoff", 1)),
            until=options.get("--until", ""),
            env=os.environ,
        )
        server.serve(lambda: _ready(writer))
    except Exception as error:
        _write(writer, f"{type(error).__name__}: {error}".encode())
        raise
    return 0


def _redirect(run: str) -> None:
    """Make /dev/null our input and logs/supervisor.log our output; without a log (a full disk), /dev/null."""
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    try:
        os.makedirs(f"{run}/logs", exist_ok=True)
        log = os.open(f"{run}/logs/supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        log = null
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    os.close(null)
    if log != null:
        os.close(log)


def _ready(writer: int) -> None:
    os.write(writer, b"ready")
    os.close(writer)


def _write(fd: int, content: bytes) -> None:
    with suppress(OSError):
        os.write(fd, content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
