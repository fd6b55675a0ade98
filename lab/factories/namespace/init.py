"""A machine of namespaces, as a program: `python -I -S init.py FOLDER`, as root. FOLDER/machine.json says what it is like.

Three processes: this one stays in the namespaces of this computer and lays the cable; its child unshares; the child of that is process 1
of the machine. Each dies with the one before it, and all that runs in the machine with its process 1.
It imports nothing of the project, so that it starts in some 40 ms and takes little memory.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
TOOLS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MADE = "made"
"""The file in FOLDER that says that the machine has been up before."""

Json = dict[str, Any]
libc = ctypes.CDLL(None, use_errno=True)


def main(folder: Path) -> int:
    """Be a machine until its sshd ends; return sshd's status."""
    settings = json.loads((folder / "machine.json").read_text())
    os.environ["PATH"] = TOOLS
    ready, tell_ready = os.pipe()
    laid, tell_laid = os.pipe()
    child = os.fork()
    if not child:
        die_with_parent()
        os.close(tell_laid)
        check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET), "unshare")
        os.write(tell_ready, b"1")
        os.close(tell_ready)
        if not os.read(laid, 1):  # the cable could not be laid
            os._exit(1)
        first = os.fork()
        if not first:
            die_with_parent()
            os._exit(be_init(folder, settings))
        os._exit(exit_code(os.waitpid(first, 0)[1]))
    os.close(tell_ready)
    if os.read(ready, 1):
        lay_cable(settings, child)
        os.write(tell_laid, b"1")
    os.close(tell_laid)
    return exit_code(os.waitpid(child, 0)[1])


def lay_cable(settings: Json, process: int) -> None:
    """Connect the network of a process with the switch of the run; of a cable that was there before, nothing is left."""
    switch, port = settings["switch"], settings["port"]
    subprocess.run(["ip", "-n", switch, "link", "delete", port], stderr=subprocess.DEVNULL, check=False)
    batch = [
        f"link add {port} type veth peer name eth0 address {make_mac(settings['address'])} netns {process}",
        f"link set {port} master br0 up",
    ]
    run("ip", "-n", switch, "-batch", "-", given="\n".join(batch))


def make_mac(address: str) -> str:
    """Return the Ethernet address of a machine: the same each time it is started, so that its neighbours find it at once."""
    return ":".join(["02", "00", *(f"{int(part):02x}" for part in address.split("."))])


def be_init(folder: Path, settings: Json) -> int:
    """Set the machine up and be its process 1: start sshd, bury what dies, return when sshd has ended."""
    socket.sethostname(settings["name"])
    batch = [
        "link set lo up",
        f"address add {settings['address']}/{settings['prefix']} dev eth0",
        "link set eth0 up",
        f"route add default via {settings['gateway']}",
    ]
    run("ip", "-batch", "-", given="\n".join(batch))
    mount_root(folder, settings)  # from here on nothing can be imported: where Python is may be hidden
    Path("/run/sshd").mkdir(mode=0o755)
    server = os.fork()
    if not server:
        os.execv(settings["sshd"], [settings["sshd"], "-D", "-e", "-f", settings["sshd_config"]])
    while True:
        ended, status = os.wait()
        if ended == server:
            print(f"sshd of {settings['name']} has ended", file=sys.stderr)
            return exit_code(status)


def mount_root(folder: Path, settings: Json) -> None:
    """Give the machine a root of its own: this computer's, with changes kept in `folder`, and with directories hidden."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    root = mount_overlay(folder)
    make_special(root)
    for path in settings["hidden"]:
        if (place := root / path.lstrip("/")).is_dir():
            mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={'1777' if path.endswith('tmp') else '0755'}")
    if not (folder / MADE).exists():
        for path in settings["emptied"]:
            shutil.rmtree(root / path.lstrip("/"), ignore_errors=True)
    mount_cache(folder, root, settings)
    shutil.copytree(folder / "seed", root, dirs_exist_ok=True, copy_function=copy_private)
    (folder / MADE).touch()
    os.chdir(root)
    run("pivot_root", ".", ".")
    check(libc.umount2(b".", MNT_DETACH), "unmounting the old root")
    os.chdir("/")


def mount_overlay(folder: Path) -> Path:
    """Mount an overlay of / with its changes in `folder`, or in memory where that file system cannot keep them; return the root."""
    os.chdir(folder)  # in mount options, paths must not contain colons and commas: they are relative
    for name in ("upper", "work", "root"):
        Path(name).mkdir(exist_ok=True)
    try:
        mount("overlay", "root", "overlay", 0, "lowerdir=/,upperdir=upper,workdir=work")
    except OSError:
        Path("memory").mkdir(exist_ok=True)
        mount("tmpfs", "memory", "tmpfs", 0, "mode=0700")
        os.chdir("memory")
        for name in ("upper", "work"):
            Path(name).mkdir()
        mount("overlay", folder / "root", "overlay", 0, "lowerdir=/,upperdir=upper,workdir=work")
        (folder / MADE).unlink(missing_ok=True)
        os.chdir(folder)
    return folder / "root"


def mount_cache(folder: Path, root: Path, settings: Json) -> None:
    """Fill the machine's cache of programs with that of this computer, as if earlier labs had brought them: changes stay on the machine.

    Where no overlay can be made, the cache is empty and programs are brought.
    """
    cache, place = Path(settings["cache"]), root / settings["cache_there"].lstrip("/")
    if not cache.is_dir():
        return
    place.mkdir(parents=True, exist_ok=True, mode=0o755)
    os.chdir(folder)
    for name in ("cache", "cache-upper", "cache-work"):
        Path(name).mkdir(exist_ok=True)
    try:
        mount(str(cache), "cache", flags=MS_BIND)
        mount("none", "cache", flags=MS_BIND | MS_REMOUNT | MS_RDONLY)
        mount("overlay", place, "overlay", 0, "lowerdir=cache,upperdir=cache-upper,workdir=cache-work")
    except OSError as error:
        print(f"the cache of programs of this computer is not used: {error.strerror}", file=sys.stderr)


def make_special(root: Path) -> None:
    """Mount what every root has: programs of a /usr that is a disk of its own, devices, /proc, /sys, and new /run and /dev/shm."""
    if os.path.ismount("/usr"):
        mount("/usr", root / "usr", flags=MS_BIND | MS_REC)
    mount("/dev", root / "dev", flags=MS_BIND | MS_REC)
    mount("tmpfs", root / "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    mount("proc", root / "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", root / "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("tmpfs", root / "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")


def copy_private(source: str, target: str) -> str:
    """Copy a file with its mode; root owns it."""
    shutil.copyfile(source, target)
    shutil.copymode(source, target)
    os.chown(target, 0, 0)
    return target


def mount(source: str, target: str | Path, kind: str = "none", flags: int = 0, options: str = "") -> None:
    """Mount a file system. OSError names the target."""
    result = libc.mount(os.fsencode(source), os.fsencode(target), kind.encode(), flags, options.encode())
    check(result, f"mounting {source} on {target}")


def check(result: int, what: str) -> None:
    """Raise OSError when a system call failed."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what} failed: {os.strerror(number)}")


def run(*argv: str, given: str = "") -> None:
    """Run a command; end this program with its output when it fails."""
    done = subprocess.run(argv, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(argv)} failed: {done.stdout.strip()}")


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    parent = os.getppid()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def exit_code(status: int) -> int:
    """Return a status for exit: that of the process, 128 + N for signal N."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def start(argv: Sequence[str]) -> int:
    """Run `main`; return 1 with one line on standard error when something fails."""
    try:
        return main(Path(argv[0]))
    except OSError as error:
        print(f"starting the machine failed: {error.strerror}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
