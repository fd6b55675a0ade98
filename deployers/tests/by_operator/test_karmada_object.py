"""The Karmada object of the operator: read it in golden/by_operator.txt; a changed flag shows there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.by_operator import karmada_object
from deployers.by_operator.karmada_object import ALWAYS
from deployers.plane import external
from deployers.pods.images import by_component, images_of, keep_path
from deployers.tests.control_plane_fakes import write
from deployers.tests.installer_fakes import PARTS, spec_of
from deployers.tests.transcripts import CHANGED, added_lines

GOLDEN = Path(__file__).parents[1] / "golden" / "by_operator.txt"


@pytest.fixture(autouse=True)
def balancers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "balancer_errors", lambda address: [])


def render(**table: Any) -> str:
    spec = spec_of(**table)
    uses = by_component(images_of(spec, keep_path, *ALWAYS, "karmada-operator", version="1.18.2"))
    return yaml.safe_dump(karmada_object.karmada_object(spec, uses), sort_keys=False)


def test_karmada_objects_are_those_of_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    text = "\n".join(f"# {name}\n{render(**table)}" for name, table in PARTS.items())

    golden(GOLDEN, text)


def test_a_changed_flag_changes_the_transcript() -> None:
    assert added_lines(render(), render(**CHANGED)) == ["extraArgs:", "cluster-failure-threshold: 77s"]


def test_the_operators_manifests_are_upstreams_with_the_archive_where_it_looks(tmp_path: Path) -> None:
    container = {"name": "karmada-operator", "image": "docker.io/karmada/karmada-operator:latest", "command": ["/bin/karmada-operator"]}
    deployment = {"kind": "Deployment", "metadata": {"name": "o"}, "spec": {"template": {"spec": {"containers": [container]}}}}
    write(tmp_path / "deploy/a-deployment.yaml", deployment)
    write(tmp_path / "deploy/z-role.yaml", {"kind": "ClusterRole", "metadata": {"name": "o"}})
    write(tmp_path / "crds/crd.yaml", {"kind": "CustomResourceDefinition", "metadata": {"name": "karmadas"}})

    made = karmada_object.operator_manifests(tmp_path, "docker.io/karmada/karmada-operator:v1.18.2")

    assert [each["kind"] for each in made] == ["CustomResourceDefinition", "ClusterRole", "Deployment"]
    pod = made[2]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].endswith(":v1.18.2")
    assert [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]] == [
        karmada_object.CACHE,
        f"{karmada_object.CACHE}/crds.tar.gz",
    ]


def test_secrets_hold_the_files_that_the_spec_names(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(name)
    files = {name: str(tmp_path / name) for name in ("ca", "cert", "key")}
    spec = spec_of(etcd={"external": {"servers": ["https://a:1"], **files}})

    assert [sorted(each["data"]) for each in karmada_object.secrets_of(spec)] == [["ca.crt", "tls.crt", "tls.key"]]
