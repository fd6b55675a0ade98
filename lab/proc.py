"""Facts from /proc: identify a process, and the run that owns it.

A pid alone names nothing: it is reused. A process is named by pid and kernel start time, and signals go through a
pidfd that was opened before the start time was compared.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
from collections.abc import Iterator

TAG = "KARMADA_LAB_PROCESS_OF"
"""Environment variable of everything a run starts; its value is the run directory. Children inherit it.

Never export it: every process that carries it is killed with the run. That is why it is not the name that users set.
"""


def read_start_time(pid: int) -> int | None:
    """Return the kernel's start time of a process in clock ticks since boot; None when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in {b"Z", b"X"}:
        return None
    return int(fields[19])


def is_paused(pid: int) -> bool:
    """Is the process stopped by a signal or a debugger?"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] in {b"T", b"t"}
    except (OSError, IndexError):
        return False


def is_whole_paused(pid: int) -> bool:
    """Is every thread of the process stopped by a signal? A process that has ended counts as paused: it does nothing any more."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return True
    return all(is_paused(int(thread)) or not os.path.exists(f"/proc/{pid}/task/{thread}") for thread in threads)


def is_alive(pid: int | None, started: int | None) -> bool:
    """Is the process that had this pid and start time still running?"""
    return pid is not None and started is not None and read_start_time(pid) == started


def read_tag(pid: int) -> str | None:
    """Return the run directory a process belongs to; None when it is not tagged, has ended, or is not readable."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            block = environ.read()
    except OSError:
        return None
    prefix = TAG.encode() + b"="
    for entry in block.split(b"\0"):
        if entry.startswith(prefix):
            return os.fsdecode(entry[len(prefix) :])
    return None


def read_name(pid: int) -> str:
    """Return the name of a process's program, without its path; "?" when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
            first = os.fsdecode(cmdline.read().split(b"\0")[0])
    except OSError:
        return "?"
    return os.path.basename(first) or "?"


def find_tagged_processes(run: str | None = None) -> Iterator[tuple[int, int, str]]:
    """Yield pid, start time and run directory of every tagged process (of that run), this one and its ancestors excepted."""
    spared = list_ancestors()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or (pid := int(entry)) in spared:
            continue
        owner = read_tag(pid)
        if owner is None or (run is not None and owner != run):
            continue
        started = read_start_time(pid)
        if started is not None:
            yield pid, started, owner


def list_ancestors() -> set[int]:
    """Return the pids of this process and its ancestors: what a sweep must never kill."""
    seen: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in seen:
        seen.add(pid)
        try:
            with open(f"/proc/{pid}/stat", "rb") as stat:
                pid = int(stat.read().rpartition(b")")[2].split()[1])
        except OSError:
            break
    return seen


def send_signal(pid: int, started: int, number: int = signal.SIGKILL) -> bool:
    """Signal the process with this pid *and* start time. False, and nothing is done, when it is gone or another one."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if read_start_time(pid) != started:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def kill_process(pid: int, started: int, *, within: float) -> bool:
    """Kill the process with this pid and start time and wait until it is gone. False when it was gone already, or lives on."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        return send_signal(pid, started) and wait_ended(handle, within)
    finally:
        os.close(handle)


def wait_gone(pid: int, started: int, *, within: float) -> bool:
    """Wait until the process with this pid and start time is gone; False when it is still there when time is up."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return True
    try:
        return read_start_time(pid) != started or wait_ended(handle, within)
    finally:
        os.close(handle)


def wait_ended(handle: int, within: float) -> bool:
    """Wait for the process of a pidfd to end."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(within * 1000))


def read_peer_pid(peer: socket.socket) -> int:
    """Return the pid of the process at the other end, as the kernel knows it."""
    pid: int = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    return pid
