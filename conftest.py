"""The composition root of the tests: options, the lab they share, and the fixtures.

    lab            a host cluster and members that answer      namespace   one of the test's own, on Karmada and its members
    control_plane  Karmada, whatever becomes of its members    workload    gives Karmada a Deployment and its policy
    karmada        Karmada with its members Ready

A test asks for a fixture and so gets a lab; one that asks for none needs none. Settings are those of the command line `lab`
(lab.settings), with the same environment variables. The mechanics are in `scenarios.kit.session`; here is what pytest has to be told.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from _pytest.outcomes import Failed

from lab import environment, settings
from lab.errors import LabError
from lab.run import Run, runs_root
from lab.session_folder import session_folder
from lab.spec import Capability

if TYPE_CHECKING:
    from deployers.karmada import Karmada
    from lab.cluster import Lab
    from scenarios.kit.session import NoLab, Session
    from scenarios.kit.workload import Workloads

SETTINGS = tuple(of for of in settings.SETTINGS if of is not settings.CHECKOUT)
"""pytest's settings; a checkout is a --release here."""
HERE = {"lab": " Tests attach to it, and leave it up.", "spec": " The default is scenarios/lab.toml."}
"""What a setting means in pytest besides."""
WISHES = pytest.StashKey[dict[str, Any]]()
SESSION = pytest.StashKey["Session"]()
SAID = pytest.StashKey[list[str]]()
INTERRUPTED: list[int] = []
"""The exit code of the signal that ended this session, if one did; pytest's hook for it is not told of the config."""

EVIDENCE_AT_MOST = 10
"""Failed tests of one process that get evidence of their own: it takes seconds, and the eleventh says what the tenth did."""


# -- options -------------------------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lab", "the lab that tests are run on: settings with an environment variable, as `lab` has them")

    def setting(of: settings.Setting[Any], **other: Any) -> None:
        """Add a setting. No default: `wishes` takes the variable when the option is not given, and names it when its value is wrong."""
        group.addoption(of.option, help=f"{of.help}{HERE.get(of.word, '')} [{of.variable}]", default=None, **other)

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
    config.addinivalue_line("markers", "breaks: this test breaks something of the lab on purpose, and has it to itself meanwhile")
    config.addinivalue_line("markers", "thorough: this test takes minutes; it is run by -m thorough only")
    # Handles of clusters keep their connections until the process ends; that the garbage collector closes them is no leak.
    config.addinivalue_line("filterwarnings", "ignore:unclosed <(ssl.SSLSocket|socket.socket):ResourceWarning")
    if not hasattr(config, "workerinput"):
        config.stash[WISHES] = wishes(config)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, terminated)


def wishes(config: pytest.Config) -> dict[str, Any]:
    """Return what options and environment ask for, as `scenarios.kit.session.Wishes` writes it. UsageError for a variable that is wrong."""
    try:
        given = {of.word: given_or_variable(config, of) for of in SETTINGS}
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
        "source": given["source"] or "auto",
        "offline": bool(given["offline"]),
        "bundle": given["bundle"] and str(given["bundle"]),
        "mirror": given["mirror"],
        "image_registry": given["image-registry"],
    }


def given_or_variable(config: pytest.Config, of: settings.Setting[Any]) -> Any:
    """Return a setting's value: that of its option, else that of its variable, else None."""
    value = config.getoption(of.word.replace("-", "_"))
    return of.from_environment() if value is None else value


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Have xdist's workers agree with the controller, and so with each other."""
    node.workerinput["lab"] = node.config.stash[WISHES]


def worker_name(config: pytest.Config) -> str:
    return str(config.workerinput["workerid"]) if hasattr(config, "workerinput") else "main"


def session_of(config: pytest.Config) -> Session:
    """Return this process' share of the session, made when first asked for: unit tests pay for none of it."""
    if SESSION not in config.stash:
        from scenarios.kit.session import Session, Wishes  # noqa: PLC0415

        given = config.workerinput["lab"] if hasattr(config, "workerinput") else config.stash[WISHES]
        config.stash[SESSION] = Session(Wishes(**given), f"pytest {worker_name(config)}")
    return config.stash[SESSION]


# -- which tests -----------------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what this lab's provider does not offer, saying so; leave out what is thorough; keep what breaks things in one group."""
    if not config.option.markexpr:
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        if thorough:
            items[:] = [item for item in items if item not in thorough]
            config.hook.pytest_deselected(items=thorough)
    for item in items:
        if item.get_closest_marker("breaks") and config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group("breaks"))
    if any(item.get_closest_marker("needs") for item in items):
        name, offers = offered(config)
        for item in items:
            needs = {Capability(need) for marker in item.iter_markers("needs") for need in marker.args}
            if lacking := sorted(need.value for need in needs - offers):
                item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(lacking)}, which the provider {name} does not offer"))


def offered(config: pytest.Config) -> tuple[str, frozenset[Capability]]:
    """Return the provider of this session's lab and what it offers."""
    from lab.providers.registry import get_provider  # noqa: PLC0415

    try:
        name = session_of(config).wishes.lab_spec().provider
        return name, get_provider(name).offers
    except LabError as error:
        raise pytest.UsageError(str(error)) from error


# -- unit tests spawn nothing -----------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Refuse processes to tests under <package>/tests/ that are not marked `spawns`."""
    if "tests" not in item.path.relative_to(item.config.rootpath).parts or item.get_closest_marker("spawns"):
        return (yield)

    def refused(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("a unit test started a process; mark it with @pytest.mark.spawns if it has to", pytrace=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", refused)
        patch.setattr(subprocess.Popen, "__del__", lambda _: None)
        for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system"):
            patch.setattr(os, name, refused)
        return (yield)


# -- the lab ----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The lab of this session: a host cluster and members that answer. Shared by all tests and processes; leave it as it was."""
    from scenarios.kit.session import NoLab  # noqa: PLC0415

    session = session_of(request.config)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            found = session.lab()
    except NoLab as none:
        raise NoLabHere(none) from none
    yield found
    session.release()


@pytest.fixture(scope="session")
def control_plane(lab: Lab) -> Karmada:
    """Karmada's control plane: it answers; nothing is said about members."""
    from deployers.karmada import Karmada  # noqa: PLC0415

    return Karmada.open(lab)


@pytest.fixture(scope="session")
def karmada(control_plane: Karmada) -> Karmada:
    """Karmada with the lab's members joined and Ready."""
    from deployers.members.registry import wait_member_ready  # noqa: PLC0415

    for member in control_plane.members:
        wait_member_ready(control_plane, member.name)
    return control_plane


@pytest.fixture(autouse=True)
def turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that share the lab take turns with those that break it (`@pytest.mark.breaks`)."""
    if "lab" not in request.fixturenames:
        yield
        return
    from lab.shared_lock import hold_lab  # noqa: PLC0415

    with hold_lab(request.getfixturevalue("lab").run, alone=request.node.get_closest_marker("breaks") is not None):
        yield


@pytest.fixture
def namespace(karmada: Karmada, turn: None, request: pytest.FixtureRequest) -> Iterator[str]:  # noqa: ARG001 (its own namespace, in its own turn)
    """A namespace of this test's own, on the control plane and on every member; its removal is asked for at the end."""
    from scenarios.kit.namespaces import namespace as made  # noqa: PLC0415

    slug = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())[:30].strip("-")
    with made(karmada, f"{slug}-{worker_name(request.config)}-{secrets.token_hex(3)}") as name:
        yield name


@pytest.fixture
def workload(karmada: Karmada, namespace: str) -> Workloads:
    """A function that gives Karmada a Deployment and the policy that places it: `workload(replicas=6, placement=divided(…))`."""
    from scenarios.kit.workload import Workloads  # noqa: PLC0415

    return Workloads(karmada, namespace)


# -- what is reported --------------------------------------------------------------------------------------------------------------------


class NoLabHere(Failed):
    """There is no lab for this process' tests: each of them errs with it, the first one in full."""

    def __init__(self, why: NoLab) -> None:
        super().__init__(str(why), pytrace=False)
        self.why = why
        self.told = False


@pytest.hookimpl(wrapper=True, trylast=True)  # other plugins get the masked report
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Collect evidence for a test of the lab that failed, while the lab is as it left it, and say where it is; mask the lab's secrets."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, NoLabHere):
        report.longrepr = error.why.brief if error.told or not error.why.first else str(error)
        error.told = True
    elif error is not None and report.failed and SESSION in item.config.stash:
        reason = item.name + ("" if call.when == "call" else f"-{call.when}")
        for folder in collected(item, reason):
            report.sections.append(("evidence", str(folder)))
            if item.config.getoption("allure_report_dir", None):
                import allure  # noqa: PLC0415

                allure.attach.file(folder / "index.json", name="evidence", attachment_type=allure.attachment_type.JSON)
    if SESSION in item.config.stash and (report.longrepr or report.sections):
        mask_secrets(item.config.stash[SESSION], report)
    return report


def mask_secrets(session: Session, report: pytest.TestReport) -> None:
    """Mask the secrets of the session's labs in a report. The clusters are asked again when a test failed: it may have made Secrets."""
    own = sys.modules.get("scenarios.kit.extra_lab")
    if session.has_lab or (own and (own.OWN.runs or own.OWN.learned.values)):
        from scenarios.kit.masking import mask_report  # noqa: PLC0415

        mask_report(report, session.known(own.OWN.secrets() if own and report.failed else None, ask=report.failed))


def collected(item: pytest.Item, reason: str) -> list[Path]:
    """Collect evidence of the labs that a failed test used: the shared one, and those of its own. Return the directories."""
    session = item.config.stash[SESSION]
    if session.collected >= EVIDENCE_AT_MOST:
        return []
    shared = [session.collect(reason)] if "lab" in getattr(item, "fixturenames", ()) and session.has_lab else []
    return [*shared, *(own.OWN.collect(reason) if (own := sys.modules.get("scenarios.kit.extra_lab")) else ())]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell labs of tests' own where evidence of this session goes; no test that was collected has one where the module was not imported."""
    if own := sys.modules.get("scenarios.kit.extra_lab"):
        own.OWN.into = session_of(session.config).wishes.evidence


def terminated(number: int, _frame: FrameType | None) -> NoReturn:
    """End as on Ctrl-C, remembering by which signal; a second one ends the process at once."""
    signal.signal(number, signal.SIG_DFL)
    raise Terminated(number)


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP. On a KeyboardInterrupt, and on nothing else, pytest ends a session in order."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Note by which signal the session ends."""
    if isinstance(excinfo.value, KeyboardInterrupt):
        INTERRUPTED.append(excinfo.value.exit_code if isinstance(excinfo.value, Terminated) else 130)


@pytest.hookimpl(wrapper=True, trylast=True)  # when fixtures are torn down and workers have ended
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """End the session's lab, whatever other plugins' ends raise."""
    try:
        return (yield)
    finally:
        finish(session)


def finish(session: pytest.Session) -> None:
    """Have the lab's steps in the JUnit file, take the lab down if it is ours and not to be kept, and set the exit code."""
    config = session.config
    if hasattr(config, "workerinput") or not (SESSION in config.stash or used(config)):
        return
    mine = session_of(config)
    outcome = mine.outcome
    report_steps(config, mine)
    if results_wanted(config):
        mine.keep_journal()
        mask_files(config, mine)
    failed = session.testsfailed > 0 or bool(outcome and outcome.told)
    said, leak = mine.end(failed=failed, interrupted=bool(INTERRUPTED))
    if outcome and outcome.told:
        said = [*outcome.told.splitlines(), *said]
        session.exitstatus = outcome.exit_code
    if leak:
        said += str(leak).splitlines()
        session.exitstatus = leak.exit_code
    if INTERRUPTED:
        session.exitstatus = INTERRUPTED[0]
    config.stash[SAID] = said


def used(config: pytest.Config) -> bool:
    """Tell whether any process of this session asked for the lab."""
    folder = Path(config.stash[WISHES]["folder"])
    return folder.is_dir() and any(folder.iterdir())


def results_wanted(config: pytest.Config) -> bool:
    """Tell whether this session leaves results for a report: JUnit or Allure."""
    return bool(config.getoption("xmlpath", None) or config.getoption("allure_report_dir", None))


def mask_files(config: pytest.Config, session: Session) -> None:
    """Mask the secrets of the session's labs in its results, before the labs are gone: plugins write past the masked reports."""
    from scenarios.kit.masking import mask_results  # noqa: PLC0415

    junit, allure = config.getoption("xmlpath", None), config.getoption("allure_report_dir", None)
    mask_results(Path(junit) if junit else None, Path(allure) if allure else None, session.known())


def report_steps(config: pytest.Config, session: Session) -> None:
    """Write the steps of `up` into the JUnit file, if one is asked for: it is written anew, tests and steps."""
    from _pytest.junitxml import xml_key  # noqa: PLC0415 (the only door to it)

    from scenarios.kit.step_cases import reports  # noqa: PLC0415

    xml = config.stash.get(xml_key, None)
    if xml is None or session.wishes.attach or not (session.wishes.run_path / "run.json").exists():
        return
    for report in reports(Run.load(session.wishes.lab).events(), lab=session.wishes.lab):
        xml.pytest_runtest_logreport(report)
    xml.pytest_sessionfinish()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what does not fit this lab, and what became of the lab."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        if reason.startswith(("needs ", "unknown: ")):
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"not run here: {count} test{'s' if count > 1 else ''}: {reason}")
    if said := config.stash.get(SAID, []):
        terminalreporter.section("lab")
        for line in said:
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    if WISHES in config.stash:
        shutil.rmtree(config.stash[WISHES]["folder"], ignore_errors=True)
