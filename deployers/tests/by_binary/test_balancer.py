"""The balancer before several API servers."""

from __future__ import annotations

import pytest

from deployers.by_binary import balancer
from deployers.spec import KarmadaSpec


def test_a_balancer_that_is_not_installed_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancer, "find_haproxy", lambda: None)

    assert (
        "apt-get install haproxy"
        in balancer.haproxy_errors(KarmadaSpec.model_validate({"by_binary": {"external_name": "karmada.example.test"}}))[0]
    )
