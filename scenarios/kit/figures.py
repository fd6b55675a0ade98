"""Measurements of a scenario: properties of its case in the JUnit file, and lines of its output."""

from __future__ import annotations

import pytest


def report_figures(request: pytest.FixtureRequest, **figures: object) -> None:
    """Report named measurements of the running test."""
    for name, value in figures.items():
        request.node.user_properties.append((name, value))
        print(f"{name} = {value}")
