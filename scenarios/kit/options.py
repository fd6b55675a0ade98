"""pytest's options for the lab of a session, which are the settings of the command line `lab` (lab.settings)."""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab import environment, settings
from lab.errors import LabError
from lab.run import runs_root
from lab.session_folder import session_folder
from lab.supply_choices import SupplyChoices
from scenarios.kit.signals import end_session

if TYPE_CHECKING:
    from scenarios.kit.session import Session

SETTINGS = tuple(of for of in settings.SETTINGS if of is not settings.CHECKOUT)
"""pytest's settings; pytest takes a checkout as --release."""
NOTES = {"lab": " Tests attach to it, and leave it up.", "spec": " The default is scenarios/lab.toml."}
"""What pytest adds to the help of a setting."""
OPTIONS = pytest.StashKey[dict[str, Any]]()
SESSION = pytest.StashKey["Session"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lab", "the lab that tests are run on: settings with an environment variable, as `lab` has them")

    def setting(of: settings.Setting[Any], **other: Any) -> None:
        """Add a setting. No default: `options` takes the variable when the option is not given, and names it when its value is wrong."""
        group.addoption(of.option, help=f"{of.help}{NOTES.get(of.word, '')} [{of.variable}]", default=None, **other)

    def parsed(of: settings.Setting[Any]) -> Callable[[str], Any]:
        def parse(text: str) -> Any:
            try:
                return of.parse(text)
            except ValueError as error:
                raise argparse.ArgumentTypeError(str(error)) from error

        return parse

    for of in SETTINGS:
        if of.opposite:
            setting(of, action="store_true")
            group.addoption(f"--{of.opposite}", help=f"The opposite of {of.option}.", dest=of.word, action="store_false", default=None)
        else:
            setting(of, type=parsed(of), metavar=of.metavar or of.word.upper())
    group.addoption("--keep", action="store_const", const="always", default="never", help="Leave the lab up at the end.")
    group.addoption("--keep-failed", dest="keep", action="store_const", const="failed", help="Leave the lab up if a test failed.")
    group.addoption("--focus", help="Of upstream's own suite only the specs that match (scenarios/test_upstream.py).", metavar="REGEXP")
    group.addoption("--artifacts", help="Where evidence of failures goes.", metavar="DIR", default="_artifacts")


def pytest_configure(config: pytest.Config) -> None:
    environment.set_umask()
    config.addinivalue_line("markers", "breaks: this test breaks a part of the lab and must run alone")
    config.addinivalue_line("markers", "thorough: this test takes minutes; it runs only with -m thorough")
    # Handles of clusters keep their connections until the process ends; that the garbage collector closes them is no leak.
    config.addinivalue_line("filterwarnings", "ignore:unclosed <(ssl.SSLSocket|socket.socket):ResourceWarning")
    if not hasattr(config, "workerinput"):
        config.stash[OPTIONS] = session_options(config)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, end_session)


def session_options(config: pytest.Config) -> dict[str, Any]:
    """Return options as a dict of the fields of `scenarios.kit.session.SessionOptions`. Raise UsageError for a wrong variable."""
    try:
        given = {of.word: option_or_variable(config, of) for of in SETTINGS}
    except LabError as error:
        raise pytest.UsageError(str(error)) from error
    return {
        "lab": given["lab"] or f"test-{secrets.token_hex(3)}",
        "attach": bool(given["lab"]),
        "folder": str(session_folder(runs_root())),
        "artifacts": str(Path(config.getoption("artifacts")).absolute()),
        "keep": config.getoption("keep"),
        "spec": given["spec"] and str(given["spec"]),
        "changes": {key: given[key] for key in ("provider", "deployer", "release", "kubernetes", "members") if given[key] is not None},
        "supply": SupplyChoices(
            source=given["source"] or "auto",
            offline=bool(given["offline"]),
            bundle=given["bundle"],
            mirror=given["mirror"],
            image_registry=given["image-registry"],
        ).document,
    }


def option_or_variable(config: pytest.Config, of: settings.Setting[Any]) -> Any:
    """Return the value of a setting: of its option, else of its variable, else None."""
    value = config.getoption(of.word.replace("-", "_"))
    return of.from_environment() if value is None else value


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Send the options to an xdist worker, so that all processes use the same lab."""
    node.workerinput["lab"] = node.config.stash[OPTIONS]


def worker_name(config: pytest.Config) -> str:
    return str(config.workerinput["workerid"]) if hasattr(config, "workerinput") else "main"


def session_of(config: pytest.Config) -> Session:
    """Return this process' Session. Create it on the first call, so that unit tests need not import what brings labs up."""
    if SESSION not in config.stash:
        from scenarios.kit.session import Session, SessionOptions  # noqa: PLC0415

        given = config.workerinput["lab"] if hasattr(config, "workerinput") else config.stash[OPTIONS]
        config.stash[SESSION] = Session(SessionOptions(**given), f"pytest {worker_name(config)}")
    return config.stash[SESSION]


def pytest_unconfigure(config: pytest.Config) -> None:
    if OPTIONS in config.stash:
        shutil.rmtree(config.stash[OPTIONS]["folder"], ignore_errors=True)
