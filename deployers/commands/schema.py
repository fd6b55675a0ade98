"""`lab schema`: the JSON Schema of lab files, for editors."""

from __future__ import annotations

import json
from typing import Any

from deployers.spec import KarmadaSpec
from lab.spec import LabSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> None:
    """Print the JSON Schema of lab files.

    Editors with a TOML language server complete and check lab files with it.

    Example: lab schema > lab.schema.json, and `#:schema ./lab.schema.json` in the first line of a lab file
    """
    print(json.dumps(make_schema(), indent=1))


def make_schema() -> dict[str, Any]:
    """Return the schema: that of a lab, with the table `karmada` of the model that reads it."""
    lab, karmada = (each.model_json_schema(ref_template="#/$defs/{model}") for each in (LabSpec, KarmadaSpec))
    shared = {**karmada.pop("$defs", {}), **lab.pop("$defs", {}), "KarmadaSpec": karmada}
    lab["properties"]["karmada"] = {"$ref": "#/$defs/KarmadaSpec"}
    return {"$schema": DIALECT, **lab, "title": "A lab file of karmada-lab", "$defs": shared}
