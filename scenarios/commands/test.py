"""`lab test`: run the scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer

from lab import environment, interrupt
from lab.cli.app import STYLE
from lab.cli.errors import BUG
from lab.errors import NotPossible, TestsFailed, UsageError

CHECKOUT = Path(__file__).parents[2]
CODES: dict[int, int] = {
    pytest.ExitCode.INTERRUPTED: TestsFailed.exit_code,  # of collecting: conftest.py has the exit codes of signals
    pytest.ExitCode.INTERNAL_ERROR: BUG,
    pytest.ExitCode.USAGE_ERROR: UsageError.exit_code,
    pytest.ExitCode.NO_TESTS_COLLECTED: NotPossible.exit_code,
}
"""The exit codes of pytest that mean something else here."""

app = typer.Typer(add_completion=False, **STYLE)
PASSED_ON = {"ignore_unknown_options": True, "help_option_names": ["--help"]}  # pytest has -h, and groups of letters with h in them


class SessionStatus:
    """A plugin that records pytest's own exit status of a session, before conftest.py replaces it by one of ours."""

    def __init__(self) -> None:
        self.status: int | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.status = int(exitstatus)


@app.command(context_settings=PASSED_ON)
def test(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ARGUMENT]…", help="pytest's: files, -k, -m, --lab …")] = None,  # noqa: PT028 (a verb)
) -> None:
    """Run the scenarios by pytest, or the given test files.

    All arguments are pytest's; without a path the whole folder scenarios/ is run. `lab test -- --help` prints pytest's options.

    Exit codes are those of `lab`: 1 when a test failed or cannot be collected, 3 when no test was run.
    """
    if not (CHECKOUT / "conftest.py").is_file() or Path.cwd() != CHECKOUT:
        raise NotPossible(
            "the scenarios run in a checkout of karmada-lab only", where=str(Path.cwd()), remedy=f"cd {CHECKOUT}, if it is one"
        )
    raise typer.Exit(run_pytest(["-o", "testpaths=scenarios", *(arguments or [])]))


def run_pytest(arguments: list[str]) -> int:
    """Run pytest in this process, with the signals and the umask that it has by itself; return the exit code."""
    interrupt.uninstall()
    environment.restore_umask()
    session = SessionStatus()
    status = int(pytest.main(arguments, plugins=[session]))
    return translate_status(status, session.status)


def translate_status(status: int, of_session: int | None) -> int:
    """Return the exit code for what pytest.main returned; one that conftest.py has set, and that is not of the session, is ours already."""
    replaced = of_session is not None and status != of_session
    return status if replaced else CODES.get(status, status)
