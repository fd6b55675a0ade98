"""Upstream's suite: what is read of ginkgo, what is run, and what a run comes to. Nothing is started."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deployers.release import Release
from lab.errors import UsageError
from lab.images.kubernetes import CONTENT
from lab.run import Run
from lab.steps import StepOutcome
from lab.terminal.text import Look
from scenarios.upstream import command, execute, fixtures, images
from scenarios.upstream.execute import SuiteLog, SuiteProgress, ends_in, report_of_log
from scenarios.upstream.known import FILE, KnownSpec, KnownSpecs, quote
from scenarios.upstream.plan import make_plan
from scenarios.upstream.spec import GinkgoReport, Spec, SpecResult, of_document, read
from scenarios.upstream.suite import UpstreamSuite, ginkgo_of
from scenarios.upstream.verdict import SpecCase, judge

WHY = "it needs something that is not here"


def row(leaf: str, *containers: str, state: str = "passed", file: str = "search_test.go", line: int = 1, **other: Any) -> dict[str, Any]:
    """One spec as ginkgo reports it."""
    return {
        "ContainerHierarchyTexts": list(containers) or None,
        "ContainerHierarchyLabels": [[] for _ in containers] or None,
        "LeafNodeType": "It",
        "LeafNodeText": leaf,
        "LeafNodeLabels": other.pop("labels", None),
        "LeafNodeLocation": {"FileName": f"github.com/karmada-io/karmada/test/e2e/suites/base/{file}", "LineNumber": line},
        "State": state,
        "RunTime": 1_500_000_000,
        **other,
    }


def spec(text: str, *labels: str) -> Spec:
    return Spec("search", text, labels=frozenset(labels))


def entry(**words: Any) -> KnownSpec:
    return KnownSpec.model_validate({"owner": "environment", "why": WHY, **words})


# -- what ginkgo reports --------------------------------------------------------------------------------------------------------


def test_a_report_is_read_in_the_order_of_the_sources_whatever_order_it_ran_in() -> None:
    report = of_document({"SpecReports": [row("b", "[x]", line=9), row("a", "[x]", "", line=3), row("c", file="mcs_test.go", line=7)]})

    assert [(each.file, each.line, each.text) for each in report.results] == [
        ("mcs", 7, "c"),
        ("search", 3, "[x] a"),
        ("search", 9, "[x] b"),
    ]
    assert {result.seconds for result in report.results.values()} == {1.5}


def test_specs_with_the_same_text_are_distinct() -> None:
    report = of_document({"SpecReports": [row("nodes", state="failed", line=8), row("nodes", line=4)]})

    assert {each.name: result.state for each, result in report.results.items()} == {"nodes": "passed", "nodes #2": "failed"}


def test_labels_of_containers_are_the_specs_too() -> None:
    (only,) = of_document({"SpecReports": [row("a", "x", ContainerHierarchyLabels=[["needCreateCluster"]], labels=["Serial"])]}).results

    assert only.labels == {"needCreateCluster", "Serial"}


def test_a_failure_has_its_message_and_its_position() -> None:
    failure = {"Message": "\nTimed out after 420s.\n", "Location": {"FileName": "/a/b/framework/cluster.go", "LineNumber": 42}}
    (result,) = of_document({"SpecReports": [row("a", state="failed", Failure=failure, CapturedStdOutErr="klog\n")]}).results.values()

    assert (result.message, result.where, result.output) == ("Timed out after 420s.", "cluster.go:42", "klog\n")


def test_what_fails_around_specs_is_not_lost() -> None:
    before = {"LeafNodeType": "SynchronizedBeforeSuite", "State": "failed", "Failure": {"Message": "cluster member2 not ready"}}
    report = of_document({"SpecReports": [before, row("a", state="skipped")], "SpecialSuiteFailureReasons": None})

    assert [(node, result.message) for node, result in report.around] == [("SynchronizedBeforeSuite", "cluster member2 not ready")]


@pytest.mark.parametrize("text", [None, "", "[{", "[]", "{}", '[{"SpecReports": 3}]'])
def test_a_torn_report_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)

    assert read(path) is None


# -- what is run ----------------------------------------------------------------------------------------------------------------


def test_text_is_matched_as_it_is_and_a_pattern_as_one() -> None:
    assert entry(text="[a] (b)").matches(spec("x [a] (b) y"))
    assert not entry(text="[a] (b)").matches(spec("x a b y"))
    assert entry(pattern="a.*z$").matches(spec("a to z"))
    assert entry(label="slow").matches(spec("x", "slow"))
    assert not entry(label="slow").matches(spec("slow"))
    assert re.search(quote(odd := r"a\b.c+(d)[e]{f}^$|?*"), odd)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ({}, "pattern and label"),
        ({"text": "a", "label": "b"}, "pattern and label"),
        ({"pattern": "("}, "regular expression"),
        ({"text": "a", "owner": "nobody"}, "environment"),
        ({"text": "a", "why": "short"}, "at least 20"),
        ({"text": "a", "txet": "b"}, "Extra inputs"),
    ],
)
def test_an_entry_without_sense_is_refused(words: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        entry(**words)


def test_what_holds_elsewhere_is_not_applied() -> None:
    known = KnownSpecs(skip=(entry(text="a", providers=["kind"]), entry(text="b", releases=["1.17.1"]), entry(text="c")))

    assert [each.text for each in known.of(provider="embedded", release="1.18.2").skip] == ["c"]
    assert [each.text for each in known.of(provider="kind", release="1.17.1").skip] == ["a", "b", "c"]


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


def test_the_file_of_this_project_is_valid_and_no_reason_is_missing() -> None:
    known = KnownSpecs.load(FILE)

    assert known.skip
    assert len({each.selector for each in (*known.skip, *known.fails)}) == len(known.skip) + len(known.fails)


# -- what it comes to -----------------------------------------------------------------------------------------------------------


def verdict(*states: str, known: KnownSpecs = KnownSpecs(), cut_short: bool = False, **said: Any) -> dict[str, StepOutcome]:  # noqa: B008 (frozen)
    specs = [spec(f"s{number}") for number in range(len(states))]
    report = GinkgoReport({each: SpecResult(state, **said) for each, state in zip(specs, states, strict=True) if state != "missing"})
    return {case.spec.text: case.outcome for case in judge(make_plan(specs, known), report, cut_short=cut_short).cases}


def test_each_state_has_its_outcome_and_what_did_not_run_is_never_a_pass() -> None:
    found = verdict("passed", "failed", "panicked", "timedout", "interrupted", "aborted", "skipped", "missing", "")

    assert list(found.values()) == [StepOutcome.PASS, *[StepOutcome.FAIL] * 3, *[StepOutcome.UNKNOWN] * 5]


def test_a_spec_that_skips_itself_says_why() -> None:
    assert verdict("skipped", message="Total nodes 1, less than 2") == {"s0": StepOutcome.SKIP}


def test_a_known_failure_is_excused_and_reported_when_it_passes() -> None:
    known = KnownSpecs(fails=(entry(pattern="s[01]"),))
    specs = [spec("s0"), spec("s1"), spec("s2")]
    report = GinkgoReport(
        {specs[0]: SpecResult("failed"), specs[1]: SpecResult("passed"), specs[2]: SpecResult("failed", message="\nboom\nmore")}
    )

    found = judge(make_plan(specs, known), report)

    assert [case.outcome for case in found.cases] == [StepOutcome.SKIP, StepOutcome.PASS, StepOutcome.FAIL]
    assert found.cases[0].why == f"failed as expected; environment: {WHY}"
    assert found.cases[2].why == "boom"
    assert found.cases[2].text.splitlines()[:2] == ["boom", "upstream's own end-to-end suite, search_test.go:0: s2"]
    assert found.notes == ["passed although known.toml expects a failure (pattern = 's[01]'): s1"]
    assert found.counted() == {"pass": 1, "fail": 1, "skip": 1}
    assert not found.wrong


def test_a_run_that_failed_around_its_specs_is_wrong_though_none_failed() -> None:
    report = GinkgoReport({}, around=[("SynchronizedBeforeSuite", SpecResult("failed", message="not ready"))], special=["Suite timeout"])

    assert judge(make_plan([spec("a")], KnownSpecs()), report).wrong == ["SynchronizedBeforeSuite failed: not ready", "Suite timeout"]


def test_an_interrupted_run_keeps_what_it_has() -> None:
    found = verdict("passed", "interrupted", "missing", cut_short=True)

    assert list(found.values()) == [StepOutcome.PASS, StepOutcome.UNKNOWN, StepOutcome.UNKNOWN]


# -- ginkgo while it runs -------------------------------------------------------------------------------------------------------

LOG = """\
Running Suite: E2E Suite - /runs/x
==================================
Will run 3 of 273 specs
------------------------------
[SynchronizedBeforeSuite] PASSED [2.345 seconds]
[SynchronizedBeforeSuite]
suite_test.go:125
------------------------------
• [1.250 seconds]
remedy testing it remedies
github.com/karmada-io/karmada/test/e2e/suites/base/remedy_test.go:64

  Captured StdOut/StdErr Output >>
  • this is no header [9 seconds]
  << Captured StdOut/StdErr Output
------------------------------
S [SKIPPED] [0.010 seconds]
search testing skips itself
------------------------------
• [FAILED] [420.001 seconds]
search testing [It] it finds [Serial]
github.com/karmada-io/karmada/test/e2e/suites/base/search_test.go:105
------------------------------
• [PANICKED!] [0.500 seconds]
"""


def test_the_log_tells_what_ended() -> None:
    assert [(each.text, each.state, each.seconds) for each in ends_in(LOG.splitlines())] == [
        ("remedy testing it remedies", "passed", 1.25),
        ("search testing it finds [Serial]", "failed", 420.001),
    ]


def test_progress_says_what_is_left_and_what_failed() -> None:
    progress = SuiteProgress(5)

    assert [progress.heard(each) for each in ends_in(LOG.splitlines())] == [
        "passed remedy testing it remedies (1.2 s); 4 specs left",
        "failed search testing it finds [Serial] (7 min 0 s); 3 specs left, 1 failed",
    ]


def test_of_a_killed_ginkgo_the_log_is_what_is_left() -> None:
    planned = [spec("remedy testing it remedies"), spec("search testing it finds"), spec("never begun")]

    report = report_of_log(LOG, planned)
    found = judge(make_plan(planned, KnownSpecs()), report)

    assert [case.outcome for case in found.cases] == [StepOutcome.PASS, StepOutcome.FAIL, StepOutcome.UNKNOWN]
    assert found.wrong == ["ginkgo was killed: the results of its specs are read from its log"]


def test_a_log_is_read_line_by_line_and_from_the_start_after_rotation(tmp_path: Path) -> None:
    path = tmp_path / "ginkgo.log"
    path.write_text("old\n")
    log = SuiteLog.at_end(path)
    with path.open("a") as file:
        file.write("one\ntw")
    first = log.lines()
    with path.open("a") as file:
        file.write("o\n")

    assert (first, log.lines()) == (["one"], ["two"])

    path.write_text("3\n")

    assert log.lines() == ["3"]
    assert SuiteLog.at_end(tmp_path / "none").lines() == []


def test_the_command_is_upstreams_with_what_is_not_run_left_out() -> None:
    suite = UpstreamSuite(Release("1.18.2"), Path("/cache/karmada-e2e"), Path("/cache/ginkgo"))
    words = execute.make_argv(
        suite, Path("/run/karmada-e2e.test"), make_plan([spec("a"), spec("b")], KnownSpecs(skip=(entry(text="b"),))), "report.json"
    )

    assert words[:2] == ["/cache/ginkgo", "run"]
    assert "--skip=b" in words[: words.index("/run/karmada-e2e.test")]
    assert words[words.index("--") + 1 :][:2] == ["--host-context=karmada-host", "--karmada-context=karmada-apiserver"]


def test_the_ginkgo_of_a_suite_is_the_one_that_it_links(tmp_path: Path) -> None:
    program = tmp_path / "suite"
    program.write_bytes(b"\0\x7fELF github.com/onsi/ginkgo/v2@v2.27.2/internal/suite.go\0")

    assert ginkgo_of(program) == "2.27.2"


# -- the verb -------------------------------------------------------------------------------------------------------------------


def test_a_plan_is_shown_with_the_reasons() -> None:
    planned = make_plan([spec("a"), spec("b"), spec("c")], KnownSpecs(skip=(entry(text="b"),), fails=(entry(text="c"),)))

    assert command.plan_text(planned, look=Look()).splitlines() == [
        "FILE    SPEC",
        "search  a",
        "search  b",
        f"    not run; environment: {WHY}",
        "search  c",
        f"    fails; environment: {WHY}",
        "2 of 3 specs are run, 1 are not",
    ]
    assert json.loads(json.dumps(command.make_document(planned)))["specs"][1]["skip"] == {"owner": "environment", "why": WHY}


def test_the_lab_of_the_suite_is_one_that_it_can_be_run_on() -> None:
    from deployers.karmada import Karmada
    from deployers.wanted import document, prepare
    from lab.cluster import Lab
    from scenarios.upstream.fixtures import missing_parts

    def lacks(path: Path) -> list[str]:
        wanted = prepare(document(path), source=str(path))
        assert wanted.karmada
        return missing_parts(Karmada(Lab(None, wanted.lab), wanted.karmada))  # type: ignore[arg-type]  # no run directory is looked at

    assert lacks(command.LAB) == []
    assert [what.partition(" ")[0] for what in lacks(command.HERE / "plain.toml")] == [
        "profile",
        "addons.estimators",
        "addons.search",
        "addons.metrics_adapter",
        "addons.descheduler",
    ]


def test_a_lab_that_is_there_has_a_release_of_its_own() -> None:
    for words in ({"release": "1.18.1"}, {"release": None, "provider": "kind"}):
        with pytest.raises(UsageError, match="--lab"):
            command.read_target(command.SuiteRequest("", "mine", None, artifacts=Path(), **words))


def test_the_same_lab_file_serves_where_pods_are_real() -> None:
    asked = command.SuiteRequest("", None, None, None, Path(), provider="kind")

    assert command.read_target(asked) == ("1.18.2", "kind")
    assert asked.args[:4] == ["--lab-spec", str(command.LAB), "--lab-provider", "kind"]


# -- what the suite finds beside the lab ------------------------------------------------------------------------------------------


@pytest.fixture
def plane(tmp_path: Path) -> Any:
    """A control plane with a push and a pull member, and a release with the example's files."""
    example = tmp_path / "examples" / "customresourceinterpreter"
    example.mkdir(parents=True)
    (example / "webhook-configuration.yaml").write_text(
        "webhooks:\n- clientConfig:\n    url: https://{{karmada-interpreter-webhook-example-svc-address}}:443/interpreter-workload\n"
        "    caBundle: {{caBundle}}\n"
    )
    (tmp_path / "karmadactl").write_text("")
    run = Run.create("mine", {"lab": {}}, root=tmp_path / "runs")
    release = SimpleNamespace(examples=tmp_path / "examples", binary=lambda name: tmp_path / name)
    spec = SimpleNamespace(members=[SimpleNamespace(name="member1", mode="push"), SimpleNamespace(name="member3", mode="pull")])
    members = [SimpleNamespace(name=each.name, kubeconfig=run.kubeconfig(each.name)) for each in spec.members]
    return SimpleNamespace(run=run, release=release, spec=spec, members=members)


def test_the_example_is_asked_where_it_is_here(plane: Any, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"CA")

    (asked,) = fixtures.make_webhook(plane, 12345, tmp_path / "ca.crt")["webhooks"]

    assert asked["clientConfig"] == {"url": "https://127.0.0.1:12345/interpreter-workload", "caBundle": "Q0E="}


def test_the_suite_finds_karmadactl_and_nothing_of_the_users(plane: Any, tmp_path: Path) -> None:
    env = fixtures.make_environment(plane)

    go = Path(env["PATH"].partition(":")[0]) / "go"
    gopath = plane.run.path / "data" / "upstream" / "go"
    assert f"exec echo {gopath}\n" in go.read_text()
    assert (gopath / "bin" / "karmadactl").resolve() == tmp_path / "karmadactl"
    assert env["PULL_BASED_CLUSTERS"] == f"member3:{plane.run.kubeconfig('member3')}"
    assert Path(env["HOME"]).is_relative_to(plane.run.path)
    assert fixtures.make_environment(plane) == env  # again, on a lab that is kept


def test_what_stands_in_for_kinds_objects_is_what_search_is_asked_for_and_not_there() -> None:
    def found(*, real: bool) -> set[tuple[str, str, str]]:
        objects = fixtures.of_kind("member1", real=real)
        return {(item["kind"], item["metadata"]["name"], item["metadata"]["namespace"]) for item in objects}

    pod = ("Pod", "etcd-member1-control-plane", "kube-system")
    assert found(real=False) == {("Deployment", "coredns", "kube-system"), ("DaemonSet", "kube-proxy", "kube-system"), pod}
    assert found(real=True) == {pod}


def test_images_have_the_names_that_specs_ask_for_and_a_tag_that_no_registry_is_asked_for() -> None:
    names = [image.name for image in images.ALL]

    assert names == [f"docker.io/library/{name}" for name in ("nginx:1.19.0", "busybox:1.36.0", "perl:5.34.0")]
    assert all(image.labels[CONTENT].endswith("of Debian") for image in images.ALL), "each says what it is"


# -- a run, with a supervisor that plays ginkgo -------------------------------------------------------------------------------------


class Played:
    """A supervisor whose program writes a report and its log, and ends at the second look; or is interrupted at the first."""

    def __init__(self, run: Run, *, report: dict[str, Any] | None, log: str, interrupt: bool = False) -> None:
        self.run, self.report, self.log, self.interrupt = run, report, log, interrupt
        self.looks = 0
        self.stopped: list[str] = []

    def __call__(self, path: Path) -> Played:
        return self

    def start(self, program: Any) -> None:
        self.program = program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        program.log.write_text(self.log)
        if self.report is not None:
            (program.cwd / "report.json").write_text(json.dumps([self.report]))

    def exited(self, name: str, *, within: float) -> Any:
        self.looks += 1
        if self.interrupt:
            raise KeyboardInterrupt
        return SimpleNamespace(runs=self.looks < 2)

    def stop(self, name: str, *, within: float) -> None:
        self.stopped.append(name)


def played(plane: Any, monkeypatch: pytest.MonkeyPatch, heard: list[str], **how: Any) -> tuple[GinkgoReport, BaseException | None, Played]:
    supervisor = Played(plane.run, **how)
    monkeypatch.setattr(execute, "Supervisor", supervisor)
    suite = UpstreamSuite(Release("1.18.2"), Path("/cache/karmada-e2e"), Path("/cache/ginkgo"))
    planned = make_plan([spec("remedy testing it remedies"), spec("search testing it finds")], KnownSpecs())
    report, stop = execute.execute(suite, planned, plane, {"A": "b"}, tell=heard.append)
    return report, stop, supervisor


def test_a_run_tells_its_progress_and_its_report_is_ginkgos(plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    rows = {"SpecReports": [row("remedy testing it remedies"), row("search testing it finds", state="failed", line=2)]}

    report, stop, supervisor = played(plane, monkeypatch, heard, report=rows, log=LOG)

    assert stop is None
    assert [result.state for result in report.results.values()] == ["passed", "failed"]
    assert [line.partition(" s ")[2] for line in heard] == [
        "passed remedy testing it remedies (1.2 s); 1 spec left",
        "failed search testing it finds [Serial] (7 min 0 s); 0 specs left, 1 failed",
    ]
    assert supervisor.program.env == {"A": "b"}
    assert supervisor.stopped == [execute.NAME]


def test_an_interrupt_ends_ginkgo_and_passes_on_with_what_there_is(plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report, stop, supervisor = played(plane, monkeypatch, [], report=None, log=LOG, interrupt=True)

    assert isinstance(stop, KeyboardInterrupt)
    assert supervisor.stopped == [execute.NAME]
    assert sorted(result.state for result in report.results.values()) == ["failed", "passed"]


# -- as cases of pytest's -----------------------------------------------------------------------------------------------------------


def test_a_spec_is_a_case_under_its_own_name_whatever_is_in_it() -> None:
    from _pytest.junitxml import mangle_test_address

    from scenarios.test_upstream import make_report

    odd = spec("[a] with a::b [c] d")
    reports = [make_report(SpecCase(odd, outcome, 1.5, "why", "text")) for outcome in StepOutcome]

    assert mangle_test_address(str(reports[0].nodeid)) == ["scenarios.upstream.search", "(a) with a:b (c) d"]
    assert {outcome: report.outcome for outcome, report in zip(StepOutcome, reports, strict=True)} == {
        StepOutcome.PASS: "passed",
        StepOutcome.FAIL: "failed",
        StepOutcome.SKIP: "skipped",
        StepOutcome.UNKNOWN: "skipped",
    }
    unknown = next(report for outcome, report in zip(StepOutcome, reports, strict=True) if outcome is StepOutcome.UNKNOWN)
    assert isinstance(unknown.longrepr, tuple)
    assert unknown.longrepr[2] == "Skipped: unknown: why"
