from __future__ import annotations

import json

import pytest
import yaml

from deployers.commands.operator import crds
from deployers.operator.crds import make_crds
from lab.cli.options import Output


def test_definitions_are_printed_as_yaml_and_as_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    crds()
    assert list(yaml.safe_load_all(capsys.readouterr().out)) == make_crds()

    crds(Output.json)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["kind"], printed["items"]) == ("List", make_crds())
