"""A component of a machine: its paths as that machine has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lab.component import Component
from lab.machines.placement import Placement

PATIENCE = 2.0
"""How many times as long a program may take there until it serves: machines that the lab makes share this computer's processors, and
five API servers that started at once on two busy cores took over 90 s.
"""


def place_component(component: Component, placement: Placement) -> Component:
    """Return the component with its program, flags, arguments and environment as the machine has them; on this computer, the same one.

    Health endpoints keep this computer's paths: they are asked from here.
    """
    if placement.is_local:
        return component

    def there(value: str | Sequence[str] | None) -> str | Sequence[str] | None:
        if value is None or isinstance(value, str):
            return placement.text(value) if value else value
        return tuple(placement.text(each) for each in value)

    return replace(
        component,
        machine=placement.name,
        within=component.within * PATIENCE,
        binary=placement.path(component.binary),
        flags={name: there(value) for name, value in component.flags.items()},
        args=tuple(placement.text(arg) for arg in component.args),
        env={name: placement.text(value) for name, value in component.env.items()},
    )
