"""Arguments of ssh that say how a host is reached; those that weaken the check of host keys are refused."""

from __future__ import annotations

import pytest

from lab.inventory.ssh_arguments import parse_ssh_arguments


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", {}),
        ("-J jump.example -p2222", {"jump": "jump.example", "port": "2222"}),
        ("-o ProxyJump=a -o 'ProxyJump b'", {"jump": "a"}),
        ("-C -o ControlMaster=auto -o User=root -l other", {"user": "root"}),
        ("-o UserKnownHostsFile=hosts -o StrictHostKeyChecking=yes", {"known_hosts": "hosts"}),
    ],
)
def test_the_first_of_each_option_counts(text: str, keys: dict[str, str]) -> None:
    assert parse_ssh_arguments(text) == keys


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("-o StrictHostKeyChecking=no", "StrictHostKeyChecking"),
        ("-o UserKnownHostsFile=/dev/null", "UserKnownHostsFile"),
        ("-o ProxyCommand='nc %h 22'", "ProxyCommand"),
        ("-J", "-J"),
        ("--verbose", "--verbose"),
    ],
)
def test_an_argument_that_is_refused_is_named(text: str, noun: str) -> None:
    with pytest.raises(ValueError, match=noun):
        parse_ssh_arguments(text)
