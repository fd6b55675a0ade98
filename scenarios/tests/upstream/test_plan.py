"""The plan of a run of upstream's suite: all specs, minus known ones and those outside the focus."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from scenarios.tests.upstream.upstream_fakes import WHY, entry, spec
from scenarios.upstream.known import KnownSpecs
from scenarios.upstream.plan import make_plan
from scenarios.upstream.spec import GinkgoReport, SpecResult
from scenarios.upstream.verdict import judge


def test_ginkgo_gets_exactly_the_planned_specs() -> None:
    specs = [spec("a one"), spec("a two"), spec("b"), spec("c", "slow"), spec("d")]
    known = KnownSpecs(skip=(entry(text="a"), entry(label="slow")), fails=(entry(text="b"),))

    planned = make_plan(specs, known)

    assert [each.text for each in planned.run] == ["b", "d"]
    assert list(planned.expected) == [spec("b")]
    assert planned.filters == ["--skip=a", "--label-filter=!slow"]
    assert planned.idle == []


def test_an_entry_that_matches_nothing_any_more_is_found_whatever_the_focus() -> None:
    planned = make_plan(
        [spec("a"), spec("b")], KnownSpecs(skip=(entry(text="b"), entry(text="gone")), fails=(entry(pattern="^never$"),)), focus="a"
    )

    assert [each.selector for each in planned.idle] == ["text = 'gone'", "pattern = '^never$'"]
    assert planned.filters == ["--focus=a"]
    assert judge(planned, GinkgoReport({spec("a"): SpecResult("passed")})).wrong == [
        "known.toml, text = 'gone': no spec matches it any more",
        "known.toml, pattern = '^never$': no spec matches it any more",
    ]


def test_a_focus_that_matches_nothing_names_the_nearest() -> None:
    specs = [spec("Resource interpreter webhook testing"), spec("Karmadactl join testing"), spec("remedy testing")]

    with pytest.raises(UsageError) as caught:
        make_plan(specs, KnownSpecs(), focus="interpretr webhok")

    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("the nearest: Resource interpreter webhook testing")


def test_a_focus_that_is_no_expression_is_refused_with_one_that_is() -> None:
    with pytest.raises(UsageError, match="regular expression") as caught:
        make_plan([spec("a")], KnownSpecs(), focus="[karmada")

    assert caught.value.remedy == r"to match it as it is: \[karmada"


def test_a_focus_on_what_is_not_run_says_why() -> None:
    with pytest.raises(UsageError, match="specs") as caught:
        make_plan([spec("a"), spec("b")], KnownSpecs(skip=(entry(text="b"),)), focus="b")

    assert WHY in str(caught.value)
