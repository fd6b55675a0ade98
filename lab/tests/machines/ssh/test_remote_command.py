from __future__ import annotations

import os
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.machines.ssh.remote_command import ABSENT, MARK, STARTED, Sudo, command_line, make_header

TEXT = st.text(st.characters(blacklist_characters="\0", codec="utf-8"))


@given(st.lists(TEXT, min_size=1))
def test_the_remote_shell_gives_back_every_argument(argv: list[str]) -> None:
    line = command_line(argv, Sudo.NONE).decode()

    assert shlex.split(line)[-len(argv) :] == argv
    assert line.startswith("exec sh -c ")


def test_neither_variables_nor_the_password_are_in_the_command_line() -> None:
    assert b"sudo -n -- sh -c" in command_line(["true"], Sudo.QUIET)
    assert b"sudo -S -p '' -- sh -c" in command_line(["true"], Sudo.PASSWORD)
    assert make_header({"TOKEN": "it's\nsecret"}) == f"{MARK}\nTOKEN='it'\"'\"'s'\"$NL\"'secret'\n\n".encode()


@pytest.mark.parametrize("name", ["", "A B", "A=B", "1A", "A\nB"])
def test_a_variable_needs_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="environment"):
        make_header({name: "x"})


@pytest.mark.spawns
@pytest.mark.parametrize("value", ["plain", "it's", "two\nlines\n", '$HOME `id` "x" \\', "é\x7f", ""])
def test_the_script_hands_over_variables_and_input(value: str) -> None:
    script = ["sh", "-c", command_line(["sh", "-c", 'printf %s "$VALUE"; cat'], Sudo.NONE).decode()]
    done = subprocess.run(script, input=b"left by sudo\n" + make_header({"VALUE": value}) + b"in\nput", capture_output=True, check=True)

    assert done.stdout == os.fsencode(value) + b"in\nput"
    assert STARTED.fullmatch(done.stderr)


@pytest.mark.spawns
@pytest.mark.parametrize(("command", "why"), [("/no/such", b"No such file"), ("/etc/passwd", b"Permission"), ("/etc", b"Permission")])
def test_the_script_says_that_a_command_is_absent(command: str, why: bytes) -> None:
    done = subprocess.run(
        ["sh", "-c", command_line([command], Sudo.NONE).decode()], input=make_header({}), capture_output=True, check=False
    )
    found = ABSENT.search(done.stderr)

    assert found
    assert why in found[1]
    assert done.returncode in {126, 127}
