"""Rules of components: flags, environment, feature gates; and of members, since component names contain theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from deployers.plane.owned_flags import OWNED_FLAGS
from deployers.spec import KarmadaSpec, MemberOf
from lab.preflight import Found, Place, Problem
from lab.rules.syntax import flag_error, text_error, variable_error
from lab.yaml_text import is_ambiguous

GATE = re.compile(r"[A-Z][A-Za-z0-9]*")
ESTIMATOR = "karmada-scheduler-estimator-"
LONGEST_SERVICE = 63
"""Characters of a Service's name, which each estimator has."""


def component_of(place: Place) -> str:
    """Return the component that a ComponentSpec is of."""
    return place.path.split(".")[-2]


def flag_errors(flags: Mapping[str, str | tuple[str, ...]], place: Place) -> Iterator[Problem]:
    name = component_of(place)
    for flag, value in flags.items():
        values = (value,) if isinstance(value, str) else value
        if why := flag_error(flag):
            yield Problem(f".{flag}", f"{flag!r} {why}")
        elif not values:
            yield Problem(f".{flag}", "has no value", f"give one, or name the flag in components.{name}.without")
        elif why := next((why for each in values if (why := text_error(each))), ""):
            yield Problem(f".{flag}", why)
        elif flag in OWNED_FLAGS.get(name, ()):
            yield Problem(f".{flag}", f"the lab sets --{flag} of {name} itself: ports, keys and addresses depend on it", "leave it out")


def without_errors(flags: tuple[str, ...], place: Place) -> Iterator[Problem]:
    name = component_of(place)
    for number, flag in enumerate(flags):
        if flag in OWNED_FLAGS.get(name, ()):
            yield Problem(f"[{number}]", f"{name} needs --{flag}: ports, keys and addresses depend on it", "leave it out")


def gate_errors(gates: Mapping[str, bool], place: Place) -> Iterator[Problem]:
    for gate in gates:
        if not GATE.fullmatch(gate):
            yield Problem(f'["{gate}"]', f"{gate!r} is not the name of a feature gate")


def env_errors(variables: Mapping[str, str], place: Place) -> Found:
    for name, value in variables.items():
        if why := variable_error(name) or text_error(value):
            yield Problem(f'["{name}"]', f"{name!r} {why}")


def member_errors(members: tuple[MemberOf, ...], place: Place) -> Found:
    """Yield names too long for the Service of an estimator."""
    assert isinstance(place.root, KarmadaSpec)
    most = LONGEST_SERVICE - len(ESTIMATOR)
    for member in members:
        if place.root.addons.estimators and place.root.deployer != "by_binary" and is_ambiguous(member.name):
            yield Problem(
                "",
                f"{member.name!r} is a number or a truth value in YAML, and upstream's manifest of the estimator writes it without quotes",
                "take another name, or leave addons.estimators out",
            )
        if place.root.addons.estimators and len(member.name) > most:
            yield Problem(
                "",
                f"{member.name!r} is too long: its estimator's Service {ESTIMATOR}{member.name} has more than {LONGEST_SERVICE} characters",
                f"take a name of at most {most} for the member, or leave addons.estimators out",
            )
