"""The reference pages: commands, keys of lab files, settings, and the matrix, as the code has them.

    docs/reference/cli.md, lab-file-keys.md, settings.md, matrix.md, kubernetes-versions.md

`lab docs reference` writes them; a test fails when they differ from what the code would write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deployers.commands.schema import make_schema
from lab.settings import NOT_OPTIONS, SETTINGS
from scenarios.kit.options import name_option
from scenarios.matrix.definition import Matrix
from scenarios.matrix.skew import list_rows, load_results

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Written by `lab docs reference`; changes here are lost. -->\n\n"
WIDTH = 100


def table(*rows: Sequence[str]) -> str:
    """Return a table of Markdown; the first row is its head."""
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def list_commands(group: Any, prefix: str = "lab") -> Iterator[tuple[str, Any]]:
    """Yield every command below a group with its full name."""
    for name in group.list_commands(None):
        each = group.get_command(None, name)
        if getattr(each, "invoke_without_command", False):
            yield f"{prefix} {name}", each
        if hasattr(each, "commands"):
            yield from list_commands(each, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", each


def commands_page(root: Any) -> str:
    """Return the page of all commands with their help, as `--help` prints it."""
    parts = ["# Commands\n", "What `--help` prints, of every command. `lab --help` groups them by topic.\n"]
    for name, command in list_commands(root):
        context = command.make_context(name, [], resilient_parsing=True)
        context.terminal_width = context.max_content_width = WIDTH
        help_text = "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
        parts += [f"## {name}\n", f"```text\n{help_text}\n```\n"]
    return HEAD + "\n".join(parts)


def keys_page(schema: Mapping[str, Any]) -> str:
    """Return the page of all keys of lab files, a section for each table."""
    parts = [
        "# Keys of lab files\n",
        "Every key, its type and its default. [The lab file](lab-file.md) explains what they do, with examples. "
        "`lab schema` prints the same as JSON Schema, for editors.\n",
    ]
    for name, model in [("Top level", schema), *sorted(schema["$defs"].items())]:
        if "properties" not in model:
            continue
        rows = [(f"`{key}`", type_name(of), default_of(key, of, model), describe(of)) for key, of in model["properties"].items()]
        parts += [f"## {name}\n", describe(model) + "\n", table(("key", "type", "default", "is"), *rows)]
    return HEAD + "\n".join(parts)


def type_name(of: Mapping[str, Any]) -> str:
    """Return the type of a key as text."""
    if "$ref" in of:
        name = of["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in of or "const" in of:
        return ", ".join(f"`{value}`" for value in of.get("enum", [of.get("const")]))
    for key in ("anyOf", "allOf", "oneOf"):
        if key in of:
            return " or ".join(dict.fromkeys(type_name(each) for each in of[key] if each.get("type") != "null"))
    if of.get("type") == "array":
        return f"array of {type_name(of.get('items', {}))}"
    if of.get("type") == "object" and isinstance(of.get("additionalProperties"), dict):
        return f"table of {type_name(of['additionalProperties'])}"
    return str(of.get("type", "any"))


def default_of(key: str, of: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Return the default of a key as TOML has it."""
    if key in model.get("required", ()):
        return "required"
    value = of.get("default")
    simple = isinstance(value, str | bool | int | float)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if simple and value != "" else ""


def describe(of: Mapping[str, Any]) -> str:
    """Return the first sentence of what a model says of itself."""
    return " ".join(str(of.get("description", "")).split("\n\n", maxsplit=1)[0].split())


def settings_page() -> str:
    """Return the page of settings: variable, option of `lab`, option of pytest, meaning."""
    rows = [(f"`{of.variable}`", f"`{of.option}`", f"`{name_option(of)}`", of.help) for of in SETTINGS]
    others = {
        "KARMADA_LAB_RUNS": "Where run directories are, in place of ./_runs.",
        "KARMADA_LAB_CACHE": "Where programs are cached, in place of ~/.cache/karmada-lab.",
        "KARMADA_LAB_GO": "The program `go`.",
        "KARMADA_LAB_ARC": "A checkout of ARC, for tests of the runner kit.",
        "KARMADA_LAB_PINS": "Your own pins file, in place of ./karmada-lab-pins.toml.",
    }
    return HEAD + "\n".join(
        [
            "# Settings\n",
            "A setting is an option with an environment variable. It means the same in every command and in pytest;"
            " an option counts before its variable. What deletes, replaces or restores has no variable.\n",
            table(("variable", "lab", "pytest", "is"), *rows),
            "These variables are no options:\n",
            table(("variable", "is"), *((f"`{name}`", others.get(name, "")) for name in NOT_OPTIONS)),
        ]
    )


def matrix_page(matrix: Matrix) -> str:
    """Return the page of the matrix: its axes, its suites, what is left out and what every pull request runs."""
    suites = [(f"`{name}`", suite.promise, f"`{suite.lab}`", "nightly" if suite.nightly else "") for name, suite in matrix.suites.items()]
    providers = [(f"`{name}`", ", ".join(axis.runs_on), "nightly" if axis.nightly else "") for name, axis in matrix.providers.items()]
    excluded = [(name_cells(each), each.reason) for each in matrix.exclude]
    included = [(f"`{each.cell.name}`", each.reason) for each in matrix.include]
    return HEAD + "\n".join(
        [
            "# The matrix\n",
            "What `scenarios/matrix.toml` has to choose from. `lab matrix` prints its cells, and why others are left out.\n",
            f"Deployers: {', '.join(matrix.deployers)}. Releases of Karmada: {', '.join(matrix.releases)}. "
            f"Kubernetes: {', '.join(matrix.kubernetes)}.\n",
            "## Providers\n",
            table(("provider", "runs on", ""), *providers),
            "## Suites\n",
            table(("suite", "promise", "lab file", ""), *suites),
            "## Left out\n",
            table(("cells", "reason"), *excluded),
            "## In every pull request\n",
            table(("cell", "reason"), *included),
        ]
    )


def versions_page(matrix: Matrix) -> str:
    """Return the page of Kubernetes versions: what cells of the skew suites found."""
    results = load_results()
    days = sorted(result.day for result in results.values())
    when = f"The results are of {days[0]} to {days[-1]}. " if days else ""
    return HEAD + "\n".join(
        [
            "# Kubernetes versions\n",
            "One patch release of every minor is pinned; `lab assets pins kubernetes` lists them, and `lab assets pin kubernetes VERSION` "
            'adds another to your own pins file. In a lab file `kubernetes = "1.31"`, of the lab, of the host or of one member, means the '
            "pinned patch release.\n",
            "Each version is tried as the host and as the members of a lab, with conformance and the propagation scenarios "
            "(suites `skewhost` and `skewmember`; the other clusters have the default version). "
            f'{when}"Not tried" means that no result is recorded yet: `lab cell` runs one cell, `lab docs skew FOLDER` records it.\n',
            table(*list_rows(matrix, results)),
        ]
    )


def name_cells(exclude: Any) -> str:
    """Return which cells an exclude matches."""
    parts = ("provider", "deployer", "release", "kubernetes", "suite")
    given = {part: value for part in parts if (value := getattr(exclude, part)) is not None}
    return ", ".join(f"{part} {value if isinstance(value, str) else ' or '.join(value)}" for part, value in given.items())


def make_pages(root: Any) -> dict[Path, str]:
    """Return every reference page by its file. `root` is the group of commands of `lab`."""
    pages: dict[str, Callable[[], str]] = {
        "cli.md": lambda: commands_page(root),
        "lab-file-keys.md": lambda: keys_page(make_schema()),
        "settings.md": settings_page,
        "matrix.md": lambda: matrix_page(Matrix.load()),
        "kubernetes-versions.md": lambda: versions_page(Matrix.load()),
    }
    return {FOLDER / name: make() for name, make in pages.items()}
