from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployers.operator.webhook import Webhook
from deployers.tests.operator_fakes import small


@pytest.fixture
def webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    made = Webhook("127.0.0.1", 0)
    made.start()
    yield made
    made.stop()


def client(webhook: Webhook) -> httpx.Client:
    return httpx.Client(verify=ssl.create_default_context(cafile=str(webhook.authority.cert)), trust_env=False)


def test_a_review_is_answered_over_a_verified_connection(webhook: Webhook) -> None:
    asked: dict[str, Any] = {"request": {"uid": "7", "operation": "CREATE", "object": {"spec": {**small(), "profile": "nope"}}}}
    with client(webhook) as http:
        answer = http.post(webhook.url, json=asked).json()["response"]
        assert (answer["uid"], answer["allowed"]) == ("7", False)
        assert http.post(webhook.url, content=b"{").status_code == 400


def test_a_new_certificate_is_served_by_the_same_authority(webhook: Webhook) -> None:
    before = webhook.issue(renew=False).cert.read_bytes()
    assert not webhook.renew_if_due()
    webhook.issued -= 365 * 86_400
    assert webhook.renew_if_due()
    assert webhook.issue(renew=False).cert.read_bytes() != before
    with client(webhook) as http:
        assert http.get(webhook.url).json() == {"status": "ok"}


def test_the_configuration_leaves_deletion_and_status_alone(webhook: Webhook) -> None:
    (hook,) = webhook.configuration()["webhooks"]

    assert (hook["failurePolicy"], hook["timeoutSeconds"], hook["sideEffects"]) == ("Fail", 5, "None")
    assert [rule["resources"] for rule in hook["rules"]] == [["karmadadeployments"]], "not the status"
    assert any("deletionTimestamp" in each["expression"] for each in hook["matchConditions"])
    assert hook["clientConfig"]["url"].startswith("https://127.0.0.1:")
