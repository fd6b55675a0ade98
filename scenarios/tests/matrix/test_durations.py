"""Measured durations of cells, and shards of about equal length."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from scenarios.matrix.cells import MatrixCell
from scenarios.matrix.durations import GUESS, Durations, parse_shard, read_durations, shard
from scenarios.tests.matrix.planner_fakes import CELLS, quick


@quick
@given(
    CELLS,
    st.integers(1, 7),
    st.dictionaries(st.sampled_from(["p0-d0-r0-k0-s0", "p1-d1-r1-k1-s1"]), st.lists(st.floats(1, 9e3), min_size=1)),
)
def test_shards_are_all_cells_each_once_and_about_equally_long(
    cells: list[MatrixCell], count: int, samples: dict[str, list[float]]
) -> None:
    durations = Durations(samples)

    shards = [shard(cells, index, count, durations) for index in range(1, count + 1)]

    assert sorted(cell for part in shards for cell in part) == sorted(set(cells))
    loads = [sum(map(durations.of, part)) for part in shards]
    longest = max(map(durations.of, cells), default=0.0)
    assert max(loads) <= sum(loads) / count + longest + 1e-6


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0"])
def test_a_shard_that_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"no shard {text}"):
        shard([], *parse_shard(text), Durations())


@pytest.mark.parametrize("text", ["", "1", "a/b", "-1/3", "1/3/4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        parse_shard(text)


def test_what_is_not_measured_counts_as_the_median_of_what_is_most_like_it() -> None:
    unknown = MatrixCell("kind", "by_chart", "1", "2", "smoke")
    known = {"x": [10.0], "y-z": [20.0, 900.0, 30.0]}
    more = [("kind-x-1-2-core", 40.0), ("emb-x-1-2-smoke", 50.0), ("kind-x-1-2-smoke", 60.0), ("kind-by_chart-9-9-smoke", 70.0)]

    assert Durations().of(unknown) == GUESS
    assert Durations(known).of(unknown) == GUESS, "what is no cell's name tells nothing"
    for name, seconds in more:  # each more like it than those before
        known[name] = [seconds]
        assert Durations(known).of(unknown) == seconds, name
    assert Durations({"emb-x-1-2-core": [10.0], "emb-x-1-3-core": [20.0, 900.0, 30.0]}).of(unknown) == 20.0


def test_durations_are_learnt_from_cells_that_ran_to_their_end(tmp_path: Path) -> None:
    for name, code, seconds in (("whole", 0, 10.0), ("failed", 1, 20.0), ("no-lab", 4, 1.0), ("cut", 143, 1.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cell.json").write_text(
            json.dumps({"name": name, "exit_code": code, "started": 100.0, "ended": 100.0 + seconds})
        )
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "cell.json").write_text('{"name": "to')

    learnt = Durations({"whole": [1.0, 2.0, 3.0, 4.0, 5.0]}).learnt(read_durations([tmp_path]))
    learnt.save(tmp_path / "durations.json")

    assert Durations.load(tmp_path / "durations.json").samples == {"failed": (20.0,), "whole": (2.0, 3.0, 4.0, 5.0, 10.0)}


def test_results_that_are_read_twice_count_once() -> None:
    once = Durations().learnt([("a", 10.04), ("b", 20.0)])

    assert once.learnt([("a", 10.04)]).samples == once.samples == {"a": [10.0], "b": [20.0]}


@pytest.mark.parametrize("text", ["{", '{"schema": 9, "cells": {}}', '{"schema": 1}', "[]"])
def test_a_broken_file_of_durations_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "durations.json").write_text(text)

    with pytest.raises(UsageError, match="durations"):
        Durations.load(tmp_path / "durations.json")
