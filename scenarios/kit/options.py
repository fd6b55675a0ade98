"""pytest's options for the lab of a session: the settings of the command line `lab` (lab.settings), with --lab- before each word."""

from __future__ import annotations

import argparse
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab import environment, settings
from lab.errors import LabError
from lab.run import runs_root
from lab.session_folder import session_folder
from lab.supply_choices import SupplyChoices
from scenarios.kit.signals import install_handlers

if TYPE_CHECKING:
    from scenarios.kit.session import Session

SETTINGS = tuple(of for of in settings.SETTINGS if of is not settings.CHECKOUT)
"""pytest's settings; pytest takes a checkout as --lab-release."""
NOTES = {"lab": " Tests attach to it, and leave it up.", "spec": " The default is lab_spec of pytest's configuration."}
"""What pytest adds to the help of a setting."""
OPTIONS = pytest.StashKey[dict[str, Any]]()
SESSION = pytest.StashKey["Session"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lab", "the lab that tests are run on: settings with an environment variable, as `lab` has them")
    parser.addini("lab_spec", "Lab file for sessions without --lab-spec, relative to this file.", default="")

    def setting(of: settings.Setting[Any], **other: Any) -> None:
        """Add a setting. No default: `options` takes the variable when the option is not given, and names it when its value is wrong."""
        group.addoption(name_option(of), help=f"{of.help}{NOTES.get(of.word, '')} [{of.variable}]", default=None, **other)

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
            opposite = {"dest": name_destination(of), "action": "store_false", "default": None}
            group.addoption(f"--lab-{of.opposite}", help=f"The opposite of {name_option(of)}.", **opposite)
        else:
            setting(of, type=parsed(of), metavar=of.metavar or of.word.upper())
    group.addoption("--lab-keep", action="store_const", const="always", default="never", help="Leave the lab up at the end.")
    group.addoption("--lab-keep-failed", dest="lab_keep", action="store_const", const="failed", help="Leave the lab up if a test failed.")
    group.addoption("--lab-snapshot", help="Begin from this snapshot (lab snapshot save), instead of a lab file.", metavar="SNAPSHOT")
    group.addoption("--lab-focus", help="Of upstream's own suite only the specs that match (lab upstream).", metavar="REGEXP")
    group.addoption("--lab-artifacts", help="Where evidence of failures goes.", metavar="DIR", default="_artifacts")


def name_option(of: settings.Setting[Any]) -> str:
    """Return pytest's option of a setting: --lab names the lab, all others begin with --lab-, so that none is another plugin's."""
    return "--lab" if of is settings.LAB else f"--lab-{of.word}"


def name_destination(of: settings.Setting[Any]) -> str:
    """Return the name by which pytest keeps the value of a setting's option."""
    return name_option(of).removeprefix("--").replace("-", "_")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[OPTIONS] = session_options(config)


@pytest.hookimpl(tryfirst=True)  # before xdist reports the collected tests to the process that ends the session
def pytest_collection_finish(session: pytest.Session) -> None:
    """End the session in order on SIGTERM when a test asks for a lab. A worker leaves a file that says so to the first process."""
    if any("lab" in getattr(item, "fixturenames", ()) for item in session.items):
        end_in_order(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """End the session in order on SIGTERM when a test of this worker asks for a lab."""
    if asked_file(node.config.stash[OPTIONS]).exists():
        install_handlers()


def end_in_order(config: pytest.Config) -> None:
    """Have SIGTERM and SIGHUP end the session in order, in the process that ends it."""
    if not hasattr(config, "workerinput"):
        install_handlers()
    elif config.workerinput["lab"] is not None:
        asked = asked_file(config.workerinput["lab"])
        asked.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        asked.touch()


def asked_file(options: dict[str, Any]) -> Path:
    """Return the file that says that a collected test asks for a lab."""
    return Path(options["folder"]) / "asked"


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
        "artifacts": str(Path(config.getoption("lab_artifacts")).absolute()),
        "keep": config.getoption("lab_keep"),
        "spec": str(given["spec"]) if given["spec"] else default_spec(config),
        "snapshot": snapshot_asked(config, given),
        "changes": {key: given[key] for key in ("provider", "deployer", "release", "kubernetes", "members") if given[key] is not None},
        "supply": SupplyChoices(
            source=given["source"] or "auto",
            offline=bool(given["offline"]),
            bundle=given["bundle"],
            mirror=given["mirror"],
            image_registry=given["image-registry"],
        ).document,
    }


def snapshot_asked(config: pytest.Config, given: dict[str, Any]) -> str | None:
    """Return the snapshot that the session's lab begins from. Raise UsageError beside an option that says what the lab is made of."""
    name = config.getoption("lab_snapshot")
    other = [name_option(of) for of in settings.OF_LAB if of is not settings.CHECKOUT and given[of.word] is not None]
    if name and other:
        raise pytest.UsageError(f"--lab-snapshot and {other[0]} exclude each other: a snapshot says what its lab is made of")
    return str(name) if name else None


def option_or_variable(config: pytest.Config, of: settings.Setting[Any]) -> Any:
    """Return the value of a setting: of its option, else of its variable, else None."""
    value = config.getoption(name_destination(of))
    return of.from_environment() if value is None else value


def default_spec(config: pytest.Config) -> str | None:
    """Return the lab file that the project's own configuration of pytest names (`lab_spec`); None for the default of `lab up`."""
    name = config.getini("lab_spec")
    return str((config.inipath.parent if config.inipath else config.rootpath) / name) if name else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Send the options to an xdist worker, so that all processes use the same lab."""
    node.workerinput["lab"] = node.config.stash[OPTIONS]


def worker_name(config: pytest.Config) -> str:
    return str(config.workerinput["workerid"]) if hasattr(config, "workerinput") else "main"


def session_of(config: pytest.Config) -> Session:
    """Return this process' Session. Create it on the first call, so that unit tests need not import what brings labs up."""
    if SESSION not in config.stash:
        from scenarios.kit.session import Session, SessionOptions  # noqa: PLC0415 (2 s of CPU that sessions without a lab do not need)

        environment.set_umask()
        # Handles of clusters keep their connections until the process ends; that the garbage collector closes them is no leak.
        config.addinivalue_line("filterwarnings", "ignore:unclosed <(ssl.SSLSocket|socket.socket):ResourceWarning")
        given = config.workerinput["lab"] if hasattr(config, "workerinput") else config.stash[OPTIONS]
        config.stash[SESSION] = Session(SessionOptions(**given), f"pytest {worker_name(config)}")
    return config.stash[SESSION]


def pytest_unconfigure(config: pytest.Config) -> None:
    if OPTIONS in config.stash:
        shutil.rmtree(config.stash[OPTIONS]["folder"], ignore_errors=True)
