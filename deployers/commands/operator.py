"""`lab operator`: Karmadas that objects of a cluster describe."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from deployers.operator.crds import make_crds
from lab.cli.options import Output, option
from lab.yaml_text import dump_yaml

app = typer.Typer(help="Run Karmadas that objects of a cluster describe.", no_args_is_help=True, rich_markup_mode=None)
CrdOutput = Annotated[Output, option("--output", "-o", help="text: YAML for `kubectl apply --server-side -f -`; json: a List.")]


@app.callback()
def group() -> None:
    """Run Karmadas that objects of a cluster describe."""


@app.command()
def crds(output: CrdOutput = Output.text) -> None:
    """Print the CustomResourceDefinitions of the operator.

    Example: lab operator crds | kubectl apply --server-side -f -
    """
    made = make_crds()
    if output is Output.json:
        print(json.dumps({"apiVersion": "v1", "kind": "List", "items": made}, indent=1))
    else:
        print("---\n".join(dump_yaml(each) for each in made), end="")
