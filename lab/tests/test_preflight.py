"""Problems that a preflight found become one error with its exit code."""

from __future__ import annotations

import pytest

from lab.errors import NotPossible, UsageError
from lab.preflight import COMPUTER, Problem, raise_problems


def test_a_fault_of_the_spec_is_usage_and_one_of_the_computer_is_not_possible_here() -> None:
    computer, spec = Problem("", "memory: too little", code=COMPUTER), Problem("members", "wrong")
    raise_problems([])
    with pytest.raises(NotPossible):
        raise_problems([computer])
    with pytest.raises(UsageError) as error:
        raise_problems([computer, spec])
    assert (error.value.detail or "").splitlines() == ["members: wrong", "memory: too little"]
