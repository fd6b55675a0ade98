"""A Secret's value, also as changed by overriders for a member, appears neither in evidence nor in collected results."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any

import pytest
from _pytest.reports import TestReport

from deployers.karmada import Karmada
from lab import evidence
from lab.masking import secret_values
from lab.masking.encodings import base64_cores
from reports.collect import Sources, collect
from scenarios.kit.masking import mask_report
from scenarios.kit.waiting import eventually

POLICY = "policy.karmada.io/v1alpha1"


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def contains_value(text: str, value: str) -> bool:
    """Tell whether a text contains a value, plain or inside base64 at any offset."""
    return any(form in text for form in (value, *(core.decode() for core in base64_cores(value.encode()))))


def policy(kind: str, name: str, namespace: str | None, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": POLICY, "kind": kind, "metadata": metadata, "spec": spec}


def test_no_value_of_a_secret_leaves_the_lab(karmada: Karmada, namespace: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    values = {name: f"{name}-{secrets.token_urlsafe(9)}" for name in ("template", "overridden", "everywhere")}
    selector = [{"apiVersion": "v1", "kind": "Secret", "name": "credentials", "namespace": namespace}]
    everywhere = {"plaintext": [{"path": "/data/two", "operator": "add", "value": encode(values["everywhere"])}]}
    overridden = {"plaintext": [{"path": "/data/one", "operator": "replace", "value": encode(values["overridden"])}]}
    made = [
        policy("ClusterOverridePolicy", namespace, None, {"resourceSelectors": selector, "overrideRules": [{"overriders": everywhere}]}),
        policy("OverridePolicy", "one", namespace, {"resourceSelectors": selector, "overrideRules": [{"overriders": overridden}]}),
        policy(
            "PropagationPolicy",
            "credentials",
            namespace,
            {"resourceSelectors": selector, "placement": {"clusterAffinity": {"clusterNames": ["member1"]}}},
        ),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "credentials", "namespace": namespace},
            "data": {"one": encode(values["template"])},
        },
    ]
    member = next(each for each in karmada.members if each.name == "member1")
    try:
        for manifest in made:
            karmada.api.create(manifest)

        def check_propagated() -> dict[str, str]:
            """member1 has the Secret with the values of both policies"""
            found = member.api.find(f"/api/v1/namespaces/{namespace}/secrets/credentials")
            assert found, "not there yet"
            assert found["data"] == {"one": encode(values["overridden"]), "two": encode(values["everywhere"])}
            data: dict[str, str] = found["data"]
            return data

        data = eventually(check_propagated, within=60)
        work = karmada.api.items("/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-member1/works")
        assert any(encode(values["overridden"]) in str(each) for each in work), "Karmada records what it overrode"

        def fail() -> None:
            assert data == {"one": values["template"]}, f"expected the template's value, got {data} and {values}"

        report = TestReport.from_item_and_call(request.node, pytest.CallInfo.from_call(fail, "call", reraise=None))
        assert contains_value(report.longreprtext, values["overridden"])
        mask_report(report, secret_values.learn_values(karmada.run.path))
        evidence.collect(karmada.run, f"it was {values['overridden']}", into=tmp_path / "artifacts" / karmada.run.id, within=90.0)
        job = tmp_path / "job.log"
        job.write_text("\n".join(f"{name}: {value!r} {encode(value)} {encode(f'xx{value}y')}" for name, value in values.items()))
        cell = collect(Sources(lab=str(karmada.run.path), artifacts=tmp_path / "artifacts", logs=(job,)), tmp_path / "cell")
    finally:
        karmada.api.delete(f"/apis/{POLICY}/clusteroverridepolicies/{namespace}")

    left = [path for folder in ("artifacts", "cell") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    assert {"works.work.karmada.io.json", "job.log", "overridepolicies.policy.karmada.io.json"} <= {path.name for path in left}
    assert [name for name, value in values.items() if contains_value(report.longreprtext, value)] == []
    assert [
        (str(path), name)
        for path in left
        for name, value in values.items()
        if contains_value(path.name + path.read_text(errors="replace"), value)
    ] == []
    assert cell.path.is_dir()
