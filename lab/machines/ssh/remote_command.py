"""The command line that a remote shell is given, and what is written to its input first. Pure.

Only argv is in the command line, which every user of the machine can read there. Environment variables, of which some are secret, and
sudo's password go through the standard input, before what the command itself reads.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from enum import Enum

MARK = "karmada-lab-command"
SCRIPT = f"""\
IFS=' ' read -r pid name state parent group rest < /proc/$$/stat
echo "{MARK} started $group" >&2
while IFS= read -r line && [ "$line" != "{MARK}" ]; do :; done
NL='
'
umask 022
PATH=${{PATH:-/usr/bin:/bin}}:/usr/local/sbin:/usr/sbin:/sbin
export PATH
while IFS= read -r line && [ -n "$line" ]; do eval "export $line"; done
unset NL pid name state parent group rest line
path=$(command -v -- "$1")
case $path in
'') echo "{MARK} absent No such file or directory" >&2; exit 127 ;;
*/*) [ -x "$path" ] && [ ! -d "$path" ] || {{ echo "{MARK} absent Permission denied" >&2; exit 126; }} ;;
esac
exec "$@"
"""
"""Print the process group, skip a password that sudo did not ask for, read the environment, exec the command."""

STARTED = re.compile(rf"^{MARK} started (\d+)\n".encode(), re.MULTILINE)
ABSENT = re.compile(rf"^{MARK} absent (.*)\n".encode(), re.MULTILINE)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Sudo(Enum):
    """How a command gets root: not at all, by sudo without a password, by sudo with one."""

    NONE = "none"
    QUIET = "without a password"
    PASSWORD = "with a password"  # noqa: S105 (no password)


def command_line(argv: Sequence[str], sudo: Sudo) -> bytes:
    """Return the line for the remote shell, whichever it is: a command that names the interpreter of the script itself."""
    command = ["sh", "-c", SCRIPT, "sh", *map(str, argv)]
    if sudo is Sudo.QUIET:
        command = ["env", "LC_ALL=C", "sudo", "-n", "--", *command]
    if sudo is Sudo.PASSWORD:
        command = ["env", "LC_ALL=C", "sudo", "-S", "-p", "", "--", *command]
    return os.fsencode(f"exec {shlex.join(command)}")


def make_header(env: Mapping[str, str]) -> bytes:
    """Return what the script reads before it becomes the command: one line for each variable. ValueError when a name cannot be one."""
    lines = [MARK]
    for name, value in env.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of an environment variable")
        quoted = shlex.quote(value).replace("\n", "'\"$NL\"'")
        lines.append(f"{name}={quoted}")
    return os.fsencode("".join(f"{line}\n" for line in [*lines, ""]))
