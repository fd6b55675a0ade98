"""`lab join`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.commands.join import JoinRequest, require_effect
from lab.errors import UsageError


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"context": "c"}, "--context"),
        ({"key": "k"}, "--key"),
        ({"kubeconfig": Path("/k"), "known_hosts": "h"}, "--known-hosts"),
        ({"kubeconfig": Path("/k"), "sudo": True}, "--sudo"),
    ],
)
def test_an_option_without_the_one_that_it_belongs_to_is_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError, match=name):
        require_effect(JoinRequest(members=["east"], **options))


@pytest.mark.parametrize(
    "options",
    [{}, {"kubeconfig": Path("/k"), "context": "c"}, {"ssh": "host", "context": "c", "key": "k", "known_hosts": "h", "sudo": True}],
)
def test_options_that_belong_together_are_taken(options: dict[str, Any]) -> None:
    require_effect(JoinRequest(members=["east"], **options))
