from __future__ import annotations

import io

import pytest

from lab.assets.progress import AssetProgress
from lab.errors import CommandFailed, ProvisionError
from lab.steps import StepFailed
from lab.terminal.drawing import Lines
from lab.terminal.text import Look, bytes_text, error_lines, format_table, github_annotation, seconds_text
from lab.tests.terminal_fakes import Terminal, step

PLAIN = Look()


@pytest.mark.parametrize(
    ("terminal", "env", "look"),
    [
        (True, {}, Look(live=True, color=True)),
        (False, {}, Look()),
        (True, {"NO_COLOR": "1"}, Look(live=True)),
        (True, {"NO_COLOR": ""}, Look(live=True, color=True)),
        (False, {"FORCE_COLOR": "1"}, Look(color=True)),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, Look()),
        (True, {"CI": "true"}, Look(color=True)),
        (True, {"TERM": "dumb"}, Look()),
        (True, {"GITHUB_ACTIONS": "true"}, Look(color=True, groups=True)),
        (False, {"GITHUB_ACTIONS": "true"}, Look(groups=True)),
    ],
)
def test_who_looks_decides_how_it_is_drawn(terminal: bool, env: dict[str, str], look: Look) -> None:
    assert Look.of(Terminal() if terminal else io.StringIO(), env) == look


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (3.14, "3.1 s"), (12.4, "12 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (274_000, "3 d 4 h")],
)
def test_durations_as_people_say_them(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 MiB"), (4096, "4 KiB"), (43 << 20, "43 MiB"), (2 << 30, "2.0 GiB")])
def test_sizes_as_people_say_them(count: int, text: str) -> None:
    assert bytes_text(count) == text


def test_a_table_is_aligned_whether_painted_or_not() -> None:
    rows = [("NAME", "STATE", "N"), ("etcd", "running", "1"), ("kube-apiserver", "ok", "22")]

    assert format_table(rows, look=PLAIN) == ["NAME            STATE    N", "etcd            running  1", "kube-apiserver  ok       22"]
    painted = format_table(rows, look=Look(color=True), styles={"ok": ("green",)})
    assert painted[2] == "kube-apiserver  \033[32mok\033[0m       22"


class Clocked:
    """Lines with a clock that is set by hand."""

    def __init__(self, look: Look = PLAIN) -> None:
        self.time = 100.0
        self.out: list[str] = []
        self.lines = Lines(self.out.append, look, title="lab x", now=lambda: self.time)


def test_one_line_a_change_of_state() -> None:
    drawn = Clocked()
    drawn.lines.begins(step("member1/kube-apiserver"), left=8)
    drawn.time += 12.3
    drawn.lines.ends(step("member1/kube-apiserver"), seconds=3.1, error=None, left=7)
    drawn.lines.ends(step("member1/etcd"), seconds=1.0, error=ProvisionError("it died\nof something", where="there"), left=1)

    assert drawn.out == [
        "+12.3s member1/kube-apiserver ready (3.1 s), 7 steps left",
        "+12.3s member1/etcd failed (1.0 s), 1 step left: it died",
    ]


def test_silence_is_explained_once_in_a_while() -> None:
    drawn = Clocked()
    for name in "abcdef":
        drawn.lines.begins(step(name), left=6)
    drawn.time += 9
    drawn.lines.silent()
    drawn.time += 2
    drawn.lines.silent()
    drawn.lines.silent()

    assert drawn.out == ["+11.0s waiting for a (11 s), b (11 s), c (11 s), d (11 s) and 2 more"]


def test_nothing_is_waited_for_when_nothing_runs() -> None:
    drawn = Clocked()
    drawn.time += 60
    drawn.lines.silent()

    assert drawn.out == []


def test_progress_of_assets_is_printed_at_each_change_and_periodically() -> None:
    drawn = Clocked()
    for done in range(50):
        drawn.lines.progress(AssetProgress("compiling", "kubernetes 1.35.4", done, 900, "packages", left=("etcd 3.6.5",)))
        drawn.time += 0.1
    drawn.lines.progress(AssetProgress("ready", "kubernetes 1.35.4", note="from build"))

    assert len(drawn.out) == 3
    assert "then etcd 3.6.5" in drawn.out[0]
    assert drawn.out[2].endswith("kubernetes 1.35.4: ready; from build")


def test_github_folds_the_lines() -> None:
    drawn = Clocked(Look(groups=True))
    with drawn.lines:
        drawn.lines.ends(step("a"), seconds=1, error=None, left=0)

    assert drawn.out[0] == "::group::lab x"
    assert drawn.out[-1] == "::endgroup::"


def test_a_github_annotation_is_one_line() -> None:
    text = github_annotation(ProvisionError("100% wrong", where="here"))

    assert text == "::error title=lab::100%25 wrong%0A  where:  here"


def test_an_error_is_what_where_detail_remedy() -> None:
    error = CommandFailed(["kubectl", "get", "x y"], status=1, output="no such\nthing", remedy="try y")

    assert error_lines(error, look=PLAIN) == [
        "kubectl exited with 1",
        "  where:  local: kubectl get 'x y'",
        "  | no such",
        "  | thing",
        "  remedy: try y",
    ]


def test_each_failed_step_is_printed_and_the_rest_counted() -> None:
    failures: dict[str, BaseException] = {"member1/etcd": ProvisionError("died", remedy="look"), "host/etcd": ProvisionError("died too")}
    lines = error_lines(StepFailed(failures, not_started=[f"s{n}" for n in range(8)]), look=PLAIN)

    assert lines == [
        "✗ member1/etcd: died",
        "  remedy: look",
        "✗ host/etcd: died too",
        "  not started because of this: 8 steps (s0, s1, s2, s3, s4, s5, …)",
    ]
