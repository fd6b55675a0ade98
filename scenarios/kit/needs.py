"""The marks of tests that ask for a lab: `needs`, which a provider may not offer, and `breaks`, which must run alone."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.spec import Capability
from scenarios.kit.options import session_of

NAMES = frozenset(each.value for each in Capability)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "breaks: this test breaks a part of the lab and must run alone")
    config.addinivalue_line(
        "markers", "needs(*capabilities): PODS, MACHINES or HOLLOW; a provider that does not offer them skips the test and says so"
    )


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests that need more than the provider offers, and put those that break the lab into one xdist group."""
    for item in items:
        if item.get_closest_marker("breaks") and asks_for_lab(item) and config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group("breaks"))
    needs = {item: found for item in items if (found := read_needs(item))}
    if needs:
        name, offers = provider_offers(config)
        for item, needed in needs.items():
            if lacking := sorted(need.value for need in needed - offers):
                item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(lacking)}, which the provider {name} does not offer"))


def asks_for_lab(item: pytest.Item) -> bool:
    """Return whether a test uses the fixture `lab`, itself or by another fixture."""
    return "lab" in getattr(item, "fixturenames", ())


def read_needs(item: pytest.Item) -> set[Capability]:
    """Return what the marks `needs` of a test name. Raise UsageError for an unknown capability.

    A mark `needs` with other arguments is another project's when its test does not ask for a lab: it is ignored.
    """
    found = [str(need) for marker in item.iter_markers("needs") for need in marker.args]
    unknown = [need for need in found if need not in NAMES]
    if unknown and asks_for_lab(item):
        raise pytest.UsageError(f"{item.nodeid}: unknown capability {unknown[0]!r}; use {', '.join(sorted(NAMES))}")
    return set() if unknown else {Capability(need) for need in found}


def provider_offers(config: pytest.Config) -> tuple[str, frozenset[Capability]]:
    """Return the name of the lab's provider and the capabilities that it offers."""
    from lab.providers.registry import get_provider  # noqa: PLC0415 (227 modules, an HTTP client among them; the session imports it, too)

    try:
        spec = session_of(config).options.lab_spec()
        made_by = get_provider(spec.provider)
        offers = made_by.probe(spec)
    except LabError as error:
        raise pytest.UsageError(str(error)) from error
    return spec.provider, made_by.offers if offers is None else offers  # where a cluster cannot be asked, `up` says why
