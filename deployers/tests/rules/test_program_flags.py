"""Flags of a lab file are asked of the programs in the cache, each at its key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deployers.rules.program_flags import program_flag_errors
from deployers.spec import KarmadaSpec
from lab.computer import Answer
from lab.spec import LabSpec
from lab.tests.computer_fakes import Scripted


class Cache(Scripted):
    """Programs that refuse every flag whose name begins with "bogus", and every gate of that name."""

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        if "bogus" in argv[1]:
            return Answer(1, f"Error: unknown flag: {argv[1].partition('=')[0]}\n")
        if "Bogus" in argv[1]:
            return Answer(1, 'Error: invalid argument "Bogus=true" for "--feature-gates" flag: unrecognized feature gate: Bogus\n')
        return Answer(0, "")


LAB = LabSpec.model_validate(
    {
        "host": {"flags": {"kube-apiserver": {"bogus-one": "1", "v": "2"}}},
        "members": [{"name": "member1", "kubernetes": "1.34.4", "flags": {"etcd": {"bogus-two": "1"}}}],
    }
)
KARMADA = KarmadaSpec.model_validate(
    {
        "members": [{"name": "member1"}],
        "components": {
            "karmada-apiserver": {"flags": {"bogus-three": ["1", "2"]}},
            "karmada-scheduler": {"feature_gates": {"Bogus": True, "Failover": True}},
        },
    }
)


def test_each_flag_is_refused_at_its_key() -> None:
    found = program_flag_errors(LAB, KARMADA, lambda asset: Path(f"/cache/{asset}"), Cache())

    assert {problem.path for problem in found} == {
        "host.flags.kube-apiserver.bogus-one",
        "members[0].flags.etcd.bogus-two",
        "karmada.components.karmada-apiserver.flags.bogus-three",
        "karmada.components.karmada-scheduler.feature_gates.Bogus",
    }


def test_the_program_asked_is_of_the_version_that_would_run() -> None:
    asked: list[str] = []

    list(program_flag_errors(LAB, KARMADA, asked.append, Cache()))

    assert asked == [
        f"kube-apiserver@{LAB.kubernetes}",
        "etcd",
        f"kube-apiserver@{KARMADA.kubernetes}",
        f"karmada-scheduler@{KARMADA.release}",
    ]


def test_nothing_is_refused_of_programs_that_are_not_in_the_cache() -> None:
    assert list(program_flag_errors(LAB, KARMADA, lambda _: None, Cache())) == []
