"""Hide a directory of this computer from one command, in a mount namespace of its own.

Run as a program (`python hide_directory.py DIRECTORY EMPTY -- COMMAND…`) it mounts EMPTY over DIRECTORY where only COMMAND sees it and
becomes COMMAND. Root unshares mounts only; other users a user namespace as well, in which files keep their owner.
It imports nothing of the project, so that it starts in some 40 ms; where the directory does not exist it is not needed at all.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def hide_directory(directory: Path, argv: Sequence[str], *, by: Path) -> tuple[str, ...]:
    """Return the command that runs `argv` with `by` mounted over `directory`; `argv` itself where no such directory exists."""
    if not directory.is_dir():
        return tuple(argv)
    return (sys.executable, "-I", __file__, str(directory), str(by), "--", *argv)


def main(args: Sequence[str]) -> None:
    """Hide, then become the command. Ends with status 125 and one sentence when this kernel or user may not."""
    directory, empty, _, *argv = args
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()

    def check(result: int, what: str) -> None:
        if result:
            print(format_error(f"{what}: {os.strerror(ctypes.get_errno())}", directory), file=sys.stderr)
            sys.exit(125)

    check(libc.unshare(CLONE_NEWNS | (0 if user == 0 else CLONE_NEWUSER)), "unshare")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /")
    check(libc.mount(os.fsencode(empty), os.fsencode(directory), None, MS_BIND, None), f"mount --bind over {directory}")
    os.execv(argv[0], argv)


def format_error(why: str, directory: str) -> str:
    """Return the error message."""
    return f"hiding {directory} from the command failed: {why}; allow user namespaces, or move the directory away meanwhile"


if __name__ == "__main__":
    main(sys.argv[1:])
