"""The commands and the configuration file of karmadactl init: read them in golden/by_karmadactl.txt; a changed flag shows there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from deployers.plane import external
from deployers.pods import init_args
from deployers.pods.images import by_component, drop_path, images_of
from deployers.pods.init_args import Places
from deployers.spec import ByKarmadactlTable, KarmadaSpec
from deployers.tests.installer_fakes import EVERYTHING, spec_of
from deployers.tests.transcripts import CHANGED, added_lines
from lab.cluster import Cluster

GOLDEN = Path(__file__).parents[1] / "golden" / "by_karmadactl.txt"
EXTERNAL = {
    "servers": ["https://10.0.0.7:2379", "https://10.0.0.8:2379"],
    "ca": "/etcd/ca.crt",
    "cert": "/etcd/c.crt",
    "key": "/etcd/c.key",
}


@pytest.fixture(autouse=True)
def balancers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "balancer_errors", lambda address: [])


def render(spec: KarmadaSpec) -> str:
    uses = by_component(images_of(spec, drop_path, version="1.18.2"))
    places = Places(Cluster("host", "karmada-host", Path("/run/host.yaml")), Path("/run/data"), Path("/run/pki"), Path("/run/crds.tar.gz"))
    args = init_args.args(spec.model_copy(update={"by_karmadactl": ByKarmadactlTable()}), uses, places, Path("/run/init.yaml"))
    lines = [f"karmadactl {args[0]}", *(f"  {word}" for word in args[1:])]
    if addons := init_args.addons(spec, uses):
        lines += ["karmadactl addons enable", *(f"  {word}" for word in addons)]
    if spec.addons.estimators:
        member = Cluster("member1", "member1", Path("/run/member1.yaml"))
        lines += ["karmadactl addons enable", *(f"  {word}" for word in init_args.estimator(spec, uses, member))]
    return "\n".join([*lines, yaml.safe_dump(init_args.as_config(spec, uses, places), sort_keys=False)])


def test_commands_and_files_of_init_are_those_of_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    parts = {"default": {}, "everything": EVERYTHING, "external etcd": {"etcd": {"external": EXTERNAL}}}
    text = "\n".join(f"# {name}\n{render(spec_of(**table))}" for name, table in parts.items())

    golden(GOLDEN, text)


def test_a_changed_flag_changes_the_transcript() -> None:
    assert added_lines(render(spec_of()), render(spec_of(**CHANGED))) == [
        "--karmada-controller-manager-extra-args=--cluster-failure-threshold=77s",
        "extraArgs:",
        "- name: cluster-failure-threshold",
        "value: 77s",
    ]
