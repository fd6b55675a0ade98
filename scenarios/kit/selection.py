"""Rules of this project's own tests: which run by default, and what unit tests must not do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thorough: this test takes minutes; it runs only with -m thorough")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect thorough tests unless -m selects marks."""
    thorough = [] if config.option.markexpr else [item for item in items if item.get_closest_marker("thorough")]
    if thorough:
        items[:] = [item for item in items if item not in thorough]
        config.hook.pytest_deselected(items=thorough)


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
