from __future__ import annotations

import json

import pytest

from deployers.commands.schema import make_schema, schema
from deployers.spec import KarmadaSpec
from lab.spec import LabSpec


def test_the_schema_has_every_key_of_a_lab_file(capsys: pytest.CaptureFixture[str]) -> None:
    schema()
    printed = json.loads(capsys.readouterr().out)

    assert set(printed["properties"]) == {*LabSpec.model_fields, "karmada"}
    assert set(printed["$defs"]["KarmadaSpec"]["properties"]) == set(KarmadaSpec.model_fields)


def test_every_reference_leads_somewhere() -> None:
    document = make_schema()
    references = {text.split('"')[0] for text in json.dumps(document).split('"#/$defs/')[1:]}
    assert references <= set(document["$defs"])
    assert references
