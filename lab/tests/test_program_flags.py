"""Programs are asked whether they take a flag: what they answer is recorded from kube-apiserver 1.35.4, Karmada 1.18.2 and etcd 3.6.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lab.computer import Answer
from lab.program_flags import flag_error, flag_errors
from lab.tests.computer_fakes import Scripted

HELP = "Usage:\n      --max-requests-inflight int   The maximum number\n  -v, --v Level   number for the log level verbosity\n"
UNKNOWN = Answer(1, "Error: unknown flag: --max-request-inflight\n")
ETCD_UNKNOWN = Answer(2, "flag provided but not defined: -bogus\nUsage:\n")
KWOK_UNKNOWN = Answer(1, '{"level":"ERROR","msg":"Execute exit","err":"unknown flag: --bogus"}')
INVALID = Answer(1, 'Error: invalid argument "abc" for "--max-requests-inflight" flag: strconv.ParseInt: parsing "abc": invalid syntax\n')
ETCD_INVALID = Answer(2, 'invalid value "abc" for flag -snapshot-count: parse error\n')
GATE = Answer(1, 'Error: invalid argument "Foo=true" for "--feature-gates" flag: unrecognized feature gate: Foo\n')
PROGRAM = Path("/cache/kube-apiserver")


class Program(Scripted):
    """A program that answers by its flags."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__()
        self.answers = dict(answers)

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        assert argv[-1] == "--help"  # or it would start
        return self.answers.get(argv[1], Answer(0, HELP))


def test_a_flag_that_a_program_takes_is_no_error() -> None:
    assert flag_error(Program({}), PROGRAM, "v", "2") == ""


@pytest.mark.parametrize("answer", [UNKNOWN, ETCD_UNKNOWN, KWOK_UNKNOWN])
def test_an_unknown_flag_is_refused_with_the_nearest_one(answer: Answer) -> None:
    why = flag_error(Program({"--max-request-inflight=1": answer}), PROGRAM, "max-request-inflight", "1")

    assert "--max-request-inflight" in why
    assert "'max-requests-inflight'" in why


@pytest.mark.parametrize(
    ("answer", "cause"), [(INVALID, "invalid syntax"), (ETCD_INVALID, "parse error"), (GATE, "unrecognized feature gate: Foo")]
)
def test_a_value_of_another_form_is_refused_with_its_cause(answer: Answer, cause: str) -> None:
    assert flag_error(Program({"--x=abc": answer}), PROGRAM, "x", "abc").endswith(cause)


@pytest.mark.parametrize("answer", [Answer(None, ""), Answer(139, ""), Answer(1, "cannot open shared object file")])
def test_a_program_that_cannot_be_asked_refuses_nothing(answer: Answer) -> None:
    assert flag_error(Program({"--x=1": answer}), PROGRAM, "x", "1") == ""


def test_each_flag_is_judged_by_itself() -> None:
    program = Program({"--a=1": UNKNOWN, "--c=3": INVALID})

    assert set(flag_errors(program, PROGRAM, [("a", "1"), ("b", "2"), ("c", "3")])) == {("a", "1"), ("c", "3")}
