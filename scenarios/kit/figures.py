"""Figures that a scenario measures beside what it asserts: properties of its case in the JUnit file, and lines of its output."""

from __future__ import annotations

import pytest


def report(request: pytest.FixtureRequest, **figures: object) -> None:
    """Report figures of the test that is running, by name."""
    for name, value in figures.items():
        request.node.user_properties.append((name, value))
        print(f"{name} = {value}")
