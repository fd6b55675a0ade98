"""The fixtures of scenarios: the lab of the session, Karmada on it, a namespace and workloads of one test.

What brings labs up is imported by the fixture that needs it: 2.2 s of CPU, which a session of unit tests does without.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Failed

from scenarios.kit.options import session_of, worker_name

if TYPE_CHECKING:
    from deployers.karmada import Karmada
    from lab.cluster import Lab
    from lab.run import Run
    from scenarios.kit.session import NoLab
    from scenarios.kit.workload import Workloads


class NoLabHere(Failed):
    """The error of every test without a lab in this process; only the first one shows the whole text."""

    def __init__(self, why: NoLab) -> None:
        super().__init__(str(why), pytrace=False)
        self.why = why
        self.shown = False


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The lab of this session: a host cluster and members with serving APIs. All tests share it: leave it as you found it."""
    from scenarios.kit.session import NoLab  # noqa: PLC0415 (see the top)

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
    """Karmada's control plane with a serving API; its members may not be Ready."""
    from deployers.karmada import Karmada  # noqa: PLC0415 (see the top)

    return Karmada.open(lab)


@pytest.fixture(scope="session")
def karmada(control_plane: Karmada) -> Karmada:
    """Karmada with the lab's members joined and Ready."""
    from deployers.members.registry import wait_member_ready  # noqa: PLC0415 (see the top)

    for member in control_plane.members:
        wait_member_ready(control_plane, member.name, within=60.0)
    return control_plane


@pytest.fixture(autouse=True)
def lab_turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold the lab's lock: shared, or exclusive for a test that breaks the lab (`@pytest.mark.breaks`). Other tests pass.

    In tests that do not break it, waits end early when something else has.
    """
    if "lab" not in request.fixturenames:
        yield
        return
    from lab.cluster import Lab  # noqa: PLC0415 (see the top)
    from lab.shared_lock import hold_lab  # noqa: PLC0415 (see the top)

    found, breaks = request.getfixturevalue("lab"), request.node.get_closest_marker("breaks") is not None
    if not isinstance(found, Lab):  # a fixture of another project with the same name
        yield
        return
    with hold_lab(found.run, alone=breaks), contextlib.nullcontext() if breaks else end_blocked_waits(found.run):
        yield


def end_blocked_waits(run: Run) -> contextlib.AbstractContextManager[None]:
    """Return a context in which waits end early when a program of the lab does not run: this test has not stopped it."""
    from lab.diagnosis.examiner import LabExaminer  # noqa: PLC0415 (see the top)
    from lab.wait import examine_stalls  # noqa: PLC0415 (see the top)

    return examine_stalls(LabExaminer(run))


@pytest.fixture
def namespace(karmada: Karmada, lab_turn: None, request: pytest.FixtureRequest) -> Iterator[str]:  # noqa: ARG001 (its own namespace, in its own turn)
    """A new namespace for this test, on the control plane and on every member; it is deleted at the end without waiting."""
    from scenarios.kit.namespaces import make_namespace as made  # noqa: PLC0415 (see the top)

    slug = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())[:30].strip("-")
    with made(karmada, f"{slug}-{worker_name(request.config)}-{secrets.token_hex(3)}") as name:
        yield name


@pytest.fixture
def workload(karmada: Karmada, namespace: str) -> Workloads:
    """A function that creates a Deployment and the policy that places it: `workload(replicas=6, placement=divide_among(…))`."""
    from scenarios.kit.workload import Workloads  # noqa: PLC0415 (see the top)

    return Workloads(karmada, namespace)
