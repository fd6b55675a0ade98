"""Which of the collected tests run here, and what unit tests must not do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from lab.errors import LabError
from lab.spec import Capability
from scenarios.kit.options import session_of


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests that need more than the provider offers, deselect thorough ones, and put those that break the lab into one xdist group."""
    if not config.option.markexpr:
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        if thorough:
            items[:] = [item for item in items if item not in thorough]
            config.hook.pytest_deselected(items=thorough)
    for item in items:
        if item.get_closest_marker("breaks") and config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group("breaks"))
    if any(item.get_closest_marker("needs") for item in items):
        name, offers = provider_offers(config)
        for item in items:
            needs = {Capability(need) for marker in item.iter_markers("needs") for need in marker.args}
            if lacking := sorted(need.value for need in needs - offers):
                item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(lacking)}, which the provider {name} does not offer"))


def provider_offers(config: pytest.Config) -> tuple[str, frozenset[Capability]]:
    """Return the name of the lab's provider and the capabilities that it offers."""
    from lab.providers.registry import get_provider  # noqa: PLC0415

    try:
        spec = session_of(config).options.lab_spec()
        made_by = get_provider(spec.provider)
        offers = made_by.probe(spec)
    except LabError as error:
        raise pytest.UsageError(str(error)) from error
    return spec.provider, made_by.offers if offers is None else offers  # where a cluster cannot be asked, `up` says why


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Fail a unit test (<package>/tests/) that starts a process without the mark `spawns`."""
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
