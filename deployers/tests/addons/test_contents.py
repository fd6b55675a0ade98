"""What an addon consists of, read from its files and charts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deployers import addon as definition
from deployers.addons import contents
from deployers.pods.helm import Helm
from deployers.tests.addons_fakes import Json
from deployers.tests.control_plane_fakes import crd
from lab.errors import ProvisionError
from lab.machines.scripted import Scripted

SETS = crd("apps.example.org", "sets", "Set")
JOBS = crd("apps.example.org", "jobs", "Job")


def test_parts_are_read_as_they_are_and_a_pattern_without_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases/a.yaml").write_text(yaml.safe_dump_all([{**SETS, "status": {}}, None, JOBS]))
    part = definition.AddonPart(name="crds", asset="x", files=("bases/*.yaml",), on=("members",))

    assert contents.objects(part, tmp_path) == [SETS, JOBS]
    with pytest.raises(ProvisionError, match="more/"):
        contents.objects(part.model_copy(update={"files": ("more/*.yaml",)}), tmp_path)


def test_a_chart_is_rendered_with_its_values_and_comes_after_its_namespace(tmp_path: Path) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mesh", "namespace": "mesh-system"}}
    machine = Scripted({("/helm", "template"): yaml.safe_dump({**settings, "status": {}})})
    given: Json = {"name": "mesh", "asset": "charts", "chart": "control", "namespace": "mesh-system", "values": {"image": "here"}}
    part = definition.AddonPart.model_validate({**given, "on": ["members"]})

    found = contents.render_chart(part, tmp_path, Helm(Path("/helm"), machine, tmp_path))

    assert found == [[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mesh-system"}}], [settings]]
    (asked,) = machine.done
    assert asked.args[1:] == ("template", "mesh", str(tmp_path / "control"), "--namespace", "mesh-system", "--values", "-")
    assert yaml.safe_load(asked.input or b"") == {"image": "here"}
