from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.run import Run


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
